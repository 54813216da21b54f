//! Features that are owned: rows of other types, and copies of some samples.

use super::inputs::Features;
use crate::{Error, Inputs};

/// The features of samples, owned: where a program has rows of its own, or needs some
/// samples of others. [`inputs`](Self::inputs) borrows them for a network.
///
/// ```
/// use nn::OwnedInputs;
/// // Rows of `f64`, from a query or a file.
/// let rows = vec![vec![0.25, 1.0], vec![0.5, -2.0]];
/// let owned = OwnedInputs::from_rows(&rows)?;
/// assert_eq!((owned.inputs().len(), owned.inputs().width()), (2, 2));
/// // The last sample by itself.
/// let last = owned.inputs().gather(&[1])?;
/// assert_eq!(last.values(), Some(&[0.5, -2.0][..]));
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct OwnedInputs {
    elements: Elements,
    /// Above 0; the number of elements is a multiple of it.
    width: usize,
}

#[derive(Clone, Debug, PartialEq)]
enum Elements {
    F32(Vec<f32>),
    U8(Vec<u8>),
}

impl OwnedInputs {
    /// Real features: a row for each sample, all as long as the first. Numbers are rounded to
    /// `f32`. NaN stays, as a missing cell for [`Columns`](crate::Columns); a network refuses
    /// it.
    ///
    /// # Errors
    /// [`Error::Empty`] without a row, [`Error::Zero`] where the first row is empty,
    /// [`Error::Length`] for a row of another length, [`Error::NotFinite`] for a number that
    /// is infinite, or too large for an `f32`.
    pub fn from_rows<T: Copy + Into<f64>>(
        rows: impl IntoIterator<Item = impl AsRef<[T]>>,
    ) -> Result<Self, Error> {
        let mut values = Vec::new();
        let mut width = None;
        for (sample, row) in rows.into_iter().enumerate() {
            let row = row.as_ref();
            let (found, expected) = (row.len(), *width.get_or_insert(row.len()));
            if found != expected {
                return Err(Error::Length { what: format!("sample {sample}"), found, expected });
            }
            values.extend(row.iter().map(|number| (*number).into() as f32));
            let row = &values[values.len() - found..];
            if let Some(feature) = row.iter().position(|value| value.is_infinite()) {
                return Err(Error::NotFinite { sample, feature, value: row[feature] });
            }
        }
        match width {
            None => Err(Error::Empty),
            Some(0) => Err(Error::Zero { what: "features of a sample".into() }),
            Some(width) => Ok(Self { elements: Elements::F32(values), width }),
        }
    }

    /// The features, for a network.
    #[must_use]
    pub fn inputs(&self) -> Inputs<'_> {
        let features = match &self.elements {
            Elements::F32(values) => Features::F32(values),
            Elements::U8(values) => Features::U8(values),
        };
        Inputs { features, width: self.width }
    }

    /// Real features, samples × width, row-major; `None` where they are bytes.
    #[must_use]
    pub fn values(&self) -> Option<&[f32]> {
        match &self.elements {
            Elements::F32(values) => Some(values),
            Elements::U8(_) => None,
        }
    }
}

impl Inputs<'_> {
    /// A copy of the samples at `indices`, in that order, as predictions take samples one
    /// after the other. (Training and evaluation need no copy: they take an
    /// [`Examples::subset`](crate::Examples::subset).)
    ///
    /// # Errors
    /// [`Error::Subset`] when an index is out of range.
    pub fn gather(&self, indices: &[u32]) -> Result<OwnedInputs, Error> {
        let samples = self.len();
        if let Some(index) = indices.iter().find(|index| **index as usize >= samples) {
            return Err(Error::Subset { index: *index as usize, samples });
        }
        let width = self.width;
        let elements = match self.features {
            Features::F32(values) => Elements::F32(rows_of(values, indices, width)),
            Features::U8(values) => Elements::U8(rows_of(values, indices, width)),
        };
        Ok(OwnedInputs { elements, width })
    }
}

/// The rows at `indices`, which exist, of a matrix with `width` columns.
fn rows_of<T: Copy>(all: &[T], indices: &[u32], width: usize) -> Vec<T> {
    indices.iter().flat_map(|index| &all[*index as usize * width..][..width]).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_any_number_become_features() {
        let wide = OwnedInputs::from_rows([[0.1f64, f64::NAN]]).unwrap();
        let values = wide.values().unwrap();
        assert!(values[0] == 0.1 && values[1].is_nan());
        assert_eq!(
            OwnedInputs::from_rows([[1.5f32], [2.0]]).unwrap().values().unwrap(),
            [1.5, 2.0]
        );
        assert_eq!(
            OwnedInputs::from_rows(vec![vec![-3i32, 4]]).unwrap().values().unwrap(),
            [-3.0, 4.0]
        );
    }

    #[test]
    fn rows_that_cannot_be_features_are_refused() {
        for (rows, expected) in [
            (vec![], "there are no samples: expected at least one"),
            (vec![vec![]], "features of a sample is 0: it must be at least 1"),
            (vec![vec![1.0, 2.0], vec![3.0]], "sample 1 has 1 elements: expected 2"),
            (vec![vec![1.0], vec![1e39]], "feature 0 of sample 1 is inf: expected a finite number"),
        ] {
            assert_eq!(OwnedInputs::from_rows::<f64>(rows).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn some_samples_are_copied_in_their_order() {
        let bytes = Inputs::pixels(&[1, 2, 3, 4, 5, 6], 2).unwrap();
        let some = bytes.gather(&[2, 0, 2]).unwrap();
        assert_eq!(some.elements, Elements::U8(vec![5, 6, 1, 2, 5, 6]));
        assert_eq!((some.inputs().len(), some.inputs().width(), some.values()), (3, 2, None));
        let error = bytes.gather(&[0, 3]).unwrap_err().to_string();
        assert_eq!(error, "the subset names sample 3 of 3");
    }
}
