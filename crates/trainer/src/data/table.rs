//! Tables: which column is predicted, what becomes of the others, and which rows are tested
//! on.

use std::path::{Path, PathBuf};

use mnist_io::{
    Bytes, ClassNames, Classes, ColumnFacts, ColumnKind, Facts, Features, Place, Samples, Schema,
    Table, TableOptions, Targets, Wanted,
};
use nn::{Column, Columns, Split, Standard};

use super::{TableFault, home};
use crate::config::{Config, Header, Missing, Separator, Task};
use crate::error::Error;

/// A target of whole numbers with more different values than this is a number.
const MOST_CLASSES: usize = 20;

/// The most classes there can be: a label is a byte.
const MOST_LABELS: usize = 256;

/// A table for a run, before anything is learned of its columns.
pub(crate) struct Tables {
    columns: Vec<Column>,
    target: String,
    /// The rows to train on.
    pub(crate) training: Rows,
    test: Rows,
    /// What the user should know, a line each.
    pub(crate) notes: Vec<String>,
}

/// Some rows of a table.
pub(crate) struct Rows {
    /// Rows × columns, without the target.
    cells: Vec<f32>,
    pub(crate) targets: Targets,
    /// How much each row counts, if a column says so.
    pub(crate) weights: Option<Vec<f32>>,
}

/// The rows of a table as a network takes them.
pub(crate) struct Prepared {
    pub(crate) training: Samples,
    pub(crate) test: Samples,
    /// How they were made.
    pub(crate) columns: Columns,
}

impl Tables {
    /// Reads the table of a run, and that of its test rows; without one, it takes a share of
    /// the rows for that.
    pub(crate) fn open(config: &Config) -> Result<Self, Error> {
        let path = home(&config.data.dir);
        let fault = |fault| Error::Table { path: path.to_path_buf(), fault };
        let table = Table::read(&path, &options(config))?;
        let (schema, facts, cells) = table.into_parts();
        let roles = Roles::find(config, &schema, &facts, &cells).map_err(fault)?;
        let rows = roles.rows(&schema, &cells, roles.weight).map_err(fault)?;
        drop(cells);
        let mut notes = roles.notes(&schema, &facts);
        notes.extend(rows.note(facts.rows));
        let (training, test) = match &config.data.test {
            Some(test) => {
                let path = home(test);
                let fault = |fault| Error::Table { path: path.to_path_buf(), fault };
                // What is left out, and what a row counts, is not needed of it.
                let name = |at: &usize| schema.columns[*at].name.clone();
                let optional = roles.left_out.iter().map(|(at, _)| at).chain(&roles.weight);
                let optional: Vec<String> = optional.map(name).collect();
                let wanted = Wanted { columns: &schema.columns, optional: &optional };
                let table = Table::read_with(&path, wanted, &options(config))?;
                if let Some(unknown) = &table.facts().columns[roles.target].unknown {
                    let found = unknown.first.value.clone();
                    return Err(fault(roles.unknown_class(found)));
                }
                notes.extend(unknown(&path, &schema.columns, table.facts()));
                let test = roles.rows(&schema, table.cells(), None).map_err(fault)?;
                notes.extend(test.note(table.facts().rows));
                (rows, test)
            }
            None => rows.divide(config)?,
        };
        let columns = roles.columns(&schema);
        if config.data.missing == Missing::Error {
            for rows in [&training, &test] {
                rows.check_missing(&columns).map_err(fault)?;
            }
        }
        Ok(Self { columns, target: roles.name, training, test, notes })
    }

    /// Learns from the rows that are trained on how cells become features, and makes them so.
    /// `split` says which rows are held out.
    pub(crate) fn prepare(self, split: Option<&Split>) -> Result<Prepared, Error> {
        let Self { columns, target, training, test, .. } = self;
        let all = 0..training.targets_len() as u32;
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
        let columns = Columns::fit(columns, &training.cells, rows.iter().copied())?
            .with_target(target, standard);
        let [training, test] = [training, test].map(|rows| rows.prepare(&columns, standard));
        Ok(Prepared { training: training?, test: test?, columns })
    }
}

/// What each column of a table is for.
struct Roles {
    /// Position of the target.
    target: usize,
    /// Its name.
    name: String,
    /// The names of the classes, unless the target is a number.
    classes: Option<Vec<String>>,
    /// The file that they are from.
    path: PathBuf,
    weight: Option<usize>,
    /// Positions of the columns that become features.
    features: Vec<usize>,
    /// Positions of columns that are left out, and why.
    left_out: Vec<(usize, String)>,
}

impl Roles {
    fn find(
        config: &Config,
        schema: &Schema,
        facts: &Facts,
        cells: &[f32],
    ) -> Result<Self, TableFault> {
        let names: Vec<&str> = schema.columns.iter().map(|column| &*column.name).collect();
        let find = |flag: &'static str, name: &str| {
            if config.data.ignore.iter().any(|ignored| ignored == name) {
                return Err(TableFault::Ignored { flag, name: name.to_owned() });
            }
            schema.position(name).ok_or_else(|| TableFault::no_column(flag, name, &names))
        };
        let Some(name) = &config.data.target else {
            return Err(TableFault::NoTarget { names: list(&names) });
        };
        let target = find("--target", name)?;
        let weight = config.data.weight.as_ref();
        let weight = weight.map(|name| find("--weight", name)).transpose()?;
        if let Some(weight) = weight.filter(|&at| schema.columns[at].kind != ColumnKind::Number) {
            return Err(TableFault::WeightText { name: names[weight].to_owned() });
        }
        let values = cells.iter().skip(target).step_by(names.len());
        let column = (&schema.columns[target].kind, &facts.columns[target]);
        let classes = classes(config.data.task, column, values, facts.rows)
            .map_err(|reason| TableFault::Target { name: name.clone(), reason })?;
        let (mut features, mut left_out) = (Vec::new(), Vec::new());
        for (at, column) in schema.columns.iter().enumerate() {
            if at == target || Some(at) == weight {
                continue;
            }
            let facts_of = &facts.columns[at];
            let why = if column.kind == ColumnKind::Text {
                Some(format!(
                    "it has {} different texts{}",
                    facts_of.distinct,
                    first_text(facts_of)
                ))
            } else if schema.row_numbers(facts) == Some(at) {
                Some("it numbers the rows".to_owned())
            } else if facts_of.missing == facts.rows {
                Some("all its cells are missing".to_owned())
            } else {
                None
            };
            match why {
                Some(why) => left_out.push((at, why)),
                None => features.push(at),
            }
        }
        if features.is_empty() {
            return Err(TableFault::NoFeatures { target: name.clone() });
        }
        let (name, path) = (name.clone(), config.data.dir.clone());
        Ok(Self { target, name, classes, path, weight, features, left_out })
    }

    /// The columns that become features.
    fn columns(&self, schema: &Schema) -> Vec<Column> {
        let columns = self.features.iter().map(|&at| &schema.columns[at]);
        let column = |column: &mnist_io::Column| match &column.kind {
            ColumnKind::Category { values } => Column::category(&*column.name, values),
            _ => Column::numbers(&*column.name),
        };
        columns.map(column).collect()
    }

    /// The rows of a table with these columns, without those that have no target.
    /// `weight` is the column that says how much each row counts.
    fn rows(
        &self,
        schema: &Schema,
        cells: &[f32],
        weight: Option<usize>,
    ) -> Result<Rows, TableFault> {
        let width = schema.columns.len();
        let count = cells.len() / width;
        let mut features = Vec::with_capacity(count * self.features.len());
        let mut targets = Vec::with_capacity(count);
        let mut weights = Vec::new();
        for (row, cells) in cells.chunks_exact(width).enumerate() {
            let target = cells[self.target];
            if target.is_nan() {
                continue;
            }
            if let Some(at) = weight {
                let found = cells[at];
                if !(found >= 0.0 && found.is_finite()) {
                    let name = schema.columns[at].name.clone();
                    return Err(TableFault::Weight { name, row, found });
                }
                weights.push(found);
            }
            targets.push(target);
            features.extend(self.features.iter().map(|&at| cells[at]));
        }
        if targets.is_empty() {
            return Err(TableFault::NoTargets { name: self.name.clone() });
        }
        let targets = match &self.classes {
            None => Targets::Values(targets),
            Some(names) => {
                let labels = self.labels(schema, &targets, names)?;
                let names = ClassNames { path: self.path.clone(), names: names.clone() };
                Targets::Classes(
                    Classes::new(labels, Some(names.clone())).with_count(names.names.len()),
                )
            }
        };
        let weights = weight.is_some().then_some(weights);
        Ok(Rows { cells: features, targets, weights })
    }

    /// The index of each target among the classes.
    fn labels(
        &self,
        schema: &Schema,
        targets: &[f32],
        names: &[String],
    ) -> Result<Bytes, TableFault> {
        if let ColumnKind::Category { .. } = schema.columns[self.target].kind {
            return Ok(targets.iter().map(|target| *target as u8).collect::<Vec<_>>().into());
        }
        let label = |target: &f32| {
            let text = target.to_string();
            let position = names.iter().position(|name| *name == text);
            position.map(|label| label as u8).ok_or_else(|| self.unknown_class(text))
        };
        Ok(targets.iter().map(label).collect::<Result<Vec<_>, _>>()?.into())
    }

    fn unknown_class(&self, found: String) -> TableFault {
        let known = list(self.classes.as_deref().unwrap_or_default());
        TableFault::UnknownClass { name: self.name.clone(), found, known }
    }

    fn notes(&self, schema: &Schema, facts: &Facts) -> Vec<String> {
        let mut notes = Vec::new();
        let name = |at: &usize| schema.columns[*at].name.clone();
        let (mut numbers, mut categories) = (0, Vec::new());
        for at in &self.features {
            match &schema.columns[*at].kind {
                ColumnKind::Category { .. } => categories.push(name(at)),
                _ => numbers += 1,
            }
        }
        let mut text = format!(
            "the table has {} rows; features are {} of numbers",
            facts.rows,
            plural(numbers, "column")
        );
        if !categories.is_empty() {
            text += &format!(" and {} of categories ({})", categories.len(), list(&categories));
        }
        notes.push(text);
        let task = match &self.classes {
            Some(names) => format!("{} classes ({})", names.len(), list(names)),
            None => "a number".to_owned(),
        };
        notes.push(format!("`{}` is predicted as {task}: --task says otherwise", self.name));
        for at in &self.features {
            if let ColumnKind::Category { values } = &schema.columns[*at].kind
                && let Some(numbers) = numbers_in(values)
            {
                notes.push(format!(
                    "column `{}` is a category, though {numbers} of its {} values are numbers{}: an \
                     empty cell is a missing number",
                    name(at),
                    values.len(),
                    first_text(&facts.columns[*at])
                ));
            }
        }
        for (at, why) in &self.left_out {
            notes.push(format!("column `{}` is left out, because {why}", name(at)));
        }
        let missing: Vec<_> =
            self.features.iter().filter(|&&at| facts.columns[at].missing > 0).map(name).collect();
        if !missing.is_empty() {
            notes.push(format!(
                "{} with missing cells: {}",
                plural(missing.len(), "column"),
                list(&missing)
            ));
        }
        notes
    }
}

/// The names of the classes of a target; `None` if it is a number. By itself a number is a
/// class if there are few different ones, all of them whole.
fn classes<'a>(
    task: Task,
    (kind, facts): (&ColumnKind, &ColumnFacts),
    values: impl Iterator<Item = &'a f32>,
    rows: u64,
) -> Result<Option<Vec<String>>, String> {
    let names = match (kind, task) {
        (ColumnKind::Text, _) => {
            let (count, first) = (facts.distinct, first_text(facts));
            return Err(format!(
                "it has {count} different texts{first}, expected classes or numbers"
            ));
        }
        (ColumnKind::Category { .. }, Task::Regression) => {
            return Err("it has texts, expected numbers for regression".to_owned());
        }
        (ColumnKind::Category { values }, _) => values.clone(),
        // As with one class, there is nothing to learn.
        (_, Task::Regression | Task::Auto) if facts.distinct == 1 => {
            let value = facts.range.map_or(0.0, |(least, _)| least);
            return Err(format!("it is {value} in every row"));
        }
        (_, Task::Regression) => return Ok(None),
        (_, Task::Auto) if !facts.whole || facts.distinct > MOST_CLASSES => return Ok(None),
        // With a class for each row or two, it is a number.
        (_, Task::Auto) if 2 * facts.distinct as u64 > rows => return Ok(None),
        _ => {
            let mut numbers: Vec<f32> = values.copied().filter(|value| !value.is_nan()).collect();
            numbers.sort_unstable_by(f32::total_cmp);
            numbers.dedup();
            numbers.iter().map(f32::to_string).collect()
        }
    };
    if names.len() > MOST_LABELS {
        return Err(format!(
            "it has {} different values, expected no more than {MOST_LABELS} classes",
            names.len()
        ));
    }
    Ok(Some(names))
}

impl Rows {
    fn targets_len(&self) -> usize {
        match &self.targets {
            Targets::Classes(classes) => classes.labels().len(),
            Targets::Values(values) => values.len(),
        }
    }

    /// What to say where rows have no target.
    fn note(&self, all: u64) -> Option<String> {
        let without = all - self.targets_len() as u64;
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
        let width = self.cells.len() / self.targets_len();
        let of = |row: &u32| &self.cells[*row as usize * width..][..width];
        let weights = self.weights.as_ref();
        Self {
            cells: rows.iter().flat_map(of).copied().collect(),
            targets: self.targets.subset(rows),
            weights: weights.map(|all| rows.iter().map(|&row| all[row as usize]).collect()),
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
        let mut features = vec![0.0; self.targets_len() * width];
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

/// Where the first text of a column is, of which more cells may be numbers.
fn first_text(facts: &ColumnFacts) -> String {
    let first = facts.first_text.as_ref();
    first.map_or_else(String::new, |Place { line, value }| {
        format!(", the first is `{value}` in line {line}")
    })
}

/// Values that are numbers, in a column that has texts too: these may be slips.
fn numbers_in(values: &[String]) -> Option<usize> {
    let numbers = values.iter().filter(|value| value.parse::<f64>().is_ok()).count();
    (2 * numbers > values.len() && numbers < values.len()).then_some(numbers)
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

/// The columns that a model takes, as a reader of tables knows them.
pub(crate) fn known(columns: &Columns) -> Vec<mnist_io::Column> {
    let column = |column: &Column| {
        let kind = match &column.kind {
            nn::ColumnKind::Category(values) => ColumnKind::Category { values: values.clone() },
            _ => ColumnKind::Number,
        };
        mnist_io::Column { name: column.name.clone(), kind }
    };
    columns.columns().iter().map(column).collect()
}

/// What to say of values that training did not have, a line for each column.
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
    columns.iter().zip(&facts.columns).filter_map(of_column).collect()
}

/// `1 row`, `2 rows`.
pub(crate) fn plural(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
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
