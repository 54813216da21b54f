//! `--verbose`: whether each layer learns, after each epoch.

use std::fmt::Write as _;

use nn::{Health, Run, Weights};

use crate::error::Error;
use crate::health::IMAGES;
use crate::pool::Pool;
use crate::sets::Sets;
use crate::words::percent;

/// Looks at the layers of a run. It changes no bit of it.
#[derive(Default)]
pub(super) struct Layers {
    /// The weights before the last step of the current epoch.
    before: Option<Weights>,
}

impl Layers {
    /// Whether a run has to be left after a step, because the next one is the last of its
    /// epoch. `per_epoch` is the number of steps of an epoch. (One of a single step begins
    /// where the run is left anyhow.)
    pub(super) fn leaves(step: u64, per_epoch: u64) -> bool {
        per_epoch > 1 && (step + 1).is_multiple_of(per_epoch)
    }

    /// Before the run goes on: keeps its weights if the next step is the last of its epoch.
    pub(super) fn before(&mut self, run: &Run<'_>) {
        let epochs = run.history().epochs.len() as u64 + 1;
        if Some(run.steps() + 1) == epochs.checked_mul(run.steps_per_epoch()) {
            self.before = Some(run.weights());
        }
    }

    /// After an epoch: a line for each layer.
    ///
    /// # Errors
    /// Where the network overflows.
    pub(super) fn lines(
        &mut self,
        run: &Run<'_>,
        sets: &Sets,
        pool: &Pool,
    ) -> Result<String, Error> {
        let positions = sets.some(IMAGES);
        let samples = sets.plain(&positions)?;
        let examples = samples.examples()?;
        let network = run.latest();
        let health = pool.install(|| network.health(&examples, pool))?;
        let updates = self.before.take().map(|before| run.weights().changes(&before));
        Ok(lines(&health, updates.as_deref()))
    }
}

/// The layers, first to last. The last one is the output, whose units have no slope.
fn lines(health: &Health, updates: Option<&[f64]>) -> String {
    let mut text = String::new();
    let width = health.layers.len().to_string().len();
    for (l, layer) in health.layers.iter().enumerate() {
        let _ = write!(text, "  layer {:<width$}  gradient {:<7.1e}", l + 1, layer.gradient);
        if let Some(update) = updates.and_then(|updates| updates.get(l)) {
            let _ = write!(text, "  update {update:<7.1e}");
        }
        if l + 1 < health.layers.len() {
            let share = |units: usize| percent(units as f64 / layer.units.max(1) as f64);
            let (dead, saturated) = (share(layer.dead), share(layer.saturated));
            let _ = write!(text, "  dead {dead:>8}  saturated {saturated:>8}");
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use nn::{Activation, Architecture, Examples, Inputs, Mlp, Sequential};

    use super::*;

    #[test]
    fn a_line_for_each_layer() {
        let (inputs, hidden, outputs) = (1, vec![4], 2);
        let activation = Activation::Tanh;
        let mut network = Mlp::zeros(Architecture { inputs, hidden, outputs, activation }).unwrap();
        // Two units are at an end of tanh, one of them without a slope.
        network.set_layer(0, &[2.0, 0.0, 0.0, 0.0], &[0.0, 0.0, 2.7, 9.0]).unwrap();
        network.set_layer(1, &[1.0; 8], &[0.0; 2]).unwrap();
        let examples = Examples::new(Inputs::new(&[0.5, 0.25], 1).unwrap(), &[0u8, 1]).unwrap();
        let health = network.health(&examples, &Sequential).unwrap();
        let text = lines(&health, Some(&[0.001_26, 0.5]));
        let found: Vec<_> = text.lines().collect();
        assert_eq!(found.len(), 2, "{text}");
        let [first, last] = [0, 1].map(|l| format!("{:.1e}", health.layers[l].gradient));
        let dead = "dead  25.00 %  saturated  50.00 %";
        assert_eq!(found[0], format!("  layer 1  gradient {first:<7}  update 1.3e-3   {dead}"));
        assert_eq!(found[1], format!("  layer 2  gradient {last:<7}  update 5.0e-1"));
        assert!(lines(&health, None).starts_with(&format!("  layer 1  gradient {first:<7}  dead")));
    }

    #[test]
    fn a_run_is_left_before_the_last_step_of_an_epoch() {
        let left: Vec<_> = (1..=12).filter(|step| Layers::leaves(*step, 4)).collect();
        assert_eq!(left, [3, 7, 11]);
        assert!((1..10).all(|step| !Layers::leaves(step, 1)));
    }
}
