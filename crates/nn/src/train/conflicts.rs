//! What cannot work although each setting is within its range: settings that exclude one
//! another, or that the data or the network make useless. It is refused before training.

use crate::{Architecture, Error, Fit, Monitor, Optimizer};

impl Fit {
    /// Checks that steps on batches of `rows` rows, with learning rates up to `lr`, can train
    /// a network of this shape.
    pub(crate) fn check_steps(
        &self,
        shape: &Architecture,
        rows: usize,
        lr: f32,
    ) -> Result<(), Error> {
        if self.batch_norm.is_some() && rows < 2 {
            return Err(Error::OneRow { rows });
        }
        let decay = f64::from(lr) * f64::from(self.l2);
        if matches!(self.optimizer, Optimizer::Adamw { .. }) && decay > 1.0 {
            return Err(Error::OutOfRange {
                name: "learning rate times l2, the weight decay of adamw in a step,",
                found: decay,
                expected: "at most 1, for the decay must not carry a weight past 0",
            });
        }
        // The norm is the root of a sum of squares, which must not vanish in `f32`.
        let inputs = shape.hidden.iter().fold(shape.inputs, |most, &units| most.max(units));
        let of_one = |limit: f32| f64::from(limit).powi(2) / inputs as f64;
        match self.max_norm {
            Some(limit) if of_one(limit) < f64::from(f32::MIN_POSITIVE) => Err(Error::OutOfRange {
                name: "max-norm",
                found: limit.into(),
                expected: "a norm whose square, shared among the inputs of a unit, f32 can hold",
            }),
            _ => Ok(()),
        }
    }

    /// Checks that early stopping can find an improvement after the first epoch.
    pub(crate) fn check_stopping(&self) -> Result<(), Error> {
        match self.early_stopping {
            Some(rule) if rule.monitor == Monitor::Accuracy && rule.min_delta >= 1.0 => {
                Err(Error::OutOfRange {
                    name: "min-delta of early stopping",
                    found: rule.min_delta,
                    expected: "below 1 where accuracy is watched, which is at most 1",
                })
            }
            _ => Ok(()),
        }
    }
}
