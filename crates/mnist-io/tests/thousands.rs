//! Numbers with something between their thousands, and which mark is the decimal one.

use std::path::Path;

use mnist_io::{Column, DecimalMark, Error, Rows, Table, TableOptions, Wanted};
use proptest::collection::vec;
use proptest::prelude::*;

fn parse(text: &str) -> Table {
    Table::parse(text.as_bytes(), &TableOptions::default()).unwrap_or_else(|e| panic!("{e}"))
}

fn error(text: &str) -> String {
    Table::parse(text.as_bytes(), &TableOptions::default()).unwrap_err().to_string()
}

/// The rows of a text as those of another table are read.
fn known(text: &str, columns: &[Column], decimal: Option<DecimalMark>) -> Result<Vec<f32>, Error> {
    let options = TableOptions { decimal, ..TableOptions::default() };
    let wanted = Wanted { columns, optional: &[] };
    let mut rows = Rows::new(text.as_bytes(), Path::new("rows"), wanted, &options)?;
    let mut cells = Vec::new();
    rows.next_batch(usize::MAX, &mut cells)?;
    Ok(cells)
}

#[test]
fn a_decimal_comma_anywhere_makes_points_thousands() {
    for (text, cells) in [
        // In the same column, after the points and before them.
        ("a;b\n540.333;1\n126,5;2\n", &[540_333.0, 1.0, 126.5, 2.0][..]),
        ("a;b\n126,5;1\n540.333;2\n", &[126.5, 1.0, 540_333.0, 2.0]),
        // In another.
        ("a;b\n283;1\n1.308;2,5\n", &[283.0, 1.0, 1308.0, 2.5]),
        ("a;b\n1,5;1.234.567,8\n2;-1.308\n", &[1.5, 1_234_567.8, 2.0, -1308.0]),
        // Two groups show it too, and three digits after a comma are then a fraction.
        ("a;b\n1.308;1,308\n1.234.567;2\n", &[1308.0, 1.308, 1_234_567.0, 2.0]),
    ] {
        let table = parse(text);
        assert_eq!(table.cells(), cells, "{text}");
        assert_eq!(table.schema().decimal, Some(DecimalMark::Comma));
        assert_eq!(table.facts().undecided, None);
    }
    // What is no number says nothing.
    let table = parse("a;b\n1.308;x, 2,5\n2.5;y\n");
    assert_eq!((table.row(0)[0], table.schema().decimal), (1.308, None));
}

#[test]
fn commas_between_thousands() {
    for text in [
        "a,b\n\"1,234,567.8\",\"1,308\"\n2.5,283\n",
        "a\tb\n1,234,567.8\t1,308\n2.5\t283\n",
        "a;b\n1,234,567.8;1'308\n2.5;283\n",
    ] {
        let table = parse(text);
        assert_eq!(table.cells(), [1_234_567.8, 1308.0, 2.5, 283.0], "{text}");
        assert_eq!(table.schema().decimal, Some(DecimalMark::Point));
    }
    // Where commas separate cells, one within quotes is no decimal comma.
    let table = parse("a,b\n\"1,308\",1\n\"126,5\",2\n");
    assert_eq!(table.facts().columns[0].first_text.as_ref().unwrap().value, "126,5");
    assert_eq!(table.facts().columns[0].looks.numbers, 1);
}

#[test]
fn two_decimal_marks_are_an_error() {
    for (text, expected) in [
        (
            "a;b\n126,5;1\n1.5;2\n",
            "table: line 3: column `a`: `1.5` has a decimal point, but `126,5` in line 2 a decimal comma, expected one",
        ),
        (
            "a;b\n1.5;1\n2;126,5\n",
            "table: line 3: column `b`: `126,5` has a decimal comma, but `1.5` in line 2 a decimal point",
        ),
        (
            "a\tb\n1.5\t1\n2\t1.234.567\n",
            "table: line 3: column `b`: `1.234.567` has a point between thousands, but `1.5`",
        ),
    ] {
        let found = error(text);
        assert!(found.starts_with(expected), "{found}");
    }
    // A column of texts, or one that is left out, says nothing.
    parse("a;b\n126,5;1.5\n1,5;x\n");
    let (ignore, default) = (["b".to_owned()], TableOptions::default());
    let options = TableOptions { ignore: &ignore, ..default };
    Table::parse(b"a;b\n126,5;1.5\n1,5;2\n", &options).unwrap();
}

#[test]
fn what_nothing_decides() {
    for (text, cells, decimal) in [
        ("a\tb\n283\t1.308\n", &[283.0, 1.308][..], DecimalMark::Point),
        ("a\tb\n283\t1,308\n", &[283.0, 1.308], DecimalMark::Comma),
        ("a;b\n2.283;1,308\n", &[2283.0, 1.308], DecimalMark::Comma),
        ("a\tb\n2.283\t1,308\n", &[2.283, 1308.0], DecimalMark::Point),
    ] {
        let table = parse(text);
        assert_eq!(table.cells(), cells, "{text}");
        let undecided = table.facts().undecided.as_ref().unwrap();
        assert_eq!((undecided.decimal, undecided.place.line), (decimal, 2), "{text}");
    }
    for text in ["a,b\n1.308,2.308\n", "a;b\n1.308;0.308\n", "a;b\n1;2\n"] {
        assert_eq!(parse(text).facts().undecided, None, "{text}");
    }
}

#[test]
fn rows_are_read_as_those_before_them() {
    let table = parse("a;b\n126,5;283\n540.333;1.308\n");
    let (columns, decimal) = (&table.schema().columns, table.schema().decimal);
    assert_eq!(known("a;b\n540.333;1.308\n", columns, decimal).unwrap(), [540_333.0, 1308.0]);
    // A table that shows its own mark has that one.
    assert_eq!(known("a;b\n5.5;1.308\n", columns, decimal).unwrap(), [5.5, 1.308]);
    assert_eq!(known("a,b\n5.308,1.308\n", columns, decimal).unwrap(), [5.308, 1.308]);
    // Too late: a row may have its answer already.
    let found = known("a;b\n5;1.308\n5.5;1\n", columns, decimal).unwrap_err().to_string();
    let expected = "rows: line 3: column `a`: `5.5` has a decimal point, but `1.308` in line 2 a point between thousands";
    assert!(found.starts_with(expected), "{found}");
    let found = known("a;b\n5;1.308\n5,5;1\n", columns, None).unwrap_err().to_string();
    assert!(found.contains("`1.308` in line 2 a decimal point"), "{found}");
}

proptest! {
    /// Whatever a table is read as, each of its rows is read so alone, with what is known.
    #[test]
    fn a_row_alone_is_read_as_in_its_table(
        cells in vec(prop::sample::select(vec![
            "1", "283", "1.308", "1,308", "-12.345", "12,345", "126,5", "1.5", "0.125", "1.234.567",
            "1,234,567", "1.234,5", "1,234.5", "1'234", "",
        ]), 2..9),
        separator in prop::sample::select(vec![";", "\t", ","]),
    ) {
        let line = |cells: &[&str]| cells.iter().map(|cell| format!("\"{cell}\"")).collect::<Vec<_>>().join(separator);
        let rows: Vec<String> = cells.chunks_exact(2).map(line).collect();
        let head = line(&["a", "b"]);
        let text = format!("{head}\n{}\n", rows.join("\n"));
        let Ok(table) = Table::parse(text.as_bytes(), &TableOptions::default()) else { return Ok(()) };
        let (columns, decimal) = (&table.schema().columns, table.schema().decimal);
        for (index, row) in rows.iter().enumerate() {
            let found = known(&format!("{head}\n{row}\n"), columns, decimal).unwrap();
            let bits = |cells: &[f32]| cells.iter().map(|cell| cell.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&found), bits(table.row(index)), "{}", text);
        }
    }
}
