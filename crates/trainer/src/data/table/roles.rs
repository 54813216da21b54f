//! What each column of a table is for.

use std::path::PathBuf;

use mnist_io::{Bytes, ClassNames, Classes, ColumnFacts, ColumnKind, Facts, Schema, Targets};
use nn::Column;
use serde::Serialize;

use super::texts::{first_text, slips, texts};
use super::{Rows, list};
use crate::config::{Config, Task};
use crate::data::TableFault;
use crate::words::plural;

/// A target of whole numbers with more different values than this is a number.
const MOST_CLASSES: usize = 20;

/// The most classes there can be: a label is a byte.
const MOST_LABELS: usize = 256;

/// What each column of a table is for.
pub(super) struct Roles {
    /// Position of the target.
    pub(super) target: usize,
    /// Its name.
    pub(super) name: String,
    /// The names of the classes, unless the target is a number.
    classes: Option<Vec<String>>,
    /// The file that they are from.
    path: PathBuf,
    pub(super) weight: Option<usize>,
    /// Positions of the columns that become features.
    features: Vec<usize>,
    /// Positions of columns that are left out, and why.
    pub(super) left_out: Vec<(usize, String)>,
}

/// What was made of a column, as `summary.json` has it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ColumnUse {
    name: String,
    /// `feature`, `target`, `weight`, `left-out` or `ignored`.
    #[serde(rename = "use")]
    role: &'static str,
    /// `number`, `category` or `text`; `None` if nobody looked at its cells.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    /// The number of different values, unless they are numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<usize>,
    /// Cells that are missing, in all rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<u64>,
    /// Why it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Roles {
    /// The columns whose cells may be numbers: those of features, and a target that is one.
    pub(super) fn numbers(&self) -> impl Iterator<Item = usize> {
        let target = self.classes.is_none().then_some(self.target);
        self.features.iter().copied().chain(target)
    }

    pub(super) fn find(
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
            schema.position(name).ok_or_else(|| TableFault::no_column(flag, name, schema))
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
                Some(format!("it has {}", texts(facts_of, facts.rows)))
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
    pub(super) fn columns(&self, schema: &Schema) -> Vec<Column> {
        let columns = self.features.iter().map(|&at| &schema.columns[at]);
        let column = |column: &mnist_io::Column| match &column.kind {
            ColumnKind::Category { values } => Column::category(&*column.name, values),
            _ => Column::numbers(&*column.name),
        };
        columns.map(column).collect()
    }

    /// The rows of a table with these columns, without those that have no target.
    /// `weight` is the column that says how much each row counts.
    pub(super) fn rows(
        &self,
        schema: &Schema,
        cells: &[f32],
        weight: Option<usize>,
    ) -> Result<Rows, TableFault> {
        let width = schema.columns.len();
        let count = cells.len() / width;
        let mut features = Vec::with_capacity(count * self.features.len());
        let mut targets = Vec::with_capacity(count);
        let (mut weights, mut numbers) = (Vec::new(), Vec::with_capacity(count));
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
            numbers.push(row as u64 + 1);
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
        Ok(Rows { cells: features, targets, weights, numbers })
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

    pub(super) fn unknown_class(&self, found: String) -> TableFault {
        let known = list(self.classes.as_deref().unwrap_or_default());
        TableFault::UnknownClass { name: self.name.clone(), found, known }
    }

    /// What was made of each column: those of the file in their order, then those that are
    /// `ignored`.
    pub(super) fn uses(
        &self,
        schema: &Schema,
        facts: &Facts,
        ignored: &[String],
    ) -> Vec<ColumnUse> {
        let of_column = |(at, (column, facts)): (usize, (&mnist_io::Column, &ColumnFacts))| {
            let left_out = self.left_out.iter().find(|(position, _)| *position == at);
            let role = match left_out {
                _ if at == self.target => "target",
                _ if Some(at) == self.weight => "weight",
                Some(_) => "left-out",
                None => "feature",
            };
            let (kind, values) = match (&column.kind, &self.classes) {
                (_, Some(classes)) if at == self.target => ("category", Some(classes.len())),
                (ColumnKind::Category { values }, _) => ("category", Some(values.len())),
                (ColumnKind::Text, _) => ("text", Some(facts.distinct)),
                _ => ("number", None),
            };
            ColumnUse {
                name: column.name.clone(),
                role,
                kind: Some(kind),
                values,
                missing: Some(facts.missing),
                reason: left_out.map(|(_, why)| why.clone()),
            }
        };
        let ignored = ignored.iter().map(|name| ColumnUse {
            name: name.clone(),
            role: "ignored",
            kind: None,
            values: None,
            missing: None,
            reason: None,
        });
        let columns = schema.columns.iter().zip(&facts.columns).enumerate().map(of_column);
        columns.chain(ignored).collect()
    }

    pub(super) fn notes(&self, config: &Config, schema: &Schema, facts: &Facts) -> Vec<String> {
        // First what is probably a slip.
        let slips = slips(config, schema, facts);
        let is_slip = |at: &usize| slips.iter().any(|(slip, _)| slip == at);
        let mut notes: Vec<String> = slips.iter().map(|(_, note)| note.clone()).collect();
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
                && !is_slip(at)
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
        for (at, why) in self.left_out.iter().filter(|(at, _)| !is_slip(at)) {
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

/// What to say of the first line, where it may have been taken for what it is not. Names above
/// numbers are what they seem, unless they are numbers too.
pub(super) fn first_line(schema: &Schema) -> Option<String> {
    let columns = &schema.columns;
    let has_numbers = columns.iter().any(|column| column.kind == ColumnKind::Number);
    let all_numbers = columns.iter().all(|column| column.name.parse::<f64>().is_ok());
    match (schema.dialect.header, has_numbers && !all_numbers) {
        (true, true) => None,
        (true, false) => Some(
            "the first line is taken for the names of the columns: --set data.header=no says \
             otherwise"
                .to_owned(),
        ),
        (false, _) => Some(format!(
            "the first line is taken for a row, and the columns are called {}: --set \
             data.header=yes says otherwise",
            list(&columns.iter().map(|column| &*column.name).collect::<Vec<_>>())
        )),
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
            return Err(format!("it has {}, expected classes or numbers", texts(facts, rows)));
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

/// Values that are numbers, in a column that has texts too: these may be slips.
fn numbers_in(values: &[String]) -> Option<usize> {
    let numbers = values.iter().filter(|value| value.parse::<f64>().is_ok()).count();
    (2 * numbers > values.len() && numbers < values.len()).then_some(numbers)
}
