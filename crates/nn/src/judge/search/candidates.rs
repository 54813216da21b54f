//! The candidates of a search: grids and random draws.

use std::fmt::Debug;

use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;

use crate::data::below;
use crate::head::Objective;
use crate::net::seeded;
use crate::{Architecture, Error, Examples, Fit, Head, Init, math};

/// Hyperparameters that a search tries, with a name.
///
/// ```
/// use nn::{Activation, Architecture, Candidate, Fit, Init};
/// let shape =
///     Architecture { inputs: 4, hidden: vec![8], outputs: 3, activation: Activation::Tanh };
/// let slow = Candidate::new("slow", shape, Init::Xavier, Fit { lr: 0.01, ..Fit::default() });
/// let mut fast = slow.clone();
/// fast.name = "fast".into();
/// fast.fit.lr = 0.5;
/// assert_eq!(fast.architecture, slow.architecture);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Candidate {
    /// Its name in tables and errors.
    pub name: String,
    /// Shape of the network.
    pub architecture: Architecture,
    /// Head of the network.
    pub head: Head,
    /// Distribution of the initial weights, drawn with the seed of `fit`.
    pub init: Init,
    /// Hyperparameters of training.
    pub fit: Fit,
}

impl Candidate {
    /// A candidate whose head is softmax.
    #[must_use]
    pub fn new(name: impl Into<String>, architecture: Architecture, init: Init, fit: Fit) -> Self {
        Self { name: name.into(), architecture, head: Head::Softmax, init, fit }
    }

    /// The candidate with another head.
    #[must_use]
    pub fn with_head(self, head: Head) -> Self {
        Self { head, ..self }
    }

    /// Checks, as far as is possible before training, that it can be trained on these
    /// examples.
    pub(super) fn check(&self, examples: &Examples<'_>) -> Result<(), Error> {
        self.fit.validate()?;
        if self.fit.early_stopping.is_some() {
            return Err(Error::NoValidation);
        }
        let Architecture { inputs, outputs, .. } = self.architecture;
        self.architecture.validate()?;
        self.head.validate(outputs)?;
        self.head.check(examples, inputs, outputs)
    }

    /// Checks that the training samples of a fold have a weight above 0 and are enough for a
    /// batch.
    pub(super) fn check_fold(&self, train: &Examples<'_>) -> Result<(), Error> {
        let Fit { batch_size, lr, .. } = self.fit;
        self.fit.check_steps(&self.architecture, batch_size.min(train.len()), lr)?;
        Objective::new(self.head, &self.fit, train, self.architecture.outputs).map(drop)
    }

    pub(super) fn named(&self, source: Error) -> Error {
        Error::Candidate { name: self.name.clone(), source: Box::new(source) }
    }
}

/// Combines every candidate with every value: this adds a dimension to a grid. The result has
/// all values of the first candidate, then those of the second, and so on. `set` writes a value
/// to a candidate. `what` and the value are appended to its name.
///
/// [`search`](crate::search()) has an example of a grid with two dimensions.
///
/// ```
/// use nn::{Activation, Architecture, Candidate, Fit, Init, vary};
/// let shape =
///     Architecture { inputs: 4, hidden: vec![8], outputs: 3, activation: Activation::Tanh };
/// let one = vec![Candidate::new("tanh", shape, Init::Xavier, Fit::default())];
/// let two = vary(one, "lr", [0.01, 0.1], |candidate, lr| candidate.fit.lr = lr);
/// assert_eq!([&two[0].name, &two[1].name], ["tanh, lr 0.01", "tanh, lr 0.1"]);
/// ```
pub fn vary<T: Clone + Debug>(
    candidates: Vec<Candidate>,
    what: &str,
    values: impl AsRef<[T]>,
    set: impl Fn(&mut Candidate, T),
) -> Vec<Candidate> {
    let values = values.as_ref();
    let with = |candidate: &Candidate, value: &T| {
        let mut varied = candidate.clone();
        set(&mut varied, value.clone());
        let comma = if candidate.name.is_empty() { "" } else { ", " };
        varied.name = format!("{}{comma}{what} {value:?}", candidate.name);
        varied
    };
    let all = candidates.iter().flat_map(|one| values.iter().map(move |value| (one, value)));
    all.map(|(candidate, value)| with(candidate, value)).collect()
}

/// `count` random candidates, made by `make`, for random search (Bergstra and Bengio 2012).
/// Where some hyperparameters hardly matter, random search needs fewer trials than a grid for
/// an equally good result.
///
/// Each candidate has its own random generator, which depends only on `seed` and the
/// candidate's index. So a larger `count` keeps the first candidates and adds more.
///
/// ```
/// use nn::{Activation, Architecture, Candidate, Fit, Init, random_candidates};
///
/// let candidates = random_candidates(20, 7, |draw| {
///     let hidden = vec![draw.integer(8, 64)];
///     let activation = draw.pick([Activation::Tanh, Activation::Relu]);
///     let fit = Fit { lr: draw.log_uniform(1e-3, 1.0), ..Fit::default() };
///     let shape = Architecture { inputs: 4, hidden, outputs: 3, activation };
///     let name = format!("{:?}, {activation}, lr {}", shape.hidden, fit.lr);
///     Candidate::new(name, shape, Init::Xavier, fit)
/// });
/// assert!(candidates.iter().all(|candidate| (1e-3..=1.0).contains(&candidate.fit.lr)));
/// ```
pub fn random_candidates(
    count: usize,
    seed: u64,
    mut make: impl FnMut(&mut Sampler) -> Candidate,
) -> Vec<Candidate> {
    (0..count as u64).map(|index| make(&mut Sampler { rng: seeded(seed, index) })).collect()
}

/// Draws the hyperparameters of one candidate.
///
/// It draws the same values on every platform.
///
/// [`random_candidates`] has an example.
#[derive(Clone, Debug)]
pub struct Sampler {
    rng: Xoshiro256PlusPlus,
}

impl Sampler {
    /// A number that is uniform on [low, high].
    pub fn uniform(&mut self, low: f32, high: f32) -> f32 {
        let (from, to) = (f64::from(low), f64::from(high));
        (from + (to - from) * self.rng.random::<f64>()) as f32
    }

    /// A number in [low, high] whose logarithm is uniform, as is usual for a learning rate: it
    /// is between 0.01 and 0.1 as often as between 0.1 and 1. Unless 0 < low ≤ high < ∞, it is
    /// NaN, which every hyperparameter rejects.
    pub fn log_uniform(&mut self, low: f32, high: f32) -> f32 {
        let share: f64 = self.rng.random();
        if !(low > 0.0 && low <= high && high.is_finite()) {
            return f32::NAN;
        }
        let (from, to) = (math::ln(low.into()), math::ln(high.into()));
        (math::exp(from + (to - from) * share) as f32).clamp(low, high)
    }

    /// A uniform random integer from `low` to `high`, both included; `low` if `high` is below
    /// it. The result is at most 2³² − 2 above `low`, also if `high` is larger.
    pub fn integer(&mut self, low: usize, high: usize) -> usize {
        let count = u32::try_from(high.saturating_sub(low)).unwrap_or(u32::MAX);
        low + below(count.saturating_add(1), &mut self.rng) as usize
    }

    /// One of the options, each with the same probability. An empty array does not compile.
    pub fn pick<T, const N: usize>(&mut self, options: [T; N]) -> T {
        const { assert!(N > 0, "nothing to pick from") };
        let index = self.integer(0, N - 1);
        let mut options = options.into_iter();
        options.nth(index).expect("the index is below N")
    }
}
