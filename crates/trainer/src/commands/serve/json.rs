//! The JSON of a request, in memory of which each byte of text needs a few: a tree of any values
//! would need a hundred.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::predict::MOST_ROWS;

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

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfBody;
        impl<'de> Visitor<'de> for OfBody {
            type Value = Body;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(r#"{"pixels":[…]}, {"rows":[…]} or a list of rows"#)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, rows: A) -> Result<Body, A::Error> {
                OfRows.visit_seq(rows).map(Body::Rows)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Body, A::Error> {
                let key: Option<String> = map.next_key()?;
                let body = match key.as_deref() {
                    Some("rows") => Body::Rows(map.next_value()?),
                    Some("pixels") => Body::Pixels(map.next_value()?),
                    _ => return Err(A::Error::custom("expected the key `rows` or `pixels`")),
                };
                match map.next_key::<IgnoredAny>()? {
                    None => Ok(body),
                    Some(_) => Err(A::Error::custom("expected one key, `rows` or `pixels`")),
                }
            }
        }
        deserializer.deserialize_any(OfBody)
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
                f.write_str("a row: an object or a list")
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
        serde_json::from_str(text).map_err(|error| error.to_string())
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
        for (text, expected) in [
            ("", "EOF"),
            ("1", "expected {\"pixels\""),
            ("{}", "expected the key"),
            (r#"{"row":[]}"#, "expected the key"),
            (r#"{"rows":[],"pixels":[]}"#, "expected one key"),
            (r#"{"rows":{}}"#, "expected a list of rows"),
            (r#"{"pixels":[256]}"#, "256"),
            (r#"{"pixels":[-1]}"#, "-1"),
            (r#"{"pixels":[0.5]}"#, "0.5"),
            ("[1]", "expected a row"),
            ("[[[1]]]", "expected a number, a text or null"),
            (r#"[{"a":{}}]"#, "expected a number, a text or null"),
            ("[[1]] x", "trailing"),
            ("[[1e400]]", "out of range"),
            ("[[NaN]]", "expected"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
        assert!(parse(&"[".repeat(100_000)).is_err());
    }
}
