//! Numbers with a mean of 0 and a deviation of 1.

use serde::{Deserialize, Serialize};

use crate::Error;

/// Mean and standard deviation of some numbers, to make them `(x − mean) / deviation`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standard {
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, above 0; 1 where they are all equal.
    pub deviation: f64,
}

impl Standard {
    /// Leaves numbers as they are.
    pub const NONE: Self = Self { mean: 0.0, deviation: 1.0 };

    /// The mean and the deviation of `values`, divided by their number; NaN is left out.
    ///
    /// ```
    /// use nn::Standard;
    /// let standard = Standard::of(&[1.0, f32::NAN, 5.0]);
    /// assert_eq!(standard, Standard { mean: 3.0, deviation: 2.0 });
    /// assert_eq!(standard.invert(standard.apply(7.0)), 7.0);
    /// ```
    #[must_use]
    pub fn of(values: &[f32]) -> Self {
        let mut sums = Sums::default();
        values.iter().for_each(|value| sums.add(*value));
        sums.mean();
        values.iter().for_each(|value| sums.add_square(*value));
        sums.standard()
    }

    /// `(x − mean) / deviation`.
    #[must_use]
    pub fn apply(&self, x: f32) -> f32 {
        ((f64::from(x) - self.mean) / self.deviation) as f32
    }

    /// The number that [`apply`](Self::apply) made `y` of.
    #[must_use]
    pub fn invert(&self, y: f32) -> f32 {
        (f64::from(y) * self.deviation + self.mean) as f32
    }

    pub(super) fn validate(&self, column: &str) -> Result<(), Error> {
        let Self { mean, deviation } = *self;
        if mean.is_finite() && deviation > 0.0 && deviation.is_finite() {
            return Ok(());
        }
        let reason = format!(
            "column `{column}` has a mean of {mean:?} and a deviation of {deviation:?}, expected \
             finite numbers, the deviation above 0"
        );
        Err(Error::Preparation { reason })
    }
}

/// Sums over the numbers of a column, in the order of the rows.
#[derive(Clone, Default)]
pub(super) struct Sums {
    count: usize,
    pub(super) missing: usize,
    sum: f64,
    mean: f64,
    squares: f64,
}

impl Sums {
    pub(super) fn add(&mut self, value: f32) {
        if value.is_nan() {
            self.missing += 1;
        } else {
            self.count += 1;
            self.sum += f64::from(value);
        }
    }

    pub(super) fn mean(&mut self) {
        self.mean = self.sum / self.count.max(1) as f64;
    }

    pub(super) fn add_square(&mut self, value: f32) {
        if !value.is_nan() {
            self.squares += (f64::from(value) - self.mean).powi(2);
        }
    }

    pub(super) fn standard(&self) -> Standard {
        let deviation = (self.squares / self.count.max(1) as f64).sqrt();
        // The sum of equal numbers is rounded, so their mean may differ from them a little.
        let constant = deviation <= 1e-12 * self.mean.abs();
        Standard { mean: self.mean, deviation: if constant { 1.0 } else { deviation } }
    }
}
