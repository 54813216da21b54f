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
        if self.frozen > shape.hidden.len() {
            return Err(Error::OutOfRange {
                name: "number of frozen layers",
                found: self.frozen as f64,
                expected: "at most the number of hidden layers",
            });
        }
        if self.frozen > 0 && self.batch_norm.is_some() {
            return Err(Error::OutOfRange {
                name: "number of frozen layers",
                found: self.frozen as f64,
                expected: "0 with batch normalisation, which would change what they say",
            });
        }
        let decay = f64::from(lr) * f64::from(self.l2);
        if matches!(self.optimizer, Optimizer::Adamw { .. }) && decay > 1.0 {
            return Err(Error::OutOfRange {
                name: "learning rate times l2, the weight decay of adamw in a step,",
                found: decay,
                expected: "at most 1, for the decay must not carry a weight past 0",
            });
        }
        // On w alone, w ← w − lr·λ·w with momentum μ shrinks w below lr·λ = 2·(1 + μ), and
        // above it w grows and alternates. Only max-norm would hold it.
        if let (Optimizer::Sgd { momentum }, None) = (self.optimizer, self.max_norm)
            && decay > 2.0 * (1.0 + f64::from(momentum))
        {
            return Err(Error::OutOfRange {
                name: "learning rate times l2",
                found: decay,
                expected: "at most 2·(1 + momentum), for above it the penalty makes weights grow \
                           without bound",
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, BatchNorm, EarlyStopping};

    fn shape() -> Architecture {
        Architecture { inputs: 4, hidden: vec![16], outputs: 2, activation: Activation::Tanh }
    }

    /// The name of the setting that is refused, if any.
    fn refused(result: Result<(), Error>) -> Option<&'static str> {
        match result {
            Ok(()) => None,
            Err(Error::OutOfRange { name, .. }) => Some(name),
            Err(Error::OneRow { .. }) => Some("rows"),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn only_hidden_layers_can_be_frozen_and_not_with_batch_normalisation() {
        let frozen = |frozen, batch_norm| {
            let fit = Fit { frozen, batch_norm, ..Fit::default() };
            refused(fit.check_steps(&shape(), 10, 0.1))
        };
        assert_eq!(frozen(1, None), None);
        assert_eq!(frozen(2, None), Some("number of frozen layers"));
        assert_eq!(frozen(0, Some(BatchNorm::default())), None);
        assert_eq!(frozen(1, Some(BatchNorm::default())), Some("number of frozen layers"));
    }

    #[test]
    fn steps_that_cannot_train_are_refused() {
        let adamw: Optimizer = "adamw".parse().unwrap();
        let decay = |optimizer, l2| Fit { optimizer, l2, ..Fit::default() };
        let sgd = |momentum| Optimizer::Sgd { momentum };
        let norm = |max_norm| Fit { max_norm: Some(max_norm), ..Fit::default() };
        let normalised = Fit { batch_norm: Some(BatchNorm::default()), ..Fit::default() };
        let of_decay = Some("learning rate times l2, the weight decay of adamw in a step,");
        for (fit, rows, lr, expected) in [
            (&normalised, 1, 0.1, Some("rows")),
            (&normalised, 2, 0.1, None),
            (&Fit::default(), 1, 0.1, None),
            (&decay(adamw, 2.0), 8, 0.5, None),
            (&decay(adamw, 2.0), 8, 0.75, of_decay),
            // Elsewhere l2 is part of the gradient.
            (&decay(Fit::default().optimizer, 2.0), 8, 0.75, None),
            (&decay(sgd(0.0), 2.0), 8, 1.0, None),
            (&decay(sgd(0.0), 2.0), 8, 1.125, Some("learning rate times l2")),
            (&decay(sgd(0.5), 2.0), 8, 1.5, None),
            (&decay(sgd(0.5), 2.0), 8, 1.625, Some("learning rate times l2")),
            (&decay("adam".parse().unwrap(), 2.0), 8, 4.0, None),
            (&Fit { max_norm: Some(1.0), ..decay(sgd(0.0), 2.0) }, 8, 4.0, None),
            // The smallest normal number is 2⁻¹²⁶, and the widest layer has 16 inputs.
            (&norm(2f32.powi(-61)), 8, 0.1, None),
            (&norm(2f32.powi(-62)), 8, 0.1, Some("max-norm")),
        ] {
            let found = refused(fit.check_steps(&shape(), rows, lr));
            assert_eq!(found, expected, "{fit:?} with {rows} rows at {lr}");
        }
    }

    /// The limit of [`Fit::check_steps`] on sgd's penalty is where a weight that nothing else
    /// moves begins to grow.
    #[test]
    fn a_weight_under_the_penalty_alone_grows_beyond_the_limit_only() {
        for momentum in [0.0f64, 0.5, 0.9] {
            for (share, grows) in [(0.99, false), (1.01, true)] {
                let decay = share * 2.0 * (1.0 + momentum);
                let (mut w, mut v) = (1.0f64, 0.0);
                for _ in 0..1000 {
                    v = momentum * v + decay * w;
                    w -= v;
                }
                assert_eq!(w.abs() > 1.0, grows, "{momentum}, {share}: {w}");
            }
        }
    }

    #[test]
    fn an_accuracy_cannot_improve_by_1() {
        for (monitor, min_delta, expected) in [
            (Monitor::Accuracy, 0.5, None),
            (Monitor::Accuracy, 1.0, Some("min-delta of early stopping")),
            (Monitor::Loss, 1.0, None),
        ] {
            let rule = EarlyStopping { monitor, min_delta, ..EarlyStopping::default() };
            let fit = Fit { early_stopping: Some(rule), ..Fit::default() };
            assert_eq!(refused(fit.check_stopping()), expected, "{monitor:?}, {min_delta}");
        }
        assert_eq!(refused(Fit::default().check_stopping()), None);
    }
}
