//! A sample as the page shows it.

use std::fmt;

use nn::{Column, ColumnKind, Columns, ImageForm, Mlp, Preparation};

use crate::augment::Prepared;
use crate::report::html::short;
use crate::report::picture::Image;

/// Columns of a table that are shown of a row.
const MOST_COLUMNS: usize = 8;

/// Where a sample is to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The row of its file, from 1.
    Row(u64),
    /// Its index among the samples of its part, from 0.
    Sample(usize),
}

impl Place {
    /// What it counts, in a word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Row(_) => "row",
            Self::Sample(_) => "sample",
        }
    }

    /// What to say of a table of such samples.
    pub(crate) fn caption(self) -> &'static str {
        match self {
            Self::Row(_) => {
                "The samples, by their row in the data file (the first below the header is 1), \
                 with their first columns"
            }
            Self::Sample(_) => "The samples, with their first columns",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row(row) => row.fmt(f),
            Self::Sample(index) => index.fmt(f),
        }
    }
}

/// What is shown of a sample.
pub(crate) enum Look {
    Image(Image),
    /// The first columns of a row: name and cell.
    Row(Vec<(String, String)>),
    /// Nothing is known of its features.
    Bare,
}

/// Shows samples in the form that a network takes.
pub(super) struct Shower<'a> {
    pub(super) network: &'a Mlp,
    pub(super) samples: &'a Prepared<'a>,
    /// Which row of its file each is, from 1; of a table alone.
    pub(super) rows: Option<Vec<u64>>,
}

impl Shower<'_> {
    /// What a sample is called: its row in the file, or otherwise `index`.
    pub(super) fn place(&self, at: usize, index: usize) -> Place {
        match self.rows.as_ref().and_then(|rows| rows.get(at)) {
            Some(row) => Place::Row(*row),
            None => Place::Sample(index),
        }
    }

    pub(super) fn look(&self, index: usize) -> Look {
        match self.network.preparation() {
            Some(Preparation::Image(form)) => {
                let ink = self.samples.ink(index, form, self.network.pixel_scale());
                // A file may have a form that is not that of its network.
                if form.rows.checked_mul(form.cols) != Some(ink.len()) {
                    return Look::Bare;
                }
                Look::Image(Image::new(form.rows, form.cols, &ink))
            }
            Some(Preparation::Columns(columns)) => {
                Look::Row(row(columns, &self.samples.features(index)))
            }
            _ => Look::Bare,
        }
    }

    /// The names of the classes; `None` where the network predicts no class.
    pub(super) fn class_names(&self) -> Option<Vec<String>> {
        let count = match self.network.head() {
            nn::Head::Softmax => self.network.architecture().outputs,
            nn::Head::Logistic => 2,
            _ => return None,
        };
        let name = |class| short(&crate::model::class_name(self.network, class));
        Some((0..count).map(name).collect())
    }
}

/// The form of the network's images.
pub(super) fn form(network: &Mlp) -> Option<ImageForm> {
    match network.preparation() {
        Some(Preparation::Image(form)) => Some(*form),
        _ => None,
    }
}

/// The cells that these features were made of.
fn row(columns: &Columns, features: &[f32]) -> Vec<(String, String)> {
    let mut rest = features;
    let cell = |column: &Column| {
        let (own, after) = rest.split_at_checked(column.width())?;
        rest = after;
        Some((short(&column.name), short(&cell(column, own))))
    };
    columns.columns().iter().take(MOST_COLUMNS).map_while(cell).collect()
}

fn cell(column: &Column, features: &[f32]) -> String {
    if column.missing && features.last() == Some(&1.0) {
        return "missing".to_owned();
    }
    match &column.kind {
        ColumnKind::Number(standard) => number(standard.invert(features[0]).into()),
        ColumnKind::Category(values) => {
            let at = features.iter().position(|feature| *feature == 1.0);
            at.and_then(|at| values.get(at)).cloned().unwrap_or_else(|| "unknown".to_owned())
        }
        _ => String::new(),
    }
}

/// A number without the digits that rounding has changed.
pub(crate) fn number(value: f64) -> String {
    let rounded = format!("{value:.5e}").parse::<f64>();
    rounded.map_or_else(|_| value.to_string(), |value| (value + 0.0).to_string())
}

#[cfg(test)]
mod tests {
    use nn::Standard;

    use super::*;

    #[test]
    fn features_become_cells_again() {
        let nan = f32::NAN;
        let columns = vec![
            Column::numbers("size"),
            Column::category("city", ["Oslo", "Rome"]).with_missing(),
            Column::numbers("age").with_missing(),
        ];
        let cells = [5.1, 0.0, nan, 4.9, 1.0, 30.0, 7.3, nan, 41.5];
        let columns = Columns::fit(columns, &cells, 0..3).unwrap();
        let mut features = vec![0.0; 3 * columns.width()];
        columns.apply(&cells, &mut features).unwrap();
        let rows: Vec<Vec<String>> = features
            .chunks(columns.width())
            .map(|features| row(&columns, features).into_iter().map(|(_, cell)| cell).collect())
            .collect();
        let expected =
            [["5.1", "Oslo", "missing"], ["4.9", "Rome", "30"], ["7.3", "missing", "41.5"]];
        assert_eq!(rows, expected);
        assert_eq!(row(&columns, &[]), []);
        let one = Column::number("x", Standard::NONE);
        assert_eq!(cell(&one, &[0.1]), "0.1");
    }
}
