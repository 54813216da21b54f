//! Writes small valid inputs for the targets into `corpus/`, to start a fuzzer from.

use std::fs;
use std::path::Path;

use nn::{
    Activation, Architecture, Average, BatchNorm, ClassWeights, Curve, Dropout, EarlyStopping,
    Examples, Fit, Head, Init, Inputs, Labels, Mlp, Monitor, Noise, Optimizer, Run, Schedule,
    Preparation, Sequential, Session, Values,
};

fn write(target: &str, name: &str, bytes: &[u8]) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join(name), bytes).unwrap();
}

/// A safetensors file as `fuzz::tensor_file` takes it.
fn apart(file: &[u8]) -> Vec<u8> {
    let len = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    let (header, tensors) = file[8..].split_at(len);
    [&[0], header, &[0], tensors].concat()
}

fn network(outputs: usize, head: Head, activation: Activation) -> Mlp {
    let shape = Architecture { inputs: 2, hidden: vec![3], outputs, activation };
    Mlp::new(shape, Init::Xavier, 1).unwrap().with_head(head).unwrap()
}

fn fits() -> Vec<Fit> {
    let plain = Fit { epochs: 2, batch_size: 4, lr: 0.05, ..Fit::default() };
    let mut fits: Vec<_> = Optimizer::ALL
        .iter()
        .map(|(optimizer, _)| Fit { optimizer: *optimizer, ..plain.clone() })
        .collect();
    fits.push(Fit {
        schedule: Schedule { curve: Curve::Cosine, warmup: 0.2 },
        l1: 1e-4,
        max_norm: Some(2.0),
        clip_norm: Some(0.5),
        average: Some(Average { decay: 0.9 }),
        dropout: Dropout { input: 0.1, hidden: 0.3, ..Dropout::default() },
        noise: Noise { input: 0.1, hidden: 0.2 },
        batch_norm: Some(BatchNorm { rows: 2, ..BatchNorm::default() }),
        early_stopping: Some(EarlyStopping {
            patience: 3,
            monitor: Monitor::Loss,
            min_delta: 0.0,
        }),
        ..plain.clone()
    });
    fits.push(Fit {
        label_smoothing: 0.1,
        class_weights: Some(ClassWeights::Each(vec![1.0, 2.0])),
        ..plain
    });
    fits
}

fn main() {
    for (code, size) in [(8, 1), (9, 1), (11, 2), (12, 4), (13, 4), (14, 8)] {
        for dims in [&[2_u32][..], &[1, 3], &[2, 1, 2], &[1, 1, 1, 2], &[0, 4_000_000_000]] {
            let mut file = vec![0, 0, code, dims.len() as u8];
            file.extend(dims.iter().flat_map(|dim| dim.to_be_bytes()));
            let elements: u64 = dims.iter().map(|dim| u64::from(*dim)).product();
            file.extend((0..elements * size).map(|i| i as u8));
            let name = format!("{code}-{}", dims.len() + usize::from(dims[0] == 0));
            write("idx", &name, &file);
            write("gzip", &name, &[&[0], &file[..]].concat());
        }
    }

    for (i, text) in [
        "a,b,c\n1,x,Ann\n2.5,yes,Bo\n,x,Cy\n",
        "length;colour\n5,1;red\n4,9;blue\n;red\n",
        "1 2 3\n4 5 6\n",
        "\u{feff}name\tage\r\n\"A \"\"B\"\"\"\t3\r\nC\tNA\r\n",
        "{\"a\": 1, \"b\": \"x\"}\n{\"a\": null, \"b\": 1, \"c\": \"\\u00e9\"}\n",
        ",0,1,2\n0,5,6,7\n1,8,9,1e3\n",
        "x|y\n1e999|2\nnan|3\n",
        "id,t\n0,a\n1,b\nfoo,a\n",
    ]
    .iter()
    .enumerate()
    {
        for (j, options) in [[0, 0, 0], [0b1_1101, b',', 1], [0b10_1010, b';', 0x10]].iter().enumerate() {
            write("tables", &format!("{i}-{j}"), &[options, text.as_bytes()].concat());
        }
    }
    let pictures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/mnist-io/tests/data");
    for picture in fs::read_dir(pictures).unwrap() {
        let picture = picture.unwrap();
        let name = picture.file_name().into_string().unwrap();
        let file = fs::read(picture.path()).unwrap();
        let kind = name.rsplit('.').next().unwrap();
        if ["jpg", "png", "pgm", "ppm", "pbm"].contains(&kind) && !name.ends_with("-jpg.pgm") {
            write("pictures", &name, &[&[28, 20, 255], &file[..]].concat());
        }
    }
    let digit = "P2 6 7 9 9 9 9 9 9 9 9 9 0 0 9 9 9 9 9 0 9 9 9 9 9 0 9 9 9 9 9 0 9 9 9 9 9 0 9 9 9 9 9 9 9 9 9";
    write("pictures", "digit", &[&[28, 28, 0], digit.as_bytes()].concat());

    let x = [0.0, 0.5, 1.0, 0.25, 0.5, 0.75, 1.0, 0.0];
    let inputs = Inputs::new(&x, 2).unwrap();
    let labels = [0_u8, 1, 1, 0];
    let values = [0.0, 1.0, 1.0, 0.0];
    for (head, name) in Head::ALL {
        let outputs = if head == Head::Softmax { 2 } else { 1 };
        let mut network = network(outputs, head, Activation::Tanh);
        if head == Head::Softmax {
            network.set_class_names(["no", "yes"]).unwrap();
            network.set_preparation(Some(Preparation::Named("deskew".into()))).unwrap();
        }
        write("model", name, &apart(&network.to_bytes()));
        let examples = match head {
            Head::Softmax | Head::Logistic => Examples::new(inputs, Labels::from(&labels)),
            _ => Examples::new(inputs, Values::new(&values, 1).unwrap()),
        }
        .unwrap();
        let fits = if head == Head::Softmax { fits() } else { vec![Fit::default()] };
        for (i, fit) in fits.iter().enumerate() {
            let mut run = Run::new(network.clone(), fit, examples, Some(examples)).unwrap();
            run.train(&Sequential, ()).unwrap();
            write("checkpoint", &format!("{name}-{i}"), &apart(&run.to_bytes()));
        }
        let session = Session::new(network, &Fit::default()).unwrap();
        write("checkpoint", &format!("session-{name}"), &apart(&session.to_bytes()));
    }
    for (activation, name) in Activation::ALL {
        let network = network(2, Head::Softmax, activation);
        write("model", name, &apart(&network.to_bytes()));
        write("model", &format!("{name}-whole"), &[&[1], &network.to_bytes()[..]].concat());
    }

    let recipes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/trainer/recipes");
    for recipe in fs::read_dir(recipes).unwrap() {
        let recipe = recipe.unwrap();
        let name = recipe.file_name().into_string().unwrap();
        let text = fs::read_to_string(recipe.path()).unwrap();
        write("recipe", &name, text.as_bytes());
        // What a run makes of it has every key.
        let whole = trainer::settings(&text, &[]).unwrap();
        write("recipe", &format!("whole-{name}"), whole.as_bytes());
    }
    for (i, line) in [
        "--epochs\n5\n--lr\n0.1\n--batch-size=64\n--seed\n7",
        "--optimizer\nadamw\n--schedule\none-cycle:pct-start=0.3,div-factor=25",
        "--hidden\n100,50\n--activation\nleaky-relu:0.1\n--init\nhe",
        "--elastic\n20:4\n--shift\n2\n--whole-pixels\n--rotate\n10\n--scale\n0.1",
        "--set\ntraining.early-stopping.patience=3\n--set\ndata.validation=0.1",
        "--class-weights\n1,2,3\n--clip-norm\nnone\n--average\n0.9\n--max-norm\n2",
        "--batch-norm\n50\n--dropout\n0.1,0.5\n--noise\n0.1\n--dropout-kind\ngaussian",
        "eval\n--model\nmodel.safetensors\n--data\ndata",
        "train\n--resume\nrun\n--checkpoint-every\n10m\n--json\n--quiet",
    ]
    .iter()
    .enumerate()
    {
        write("command_line", &i.to_string(), line.as_bytes());
    }
    for (i, sets) in [
        "training.epochs=5\ntraining.lr=0.1\ntraining.batch-size=64\ntraining.seed=7",
        "training.optimizer.kind=sgd\ntraining.optimizer.momentum=0.9",
        "training.schedule=one-cycle:pct-start=0.3,div-factor=25",
        "training.schedule=step:3,factor=0.5\ntraining.schedule.warmup=0.1",
        "network.hidden=100,50\nnetwork.activation=leaky-relu:0.1\nnetwork.init=he",
        "augment.elastic.displacement=20:4\naugment.whole-pixels=true",
        "training.early-stopping.patience=3\ndata.validation=0.1\ndata.dir=x",
        "training.class-weights=1,2,3\ntraining.clip-norm=none\ntraining.average=0.9",
        "training.class-weights=balanced\ntraining.batch-norm=none",
    ]
    .iter()
    .enumerate()
    {
        write("values", &i.to_string(), sets.as_bytes());
    }
    for (i, sweep) in [
        "[space]\ntraining.lr = [0.1, 0.2]\nnetwork.hidden = [[8], [16, 8]]",
        "[sweep]\nmethod = \"random\"\ntrials = 4\nfolds = 3\nseed = 7\nbudget = \"10m\"\n[base]\n\
         recipe = \"table\"\ntraining.epochs = 30\n[space]\ntraining.lr = { from = 0.0005, to = \
         0.05, scale = \"log\" }\ntraining.batch-size = { from = 16, to = 64 }",
        "[sweep]\nmethod = \"halving\"\nvalidation = 0.25\ntrials = 5\neta = 2\nmin-epochs = 1\n\
         metric = \"loss\"\n[base]\nrecipe = \"article\"\ntraining.epochs = 6\ntraining.lr = 0.1\n\
         [space]\ntraining.optimizer.momentum = [0.0, 0.9]\ntraining.schedule = [\"cosine\", \
         \"none\"]",
        "[base]\nconfig = \"base.toml\"\n[space]\ntraining.l2 = [0.0, 0.001]\0recipe = \"plain\"\n\
         training.epochs = 2",
    ]
    .iter()
    .enumerate()
    {
        write("sweep", &i.to_string(), sweep.as_bytes());
    }
    for (i, body) in [
        "\0{\"pixels\":[0,255,7]}",
        "\0{\"rows\":[[1,-2,0.5,null,true,\"x\\\"y\"],{\"a\":1,\"b\":\"früh\"}]}",
        "\0[[18446744073709551615,-9223372036854775808,1e300,-0],[]]",
        "\u{1}{\"a\":1,\"b\":null}\n[1,2]\n{\"a\":\"x\"}\n",
    ]
    .iter()
    .enumerate()
    {
        write("json", &i.to_string(), body.as_bytes());
    }
    for target in ["images", "matmul"] {
        for i in 0..8_u32 {
            let bytes: Vec<u8> = (0..96_u32).map(|at| (at * (2 * i + 5) + i) as u8).collect();
            write(target, &i.to_string(), &bytes);
        }
    }
}
