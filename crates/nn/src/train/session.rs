//! Training step by step.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

use super::norm::Running;
use super::optimizer::{Rule, State};
use super::step::{self, Batch, Collect, GradientSink, Learner, Memory, Moments};
use crate::head::Objective;
use crate::net::unpack;
use crate::{Error, Evaluation, Examples, Executor, Fit, Mlp, Ranks, memory};

/// A network in training: its parameters, the optimizer's state, the averages of batch
/// normalisation, and the memory of a step.
///
/// [`Fit::run`] uses a session for its epochs. Use one directly if your data arrive over
/// time, or if you decide after each step how to continue:
///
/// ```
/// # use nn::*;
/// # let x = [0., 0., 0., 1., 1., 0., 1., 1.];
/// # let y = [0u8, 1, 1, 0];
/// # let examples = Examples::new(Inputs::new(&x, 2)?, &y)?;
/// # let shape =
/// #     Architecture { inputs: 2, hidden: vec![8], outputs: 2, activation: Activation::Tanh };
/// # let network = Mlp::new(shape, Init::Xavier, 1)?;
/// let mut session = Session::new(network, &Fit::default())?;
/// for _ in 0..300 {
///     let result = session.step(&examples, 0.5, &Sequential)?;
///     if result.loss < 0.05 {
///         break;
///     }
/// }
/// assert_eq!(session.network().predict(&examples.inputs())?, [0, 1, 1, 0]);
/// # Ok::<(), Error>(())
/// ```
///
/// # Data that do not fit into memory
///
/// A batch is borrowed for its step only, so the batches can come from an iterator that reads
/// a file, a query or a socket. From the second step of a size on, a step allocates nothing:
/// the memory is that of the session and of one batch, however long the stream is. The batches
/// should be mixed: a stream that is sorted by class is learned badly.
///
/// ```
/// # use nn::*;
/// # let shape =
/// #     Architecture { inputs: 2, hidden: vec![8], outputs: 2, activation: Activation::Tanh };
/// # let network = Mlp::new(shape, Init::Xavier, 1)?;
/// // What reads the next batch: features and classes of 32 samples.
/// let read = |batch: usize| {
///     let at = |i: usize| ((batch * 64 + i) * 37 % 101) as f32 / 101.0;
///     let x: Vec<f32> = (0..64).map(at).collect();
///     let y: Vec<u8> = x.chunks(2).map(|point| u8::from(point[0] > point[1])).collect();
///     (x, y)
/// };
/// let mut session = Session::new(network, &Fit::default())?;
/// let mut last = None;
/// for (x, y) in (0..1000).map(read) {
///     let batch = Examples::new(Inputs::new(&x, 2)?, &y)?;
///     last = Some(session.step(&batch, 0.1, &Sequential)?);
/// }
/// assert!(last.unwrap().accuracy > 0.9);
/// # Ok::<(), Error>(())
/// ```
pub struct Session {
    pub(super) fit: Fit,
    /// With gains if there is batch normalisation.
    pub(super) network: Mlp,
    /// The network with the average of the parameters, if one is kept.
    pub(super) average: Option<Mlp>,
    pub(super) running: Option<Running>,
    pub(super) state: State,
    /// The objective of the current examples.
    pub(crate) objective: Objective,
    memory: Option<Memory>,
    /// `0, 1, …`: the positions of a step on all examples.
    positions: Vec<u32>,
    pub(super) steps: u64,
}

/// With memory of its own, which its first step reserves. The clone takes the steps that the
/// session would take.
impl Clone for Session {
    fn clone(&self) -> Self {
        Self {
            fit: self.fit.clone(),
            network: self.network.clone(),
            average: self.average.clone(),
            running: self.running.clone(),
            state: self.state.clone(),
            objective: self.objective.clone(),
            memory: None,
            positions: Vec::new(),
            steps: self.steps,
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fit, network, steps, .. } = self;
        let mut shown = f.debug_struct("Session");
        shown.field("steps", steps).field("network", network).field("fit", fit);
        shown.finish_non_exhaustive()
    }
}

/// A learner that applies the gradient.
struct Training<'a> {
    network: &'a mut Mlp,
    average: Option<&'a mut [f32]>,
    running: Option<&'a mut Running>,
    state: &'a mut State,
    rule: Rule,
}

impl Learner for Training<'_> {
    fn params(&self) -> &[f32] {
        &self.network.params
    }

    /// A batch whose loss is not finite changes nothing.
    fn accepts(&self, outcome: &Evaluation) -> bool {
        outcome.loss.is_finite()
    }

    fn observe(&mut self, moments: &Moments<'_>) {
        if let Some(running) = &mut self.running {
            running.update(moments);
        }
    }

    fn sink(&mut self) -> impl GradientSink {
        let (isa, params) = (self.network.isa, &mut self.network.params[..]);
        self.state.apply(isa, self.rule, params, self.average.as_deref_mut())
    }
}

/// A learner that keeps the gradient and changes no parameter.
struct Collector<'a> {
    network: &'a Mlp,
    gradient: &'a mut [f32],
}

impl Learner for Collector<'_> {
    fn params(&self) -> &[f32] {
        &self.network.params
    }

    fn accepts(&self, _: &Evaluation) -> bool {
        true
    }

    fn observe(&mut self, _: &Moments<'_>) {}

    fn sink(&mut self) -> impl GradientSink {
        Collect::new(self.gradient)
    }
}

impl Session {
    /// A session that starts from `network` with the hyperparameters of `fit`. It ignores the
    /// number of epochs, the batch size, the learning rate and its schedule, shuffling and
    /// early stopping, which belong to the loop around it.
    ///
    /// With batch normalisation, gains start at 1 and the running averages at their initial
    /// values, however the network was trained before.
    ///
    /// # Errors
    /// Hyperparameters out of range, and [`Error::Memory`].
    pub fn new(network: Mlp, fit: &Fit) -> Result<Self, Error> {
        fit.validate()?;
        // Of a batch nothing is known yet.
        memory::probe(fit.memory(network.architecture(), 0))?;
        let network = match fit.batch_norm {
            Some(_) => network.with_gains(true),
            None => network,
        };
        let running = fit.batch_norm.map(|norm| Running::new(norm, &network.layers));
        let state = State::new(&network, fit.optimizer.slots().len());
        let average = fit.average.map(|_| network.clone());
        Ok(Self {
            fit: fit.clone(),
            network,
            average,
            running,
            state,
            objective: Objective::default(),
            memory: None,
            positions: Vec::new(),
            steps: 0,
        })
    }

    /// Steps taken so far.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// A copy of the current network, ready to predict; its average, if `fit` keeps one.
    #[must_use]
    pub fn network(&self) -> Mlp {
        self.folded().into_owned()
    }

    /// [`network`](Self::network), where the session is no longer needed.
    #[must_use]
    pub fn into_network(self) -> Mlp {
        match &self.running {
            Some(_) => self.network(),
            None => self.average.unwrap_or(self.network),
        }
    }

    /// The network as it is in training: with gains, and not averaged.
    pub(super) fn trained(&self) -> &Mlp {
        &self.network
    }

    /// The network, or its average if there is one, with batch normalisation folded in.
    /// Only folding makes a copy.
    fn folded(&self) -> Cow<'_, Mlp> {
        let network = self.average.as_ref().unwrap_or(&self.network);
        match &self.running {
            Some(running) => Cow::Owned(running.fold(network)),
            None => Cow::Borrowed(network),
        }
    }

    /// Takes one step with the learning rate `lr` on all the examples, as one batch.
    /// [Balanced](crate::ClassWeights::Balanced) class weights are computed from this batch.
    /// Returns the evaluation of the batch before the update.
    ///
    /// # Errors
    /// Examples that do not fit the network; a learning rate that is not above 0;
    /// [`Error::Diverged`] where the loss is not finite. After an error the network is
    /// unchanged.
    pub fn step(
        &mut self,
        examples: &Examples<'_>,
        lr: f32,
        executor: &impl Executor,
    ) -> Result<Evaluation, Error> {
        let (shape, head) = (self.network.architecture(), self.network.head());
        head.check(examples, shape.inputs, shape.outputs)?;
        if !(lr.is_finite() && lr > 0.0) {
            let (name, expected) = ("learning rate", "a finite number above 0");
            return Err(Error::OutOfRange { name, found: lr.into(), expected });
        }
        self.fit.check_steps(shape, examples.len(), lr)?;
        self.objective = Objective::new(head, &self.fit, examples, shape.outputs)?;
        // Taken, because the step borrows the rest of the session.
        let mut positions = std::mem::take(&mut self.positions);
        positions.extend(positions.len() as u32..examples.len() as u32);
        // Each step counts as an epoch, so that augmentation differs between steps.
        let batch = &positions[..examples.len()];
        let result = self.step_on(examples, batch, self.steps, lr.into(), executor);
        self.positions = positions;
        self.settle(executor.ranks());
        Ok(result?.0)
    }

    /// Takes one step of epoch `epoch` on the examples at `positions`. The examples were
    /// checked, and `objective` was made for them. Returns the evaluation of the batch before
    /// the update, and the sum of its weights.
    pub(crate) fn step_on(
        &mut self,
        examples: &Examples<'_>,
        positions: &[u32],
        epoch: u64,
        lr: f64,
        executor: &impl Executor,
    ) -> Result<(Evaluation, f64), Error> {
        let Self { fit, network, average, running, state, objective, memory, steps, .. } = self;
        let total = objective.total(examples, positions);
        let (seed, step, pixel_scale) = (fit.seed, *steps, network.pixel_scale());
        let batch = Batch { examples, positions, pixel_scale, seed, step, epoch, objective, total };
        let memory = Memory::reserve(memory, network, positions.len(), fit, executor);
        let average = average.as_mut().map(|average| &mut average.params[..]);
        let rule = Rule::new(fit, lr, step + 1);
        let mut training = Training { network, average, running: running.as_mut(), state, rule };
        let result = step::step(&batch, memory, &mut training, executor);
        if memory.moves_weights() {
            memory.settle(executor.ranks(), &mut network.params);
        }
        if !result.loss.is_finite() {
            return Err(Error::Diverged { step: step + 1, loss: result.loss, lr });
        }
        *steps += 1;
        Ok((result, total))
    }

    /// Brings everything up to date that the ranks of the last steps have changed, each of them
    /// its own part of it. Between steps it is not needed.
    pub(crate) fn settle(&mut self, ranks: &dyn Ranks) {
        let Self { network, average, running, state, memory, .. } = self;
        let Some(memory) = memory else { return };
        memory.settle(ranks, &mut network.params);
        if let Some(average) = average {
            memory.settle(ranks, &mut average.params);
        }
        state.vectors_mut().for_each(|vector| memory.settle(ranks, vector));
        if let Some(running) = running {
            memory.settle_units(ranks, &mut running.mean);
            memory.settle_units(ranks, &mut running.variance);
        }
    }

    /// Evaluates [`network`](Self::network) on examples that were checked.
    pub(crate) fn evaluate(
        &self,
        examples: &Examples<'_>,
        executor: &impl Executor,
    ) -> Result<Evaluation, Error> {
        self.folded().evaluate(examples, executor)
    }

    /// Whether all parameters and their averages are finite.
    pub(crate) fn is_finite(&self) -> bool {
        let networks = [Some(&self.network), self.average.as_ref()];
        networks.into_iter().flatten().all(|network| network.params.iter().all(|w| w.is_finite()))
    }
}

/// A loss and its gradient.
///
/// ```
/// use nn::{Activation, Architecture, Examples, Fit, Inputs, Mlp, Sequential};
/// let shape =
///     Architecture { inputs: 1, hidden: vec![], outputs: 2, activation: Activation::Tanh };
/// let network = Mlp::zeros(shape)?;
/// let examples = Examples::new(Inputs::new(&[2.0], 1)?, &[0u8])?;
/// let gradient = Fit::default().gradient(&network, &examples, 0, &Sequential)?;
/// // Softmax minus one-hot, times the input for the weights.
/// let (weights, biases) = &gradient.layers[0];
/// let near = |a: &[f32], b: [f32; 2]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5);
/// assert!(near(biases, [-0.5, 0.5]) && near(weights, [-1.0, 1.0]));
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Gradient {
    /// Mean loss of the head, with label smoothing and weights.
    pub loss: f64,
    /// For each layer, first to last, the gradient of its weights (units ×
    /// inputs, row-major) and of its biases (units).
    pub layers: Vec<(Vec<f32>, Vec<f32>)>,
    /// For each layer, the gradient of the gains (units) of batch normalisation; empty
    /// without it.
    pub gains: Vec<Vec<f32>>,
}

impl Fit {
    /// The gradient of the mean loss over all the examples, as one step of training computes
    /// it. It does not include the penalty, and it is not clipped. The random numbers are
    /// those of step `step`, augmentation is that of epoch `step`, and gains of batch
    /// normalisation are 1. For frozen layers it is 0.
    ///
    /// # Errors
    /// As for [`Fit::run`].
    pub fn gradient(
        &self,
        network: &Mlp,
        examples: &Examples<'_>,
        step: u64,
        executor: &impl Executor,
    ) -> Result<Gradient, Error> {
        let (shape, head) = (network.architecture(), network.head());
        head.check(examples, shape.inputs, shape.outputs)?;
        self.validate()?;
        self.check_steps(shape, examples.len(), self.lr)?;
        let session = Session::new(network.clone(), &Self { clip_norm: None, ..self.clone() })?;
        let Session { fit, network, mut memory, .. } = session;
        let objective = &Objective::new(head, &fit, examples, shape.outputs)?;
        let positions: &[u32] = &(0..examples.len() as u32).collect::<Vec<_>>();
        let (seed, total) = (fit.seed, objective.total(examples, positions));
        let pixel_scale = network.pixel_scale();
        let epoch = step;
        let batch = Batch { examples, positions, pixel_scale, seed, step, epoch, objective, total };
        let memory = Memory::reserve(&mut memory, &network, examples.len(), &fit, executor);
        let mut gradient = vec![0.0; network.params.len()];
        let mut collector = Collector { network: &network, gradient: &mut gradient };
        let loss = step::step(&batch, memory, &mut collector, executor).loss;
        memory.settle(executor.ranks(), &mut gradient);

        let layers = network.layers.iter();
        Ok(Gradient {
            loss,
            layers: layers.clone().map(|dense| unpack(dense, &gradient)).collect(),
            gains: layers
                .filter(|dense| dense.gains)
                .map(|dense| (0..dense.units).map(|unit| gradient[dense.gain_at(unit)]).collect())
                .collect(),
        })
    }
}
