//! JSON lines: an object in each line.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};

use super::text::Text;
use crate::error::Error;
use crate::limits;

/// The longest line that is read.
const LONGEST: u64 = 1 << 20;

#[derive(Serialize)]
pub(super) struct Objects {
    path: String,
    bytes: u64,
    /// The object in the first line.
    first: Map<String, Value>,
}

impl Objects {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let mut line = Vec::new();
        let file = File::open(path).map_err(Error::io("read", path))?;
        let mut reader = BufReader::new(file.take(LONGEST));
        while line.trim_ascii().is_empty() {
            line.clear();
            if reader.read_until(b'\n', &mut line).map_err(Error::io("read", path))? == 0 {
                break;
            }
        }
        let first = serde_json::from_slice(&line).map_err(|error| Error::NoObject {
            path: path.to_owned(),
            what: "in its first line",
            reason: error.to_string(),
        })?;
        Ok(Self { path: path.display().to_string(), bytes: super::size_of(path), first })
    }

    pub(super) fn text(&self) -> String {
        let mut text = Text::default();
        text.row("JSON lines", format!("{} ({})", self.path, limits::bytes(self.bytes)));
        text.row("columns", self.first.len());
        text.row("use", "`predict` and `eval` take them as rows of a table");
        let kind = |value: &Value| match value {
            Value::Null => "missing",
            Value::Bool(_) | Value::String(_) => "text",
            Value::Number(_) => "number",
            Value::Array(_) | Value::Object(_) => "no cell",
        };
        let row = |(name, value): (&String, &Value)| {
            vec![name.clone(), kind(value).to_owned(), value.to_string()]
        };
        let rows: Vec<Vec<String>> = self.first.iter().map(row).collect();
        text.gap();
        text.table("<<<", &["column", "kind", "in the first line"], &rows);
        text.finish()
    }
}
