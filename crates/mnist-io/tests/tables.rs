//! Tables as programs write them.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use flate2::{Compression, write::GzEncoder};
use mnist_io::{
    Column, ColumnKind, DISTINCT, DecimalMark, Dialect, Error, Place, Rows, Schema, Table,
    TableOptions, Unknown, Wanted,
};
use proptest::collection::vec;
use proptest::prelude::*;

fn parse(text: impl AsRef<[u8]>) -> Table {
    Table::parse(text.as_ref(), &TableOptions::default()).unwrap_or_else(|e| panic!("{e}"))
}

fn names(schema: &Schema) -> Vec<&str> {
    schema.columns.iter().map(|column| &column.name[..]).collect()
}

fn number(name: &str) -> Column {
    Column::new(name, ColumnKind::Number)
}

fn category(name: &str, values: &[&str]) -> Column {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    Column::new(name, ColumnKind::Category { values })
}

/// Cells, with -9 for NaN.
fn cells(table: &Table) -> Vec<f32> {
    table.cells().iter().map(|cell| if cell.is_nan() { -9.0 } else { *cell }).collect()
}

/// What separates the cells, and whether there is a header.
fn dialect(table: &Table) -> (u8, bool) {
    let Dialect { separator, header, .. } = table.schema().dialect;
    (separator, header)
}

#[test]
fn as_pandas_writes() {
    // DataFrame.to_csv, with its index.
    let table = parse(",sepal length,species\n0,5.1,setosa\n1,,virginica\n2,6.3,setosa\n");
    assert_eq!(dialect(&table), (b',', true));
    assert_eq!(
        table.schema().columns,
        [number("column 1"), number("sepal length"), category("species", &["setosa", "virginica"])]
    );
    assert_eq!(cells(&table), [0.0, 5.1, 0.0, 1.0, -9.0, 1.0, 2.0, 6.3, 0.0]);
    assert_eq!(table.schema().row_numbers(table.facts()), Some(0));
    assert_eq!(table.facts().columns[0].counts_from, Some(0.0));
    let lengths = &table.facts().columns[1];
    assert_eq!((lengths.missing, lengths.range, lengths.whole), (1, Some((5.1, 6.3)), false));
    // Without the index, and an array's columns, which count.
    let table = parse("a,b\n0,1\n1,1\n");
    assert_eq!(table.schema().row_numbers(table.facts()), None);
    let table = parse("0,1,2,3\n5.5,1,2,3\n");
    assert_eq!((table.rows(), names(table.schema())), (1, vec!["0", "1", "2", "3"]));
    let table = parse(",0,1,2\n0,5.5,1,2\n1,7,1,2\n");
    assert_eq!(table.schema().row_numbers(table.facts()), Some(0));
    assert!(table.schema().dialect.header);
    // to_csv(sep="\t").
    let table = parse("\ta\tb\n0\t1.5\tx y\n1\t2.5\tz\n");
    assert_eq!(dialect(&table), (b'\t', true));
    assert_eq!(names(table.schema()), ["column 1", "a", "b"]);
}

#[test]
fn as_r_writes() {
    // write.csv quotes texts and numbers the rows from 1.
    let table = parse("\"\",\"x\",\"say \"\"hi\"\"\"\n\"1\",0.5,\"a, b\"\n\"2\",NA,\"c\"\n");
    assert_eq!(names(table.schema()), ["column 1", "x", "say \"hi\""]);
    assert_eq!(cells(&table), [1.0, 0.5, 0.0, 2.0, -9.0, 1.0]);
    assert_eq!(table.schema().columns[2], category("say \"hi\"", &["a, b", "c"]));
    assert_eq!(table.schema().row_numbers(table.facts()), Some(0));
    // write.csv2.
    let table = parse("\"a\";\"b\"\n1,5;2\n3;4,25\n");
    assert_eq!(dialect(&table), (b';', true));
    assert_eq!(table.schema().decimal, Some(DecimalMark::Comma));
    assert_eq!(cells(&table), [1.5, 2.0, 3.0, 4.25]);
}

#[test]
fn as_excel_writes() {
    // A byte-order mark, CRLF, semicolons and commas, an error value, a line break in a cell.
    let text = "\u{feff}Größe;Name\r\n1,5;\"eins\r\nzwei\"\r\n#N/A;drei\r\n";
    let table = parse(text);
    assert_eq!(dialect(&table), (b';', true));
    let values = ["drei", "eins\r\nzwei"];
    assert_eq!(table.schema().columns, [number("Größe"), category("Name", &values)]);
    assert_eq!(cells(&table), [1.5, 1.0, -9.0, 0.0]);
    // As Excel on an old Mac did.
    let table = parse("a,b\r1,2\r3,4\r");
    assert_eq!((cells(&table), names(table.schema())), (vec![1.0, 2.0, 3.0, 4.0], vec!["a", "b"]));
}

#[test]
fn as_the_uci_repository_has_them() {
    // No header, question marks, spaces after commas, empty lines at the end.
    let table = parse("39, State-gov, 77516, <=50K\n50, ?, 83311, >50K\n\n\n");
    assert_eq!(dialect(&table), (b',', false));
    let last = category("column 4", &["<=50K", ">50K"]);
    let second = category("column 2", &["State-gov"]);
    assert_eq!(table.schema().columns, [number("column 1"), second, number("column 3"), last]);
    assert_eq!(cells(&table), [39.0, 0.0, 77516.0, 0.0, 50.0, -9.0, 83311.0, 1.0]);
    // A table of texts alone, with names and without.
    let table = parse("p,x,s,x\ne,x,s,y\np,b,y,x\n");
    assert_eq!((table.rows(), table.schema().dialect.header), (3, false));
    let table = parse("class,cap,surface,colour\ne,x,s,y\np,b,y,x\n");
    assert_eq!((table.rows(), table.schema().dialect.header), (2, true));
    // XOR.
    let table = parse("0,0,0\n0,1,1\n1,0,1\n1,1,0\n");
    assert_eq!((table.rows(), table.schema().dialect.header), (4, false));
    // One column.
    let table = parse("x\n1\n\n\"\"\n2\n");
    assert_eq!((cells(&table), names(table.schema())), (vec![1.0, -9.0, 2.0], vec!["x"]));
    // Bars, and spaces before quotes.
    let table = parse("a|b\n1| \"x|y\"\n2|z\n".replace("x|y", "xy"));
    assert_eq!(table.schema().columns[1], category("b", &["xy", "z"]));
}

#[test]
fn separators() {
    for (text, separator, header) in [
        ("1,5;2,5\n3,5;4,5\n", b';', false),
        ("a;b\n1,5;x, y\n", b';', true),
        ("a,b\n\"x; y\",1\nz,2\n", b',', true),
        ("a,b\nx; y,1\nz,2\n", b',', true),
        ("a|b|c\n1|2|3\n", b'|', true),
        ("1\t2\n", b'\t', false),
        ("x\n1\n", b',', true),
        ("1\n2\n", b',', false),
    ] {
        assert_eq!(dialect(&parse(text)), (separator, header), "{text}");
    }
    // As a first line says it, which Excel takes for that and shows to nobody.
    for (text, separator) in [
        ("sep=;\na,b;c\n1;2\n3;4\n", b';'),
        ("\u{feff}SEP=:\r\na:b\r\n1:2\r\n3:4\r\n", b':'),
        ("sep=,\ra,b\r1,2\r3,4\r", b','),
        ("sep=\t\n\na\tb\n1\t2\n3\t4", b'\t'),
    ] {
        let table = parse(text);
        assert_eq!(dialect(&table), (separator, true), "{text}");
        assert_eq!(cells(&table), [1.0, 2.0, 3.0, 4.0], "{text}");
    }
    for (text, columns) in [("sep=;;\n1;2;3\n", 3), ("sep=\n1\n2\n", 1), ("sep=;x\n1;2\n", 2)] {
        assert_eq!(names(parse(text).schema())[0], "sep=", "{text}");
        assert_eq!(parse(text).schema().columns.len(), columns, "{text}");
    }
    let options = TableOptions { separator: Some(b'|'), ..Default::default() };
    assert_eq!(names(Table::parse(b"sep=;\na|b;\n1|2\n", &options).unwrap().schema()), ["a", "b;"]);
    // What is said is not looked for.
    let options = TableOptions { separator: Some(b':'), header: Some(true), ..Default::default() };
    let table = Table::parse(b"1:2\n3:4\n", &options).unwrap();
    assert_eq!(names(table.schema()), ["1", "2"]);
    let options = TableOptions { header: Some(false), ..Default::default() };
    let table = Table::parse(b"a,b\n3,4\n", &options).unwrap();
    assert_eq!(table.rows(), 2);
}

#[test]
fn kinds_of_columns() {
    // Text that the first rows do not show: the table is read again.
    let mut text = "x,y,z\n".to_owned();
    for row in 0..3000 {
        let (y, z) = (if row == 2500 { "many" } else { "1" }, row % 3);
        text += &format!("{row},{y},{z}\n");
    }
    let table = parse(&text);
    assert_eq!(table.schema().columns, [number("x"), category("y", &["1", "many"]), number("z")]);
    assert_eq!(table.row(2499), [2499.0, 0.0, 0.0]);
    assert_eq!(table.row(2500), [2500.0, 1.0, 1.0]);
    let facts = &table.facts().columns;
    let place = |place: &Place| (place.line, place.value.clone());
    assert_eq!(facts[1].first_text.as_ref().map(place), Some((2502, "many".into())));
    assert_eq!((facts[0].distinct, facts[1].distinct, facts[2].distinct), (DISTINCT, 2, 3));
    // Numbers that are said to be categories, whichever way they are written.
    let categorical = ["z".to_owned()];
    let options = TableOptions { categorical: &categorical, ..Default::default() };
    let table = Table::parse(text.replace(",2\n", ",2.0\n").as_bytes(), &options).unwrap();
    assert_eq!(table.schema().columns[2], category("z", &["0", "1", "2.0"]));
    // Texts of which there are too many.
    let rows = |texts: usize, of: usize| {
        let row = |row: usize| format!("{},t{}\n", row, row % texts);
        "x,y\n".to_owned() + &(0..of).map(row).collect::<String>()
    };
    for (texts, of, category) in
        [(1000, 2000, true), (1001, 2100, false), (51, 102, true), (51, 101, false), (50, 50, true)]
    {
        let table = parse(rows(texts, of));
        let kind = &table.schema().columns[1].kind;
        assert_eq!(*kind != ColumnKind::Text, category, "{texts} of {of}");
        assert_eq!(table.facts().columns[1].distinct, texts);
        assert_eq!(table.row(1)[1].is_nan(), !category);
    }
    // true and false, yes and no, dates.
    let table = parse("a,b,c\ntrue,no,2024-01-02\nfalse,yes,2024-01-01\n");
    assert_eq!(cells(&table), [1.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
    // Nothing at all.
    let table = parse("a,b\n,1\nNA,2\n");
    assert_eq!(table.schema().columns[0], number("a"));
    assert_eq!((table.facts().columns[0].missing, table.facts().columns[0].range), (2, None));
    // inf among texts is a text.
    assert_eq!(parse("a,b\ninf,1\nx,2\n").schema().columns[0], category("a", &["inf", "x"]));
    // What is ignored can be anything.
    let ignore = ["a".to_owned()];
    let options = TableOptions { ignore: &ignore, ..Default::default() };
    let table = Table::parse(b"a,b\ninf,1\n\xff,2\n", &options).unwrap();
    assert_eq!((names(table.schema()), table.cells()), (vec!["b"], &[1.0, 2.0][..]));
}

/// The order of the rows changes no value.
#[test]
fn the_order_of_rows_does_not_matter() {
    let one = parse("x,y\nb,1\na,2\nc,3\n");
    let other = parse("x,y\nc,3\nb,1\na,2\n");
    assert_eq!(one.schema(), other.schema());
    assert_eq!(one.row(0), other.row(1));
}

#[test]
fn compressed() {
    let text = "a,b\n1,x\n2,y\n";
    let gzip = |text: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let members = [gzip("a,b\n1,"), gzip("x\n2,y\n")].concat();
    let padded = [gzip(text), vec![0; 512]].concat();
    for bytes in [gzip(text), members, padded] {
        assert!(parse(&bytes) == parse(text));
    }
    // Every prefix of it, and what does not belong to it.
    let whole = gzip(text);
    let prefixes = (1..whole.len()).map(|len| whole[..len].to_vec());
    for bytes in prefixes.chain([[&whole[..], b"\n"].concat()]) {
        let error = Table::parse(&bytes, &TableOptions::default()).unwrap_err().to_string();
        assert!(error.contains("damaged gzip data") || bytes.len() == 1, "{error}");
    }
}

fn rows_of<'a>(
    text: &'a [u8],
    columns: &[Column],
    optional: &[String],
) -> Result<Rows<&'a [u8]>, Error> {
    let wanted = Wanted { columns, optional };
    Rows::new(text, Path::new("stdin"), wanted, &TableOptions::default())
}

fn all<R: Read>(mut rows: Rows<R>) -> (Vec<f32>, Rows<R>) {
    let mut cells = Vec::new();
    while rows.next_batch(2, &mut cells).unwrap_or_else(|e| panic!("{e}")) == 2 {}
    (cells.iter().map(|cell| if cell.is_nan() { -9.0 } else { *cell }).collect(), rows)
}

#[test]
fn known_columns() {
    let columns = [number("x"), category("c", &["blue", "red"]), number("y")];
    let optional = ["y".to_owned()];
    for text in [
        "x,c,y\n1,red,3\n2,green,\n?,NA,5\n",
        // In any order, with others, in another dialect.
        "y;id;c;x\n3,0;é;red;1,0\n;b;green;2,0\n5;c;;\n",
        "\tc\ty\tx\n0\tred\t3\t1\n1\tgreen\t\t2\n2\t\t5\t\n",
        // Another separator in a name that is not wanted.
        "a;b,x,c,y\n0,1,red,3\n0;0,2,green,\n0,?,NA,5\n",
        // With the line that is for Excel.
        "sep=|\nx,|c|y|x\n0|red|3|1\n0|green||2\n0||5|\n",
        // By position.
        "1,red,3\n2,green,\n,,5\n",
        "{\"x\": 1, \"c\": \"red\", \"y\": 3}\n\n {\"x\": 2.0, \"c\": \"green\"}\r\n{\"y\": \"5\", \"c\": null}",
    ] {
        let (cells, rows) = all(rows_of(text.as_bytes(), &columns, &optional).unwrap());
        assert_eq!(cells, [1.0, 1.0, 3.0, 2.0, -9.0, -9.0, -9.0, -9.0, 5.0], "{text}");
        assert!((0..3).all(|position| rows.is_present(position)));
        let facts = rows.facts();
        assert_eq!((facts.rows, facts.columns[0].missing, facts.columns[1].missing), (3, 1, 1));
        let unknown = facts.columns[1].unknown.as_ref().unwrap();
        assert_eq!((unknown.count, &unknown.first.value[..]), (1, "green"));
    }
    // Without the column that may be absent.
    for text in
        ["c,x\nred,1\nblue,2\n", "1,red\n2,blue\n", "a,1\nred,1\n".replace("a,1", "c,x").as_str()]
    {
        let (cells, rows) = all(rows_of(text.as_bytes(), &columns, &optional).unwrap());
        assert_eq!(cells[..3], [1.0, 1.0, -9.0], "{text}");
        assert!(!rows.is_present(2));
    }
    let text = b"{\"x\": 1, \"c\": \"red\"}\n";
    assert!(!rows_of(text, &columns, &optional).unwrap().is_present(2));
    // Columns that had no names.
    let nameless = [number("column 1"), category("column 2", &["0", "1"])];
    for text in ["1.5,1\n2,0.0\n", "a,b\n1.5,1\n2,0\n"] {
        assert_eq!(all(rows_of(text.as_bytes(), &nameless, &[]).unwrap()).0, [1.5, 1.0, 2.0, 0.0]);
    }
}

#[test]
fn unknown_values_are_counted() {
    let columns = [category("c", &["a", "b"])];
    let (cells, rows) = all(rows_of(b"c\na\n\nx\nB\nb\n", &columns, &[]).unwrap());
    assert_eq!(cells, [0.0, -9.0, -9.0, 1.0]);
    let facts = rows.facts();
    let Unknown { count, first, .. } = facts.columns[0].unknown.as_ref().unwrap();
    assert_eq!((*count, first.line, &first.value[..]), (2, 4, "x"));
    assert_eq!(rows.facts().columns[0].distinct, 2);
}

#[test]
fn a_test_set_is_read_as_its_training_set() {
    let dir = tempfile::tempdir().unwrap();
    let [train, test] = ["train.csv", "test.csv"].map(|name| dir.path().join(name));
    fs::write(&train, "x,c\n1,b\n2,a\n").unwrap();
    fs::write(&test, "c,x\nc,1\nb,2\n").unwrap();
    let options = TableOptions::default();
    let train = Table::read(&train, &options).unwrap();
    let columns = &train.schema().columns;
    let wanted = Wanted { columns, optional: &[] };
    let table = Table::read_with(&test, wanted, &options).unwrap();
    assert_eq!(cells(&table), [1.0, -9.0, 2.0, 1.0]);
    assert_eq!((table.rows(), &table.schema().columns), (2, columns));
    let (schema, facts) = Schema::infer(&test, &options).unwrap();
    assert_eq!((names(&schema), facts.rows), (vec!["c", "x"], 2));
}

/// A value of a table that is to be written.
#[derive(Clone, Debug)]
enum Value {
    Missing,
    Number(f32),
}

fn written(rows: &[Vec<Value>], separator: char, end: &str, quotes: bool, comma: bool) -> String {
    let quote = |text: String| {
        if quotes || text.contains([separator, '\n', '"']) { format!("\"{text}\"") } else { text }
    };
    let cell = |value: &Value| match value {
        Value::Missing => quote(String::new()),
        Value::Number(number) if comma => quote(number.to_string().replace('.', ",")),
        Value::Number(number) => quote(number.to_string()),
    };
    let line = |cells: Vec<String>| cells.join(&separator.to_string()) + end;
    let header = (0..rows[0].len()).map(|index| quote(format!("name {index}"))).collect();
    line(header) + &rows.iter().map(|row| line(row.iter().map(cell).collect())).collect::<String>()
}

proptest! {
    /// What a plain writer writes is read back.
    #[test]
    fn numbers_are_read_back(
        width in 1..6_usize,
        values in vec(prop_oneof![
            1 => Just(Value::Missing),
            5 => (-1e9..1e9_f32).prop_map(Value::Number),
            2 => (-9..9_i32).prop_map(|value| Value::Number(value as f32)),
            1 => (-1e-30..1e-30_f32).prop_map(Value::Number),
        ], 1..60),
        separator in prop::sample::select(vec![',', ';', '\t', '|']),
        end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
        quotes in any::<bool>(),
        comma in any::<bool>(),
    ) {
        let rows: Vec<_> = values.chunks_exact(width).map(<[Value]>::to_vec).collect();
        prop_assume!(!rows.is_empty());
        // One column without a separator cannot tell that its commas are no separators,
        // and an empty line is no row.
        prop_assume!(width > 1 || quotes);
        let comma = comma && separator != ',' && width > 1;
        let text = written(&rows, separator, end, quotes, comma);
        let options = TableOptions { header: Some(true), ..Default::default() };
        let table = Table::parse(text.as_bytes(), &options);
        let table = table.map_err(|error| TestCaseError::fail(format!("{error}: {text}")))?;
        prop_assert_eq!(table.rows(), rows.len());
        for (found, expected) in table.cells().iter().zip(rows.iter().flatten()) {
            match expected {
                Value::Missing => prop_assert!(found.is_nan()),
                Value::Number(expected) => prop_assert_eq!(found, expected, "{}", text),
            }
        }
        // The same by its columns.
        let columns = &table.schema().columns;
        let wanted = Wanted { columns, optional: &[] };
        let mut cells = Vec::new();
        let mut known = Rows::new(text.as_bytes(), Path::new("text"), wanted, &TableOptions::default()).unwrap();
        prop_assert_eq!(known.next_batch(usize::MAX, &mut cells).unwrap(), rows.len());
        let bits = |cells: &[f32]| cells.iter().map(|cell| cell.to_bits()).collect::<Vec<_>>();
        prop_assert_eq!(bits(&cells), bits(table.cells()));
    }

    /// Texts of any characters: each cell has the index of its text.
    #[test]
    fn texts_are_read_back(texts in vec("[a-z\",;\n é]{0,4}[a-z]", 2..40)) {
        let rows = texts.iter().map(|text| format!("\"{}\",1\n", text.replace('"', "\"\"")));
        let text = "text,number\n".to_owned() + &rows.collect::<String>();
        let table = parse(&text);
        prop_assert_eq!(table.rows(), texts.len());
        let ColumnKind::Category { values } = &table.schema().columns[0].kind else {
            return Err(TestCaseError::fail("no category"));
        };
        for (index, text) in texts.iter().enumerate() {
            if ["na", "nan", "null", "none"].contains(&text.trim()) {
                prop_assert!(table.row(index)[0].is_nan());
            } else {
                prop_assert_eq!(&values[table.row(index)[0] as usize], text.trim());
            }
        }
    }

    /// Any bytes are a table, or an error of one line.
    #[test]
    fn any_bytes(
        pieces in vec(prop_oneof![
            6 => prop::sample::select(vec![
                &b","[..], b";", b"\n", b"\r\n", b"\"", b"1", b"2,5", b"x", b"inf", b"NA", b"{", b"}",
                b"\"x\":", b"1e99", b"\x1f\x8b", b"\0", b"\xff", b" ", b"a,b\n",
            ]).prop_map(<[u8]>::to_vec),
            1 => vec(any::<u8>(), 0..9),
        ], 0..30),
        header in any::<Option<bool>>(),
    ) {
        let bytes = pieces.concat();
        let options = TableOptions { header, ..Default::default() };
        let message = |error: Error| {
            let text = error.to_string();
            assert!(text.starts_with("table: ") && !text.contains('\n'), "{text}");
        };
        match Table::parse(&bytes, &options) {
            Ok(table) => {
                let width = table.schema().columns.len();
                prop_assert_eq!(table.cells().len(), table.rows() * width);
                prop_assert!(table.rows() > 0);
                for row in table.cells().chunks_exact(width) {
                    for (cell, column) in row.iter().zip(&table.schema().columns) {
                        match &column.kind {
                            ColumnKind::Category { values } => prop_assert!(
                                cell.is_nan() || (*cell as usize) < values.len()
                            ),
                            ColumnKind::Number => prop_assert!(!cell.is_infinite()),
                            _ => prop_assert!(cell.is_nan()),
                        }
                    }
                }
            }
            Err(error) => message(error),
        }
        let columns = [number("a"), category("b", &["x", "1"])];
        let wanted = Wanted { columns: &columns, optional: &[] };
        match Rows::new(&bytes[..], Path::new("table"), wanted, &options) {
            Ok(mut rows) => {
                let mut cells = Vec::new();
                match rows.next_batch(usize::MAX, &mut cells) {
                    Ok(count) => prop_assert_eq!(cells.len(), 2 * count),
                    Err(error) => message(error),
                }
            }
            Err(error) => message(error),
        }
    }
}
