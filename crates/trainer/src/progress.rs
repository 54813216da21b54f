//! What a run shows: how far it is, a table of epochs, and its result.

mod bar;
mod count;
mod curves;
mod estimate;

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::time::Instant;

use nn::{Ended, Run, StepReport};

use crate::config::Config;
use crate::data;
use crate::error::{Error, one_line};
use crate::health::Finding;
use crate::run_dir::{EpochLine, RunDir};
use crate::stop;
use crate::streams::{notes, print_json, print_path};
use crate::summary::{Commonest, Summary};
use crate::terminal::Live;
use crate::untested;
use crate::words::{figure, percent, plural, program, shell_word};

use bar::Bar;
pub(crate) use count::Count;
use curves::Curves;
use estimate::{Estimate, time_left};

/// Seconds between two drawings of the bar.
const REFRESH: f64 = 0.1;

/// Seconds without a line after which one says how far an epoch is, where no bar does: these,
/// or this share of the time so far if that is more.
const SILENCE: f64 = 10.0;
const SILENCE_SHARE: f64 = 1.0 / 30.0;

/// Shows the progress and the result of a run.
pub(crate) struct Progress {
    /// `None` where nothing can be drawn, and where nothing is to be.
    live: Option<Live>,
    text: Target,
    json: bool,
    /// Whether no text after several runs says where they are, and what to do next.
    is_alone: bool,
    course: Course,
}

/// The course of a run in this process.
struct Course {
    since: Instant,
    /// When something was shown last, in seconds after `since`.
    shown: f64,
    /// All epochs of the run.
    epochs: usize,
    steps_per_epoch: u64,
    /// Mean number of samples of a step.
    batch: f64,
    has_classes: bool,
    /// Whether early stopping may end the run before its last epoch.
    may_stop: bool,
    estimate: Estimate,
    curves: Curves,
    recent: Recent,
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

/// The steps of the current epoch that this process took.
#[derive(Default)]
struct Recent {
    epoch: usize,
    samples: usize,
    /// Sums over the samples.
    loss: f64,
    correct: f64,
}

impl Recent {
    fn add(&mut self, step: &StepReport) {
        if self.epoch != step.epoch {
            *self = Self { epoch: step.epoch, ..Self::default() };
        }
        self.samples += step.samples;
        self.loss += step.loss * step.samples as f64;
        self.correct += step.accuracy * step.samples as f64;
    }
}

impl Course {
    fn new() -> Self {
        Self {
            since: Instant::now(),
            shown: 0.0,
            epochs: 0,
            steps_per_epoch: 1,
            batch: 0.0,
            has_classes: false,
            may_stop: false,
            estimate: Estimate::new(0, 1),
            curves: Curves::default(),
            recent: Recent::default(),
        }
    }

    /// Seconds of the run in this process.
    fn now(&self) -> f64 {
        self.since.elapsed().as_secs_f64()
    }

    /// Hands what is known after a step to whoever shows it.
    fn show<T>(&self, step: &StepReport, show: impl FnOnce(&Bar<'_>) -> T) -> T {
        let per_epoch = self.steps_per_epoch;
        let before = (step.epoch as u64 - 1).saturating_mul(per_epoch);
        let left = self.estimate.left(step.step).map(|seconds| {
            let bound = if self.may_stop { "up to " } else { "" };
            format!("{bound}{} left", time_left(seconds))
        });
        let samples = self.recent.samples as f64;
        show(&Bar {
            epoch: [step.epoch, self.epochs],
            steps: [step.step - before, per_epoch],
            loss: self.recent.loss / samples,
            accuracy: self.has_classes.then(|| self.recent.correct / samples),
            speed: self.estimate.of_step().map(|seconds| self.batch / seconds),
            left: left.as_deref(),
        })
    }
}

impl Progress {
    /// With `json`, stdout is left to the summary, and with `quiet` to the directory of the
    /// run.
    pub(crate) fn new(quiet: bool, json: bool) -> Self {
        let text = match (quiet, json) {
            (true, _) => Target::Nowhere,
            (false, true) => Target::Stderr,
            (false, false) => Target::Stdout,
        };
        let live = if quiet { None } else { Live::new() };
        if let Some(live) = &live {
            // Without it, the bar goes after the current step.
            let _ = stop::tidy(live.clone());
        }
        Self { live, text, json, is_alone: true, course: Course::new() }
    }

    /// The progress of one of several runs, of which another text says where they are, and
    /// what to do next.
    pub(crate) fn of_several(mut self) -> Self {
        self.is_alone = false;
        self
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
        let fit = run.fit();
        let per_epoch = run.steps_per_epoch();
        let steps = per_epoch.saturating_mul(fit.epochs as u64);
        self.course = Course {
            epochs: fit.epochs,
            steps_per_epoch: per_epoch,
            batch: run.samples() as f64 / per_epoch as f64,
            has_classes: run.head().has_classes(),
            may_stop: fit.early_stopping.is_some(),
            estimate: Estimate::new(steps, per_epoch),
            ..Course::new()
        };
        for epoch in &run.history().epochs {
            self.course.curves.add(&EpochLine::new(epoch, 0.0, run.head().has_classes()));
        }
    }

    /// After each step: draws the bar, but not more often than every [`REFRESH`], or writes a
    /// line in a long epoch.
    pub(crate) fn step(&mut self, step: &StepReport) {
        if self.text == Target::Nowhere {
            return;
        }
        let now = self.course.now();
        self.course.recent.add(step);
        self.course.estimate.step(now, step.step);
        let silence = match &self.live {
            Some(_) => REFRESH,
            None => SILENCE.max(SILENCE_SHARE * now),
        };
        if now - self.course.shown < silence {
            return;
        }
        self.course.shown = now;
        match &self.live {
            Some(live) => {
                let size = live.size();
                let mut lines = vec![self.course.show(step, |bar| bar.line(size.cols - 1))];
                lines.extend(self.course.curves.lines(size, live.abilities));
                live.draw(lines, size);
            }
            None => {
                let line = self.course.show(step, |bar| bar.sentence());
                let _ = writeln!(io::stderr(), "{line}");
            }
        }
    }

    /// After each epoch: a line of the table. Of many epochs, some have one.
    pub(crate) fn epoch(&mut self, line: &EpochLine) {
        self.course.curves.add(line);
        if !self.has_line(line.epoch) {
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
        if self.live.is_none() {
            self.course.shown = self.course.now();
        }
    }

    /// Whether the table has a line for an epoch, from 1.
    pub(crate) fn has_line(&self, epoch: usize) -> bool {
        self.text != Target::Nowhere && has_line(epoch, self.course.epochs)
    }

    /// More about the last epoch, below its line.
    pub(crate) fn details(&self, text: &str) {
        self.write(text);
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
             throughput     {:.0} samples/s, {:.1} GFLOP/s ({}{}, {})\n\
             model          {}\n",
            summary.train_seconds,
            summary.total_seconds,
            summary.samples_per_second,
            summary.gflops,
            summary.ranks.map_or_else(String::new, |ranks| format!("{ranks} ranks of ")),
            plural(summary.threads, "thread"),
            summary.isa,
            run.model().display(),
        );
        if let Some(report) = run.report() {
            let _ = writeln!(text, "report         {}", report.display());
        }
        self.write(&text);
        self.notes(&summary.notes);
        if self.is_alone {
            let tested = summary.test_loss.is_some();
            let next =
                if tested { next(config, finding, run) } else { untested::next(config, run) };
            self.write(&format!("\n{next}"));
        }
        match (self.json, self.text) {
            (true, _) => print_json(summary),
            // For a script that goes on with it.
            (false, Target::Nowhere) if self.is_alone => print_path(run.path()),
            (false, _) => Ok(()),
        }
    }

    /// Tells of what went wrong and does not end the run.
    pub(crate) fn warn(&self, text: &str) {
        let warn = || {
            let _ = writeln!(io::stderr(), "warning: {}", one_line(text));
        };
        match &self.live {
            Some(live) => live.suspend(warn),
            None => warn(),
        }
    }

    /// Takes the bar away.
    pub(crate) fn close(&self) {
        if let Some(live) = &self.live {
            live.close();
        }
    }

    /// Writes text above the bar. A reader that closed the pipe, or a full disk, is no
    /// reason to lose a run, so a failure here is not an error.
    fn write(&self, text: &str) {
        let write = || {
            let _ = match self.text {
                Target::Stdout => {
                    io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush())
                }
                Target::Stderr => io::stderr().write_all(text.as_bytes()),
                Target::Nowhere => Ok(()),
            };
        };
        match &self.live {
            // What goes into a file leaves the bar as it is.
            Some(live) if self.text != Target::Stdout || io::stdout().is_terminal() => {
                live.suspend(write);
            }
            _ => write(),
        }
    }
}

/// Whatever ends a run, even an error, takes the bar away.
impl Drop for Progress {
    fn drop(&mut self) {
        self.close();
    }
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
