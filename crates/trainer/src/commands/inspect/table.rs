//! A table.

use std::path::Path;

use mnist_io::{Column, ColumnFacts, ColumnKind, DecimalMark, Rows, Schema, TableOptions, Wanted};
use serde::Serialize;

use super::text::{Text, number};
use crate::data::table::list;
use crate::error::Error;
use crate::limits;

/// Rows that are shown.
const SHOWN: usize = 5;

/// Columns that text has a line for; JSON has all.
const MOST_COLUMNS: usize = 100;

#[derive(Serialize)]
pub(super) struct TableInfo {
    path: String,
    bytes: u64,
    /// The character between two cells.
    separator: char,
    header: bool,
    decimal_comma: bool,
    rows: u64,
    columns: Vec<ColumnInfo>,
    /// The first rows: a cell for each column, without value `null`.
    first: Vec<Vec<Option<String>>>,
}

#[derive(Serialize)]
struct ColumnInfo {
    name: String,
    /// `number`, `category` or `text`.
    #[serde(rename = "type")]
    kind: &'static str,
    missing: u64,
    distinct: usize,
    /// Whether there are more different values than were counted.
    more: bool,
    /// Whether all its numbers are whole.
    whole: bool,
    min: Option<f64>,
    max: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    values: Vec<String>,
    example: Option<String>,
}

impl TableInfo {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let options = TableOptions::default();
        let (schema, facts) = Schema::infer(path, &options)?;
        let options = TableOptions {
            separator: Some(schema.dialect.separator),
            header: Some(schema.dialect.header),
            decimal: schema.decimal,
            ..options
        };
        let wanted = Wanted { columns: &schema.columns, optional: &[] };
        let mut cells = Vec::new();
        Rows::open(path, wanted, &options)?.next_batch(SHOWN, &mut cells)?;
        let row = |cells: &[f32]| {
            let all = schema.columns.iter().zip(&facts.columns).zip(cells);
            all.map(|((column, facts), cell)| shown(column, facts, *cell)).collect()
        };
        let first: Vec<Vec<Option<String>>> =
            cells.chunks(schema.columns.len().max(1)).map(row).collect();
        let column = |(at, (column, facts)): (usize, (&Column, &ColumnFacts))| {
            let example = || first.iter().find_map(|row| row[at].clone());
            ColumnInfo::new(column, facts, example)
        };
        let columns = schema.columns.iter().zip(&facts.columns).enumerate().map(column).collect();
        Ok(Self {
            path: path.display().to_string(),
            bytes: super::size_of(path),
            separator: schema.dialect.separator.into(),
            header: schema.dialect.header,
            decimal_comma: schema.decimal == Some(DecimalMark::Comma),
            rows: facts.rows,
            columns,
            first,
        })
    }

    pub(super) fn text(&self) -> String {
        let mut text = Text::default();
        text.row("table", format!("{} ({})", self.path, limits::bytes(self.bytes)));
        let separator = match self.separator {
            ',' => "commas".to_owned(),
            ';' => "semicolons".to_owned(),
            '\t' => "tabs".to_owned(),
            '|' => "bars".to_owned(),
            other => format!("`{other}`"),
        };
        let header = if self.header { "a header" } else { "no header" };
        let comma = if self.decimal_comma { ", decimal commas" } else { "" };
        text.row("written with", format!("{separator} between cells, {header}{comma}"));
        text.row("size", format!("{} rows, {} columns", self.rows, self.columns.len()));
        text.gap();
        let row = |column: &ColumnInfo| {
            let more = if column.more { "+" } else { "" };
            vec![
                column.name.clone(),
                if column.whole { "whole number".to_owned() } else { column.kind.to_owned() },
                column.missing.to_string(),
                format!("{}{more}", column.distinct),
                column.range(),
            ]
        };
        let rows: Vec<Vec<String>> = self.columns.iter().take(MOST_COLUMNS).map(row).collect();
        let head = ["column", "kind", "missing", "distinct", "range or values"];
        text.table("<<>><", &head, &rows);
        if self.columns.len() > MOST_COLUMNS {
            text.line(format!("and {} more columns", self.columns.len() - MOST_COLUMNS));
        }
        // A line for each column: there are few rows, and may be many columns.
        let cell = |cell: &Option<String>| cell.clone().unwrap_or_else(|| "·".to_owned());
        let line = |(at, column): (usize, &ColumnInfo)| {
            let cells = self.first.iter().map(|row| cell(&row[at]));
            std::iter::once(column.name.clone()).chain(cells).collect()
        };
        let rows: Vec<Vec<String>> =
            self.columns.iter().enumerate().take(MOST_COLUMNS).map(line).collect();
        let names: Vec<String> = (1..=self.first.len()).map(|row| format!("row {row}")).collect();
        let head: Vec<&str> =
            std::iter::once("column").chain(names.iter().map(String::as_str)).collect();
        text.gap();
        text.table(&"<".repeat(head.len()), &head, &rows);
        text.finish()
    }
}

/// A cell as text; `None` if it has no value.
fn shown(column: &Column, facts: &ColumnFacts, cell: f32) -> Option<String> {
    match &column.kind {
        ColumnKind::Number => (!cell.is_nan()).then(|| cell.to_string()),
        ColumnKind::Category { values } => {
            // NaN would become 0.
            let index = (!cell.is_nan()).then_some(cell as usize)?;
            values.get(index).cloned()
        }
        // Texts are not read; of one it is known that there is some.
        _ => facts.first_text.as_ref().map(|_| "(text)".to_owned()),
    }
}

impl ColumnInfo {
    fn new(column: &Column, facts: &ColumnFacts, example: impl FnOnce() -> Option<String>) -> Self {
        let (kind, values) = match &column.kind {
            ColumnKind::Number => ("number", Vec::new()),
            ColumnKind::Category { values } => ("category", values.clone()),
            _ => ("text", Vec::new()),
        };
        let text = facts.first_text.as_ref().map(|place| place.value.clone());
        Self {
            name: column.name.clone(),
            kind,
            missing: facts.missing,
            distinct: facts.distinct,
            more: facts.more,
            whole: kind == "number" && facts.whole,
            min: facts.range.map(|(min, _)| min),
            max: facts.range.map(|(_, max)| max),
            values,
            example: if kind == "text" { text } else { example() },
        }
    }

    fn range(&self) -> String {
        match (self.min, self.max) {
            (Some(min), Some(max)) if self.values.is_empty() => {
                format!("{} to {}", number(min), number(max))
            }
            _ if self.kind == "text" => {
                self.example.as_ref().map_or_else(String::new, |text| format!("such as `{text}`"))
            }
            _ => list(&self.values),
        }
    }
}
