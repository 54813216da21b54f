//! The answers are those of `trainer predict`, bit for bit, for every form of a body.

use std::fs;
use std::path::Path;

use nn::{Architecture, Head, Inputs, Mlp};
use serde_json::{Value, json};

use super::{Server, images, iris};
use crate::data::{parts, pgm, table};
use crate::succeed;

/// The objects that `trainer predict` prints, with the probabilities of all classes.
fn predicted(dir: &Path, flags: &str) -> Vec<Value> {
    let text = succeed(dir, &format!("predict --model run --json {flags}"));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Checks that predictions of classes are what `trainer predict --proba` printed, float for
/// float.
fn check_same(found: &Value, expected: &[Value]) {
    let found = found["predictions"].as_array().unwrap();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found["class"], expected["class"]);
        assert_eq!(found["probability"], expected["probability"]);
        let shares = found["probabilities"].as_array().unwrap();
        let of_predict = expected["probabilities"].as_object().unwrap();
        assert_eq!(shares.len(), of_predict.len());
        for share in shares {
            let class = share["class"].as_str().unwrap();
            assert_eq!(share["probability"], of_predict[class], "{class}");
        }
    }
}

/// A grey picture as PNG, not compressed.
fn png(cols: usize, pixels: &[u8]) -> Vec<u8> {
    let chunk = |kind: &[u8], data: &[u8]| {
        let body = [kind, data].concat();
        let (len, crc) = (data.len() as u32, crc32fast::hash(&body));
        [&len.to_be_bytes()[..], &body, &crc.to_be_bytes()].concat()
    };
    let rows = pixels.len() / cols;
    let sizes = [cols as u32, rows as u32].map(u32::to_be_bytes).concat();
    let header = chunk(b"IHDR", &[&sizes[..], &[8, 0, 0, 0, 0]].concat());
    let lines: Vec<u8> = pixels.chunks(cols).flat_map(|row| [&[0], row].concat()).collect();
    let len = lines.len() as u16;
    let adler = lines.iter().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65521;
        (a, (b + a) % 65521)
    });
    let data = [
        &[0x78, 1, 1][..],
        &len.to_le_bytes(),
        &(!len).to_le_bytes(),
        &lines,
        &(adler.1 << 16 | adler.0).to_be_bytes(),
    ]
    .concat();
    [&b"\x89PNG\r\n\x1a\n"[..], &header, &chunk(b"IDAT", &data), &chunk(b"IEND", b"")].concat()
}

#[test]
fn images_in_every_form() {
    let dir = images();
    let server = Server::start(dir.path(), "");
    let pixels = parts(28)[1].features.clone();
    fs::write(dir.path().join("raw"), &pixels).unwrap();
    let expected = predicted(dir.path(), "--proba --format raw raw");
    let raw = server.post("/api/predict", "application/octet-stream", &pixels);
    check_same(&raw.right(), &expected);
    assert!(raw.json()["image"].is_null());
    let one = &pixels[3 * 784..4 * 784];
    let raw = server.post("/api/predict", "application/octet-stream", one);
    let body = json!({ "pixels": one }).to_string();
    let as_json = server.post("/api/predict", "application/json", body.as_bytes());
    assert_eq!(raw.body, as_json.body);
    check_same(&raw.right(), &expected[3..4]);
    assert!(raw.json()["image"].is_null(), "it is only there where it is wanted");
    // Nothing is done to such an image, so the network sees it as it was sent.
    for query in ["image=1", "layers=1", "top=1&layers=1&image=0"] {
        let path = format!("/api/predict?{query}");
        let found = server.post(&path, "application/octet-stream", one).right();
        assert_eq!(found["image"], json!(one), "{query}");
    }

    // Pictures are brought to the form of the images, as those of `predict` are.
    let large: Vec<u8> = (0..50 * 40).map(|i| if i % 40 / 4 == 5 { 20 } else { 230 }).collect();
    let jpeg = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/digit.jpg");
    for (name, content, picture) in [
        ("a.png", "image/png", png(40, &large)),
        ("b.pgm", "image/x-portable-graymap", pgm(40, &large)),
        ("c.png", "image/png", png(28, one)),
        ("d.jpg", "image/jpeg", fs::read(jpeg).unwrap_or_default()),
    ] {
        if picture.is_empty() {
            // Of the repository, and not in the package.
            continue;
        }
        fs::write(dir.path().join(name), &picture).unwrap();
        let expected = predicted(dir.path(), &format!("--proba {name}"));
        let found = server.post("/api/predict?image=1", content, &picture).right();
        check_same(&found, &expected);
        let seen = found["image"].as_array().unwrap();
        assert_eq!(seen.len(), 784, "{name}");
        // Neither all paper nor all ink.
        assert!(seen.iter().any(|grey| *grey != seen[0]), "{name}");
    }
}

#[test]
fn rows_in_every_form() {
    let dir = iris();
    let server = Server::start(dir.path(), "");
    let text = table("iris.csv");
    let expected = predicted(dir.path(), "--proba iris.csv");
    let csv = server.post("/api/predict", "text/csv; charset=utf-8", text.as_bytes());
    check_same(&csv.right(), &expected);
    let tabs = text.replace(',', "\t");
    let tabs = server.post("/api/predict", "text/tab-separated-values", tabs.as_bytes());
    assert_eq!(tabs.body, csv.body);

    let names: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    let cells: Vec<Vec<f64>> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').take(4).map(|cell| cell.parse().unwrap()).collect())
        .collect();
    // Any order of names, and more of them than are needed.
    let object = |row: &Vec<f64>| json!({ names[3]: row[3], names[0]: row[0], "id": "x", names[1]: row[1], names[2]: row[2] });
    let objects: Vec<Value> = cells.iter().map(object).collect();
    let lines: String = objects.iter().map(|object| format!("{object}\n")).collect();
    let lines = server.post("/api/predict", "application/x-ndjson", lines.as_bytes());
    assert_eq!(lines.body, csv.body);
    for body in [json!({ "rows": objects }), json!({ "rows": cells }), json!(cells)] {
        let found = server.post("/api/predict", "application/json", body.to_string().as_bytes());
        assert_eq!(found.body, csv.body, "{body}");
    }
    // A missing cell is one in every form.
    let row = json!([[5.1, null, "1.4", "?"]]).to_string();
    let found = server.post("/api/predict", "application/json", row.as_bytes());
    fs::write(dir.path().join("gaps.csv"), format!("{}\n5.1,,1.4,?,\n", names.join(","))).unwrap();
    check_same(&found.right(), &predicted(dir.path(), "--proba gaps.csv"));
}

#[test]
fn categories_and_values() {
    let dir = tempfile::tempdir().unwrap();
    let mut text = "size,colour,price\n".to_owned();
    for i in 0..60 {
        let colour = ["red", "green", "blue"][i % 3];
        text += &format!("{},{colour},{}\n", i % 7, 100 + 10 * (i % 7) + i % 3);
    }
    fs::write(dir.path().join("prices.csv"), &text).unwrap();
    let flags = "prices.csv --target price --task regression --hidden 8 --epochs 2 --quiet";
    succeed(dir.path(), &format!("{flags} --out run"));
    let server = Server::start(dir.path(), "");
    let expected = predicted(dir.path(), "prices.csv");
    let found = server.post("/api/predict", "text/csv", text.as_bytes()).right();
    for (found, expected) in found["predictions"].as_array().unwrap().iter().zip(&expected) {
        assert_eq!(found, &json!({ "value": expected["value"] }));
    }
    let card = server.get("/api/model").right();
    assert_eq!((&card["task"], &card["classes"]), (&"value".into(), &Value::Null));
    let input = &card["input"];
    assert_eq!((&input["kind"], &input["target"]), (&"table".into(), &"price".into()));
    let [size, colour] = &input["columns"].as_array().unwrap()[..] else { panic!("{input}") };
    assert_eq!((&size["name"], &size["kind"]), (&"size".into(), &"number".into()));
    assert!((2.5..3.5).contains(&size["mean"].as_f64().unwrap()), "{size}");
    assert!(size["deviation"].as_f64().unwrap() > 1.0 && size["categories"].is_null(), "{size}");
    assert_eq!((&colour["kind"], &colour["mean"]), (&"category".into(), &Value::Null));
    assert_eq!(colour["categories"], json!(["blue", "green", "red"]));

    let unknown = json!([{ "size": 3, "colour": "mauve" }]).to_string();
    let found = server.post("/api/predict", "application/json", unknown.as_bytes()).right();
    let note = found["notes"][0].as_str().unwrap();
    assert!(note.contains("1 value of `colour` that training did not have"), "{note}");
}

/// The hidden units and the logits are those of the network.
#[test]
fn what_is_inside() {
    let dir = images();
    let server = Server::start(dir.path(), "");
    let network = Mlp::load(dir.path().join("run/model.safetensors")).unwrap();
    let one = &parts(28)[1].features[..784];
    let found = server.post("/api/predict?layers=1&top=2", "application/octet-stream", one).right();
    let inputs = Inputs::pixels(one, 784).unwrap();
    let hidden = [0, 1].map(|layer| network.hidden(&inputs, layer).unwrap());
    let mut logits = [0.0; 10];
    nn::Predictor::new(&network).logits(&inputs, &mut logits).unwrap();
    let floats = |value: &Value| -> Vec<f32> {
        value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect()
    };
    assert_eq!([0, 1].map(|layer| floats(&found["layers"][layer])), hidden);
    assert_eq!(floats(&found["logits"]), logits);
    let all = server.post("/api/predict", "application/octet-stream", one).right();
    assert!(all["layers"].is_null() && all["logits"].is_null());
    // The most probable first, where only some are wanted.
    let [first, second] = &found["predictions"][0]["probabilities"].as_array().unwrap()[..] else {
        panic!("{found}")
    };
    assert_eq!(first["class"], all["predictions"][0]["class"]);
    let mut shares = floats_of(&all["predictions"][0]["probabilities"]);
    shares.sort_by(|a, b| b.total_cmp(a));
    assert_eq!([first, second].map(|share| share["probability"].as_f64().unwrap()), shares[..2]);
}

fn floats_of(shares: &Value) -> Vec<f64> {
    let shares = shares.as_array().unwrap().iter();
    shares.map(|share| share["probability"].as_f64().unwrap()).collect()
}

#[test]
fn the_card_of_images() {
    let dir = images();
    let server = Server::start(dir.path(), "");
    let card = server.get("/api/model").right();
    assert_eq!(card["name"], "run");
    assert_eq!(card["layers"], json!([784, 20, 12, 10]));
    assert_eq!(card["parameters"], 784 * 20 + 20 + 20 * 12 + 12 + 12 * 10 + 10);
    assert_eq!(card["task"], "classes");
    let classes: Vec<String> = (0..10).map(|class: u8| class.to_string()).collect();
    assert_eq!(card["classes"], json!(classes));
    let input = &card["input"];
    assert_eq!((&input["kind"], &input["width"]), (&"image".into(), &28.into()));
    assert_eq!((&input["height"], &input["ink"]), (&28.into(), &"light-on-dark".into()));
    assert!(input["centred"].is_boolean() && input["deskew"] == false, "{input}");
    let health = server.get("/api/health").right();
    assert_eq!(health, json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }));
}

/// Models that `trainer predict` has no form for: several labels, features without names.
#[test]
fn models_of_other_programs() {
    let dir = tempfile::tempdir().unwrap();
    let shape =
        Architecture { inputs: 3, hidden: vec![4], outputs: 2, activation: nn::Activation::Tanh };
    let network = Mlp::new(shape, nn::Init::Xavier, 1).unwrap().with_head(Head::Multilabel);
    let network = network.unwrap();
    fs::create_dir(dir.path().join("run")).unwrap();
    network.save(dir.path().join("run/model.safetensors")).unwrap();
    let server = Server::start(dir.path(), "");
    let card = server.get("/api/model").right();
    assert_eq!((&card["task"], &card["classes"]), (&"labels".into(), &json!(["0", "1"])));
    assert_eq!(card["input"], json!({ "kind": "features", "width": 3 }));
    let rows = json!({ "rows": [[0.5, -1, 2], [0, 0, 0]] }).to_string();
    let found = server.post("/api/predict", "application/json", rows.as_bytes()).right();
    let inputs = Inputs::new(&[0.5, -1.0, 2.0, 0.0, 0.0, 0.0], 3).unwrap();
    let outputs = network.outputs(&inputs).unwrap();
    for (found, outputs) in found["predictions"].as_array().unwrap().iter().zip(outputs.chunks(2)) {
        let found: Vec<f32> =
            floats_of(&found["probabilities"]).iter().map(|p| *p as f32).collect();
        assert_eq!(found, outputs);
    }
    for (rows, words) in [
        ("[[1,2]]", "row 0: expected a list of 3 numbers"),
        ("[[1,2,null]]", "found no number in row 0"),
        ("[{\"a\":1}]", "row 0: expected a list of 3 numbers"),
        ("[[1,2,1e300]]", "feature 2 of sample 0"),
    ] {
        server.post("/api/predict", "application/json", rows.as_bytes()).check(400, words);
    }
    server.post("/api/predict", "text/csv", b"a,b,c\n1,2,3\n").check(400, "3 numbers a row");
}
