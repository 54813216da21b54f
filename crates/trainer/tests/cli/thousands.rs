//! What tables have in their columns: numbers with thousands, slips, dates, units.

use std::fs;
use std::path::Path;

use nn::{Mlp, Preparation};

use crate::{json, run_in, succeed};

fn notes(dir: &Path, flags: &str) -> String {
    let output = run_in(dir, flags);
    assert!(output.status.success(), "{flags}: {output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// A table of two numbers, written plainly and as Excel writes it in German.
fn two_ways(dir: &Path) {
    let (mut plain, mut german) = (String::from("a,b,y\n"), String::from("a;b;y\n"));
    for i in 0..60 {
        let (a, b, y) = (i * 9973, 200 + i * 37, ["no", "yes"][i % 2]);
        let thousands = |n: usize| {
            if n < 1000 { n.to_string() } else { format!("{}.{:03}", n / 1000, n % 1000) }
        };
        plain += &format!("{a}.5,{b},{y}\n");
        german += &format!("{},5;{};{y}\n", thousands(a), thousands(b));
    }
    fs::write(dir.join("plain.csv"), plain).unwrap();
    fs::write(dir.join("german.csv"), german).unwrap();
}

#[test]
fn training_and_predict_read_thousands_alike() {
    let dir = tempfile::tempdir().unwrap();
    two_ways(dir.path());
    let flags = "--target y --epochs 2 --quiet --out";
    for name in ["plain", "german"] {
        succeed(dir.path(), &format!("{name}.csv {flags} {name}"));
    }
    let network = |name: &str| Mlp::load(dir.path().join(name).join("model.safetensors")).unwrap();
    let [plain, german] = ["plain", "german"].map(network);
    assert_eq!(plain.layer(0).unwrap(), german.layer(0).unwrap());
    let decimal = |network: &Mlp| match network.preparation() {
        Some(Preparation::Columns(columns)) => columns.decimal(),
        _ => panic!("no columns"),
    };
    assert_eq!((decimal(&plain), decimal(&german)), (None, Some(',')));
    // Rows that do not show what their points are, alone.
    fs::write(dir.path().join("rows.csv"), "a;b\n540.333;1.308\n283;283\n").unwrap();
    fs::write(dir.path().join("same.csv"), "a,b\n540333,1308\n283,283\n").unwrap();
    let answers = |file: &str| succeed(dir.path(), &format!("predict --model german {file} --csv"));
    let values = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split_once(',').unwrap().1.to_owned()).collect()
    };
    assert_eq!(values(&answers("rows.csv")), values(&answers("same.csv")));
    // Both tables have the same figures with either model.
    let figures = |model: &str, file: &str| {
        json(dir.path(), &format!("eval --model {model} {file} --json"))["test_loss"].clone()
    };
    assert_eq!(figures("german", "german.csv"), figures("plain", "plain.csv"));
    assert_eq!(figures("plain", "german.csv"), figures("plain", "plain.csv"));
    // A model of plain numbers says how it reads them.
    let said = notes(dir.path(), "predict --model plain rows.csv");
    let expected = "rows.csv: `540.333` in line 2 is read as 540.333: no number of the table shows";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn columns_that_are_almost_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let mut text = String::from("x,price,money,day,key,few,y\n");
    for i in 0..3000 {
        let price = if i % 100 == 7 { "unknown".to_owned() } else { format!("{i}.5") };
        let (month, day) = (i % 12 + 1, i / 12 % 28 + 1);
        let few = if i == 40 { "o5".to_owned() } else { (i % 9).to_string() };
        let y = ["no", "yes"][i % 2];
        text += &format!("{i},{price},{i} €,{}-{month:02}-{day:02},k{i},{few},{y}\n", 1000 + i);
    }
    fs::write(dir.path().join("t.csv"), text).unwrap();
    let said = notes(dir.path(), "t.csv --target y --epochs 1 --hidden 3 --out run");
    let lines: Vec<&str> = said.lines().collect();
    let advice = |column: &str| {
        format!(
            ": write NA, NaN, null, ? or nothing for a missing number (--missing says what becomes \
             of it), or correct the cell; or say --categorical \"{column}\""
        )
    };
    assert_eq!(
        lines[..3],
        [
            "note: column `price` is not used, because it has numbers, except 30 cells, the first \
             is `unknown` in line 9"
                .to_owned()
                + &advice("price"),
            "note: column `money` is not used, because it has numbers with `€` beside them, the \
             first is `0 €` in line 2: write the numbers alone"
                .to_owned(),
            "note: column `few` is taken for a category, because it has numbers, except 1 cell, \
             the first is `o5` in line 42"
                .to_owned()
                + &advice("few"),
        ]
    );
    for expected in [
        "`day` is left out, because it has dates, which are not read, the first is `1000-01-01` in \
         line 2: give days or months as numbers\n",
        "`key` is left out, because it has more than 1000 different texts, the first is `k0` in \
         line 2\n",
    ] {
        assert!(said.contains(expected), "{said}");
    }
    let said =
        notes(dir.path(), "t.csv --target y --categorical few --epochs 1 --hidden 3 --out b");
    assert!(!said.contains("taken for"), "{said}");
    let output = run_in(dir.path(), "t.csv --target price --epochs 1 --out c");
    let error = String::from_utf8(output.stderr).unwrap();
    let expected = "`price` cannot be predicted: it has numbers, except 30 cells, the first is `unknown` in line 9, expected classes or numbers";
    assert!(error.contains(expected), "{error}");
}
