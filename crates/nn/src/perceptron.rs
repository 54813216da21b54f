//! What came before networks: one neuron that says yes or no, and one neuron for
//! each class.
//!
//! Both are linear. The linear classifier whose classes are learnt together, with
//! softmax and cross-entropy, is an [`Mlp`](crate::Mlp) without hidden layers.

use kernels::Isa;
use rand::seq::SliceRandom;

use crate::fork::for_each;
use crate::judge::argmax;
use crate::net::{PIXEL_SCALE, seeded};
use crate::{Error, Examples, Executor, Head, Inputs};

/// A neuron with a sign for its output: `w·x + b > 0` is one class, all else is
/// the other.
///
/// It learns by Rosenblatt's rule (*The perceptron*, 1958): a sample that it takes
/// for the wrong class, or for neither, moves it by `w ← w + y·x`, `b ← b + y`,
/// where `y` is 1 for the one class and −1 for the other. From weights of 0, a
/// factor before the step would only scale them. Where a plane parts the classes
/// by a margin of γ and no sample, with a 1 behind it for the bias, is longer than
/// R, it makes at most (R/γ)² mistakes (Novikoff 1962); where none does, it never
/// comes to rest.
///
/// ```
/// use nn::{Examples, Inputs, Perceptron};
/// let x = [0., 0., 0., 1., 1., 0., 1., 1.];
/// let inputs = Inputs::new(&x, 2)?;
/// // And can be parted by a line, exclusive or cannot.
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
    /// A neuron of `inputs` weights, all of them 0.
    ///
    /// # Errors
    /// [`Error::Zero`].
    pub fn new(inputs: usize) -> Result<Self, Error> {
        if inputs == 0 {
            return Err(Error::Zero { what: "inputs of the perceptron".into() });
        }
        Ok(Self { weights: vec![0.0; inputs], bias: 0.0 })
    }

    /// One weight an input.
    #[must_use]
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// The bias.
    #[must_use]
    pub fn bias(&self) -> f32 {
        self.bias
    }

    /// Learns to tell class `class` from all others: up to `epochs` passes over the
    /// examples, each in an order of its own drawn by `seed`, until one makes no
    /// mistake. Returns the mistakes of each pass.
    ///
    /// Goes on from the weights that are there. Bytes are divided by 255.
    ///
    /// # Errors
    /// [`Error::Zero`] for no epoch, [`Error::Empty`], [`Error::Width`] and
    /// [`Error::NotFinite`] for examples that do not fit, and
    /// [`Error::OutOfRange`] where features are so large that a weight becomes
    /// infinite; the neuron is then as it was.
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
                mistakes += usize::from(learnt.correct(&row, y));
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

    /// One step of the rule; whether there was a mistake.
    fn correct(&mut self, x: &[f32], y: f32) -> bool {
        if y * self.score(x) > 0.0 {
            return false;
        }
        for (w, x) in self.weights.iter_mut().zip(x) {
            *w += y * x;
        }
        self.bias += y;
        true
    }

    /// `w·x + b`.
    fn score(&self, x: &[f32]) -> f32 {
        // Sixteen sums side by side, which become vectors, and the same on every
        // instruction set, since a product and a sum are two roundings here.
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
    /// [`Error::Width`] and [`Error::NotFinite`] for inputs that do not fit.
    pub fn scores(&self, inputs: &Inputs<'_>) -> Result<Vec<f32>, Error> {
        inputs.check(self.weights.len())?;
        let isa = Isa::active()?;
        let mut row = vec![0.0; self.weights.len()];
        let score = |index| {
            inputs.copy_row(isa, index, PIXEL_SCALE, &mut row);
            self.score(&row)
        };
        Ok((0..inputs.len()).map(score).collect())
    }

    /// Whether each sample is of the class that was learnt.
    ///
    /// # Errors
    /// As for [`Perceptron::scores`].
    pub fn predict(&self, inputs: &Inputs<'_>) -> Result<Vec<bool>, Error> {
        Ok(self.scores(inputs)?.into_iter().map(|score| score > 0.0).collect())
    }
}

/// A perceptron for each class, which tells it from all others; a sample is of the
/// class whose perceptron says so the loudest.
///
/// This is what the article calls training several classifiers, a matrix of
/// weights with a classifier in each row.
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
    /// Trains one perceptron for each of `classes` classes with
    /// [`Perceptron::fit`], all by the same seed. They do not know each other:
    /// `executor` runs them side by side and changes nothing.
    ///
    /// # Errors
    /// As for [`Perceptron::fit`]; [`Error::Zero`] for no class, and
    /// [`Error::Label`].
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

    /// The class of each sample: of the highest score, and the first of several.
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

/// A perceptron while it learns its class.
struct Learner {
    class: usize,
    neuron: Perceptron,
    failure: Option<Error>,
}
