//! The hyperparameters of training.

use serde::{Deserialize, Serialize};

use crate::head::Objective;
use crate::{
    Average, BatchNorm, Callback, ClassWeights, Dropout, EarlyStopping, Error, Examples, Executor,
    History, Mlp, Monitor, Noise, Optimizer, Run, Schedule,
};

/// Hyperparameters of minibatch training.
///
/// ```
/// use nn::{Curve, Fit, Optimizer};
/// # use nn::*;
/// # let x = [0., 0., 0., 1., 1., 0., 1., 1.];
/// # let y = [0u8, 1, 1, 0];
/// # let examples = Examples::new(Inputs::new(&x, 2)?, &y)?;
/// # let shape =
/// #     Architecture { inputs: 2, hidden: vec![8], outputs: 2, activation: Activation::Tanh };
/// # let mut network = Mlp::new(shape, Init::Xavier, 1)?;
/// let fit = Fit {
///     epochs: 20,
///     batch_size: 4,
///     lr: 0.01,
///     optimizer: Optimizer::adam(),
///     schedule: Curve::Cosine.into(),
///     ..Fit::default()
/// };
/// let history = fit.train(&mut network, &examples, None, &Sequential)?;
/// assert!(history.epochs[19].train_loss < history.epochs[0].train_loss);
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fit {
    /// Passes over the training set, at least 1.
    pub epochs: usize,
    /// Samples per step, at least 1. The last step of an epoch takes the remaining samples.
    pub batch_size: usize,
    /// Learning rate, above 0: the initial rate, or the highest one of a schedule that rises.
    pub lr: f32,
    /// How the learning rate changes from step to step.
    pub schedule: Schedule,
    /// How a step updates the parameters: SGD with a momentum of 0.9 unless given.
    #[serde(deserialize_with = "Optimizer::table_or_name")]
    pub optimizer: Optimizer,
    /// λ of the penalty `½·λ·‖W‖²`, at least 0; with [`Optimizer::Adamw`], the weight decay.
    /// Biases are not penalised.
    pub l2: f32,
    /// ε of label smoothing, in `[0, 1)`: the target of class k of K is `(1 − ε)·[k = y] +
    /// ε/K` for the label y (Szegedy et al. 2016). With class weights, each term of the loss
    /// is multiplied by the weight of its class, as in PyTorch.
    pub label_smoothing: f32,
    /// The weight of each class in the loss; without it, all classes have the same weight.
    /// The loss is divided by the sum of the weights of the batch's samples.
    pub class_weights: Option<ClassWeights>,
    /// Factor of the penalty `l1·‖W‖₁` on the sum of the weights' absolute values, at least
    /// 0. Biases are not penalised. It makes weights exactly 0; together with `l2` it is the
    /// elastic net. [`Optimizer`] has the formula.
    pub l1: f32,
    /// Max-norm: the largest allowed Euclidean norm of a unit's incoming weights, above 0
    /// (Srivastava et al. 2014, section 5.1). After each step, the weights of a unit with a
    /// larger norm are scaled down to it, in every layer, also in the output layer. Biases
    /// are not included. With batch normalisation it limits the weights as they are trained,
    /// before gains and averages are folded in.
    pub max_norm: Option<f32>,
    /// The Euclidean norm to which the gradient of a step is clipped, above 0 (Pascanu,
    /// Mikolov and Bengio 2013). The norm is that of all parameters together, without
    /// penalties. The gradient is multiplied by `min(1, clip_norm/(‖g‖ + 10⁻⁶))`, as by
    /// PyTorch's `clip_grad_norm_`. Clipping needs memory for the whole gradient, and a
    /// second pass over it.
    pub clip_norm: Option<f32>,
    /// The average of the parameters over the steps. If it is set, the averaged network is
    /// the one that is validated and returned. (Weights that `l1` made 0 are close to 0 in
    /// the average, but not exactly 0.)
    pub average: Option<Average>,
    /// The first hidden layers whose weights and biases stay as they are, also under
    /// penalties and max-norm; 0 for none, and at most all hidden layers. A step does not
    /// compute their gradient, and clipping takes the norm of the rest. It cannot go with batch
    /// normalisation, which would change what these layers say.
    /// [`Mlp::with_outputs`] has an example.
    #[serde(skip_serializing_if = "is_zero")]
    pub frozen: usize,
    /// Dropout of inputs and of hidden units.
    pub dropout: Dropout,
    /// Noise on the inputs and on the inputs of activations.
    pub noise: Noise,
    /// Batch normalisation.
    pub batch_norm: Option<BatchNorm>,
    /// When to stop before the last epoch. It needs validation examples.
    pub early_stopping: Option<EarlyStopping>,
    /// Whether each epoch shuffles the samples; otherwise they keep their order.
    pub shuffle: bool,
    /// Seed of shuffling, dropout, noise and augmentation.
    pub seed: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(layers: &usize) -> bool {
    *layers == 0
}

impl Default for Fit {
    fn default() -> Self {
        Self {
            epochs: 10,
            batch_size: 128,
            lr: 0.1,
            schedule: Schedule::default(),
            optimizer: Optimizer::Sgd { momentum: 0.9 },
            l2: 0.0,
            label_smoothing: 0.0,
            class_weights: None,
            l1: 0.0,
            max_norm: None,
            clip_norm: None,
            average: None,
            frozen: 0,
            dropout: Dropout::default(),
            noise: Noise::default(),
            batch_norm: None,
            early_stopping: None,
            shuffle: true,
            seed: 0,
        }
    }
}

impl Fit {
    /// Checks every hyperparameter against its range.
    ///
    /// # Errors
    /// [`Error::Zero`], [`Error::OutOfRange`], and for class weights [`Error::Weight`] and
    /// [`Error::NoWeight`].
    pub fn validate(&self) -> Result<(), Error> {
        for (what, value) in [("number of epochs", self.epochs), ("batch size", self.batch_size)] {
            if value == 0 {
                return Err(Error::Zero { what: what.into() });
            }
        }
        for (name, value) in [
            ("learning rate", Some(self.lr)),
            ("max-norm", self.max_norm),
            ("clip-norm", self.clip_norm),
        ] {
            if let Some(found) = value.filter(|x| !(x.is_finite() && *x > 0.0)) {
                let expected = "a finite number above 0";
                return Err(Error::OutOfRange { name, found: found.into(), expected });
            }
        }
        for (name, value) in [("l2", self.l2), ("l1", self.l1)] {
            if !(value.is_finite() && value >= 0.0) {
                let expected = "a finite number of at least 0";
                return Err(Error::OutOfRange { name, found: value.into(), expected });
            }
        }
        self.schedule.validate()?;
        self.optimizer.validate()?;
        self.validate_loss()?;
        self.average.map_or(Ok(()), Average::validate)?;
        self.dropout.validate()?;
        self.noise.validate()?;
        self.batch_norm.map_or(Ok(()), BatchNorm::validate)?;
        self.early_stopping.map_or(Ok(()), EarlyStopping::validate)
    }

    /// Checks everything that [`run`](Self::run) checks before it begins, without training.
    ///
    /// # Errors
    /// Those of `run`, except [`Error::Diverged`].
    ///
    /// ```
    /// use nn::{Activation, Architecture, ClassWeights, Error, Examples, Fit, Init, Inputs, Mlp};
    ///
    /// let shape =
    ///     Architecture { inputs: 1, hidden: vec![], outputs: 2, activation: Activation::Tanh };
    /// let network = Mlp::new(shape, Init::Xavier, 1)?;
    /// let examples = Examples::new(Inputs::new(&[0.1, 0.2], 1)?, &[0u8, 1])?;
    /// let three = ClassWeights::Each(vec![1.0, 2.0, 3.0]);
    /// let fit = Fit { class_weights: Some(three), ..Fit::default() };
    /// assert!(fit.validate().is_ok());
    /// assert!(matches!(fit.check(&network, &examples, None), Err(Error::Length { .. })));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn check(
        &self,
        network: &Mlp,
        train: &Examples<'_>,
        validation: Option<&Examples<'_>>,
    ) -> Result<(), Error> {
        self.objective(network, train, validation).map(|_| ())
    }

    /// Checks everything, and returns the objective to minimise.
    pub(super) fn objective(
        &self,
        network: &Mlp,
        train: &Examples<'_>,
        validation: Option<&Examples<'_>>,
    ) -> Result<Objective, Error> {
        let (shape, head) = (network.architecture(), network.head());
        self.validate()?;
        for examples in [Some(train), validation].into_iter().flatten() {
            head.check(examples, shape.inputs, shape.outputs)?;
        }
        self.check_steps(shape, self.batch_size.min(train.len()), self.lr)?;
        self.check_stopping()?;
        if self.early_stopping.is_some() && validation.is_none() {
            return Err(Error::NoValidation);
        }
        let exact = head.with(|kind| kind.is_exact());
        if !exact && self.early_stopping.is_some_and(|rule| rule.monitor == Monitor::Accuracy) {
            return Err(Error::NotExact { head: head.name() });
        }
        Objective::new(head, self, train, shape.outputs)
    }

    /// [`run`](Self::run) without a callback.
    ///
    /// # Errors
    /// As for [`run`](Self::run).
    pub fn train(
        &self,
        network: &mut Mlp,
        train: &Examples<'_>,
        validation: Option<&Examples<'_>>,
        executor: &impl Executor,
    ) -> Result<History, Error> {
        self.run(network, train, validation, executor, ())
    }

    /// Trains `network` on `train`, and evaluates `validation` after each epoch.
    ///
    /// `callback` is called after each step and each epoch; without one there is
    /// [`train`](Self::train). The result depends only on the network, the examples and these hyperparameters, including
    /// the seed. `executor` changes the time of a run, but no bit of its result. Batch
    /// normalisation is folded into the result.
    ///
    /// # Errors
    /// Hyperparameters out of range, examples that do not fit the network,
    /// [`Error::NoValidation`], [`Error::NotExact`] or [`Error::Diverged`]. After an error
    /// the network is unchanged. A run with early stopping that diverges after its first
    /// epoch is no error: it returns its best network, and [`History::ended`] says so.
    ///
    /// A [`Run`] does the same, and can be saved and continued.
    pub fn run(
        &self,
        network: &mut Mlp,
        train: &Examples<'_>,
        validation: Option<&Examples<'_>>,
        executor: &impl Executor,
        callback: impl Callback,
    ) -> Result<History, Error> {
        let mut run = Run::new(network.clone(), self, *train, validation.copied())?;
        match run.train(executor, callback) {
            // With early stopping there is a network to return, whatever ended the run.
            Err(Error::Diverged { .. }) if run.history().best.is_some() => (),
            result => result.map(|_| ())?,
        }
        let (trained, history) = run.finish();
        *network = trained;
        Ok(history)
    }
}
