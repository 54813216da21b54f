//! Saved sessions and runs: everything that decides their future, in one file.
//!
//! The file is a safetensors file with a checksum. Its tensors, with the names of the
//! layers' tensors as in a model's file, are
//!
//! ```text
//! layer.<l>.weight, .bias, .gain       the parameters in training
//! layer.<l>.mean, .variance            the running averages of batch normalisation
//! optimizer.<x>.layer.<l>…             what the optimizer keeps, by its letter in the formula
//! average.layer.<l>…                   the average of the parameters
//! best.layer.<l>.weight, .bias         the best network of early stopping
//! ```
//!
//! and the rest is in the metadata: `fit`, `steps`, and for a run `run`, all of it JSON.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::norm::Running;
use super::run::{RunState, Sums};
use super::stopping::Best;
use crate::net::Description;
use crate::tensor_file::{self, Reader, Writer, one_line};
use crate::{Error, Examples, Fit, History, Mlp, Run, Session, files};

const FORMAT: &str = "nn.checkpoint";
const VERSION: &str = "1";

/// Where the tensors of the best network are.
const BEST: &str = "best.";
const AVERAGE: &str = "average.";

/// More steps than any run takes. The count can go on from there.
const MOST_STEPS: u64 = 1 << 53;

fn slot(name: &str) -> String {
    format!("optimizer.{name}.")
}

impl Session {
    /// Writes the session to `path`, whole or not at all, as [`files::write`] does.
    ///
    /// # Errors
    /// [`Error::Io`].
    ///
    /// ```
    /// # use nn::*;
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let path = dir.path().join("session.safetensors");
    /// # let x = [0., 0., 0., 1., 1., 0., 1., 1.];
    /// # let y = [0u8, 1, 1, 0];
    /// # let examples = Examples::new(Inputs::new(&x, 2)?, &y)?;
    /// # let shape =
    /// #     Architecture { inputs: 2, hidden: vec![8], outputs: 2, activation: Activation::Tanh };
    /// # let network = Mlp::new(shape, Init::Xavier, 1)?;
    /// let mut session = Session::new(network, &Fit::default())?;
    /// session.step(&examples, 0.5, &Sequential)?;
    /// session.save(&path)?;
    /// let mut session = Session::load(&path)?;
    /// session.step(&examples, 0.5, &Sequential)?; // as if it had never been away
    /// # Ok::<(), Error>(())
    /// ```
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        files::write(path, &self.to_bytes()).map_err(Error::io(path))
    }

    /// Reads a session that [`save`](Self::save) wrote. It continues with the same
    /// hyperparameters. The session of a saved [`Run`] is read too.
    ///
    /// # Errors
    /// [`Error::Io`], and [`Error::Checkpoint`] for a file that is damaged or no session.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        load(path.as_ref(), Self::read)
    }

    /// The session in the safetensors format.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut file = Writer::new(FORMAT, VERSION);
        self.write(&mut file);
        file.finish_with_checksum()
    }

    /// Reads a session from the bytes that [`to_bytes`](Self::to_bytes) returned.
    ///
    /// # Errors
    /// [`Error::Checkpoint`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        parse(bytes, Self::read)
    }

    fn write(&self, file: &mut Writer) {
        let Self { fit, network, average, running, state, steps, .. } = self;
        network.describe(file);
        file.note("isa", network.isa.name());
        file.json("fit", fit);
        file.json("steps", steps);
        network.write_parameters(file, "", &network.params);
        for (name, values) in fit.optimizer.slots().iter().zip(state.vectors()) {
            network.write_parameters(file, &slot(name), values);
        }
        if let Some(average) = average {
            average.write_parameters(file, AVERAGE, &average.params);
        }
        if let Some(Running { mean, variance, .. }) = running {
            for (l, (mean, variance)) in mean.iter().zip(variance).enumerate() {
                for (name, values) in [("mean", mean), ("variance", variance)] {
                    let name = format!("layer.{l}.{name}");
                    file.tensor(name, &[values.len()], values.iter().copied());
                }
            }
        }
    }

    fn read(file: &Reader<'_>) -> Result<Self, String> {
        let fit: Fit = file.json("fit")?;
        let message = |error: Error| error.to_string();
        let mut session = Self::new(network_of(file)?, &fit).map_err(message)?;
        session.steps = file.json("steps")?;
        if session.steps > MOST_STEPS {
            return Err(format!("its `steps` is {}, expected at most 2^53", session.steps));
        }
        let Self { fit, network, average, running, state, steps, .. } = &mut session;
        let mut params = std::mem::take(&mut network.params);
        network.read_parameters(file, "", &mut params)?;
        network.params = params;
        for (name, values) in fit.optimizer.slots().iter().zip(state.vectors_mut()) {
            network.read_parameters(file, &slot(name), values)?;
        }
        if let Some(average) = average {
            network.read_parameters(file, AVERAGE, &mut average.params)?;
        }
        if let Some(running) = running {
            // Each step updates them once.
            running.steps = *steps;
            let averages = running.mean.iter_mut().zip(&mut running.variance);
            for (l, (mean, variance)) in averages.enumerate() {
                *mean = file.tensor(&format!("layer.{l}.mean"), &[mean.len()])?;
                *variance = file.tensor(&format!("layer.{l}.variance"), &[variance.len()])?;
            }
        }
        Ok(session)
    }
}

/// What a run has beside its session.
#[derive(Serialize, Deserialize)]
struct RunPart {
    samples: usize,
    history: History,
    sums: Sums,
    /// The best score of early stopping; its epoch is in the history.
    #[serde(with = "crate::exact")]
    best_score: f64,
}

impl Run<'_> {
    /// Writes the run to `path`, whole or not at all, as [`files::write`] does. [`Checkpoint`]
    /// reads it.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        files::write(path, &self.to_bytes()).map_err(Error::io(path))
    }

    /// About the number of bytes that [`save`](Self::save) writes once there is a best
    /// network: parameters, what the optimizer and the averages keep, and some text.
    #[must_use]
    pub fn saved_len(&self) -> u64 {
        let parameters = self.architecture().parameters() as u64;
        parameters.saturating_mul(4 * self.fit().vectors()).saturating_add(10_000)
    }

    /// The run in the safetensors format.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let RunState { session, best, history, sums, samples, notes, .. } = &self.state;
        let mut file = Writer::new(FORMAT, VERSION);
        session.write(&mut file);
        file.json("notes", notes);
        if let Some(network) = best.as_ref().and_then(|best| best.network.as_ref()) {
            network.write_parameters(&mut file, BEST, &network.params);
        }
        let run = RunPart {
            samples: *samples,
            history: history.clone(),
            sums: *sums,
            best_score: best.as_ref().map_or(f64::NEG_INFINITY, |best| best.score),
        };
        file.json("run", &run);
        file.finish_with_checksum()
    }
}

/// A saved [`Run`] that was read, and waits for its examples.
///
/// [`Run`] has an example.
pub struct Checkpoint {
    state: RunState,
    isa: String,
}

impl Checkpoint {
    /// Reads a run that [`Run::save`] wrote.
    ///
    /// # Errors
    /// [`Error::Io`], and [`Error::Checkpoint`] for a file that is damaged or no run.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        load(path.as_ref(), Self::read)
    }

    /// Reads a run from the bytes that [`Run::to_bytes`] returned.
    ///
    /// # Errors
    /// [`Error::Checkpoint`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        parse(bytes, Self::read)
    }

    /// The hyperparameters of the run.
    #[must_use]
    pub fn fit(&self) -> &Fit {
        &self.state.session.fit
    }

    /// What happened before the run was saved.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.state.history
    }

    /// Steps taken so far in all epochs.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.state.session.steps()
    }

    /// The network as it is in training, for its shape.
    #[must_use]
    pub fn network(&self) -> &Mlp {
        self.state.session.trained()
    }

    /// The instruction set with which the run was trained. All vector instruction sets
    /// compute the same bits; `scalar` does not.
    #[must_use]
    pub fn isa(&self) -> &str {
        &self.isa
    }

    /// What the program around the run kept with it: see [`Run::notes`].
    #[must_use]
    pub fn notes(&self) -> &BTreeMap<String, String> {
        &self.state.notes
    }

    /// Changes the number of epochs: see [`Run::set_epochs`].
    ///
    /// # Errors
    /// As for [`Run::set_epochs`].
    pub fn set_epochs(&mut self, epochs: usize) -> Result<(), Error> {
        self.state.set_epochs(epochs)
    }

    /// The run, ready to continue on the examples that it was trained on. That they are the
    /// same is for the caller to know; only their number is checked.
    ///
    /// # Errors
    /// [`Error::Resumed`] for another number of training examples, and what [`Run::new`]
    /// says of examples that do not fit.
    pub fn resume<'a>(
        self,
        train: Examples<'a>,
        validation: Option<Examples<'a>>,
    ) -> Result<Run<'a>, Error> {
        let (found, expected) = (train.len(), self.state.samples);
        if found != expected {
            return Err(Error::Resumed { found, expected });
        }
        Run::with_examples(self.state, train, validation)
    }

    fn read(file: &Reader<'_>) -> Result<Self, String> {
        if file.optional("run").is_none() {
            return Err("it is a session by itself, expected a run".into());
        }
        let session = Session::read(file)?;
        let RunPart { samples, history, sums, best_score } = file.json("run")?;
        let mut best = session.fit.early_stopping.map(Best::new);
        if let (Some(best), Some(epoch)) = (&mut best, history.best) {
            let mut network = session.trained().with_gains(false);
            let mut params = std::mem::take(&mut network.params);
            network.read_parameters(file, BEST, &mut params)?;
            network.params = params;
            (best.score, best.epoch, best.network) = (best_score, epoch, Some(network));
        }
        let notes = file.json("notes")?;
        let state = RunState { session, best, history, sums, samples, notes };
        state.check_counts()?;
        Ok(Self { state, isa: file.field("isa")?.to_owned() })
    }
}

impl RunState {
    /// Checks that the counts of a file fit each other.
    fn check_counts(&self) -> Result<(), String> {
        let (steps, epochs) = (self.session.steps(), self.history.epochs.len());
        if self.samples == 0 {
            return Err("it has no samples".into());
        }
        // An open epoch may have taken all its steps.
        let per_epoch = self.steps_per_epoch();
        let whole = (epochs as u64).checked_mul(per_epoch);
        let fits = whole.is_some_and(|whole| steps >= whole && steps - whole <= per_epoch);
        let best = self.history.best;
        let best_fits = best.is_none_or(|best| self.best.is_some() && (1..=epochs).contains(&best));
        let of = self.session.fit.epochs;
        if !fits || epochs > of || !best_fits {
            return Err(format!(
                "its counts do not fit: {steps} steps, {epochs} of {of} epochs of {per_epoch} \
                 steps, the best of them {best:?}"
            ));
        }
        Ok(())
    }
}

/// The network that the metadata describe, its parameters 0.
fn network_of(file: &Reader<'_>) -> Result<Mlp, String> {
    let description = Description::read(file)?;
    // Before memory is requested: a hostile header may name an architecture of any size.
    for (l, (inputs, units)) in description.architecture.maps().into_iter().enumerate() {
        file.has(&format!("layer.{l}.weight"), &[units, inputs])?;
    }
    description.build().map_err(|error| error.to_string())
}

fn load<T>(path: &Path, read: fn(&Reader<'_>) -> Result<T, String>) -> Result<T, Error> {
    let found = tensor_file::read(path, FORMAT).map_err(Error::io(path))?;
    parsed(found.and_then(|bytes| checked(&bytes, read)), &path.display().to_string())
}

fn parse<T>(bytes: &[u8], read: fn(&Reader<'_>) -> Result<T, String>) -> Result<T, Error> {
    parsed(checked(bytes, read), "the input")
}

/// What `read` finds in a file of this version whose checksum is right.
fn checked<T>(bytes: &[u8], read: fn(&Reader<'_>) -> Result<T, String>) -> Result<T, String> {
    let file = Reader::parse(bytes, FORMAT)?;
    let version = file.field("version")?;
    if version != VERSION {
        return Err(format!("its version is `{version}`, expected `{VERSION}`"));
    }
    file.check(bytes)?;
    read(&file)
}

fn parsed<T>(found: Result<T, String>, origin: &str) -> Result<T, Error> {
    found.map_err(|reason| Error::Checkpoint {
        origin: origin.to_owned(),
        reason: one_line(&reason),
    })
}
