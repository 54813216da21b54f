//! Samples with answers, in the form that a saved model takes.

use std::path::Path;

use mnist_io::{
    ClassNames, Classes, ColumnKind, Features, ImageSize, Part, Samples, Table, Targets, Wanted,
};
use nn::{Columns, ImageForm};

use super::table::{self, Prepared, Tables, list};
use super::{Location, TableFault, home};
use crate::config::Config;
use crate::error::{Error, one_line};
use crate::model::Model;
use crate::words::plural;

/// Samples that a model can be judged by.
pub(crate) struct Labelled {
    pub(crate) samples: Samples,
    /// Of a table: rows × columns, and their columns.
    cells: Vec<f32>,
    columns: Vec<mnist_io::Column>,
    /// The names of the classes that the files have, if they have any.
    pub(crate) names: Option<ClassNames>,
    /// What the user should know, a line each.
    pub(crate) notes: Vec<String>,
}

impl Labelled {
    /// The samples of these data: the test part, where there is one, otherwise all.
    pub(crate) fn open(model: &Model, location: Location<'_>) -> Result<Self, Error> {
        location.check()?;
        let path = location.path;
        let other = |path: &Path| (path.to_owned(), model.path.clone());
        match model.columns() {
            Some(_) if mnist_io::find_source(&home(path)).is_ok() => {
                let (input, model) = other(path);
                Err(Error::NeedsTable { input, model })
            }
            Some(columns) => Self::table(model, columns, path),
            None if super::is_table(path) => {
                let (input, model) = other(path);
                Err(Error::NeedsImages { input, model })
            }
            None => Self::images(model, location),
        }
    }

    /// The test samples of a run with these settings, as its end has them.
    pub(crate) fn of_run(config: &Config) -> Result<Self, Error> {
        config.data.check_labels()?;
        if super::is_table(&config.data.dir) {
            let tables = Tables::open(config)?;
            let cells = tables.test.cells().to_vec();
            let split = super::held_out(config, &tables.training.targets)?;
            let Prepared { test: samples, columns, .. } = tables.prepare(split.as_ref())?;
            let columns = table::known(&columns);
            return Ok(Self { samples, cells, columns, names: None, notes: Vec::new() });
        }
        // What there is to say was said when the run began.
        let (training, samples) = super::parts(config, &mut Vec::new())?;
        super::check_pair(&config.data.dir, &training, &samples)?;
        super::check_finite(&config.data.dir, Part::Test, &samples)?;
        let names = super::classes(&training).and_then(Classes::names).cloned();
        let (cells, columns, notes) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { samples, cells, columns, names, notes })
    }

    fn images(model: &Model, location: Location<'_>) -> Result<Self, Error> {
        let path = location.path;
        let form = model.image();
        // Pictures of any size; IDX has its own.
        let size = form.map(|form| ImageSize { rows: form.rows, cols: form.cols });
        let samples = location.to_test_on(size)?;
        let samples = match form {
            Some(ImageForm { transpose: true, .. }) => samples.transposed(),
            _ => samples,
        };
        super::check_finite(path, Part::Test, &samples)?;
        let expected = model.network.architecture().inputs;
        if expected != samples.width() {
            let (model, dir) = (model.path.clone(), path.to_owned());
            return Err(Error::ImageSize { model, expected, dir, found: super::size(&samples) });
        }
        let names = super::classes(&samples).and_then(Classes::names).cloned();
        // The names of folders say which class is which, and so do numbers where the model's
        // names are numbers; those of classes.txt are compared.
        let folders = names.as_ref().is_some_and(|names| names.path.is_dir());
        let mut notes = Vec::new();
        let samples = match model.classes() {
            Some(count) if folders || names.is_none() && model.network.class_names().is_some() => {
                let known: Vec<String> = (0..count).map(|class| model.class_name(class)).collect();
                notes.extend(super::perhaps_from_one(&samples, &known, path)?);
                super::renumbered(samples, &known, path, &model.path.display().to_string())?
            }
            _ => samples,
        };
        let (cells, columns) = (Vec::new(), Vec::new());
        notes.extend(model.scale_note(path, samples.features()));
        let names = names.filter(|_| !folders);
        Ok(Self { samples, cells, columns, names, notes })
    }

    fn table(model: &Model, columns: &Columns, path: &Path) -> Result<Self, Error> {
        let path = &*home(path);
        let fault = |fault| Error::Table { path: path.to_owned(), fault };
        let Some(target) = columns.target() else {
            return Err(Error::UnknownForm { model: model.path.clone() });
        };
        let mut known = table::known(columns);
        let names: Vec<String> =
            (0..model.classes().unwrap_or(0)).map(|class| model.class_name(class)).collect();
        // Classes that are numbers are read as such: 1.0 is 1.
        let numbers = names.iter().all(|name| name.parse::<f32>().is_ok());
        let kind = if numbers {
            ColumnKind::Number
        } else {
            ColumnKind::Category { values: names.clone() }
        };
        known.push(mnist_io::Column::new(&target.name, kind));
        let wanted = Wanted { columns: &known, optional: &[] };
        let table = Table::read_with(path, wanted, &table::known_options(columns))?;
        let name = || target.name.clone();
        let other_class =
            |found| fault(TableFault::UnknownClass { name: name(), found, known: list(&names) });
        if let Some(unknown) = &table.facts().columns[known.len() - 1].unknown {
            return Err(other_class(unknown.first.value.clone()));
        }
        let mut notes = table::unknown(path, &known, table.facts());
        let (mut cells, mut targets) = (Vec::new(), Vec::new());
        for row in table.cells().chunks_exact(known.len()) {
            if let [row @ .., answer] = row
                && !answer.is_nan()
            {
                cells.extend_from_slice(row);
                targets.push(*answer);
            }
        }
        let without = table.rows() - targets.len();
        if targets.is_empty() {
            return Err(fault(TableFault::NoTargets { name: name() }));
        }
        if without > 0 {
            notes.push(format!("{} without a target are left out", plural(without, "row")));
        }
        known.pop();
        let targets = if names.is_empty() {
            let standard = target.standard.unwrap_or(nn::Standard::NONE);
            Targets::Values(targets.iter().map(|value| standard.apply(*value)).collect())
        } else {
            let label = |answer: &f32| {
                if !numbers {
                    return Ok(*answer as u8);
                }
                let found = names.iter().position(|name| name.parse() == Ok(*answer));
                found.map(|label| label as u8).ok_or_else(|| other_class(answer.to_string()))
            };
            let labels: Vec<u8> = targets.iter().map(label).collect::<Result<_, _>>()?;
            Targets::Classes(Classes::new(labels.into(), None).with_count(names.len()))
        };
        let width = columns.width();
        let mut features = vec![0.0; targets.len() * width];
        columns.apply(&cells, &mut features)?;
        let samples = Samples::new(Features::Real(features), width, targets);
        Ok(Self { samples, cells, columns: known, names: None, notes })
    }

    /// A row of a table as text: its first columns.
    pub(crate) fn row(&self, index: usize) -> String {
        const MOST: usize = 6;
        let width = self.columns.len();
        let cells = self.cells.get(index * width..).unwrap_or_default();
        let cell = |(column, cell): (&mnist_io::Column, &f32)| {
            let value = match &column.kind {
                _ if cell.is_nan() => "missing".to_owned(),
                ColumnKind::Category { values } => values[*cell as usize].clone(),
                _ => cell.to_string(),
            };
            format!("{} {value}", column.name)
        };
        let cell = |of| one_line(&cell(of));
        let shown: Vec<String> = self.columns.iter().zip(cells).take(MOST).map(cell).collect();
        shown.join(", ") + if width > MOST { ", …" } else { "" }
    }
}
