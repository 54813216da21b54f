//! `trainer runs`: the runs in a folder, sorted and filtered by their figures and settings.

mod field;
mod filter;
mod found;
mod table;

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use crate::data;
use crate::error::Error;
use crate::help;
use crate::process::Process;
use crate::run_dir::RUNS;
use crate::streams;
use crate::words::{plural, program};
use field::{Field, Order};
use filter::Filter;
use found::{Found, RunRow, Trouble};

/// Notes of what could not be read; more are counted.
const MOST_NOTES: usize = 5;

/// List runs with their figures, and with the settings that differ
///
/// NAME is a figure of summary.json, such as val_loss, the head of a column, such as
/// val_acc, or a setting by its key or its flag, such as training.lr or lr. The oldest
/// run comes first, the newest last.
///
/// The runs of a sweep and of --repeat are in the directory of these: they are listed too.
///
/// Choose settings by what was held out: `--sort val_loss`. The test figures are shown
/// where a run has them; with --no-test it has none.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = help::after(EXAMPLES))]
pub(crate) struct Args {
    /// Folders of runs, or runs [default: runs]
    #[arg(value_name = "DIR")]
    dirs: Vec<PathBuf>,

    /// Sort by NAME, the smallest first; -NAME the largest
    ///
    /// Runs without a value come last.
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    sort: Option<String>,

    /// Turn the order round
    #[arg(long)]
    reverse: bool,

    /// Leave out what does not fit: 'lr>=0.01', status=done
    ///
    /// NAME, then =, !=, <, <=, >, >= or ~ (has the text in it), then a value: a number, a
    /// text, units such as [256,256], or none. Of several all must fit. The shell reads <
    /// and > itself, unless there are quotes around them.
    #[arg(long, value_name = "CONDITION", allow_hyphen_values = true)]
    filter: Vec<String>,

    /// What to show of each run: NAME,NAME,…
    #[arg(long, value_name = "NAMES", value_delimiter = ',', conflicts_with = "json")]
    columns: Vec<String>,

    /// Print all that is known as one JSON object
    #[arg(long, conflicts_with = "csv")]
    json: bool,

    /// Print CSV: all figures, and the settings that differ
    #[arg(long)]
    csv: bool,
}

const EXAMPLES: &str = "\
Examples:
  trainer runs                               the runs in runs/
  trainer runs --sort val_loss               the best ones first
  trainer runs --filter 'lr>=0.01' --filter status=done
  trainer runs --columns name,lr,hidden,val_accuracy,total_seconds
  trainer runs runs archive --csv > runs.csv";

/// What `--json` prints.
#[derive(Serialize)]
struct All<'a> {
    runs: &'a [RunRow],
    /// What is no run, or could not be read.
    skipped: &'a [Trouble],
}

pub(crate) fn run(args: &Args, _: &Process) -> Result<(), Error> {
    // A name that does not exist is found before anything is read.
    let columns = args.columns.iter().map(|name| Field::named("--columns", name));
    let columns: Vec<Field> = columns.collect::<Result<_, _>>()?;
    let order = args.sort.as_deref().map(Order::parse).transpose()?;
    let filters = args.filter.iter().map(|text| Filter::parse(text));
    let filters: Vec<Filter> = filters.collect::<Result<_, _>>()?;
    if args.json || args.csv {
        streams::check_stdout()?;
    }
    let Found { mut runs, trouble } = found::in_dirs(&args.dirs)?;
    let all = runs.len();
    runs.retain(|run| filters.iter().all(|filter| filter.fits(run)));
    let (oldest_first, order) = (Order::by_time(), order.as_ref());
    runs.sort_by(|a, b| {
        let chosen = order.map_or(std::cmp::Ordering::Equal, |order| order.compare(a, b));
        chosen.then_with(|| oldest_first.compare(a, b)).then_with(|| a.name.cmp(&b.name))
    });
    if args.reverse {
        runs.reverse();
    }
    // Without a value: last in either direction.
    if let Some(order) = order {
        runs.sort_by_key(|run| order.field.value(run).is_null());
    }
    notes(args, all, runs.len(), &trouble);
    if let Some(order) = order
        && !runs.is_empty()
        && runs.iter().all(|run| order.field.value(run).is_null())
    {
        let name = order.field.name();
        streams::notes(&[format!("no run here has {name}: --sort changes no order")]);
    }
    if args.json {
        return streams::print_json(&All { runs: &runs, skipped: &trouble });
    }
    if args.csv {
        let columns = if columns.is_empty() { table::every_column(&runs) } else { columns };
        return streams::print(table::csv(&runs, &columns).trim_end());
    }
    if runs.is_empty() {
        return Ok(());
    }
    let (text, left_out) = table::text(&runs, &columns, table::width());
    streams::notes(&Vec::from_iter(left_out));
    streams::print(text.trim_end())
}

/// What the user should know of the folders.
fn notes(args: &Args, all: usize, shown: usize, trouble: &[Trouble]) {
    let mut others = trouble.iter().filter(|trouble| trouble.is_foreign);
    let first = others.next();
    let foreign = usize::from(first.is_some()) + others.count();
    let damaged = trouble.iter().filter(|trouble| !trouble.is_foreign);
    let mut notes: Vec<String> = damaged.map(|trouble| trouble.reason.clone()).collect();
    let more = notes.len().saturating_sub(MOST_NOTES);
    notes.truncate(MOST_NOTES);
    if more > 0 {
        notes.push(format!("… and {more} more"));
    }
    if let Some(first) = first {
        let is = if foreign == 1 { "is" } else { "are" };
        let first_is = if foreign == 1 { "" } else { "the first is " };
        let folders = plural(foreign, "folder");
        notes.push(format!("{folders} here {is} no run: {first_is}{}", first.path));
    }
    let places: Vec<_> =
        found::dirs(&args.dirs).iter().map(|dir| dir.display().to_string()).collect();
    let places = places.join(", ");
    if all == 0 {
        notes.push(format!("there is no run in {places}: `{}` trains one", program()));
    } else if shown == 0 {
        notes.push(format!("none of {} in {places} fits --filter", plural(all, "run")));
    }
    streams::notes(&notes);
}

/// The folder without a name, and those that are named, with `~` for the home directory.
fn folders(dirs: &[PathBuf]) -> Vec<PathBuf> {
    if dirs.is_empty() {
        return vec![Path::new(RUNS).to_owned()];
    }
    dirs.iter().map(|dir| data::home(dir).into_owned()).collect()
}

/// Nothing, as a figure that a run does not have.
const NOTHING: Value = Value::Null;
