//! `trainer predict`: the answers are those of `nn::Predictor`, bit for bit, whatever form the
//! samples have.

use std::fs;
use std::path::Path;

use nn::{Inputs, Mlp, Predictor, Preparation};
use serde_json::Value;
use tempfile::TempDir;

use crate::data::{gzip, idx, pgm, table};
use crate::{names, run_in, succeed, trainer};

/// A folder with images in `data`, and a run of them in `run`.
fn images() -> TempDir {
    let dir = crate::data::folder();
    succeed(dir.path(), "--hidden 20 --epochs 1 --lr 0.005 --quiet --out run");
    dir
}

/// A folder with a run of a table in `run`.
fn iris() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("iris.csv"), table("iris.csv")).unwrap();
    succeed(dir.path(), "iris.csv --target target --epochs 5 --quiet --out run");
    dir
}

fn network(dir: &Path) -> Mlp {
    Mlp::load(dir.join("run/model.safetensors")).unwrap()
}

/// The images of the test set.
fn pixels() -> Vec<u8> {
    crate::data::parts(28)[1].features.clone()
}

/// The outputs of a network: samples × outputs.
fn outputs(network: &Mlp, inputs: &Inputs<'_>) -> Vec<f32> {
    let mut outputs = vec![0.0; inputs.len() * network.architecture().outputs];
    Predictor::new(network).outputs(inputs, &mut outputs).unwrap();
    outputs
}

/// What is expected of lines of JSON: the class with the largest probability, the first of
/// equals, and that probability.
fn expected(network: &Mlp, outputs: &[f32]) -> Vec<(String, f32)> {
    let best = |row: &[f32]| {
        let mut best = 0;
        for (class, probability) in row.iter().enumerate() {
            if *probability > row[best] {
                best = class;
            }
        }
        let name = network.class_names().map_or_else(|| best.to_string(), |all| all[best].clone());
        (name, row[best])
    };
    outputs.chunks(network.architecture().outputs).map(best).collect()
}

/// The class and the probability of each line of JSON.
fn answers(text: &str) -> Vec<(String, f32)> {
    let answer = |line: &str| {
        let value: Value = serde_json::from_str(line).unwrap();
        let class = value["class"].as_str().unwrap().to_owned();
        (class, value["probability"].as_f64().unwrap() as f32)
    };
    text.lines().map(answer).collect()
}

/// Runs the program with `bytes` on stdin; it is to succeed.
fn with_stdin(dir: &Path, flags: &str, bytes: &[u8]) -> String {
    let mut command = trainer();
    command.current_dir(dir).args(flags.split_whitespace()).write_stdin(bytes);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{flags}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn images_in_every_form() {
    let dir = images();
    let (network, pixels) = (network(dir.path()), pixels());
    let outputs = outputs(&network, &Inputs::pixels(&pixels, 784).unwrap());
    let expected = expected(&network, &outputs);
    let predict = "predict --model run --json";
    let file = fs::read(dir.path().join("data/t10k-images-idx3-ubyte")).unwrap();
    fs::write(dir.path().join("raw"), &pixels).unwrap();
    let wide: Vec<u8> = pixels.iter().flat_map(|byte| f32::from(*byte).to_be_bytes()).collect();
    fs::write(dir.path().join("wide"), idx(13, &[100, 28, 28], &wide)).unwrap();
    fs::write(dir.path().join("few.gz"), gzip(&idx(8, &[80, 28, 28], &pixels[..62_720]))).unwrap();

    let of_file = succeed(dir.path(), &format!("{predict} data/t10k-images-idx3-ubyte"));
    assert_eq!(answers(&of_file), expected);
    let line: Value = serde_json::from_str(of_file.lines().nth(7).unwrap()).unwrap();
    assert_eq!(line["input"], "data/t10k-images-idx3-ubyte#7");
    assert_eq!(answers(&succeed(dir.path(), &format!("{predict} few.gz"))), expected[..80]);
    assert_eq!(answers(&succeed(dir.path(), &format!("{predict} --format raw raw"))), expected);
    for flags in [predict.to_owned(), format!("{predict} -")] {
        let text = with_stdin(dir.path(), &flags, &file);
        assert_eq!(answers(&text), expected);
        assert!(text.contains("\"stdin#99\""), "{text}");
    }
    let raw = with_stdin(dir.path(), &format!("{predict} --format raw"), &pixels);
    assert_eq!(answers(&raw), expected);

    // Images on their side.
    let sideways = mnist_io::transpose(&pixels, 28, 28);
    let turned = format!("{predict} --transpose --format raw");
    assert_eq!(answers(&with_stdin(dir.path(), &turned, &sideways)), expected);
    // EMNIST is known by its name.
    let emnist = dir.path().join("emnist-digits-test-images-idx3-ubyte");
    fs::write(&emnist, idx(8, &[100, 28, 28], &sideways)).unwrap();
    let text = succeed(dir.path(), &format!("{predict} {}", emnist.display()));
    assert_eq!(answers(&text), expected);

    // Pictures, of which a folder stands for all in it, in the order of their names. (Those with
    // ink along the border, by which their paper is known, may be taken for light paper.)
    fs::create_dir_all(dir.path().join("pictures/more")).unwrap();
    let mut of_pictures = Vec::new();
    for (index, image) in pixels.chunks(784).enumerate() {
        if matches!(index % 10, 0 | 9) {
            continue;
        }
        let path = match index {
            0..90 => format!("pictures/{}.pgm", index + 100),
            _ => format!("pictures/more/{index}.pgm"),
        };
        fs::write(dir.path().join(path), pgm(28, image)).unwrap();
        of_pictures.push(expected[index].clone());
    }
    let one = succeed(dir.path(), &format!("{predict} pictures/103.pgm"));
    assert_eq!(answers(&one), [expected[3].clone()]);
    assert_eq!(answers(&succeed(dir.path(), &format!("{predict} pictures"))), of_pictures);
    let picture = fs::read(dir.path().join("pictures/105.pgm")).unwrap();
    assert_eq!(answers(&with_stdin(dir.path(), predict, &picture)), [expected[5].clone()]);
}

#[test]
fn rows_in_every_form() {
    let dir = iris();
    let network = network(dir.path());
    let Some(Preparation::Columns(columns)) = network.preparation() else { panic!() };
    let text = table("iris.csv");
    let head = text.lines().next().unwrap();
    let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let mut features = Vec::new();
    for row in &rows {
        for (cell, column) in row.iter().zip(columns.columns()) {
            let nn::ColumnKind::Number(standard) = &column.kind else { panic!() };
            let value = f64::from(cell.parse::<f32>().unwrap());
            features.push(((value - standard.mean) / standard.deviation) as f32);
        }
    }
    let expected = expected(&network, &outputs(&network, &Inputs::new(&features, 4).unwrap()));

    let names: Vec<&str> = head.split(',').collect();
    let mut other = format!("id,{},{},{},{}\n", names[3], names[1], names[0], names[2]);
    let mut json = String::new();
    for (index, row) in rows.iter().enumerate() {
        other += &format!("\"no {index}, x\",{},{},{},{}\n", row[3], row[1], row[0], row[2]);
        json += &format!(
            "{{\"{}\": {}, \"more\": null, \"{}\": {}, \"{}\": {}, \"{}\": \"{}\"}}\n",
            names[2], row[2], names[0], row[0], names[1], row[1], names[3], row[3]
        );
    }
    let write = |name: &str, bytes: &[u8]| fs::write(dir.path().join(name), bytes).unwrap();
    write("other.csv", other.as_bytes());
    write("tabs", text.replace(',', "\t").as_bytes());
    write("lines.jsonl", json.as_bytes());
    write("iris.csv.gz", &gzip(text.as_bytes()));
    for file in ["iris.csv", "other.csv", "tabs", "lines.jsonl", "iris.csv.gz"] {
        let found = succeed(dir.path(), &format!("predict --model run --json {file}"));
        assert_eq!(answers(&found), expected, "{file}");
    }
    for text in [&text, &other, &json] {
        assert_eq!(
            answers(&with_stdin(dir.path(), "predict --model run --json", text.as_bytes())),
            expected
        );
    }
}

#[test]
fn how_answers_are_written() {
    let dir = iris();
    let network = network(dir.path());
    let short: String = table("iris.csv").lines().take(4).map(|line| format!("{line}\n")).collect();
    fs::write(dir.path().join("short.csv"), short).unwrap();
    let all = succeed(dir.path(), "predict --model run --json --proba --top 2 short.csv");
    let lines: Vec<Value> = all.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    let csv = succeed(dir.path(), "predict --model run --csv --proba short.csv");
    let mut csv = csv.lines();
    assert_eq!(csv.next(), Some("input,class,probability,setosa,versicolor,virginica"));
    let text = succeed(dir.path(), "predict --model run short.csv");
    let three = succeed(dir.path(), "predict --model run --top 3 short.csv");
    for (index, line) in lines.iter().enumerate() {
        let of = |class: &str| line["probabilities"][class].as_f64().unwrap() as f32;
        let classes = ["setosa", "versicolor", "virginica"];
        let sum: f32 = classes.map(of).iter().sum();
        assert!((sum - 1.0).abs() < 1e-5, "{line}");
        let mut sorted = classes.map(|class| (of(class), class));
        sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
        let [first, second, third] = sorted;
        assert_eq!(line["class"], first.1);
        assert_eq!(line["top"].as_array().unwrap().len(), 2);
        assert_eq!(line["top"][1]["class"], second.1);
        assert_eq!(line["top"][1]["probability"].as_f64().unwrap() as f32, second.0);
        let input = format!("short.csv#{index}");
        assert_eq!(line["input"], input.as_str());
        let [a, b, c] = classes.map(of);
        let cells = format!("{input},{},{},{a},{b},{c}", first.1, first.0);
        assert_eq!(csv.next(), Some(cells.as_str()));
        let percent = |(share, class): (f32, &str)| format!("{class} {:.2} %", 100.0 * share);
        let start = format!("{input}: {}  {:.2} %, {}", first.1, 100.0 * first.0, percent(second));
        assert_eq!(text.lines().nth(index), Some(start.as_str()));
        let whole = format!("{start}, {}", percent(third));
        assert_eq!(three.lines().nth(index), Some(whole.as_str()));
    }
    assert_eq!(network.class_names().unwrap().len(), 3);
    let plain = succeed(dir.path(), "predict --model run --csv short.csv");
    assert_eq!(plain.lines().next(), Some("input,class,probability"));
}

#[test]
fn classes_with_odd_names_stay_in_a_line() {
    let dir = tempfile::tempdir().unwrap();
    let classes = ["a,b", "say \"x\"", "two\nlines"];
    let mut text = String::from("a,b,y\n");
    for i in 0..60 {
        text += &format!("{},{},\"{}\"\n", i % 3, i, classes[i % 3].replace('"', "\"\""));
    }
    fs::write(dir.path().join("t.csv"), &text).unwrap();
    succeed(dir.path(), "t.csv --target y --epochs 30 --quiet --out run");
    let text = succeed(dir.path(), "predict --model run t.csv");
    assert_eq!(text.lines().count(), 60);
    assert!(text.contains(": two lines  ") && text.contains(": a,b  "), "{text}");
    let found = answers(&succeed(dir.path(), "predict --model run t.csv --json"));
    assert!(found.iter().any(|(class, _)| class == "two\nlines"));
    // CSV as the program itself reads it.
    let csv = succeed(dir.path(), "predict --model run t.csv --csv");
    assert!(csv.contains(",\"say \"\"x\"\"\",") && csv.contains(",\"two\nlines\","), "{csv}");
    let read = mnist_io::Table::parse(csv.as_bytes(), &mnist_io::TableOptions::default()).unwrap();
    assert_eq!(read.rows(), 60);
    let text = succeed(dir.path(), "eval --model run t.csv");
    assert!(text.contains("\ntwo lines"), "{text}");
}

#[test]
fn a_file_of_answers_is_whole_or_not_there() {
    let dir = iris();
    let path = dir.path();
    let expected = succeed(path, "predict --model run --csv iris.csv");
    succeed(path, "predict --model run --csv iris.csv --output answers.csv");
    let read = |name: &str| fs::read_to_string(path.join(name)).unwrap();
    assert_eq!(read("answers.csv"), expected);

    fs::write(path.join("bad.csv"), "sepal length (cm)\n1\n").unwrap();
    let before = names(path);
    let output = run_in(path, "predict --model run bad.csv --output new.csv");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(names(path), before, "nothing is left");
    // What was there stays.
    assert!(!run_in(path, "predict --model run bad.csv --output answers.csv").status.success());
    assert_eq!(read("answers.csv"), expected);

    #[cfg(unix)]
    {
        fs::create_dir(path.join("below")).unwrap();
        fs::write(path.join("below/target.csv"), "old").unwrap();
        std::os::unix::fs::symlink("below/target.csv", path.join("link")).unwrap();
        succeed(path, "predict --model run --csv iris.csv --output link");
        assert!(fs::symlink_metadata(path.join("link")).unwrap().is_symlink());
        assert_eq!(read("below/target.csv"), expected);
        assert_eq!(names(&path.join("below")), ["target.csv"]);
    }
}

/// Of several inputs, the file has the answers of those that were predicted as a whole.
#[test]
fn a_file_of_answers_without_those_of_a_failed_input() {
    let dir = iris();
    let path = dir.path();
    let text = table("iris.csv");
    let rows: Vec<&str> = text.lines().collect();
    let part = |rows: &[&str]| rows.iter().map(|row| format!("{row}\n")).collect::<String>();
    fs::write(path.join("a.csv"), part(&rows[..40])).unwrap();
    fs::write(path.join("bad.csv"), part(&rows[..30]) + "1,2\n").unwrap();
    let read = |name: &str| fs::read_to_string(path.join(name)).unwrap();
    let stderr = |output: std::process::Output| {
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };

    let expected = succeed(path, "predict --model run --csv a.csv iris.csv");
    let flags = "predict --model run --csv a.csv bad.csv iris.csv --output out";
    let error = stderr(run_in(path, flags));
    assert!(error.starts_with("error: bad.csv: "), "{error}");
    assert!(error.ends_with("say why; out has the answers of the others\n"), "{error}");
    assert_eq!(read("out"), expected);

    // None was: the old file stays, and that is said.
    let before = names(path);
    for (flags, lines) in [("bad.csv none.csv", 4), ("bad.csv", 2)] {
        for (output, said) in [("out", "is what it was before"), ("new", "was not written")] {
            let flags = format!("predict --model run --csv {flags} --output {output}");
            let error = stderr(run_in(path, &flags));
            assert!(error.contains(&format!("note: {output} {said}\n")), "{error}");
            assert_eq!(error.lines().count(), lines, "{error}");
            assert_eq!((read("out"), names(path)), (expected.clone(), before.clone()));
        }
    }
    let model = fs::read(path.join("run/model.safetensors")).unwrap();
    let output = run_in(path, "predict --model run a.csv --output run/model.safetensors");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(fs::read(path.join("run/model.safetensors")).unwrap() == model);
}

/// Links that lead back, and two ways to one folder.
#[cfg(unix)]
#[test]
fn each_picture_of_a_folder_once() {
    use std::os::unix::fs::symlink;
    let dir = images();
    fs::create_dir_all(dir.path().join("all/b/c")).unwrap();
    fs::write(dir.path().join("all/b/c/1.pgm"), pgm(28, &pixels()[784..][..784])).unwrap();
    for (target, link) in [("..", "b/up"), ("b", "a"), ("loop", "loop"), ("../../all", "b/c/root")]
    {
        symlink(target, dir.path().join("all").join(link)).unwrap();
    }
    let text = succeed(dir.path(), "predict --model run all");
    assert!(text.starts_with("all/b/c/1.pgm: ") && text.lines().count() == 1, "{text}");
    let text = succeed(dir.path(), "inspect all --json");
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["pictures"], 1, "{text}");
    // Whoever names it twice wants it twice.
    let text = succeed(dir.path(), "predict --model run all/b/c/1.pgm all/b/c/1.pgm");
    assert_eq!(text.lines().count(), 2, "{text}");
}

#[test]
fn one_of_several_inputs_is_damaged() {
    let dir = images();
    let image = &pixels()[..784];
    for (name, bytes) in [
        ("a.pgm", pgm(28, image)),
        ("b.pgm", pgm(28, image)[..100].to_vec()),
        ("c.pgm", pgm(28, image)),
    ] {
        fs::write(dir.path().join(name), bytes).unwrap();
    }
    let output = run_in(dir.path(), "predict --model run a.pgm b.pgm none.pgm c.pgm --json");
    assert_eq!(output.status.code(), Some(1));
    let found = answers(&String::from_utf8(output.stdout).unwrap());
    assert!(found.len() == 2 && found[0] == found[1], "{found:?}");
    let error = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines.len(), 3, "{error}");
    assert!(lines[0].starts_with("error: b.pgm: "), "{error}");
    assert!(lines[1].starts_with("error: cannot read none.pgm: "), "{error}");
    assert_eq!(lines[2], "error: 2 of 4 inputs could not be predicted: the lines above say why");
}

#[test]
fn values_that_training_did_not_have() {
    let dir = tempfile::tempdir().unwrap();
    let mut text = String::from("a,city,y\n");
    for i in 0..40 {
        text += &format!("{i},{},{}\n", ["Oslo", "Rome"][i % 2], ["no", "yes"][i % 2]);
    }
    fs::write(dir.path().join("t.csv"), text).unwrap();
    succeed(dir.path(), "t.csv --target y --epochs 1 --quiet --out run");
    fs::write(dir.path().join("new.csv"), "city,a\nRome,1\nBonn,2\nBonn,3\n,4\n").unwrap();
    let output = run_in(dir.path(), "predict --model run new.csv --json");
    assert!(output.status.success());
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "note: new.csv: 2 values of `city` that training did not have, the first is `Bonn` in \
         line 3: they count as missing\n"
    );
    let found = answers(&String::from_utf8(output.stdout).unwrap());
    assert_eq!(found.len(), 4);

    // As missing cells: no category is set.
    let network = network(dir.path());
    let Some(Preparation::Columns(columns)) = network.preparation() else { panic!() };
    let nn::ColumnKind::Number(standard) = &columns.columns()[0].kind else { panic!() };
    let standard = |a: f64| ((a - standard.mean) / standard.deviation) as f32;
    let features = [
        standard(1.0),
        0.0,
        1.0,
        standard(2.0),
        0.0,
        0.0,
        standard(3.0),
        0.0,
        0.0,
        standard(4.0),
        0.0,
        0.0,
    ];
    let outputs = outputs(&network, &Inputs::new(&features, 3).unwrap());
    assert_eq!(found, expected(&network, &outputs));
}

/// A model that another program made says nothing of its inputs.
#[test]
fn models_without_preparation() {
    use nn::{Activation, Architecture, Head, Init};
    let dir = crate::data::folder();
    let shape = |inputs, outputs| Architecture {
        inputs,
        hidden: vec![5],
        outputs,
        activation: Activation::Relu,
    };
    let save = |name: &str, network: Mlp| network.save(dir.path().join(name)).unwrap();
    let new = |inputs, outputs| Mlp::new(shape(inputs, outputs), Init::He, 1).unwrap();
    save("images", new(784, 10));
    save("four", new(4, 3));
    save("number", new(784, 1).with_head(Head::Squared).unwrap());
    save("yes", new(784, 1).with_head(Head::Logistic).unwrap());
    save("labels", new(784, 3).with_head(Head::Multilabel).unwrap());
    fs::write(dir.path().join("iris.csv"), table("iris.csv")).unwrap();
    let images = "data/t10k-images-idx3-ubyte";
    for (flags, code) in [
        (format!("predict --model images {images}"), 0),
        (format!("predict --model number {images}"), 0),
        (format!("predict --model yes {images}"), 0),
        (format!("predict --model labels {images}"), 1),
        (format!("predict --model four {images}"), 1),
        ("predict --model four iris.csv".to_owned(), 1),
        ("predict --model images iris.csv".to_owned(), 1),
        ("eval --model images".to_owned(), 0),
        ("eval --model four".to_owned(), 1),
        ("eval --model four iris.csv".to_owned(), 1),
        ("eval --model number".to_owned(), 1),
        ("eval --model yes".to_owned(), 1),
        ("eval --model labels".to_owned(), 1),
        ("inspect images".to_owned(), 0),
        ("inspect four".to_owned(), 0),
        ("inspect number".to_owned(), 0),
        ("inspect yes".to_owned(), 0),
        ("inspect labels".to_owned(), 0),
    ] {
        let output = run_in(dir.path(), &flags);
        assert_eq!(output.status.code(), Some(code), "{flags}: {output:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(error.lines().count(), usize::from(code == 1), "{flags}: {error}");
    }
    // The probability of the likelier of two classes.
    let text = succeed(dir.path(), &format!("predict --model yes --json --proba {images}"));
    let outputs = outputs(
        &Mlp::load(dir.path().join("yes")).unwrap(),
        &Inputs::pixels(&pixels(), 784).unwrap(),
    );
    for (line, yes) in text.lines().zip(outputs) {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["probabilities"]["1"].as_f64().unwrap() as f32, yes);
        assert_eq!(line["class"], if yes > 0.5 { "1" } else { "0" });
    }
}
