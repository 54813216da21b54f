//! `trainer report`: a run, or several, as a page to look at.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use nn::files;
use serde::Serialize;

use crate::data::{self, Checksums};
use crate::error::Error;
use crate::help;
use crate::model::Model;
use crate::pool::Pool;
use crate::process::Process;
use crate::report::{self, Facts, Findings, MARK, MOST_LINES, Seen, Tested};
use crate::run_dir::{MODEL, PastRun, REPORT};
use crate::sets::Sets;
use crate::streams;

/// Where several runs are compared, unless `--out` says otherwise.
const COMPARISON: &str = "comparison.html";

const EXAMPLES: &str = "\
Examples:
  trainer report runs/mnist                 write its report.html again
  trainer report runs/a runs/b              compare them, in comparison.html
  trainer report runs/*-lr* --out lr.html   compare all of a kind";

/// Write a run's report again, or compare runs on one page
///
/// The report of one run is the report.html in its directory: what was run, curves, the
/// confusion matrix, calibration, mistakes, labels that may be wrong, and what is to be seen
/// in the network. It is one file that needs no network and no script. Where the data of the
/// run are gone or have changed, it has what the directory alone tells.
///
/// Several runs are compared in comparison.html in the current directory: their curves and
/// figures beside the settings that differ. The path of the page is printed.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = help::after(EXAMPLES))]
pub(crate) struct Args {
    /// Directory of a run; several are compared
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,

    /// Page to write [default: RUN/report.html, or comparison.html for several runs]
    ///
    /// A file that is there is replaced if it is a report, and only then.
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Where the data of the run lie now: a folder or a file
    ///
    /// Its checksum has to be that of the run. Several runs are compared without data.
    #[arg(long, value_name = "DATA")]
    data: Option<PathBuf>,

    /// Threads, 1 to 1024 [default: one for each core]
    #[arg(long, value_name = "N")]
    threads: Option<OsString>,

    /// Print nothing but errors
    #[arg(short, long)]
    quiet: bool,

    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Written {
    report: String,
    runs: usize,
    bytes: usize,
    /// Whether the page has what the network and the data tell.
    complete: bool,
}

pub(crate) fn run(args: &Args, process: &Process) -> Result<(), Error> {
    if args.json {
        streams::check_stdout()?;
    }
    let (count, most) = (args.runs.len(), MOST_LINES);
    if count > most {
        return Err(Error::Usage(format!(
            "found {count} runs, and a page compares at most {most}, so that their lines look \
             different: name fewer"
        )));
    }
    let runs: Vec<Facts> =
        args.runs.iter().map(|path| Facts::open(&data::home(path))).collect::<Result<_, _>>()?;
    let (page, out, missing) = match &runs[..] {
        [run] => {
            let findings = findings(args, run, process)?;
            let found = findings.as_ref().map_err(String::as_str);
            let page = report::page(run, found);
            (page, run.path.join(REPORT), findings.err())
        }
        runs => (report::compare(runs), COMPARISON.into(), None),
    };
    let out = args.out.as_deref().map_or(out, |out| data::home(out).into_owned());
    check_out(&out)?;
    files::write(&out, page.as_bytes()).map_err(Error::io("write", &out))?;
    let complete = missing.is_none();
    if !args.quiet {
        let mut notes = runs.iter().flat_map(|run| run.damaged.clone()).collect::<Vec<_>>();
        let note = |reason| format!("the report has what the directory of the run tells: {reason}");
        notes.extend(missing.map(note));
        streams::notes(&notes);
    }
    if args.json {
        let report = out.display().to_string();
        return streams::print_json(&Written { report, runs: count, bytes: page.len(), complete });
    }
    if args.quiet { Ok(()) } else { streams::print(&out.display().to_string()) }
}

/// What the network and the data of a run tell, or why they do not.
///
/// # Errors
/// Flags that are wrong, or data that the user has named and that cannot be read.
fn findings(
    args: &Args,
    run: &Facts,
    process: &Process,
) -> Result<Result<Findings, String>, Error> {
    let pool = Pool::new(args.threads.as_deref())?;
    let has_model = run.path.join(MODEL).is_file();
    let no_model = || format!("it has no {MODEL}");
    if !has_model && args.data.is_none() {
        return Ok(Err(no_model()));
    }
    let mut config = run.config.clone();
    if let Some(data) = &args.data {
        config.data.dir = data.clone();
    }
    let sets = match Sets::open(&mut config, process.isa) {
        Err(error) if args.data.is_some() => return Err(error),
        sets => sets,
    };
    let found = || {
        if !has_model {
            return Err(no_model());
        }
        let text = |error: Error| error.to_string();
        let model = Model::open(&run.path).map_err(text)?;
        let sets = sets.map_err(text)?;
        let past = PastRun { path: run.path.clone() };
        if let Some(was) = past.checksums() {
            check_data(&config.data.dir, &was, &sets.checksums())?;
        }
        let tested = if run.is_tested() { Tested::Again } else { Tested::No };
        let network = &model.network;
        let seen = Seen { network, sets: &sets, pool: &pool, trained: run.trained() };
        Findings::new(&seen, tested).map_err(text)
    };
    Ok(found())
}

/// Data that are not those of the run have other mistakes.
fn check_data(dir: &Path, was: &Checksums, now: &Checksums) -> Result<(), String> {
    if was == now {
        return Ok(());
    }
    Err(format!(
        "the data in {} have the checksums {} and {}, those of the run had {} and {}: they have \
         changed since; name those of the run with --data",
        dir.display(),
        now.train,
        now.test,
        was.train,
        was.test
    ))
}

/// Checks that no file is lost that is no report.
fn check_out(path: &Path) -> Result<(), Error> {
    let is_report = || {
        let mut start = [0; MARK.len()];
        let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
        read.is_ok() && start == MARK.as_bytes()
    };
    match fs::metadata(path) {
        Ok(found) if !found.is_file() || !is_report() => {
            Err(Error::NoReport { path: path.to_owned() })
        }
        _ => Ok(()),
    }
}
