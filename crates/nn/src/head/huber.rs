//! Huber's loss: real values with outliers. With `e = y − t`,
//!
//! ```text
//! l = ½·e²              where |e| ≤ δ,      ∂l/∂y = e
//! l = δ·(|e| − ½·δ)     elsewhere,          ∂l/∂y = δ·sign(e)
//! ```
//!
//! (Huber 1964), as PyTorch's `HuberLoss` has it.

use kernels::{MatMut, MatRef, RowLoss};

use super::elements::{self, Element};
use super::figures::regression;
use super::{Figures, Head, Kind, Objective, Rows, check_values};
use crate::{Error, Examples};

pub(super) struct Huber {
    pub(super) delta: f32,
}

impl Element for Huber {
    fn at(&self, y: f64, t: f64) -> (f64, f64) {
        let (error, delta) = (y - t, f64::from(self.delta));
        if error.abs() <= delta {
            (0.5 * error * error, error)
        } else {
            (delta * (error.abs() - 0.5 * delta), delta.copysign(error))
        }
    }
}

impl Kind for Huber {
    fn check_targets(&self, examples: &Examples<'_>, outputs: usize) -> Result<(), Error> {
        let head = Head::Huber { delta: self.delta };
        check_values(head, examples, outputs, "a finite number", f32::is_finite)
    }

    fn is_exact(&self) -> bool {
        false
    }

    fn gradient(
        &self,
        objective: &Objective,
        rows: &Rows<'_>,
        z: MatMut<'_>,
        losses: &mut [RowLoss],
    ) {
        elements::gradient(self, objective, rows, z, losses);
    }

    fn loss(&self, rows: &Rows<'_>, z: MatRef<'_>, losses: &mut [RowLoss]) {
        elements::loss(self, rows, z, losses);
    }

    fn figures(&self) -> Option<fn(&[f32], &Examples<'_>) -> Figures> {
        Some(regression)
    }
}
