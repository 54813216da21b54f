//! `trainer eval`: the test figure of a saved model.

use std::time::Instant;

use kernels::Isa;
use mnist_io::Part;
use nn::{Executor, Mlp};
use serde::Serialize;

use crate::augment::{DESKEW, Prepared};
use crate::cli::EvalArgs;
use crate::data;
use crate::error::Error;
use crate::pool::Pool;
use crate::report;
use crate::summary::VERSION;

/// What `--json` gives; names and units are those of a run's summary.
#[derive(Serialize)]
struct Figures<'a> {
    model: &'a str,
    layers: Vec<usize>,
    parameters: usize,
    test_accuracy: f64,
    test_errors: usize,
    test_loss: f64,
    total_seconds: f64,
    threads: usize,
    isa: &'static str,
    version: &'static str,
}

pub(crate) fn evaluate(args: &EvalArgs, isa: Isa, started: Instant) -> Result<(), Error> {
    let pool = Pool::new(args.threads)?;
    let network = Mlp::load(&args.model)?;
    let test_set = data::open(&args.data, Part::Test)?;

    let shape = network.architecture();
    if shape.inputs != test_set.width() {
        return Err(Error::ImageSize {
            model: args.model.clone(),
            expected: shape.inputs,
            dir: args.data.clone(),
            found: data::size(&test_set),
        });
    }
    let deskew = match network.preparation() {
        None => false,
        Some(DESKEW) => true,
        Some(found) => {
            let (model, found) = (args.model.clone(), found.to_owned());
            return Err(Error::Preparation { model, found });
        }
    };
    let prepared = Prepared::new(&test_set, None, deskew, isa)?;
    let examples = prepared.examples()?;
    let test = pool.install(|| network.evaluate(&examples, &pool))?;

    if args.json {
        return report::print_json(&Figures {
            model: &args.model.to_string_lossy(),
            layers: shape.layers(),
            parameters: shape.parameters(),
            test_accuracy: test.accuracy,
            test_errors: test.errors,
            test_loss: test.loss,
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
