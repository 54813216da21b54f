//! JSON lines: each line is an object with a value for each column.

use std::borrow::Cow;
use std::io::Read;
use std::path::Path;

use memchr::memchr;
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
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) => Err(format!("`{}`", shown(text))),
            // The text of the error has a line of its own, which is always 1.
            Err(error) => {
                let place = error.column();
                let text = error.to_string();
                let what = text.split(" at line ").next().unwrap_or_default();
                Err(format!("what is no JSON: {what} at byte {place} of the line"))
            }
        };
        let object = object.map_err(|found| self.error(TableError::Json { line, found }))?;
        self.block.take_line(len);
        Ok(Some((line, object)))
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
