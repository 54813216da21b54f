//! Dropout rates and the masks they stand for.

use serde::{Deserialize, Serialize};

use crate::Error;

/// Share of units that are dropped in each training step.
///
/// Dropout is inverted (Srivastava et al. 2014, section 10): what is kept is
/// divided by `1 − rate` while training, so prediction needs no scaling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dropout {
    /// Of the network's inputs, in `[0, 1)`.
    pub input: f32,
    /// Of the units of every hidden layer, in `[0, 1)`.
    pub hidden: f32,
}

impl Dropout {
    pub(crate) fn validate(self) -> Result<(), Error> {
        for (name, rate) in [("dropout of inputs", self.input), ("dropout", self.hidden)] {
            if !(0.0..1.0).contains(&rate) {
                return Err(Error::OutOfRange {
                    name,
                    found: f64::from(rate),
                    expected: "a rate of at least 0 and below 1",
                });
            }
        }
        Ok(())
    }
}
