//! What a run of `--no-test` says at its end. Nothing in it names the test samples' figures,
//! or a command that would print them before the settings are chosen.

use std::fmt::Write as _;
use std::path::Path;

use crate::config::Config;
use crate::data;
use crate::run_dir::RunDir;
use crate::summary::Summary;
use crate::words::{percent, program, shell_word};

/// The figures of the kept network on what was held out, a line each.
pub(crate) fn figures(summary: &Summary) -> String {
    let Some(loss) = summary.val_loss else {
        return "validation     none: --validation 0.1 holds out a tenth to judge by\n".to_owned();
    };
    let accuracy = summary
        .val_accuracy
        .map_or_else(String::new, |accuracy| format!("{} accuracy, ", percent(accuracy)));
    let mut text = format!(
        "validation     {accuracy}loss {loss:.4} ({} samples held out)\n",
        summary.held_out_samples
    );
    // The kept network is that of the last epoch, unless the run stopped early.
    if let (Some(least), Some(epoch)) =
        (summary.best.best_val_loss, summary.best.best_val_loss_epoch)
        && summary.kept_epoch != Some(epoch)
    {
        let _ = writeln!(text, "least loss     {least:.4}, after epoch {epoch}");
    }
    text
}

/// What to try next, as commands that work in the current directory.
pub(crate) fn next(config: &Config, run: &RunDir) -> String {
    let program = program();
    let mut again = format!("{program} --config {}", shell_word(&run.config()));
    if config.data.dir.to_str().is_none() {
        // The settings cannot hold it.
        let _ = write!(again, " --data {}", shell_word(&config.data.dir));
    }
    let is_table = data::is_table(&config.data.dir);
    let (new, example) = if is_table { ("rows", "TABLE") } else { ("pictures", "PICTURE") };
    let (purpose, flags) = if config.data.validation == 0.0 {
        ("hold out a tenth, to tune by", " --validation 0.1 --no-test")
    } else if config.training.early_stopping.is_some() {
        ("train on all and test, once all is chosen", " --validation 0 --patience none")
    } else {
        ("train on all and test, once all is chosen", " --validation 0")
    };
    let here = Path::new(".");
    let parent = run.path().parent().filter(|dir| *dir != Path::new("")).unwrap_or(here);
    let dir = if parent == Path::new("runs") {
        String::new()
    } else {
        format!(" {}", shell_word(parent))
    };
    format!(
        "not tested: --no-test leaves the test samples for the end of all choices\n\
         next: compare runs, ask it about {new} of your own, or {purpose}\n  \
         {program} runs{dir}\n  {program} predict --model {} {example}\n  {again}{flags}\n",
        shell_word(&run.model())
    )
}
