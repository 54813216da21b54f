//! Runs as a table for people, and as CSV.

use std::fmt::Write as _;

use console::Term;
use serde_json::Value;

use super::field::{Field, NUMBERS, TEXTS, settings, text as plain};
use super::found::RunRow;
use crate::encode::csv_cell;
use crate::error::one_line;
use crate::settings::Setting;
use crate::words::percent;

/// Columns of what is no terminal.
const COLUMNS: usize = 80;

/// The widest cell, but for the first of a row, which is whole.
const WIDEST: usize = 24;

/// Columns without room that a note names.
const MOST_NAMED: usize = 3;

/// What is between two columns.
const GAP: usize = 2;

/// The columns of the terminal; those that the environment says where there is none.
pub(super) fn width() -> usize {
    let term = Term::stdout();
    if term.features().is_attended() {
        return usize::from(term.size().1);
    }
    let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    said.filter(|columns| *columns > 0).unwrap_or(COLUMNS)
}

/// All figures that a run has, and the settings that differ.
pub(super) fn every_column(runs: &[RunRow]) -> Vec<Field> {
    let has = |field: &Field| runs.iter().any(|run| !field.value(run).is_null());
    let figures = TEXTS.into_iter().chain(NUMBERS).map(Field::Figure);
    // A process that is gone has no number, and where a run was is its path.
    let figures = figures.filter(|field| !["pid", "run"].contains(&field.name())).filter(has);
    figures.chain(differing(runs)).collect()
}

/// The settings that are not the same in all runs.
fn differing(runs: &[RunRow]) -> Vec<Field> {
    let differs = |setting: &&'static Setting| {
        let runs = || runs.iter().filter(|run| run.has_settings());
        // Mostly the files have the same value, or none.
        let mut written = runs().map(|run| run.written(setting.key));
        if written.next().is_none_or(|first| written.all(|value| value == first)) {
            return false;
        }
        let mut values = runs().map(|run| Field::Setting(setting).value(run));
        values.next().is_some_and(|first| values.any(|value| value != first))
    };
    settings().filter(differs).map(Field::Setting).collect()
}

/// A table of these columns, or without any of the usual ones as far as they have room in
/// `width` columns; and what to say of those that have none.
pub(super) fn text(runs: &[RunRow], chosen: &[Field], width: usize) -> (String, Option<String>) {
    if !chosen.is_empty() {
        let columns: Vec<_> = chosen.iter().map(|field| Column::new(*field, runs)).collect();
        return (lines(&columns, runs.len()), None);
    }
    let (columns, left_out) = fitting(usual(runs), width);
    let note = (!left_out.is_empty()).then(|| {
        let (named, others) = left_out.split_at(left_out.len().min(MOST_NAMED));
        let more = match others.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("no room for {}{more}: --columns chooses others", named.join(", "))
    });
    (lines(&columns, runs.len()), note)
}

/// The usual columns, from left to right, each with its rank: the highest go first where there
/// is no room.
fn usual(runs: &[RunRow]) -> Vec<(usize, Column)> {
    let column = |rank, field| (rank, Column::new(field, runs));
    let has = |name: &'static str| runs.iter().any(|run| !Field::Figure(name).value(run).is_null());
    let status = Field::Figure("status");
    let all_done = runs.iter().all(|run| *status.value(run) == "done");
    let mut columns = vec![column(0, Field::Figure("name"))];
    columns.push(column(if all_done { 80 } else { 2 }, status));
    columns.push(column(90, Field::Figure("time")));
    // The epochs that were to be are mostly those that were trained.
    let (epochs, others): (Vec<_>, Vec<_>) =
        differing(runs).into_iter().partition(|field| field.name() == "training.epochs");
    for (i, field) in others.into_iter().enumerate() {
        columns.push(column(10 + i, field));
    }
    for (rank, name) in [
        (1, "val_accuracy"),
        (3, "val_loss"),
        (4, "test_accuracy"),
        (4, "test_rmse"),
        (if epochs.is_empty() { 40 } else { 9 }, "epochs"),
        (50, "total_seconds"),
    ] {
        if has(name) {
            columns.push(column(rank, Field::Figure(name)));
        }
    }
    columns
}

/// The columns that have room, and the names of the others.
fn fitting(mut columns: Vec<(usize, Column)>, width: usize) -> (Vec<Column>, Vec<String>) {
    let mut left_out = Vec::new();
    let total = |columns: &[(usize, Column)]| {
        columns.iter().map(|(_, column)| column.width + GAP).sum::<usize>().saturating_sub(GAP)
    };
    while total(&columns) > width && columns.len() > 1 {
        let last = (0..columns.len()).max_by_key(|i| columns[*i].0).unwrap_or(0);
        left_out.push(columns.remove(last).1.head);
    }
    left_out.reverse();
    (columns.into_iter().map(|(_, column)| column).collect(), left_out)
}

/// A column of the table.
struct Column {
    head: String,
    cells: Vec<String>,
    width: usize,
    is_number: bool,
}

impl Column {
    fn new(field: Field, runs: &[RunRow]) -> Self {
        let is_name = matches!(field, Field::Figure("name" | "path"));
        let cells: Vec<String> = runs.iter().map(|run| cell(field, &field.value(run))).collect();
        let cut = |text: String| match text.char_indices().nth(WIDEST) {
            Some(_) if !is_name => text.chars().take(WIDEST - 1).chain(['…']).collect(),
            _ => text,
        };
        let cells: Vec<String> = cells.into_iter().map(cut).collect();
        let head = field.head().into_owned();
        let count = |text: &String| text.chars().count();
        let width = cells.iter().chain([&head]).map(count).max().unwrap_or(0);
        Self { head, cells, width, is_number: field.is_number() }
    }
}

fn lines(columns: &[Column], rows: usize) -> String {
    let mut text = String::new();
    for row in 0..=rows {
        let mut line = String::new();
        for (i, column) in columns.iter().enumerate() {
            let cell = row.checked_sub(1).map_or(&column.head, |row| &column.cells[row]);
            let (gap, width) = (if i == 0 { 0 } else { GAP }, column.width);
            let _ = match column.is_number {
                true => write!(line, "{:gap$}{cell:>width$}", ""),
                false => write!(line, "{:gap$}{cell:<width$}", ""),
            };
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// A value for people: a few digits, and a dash for nothing.
fn cell(field: Field, value: &Value) -> String {
    let name = field.name();
    let is_figure = matches!(field, Field::Figure(_));
    let text = match (value, value.as_f64()) {
        (Value::Null, _) => "-".to_owned(),
        // `2026-11-25 20:05`
        (Value::String(time), _) if is_figure && name == "time" => {
            time.replace('T', " ").chars().take(16).collect()
        }
        (_, Some(share)) if is_figure && name.ends_with("accuracy") => percent(share),
        (_, Some(loss)) if is_figure && name.ends_with("loss") => format!("{loss:.4}"),
        (_, Some(seconds)) if is_figure && name.ends_with("seconds") => format!("{seconds:.1}"),
        (Value::Number(number), Some(x)) if is_figure && number.is_f64() => format!("{x:.4}"),
        // 0 and not 0.0, and no more zeros than anybody counts.
        (Value::Number(number), Some(x)) if number.is_f64() => {
            let plain = x == 0.0 || (1e-4..1e9).contains(&x.abs());
            if plain { x.to_string() } else { format!("{x:e}") }
        }
        (Value::Array(all), _) if all.is_empty() => "none".to_owned(),
        (value, _) => plain(value),
    };
    one_line(&text)
}

/// A header and a row for each run, as RFC 4180 has it but for the ends of lines, which are
/// those of Unix. Values have all their digits; a share is a fraction of 1.
pub(super) fn csv(runs: &[RunRow], columns: &[Field]) -> String {
    let mut text = columns.iter().map(|field| csv_cell(field.name())).collect::<Vec<_>>().join(",");
    text.push('\n');
    for run in runs {
        let cells = columns.iter().map(|field| csv_cell(&plain(&field.value(run))));
        text += &cells.collect::<Vec<_>>().join(",");
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs() -> Vec<RunRow> {
        let run = |name: &str, loss: &str, lr: &str| {
            let summary = format!(
                r#"{{"status": "done", "val_loss": {loss}, "val_accuracy": 0.9825, "epochs": 5,
                    "total_seconds": 12.345, "time": "2026-11-25T20:05:18Z"}}"#
            );
            let settings = format!("[network]\nhidden = [256, 128]\n[training]\nlr = {lr}\n");
            RunRow::of_texts(name, &summary, &settings)
        };
        vec![run("a", "0.123456", "0.01"), run("b,c", "null", "0.003")]
    }

    #[test]
    fn a_table_shows_what_differs() {
        let (text, note) = text(&runs(), &[], 80);
        let expected = "\
name  status  time                 lr  val acc  val loss  epochs  seconds
a     done    2026-11-25 20:05   0.01  98.25 %    0.1235       5     12.3
b,c   done    2026-11-25 20:05  0.003  98.25 %         -       5     12.3
";
        assert_eq!(text, expected);
        assert_eq!(note, None);
    }

    #[test]
    fn what_has_no_room_is_named() {
        let (narrow, note) = text(&runs(), &[], 50);
        assert!(narrow.lines().all(|line| line.chars().count() <= 50), "{narrow}");
        assert!(
            narrow.starts_with("name     lr  val acc  val loss  epochs  seconds\n"),
            "{narrow}"
        );
        assert_eq!(note.unwrap(), "no room for status, time: --columns chooses others");
        let (least, _) = text(&runs(), &[], 1);
        assert_eq!(least, "name\na\nb,c\n");
        let chosen = [Field::named("", "hidden").unwrap(), Field::named("", "path").unwrap()];
        assert_eq!(text(&runs(), &chosen, 1).0, "hidden   path\n256,128  a\n256,128  b,c\n");
    }

    #[test]
    fn csv_has_all_digits_and_quotes() {
        let columns = ["name", "lr", "hidden", "val_loss"].map(|n| Field::named("", n).unwrap());
        let expected = "name,training.lr,network.hidden,val_loss\n\
                        a,0.01,\"256,128\",0.123456\n\
                        \"b,c\",0.003,\"256,128\",\n";
        assert_eq!(csv(&runs(), &columns), expected);
        let all = every_column(&runs());
        assert!(all.iter().any(|field| field.name() == "training.lr"));
        assert!(!all.iter().any(|field| ["network.hidden", "gflops"].contains(&field.name())));
    }
}
