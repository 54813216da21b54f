//! What a network says of the samples of its run, and what is to be seen in the network.

mod classes;
mod layers;
mod show;
mod values;

use nn::{Evaluation, Mlp};

use super::picture::{self, Sheet};
use crate::data;
use crate::error::Error;
use crate::pool::Pool;
use crate::sets::Sets;
pub(crate) use classes::{BINS, ClassFindings, Doubtful, Shown};
pub(crate) use layers::LayerFindings;
use show::Shower;
pub(crate) use show::{Look, number};
pub(crate) use values::{ValueFindings, Worst};

/// Samples that are shown, at most, of each kind.
pub(crate) const MOST_SHOWN: usize = 24;

/// Samples of the training on which activations and gradients are looked at.
const LOOKED_AT: usize = 256;

/// The least number of training samples whose labels are checked, or all of them where they are fewer.
const LEAST_CHECKED: usize = 1_000;

/// Floating-point operations that checking labels may take: a second or two.
const MOST_FLOPS: u64 = 200_000_000_000;

/// What is found with the network and the data.
pub(crate) struct Findings {
    pub(crate) judged: Judged,
    pub(crate) evaluation: Evaluation,
    pub(crate) classes: Option<ClassFindings>,
    pub(crate) values: Option<ValueFindings>,
    /// Labels of the training that are probably wrong.
    pub(crate) doubtful: Option<Doubtful>,
    pub(crate) layers: Vec<LayerFindings>,
    /// The weights of the first layer, where the inputs are images.
    pub(crate) sheet: Option<Sheet>,
}

/// The samples that the network was judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judged {
    Test,
    HeldOut,
    /// Some that it was trained on, because there are no others.
    Training,
}

impl Judged {
    /// In a sentence.
    pub(crate) fn samples(self) -> &'static str {
        match self {
            Self::Test => "test samples",
            Self::HeldOut => "held-out samples",
            Self::Training => "training samples",
        }
    }
}

/// A run's kept network, and what it is looked at with.
pub(crate) struct Seen<'a> {
    pub(crate) network: &'a Mlp,
    pub(crate) sets: &'a Sets,
    pub(crate) pool: &'a Pool,
    /// Training samples of all epochs together.
    pub(crate) trained: u64,
}

/// Whether the network is judged by the test samples: only if the run was.
pub(crate) enum Tested {
    /// What the test of the run found: its figures, and samples × outputs.
    With(Evaluation, Vec<f32>),
    /// The run was tested, and the same figures are found again.
    Again,
    No,
}

impl Findings {
    /// # Errors
    /// Data that do not fit the network.
    pub(crate) fn new(seen: &Seen<'_>, tested: Tested) -> Result<Self, Error> {
        let Seen { network, sets, pool, .. } = *seen;
        let some = sets.some(LOOKED_AT);
        let (judged, samples, known) = match tested {
            Tested::With(evaluation, outputs) => {
                (Judged::Test, sets.test()?, Some((evaluation, outputs)))
            }
            Tested::Again => (Judged::Test, sets.test()?, None),
            Tested::No => match sets.held_out()? {
                Some(samples) => (Judged::HeldOut, samples, None),
                None => (Judged::Training, sets.plain(&some)?, None),
            },
        };
        let rows = match judged {
            Judged::Test => sets.test_rows(),
            Judged::HeldOut => sets.held_out_rows(),
            Judged::Training => sets.training_rows(&some),
        };
        let examples = samples.examples()?;
        let (evaluation, outputs) = match known {
            Some(known) => known,
            None => pool.install(|| network.evaluate_outputs(&examples, pool))?,
        };
        let shower = Shower { network, samples: &samples, rows };
        let classes = ClassFindings::new(&shower, outputs.clone())?;
        let values = match classes {
            Some(_) => None,
            None => ValueFindings::new(&shower, &evaluation, &outputs),
        };
        let doubtful = if classes.is_some() { doubtful(seen)? } else { None };
        let copies = sets.copies(&some)?;
        let examples = data::examples(&copies)?;
        let layers = pool.install(|| layers::of(network, &examples, pool))?;
        let sheet = show::form(network).and_then(|form| {
            let (weights, _) = network.layer(0)?;
            picture::weights(&form, &weights)
        });
        Ok(Self { judged, evaluation, classes, values, doubtful, layers, sheet })
    }
}

/// The doubtful labels among some of the training samples, without augmentation.
fn doubtful(seen: &Seen<'_>) -> Result<Option<Doubtful>, Error> {
    let Seen { network, sets, pool, .. } = *seen;
    let positions = sets.some(to_check(seen));
    let samples = sets.plain(&positions)?;
    let examples = samples.examples()?;
    let (_, outputs) = pool.install(|| network.evaluate_outputs(&examples, pool))?;
    let rows = sets.training_rows(&positions);
    let shower = Shower { network, samples: &samples, rows };
    Doubtful::new(&shower, outputs, &positions, sets.trained_on())
}

/// Training samples whose labels are checked: a number that takes about 3 % of the time that
/// the training took, because a step computes a sample three times, and no more than
/// [`MOST_FLOPS`].
fn to_check(seen: &Seen<'_>) -> usize {
    let prediction = (seen.network.architecture().training_flops() / 3).max(1);
    let by_share = seen.trained / 11;
    let count = by_share.min(MOST_FLOPS / prediction);
    usize::try_from(count).unwrap_or(usize::MAX).max(LEAST_CHECKED)
}
