//! `trainer eval`: how good a saved model is on samples with answers.

mod classes;
mod samples;

use std::ffi::OsString;
use std::path::PathBuf;

use mnist_io::{ClassNames, Targets};
use nn::{Evaluation, Executor, Mlp};
use serde::Serialize;

use crate::augment::Prepared;
use crate::data::{self, Location, labelled::Labelled};
use crate::error::Error;
use crate::help;
use crate::model::Model;
use crate::pool::Pool;
use crate::process::Process;
use crate::run_dir::{self, PastRun};
use crate::streams;
use crate::summary::{Commonest, VERSION, ValueFigures};
use crate::words;
use classes::ClassFigures;

const EXAMPLES: &str = "\
Examples:
  trainer eval -m runs/NAME               on what its run was tested on
  trainer eval -m runs/NAME more.csv      on other samples with answers
  trainer eval -m runs/NAME --json        every figure, for a script";

/// Say how good a saved model is on samples with answers
///
/// The data are in any form that can be trained on: MNIST's files, a folder with a folder
/// of pictures for each class, or a table with the column that is predicted. Where they
/// have a part to test on, it is that; otherwise all of them.
///
/// Without DATA, the model of a run is tested on what its run was tested on: the part for
/// that, or the share of the samples that was held out. The figures are those of the run.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = help::after(EXAMPLES))]
pub(crate) struct Args {
    /// Data: a folder or a file [default: the test samples of the run, or data]
    #[arg(value_name = "DATA", conflicts_with = "data")]
    location: Option<PathBuf>,

    /// Model to test: a model.safetensors, or the directory of a run
    #[arg(short, long, value_name = "MODEL")]
    model: PathBuf,

    /// The same as DATA
    ///
    /// A relative path starts at the current directory. Raw files are mapped into memory:
    /// nobody may change them while the program runs.
    #[arg(long, value_name = "DATA")]
    data: Option<PathBuf>,

    /// Labels of DATA, if that is a file of IDX
    ///
    /// A second file of IDX. Files with the names of MNIST need none.
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,

    /// Mistakes to show, the most confident ones
    #[arg(long, value_name = "N", default_value_t = 4)]
    mistakes: usize,

    /// Threads, 1 to 1024 [default: one for each core]
    #[arg(long, value_name = "N")]
    threads: Option<OsString>,

    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
}

/// What `--json` prints; names and units are those of a run's summary.
#[derive(Serialize)]
struct Figures<'a> {
    model: &'a str,
    layers: Vec<usize>,
    parameters: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    test_accuracy: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    test_errors: Option<usize>,
    #[serde(flatten)]
    test_values: Option<ValueFigures>,
    test_loss: f64,
    test_samples: usize,
    #[serde(flatten)]
    commonest: Option<Commonest>,
    #[serde(flatten)]
    classes: Option<ClassFigures>,
    total_seconds: f64,
    threads: usize,
    isa: &'static str,
    version: &'static str,
}

/// What to say where the data name their classes otherwise than the model.
fn other_names(network: &Mlp, of_data: Option<&ClassNames>) -> Option<String> {
    let (names, ClassNames { path, names: others }) = (network.class_names()?, of_data?);
    let class = (0..names.len().max(others.len())).find(|&i| names.get(i) != others.get(i))?;
    let name =
        |names: &[String]| names.get(class).map_or("none".into(), |name| format!("`{name}`"));
    Some(format!(
        "the classes of {} are not those of the model: class {class} is {} there, {} in the model",
        path.display(),
        name(others),
        name(names)
    ))
}

impl Args {
    /// The samples to test on, and where they lie: those that are named, otherwise those of the
    /// model's run.
    fn samples(&self, model: &Model) -> Result<(Labelled, PathBuf), Error> {
        let run = PastRun::of_model(&data::home(&self.model));
        let named = self.location.as_ref().or(self.data.as_ref());
        if let (Some(run), None, None) = (&run, named, &self.labels) {
            return samples::of_run(run);
        }
        let path = named.map_or(data::DEFAULT_DIR.as_ref(), PathBuf::as_path);
        let location = Location { path, labels: self.labels.as_deref(), flag: Some("--labels") };
        let mut labelled = samples::named(model, location)?;
        let count = labelled.samples.len();
        labelled.notes.extend(run.and_then(|run| samples::trained_on(&run, path, count)));
        Ok((labelled, path.to_owned()))
    }
}

pub(crate) fn run(args: &Args, process: &Process) -> Result<(), Error> {
    let Process { isa, started, .. } = *process;
    let pool = Pool::new(args.threads.as_deref())?;
    if args.json {
        streams::check_stdout()?;
    }
    let model = Model::open(&args.model)?;
    let (labelled, location) = args.samples(&model)?;
    let prepared = Prepared::new(&labelled.samples, None, model.deskew, isa)?;
    let examples = prepared.examples()?;

    let network = &model.network;
    let mut notes = Vec::from_iter(pool.note());
    notes.extend(run_dir::unfinished(&data::home(&args.model)));
    notes.extend(other_names(network, labelled.names.as_ref()));
    notes.extend(labelled.notes.iter().cloned());
    streams::notes(&notes);
    let judged = pool.install(|| network.evaluate_outputs(&examples, &pool));
    let (test, outputs) = judged.map_err(|source| match source {
        nn::Error::Label { .. } => Error::OtherLabel { data: location, source },
        source => source.into(),
    })?;
    let classes = match labelled.samples.targets() {
        Targets::Classes(classes) => {
            Some(ClassFigures::new(&model, outputs, classes.labels(), args.mistakes)?)
        }
        Targets::Values(_) => None,
    };
    let commonest = Commonest::of(network, labelled.samples.targets());
    let test_values = ValueFigures::new(network, &test);

    if !args.json {
        let text = match (&classes, &test_values) {
            (Some(classes), _) => {
                let drawn = |index| match model.image() {
                    Some(form) => prepared.drawn(index, &form, network.pixel_scale()),
                    None => vec![labelled.row(index)],
                };
                let commonest = commonest.as_ref().map(Commonest::text).unwrap_or_default();
                accuracy(&test) + &commonest + &classes.text(test.loss, drawn)
            }
            (None, Some(values)) => values.text(),
            (None, None) => accuracy(&test),
        };
        return streams::print(text.trim_end());
    }
    let shape = network.architecture();
    streams::print_json(&Figures {
        model: &args.model.to_string_lossy(),
        layers: shape.layers(),
        parameters: shape.parameters(),
        test_accuracy: classes.is_some().then_some(test.accuracy),
        test_errors: classes.is_some().then_some(test.errors),
        test_values,
        test_loss: test.loss,
        test_samples: test.samples,
        commonest,
        classes,
        total_seconds: started.elapsed().as_secs_f64(),
        threads: pool.threads(),
        isa: isa.name(),
        version: VERSION,
    })
}

fn accuracy(test: &Evaluation) -> String {
    format!("test accuracy  {}", words::figure(test.accuracy, test.errors, test.samples))
}
