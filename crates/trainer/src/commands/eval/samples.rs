//! The samples that a model is tested on.

use std::fs;
use std::path::{Path, PathBuf};

use mnist_io::{Picture, TableError};
use nn::Columns;

use crate::data::{self, Location, TableFault, labelled::Labelled};
use crate::error::Error;
use crate::model::Model;
use crate::run_dir::{Counts, PastRun};
use crate::words::{self, plural};

/// The test samples of the run that a model is of, and where they lie.
pub(super) fn of_run(run: &PastRun) -> Result<(Labelled, PathBuf), Error> {
    let settings = || run.path.join("config.toml");
    let own = |source| Error::OwnData { source: Box::new(source), settings: settings() };
    let config = run.settings().map_err(own)?;
    let mut labelled = Labelled::of_run(&config).map_err(own)?;
    let data = config.data.test.unwrap_or(config.data.dir);
    let now = data::checksum(&labelled.samples);
    match run.checksums() {
        Some(was) if was.test != now => {
            return Err(Error::ChangedData { data, run: run.path.clone(), was: was.test, now });
        }
        Some(_) => (),
        None => labelled.notes.push(format!(
            "the run in {} has no checksum of its data: they may have changed since",
            run.path.display()
        )),
    }
    Ok((labelled, data))
}

/// The samples that the user has named.
pub(super) fn named(model: &Model, location: Location<'_>) -> Result<Labelled, Error> {
    Labelled::open(model, location).map_err(|error| {
        if has_no_answers(model, location.path, &error) {
            Error::NoAnswers { source: Box::new(error), program: words::program() }
        } else {
            error
        }
    })
}

/// What to say of `samples` samples in the file or folder `path` if the run was trained on most
/// of them.
pub(super) fn trained_on(run: &PastRun, path: &Path, samples: usize) -> Option<String> {
    let data = run.settings().ok()?.data;
    let [own, named] = [&data.dir, path].map(|path| fs::canonicalize(data::home(path)));
    if own.ok()? != named.ok()? {
        return None;
    }
    let without = match &data.test {
        None => "those that were held out".to_owned(),
        Some(test) => test.display().to_string(),
    };
    let trained = match run.counts() {
        // All samples are these; if the data have a part to test on, they are that.
        Some(Counts { train, held_out, test }) if data.test.is_none() => {
            let all = train.checked_add(held_out)?.checked_add(test)?;
            (all == samples).then_some(train)
        }
        Some(Counts { train, held_out, .. }) => {
            (train.checked_add(held_out)? == samples).then_some(train)
        }
        None => None,
    };
    let whole = data::is_table(&data.dir) || data.location().is_one_part();
    let trained = match trained {
        Some(trained) => format!("{trained} of these {}", plural(samples, "sample")),
        // It has not ended, or the file has changed since.
        None if whole => format!("samples of {}", path.display()),
        None => return None,
    };
    Some(format!("{trained} were trained on; without DATA, eval tests on {without}"))
}

/// Whether data that cannot be evaluated may well be right, but for the answers that they lack.
fn has_no_answers(model: &Model, location: &Path, error: &Error) -> bool {
    let target = model.columns().and_then(Columns::target);
    match error {
        // Images without their labels.
        Error::Data(mnist_io::Error::MissingFile { looked_for, .. }) => {
            looked_for.iter().all(|path| {
                path.file_name().is_some_and(|name| name.to_string_lossy().contains("labels"))
            })
        }
        // A table without the target, and with all other columns.
        Error::Data(mnist_io::Error::Table {
            error: TableError::MissingColumns { missing, .. },
            ..
        }) => target.is_some_and(|target| {
            missing.starts_with(&format!("`{}`", target.name)) && !missing.contains(", `")
        }),
        Error::Table { fault: TableFault::NoTargets { .. }, .. } => true,
        // Pictures that are in no folder of a class.
        Error::Data(mnist_io::Error::NoData { .. } | mnist_io::Error::UnknownFormat { .. }) => {
            let location = data::home(location);
            Picture::files_in(&location).is_ok_and(|pictures| !pictures.is_empty())
                || Picture::open(&location).is_ok()
        }
        _ => false,
    }
}
