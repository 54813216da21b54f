//! Perceptrons, which are older than networks: one neuron that separates two classes, and
//! one neuron per class for more.
//!
//! Both are linear. The linear classifier that learns all classes together, with softmax
//! and cross-entropy, is an [`Mlp`](crate::Mlp) without hidden layers.

use kernels::Isa;
use rand::seq::SliceRandom;

use crate::fork::for_each;
use crate::head::argmax;
use crate::net::{PIXEL_SCALE, seeded};
use crate::{Error, Examples, Executor, Head, Inputs};

/// A neuron whose output is a sign: `w·x + b > 0` means one class, anything else the
/// other.
///
/// It learns by Rosenblatt's rule (*The perceptron*, 1958). For each sample that it
/// classifies wrongly, or that lies on the boundary, `w ← w + y·x` and `b ← b + y`, where
/// `y` is 1 for the first class and −1 for the other. There is no learning rate: with
/// initial weights of 0 it would only scale the weights. If a plane separates the classes
/// with a margin of γ, and no sample, extended by a 1 for the bias, is longer than R, then
/// it makes at most (R/γ)² mistakes (Novikoff 1962). If no plane separates them, it never
/// stops making mistakes.
///
/// ```
/// use nn::{Examples, Inputs, Perceptron};
/// let x = [0., 0., 0., 1., 1., 0., 1., 1.];
/// let inputs = Inputs::new(&x, 2)?;
/// // A line separates the classes of "and", but not those of "exclusive or".
/// for (y, learnt) in [([0u8, 0, 0, 1], true), ([0, 1, 1, 0], false)] {
///     let mut neuron = Perceptron::new(2)?;
///     neuron.fit(&Examples::new(inputs, &y)?, 1, 100, 1)?;
///     let right = neuron.predict(&inputs)?.into_iter().map(u8::from).eq(y);
///     assert_eq!(right, learnt);
/// }
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Perceptron {
    weights: Vec<f32>,
    bias: f32,
}

impl Perceptron {
    /// A neuron with `inputs` weights and a bias, all 0.
    ///
    /// # Errors
    /// [`Error::Zero`].
    pub fn new(inputs: usize) -> Result<Self, Error> {
        if inputs == 0 {
            return Err(Error::Zero { what: "inputs of the perceptron".into() });
        }
        Ok(Self { weights: vec![0.0; inputs], bias: 0.0 })
    }

    /// The weights, one per input.
    #[must_use]
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// The bias.
    #[must_use]
    pub fn bias(&self) -> f32 {
        self.bias
    }

    /// Learns to separate class `class` from all others. It makes up to `epochs` passes over
    /// the examples, each in a new random order drawn from `seed`, and stops after a pass
    /// without a mistake. Returns the number of mistakes of each pass.
    ///
    /// Training continues from the present weights. Bytes are divided by 255.
    ///
    /// # Errors
    /// [`Error::Zero`] where `epochs` is 0; [`Error::Empty`], [`Error::Width`] and
    /// [`Error::NotFinite`] for examples that do not fit; [`Error::Overflow`] and
    /// [`Error::OutOfRange`] where features are so large that a score or a weight becomes
    /// infinite. After an error the neuron is unchanged.
    pub fn fit(
        &mut self,
        examples: &Examples<'_>,
        class: usize,
        epochs: usize,
        seed: u64,
    ) -> Result<Vec<usize>, Error> {
        if epochs == 0 {
            return Err(Error::Zero { what: "number of epochs".into() });
        }
        Head::Softmax.check(examples, self.weights.len(), usize::MAX)?;
        let isa = Isa::active()?;
        let mut learnt = self.clone();
        let mut row = vec![0.0; self.weights.len()];
        let mut order: Vec<u32> = Vec::with_capacity(examples.len());
        let mut history = Vec::new();
        for epoch in 0..epochs {
            order.clear();
            order.extend(0..examples.len() as u32);
            order.shuffle(&mut seeded(seed, epoch as u64));
            let mut mistakes = 0;
            for &position in &order {
                let position = position as usize;
                examples.copy_row(isa, position, PIXEL_SCALE, &mut row);
                let y = if examples.label(position) == class { 1.0 } else { -1.0 };
                let score = learnt.score(&row);
                check_finite(score, examples.index(position))?;
                if y * score <= 0.0 {
                    learnt.correct(&row, y);
                    mistakes += 1;
                }
            }
            history.push(mistakes);
            if mistakes == 0 {
                break;
            }
        }
        if let Some(&found) = learnt.weights.iter().find(|w| !w.is_finite()) {
            let (name, found) = ("a weight of the perceptron", f64::from(found));
            return Err(Error::OutOfRange { name, found, expected: "a finite number" });
        }
        *self = learnt;
        Ok(history)
    }

    /// One step of the rule, after a mistake.
    fn correct(&mut self, x: &[f32], y: f32) {
        for (w, x) in self.weights.iter_mut().zip(x) {
            *w += y * x;
        }
        self.bias += y;
    }

    /// `w·x + b`.
    fn score(&self, x: &[f32]) -> f32 {
        // Sixteen independent sums, which the compiler turns into vectors. Multiplication
        // and addition are rounded separately, so every instruction set gives the same bits.
        const LANES: usize = 16;
        let (w, w_rest) = self.weights.as_chunks::<LANES>();
        let (x, x_rest) = x.as_chunks::<LANES>();
        let mut sums = [0.0; LANES];
        for (w, x) in w.iter().zip(x) {
            for ((sum, w), x) in sums.iter_mut().zip(w).zip(x) {
                *sum += w * x;
            }
        }
        let rest = w_rest.iter().zip(x_rest).map(|(w, x)| w * x);
        sums.into_iter().chain(rest).fold(self.bias, |sum, term| sum + term)
    }

    /// `w·x + b` of each sample.
    ///
    /// # Errors
    /// [`Error::Width`] and [`Error::NotFinite`] for inputs that do not fit;
    /// [`Error::Overflow`] where a score is NaN or infinite.
    pub fn scores(&self, inputs: &Inputs<'_>) -> Result<Vec<f32>, Error> {
        inputs.check(self.weights.len())?;
        let isa = Isa::active()?;
        let mut row = vec![0.0; self.weights.len()];
        let score = |index| {
            inputs.copy_row(isa, index, PIXEL_SCALE, &mut row);
            self.score(&row)
        };
        let scores: Vec<f32> = (0..inputs.len()).map(score).collect();
        let mut each = scores.iter().enumerate();
        each.try_for_each(|(sample, score)| check_finite(*score, sample))?;
        Ok(scores)
    }

    /// Whether each sample belongs to the learnt class.
    ///
    /// # Errors
    /// As for [`Perceptron::scores`].
    pub fn predict(&self, inputs: &Inputs<'_>) -> Result<Vec<bool>, Error> {
        Ok(self.scores(inputs)?.into_iter().map(|score| score > 0.0).collect())
    }
}

/// Checks the score of a sample.
fn check_finite(score: f32, sample: usize) -> Result<(), Error> {
    if score.is_finite() {
        return Ok(());
    }
    Err(Error::Overflow { sample, layer: 0, unit: 0, value: score })
}

/// One perceptron per class, which separates the class from all others. The predicted
/// class is the one whose perceptron has the highest score.
///
/// The article calls this training several classifiers: a matrix of weights with a
/// classifier in each row.
///
/// ```
/// use nn::{Examples, Inputs, OneVsAll, Sequential};
/// let x = [1., 0., 0., 1., -1., -1.];
/// let inputs = Inputs::new(&x, 2)?;
/// let examples = Examples::new(inputs, &[0u8, 1, 2])?;
/// let classifier = OneVsAll::fit(&examples, 3, 100, 1, &Sequential)?;
/// assert_eq!(classifier.perceptrons().len(), 3);
/// assert_eq!(classifier.predict(&inputs)?, [0, 1, 2]);
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct OneVsAll {
    perceptrons: Vec<Perceptron>,
}

impl OneVsAll {
    /// Trains one perceptron for each of `classes` classes with [`Perceptron::fit`], all
    /// with the same seed. The trainings are independent: `executor` runs them in parallel,
    /// and the result does not depend on it.
    ///
    /// # Errors
    /// As for [`Perceptron::fit`]; [`Error::Zero`] where `classes` is 0, and
    /// [`Error::Label`] for a label that is not below `classes`.
    pub fn fit(
        examples: &Examples<'_>,
        classes: usize,
        epochs: usize,
        seed: u64,
        executor: &impl Executor,
    ) -> Result<Self, Error> {
        if classes == 0 {
            return Err(Error::Zero { what: "number of classes".into() });
        }
        let width = examples.inputs().width();
        Head::Softmax.check(examples, width, classes)?;
        let mut learners = Vec::with_capacity(classes);
        for class in 0..classes {
            learners.push(Learner { class, neuron: Perceptron::new(width)?, failure: None });
        }
        for_each(&mut learners, executor, |learner| {
            learner.failure = learner.neuron.fit(examples, learner.class, epochs, seed).err();
        });
        let mut perceptrons = Vec::with_capacity(classes);
        for learner in learners {
            match learner.failure {
                Some(error) => return Err(error),
                None => perceptrons.push(learner.neuron),
            }
        }
        Ok(Self { perceptrons })
    }

    /// The perceptron of each class, first to last.
    #[must_use]
    pub fn perceptrons(&self) -> &[Perceptron] {
        &self.perceptrons
    }

    /// The class of each sample: the one with the highest score, the first of equal scores.
    ///
    /// # Errors
    /// As for [`Perceptron::scores`].
    pub fn predict(&self, inputs: &Inputs<'_>) -> Result<Vec<u32>, Error> {
        let columns: Result<Vec<_>, _> =
            self.perceptrons.iter().map(|neuron| neuron.scores(inputs)).collect();
        let columns = columns?;
        let row = |sample| columns.iter().map(|scores| scores[sample]).collect::<Vec<f32>>();
        Ok((0..inputs.len()).map(|sample| argmax(&row(sample)) as u32).collect())
    }
}

/// The training of one perceptron, with its error if it failed.
struct Learner {
    class: usize,
    neuron: Perceptron,
    failure: Option<Error>,
}
