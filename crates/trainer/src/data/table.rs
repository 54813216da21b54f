//! Tables: which column is predicted, what becomes of the others, and which rows are tested
//! on.

mod roles;
mod suspects;
mod texts;

use std::mem::take;
use std::path::Path;

use mnist_io::{
    ColumnFacts, ColumnKind, DecimalMark, Facts, Features, Samples, Table, TableError,
    TableOptions, Targets, Undecided, Wanted,
};
use nn::{Column, Columns, Split, Standard};

use super::{TableFault, home};
use crate::config::{Config, Header, Missing, Separator};
use crate::error::Error;
use crate::words::plural;
pub(crate) use roles::ColumnUse;
use roles::Roles;

/// A table for a run, before anything is learned of its columns.
pub(crate) struct Tables {
    columns: Vec<Column>,
    target: String,
    /// The decimal mark that other rows are to be read with.
    decimal: Option<DecimalMark>,
    /// The rows to train on.
    pub(crate) training: Rows,
    pub(crate) test: Rows,
    /// What the user should know, a line each.
    pub(crate) notes: Vec<String>,
    /// What was made of each column of the training rows.
    pub(crate) uses: Vec<ColumnUse>,
}

/// What becomes of the rows that are tested on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TestRows {
    Read,
    LeftOut,
}

/// Some rows of a table.
pub(crate) struct Rows {
    /// Rows × columns, without the target.
    cells: Vec<f32>,
    pub(crate) targets: Targets,
    /// How much each row counts, if a column says so.
    pub(crate) weights: Option<Vec<f32>>,
    /// Which row of its file each is, from 1. Rows without a target are counted too.
    numbers: Vec<u64>,
}

/// The rows of a table as a network takes them.
pub(crate) struct Prepared {
    pub(crate) training: Samples,
    pub(crate) test: Samples,
    /// How they were made.
    pub(crate) columns: Columns,
    /// Which rows of their files the training and the test samples are, from 1.
    pub(crate) numbers: [Vec<u64>; 2],
}

impl Tables {
    /// Reads the table of a run, and that of its test rows; without one, it takes a share of
    /// the rows for that.
    pub(crate) fn open(config: &Config) -> Result<Self, Error> {
        Self::read(config, TestRows::Read)
    }

    /// Reads the table of a run without its test rows: a table of them is not opened, and the
    /// share of the rows that [`open`](Self::open) takes for them is left out.
    pub(crate) fn open_without_test(config: &Config) -> Result<Self, Error> {
        Self::read(config, TestRows::LeftOut)
    }

    fn read(config: &Config, of_test: TestRows) -> Result<Self, Error> {
        let path = home(&config.data.dir);
        let fault = |fault| Error::Table { path: path.to_path_buf(), fault };
        let table =
            Table::read(&path, &options(config)).map_err(|error| with_flags(error, config))?;
        let (schema, facts, cells) = table.into_parts();
        let roles = Roles::find(config, &schema, &facts, &cells).map_err(fault)?;
        let rows = roles.rows(&schema, &cells, roles.weight).map_err(fault)?;
        let mut notes = roles.notes(config, &schema, &facts);
        let uses = roles.uses(&schema, &facts, &config.data.ignore);
        if config.data.header == Header::Auto {
            notes.extend(roles::first_line(&schema));
        }
        notes.extend(undecided(&path, &facts));
        notes.extend(suspects::notes(&schema, &facts, &cells, roles.numbers()));
        drop(cells);
        notes.extend(rows.note(facts.rows));
        let (training, test) = match &config.data.test {
            Some(_) if of_test == TestRows::LeftOut => {
                let none = rows.subset(&[]);
                (rows, none)
            }
            Some(test) => {
                let path = home(test);
                let fault = |fault| Error::Table { path: path.to_path_buf(), fault };
                // What is left out, and what a row counts, is not needed of it.
                let name = |at: &usize| schema.columns[*at].name.clone();
                let optional = roles.left_out.iter().map(|(at, _)| at).chain(&roles.weight);
                let optional: Vec<String> = optional.map(name).collect();
                let wanted = Wanted { columns: &schema.columns, optional: &optional };
                let options = TableOptions { decimal: schema.decimal, ..options(config) };
                let table = Table::read_with(&path, wanted, &options)?;
                if let Some(unknown) = &table.facts().columns[roles.target].unknown {
                    let found = unknown.first.value.clone();
                    return Err(fault(roles.unknown_class(found)));
                }
                notes.extend(unknown(&path, &schema.columns, table.facts()));
                let test = roles.rows(&schema, table.cells(), None).map_err(fault)?;
                notes.extend(test.note(table.facts().rows));
                (rows, test)
            }
            None if of_test == TestRows::LeftOut => {
                let (rows, _) = rows.divide(config)?;
                let none = rows.subset(&[]);
                (rows, none)
            }
            None => rows.divide(config)?,
        };
        let columns = roles.columns(&schema);
        if config.data.missing == Missing::Error {
            for rows in [&training, &test] {
                rows.check_missing(&columns).map_err(fault)?;
            }
        }
        let decimal = schema.decimal;
        Ok(Self { columns, target: roles.name, decimal, training, test, notes, uses })
    }

    /// Learns from the rows that are trained on how cells become features, and makes them so.
    /// `split` says which rows are held out.
    pub(crate) fn prepare(mut self, split: Option<&Split>) -> Result<Prepared, Error> {
        let (columns, standard) = self.learn(split)?;
        let numbers = [&mut self.training, &mut self.test].map(|rows| take(&mut rows.numbers));
        let [training, test] =
            [self.training, self.test].map(|rows| rows.prepare(&columns, standard));
        Ok(Prepared { training: training?, test: test?, columns, numbers })
    }

    /// Like [`prepare`](Self::prepare), of the rows that are not tested on, and as often as
    /// there are splits.
    pub(crate) fn prepare_training(
        &self,
        split: Option<&Split>,
    ) -> Result<(Samples, Columns), Error> {
        let (columns, standard) = self.learn(split)?;
        let all: Vec<u32> = (0..self.training.targets.len() as u32).collect();
        Ok((self.training.subset(&all).prepare(&columns, standard)?, columns))
    }

    /// What the rows that are trained on say of the columns, and of a target that is a number.
    fn learn(&self, split: Option<&Split>) -> Result<(Columns, Option<Standard>), Error> {
        let Self { columns, target, decimal, training, .. } = self;
        let all = 0..training.targets.len() as u32;
        let rows: Vec<usize> = match split {
            Some(split) => split.train.iter().map(|&row| row as usize).collect(),
            None => all.map(|row| row as usize).collect(),
        };
        let standard = match &training.targets {
            Targets::Classes(_) => None,
            Targets::Values(values) => {
                let values: Vec<f32> = rows.iter().map(|&row| values[row]).collect();
                Some(Standard::of(&values))
            }
        };
        let columns = Columns::fit(columns.clone(), &training.cells, rows.iter().copied())?
            .with_target(target.clone(), standard);
        let columns = match decimal {
            Some(DecimalMark::Point) => columns.with_decimal('.'),
            Some(DecimalMark::Comma) => columns.with_decimal(','),
            None => columns,
        };
        Ok((columns, standard))
    }
}

impl Rows {
    /// Rows × columns, without the target.
    pub(crate) fn cells(&self) -> &[f32] {
        &self.cells
    }

    /// What to say where rows have no target.
    fn note(&self, all: u64) -> Option<String> {
        let without = all - self.targets.len() as u64;
        (without > 0)
            .then(|| format!("{} without a target are left out", plural(without as usize, "row")))
    }

    /// Divides the rows into those to train on and those to test on.
    fn divide(self, config: &Config) -> Result<(Self, Self), Error> {
        let (fraction, seed) = (config.data.test_fraction, config.training.seed);
        let Split { train, validation, .. } = super::split(&self.targets, fraction, seed)?;
        Ok((self.subset(&train), self.subset(&validation)))
    }

    fn subset(&self, rows: &[u32]) -> Self {
        let width = self.cells.len() / self.targets.len();
        let of = |row: &u32| &self.cells[*row as usize * width..][..width];
        let weights = self.weights.as_ref();
        Self {
            cells: rows.iter().flat_map(of).copied().collect(),
            targets: self.targets.subset(rows),
            weights: weights.map(|all| rows.iter().map(|&row| all[row as usize]).collect()),
            numbers: rows.iter().map(|&row| self.numbers[row as usize]).collect(),
        }
    }

    /// # Errors
    /// If a cell is missing.
    fn check_missing(&self, columns: &[Column]) -> Result<(), TableFault> {
        match self.cells.iter().position(|cell| cell.is_nan()) {
            None => Ok(()),
            Some(at) => {
                let (row, column) = (at / columns.len(), at % columns.len());
                Err(TableFault::Missing { row, name: columns[column].name.clone() })
            }
        }
    }

    /// The rows as a network takes them. Real values are standardised.
    fn prepare(self, columns: &Columns, standard: Option<Standard>) -> Result<Samples, Error> {
        let width = columns.width();
        let mut features = vec![0.0; self.targets.len() * width];
        columns.apply(&self.cells, &mut features)?;
        let targets = match (self.targets, standard) {
            (Targets::Values(values), Some(standard)) => {
                Targets::Values(values.iter().map(|value| standard.apply(*value)).collect())
            }
            (targets, _) => targets,
        };
        Ok(Samples::new(Features::Real(features), width, targets))
    }
}

/// What the settings say of how a table is written.
pub(crate) fn options(config: &Config) -> TableOptions<'_> {
    let separator = match config.data.separator {
        Separator::Auto => None,
        Separator::Comma => Some(b','),
        Separator::Semicolon => Some(b';'),
        Separator::Tab => Some(b'\t'),
        Separator::Bar => Some(b'|'),
    };
    let header = match config.data.header {
        Header::Auto => None,
        Header::Yes => Some(true),
        Header::No => Some(false),
    };
    let (categorical, ignore) = (&config.data.categorical, &config.data.ignore);
    TableOptions { separator, header, categorical, ignore, ..TableOptions::default() }
}

/// An error of a table that the flags of `config` describe, with the names of the flags.
fn with_flags(error: mnist_io::Error, config: &Config) -> Error {
    match error {
        mnist_io::Error::Table { path, error: TableError::UnknownColumn { name, advice } } => {
            let ignored = config.data.ignore.contains(&name);
            let flag = if ignored { "--ignore" } else { "--categorical" };
            Error::Table { path, fault: TableFault::NoColumn { flag, name, advice } }
        }
        mnist_io::Error::Table { path, error: TableError::NoRows { columns } } => {
            Error::Table { path, fault: TableFault::NoRows { columns } }
        }
        error => error.into(),
    }
}

/// The columns that a model takes, as a reader of tables knows them.
pub(crate) fn known(columns: &Columns) -> Vec<mnist_io::Column> {
    let column = |column: &Column| {
        let kind = match &column.kind {
            nn::ColumnKind::Category(values) => ColumnKind::Category { values: values.clone() },
            _ => ColumnKind::Number,
        };
        mnist_io::Column::new(&column.name, kind)
    };
    columns.columns().iter().map(column).collect()
}

/// How rows for a model are read: as those that it was trained on.
pub(crate) fn known_options(columns: &Columns) -> TableOptions<'static> {
    let decimal = columns.decimal().map(|mark| match mark {
        ',' => DecimalMark::Comma,
        _ => DecimalMark::Point,
    });
    TableOptions { decimal, ..TableOptions::default() }
}

/// What to say of a number such as `1.234` where nothing says what its mark is.
fn undecided(path: &Path, facts: &Facts) -> Option<String> {
    let Undecided { place, decimal, .. } = facts.undecided.as_ref()?;
    let mark = match decimal {
        DecimalMark::Point => '.',
        DecimalMark::Comma => ',',
    };
    let other = if mark == '.' { ',' } else { '.' };
    Some(format!(
        "{}: `{}` in line {} is read as {}: no number of the table shows whether its mark is the \
         decimal one or between thousands; write thousands without a mark",
        path.display(),
        place.value,
        place.line,
        place.value.replace(other, "").replace(mark, ".")
    ))
}

/// What to say of values that training did not have, a line for each column, and of a number
/// that may mean another one.
pub(crate) fn unknown(path: &Path, columns: &[mnist_io::Column], facts: &Facts) -> Vec<String> {
    let of_column = |(column, facts): (&mnist_io::Column, &ColumnFacts)| {
        let unknown = facts.unknown.as_ref()?;
        Some(format!(
            "{}: {} of `{}` that training did not have, the first is `{}` in line {}: they count \
             as missing",
            path.display(),
            plural(unknown.count as usize, "value"),
            column.name,
            unknown.first.value,
            unknown.first.line
        ))
    };
    let unknown = columns.iter().zip(&facts.columns).filter_map(of_column);
    undecided(path, facts).into_iter().chain(unknown).collect()
}

/// Texts as a message has them, not too many of them.
pub(crate) fn list<T: AsRef<str>>(texts: &[T]) -> String {
    const MOST: usize = 12;
    let shown: Vec<&str> = texts.iter().take(MOST).map(AsRef::as_ref).collect();
    let rest = texts.len() - shown.len();
    let more = if rest == 0 { String::new() } else { format!(" and {rest} more") };
    shown.join(", ") + &more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_end() {
        let texts: Vec<String> = (0..20).map(|n| n.to_string()).collect();
        assert_eq!(list(&texts[..2]), "0, 1");
        assert_eq!(list(&texts), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 8 more");
    }
}
