//! Rows of a table as features: numbers standardised, categories one-hot, missing cells
//! filled in.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::standard::{Standard, Sums};
use crate::Error;

/// How the columns of a table become features.
///
/// A row has one cell for each column, as `f32`: a number, the index of a category, or NaN
/// where the cell is missing or the category is not known. A row of cells becomes a row of
/// features:
///
/// - a number becomes `(x − mean) / deviation`; 0, the mean, where it is missing;
/// - a category becomes one feature for each of its values, 1 for its own and 0 elsewhere;
///   all 0 where it is missing or not known;
/// - a column that had missing cells in training gets one more feature: 1 where the cell is
///   missing.
///
/// ```
/// use nn::{Column, Columns};
/// let (nan, size, city) = (f32::NAN, Column::numbers("size"), ["Oslo", "Rome"]);
/// let cells = [2.0, 0.0, 6.0, 1.0, 4.0, nan];
/// // What is learned from the cells: here from all three rows.
/// let columns = Columns::fit(vec![size, Column::category("city", city)], &cells, 0..3)?;
/// assert_eq!(columns.feature_names(), ["size", "city=Oslo", "city=Rome", "city missing"]);
/// let mut features = vec![0.0; 2 * columns.width()];
/// columns.apply(&[4.0, 1.0, nan, nan], &mut features)?;
/// assert_eq!(features, [0., 0., 1., 0., 0., 0., 0., 1.]);
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    columns: Vec<Column>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target: Option<Target>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decimal: Option<char>,
}

/// A column of a table, and how its cells become features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What its cells are.
    pub kind: ColumnKind,
    /// Whether one more feature says where a cell is missing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub missing: bool,
}

/// What the cells of a column are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
#[non_exhaustive]
pub enum ColumnKind {
    /// Numbers, and what they are standardised with.
    Number(Standard),
    /// One of these values; a cell has its index.
    Category(Vec<String>),
}

/// What a network learns to predict of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Target {
    /// The name of its column.
    pub name: String,
    /// For real values: the network predicts them standardised with this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard: Option<Standard>,
}

impl Column {
    /// A column of numbers, standardised with `standard`.
    #[must_use]
    pub fn number(name: impl Into<String>, standard: Standard) -> Self {
        Self { name: name.into(), kind: ColumnKind::Number(standard), missing: false }
    }

    /// A column of numbers of which nothing is known yet; [`Columns::fit`] finds the rest.
    #[must_use]
    pub fn numbers(name: impl Into<String>) -> Self {
        Self::number(name, Standard::NONE)
    }

    /// A column of categories.
    #[must_use]
    pub fn category(
        name: impl Into<String>,
        values: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        Self { name: name.into(), kind: ColumnKind::Category(values), missing: false }
    }

    /// The column with one more feature, which says where a cell is missing.
    #[must_use]
    pub fn with_missing(self) -> Self {
        Self { missing: true, ..self }
    }

    /// The number of its features.
    #[must_use]
    pub fn width(&self) -> usize {
        let own = match &self.kind {
            ColumnKind::Number(_) => 1,
            ColumnKind::Category(values) => values.len(),
        };
        own + usize::from(self.missing)
    }

    fn validate(&self) -> Result<(), Error> {
        let name = &self.name;
        let refused = |reason| Err(Error::Preparation { reason });
        match &self.kind {
            ColumnKind::Number(standard) => standard.validate(name),
            ColumnKind::Category(values) if values.is_empty() => {
                refused(format!("the category `{name}` has no values, expected at least one"))
            }
            ColumnKind::Category(values) => match repeated(values) {
                Some(value) => refused(format!("the category `{name}` has `{value}` twice")),
                None => Ok(()),
            },
        }
    }
}

/// The first text that is in the list twice.
fn repeated(texts: &[String]) -> Option<&String> {
    let mut seen = HashSet::new();
    texts.iter().find(|text| !seen.insert(*text))
}

impl Columns {
    /// Columns of which everything is known.
    ///
    /// # Errors
    /// [`Error::Zero`] without a column, and [`Error::Preparation`] for two columns of one
    /// name, a category without values or with a value twice, a mean that is not finite or
    /// a deviation that is not above 0.
    pub fn new(columns: Vec<Column>) -> Result<Self, Error> {
        let columns = Self { columns, target: None, decimal: None };
        columns.validate()?;
        Ok(columns)
    }

    /// Learns from some rows of a table what their numbers are standardised with, and which
    /// columns have missing cells. `cells` is rows × columns, row-major; `rows` are the
    /// indices of the training rows: what is learned of others would be a hint that a
    /// network does not have when it is used.
    ///
    /// # Errors
    /// As for [`new`](Self::new); [`Error::Ragged`] where `cells` has no whole number of rows,
    /// [`Error::Subset`] for a row that is not there, and [`Error::NotFinite`] for an infinite
    /// cell.
    pub fn fit(
        columns: Vec<Column>,
        cells: &[f32],
        rows: impl IntoIterator<Item = usize> + Clone,
    ) -> Result<Self, Error> {
        let mut fitted = Self::new(columns)?;
        let count = fitted.check_cells(cells)?;
        let width = fitted.columns.len();
        let mut sums = vec![Sums::default(); width];
        for row in rows.clone() {
            if row >= count {
                return Err(Error::Subset { index: row, samples: count });
            }
            let cells = &cells[row * width..][..width];
            if let Some(feature) = cells.iter().position(|cell| cell.is_infinite()) {
                return Err(Error::NotFinite { sample: row, feature, value: cells[feature] });
            }
            sums.iter_mut().zip(cells).for_each(|(sums, cell)| sums.add(*cell));
        }
        sums.iter_mut().for_each(Sums::mean);
        for row in rows {
            let cells = &cells[row * width..][..width];
            sums.iter_mut().zip(cells).for_each(|(sums, cell)| sums.add_square(*cell));
        }
        for (column, sums) in fitted.columns.iter_mut().zip(sums) {
            column.missing |= sums.missing > 0;
            if let ColumnKind::Number(standard) = &mut column.kind {
                *standard = sums.standard();
            }
        }
        Ok(fitted)
    }

    /// The columns with what is predicted of a row. For real values, `standard` is what they
    /// were standardised with.
    #[must_use]
    pub fn with_target(self, name: impl Into<String>, standard: Option<Standard>) -> Self {
        Self { target: Some(Target { name: name.into(), standard }), ..self }
    }

    /// The columns with the decimal mark of their numbers, a point or a comma. Rows in text are
    /// read with it where they do not show it: `1.234` may be a thousand, or one and a bit.
    #[must_use]
    pub fn with_decimal(self, mark: char) -> Self {
        Self { decimal: Some(mark), ..self }
    }

    pub(crate) fn without_target(self) -> Self {
        Self { target: None, ..self }
    }

    /// The columns, in the order of a row's cells.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// What is predicted of a row, if it was said.
    #[must_use]
    pub fn target(&self) -> Option<&Target> {
        self.target.as_ref()
    }

    /// The decimal mark of numbers in text, if it was said.
    #[must_use]
    pub fn decimal(&self) -> Option<char> {
        self.decimal
    }

    /// The number of features of a row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.columns.iter().map(Column::width).fold(0, usize::saturating_add)
    }

    /// The name of each feature: that of its column, with the value of a category after `=`.
    #[must_use]
    pub fn feature_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for Column { name, kind, missing } in &self.columns {
            match kind {
                ColumnKind::Number(_) => names.push(name.clone()),
                ColumnKind::Category(values) => {
                    names.extend(values.iter().map(|value| format!("{name}={value}")));
                }
            }
            names.extend(missing.then(|| format!("{name} missing")));
        }
        names
    }

    /// Makes rows of cells (rows × columns, row-major) rows of features (rows × width).
    ///
    /// # Errors
    /// [`Error::Ragged`] where `cells` has no whole number of rows, [`Error::Length`] where
    /// `features` has not the right length, and [`Error::NotFinite`] for an infinite cell,
    /// or a category that is no index of its values.
    pub fn apply(&self, cells: &[f32], features: &mut [f32]) -> Result<(), Error> {
        let rows = self.check_cells(cells)?;
        let width = self.width();
        let (found, expected) = (features.len(), rows.saturating_mul(width));
        if found != expected {
            return Err(Error::Length { what: "list of features".into(), found, expected });
        }
        let rows = cells.chunks_exact(self.columns.len()).zip(features.chunks_exact_mut(width));
        for (sample, (cells, features)) in rows.enumerate() {
            let mut rest = features;
            for (feature, (column, cell)) in self.columns.iter().zip(cells).enumerate() {
                let (own, after) = rest.split_at_mut(column.width());
                column.apply(*cell, own).ok_or(Error::NotFinite {
                    sample,
                    feature,
                    value: *cell,
                })?;
                rest = after;
            }
        }
        Ok(())
    }

    /// The number of rows that `cells` has.
    fn check_cells(&self, cells: &[f32]) -> Result<usize, Error> {
        let (elements, width) = (cells.len(), self.columns.len());
        if elements % width != 0 {
            return Err(Error::Ragged { elements, width });
        }
        Ok(elements / width)
    }

    pub(crate) fn validate(&self) -> Result<(), Error> {
        if self.columns.is_empty() {
            return Err(Error::Zero { what: "number of columns".into() });
        }
        let names: Vec<_> = self.columns.iter().map(|column| column.name.clone()).collect();
        let target = self.target.as_ref();
        let both = repeated(&names)
            .or(names.iter().find(|name| target.is_some_and(|target| target.name == **name)));
        if let Some(name) = both {
            let reason = format!("two columns are called `{name}`");
            return Err(Error::Preparation { reason });
        }
        if let Some(mark) = self.decimal.filter(|mark| !matches!(mark, '.' | ',')) {
            let reason = format!("the decimal mark is {mark:?}, expected a point or a comma");
            return Err(Error::Preparation { reason });
        }
        if let Some(Target { name, standard: Some(standard) }) = target {
            standard.validate(name)?;
        }
        self.columns.iter().try_for_each(Column::validate)
    }
}

impl Column {
    /// Writes the features of a cell; `None` if it has none.
    fn apply(&self, cell: f32, features: &mut [f32]) -> Option<()> {
        if cell.is_infinite() {
            return None;
        }
        features.fill(0.0);
        if cell.is_nan() {
            if let (true, Some(last)) = (self.missing, features.last_mut()) {
                *last = 1.0;
            }
            return Some(());
        }
        match &self.kind {
            ColumnKind::Number(standard) => features[0] = standard.apply(cell),
            ColumnKind::Category(values) => {
                let index = cell as usize;
                if index >= values.len() || index as f32 != cell {
                    return None;
                }
                features[index] = 1.0;
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAN: f32 = f32::NAN;

    fn table() -> Vec<Column> {
        vec![
            Column::numbers("a"),
            Column::category("b", ["x", "y", "z"]),
            Column::numbers("c"),
            Column::numbers("d"),
        ]
    }

    /// The last row is not looked at: it would change everything.
    const CELLS: [f32; 16] = [
        1.0, 2.0, 7.0, NAN, //
        5.0, 0.0, 7.0, 2.0, //
        3.0, 1.0, 7.0, 4.0, //
        1e6, NAN, NAN, 1e6,
    ];

    #[test]
    fn the_training_rows_alone_say_how() {
        let columns = Columns::fit(table(), &CELLS, [0, 1, 2]).unwrap();
        let number = |name, mean, deviation| Column::number(name, Standard { mean, deviation });
        let deviation = (8.0f64 / 3.0).sqrt();
        let expected = [
            number("a", 3.0, deviation),
            Column::category("b", ["x", "y", "z"]),
            number("c", 7.0, 1.0),
            number("d", 3.0, 1.0).with_missing(),
        ];
        assert_eq!(columns.columns(), expected);
        assert_eq!(columns.width(), 7);
        assert_eq!(columns.feature_names(), ["a", "b=x", "b=y", "b=z", "c", "d", "d missing"]);
        let mut features = vec![9.0; 4 * 7];
        columns.apply(&CELLS, &mut features).unwrap();
        let one = (2.0 / deviation) as f32;
        assert_eq!(features[..7], [-one, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0]);
        assert_eq!(features[7..14], [one, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0]);
        assert_eq!(features[14..21], [0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0]);
        // Missing where none was in training: the mean, and no value at all.
        assert_eq!(features[22..26], [0.0; 4]);
    }

    #[test]
    fn equal_numbers_have_no_deviation() {
        for value in [0.1, 0.0, -3e30, 1e-40] {
            let standard = Standard::of(&[value; 1000]);
            assert_eq!(standard.deviation, 1.0, "{value}");
            assert!(standard.apply(value).abs() < 1e-6 * value.abs().max(1e-6), "{value}");
        }
        assert_eq!(Standard::of(&[NAN, NAN]), Standard::NONE);
        assert_eq!(Standard::of(&[]), Standard::NONE);
    }

    #[test]
    fn what_is_wrong_is_an_error() {
        let one = |column| Columns::new(vec![column]).unwrap_err().to_string();
        assert!(matches!(Columns::new(vec![]), Err(Error::Zero { .. })));
        assert!(one(Column::category("b", [""; 0])).contains("`b` has no values"));
        assert!(one(Column::category("b", ["x", "y", "x"])).contains("`b` has `x` twice"));
        for (mean, deviation) in [(f64::NAN, 1.0), (0.0, 0.0), (0.0, f64::INFINITY), (0.0, -1.0)] {
            let text = one(Column::number("a", Standard { mean, deviation }));
            assert!(text.contains("column `a` has a mean of"), "{text}");
        }
        let twice = Columns::new(vec![Column::numbers("a"), Column::numbers("a")]).unwrap_err();
        assert!(twice.to_string().contains("two columns are called `a`"), "{twice}");
        let target = Columns::new(table()).unwrap().with_target("c", None);
        assert!(target.validate().is_err());
        let decimal = Columns::new(table()).unwrap().with_decimal(';').validate().unwrap_err();
        assert!(decimal.to_string().contains("the decimal mark is ';', expected a"), "{decimal}");

        assert!(matches!(Columns::fit(table(), &CELLS[1..], 0..1), Err(Error::Ragged { .. })));
        assert!(matches!(Columns::fit(table(), &CELLS, [4]), Err(Error::Subset { index: 4, .. })));
        let columns = Columns::fit(table(), &CELLS, 0..3).unwrap();
        let mut features = [0.0; 7];
        for (column, cell) in [(0, f32::INFINITY), (1, 3.0), (1, -1.0), (1, 0.5), (1, 1e30)] {
            let mut cells = [0.0; 4];
            cells[column] = cell;
            let error = columns.apply(&cells, &mut features).unwrap_err();
            assert!(
                matches!(error, Error::NotFinite { sample: 0, feature, .. } if feature == column),
                "{column} {cell}: {error}"
            );
        }
        assert!(matches!(columns.apply(&[0.0; 8], &mut features), Err(Error::Length { .. })));
        assert!(matches!(columns.apply(&[0.0; 3], &mut features), Err(Error::Ragged { .. })));
    }

    #[test]
    fn the_decimal_mark_is_kept() {
        let columns = Columns::new(table()).unwrap();
        assert!(!serde_json::to_string(&columns).unwrap().contains("decimal"));
        let columns = columns.with_decimal(',');
        let text = serde_json::to_string(&columns).unwrap();
        let read: Columns = serde_json::from_str(&text).unwrap();
        assert!(read.validate().is_ok() && read.decimal() == Some(','), "{text}");
    }

    #[test]
    fn a_category_is_an_index() {
        let columns = Columns::new(vec![Column::category("b", ["x"]).with_missing()]).unwrap();
        let mut features = [9.0; 4];
        columns.apply(&[0.0, NAN], &mut features).unwrap();
        assert_eq!(features, [1.0, 0.0, 0.0, 1.0]);
    }
}
