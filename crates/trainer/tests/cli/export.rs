//! `trainer export`: every file says what `nn::Predictor` says.

mod arrays;
mod compiled;
mod onnx;
mod page;

use std::path::Path;

use kernels::scale_bytes;
use mnist_io::{Dataset, Part};
use nn::{
    Activation, Architecture, Column, Columns, Head, ImageForm, Init, Inputs, Mlp, Predictor,
    Preparation, Standard,
};
use tempfile::TempDir;

use crate::{data, json, run_in, succeed};

/// The largest difference, of probabilities or of values that are standardised.
const CLOSE: f64 = 1e-5;

/// A model in a file of its own name, and rows of raw data.
struct Case {
    name: String,
    network: Mlp,
    rows: Vec<Vec<f32>>,
}

impl Case {
    /// What the model says of a row: as many numbers as a file has outputs, all of them of
    /// about the same size.
    fn expected(&self, row: &[f32]) -> Vec<f64> {
        let width = self.network.architecture().inputs;
        let mut features = row.to_vec();
        match self.network.preparation() {
            Some(Preparation::Columns(columns)) => {
                features = vec![0.0; width];
                columns.apply(row, &mut features).unwrap();
            }
            Some(Preparation::Image(ImageForm { real: false, .. })) => {
                let bytes: Vec<u8> = row.iter().map(|pixel| *pixel as u8).collect();
                let isa = kernels::Isa::active().unwrap();
                scale_bytes(isa, &bytes, self.network.pixel_scale(), &mut features);
            }
            _ => (),
        }
        let mut found = vec![0.0; self.network.architecture().outputs];
        let inputs = Inputs::new(&features, width).unwrap();
        Predictor::new(&self.network).outputs(&inputs, &mut found).unwrap();
        match self.network.head() {
            Head::Logistic => vec![f64::from(1.0 - found[0]), f64::from(found[0])],
            _ => found.iter().map(|found| f64::from(*found)).collect(),
        }
    }

    fn has_classes(&self) -> bool {
        self.network.head().has_classes()
    }

    /// The target's mean and deviation.
    fn standard(&self) -> Standard {
        match self.network.preparation() {
            Some(Preparation::Columns(columns)) => columns.target().and_then(|t| t.standard),
            _ => None,
        }
        .unwrap_or(Standard::NONE)
    }

    /// Compares what a file says of a row: outputs in their own units, and the class.
    fn check(&self, what: &str, row: &[f32], found: &[f64], class: Option<usize>) {
        let expected = self.expected(row);
        assert_eq!(found.len(), expected.len(), "{what} {}", self.name);
        let Standard { mean, deviation } = self.standard();
        for (found, expected) in found.iter().zip(&expected) {
            let found = (found - mean) / deviation;
            let close = (found - expected).abs() < CLOSE;
            assert!(close, "{what} {}: {row:?} gave {found}, not {expected}", self.name);
        }
        let best = |best, at| if expected[at] > expected[best] { at } else { best };
        let best = (0..expected.len()).fold(0, best);
        assert_eq!(class, self.has_classes().then_some(best), "{what} {}", self.name);
    }
}

/// Numbers in [0, 1), the same each time.
fn noise() -> impl FnMut() -> f32 {
    let mut state = 7u32;
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32
    }
}

fn network(sizes: [usize; 4], activation: Activation, head: Head) -> Mlp {
    let [inputs, first, second, outputs] = sizes;
    let shape = Architecture { inputs, hidden: vec![first, second], outputs, activation };
    Mlp::new(shape, Init::Uniform, 3).unwrap().with_head(head).unwrap()
}

/// Images under each activation; tables with categories and missing cells; and a network that
/// does not say what it takes.
fn cases(dir: &Path) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut noise = noise();
    for (activation, name) in Activation::ALL {
        let mut network = network([30, 9, 7, 4], activation, Head::Softmax);
        network.set_preparation(Some(Preparation::Image(ImageForm::new(6, 5)))).unwrap();
        network.set_class_names(["a \"b\"", "\\", "größer?", "line\nend"]).unwrap();
        let rows = (0..40).map(|_| (0..30).map(|_| (256.0 * noise()).floor()).collect()).collect();
        cases.push(Case { name: name.replace('-', "_"), network, rows });
    }

    let nan = f32::NAN;
    let year = Standard { mean: 2001.5, deviation: 0.866 };
    let columns = |target| {
        let columns = vec![
            Column::number("year", year).with_missing(),
            Column::category("city, \"x\" */", ["Oslo", "Rome ??/", "größer"]),
            Column::number("size", Standard { mean: -1e-3, deviation: 20.0 }),
            Column::category("open", ["no", "yes"]).with_missing(),
        ];
        let columns = Columns::new(columns).unwrap().with_target("what", target);
        Some(Preparation::Columns(columns))
    };
    let mut rows = vec![vec![nan; 4], vec![2001.25, 2.0, nan, 1.0], vec![nan, 0.0, 3.5, nan]];
    rows.extend((0..40).map(|i| {
        let mut row =
            [2000.0 + 3.0 * noise(), (3.0 * noise()).floor(), 90.0 * noise(), (i % 2) as f32];
        row[i % 4] = if noise() < 0.5 { nan } else { row[i % 4] };
        row.to_vec()
    }));
    let heads = [
        ("classifier", Head::Softmax, 3, None),
        ("yes_or_no", Head::Logistic, 1, None),
        ("several_labels", Head::Multilabel, 3, None),
        ("regression", Head::Squared, 1, Some(Standard { mean: 50.5, deviation: 12.34 })),
        ("robust", Head::Huber { delta: 0.5 }, 2, None),
    ];
    for (name, head, outputs, standard) in heads {
        let mut network = network([9, 8, 5, outputs], Activation::Gelu, head);
        network.set_preparation(columns(standard)).unwrap();
        cases.push(Case { name: name.into(), network, rows: rows.clone() });
    }

    let network = network([4, 6, 5, 3], Activation::Tanh, Head::Softmax);
    let rows = (0..10).map(|_| (0..4).map(|_| noise() - 0.5).collect()).collect();
    cases.push(Case { name: "unknown".into(), network, rows });
    let shape =
        Architecture { inputs: 4, hidden: vec![], outputs: 2, activation: Activation::Gelu };
    let network = Mlp::new(shape, Init::Uniform, 3).unwrap();
    let rows = cases[cases.len() - 1].rows.clone();
    cases.push(Case { name: "without_hidden_layers".into(), network, rows });
    for case in &cases {
        case.network.save(dir.join(&case.name)).unwrap();
    }
    cases
}

/// The flags of all formats, with a file each that begins with the name of the model.
fn all_formats(name: &str) -> String {
    let formats = ["onnx", "pytorch", "npz", "rust", "c"];
    let ends = ["onnx", "safetensors", "npz", "rs", "c"];
    let flags = formats.iter().zip(ends).map(|(flag, end)| format!(" --{flag} {name}.{end}"));
    flags.collect()
}

/// All cases in all formats.
fn exported() -> (TempDir, Vec<Case>) {
    let dir = tempfile::tempdir().unwrap();
    let cases = cases(dir.path());
    for Case { name, .. } in &cases {
        let said = succeed(dir.path(), &format!("export --model {name}{}", all_formats(name)));
        assert_eq!(said.lines().count(), 5, "{said}");
        assert!(said.starts_with(&format!("{name}.onnx: ONNX, opset 17, ")), "{said}");
    }
    (dir, cases)
}

#[test]
fn onnx_says_what_the_model_says() {
    let (dir, cases) = exported();
    for case in &cases {
        let bytes = std::fs::read(dir.path().join(format!("{}.onnx", case.name))).unwrap();
        let model = onnx::Model::parse(&bytes);
        assert_eq!((model.ir_version, model.opset), (8, 17));
        let cells = case.rows[0].len() as u64;
        assert_eq!(model.inputs, [("input".to_owned(), cells)]);
        for row in &case.rows {
            let mut found = model.run(row);
            let class = found.remove("class").map(|class| class[0] as usize);
            let output = if case.standard() == Standard::NONE { "probabilities" } else { "value" };
            let found = found.remove(output).or_else(|| found.remove("value")).unwrap();
            case.check("onnx", row, &found, class);
        }
        let outputs = case.network.architecture().outputs;
        let names = model.metadata.get("class_names").map(|names| names.parse().unwrap());
        let expected: Option<serde_json::Value> = match case.network.class_names() {
            Some(names) => Some(names.into()),
            None if case.name == "yes_or_no" => Some(vec!["0", "1"].into()),
            None if case.has_classes() => Some(["0", "1", "2"][..outputs].into()),
            None => None,
        };
        assert_eq!(names, expected);
    }
}

#[test]
fn sources_say_what_the_model_says() {
    let (dir, cases) = exported();
    compiled::check_rust(dir.path(), &cases);
    compiled::check_c(dir.path(), &cases);
}

#[test]
fn arrays_are_the_parameters() {
    let (dir, cases) = exported();
    for Case { name, network, .. } in &cases {
        let read = |end| std::fs::read(dir.path().join(format!("{name}.{end}"))).unwrap();
        let (tensors, about) = arrays::safetensors(&read("safetensors"));
        let (arrays, same) = arrays::npz(&read("npz"));
        assert_eq!(about, same);
        let layers = network.architecture().layers().len() - 1;
        assert_eq!((tensors.len(), arrays.len()), (2 * layers, 2 * layers));
        for l in 0..layers {
            let (weights, biases) = network.layer(l).unwrap();
            let shape = vec![biases.len(), weights.len() / biases.len()];
            assert_eq!(tensors[&format!("{}.weight", 2 * l)], (shape.clone(), weights.clone()));
            assert_eq!(arrays[&format!("W{l}")], (shape, weights));
            let biases = (vec![biases.len()], biases);
            assert_eq!(tensors[&format!("{}.bias", 2 * l)], biases);
            assert_eq!(arrays[&format!("b{l}")], biases);
        }
        assert_eq!(about["activation"], network.architecture().activation.to_string());
        assert_eq!(about["head"], network.head().to_string());
    }
}

/// The weights of eight bits are those of an oracle, in both languages.
#[test]
fn eight_bits_say_what_the_rounded_weights_say() {
    let dir = tempfile::tempdir().unwrap();
    let mut cases = cases(dir.path());
    for case in &mut cases {
        let name = &case.name;
        let flags = format!("export --model {name} --int8 --rust {name}.rs --c {name}.c");
        let said = run_in(dir.path(), &flags);
        let notes = String::from_utf8(said.stderr).unwrap();
        assert!(said.status.success() && notes.contains("lose is not known: "), "{notes}");
        let layers = case.network.architecture().layers().len() - 1;
        for l in 0..layers {
            let (mut weights, biases) = case.network.layer(l).unwrap();
            let inputs = weights.len() / biases.len();
            for row in weights.chunks_exact_mut(inputs) {
                let largest = row.iter().map(|w| w.abs()).fold(0.0, f32::max);
                let scale = largest / 127.0;
                row.iter_mut().for_each(|w| *w = (*w / scale).round() * scale);
            }
            case.network.set_layer(l, &weights, &biases).unwrap();
        }
    }
    compiled::check_rust(dir.path(), &cases);
    compiled::check_c(dir.path(), &cases);
}

/// A trained model, real rows, and the figures of eight bits.
#[test]
fn a_run_is_exported_and_measured() {
    let dir = data::folder();
    succeed(dir.path(), "--recipe plain --hidden 12 --epochs 1 --lr 0.005 --quiet --out run");
    let set = Dataset::read_dir(dir.path().join("data"), Part::Test).unwrap();
    let rows = set.images().chunks_exact(784);
    let rows = rows.map(|image| image.iter().map(|pixel| f32::from(*pixel)).collect());
    let network = Mlp::load(dir.path().join("run/model.safetensors")).unwrap();
    let case = Case { name: "model".into(), network, rows: rows.collect() };
    succeed(dir.path(), &format!("export --model run{}", all_formats("model")));
    let cases = [case];
    compiled::check_rust(dir.path(), &cases);
    compiled::check_c(dir.path(), &cases);

    let said = succeed(dir.path(), "export --model run --int8 --c eight.c --data data");
    let errors = json(dir.path(), "eval --model run --json")["test_errors"].clone();
    let lines: Vec<_> = said.lines().collect();
    let [of_f32, of_i8, written] = lines[..] else { panic!("{said}") };
    assert!(of_f32.starts_with("f32   accuracy "), "{said}");
    assert!(of_f32.ends_with(&format!("({errors} of 100 wrong), 38.2 kB of weights")), "{said}");
    // 784 · 12 + 12 · 10 bytes, and a scale and a bias for each of 22 rows.
    assert!(
        of_i8.starts_with("int8  accuracy ") && of_i8.ends_with(", 9.7 kB of weights"),
        "{said}"
    );
    assert!(written.starts_with("eight.c: C source, "), "{said}");
}

#[test]
fn equal_models_give_equal_files() {
    let (dir, cases) = exported();
    let name = &cases[0].name;
    succeed(dir.path(), &format!("export --model {name}{}", all_formats("again")));
    for end in ["onnx", "safetensors", "npz", "rs", "c"] {
        let read = |name: &str| std::fs::read(dir.path().join(format!("{name}.{end}"))).unwrap();
        assert!(read(name) == read("again"), "{end}");
    }
}

/// What the files leave to whoever uses them is said, and written into them.
#[test]
fn what_has_no_form_in_the_files_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let mut network = network([4, 3, 3, 2], Activation::Relu, Head::Softmax);
    let mut form = ImageForm::new(2, 2);
    (form.deskew, form.centred, form.transpose) = (true, true, true);
    network.set_preparation(Some(Preparation::Image(form))).unwrap();
    network.save(dir.path().join("model")).unwrap();
    let output = run_in(dir.path(), &format!("export --model model{}", all_formats("out")));
    let notes = String::from_utf8(output.stderr).unwrap();
    for word in ["do not deskew", "do not centre", "take upright images"] {
        assert_eq!(notes.lines().filter(|line| line.contains(word)).count(), 1, "{notes}");
    }
    let bytes = std::fs::read(dir.path().join("out.onnx")).unwrap();
    let of_file: Vec<String> =
        serde_json::from_str(&onnx::Model::parse(&bytes).metadata["notes"]).unwrap();
    let said: Vec<_> = notes.lines().map(|line| line.trim_start_matches("note: ")).collect();
    assert_eq!(of_file, said);
}
