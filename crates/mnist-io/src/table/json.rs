//! JSON lines: each line is an object with a value for each column.

use std::borrow::Cow;
use std::fmt;
use std::io::Read;
use std::path::Path;

use memchr::memchr;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::block::Block;
use super::error::{TableError, shown};
use crate::error::Error;

pub(crate) type Object = Map<String, Value>;

/// Whether a text begins as an object of JSON does, or as a list of them.
pub(crate) fn begins(text: &[u8]) -> bool {
    let mut bytes = text.iter().filter(|byte| !byte.is_ascii_whitespace());
    match (bytes.next(), bytes.next()) {
        (Some(b'{'), second) => matches!(second, Some(b'"' | b'}')),
        (Some(b'['), second) => second == Some(&b'{'),
        _ => false,
    }
}

/// Reads JSON lines.
pub(crate) struct Lines<R> {
    block: Block<R>,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(block: Block<R>) -> Self {
        Self { block }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.block.path
    }

    pub(crate) fn line(&self) -> u64 {
        self.block.line
    }

    pub(crate) fn error(&self, error: TableError) -> Error {
        self.block.error(error)
    }

    /// Whether the next line, or the end, is in memory.
    pub(crate) fn is_ready(&self) -> bool {
        let line = self.block.bytes().trim_ascii_start();
        self.block.ended || memchr(b'\n', line).is_some()
    }

    /// The next line that is not empty, with its number; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, Object)>, Error> {
        if !self.block.skip_white_space()? {
            return Ok(None);
        }
        let mut searched = 0;
        let len = loop {
            let bytes = self.block.bytes();
            match memchr(b'\n', &bytes[searched..]) {
                Some(index) => break searched + index,
                None if self.block.ended => break bytes.len(),
                None => searched = bytes.len(),
            }
            self.block.more()?;
        };
        let line = self.block.line;
        let text = &self.block.bytes()[..len];
        let object = match serde_json::from_slice(text) {
            Ok(Unique(object)) if !object.is_empty() => Ok(object),
            Ok(_) => Err("an object without a value".to_owned()),
            Err(error) => Err(reason(text, &error)),
        };
        let object = object.map_err(|found| self.error(TableError::Json { line, found }))?;
        self.block.take_line(len);
        Ok(Some((line, object)))
    }
}

/// An object in which each key is there once. `serde_json` takes the last of several.
struct Unique(Object);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Keys).map(Self)
    }
}

struct Keys;

impl<'de> Visitor<'de> for Keys {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut object = Object::new();
        while let Some((key, value)) = map.next_entry::<String, Value>()? {
            let name = shown(key.as_bytes());
            if object.insert(key, value).is_some() {
                return Err(A::Error::custom(format_args!("two values for `{name}`")));
            }
        }
        Ok(object)
    }
}

/// What is wrong with a line, of which `error` says that it is no object of single keys.
fn reason(text: &[u8], error: &serde_json::Error) -> String {
    // The text of an error ends in a line of its own, which is always 1.
    let what = |error: &serde_json::Error| {
        let text = error.to_string();
        text.rsplit_once(" at line ").map_or(text.clone(), |(what, _)| what.to_owned())
    };
    match serde_json::from_slice::<Value>(text) {
        Ok(Value::Object(_)) => what(error),
        Ok(_) => format!("`{}`", shown(text)),
        Err(error) => {
            format!("what is no JSON: {} at byte {} of the line", what(&error), error.column())
        }
    }
}

/// The text of a value: nothing if it is null, or not there.
pub(crate) fn cell<'a>(
    line: u64,
    name: &str,
    object: &'a Object,
) -> Result<Cow<'a, str>, TableError> {
    match object.get(name) {
        None | Some(Value::Null) => Ok("".into()),
        Some(Value::String(text)) => Ok(text.into()),
        Some(Value::Bool(value)) => Ok(if *value { "true" } else { "false" }.into()),
        Some(Value::Number(number)) => Ok(number.to_string().into()),
        Some(Value::Array(_) | Value::Object(_)) => {
            let found = format!("a list or an object for column `{}`", shown(name.as_bytes()));
            Err(TableError::Json { line, found })
        }
    }
}
