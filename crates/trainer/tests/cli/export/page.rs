//! The network of a page, run by node without its page.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use nn::{Columns, Mlp, Preparation, Standard};
use serde_json::{Map, Value, json};

use super::Case;
use crate::{json, run_in, succeed};

/// Whether there is a node. Without one the scripts are not run, and it says so.
fn has_node() -> bool {
    let found = Command::new("node").arg("--version").output().is_ok();
    if !found {
        eprintln!("skipped: there is no node to run the scripts of a page");
    }
    found
}

/// What the network of a page answers.
fn ask(page: &Path, questions: &[Value]) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/page/ask.cjs");
    let file = page.with_extension("questions");
    let lines: Vec<_> = questions.iter().map(Value::to_string).collect();
    fs::write(&file, lines.join("\n")).unwrap();
    let mut node = Command::new("node");
    node.arg(script).arg(page).stdin(Stdio::from(fs::File::open(file).unwrap()));
    let output = node.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A row of raw data as a question.
fn question(network: &Mlp, row: &[f32]) -> Value {
    match network.preparation() {
        Some(Preparation::Columns(columns)) => json!({ "row": of_table(columns, row) }),
        Some(Preparation::Image(_)) => json!({ "image": row }),
        _ => json!({ "features": row }),
    }
}

fn of_table(columns: &Columns, row: &[f32]) -> Map<String, Value> {
    let cell = |(column, cell): (&nn::Column, &f32)| {
        let value = match &column.kind {
            _ if cell.is_nan() => Value::Null,
            nn::ColumnKind::Category(values) => values[*cell as usize].clone().into(),
            _ => f64::from(*cell).into(),
        };
        (column.name.clone(), value)
    };
    columns.columns().iter().zip(row).map(cell).collect()
}

/// The numbers of an answer in the order of the outputs, and the index of its class.
fn numbers(answer: &Value, classes: &[String]) -> (Vec<f64>, Option<usize>) {
    let prediction = &answer["predictions"][0];
    let value = &prediction["value"];
    if let Some(values) = value.as_array() {
        return (values.iter().map(|value| value.as_f64().unwrap()).collect(), None);
    }
    if let Some(value) = value.as_f64() {
        return (vec![value], None);
    }
    let ranked = prediction["probabilities"].as_array().unwrap();
    let of = |name: &String| ranked.iter().find(|each| each["class"] == **name).unwrap();
    let found = classes.iter().map(|name| of(name)["probability"].as_f64().unwrap()).collect();
    let class = prediction["class"].as_str();
    (found, class.and_then(|class| classes.iter().position(|name| name == class)))
}

#[test]
fn a_form_claims_nothing_impossible() {
    if !has_node() {
        return;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut node = Command::new("node");
    node.arg(folder.join("tests/page/words.cjs")).arg(folder.join("src/page"));
    let output = node.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Every activation, head and kind of input.
#[test]
fn pages_say_what_the_model_says() {
    if !has_node() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for case in super::cases(dir.path()) {
        let Case { name, network, rows } = &case;
        let said = succeed(dir.path(), &format!("export --model {name} --page {name}.html"));
        assert!(said.starts_with(&format!("{name}.html: a page for a browser, ")), "{said}");
        let questions: Vec<_> = rows.iter().map(|row| question(network, row)).collect();
        let outputs = network.architecture().outputs;
        let names = match network.class_names() {
            Some(names) => names.to_vec(),
            None if outputs == 1 => ["0", "1"].map(str::to_owned).to_vec(),
            None => (0..outputs).map(|output| output.to_string()).collect(),
        };
        let answers = ask(&dir.path().join(format!("{name}.html")), &questions);
        assert_eq!(answers.len(), rows.len());
        for (row, answer) in rows.iter().zip(&answers) {
            let (found, class) = numbers(answer, &names);
            case.check("page", row, &found, class);
            let layers = answer["layers"].as_array().unwrap();
            let widths: Vec<_> =
                layers.iter().map(|layer| layer.as_array().unwrap().len()).collect();
            assert_eq!(widths, network.architecture().hidden, "{name}");
        }
    }
}

/// Grey levels of an ellipse that leans, of thick ink with soft edges: a zero.
fn drawing(rows: usize, cols: usize, dark_ink: bool) -> Vec<u8> {
    let ink = |at: usize| {
        let (row, col) = ((at / cols) as f64, (at % cols) as f64);
        let y = (row - 0.55 * rows as f64) / (0.3 * rows as f64);
        let x = (col - 0.4 * cols as f64) / (0.16 * cols as f64) + 0.6 * y;
        let distance = (x.hypot(y) - 1.0).abs();
        ((0.35 - distance) / 0.1).clamp(0.0, 1.0)
    };
    let level = |ink: f64| if dark_ink { 235.0 - 200.0 * ink } else { 20.0 + 215.0 * ink };
    (0..rows * cols).map(|at| level(ink(at)) as u8).collect()
}

/// Pictures are cut out, scaled, centred and deskewed by the page as by `predict`.
#[test]
fn pages_see_what_predict_sees() {
    if !has_node() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let shape = nn::Architecture {
        inputs: 784,
        hidden: vec![20],
        outputs: 10,
        activation: nn::Activation::Tanh,
    };
    let mut pictures = Vec::new();
    for (rows, cols, dark_ink) in
        [(280, 280, false), (150, 220, true), (28, 28, false), (40, 20, true), (900, 700, true)]
    {
        let grey = drawing(rows, cols, dark_ink);
        let name = format!("{rows}x{cols}.pgm");
        let mut file = format!("P5 {cols} {rows} 255\n").into_bytes();
        file.extend(&grey);
        fs::write(dir.path().join(&name), file).unwrap();
        pictures.push((name, json!({ "picture": { "rows": rows, "cols": cols, "values": grey } })));
    }
    for (centred, deskew, dark) in [
        (true, false, false),
        (true, true, false),
        (false, false, false),
        (false, true, true),
        (false, false, true),
    ] {
        let mut network = Mlp::new(shape.clone(), nn::Init::Uniform, 3).unwrap();
        let mut form = nn::ImageForm::new(28, 28);
        (form.centred, form.deskew) = (centred, deskew);
        if dark {
            (form.paper, form.ink) = (255.0, 0.0);
        }
        network.set_preparation(Some(Preparation::Image(form))).unwrap();
        network.save(dir.path().join("model")).unwrap();
        succeed(dir.path(), "export --model model --page page.html");
        let questions: Vec<_> = pictures.iter().map(|(_, question)| question.clone()).collect();
        let answers = ask(&dir.path().join("page.html"), &questions);
        for ((name, _), answer) in pictures.iter().zip(&answers) {
            let what = format!("{name}, centred {centred}, deskewed {deskew}, dark {dark}");
            let said = json(dir.path(), &format!("predict --model model {name} --json --proba"));
            let ranked = answer["predictions"][0]["probabilities"].as_array().unwrap();
            for each in ranked {
                let class = each["class"].as_str().unwrap();
                let expected = said["probabilities"][class].as_f64().unwrap();
                let found = each["probability"].as_f64().unwrap();
                // A pixel that is rounded otherwise makes more than that.
                assert!((found - expected).abs() < 1e-6, "{what}: {class} {found} {expected}");
            }
            assert_eq!(answer["image"].as_array().unwrap().len(), 784, "{what}");
        }
    }
    // Nothing on it.
    network_of_digits(dir.path());
    let blank = json!({ "picture": { "rows": 50, "cols": 60, "values": vec![7; 3000] } });
    assert_eq!(ask(&dir.path().join("page.html"), &[blank]), [Value::Null]);
}

fn network_of_digits(dir: &Path) {
    let shape = nn::Architecture {
        inputs: 784,
        hidden: vec![],
        outputs: 10,
        activation: nn::Activation::Relu,
    };
    Mlp::new(shape, nn::Init::Uniform, 3).unwrap().save(dir.join("digits")).unwrap();
    succeed(dir, "export --model digits --page page.html");
}

/// Names of classes and columns cannot become markup, and the page may load and run nothing but
/// itself.
#[test]
fn names_are_no_markup() {
    let dir = tempfile::tempdir().unwrap();
    let evil = "</script><script>alert(1)</script><!-- & \"'";
    let shape = nn::Architecture {
        inputs: 1,
        hidden: vec![3],
        outputs: 2,
        activation: nn::Activation::Relu,
    };
    let mut network = Mlp::new(shape, nn::Init::Uniform, 3).unwrap();
    network.set_class_names([evil, "__proto__"]).unwrap();
    let column = nn::Column::number(evil, Standard { mean: 0.0, deviation: 1.0 });
    let columns = Columns::new(vec![column]).unwrap().with_target("</title><b>", None);
    network.set_preparation(Some(Preparation::Columns(columns))).unwrap();
    network.save(dir.path().join("a<b>&c")).unwrap();
    let output = run_in(dir.path(), "export --model a<b>&c --page page.html");
    assert!(output.status.success(), "{output:?}");
    let page = fs::read_to_string(dir.path().join("page.html")).unwrap();
    // The data, the network and the page.
    assert_eq!(page.matches("<script").count(), 3);
    assert_eq!(page.matches("</script").count(), 3);
    assert!(!page.contains("alert(1)</") && page.contains("\\u003cscript>alert(1)"));
    assert!(page.contains("<title>a&lt;b&gt;&amp;c</title>"), "{}", &page[..1500]);
    let policy = page.split("Content-Security-Policy\" content=\"").nth(1).unwrap();
    let policy = policy.split('"').next().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
    assert!(policy.contains("; connect-src 'none';") && !policy.contains("unsafe"), "{policy}");
    for far in ["http://", "https://", "//cdn"] {
        let text = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!text.contains(far), "{far}");
    }
    if has_node() {
        let answers = ask(&dir.path().join("page.html"), &[json!({ "row": { evil: 1.5 } })]);
        let classes = answers[0]["predictions"][0]["probabilities"].as_array().unwrap();
        assert!(classes.iter().any(|each| each["class"] == evil));
    }
}
