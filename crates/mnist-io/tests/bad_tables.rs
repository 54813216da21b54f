//! Tables that cannot be read. Each row says what is wrong, and the words that tell the
//! user so.

use std::fs;
use std::path::Path;

use mnist_io::{Column, ColumnKind, Error, Rows, Table, TableOptions, Wanted};

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// The error has the file written as `FILE`.
fn result(bytes: &[u8], options: &TableOptions<'_>) -> Result<Table, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.csv");
    fs::write(&path, bytes).unwrap();
    let table = Table::read(&path, options);
    let parsed = Table::parse(bytes, options);
    let text = |error: Error, name: &str| {
        let text = error.to_string();
        assert!(!text.contains('\n'), "{text}");
        text.strip_prefix(name).unwrap_or_else(|| panic!("{text}")).to_owned()
    };
    let [table, parsed] = [(table, path.to_str().unwrap()), (parsed, "table")]
        .map(|(result, name)| result.map_err(|error| format!("FILE{}", text(error, name))));
    assert_eq!(table.as_ref().err(), parsed.as_ref().err());
    table
}

#[test]
fn tables_that_are_none() {
    let many = "x".to_owned() + &",".repeat(100_000);
    let workbook = [&b"PK\x03\x04\x14\0\x06\0\x08\0\0\0"[..], &[0; 40]].concat();
    let png = [&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], &[0; 40]].concat();
    for (what, bytes, words) in [
        // Something else.
        (
            "an empty file",
            &b""[..],
            ": found an empty file, expected a table with a line for each sample",
        ),
        ("empty lines", b"\n\r\n \n\n", ": found an empty file"),
        ("a mark alone", b"\xef\xbb\xbf", ": found an empty file"),
        (
            "a header alone",
            b"a,b\n",
            ": line 1: found a header of 2 columns and no row, expected a row for each sample; if the first line is no header, say so",
        ),
        (
            "a workbook",
            &workbook,
            ": found a zip archive, expected a table of text (CSV or TSV); unpack it first; if it is an Excel workbook, save it as CSV",
        ),
        (
            "an old workbook",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\0\0",
            ": found bytes that are no text",
        ),
        (
            "an image",
            &png,
            ": found a PNG image, expected a table of text (CSV or TSV); put pictures into a folder for each class, and pass the folder above",
        ),
        ("Parquet", b"PAR1\x15\x04", ": found a Parquet file"),
        (
            "a page",
            b"\n<!DOCTYPE html><html>",
            ": found a web page, expected a table of text (CSV or TSV); the download failed: fetch",
        ),
        (
            "a pointer",
            b"version https://git-lfs.github.com/spec/v1\noid sha",
            ": found a Git LFS pointer",
        ),
        (
            "UTF-16",
            b"\xff\xfea\0,\0b\0\n\0",
            ": found UTF-16 text, expected a table of text (CSV or TSV); save it as UTF-8, or convert it: iconv -f UTF-16 -t UTF-8",
        ),
        ("UTF-16 of the other order", b"\xfe\xff\0a\0,", ": found UTF-16 text"),
        ("UTF-16 without a mark", b"a\0,\0b\0\n\0", ": found UTF-16 text"),
        ("gzip cut short", b"\x1f\x8b\x08\0\0\0\0\0\0\0\x4b", ": line 1: found damaged gzip data"),
        // Text that is not UTF-8.
        (
            "Latin-1 in a cell",
            b"a,b\n1,x\n2,Gr\xf6\xdfe\n",
            ": line 3: column 2: found bytes that are not UTF-8 (`Gr\u{fffd}\u{fffd}e`), expected UTF-8; save the file as UTF-8, or convert it: iconv -f WINDOWS-1252 -t UTF-8",
        ),
        (
            "Latin-1 in a name",
            b"\nGr\xf6\xdfe,b\n1,2\n",
            ": line 2: column 1: found bytes that are not UTF-8",
        ),
        // Rows.
        (
            "a short row",
            b"a,b,c\n1,2,3\n\n1,2\n",
            ": line 4: found 2 cells, expected 3, as in the first row; write a separator",
        ),
        (
            "a short row after the line for Excel",
            b"sep=;\na;b\n1\n",
            ": line 3: found 1 cells, expected 2, as in the first row",
        ),
        ("nothing after the line for Excel", b"sep=;", ": found an empty file"),
        (
            "a quote that stays open after it",
            b"sep=;\n\"a;b\n",
            ": line 2: found a quote that is never closed",
        ),
        ("a long row", b"a,b\n1,2\n1,2,3\n", ": line 3: found 3 cells, expected 2"),
        (
            "row names as R's write.table has them",
            b"a,b\n1,2,3\n2,4,5\n",
            ": line 2: found 3 cells, expected 2, as in the first row; if the first column has the names of the rows, give it a name in the header too",
        ),
        (
            "a quote that stays open",
            b"a,b\n1,x\n\"2,y\n3,z\n4,w\n",
            ": line 3: found a quote that is never closed, expected another before the end of the file; close it, or write a quote within a cell twice",
        ),
        (
            "the same in the last cell",
            b"a,b\n1,x\n2,\"y\n3,z\n",
            ": line 3: found a quote that is never closed",
        ),
        (
            "too many columns",
            many.as_bytes(),
            ": line 1: found 100001 columns, expected 100000 at the most",
        ),
        // Names.
        (
            "one name twice",
            b"a,b,a\n1,2,3\n",
            ": line 1: found the name `a` for columns 1 and 3, expected a name of its own for each column; rename one of them",
        ),
        (
            "a name of the form of none",
            b"column 2,,b\n1,2,3\n",
            ": line 1: found the name `column 2` for columns 1 and 2",
        ),
        ("a name of two lines", b"\"a\nb\",\"a\nb\"\n1,2\n", "found the name `a\\nb` for columns"),
        // Cells.
        (
            "inf",
            b"a,b\n1,2\n1,inf\n",
            ": line 3: column `b`: found `inf`, expected a finite number of at most 3.4e38; replace it, or leave the cell empty",
        ),
        ("-Infinity", b"a,b\n1,2\n-Infinity,3\n", ": line 3: column `a`: found `-Infinity`"),
        ("more than f32 holds", b"a,b\n1,1e39\n", ": line 2: column `b`: found `1e39`"),
    ] {
        let text = result(bytes, &TableOptions::default()).expect_err(what);
        assert!(text.contains(words), "{what}: {text}");
    }
}

#[test]
fn options_that_do_not_fit() {
    let text = b"age,name\n1,x\n2,y\n3,1\n";
    let of = |text: &str| strings(&[text]);
    let (name, typo, other) = (of("name"), of("nmae"), of("price"));
    let default = TableOptions::default();
    for (options, words) in [
        (
            TableOptions { numeric: &name, ..default },
            "FILE: line 2: column `name`: found `x`, expected a number, or nothing",
        ),
        (
            TableOptions { ignore: &other, ..default },
            "FILE: found no column `price`; the columns are `age`, `name`",
        ),
        (
            TableOptions { categorical: &of("names"), ..default },
            "FILE: found no column `names`; did you mean `name`?",
        ),
        (TableOptions { numeric: &typo, ..default }, "FILE: found no column `nmae`"),
        (
            TableOptions { separator: Some(b'"'), ..default },
            "FILE: found separator '\"', expected a character of ASCII",
        ),
        (TableOptions { separator: Some(b'\n'), ..default }, "FILE: found separator '\\n'"),
        (TableOptions { separator: Some(0xe9), ..default }, "FILE: found separator 'é'"),
    ] {
        let error = result(text, &options).unwrap_err();
        assert!(error.starts_with(words), "{error}");
    }
    let many =
        "id,x\n".to_owned() + &(0..70_000).map(|row| format!("n{row},1\n")).collect::<String>();
    let id = of("id");
    let options = TableOptions { categorical: &id, ..default };
    let error = result(many.as_bytes(), &options).unwrap_err();
    assert_eq!(
        error,
        "FILE: column `id`: found more than 65536 different values, expected no more in a category"
    );
    assert!(result(many.as_bytes(), &default).is_ok());
}

#[test]
fn columns_that_are_not_those_that_are_wanted() {
    let columns = [
        Column::new("sepal length", ColumnKind::Number),
        Column::new("colour", ColumnKind::Category { values: strings(&["blue", "red"]) }),
        Column::new("y", ColumnKind::Number),
    ];
    let optional = strings(&["y"]);
    let wanted = Wanted { columns: &columns, optional: &optional };
    let read = |text: &str| -> Result<usize, Error> {
        let options = TableOptions::default();
        let mut rows = Rows::new(text.as_bytes(), Path::new("stdin"), wanted, &options)?;
        rows.next_batch(usize::MAX, &mut Vec::new())
    };
    for (what, text, words) in [
        ("nothing", "", "stdin: found an empty file"),
        (
            "other names",
            "sepal_length,id,color\n1,2,3\n",
            "stdin: line 1: found no column `sepal length` (did you mean `sepal_length`?), `colour` (did you mean `color`?); the columns are `sepal_length`, `id`, `color`",
        ),
        (
            "a name that is missing",
            "\nsepal length,x\n1,2\n",
            "stdin: line 2: found no column `colour`; the columns are `sepal length`, `x`",
        ),
        (
            "names, and as many",
            "a,b,c\n1,red,2\n",
            "stdin: line 1: found no column `sepal length`, `colour`; the columns are `a`, `b`, `c`",
        ),
        (
            "too many cells",
            "1,red,2,3\n",
            "stdin: line 1: found 4 cells and no header, expected 3 (or 2): `sepal length`, `colour`, `y`; write the columns in this order, or a header with these names",
        ),
        (
            "a text for a number",
            "colour,sepal length\nred,1\nred,x\n",
            "stdin: line 3: column `sepal length`: found `x`, expected a number, or nothing",
        ),
        (
            "inf",
            "colour,sepal length\nred,inf\n",
            "stdin: line 2: column `sepal length`: found `inf`, expected a finite number",
        ),
        (
            "points and commas",
            "sepal length;colour\n1,5;red\n1.5;red\n",
            "stdin: line 3: column `sepal length`: `1.5` has a decimal point, but `1,5` in line 2 a decimal comma, expected one decimal mark",
        ),
        (
            "a quote that stays open",
            "\n\n\"sepal length,colour\n1,red\n",
            "stdin: line 3: found a quote that is never closed",
        ),
        (
            "a short row",
            "sepal length,colour\n1,red\n1\n",
            "stdin: line 3: found 1 cells, expected 2",
        ),
        (
            "JSON without a column",
            "{\"sepal length\": 1, \"color\": \"red\"}",
            "stdin: line 1: found no column `colour` (did you mean `color`?); the columns are `color`, `sepal length`",
        ),
        (
            "JSON that is none",
            "{\"sepal length\": 1, \"colour\": \"red\"}\n{\"sepal\n",
            "stdin: line 2: found what is no JSON: ",
        ),
        (
            "JSON of two values",
            "{\"sepal length\": 1, \"colour\": \"red\"}{}\n",
            "stdin: line 1: found what is no JSON: trailing characters at byte",
        ),
        (
            "a list",
            "{\"sepal length\": 1, \"colour\": \"red\"}\n[1, 2]\n",
            "stdin: line 2: found `[1, 2]`, expected a JSON object with a value for each column, such as {\"x\": 1.5}",
        ),
        (
            "an object of nothing",
            "{}\n",
            "stdin: line 1: found an object without a value, expected a JSON object with a value for each column, such as {\"x\": 1.5}",
        ),
        (
            "an object of nothing later",
            "{\"sepal length\": 1, \"colour\": \"red\"}\n{ }\n",
            "stdin: line 2: found an object without a value",
        ),
        (
            "a key twice",
            "{\"sepal length\": 1, \"colour\": \"red\", \"sepal length\": 1}\n",
            "stdin: line 1: found two values for `sepal length`, expected a JSON object",
        ),
        (
            "a key twice that is not wanted",
            "{\"sepal length\": 1, \"colour\": \"red\"}\n{\"a at line b\": 1, \"a at line b\": [2]}\n",
            "stdin: line 2: found two values for `a at line b`, expected a JSON object",
        ),
        (
            "a key twice in what is no JSON",
            "{\"a\": 1, \"a\": 2, ",
            "stdin: line 1: found what is no JSON: EOF while parsing a value at byte 17 of the line",
        ),
        (
            "a list within",
            "{\"sepal length\": [1], \"colour\": \"red\"}\n",
            "stdin: line 1: found a list or an object for column `sepal length`",
        ),
        (
            "a text in JSON",
            "{\"sepal length\": \"x\", \"colour\": \"red\"}\n",
            "stdin: line 1: column `sepal length`: found `x`",
        ),
    ] {
        let error = read(text).expect_err(what).to_string();
        assert!(error.starts_with(words) && !error.contains('\n'), "{what}: {error}");
    }
}

/// A message does not list thousands of names, and does not take long to find.
#[test]
fn many_columns_that_are_missing() {
    let column = |index: usize| Column::new(format!("gene {index}"), ColumnKind::Number);
    let columns: Vec<_> = (0..50_000).map(column).collect();
    let header: String = (0..50_000).map(|index| format!("probe {index},")).collect();
    let wanted = Wanted { columns: &columns, optional: &[] };
    let text = header + "x\n";
    let options = TableOptions::default();
    let error = Rows::new(text.as_bytes(), Path::new("stdin"), wanted, &options).err().unwrap();
    let error = error.to_string();
    assert!(error.contains("`gene 11` and 49988 more; the columns are `probe 0`, "), "{error}");
    assert!(error.ends_with("`probe 11` and 49989 more"), "{error}");
}

#[test]
fn files_that_are_none() {
    let dir = tempfile::tempdir().unwrap();
    let options = TableOptions::default();
    let error = Table::read(dir.path(), &options).unwrap_err();
    assert!(matches!(error, Error::NotAFile { .. }));
    let error = Table::read(&dir.path().join("none"), &options).unwrap_err();
    assert!(matches!(error, Error::Open { .. }));
    let wanted = Wanted { columns: &[], optional: &[] };
    assert!(matches!(Rows::open(dir.path(), wanted, &options), Err(Error::NotAFile { .. })));
}
