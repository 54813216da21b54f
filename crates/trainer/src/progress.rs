//! What a run shows: a bar on stderr, a table of epochs, and its result.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use nn::{Ended, Run, StepReport};

use crate::config::Config;
use crate::data;
use crate::error::{Error, one_line};
use crate::health::Finding;
use crate::run_dir::{EpochLine, RunDir};
use crate::streams::{notes, print_json};
use crate::summary::{Commonest, Summary};
use crate::terminal;
use crate::untested;
use crate::words::{figure, percent, program, shell_word};

/// The bar. With [`progress`] it fits into 80 columns, of which [`terminal`] keeps the last
/// ones free.
const BAR: &str = "epoch {prefix} [{bar:10}] {percent:>3} %  {msg}  {eta} left";

/// Time between two updates of the bar.
const REFRESH: Duration = Duration::from_millis(100);

/// Shows the progress and the result of a run.
pub(crate) struct Progress {
    bar: ProgressBar,
    text: Target,
    json: bool,
    recent: Recent,
    /// All epochs of the run.
    epochs: usize,
}

/// Whether epoch `epoch` of `epochs` has a line: all of up to 30, otherwise the first, the
/// last, and about twenty between them at a round distance. `metrics.jsonl` has them all.
fn has_line(epoch: usize, epochs: usize) -> bool {
    const ALL: usize = 30;
    const MOST: usize = 25;
    let distances = (0..).flat_map(|power| [1, 2, 5].map(|digit| digit * 10usize.pow(power)));
    let enough = |distance: &usize| epochs <= ALL || epochs.div_ceil(*distance) <= MOST;
    let distance = distances.take(20).find(enough).unwrap_or(1);
    epoch == 1 || epoch == epochs || epoch.is_multiple_of(distance)
}

/// Where text goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    Stdout,
    Stderr,
    Nowhere,
}

/// The steps since the bar was drawn.
struct Recent {
    since: Instant,
    samples: usize,
    /// Sums over the samples.
    loss: f64,
    correct: f64,
}

impl Recent {
    fn new() -> Self {
        Self { since: Instant::now(), samples: 0, loss: 0.0, correct: 0.0 }
    }

    fn add(&mut self, step: &StepReport) {
        self.samples += step.samples;
        self.loss += step.loss * step.samples as f64;
        self.correct += step.accuracy * step.samples as f64;
    }
}

impl Progress {
    /// With `json`, stdout is left to the summary.
    pub(crate) fn new(quiet: bool, json: bool) -> Self {
        let text = match (quiet, json) {
            (true, _) => Target::Nowhere,
            (false, true) => Target::Stderr,
            (false, false) => Target::Stdout,
        };
        let bar = match text {
            Target::Nowhere => ProgressBar::hidden(),
            _ => ProgressBar::with_draw_target(Some(0), terminal::target()),
        };
        if let Ok(style) = ProgressStyle::with_template(BAR) {
            bar.set_style(style.progress_chars("=> "));
        }
        Self {
            bar: bar.with_finish(ProgressFinish::AndClear),
            text,
            json,
            recent: Recent::new(),
            epochs: 0,
        }
    }

    /// What the user should know, a line each.
    pub(crate) fn notes(&self, texts: &[String]) {
        if self.text != Target::Nowhere {
            notes(texts);
        }
    }

    /// Before training: the network, and the head of the table.
    pub(crate) fn begin(&mut self, config: &Config, run: &Run<'_>, held_out: usize, dir: &RunDir) {
        let shape = run.architecture();
        let layers: Vec<_> = shape.layers().iter().map(usize::to_string).collect();
        let mut samples = format!("{} samples", run.samples());
        if held_out > 0 {
            samples += &format!(" and {held_out} held out");
        }
        let done = run.history().epochs.len();
        let continued = if run.steps() == 0 {
            String::new()
        } else {
            format!(
                ", continued after step {} in epoch {}",
                run.steps(),
                (done + 1).min(run.fit().epochs)
            )
        };
        let mut text = format!(
            "recipe {}: {} ({} parameters), {samples}, run in {}{continued}\n\n",
            config.recipe,
            layers.join("-"),
            shape.parameters(),
            dir.path().display(),
        );
        let held_out = config.data.validation > 0.0;
        text += match (run.head().has_classes(), held_out) {
            (true, true) => "epoch          lr  train loss  train acc  val loss    val acc",
            (true, false) => "epoch          lr  train loss  train acc",
            (false, true) => "epoch          lr  train loss  val loss",
            (false, false) => "epoch          lr  train loss",
        };
        text += "  seconds\n";
        self.write(&text);
        self.recent = Recent::new();
        self.epochs = run.fit().epochs;
    }

    /// After each step: updates the bar, but not more often than every [`REFRESH`].
    pub(crate) fn step(&mut self, step: &StepReport) {
        if self.bar.is_hidden() {
            return;
        }
        self.recent.add(step);
        let elapsed = self.recent.since.elapsed();
        if elapsed < REFRESH {
            return;
        }
        let Recent { samples, loss, correct, .. } = self.recent;
        let samples = samples as f64;
        self.bar.set_length(step.steps);
        self.bar.set_prefix(step.epoch.to_string());
        let (loss, accuracy) = (loss / samples, correct / samples);
        self.bar.set_message(progress(loss, accuracy, samples / elapsed.as_secs_f64()));
        self.bar.set_position(step.step);
        self.recent = Recent::new();
    }

    /// After each epoch: a line of the table. Of many epochs, some have one.
    pub(crate) fn epoch(&mut self, line: &EpochLine) {
        if !has_line(line.epoch, self.epochs) {
            return;
        }
        let mut text =
            format!("{:>5}  {:>10}  {:>10.4}", line.epoch, rate(line.lr), line.train_loss);
        if let Some(accuracy) = line.train_accuracy {
            let _ = write!(text, "  {:>9}", percent(accuracy));
        }
        if let Some(loss) = line.val_loss {
            let _ = write!(text, "  {loss:>8.4}");
        }
        if let Some(accuracy) = line.val_accuracy {
            let _ = write!(text, "  {:>9}", percent(accuracy));
        }
        let _ = writeln!(text, "  {:>7.2}", line.seconds);
        self.write(&text);
        // The time of the validation does not count for the next steps.
        self.recent = Recent::new();
    }

    /// After the run: its result, and what to try next.
    pub(crate) fn end(
        &self,
        config: &Config,
        summary: &Summary,
        finding: Option<&Finding>,
        run: &RunDir,
    ) -> Result<(), Error> {
        self.close();
        let mut text = "\n".to_owned();
        if let (Some(accuracy), Some(errors), Some(samples)) =
            (summary.test_accuracy, summary.test_errors, summary.test_samples)
        {
            let commonest = summary.commonest.as_ref().map(Commonest::text).unwrap_or_default();
            let figure = figure(accuracy, errors, samples);
            let _ = writeln!(text, "test accuracy  {figure}{commonest}");
        }
        if let Some(test) = &summary.test_values {
            let _ = writeln!(text, "{}", test.text());
        }
        if summary.test_loss.is_none() {
            text += &untested::figures(summary);
        }
        if let (Some(kept), true) = (summary.kept_epoch, config.training.early_stopping.is_some()) {
            let early =
                if summary.ended == Ended::EarlyStopping { ", then it stopped" } else { "" };
            let _ = writeln!(
                text,
                "network        of epoch {kept}, the best of {} epochs{early}",
                summary.epochs
            );
        }
        if config.training.l1 > 0.0 {
            let shares: Vec<_> = summary.sparsity.iter().copied().map(percent).collect();
            let _ = writeln!(text, "zero weights   {}, layer by layer", shares.join(", "));
        }
        let _ = write!(
            text,
            "training       {:.2} s of steps, {:.2} s in all\n\
             throughput     {:.0} samples/s, {:.1} GFLOP/s ({} threads, {})\n\
             model          {}\n",
            summary.train_seconds,
            summary.total_seconds,
            summary.samples_per_second,
            summary.gflops,
            summary.threads,
            summary.isa,
            run.model().display(),
        );
        if let Some(report) = run.report() {
            let _ = writeln!(text, "report         {}", report.display());
        }
        self.write(&text);
        self.notes(&summary.notes);
        let tested = summary.test_loss.is_some();
        let next = if tested { next(config, finding, run) } else { untested::next(config, run) };
        self.write(&format!("\n{next}"));
        if self.json {
            return print_json(summary);
        }
        Ok(())
    }

    /// Tells of what went wrong and does not end the run.
    pub(crate) fn warn(&self, text: &str) {
        self.bar.suspend(|| {
            let _ = writeln!(io::stderr(), "warning: {}", one_line(text));
        });
    }

    /// Takes the bar away.
    pub(crate) fn close(&self) {
        self.bar.finish_and_clear();
    }

    /// Writes text above the bar. A reader that closed the pipe, or a full disk, is no
    /// reason to lose a run, so a failure here is not an error.
    fn write(&self, text: &str) {
        self.bar.suspend(|| {
            let _ = match self.text {
                Target::Stdout => io::stdout().write_all(text.as_bytes()),
                Target::Stderr => io::stderr().write_all(text.as_bytes()),
                Target::Nowhere => Ok(()),
            };
        });
    }
}

/// What the bar says of the latest steps; speed in samples per second.
fn progress(loss: f64, accuracy: f64, speed: f64) -> String {
    let loss = if loss < 100.0 { format!("{loss:.4}") } else { format!("{loss:.1e}") };
    let speed = if speed < 1e4 { format!("{speed:.0}") } else { format!("{:.0}k", speed / 1e3) };
    format!("loss {loss}  acc {}  {speed}/s", percent(accuracy))
}

/// A learning rate, with enough digits for any size.
fn rate(lr: f32) -> String {
    if lr >= 1e-4 { format!("{lr:.6}") } else { format!("{lr:.2e}") }
}

/// What to try next, as commands that work in the current directory.
fn next(config: &Config, finding: Option<&Finding>, run: &RunDir) -> String {
    let program = program();
    let mut again = format!("{program} --config {}", shell_word(&run.config()));
    if config.data.dir.to_str().is_none() {
        // The settings cannot hold it.
        let _ = write!(again, " --data {}", shell_word(&config.data.dir));
    }
    let (purpose, tries) = match finding {
        Some(finding) => ("try what the note says", finding.tries.clone()),
        None if config.data.validation == 0.0 => {
            ("hold out a tenth, to tune by", vec!["--validation 0.1 --no-test".to_owned()])
        }
        // Early stopping needs held-out samples.
        None if config.training.early_stopping.is_some() => {
            ("train on all samples again", vec!["--validation 0 --patience none".to_owned()])
        }
        None => ("train on all samples again", vec!["--validation 0".to_owned()]),
    };
    let model = shell_word(&run.model());
    let is_table = data::is_table(&config.data.dir);
    let (new, example) = if is_table { ("rows", "TABLE") } else { ("pictures", "PICTURE") };
    let mut text =
        format!("next: see where it is wrong, ask it about {new} of your own, or {purpose}\n");
    if let Some(data) = to_test_on(config, is_table) {
        let _ = writeln!(text, "  {program} eval --model {model}{data}");
    }
    let _ = writeln!(text, "  {program} predict --model {model} {example}");
    for flags in tries {
        let _ = writeln!(text, "  {again} {flags}");
    }
    text
}

/// What the command `eval` is given besides the model, to test on the test samples again:
/// nothing, unless the settings cannot hold a path of the data. `None` if the test samples are
/// then a share of others, which no path names.
fn to_test_on(config: &Config, is_table: bool) -> Option<String> {
    let data = &config.data;
    let mut paths = [&data.test, &data.labels, &data.test_labels].into_iter().flatten();
    if data.dir.to_str().is_some() && paths.all(|path| path.to_str().is_some()) {
        return Some(String::new());
    }
    let location = data.location();
    let is_share = is_table || location.is_one_part();
    let test = data.test_location().or((!is_share).then_some(location))?;
    let labels = test.labels.map(|file| format!(" --labels {}", shell_word(file)));
    Some(format!(" {}{}", shell_word(test.path), labels.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_keep_their_digits() {
        assert_eq!(rate(0.1), "0.100000");
        assert_eq!(rate(0.0125), "0.012500");
        assert_eq!(rate(2.5e-7), "2.50e-7");
        assert_eq!(rate(0.0), "0.00e0");
    }

    #[test]
    fn the_bar_fits_into_80_columns() {
        let columns = 80 - usize::from(terminal::MARGIN);
        assert_eq!(progress(0.12345, 0.9821, 30_748.6), "loss 0.1235  acc 98.21 %  31k/s");
        assert_eq!(progress(2.0, 0.0, 9_999.4), "loss 2.0000  acc 0.00 %  9999/s");
        let widest = [progress(99.9999, 1.0, 9e6), progress(f64::MAX, 1.0, 9e6)];
        for message in widest {
            let line = BAR
                .replace("{prefix}", "9999")
                .replace("{bar:10}", &"=".repeat(10))
                .replace("{percent:>3}", "100")
                .replace("{msg}", &message)
                .replace("{eta}", "100d");
            assert!(line.len() <= columns, "{}: {line}", line.len());
            assert!(!line.contains('{'), "{line}");
        }
    }

    #[test]
    fn many_epochs_have_few_lines() {
        let lines = |epochs: usize| (1..=epochs).filter(|&epoch| has_line(epoch, epochs)).count();
        let shown: Vec<_> = (1..=40).filter(|&epoch| has_line(epoch, 40)).collect();
        assert_eq!(shown[..4], [1, 2, 4, 6]);
        assert_eq!(shown.last(), Some(&40));
        for (epochs, expected) in [(1, 1), (30, 30), (31, 17), (100, 21), (1_000, 21)] {
            assert_eq!(lines(epochs), expected, "{epochs}");
        }
        for epochs in 31..3_000 {
            assert!((12..=27).contains(&lines(epochs)), "{epochs}: {}", lines(epochs));
        }
    }
}
