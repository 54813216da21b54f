//! `trainer eval`: the test figure of a saved model.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use mnist_io::{ClassNames, Part};
use nn::{Executor, Mlp};
use serde::Serialize;

use crate::augment::{Deskew, Prepared};
use crate::data;
use crate::error::Error;
use crate::pool::Pool;
use crate::process::Process;
use crate::report;
use crate::run_dir;
use crate::summary::VERSION;

/// Test a saved model again
#[derive(Debug, clap::Args)]
#[command(after_help = super::EXIT_CODES)]
pub(crate) struct Args {
    /// Model to test: a model.safetensors, or the directory of a run
    #[arg(long, value_name = "MODEL")]
    model: PathBuf,

    /// Folder of the four MNIST files
    ///
    /// They are IDX files, raw or .gz. A relative path starts at the current
    /// directory. Raw files are mapped into memory: nobody may change them while
    /// the program runs.
    #[arg(long, value_name = "DIR", default_value = data::DEFAULT_DIR)]
    data: PathBuf,

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
    test_accuracy: f64,
    test_errors: usize,
    test_loss: f64,
    test_samples: usize,
    total_seconds: f64,
    threads: usize,
    isa: &'static str,
    version: &'static str,
}

/// Reads a model, or that of a run.
fn load(path: &Path) -> Result<Mlp, Error> {
    let of_run = path.join("model.safetensors");
    if path.is_dir() && !of_run.is_file() {
        return Err(Error::ModelFolder { path: path.to_owned() });
    }
    Mlp::load(if path.is_dir() { &of_run } else { path }).map_err(|error| match error {
        nn::Error::Io { path, source } => Error::io("read the model", &path)(source),
        error => error.into(),
    })
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

pub(crate) fn run(args: &Args, process: &Process) -> Result<(), Error> {
    let Process { isa, started } = *process;
    let pool = Pool::new(args.threads.as_deref())?;
    if args.json {
        report::check_stdout()?;
    }
    let network = load(&data::home(&args.model))?;
    let test_set = data::open(&args.data, Part::Test)?;
    data::check_finite(&args.data, Part::Test, &test_set)?;

    let shape = network.architecture();
    if shape.inputs != test_set.width() {
        return Err(Error::ImageSize {
            model: args.model.clone(),
            expected: shape.inputs,
            dir: args.data.clone(),
            found: data::size(&test_set),
        });
    }
    let deskew = Deskew::of(&network, &args.model)?;
    let prepared = Prepared::new(&test_set, None, deskew, isa)?;
    let examples = prepared.examples()?;
    let mut notes = Vec::from_iter(pool.note());
    notes.extend(run_dir::unfinished(&data::home(&args.model)));
    notes.extend(other_names(&network, data::classes(&test_set).names()));
    report::notes(&notes);
    let test = pool.install(|| network.evaluate(&examples, &pool))?;

    if args.json {
        return report::print_json(&Figures {
            model: &args.model.to_string_lossy(),
            layers: shape.layers(),
            parameters: shape.parameters(),
            test_accuracy: test.accuracy,
            test_errors: test.errors,
            test_loss: test.loss,
            test_samples: test.samples,
            total_seconds: started.elapsed().as_secs_f64(),
            threads: pool.threads(),
            isa: isa.name(),
            version: VERSION,
        });
    }
    report::print(&format!(
        "test accuracy  {}",
        report::figure(test.accuracy, test.errors, test.samples)
    ))
}
