//! Squared error: real values. `l = (y − t)²`, `∂l/∂y = 2·(y − t)`, as PyTorch's
//! `MSELoss` has it.

use kernels::{MatMut, MatRef, RowLoss};

use super::elements::{self, Element};
use super::figures::regression;
use super::{Figures, Head, Kind, Objective, Rows, check_values};
use crate::{Error, Examples};

pub(super) struct Squared;

impl Element for Squared {
    fn at(&self, y: f64, t: f64) -> (f64, f64) {
        let error = y - t;
        (error * error, 2.0 * error)
    }
}

impl Kind for Squared {
    fn check_targets(&self, examples: &Examples<'_>, outputs: usize) -> Result<(), Error> {
        check_values(Head::Squared, examples, outputs, "a finite number", f32::is_finite)
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
