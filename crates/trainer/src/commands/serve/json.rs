//! The JSON of a request, in memory of which each byte of text needs a few: a tree of any values
//! would need a hundred.

use std::fmt;

use serde::de::{
    Deserialize, DeserializeOwned, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess,
    Unexpected, Visitor,
};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::predict::MOST_ROWS;

/// What a body of JSON may be.
const BODY: &str = r#"{"pixels":[…]}, {"rows":[…]} or a list of rows"#;

/// What each of several lines may be.
const ROW: &str = "a row, which is an object or a list";

/// Characters of a text that an error shows.
const SHOWN: usize = 40;

/// Reads a body.
pub(super) fn body(text: &[u8]) -> Result<Body, String> {
    serde_json::from_slice(text).map_err(|error| message(&error, BODY))
}

/// Reads rows of JSON, one after another.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = Result<Row, String>> {
    fn values<T: DeserializeOwned>(text: &[u8]) -> impl Iterator<Item = serde_json::Result<T>> {
        serde_json::Deserializer::from_slice(text).into_iter()
    }
    values(text).map(|row| row.map_err(|error| message(&error, ROW)))
}

/// What was read as JSON again.
pub(super) fn written(read: &impl Serialize) -> String {
    // Numbers of JSON are finite, and keys are texts.
    serde_json::to_string(read).unwrap_or_default()
}

/// An error of the reader in the words of the others: what was found, where, and what was
/// expected.
fn message(error: &serde_json::Error, expected: &str) -> String {
    use serde_json::error::Category;
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(&*text, |(text, _)| text);
    let at = format!("at line {}, byte {}", error.line(), error.column());
    match error.classify() {
        Category::Eof => format!("found the end of the body {at}: expected {expected}"),
        // What a visitor of this file says.
        Category::Data => {
            let of_type = text.strip_prefix("invalid type: ");
            let of_value = of_type.or_else(|| text.strip_prefix("invalid value: "));
            match of_value.and_then(|text| text.rsplit_once(", expected ")) {
                Some((found, expected)) => {
                    format!("found {} {at}: expected {expected}", value(found))
                }
                None => format!("{text}, {at}"),
            }
        }
        Category::Syntax | Category::Io => {
            format!("found what is no JSON {at} ({text}): expected {expected}")
        }
    }
}

/// A value as serde names it, in the words of JSON.
fn value(found: &str) -> String {
    let found = match found {
        "map" => "an object",
        "sequence" => "a list",
        found => found,
    };
    let mut text = found.to_owned();
    for (from, to) in [
        ("integer `", "the number `"),
        ("floating point `", "the number `"),
        ("boolean `", "the value `"),
        ("string ", "the text "),
    ] {
        if let Some(rest) = found.strip_prefix(from) {
            text = to.to_owned() + rest;
        }
    }
    cut(&text)
}

/// The beginning of a long text.
fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => text[..end].to_owned() + "…",
        None => text.to_owned(),
    }
}

/// What a request has.
#[derive(Debug, PartialEq)]
pub(super) enum Body {
    Rows(Rows),
    Pixels(Vec<u8>),
}

/// Rows, of which no more are kept than are answered.
#[derive(Debug, PartialEq)]
pub(super) struct Rows {
    pub(super) rows: Vec<Row>,
    /// The number of all.
    pub(super) count: usize,
}

#[derive(Debug, PartialEq)]
pub(super) enum Row {
    /// In the order of the columns.
    Cells(Vec<Cell>),
    Named(Vec<(String, Cell)>),
}

#[derive(Debug, PartialEq, serde::Serialize)]
#[serde(untagged)]
pub(super) enum Cell {
    Missing(()),
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Real(f64),
    Text(String),
}

impl Cell {
    pub(super) fn number(&self) -> Option<f64> {
        match *self {
            Self::Unsigned(value) => Some(value as f64),
            Self::Signed(value) => Some(value as f64),
            Self::Real(value) => Some(value),
            Self::Missing(()) | Self::Bool(_) | Self::Text(_) => None,
        }
    }
}

/// A row as an object, with these names for cells that have none of their own.
pub(super) struct Named<'a> {
    pub(super) row: &'a Row,
    pub(super) names: &'a [nn::Column],
}

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.row {
            Row::Named(cells) => {
                // Not as a map of Rust: a key that is there twice stays so.
                let mut map = serializer.serialize_map(Some(cells.len()))?;
                cells.iter().try_for_each(|(name, cell)| map.serialize_entry(name, cell))?;
                map.end()
            }
            Row::Cells(cells) => {
                let names = self.names.iter().map(|column| &column.name);
                serializer.collect_map(names.zip(cells))
            }
        }
    }
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Cells(cells) => cells.serialize(serializer),
            Self::Named(_) => Named { row: self, names: &[] }.serialize(serializer),
        }
    }
}

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match self {
            Self::Rows(Rows { rows, .. }) => map.serialize_entry("rows", rows)?,
            Self::Pixels(pixels) => map.serialize_entry("pixels", pixels)?,
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfBody;
        impl<'de> Visitor<'de> for OfBody {
            type Value = Body;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(BODY)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, rows: A) -> Result<Body, A::Error> {
                OfRows.visit_seq(rows).map(Body::Rows)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Body, A::Error> {
                let key: Option<String> = map.next_key()?;
                let body = match key.as_deref() {
                    Some("rows") => Body::Rows(map.next_value()?),
                    Some("pixels") => Body::Pixels(map.next_value::<Pixels>()?.0),
                    key => {
                        let found = key
                            .map_or("no key".to_owned(), |key| format!("the key `{}`", cut(key)));
                        let text = format!("found {found}: expected the key `rows` or `pixels`");
                        return Err(A::Error::custom(text));
                    }
                };
                match map.next_key::<String>()? {
                    None => Ok(body),
                    Some(key) => Err(A::Error::custom(format!(
                        "found the key `{}` too: expected one key, `rows` or `pixels`",
                        cut(&key)
                    ))),
                }
            }
        }
        deserializer.deserialize_any(OfBody)
    }
}

/// The bytes of images.
struct Pixels(Vec<u8>);

impl<'de> Deserialize<'de> for Pixels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfPixels;
        impl<'de> Visitor<'de> for OfPixels {
            type Value = Pixels;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of pixels")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Pixels, A::Error> {
                let mut pixels = Vec::new();
                while let Some(Pixel(pixel)) = list.next_element()? {
                    pixels.push(pixel);
                }
                Ok(Pixels(pixels))
            }
        }
        deserializer.deserialize_seq(OfPixels)
    }
}

struct Pixel(u8);

impl<'de> Deserialize<'de> for Pixel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfPixel;
        impl Visitor<'_> for OfPixel {
            type Value = Pixel;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a pixel, which is a whole number from 0 to 255")
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Pixel, E> {
                let wrong = |_| E::invalid_value(Unexpected::Unsigned(value), &self);
                value.try_into().map(Pixel).map_err(wrong)
            }
        }
        deserializer.deserialize_u8(OfPixel)
    }
}

struct OfRows;

impl<'de> Visitor<'de> for OfRows {
    type Value = Rows;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Rows, A::Error> {
        let mut rows = Vec::new();
        while rows.len() < MOST_ROWS
            && let Some(row) = list.next_element()?
        {
            rows.push(row);
        }
        let mut count = rows.len();
        while list.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(Rows { rows, count })
    }
}

impl<'de> Deserialize<'de> for Rows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(OfRows)
    }
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfRow;
        impl<'de> Visitor<'de> for OfRow {
            type Value = Row;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(ROW)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Row, A::Error> {
                let mut cells = Vec::new();
                while let Some(cell) = list.next_element()? {
                    cells.push(cell);
                }
                Ok(Row::Cells(cells))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row, A::Error> {
                let mut cells = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    cells.push(entry);
                }
                Ok(Row::Named(cells))
            }
        }
        deserializer.deserialize_any(OfRow)
    }
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfCell;
        impl Visitor<'_> for OfCell {
            type Value = Cell;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, a text or null")
            }

            fn visit_unit<E: Error>(self) -> Result<Cell, E> {
                Ok(Cell::Missing(()))
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Cell, E> {
                Ok(Cell::Bool(value))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Cell, E> {
                Ok(Cell::Unsigned(value))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Cell, E> {
                Ok(Cell::Signed(value))
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Cell, E> {
                Ok(Cell::Real(value))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Cell, E> {
                Ok(Cell::Text(text.to_owned()))
            }
        }
        deserializer.deserialize_any(OfCell)
    }
}

#[cfg(test)]
mod tests {
    use nn::Column;

    use super::*;

    fn parse(text: &str) -> Result<Body, String> {
        body(text.as_bytes())
    }

    #[test]
    fn rows_become_lines_with_the_same_values() {
        let text =
            r#"{"rows":[{"b":"x\"","a":0.1,"a":null},[18446744073709551615,-1],[true,1e300]]}"#;
        let Ok(Body::Rows(Rows { rows, count: 3 })) = parse(text) else { panic!() };
        assert_eq!(parse(&text[8..text.len() - 1]), parse(text));
        let names = ["a", "b"].map(Column::numbers);
        let line = |row| serde_json::to_string(&Named { row, names: &names }).unwrap();
        let lines: Vec<String> = rows.iter().map(line).collect();
        let expected = [
            r#"{"b":"x\"","a":0.1,"a":null}"#,
            r#"{"a":18446744073709551615,"b":-1}"#,
            r#"{"a":true,"b":1e+300}"#,
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn rows_beyond_the_limit_are_counted() {
        let text = format!("[{}[]]", "[1],".repeat(MOST_ROWS + 4));
        let Ok(Body::Rows(Rows { rows, count })) = parse(&text) else { panic!() };
        assert_eq!((rows.len(), count), (MOST_ROWS, MOST_ROWS + 5));
    }

    #[test]
    fn what_is_neither_is_refused() {
        assert_eq!(parse(r#"{"pixels":[0,255]}"#), Ok(Body::Pixels(vec![0, 255])));
        let any = "expected {\"pixels\":[…]}, {\"rows\":[…]} or a list of rows";
        let (keys, row) = ("the key `rows` or `pixels`", "a row, which is an object or a list");
        let pixel = "a pixel, which is a whole number from 0 to 255";
        let long = format!("[{:?}]", "x".repeat(50));
        for (text, expected) in [
            ("", format!("found the end of the body at line 1, byte 0: {any}")),
            ("[[1],\n", format!("found the end of the body at line 2, byte 0: {any}")),
            ("1", format!("found the number `1` at line 1, byte 1: {any}")),
            ("{}", format!("found no key: expected {keys}, at line 1, byte 2")),
            (r#"{"row":[]}"#, format!("found the key `row`: expected {keys}, at line 1, byte 6")),
            (
                r#"{"rows":[],"pixels":[]}"#,
                "found the key `pixels` too: expected one key, `rows` or `pixels`, at line 1, \
                 byte 19"
                    .to_owned(),
            ),
            (r#"{"rows":{}}"#, "found an object at line 1, byte 8: expected a list of rows".into()),
            (
                r#"{"pixels":[256]}"#,
                format!("found the number `256` at line 1, byte 14: expected {pixel}"),
            ),
            (
                r#"{"pixels":[-1]}"#,
                format!("found the number `-1` at line 1, byte 13: expected {pixel}"),
            ),
            (
                r#"{"pixels":[0.5]}"#,
                format!("found the number `0.5` at line 1, byte 14: expected {pixel}"),
            ),
            (
                r#"{"pixels":null}"#,
                "found null at line 1, byte 14: expected a list of pixels".into(),
            ),
            ("[1]", format!("found the number `1` at line 1, byte 2: expected {row}")),
            ("[true]", format!("found the value `true` at line 1, byte 5: expected {row}")),
            (
                &long,
                format!(
                    "found the text \"{}… at line 1, byte 53: expected {row}",
                    "x".repeat(SHOWN - 10)
                ),
            ),
            ("[[[1]]]", "found a list at line 1, byte 3: expected a number, a text or null".into()),
            (
                r#"[{"a":{}}]"#,
                "found an object at line 1, byte 8: expected a number, a text or null".into(),
            ),
            (
                "[[1]]\n x",
                format!("found what is no JSON at line 2, byte 2 (trailing characters): {any}"),
            ),
            (
                "[[1e400]]",
                format!("found what is no JSON at line 1, byte 7 (number out of range): {any}"),
            ),
            ("[[NaN]]", format!("found what is no JSON at line 1, byte 3 (expected value): {any}")),
        ] {
            assert_eq!(parse(text).unwrap_err(), expected, "{text}");
        }
        assert!(parse(&"[".repeat(100_000)).is_err());
        assert!(body(b"\xff\xfe").unwrap_err().contains("no JSON at line 1, byte 1"));
        let lines: Vec<_> = lines(b"[1]\n{\"a\":2}\n3\n").collect();
        assert_eq!(lines[0], Ok(Row::Cells(vec![Cell::Unsigned(1)])));
        assert_eq!(lines[1], Ok(Row::Named(vec![("a".into(), Cell::Unsigned(2))])));
        let found = format!("found the number `3` at line 3, byte 1: expected {row}");
        assert_eq!(lines[2..], [Err(found)]);
    }
}
