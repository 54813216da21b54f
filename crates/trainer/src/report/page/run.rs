//! What was run, and how it came out, in words and figures.

use super::{Facts, Findings, figure, grouped, pairs, share, time_taken};
use crate::limits;
use crate::report::html::{Html, short};
use crate::run_dir::CONFIG;
use crate::words::{percent, shell_word};

/// Notes that are shown, at most.
const MOST_NOTES: usize = 20;

/// Characters of a note or a value.
const LONGEST: usize = 600;

/// Characters of the settings.
const LONGEST_TEXT: usize = 20_000;

/// The network and what it learned from, in a line.
pub(super) fn headline(html: &mut Html, facts: &Facts) {
    let mut words = vec![format!("recipe {}", short(&facts.config.recipe))];
    words.extend(facts.layers().map(|layers| format!("network {layers}")));
    words.extend(facts.count("parameters").map(|count| format!("{} parameters", grouped(count))));
    let samples = |count| format!("{} samples trained on", grouped(count));
    words.extend(facts.count("train_samples").map(samples));
    html.line("p", "headline", words.join(" · "));
}

/// The figures that matter most.
pub(super) fn tiles(html: &mut Html, facts: &Facts, findings: Option<&Findings>) {
    let mut tiles: Vec<(&str, String, String)> = Vec::new();
    if let Some(accuracy) = facts.number("test_accuracy") {
        let mut note = match (facts.count("test_errors"), facts.count("test_samples")) {
            (Some(errors), Some(all)) => format!("{} of {} wrong", grouped(errors), grouped(all)),
            _ => String::new(),
        };
        let classes = findings.and_then(|found| found.classes.as_ref());
        if let Some(found) = classes.filter(|_| facts.is_tested()) {
            let [low, high] = found.interval.map(|end| format!("{:.2}", 100.0 * end));
            note += &format!("; 95 % interval {low}–{high} %");
        }
        tiles.push(("Test accuracy", percent(accuracy), note));
    }
    if let Some(rmse) = facts.number("test_rmse") {
        tiles.push(("Test error", figure(Some(rmse)), "root of the mean square".to_owned()));
        tiles.push((
            "Mean error",
            figure(facts.number("test_mae")),
            "in absolute value".to_owned(),
        ));
        tiles.push((
            "R²",
            figure(facts.number("test_r2")),
            "1 is perfect, 0 is the mean".to_owned(),
        ));
    }
    if let Some(accuracy) = facts.number("val_accuracy") {
        let of = facts.count("held_out_samples").unwrap_or(0);
        let note = format!("of {} held-out samples", grouped(of));
        tiles.push(("Validation accuracy", percent(accuracy), note));
    } else if let Some(loss) = facts.number("val_loss") {
        tiles.push(("Validation loss", figure(Some(loss)), "of held-out samples".to_owned()));
    }
    if let Some(loss) = facts.number("test_loss") {
        tiles.push(("Test loss", figure(Some(loss)), "mean of the test samples".to_owned()));
    }
    let wanted = facts.config.training.epochs;
    let kept = facts.count("kept_epoch").map(|kept| format!("network of epoch {kept}"));
    let trained = facts.epochs.len();
    tiles.push(("Epochs", format!("{trained} of {wanted}"), kept.unwrap_or_default()));
    if let Some(seconds) = facts.number("total_seconds") {
        tiles.push(("Time", time_taken(seconds), "in all".to_owned()));
    }
    html.tag("ul", &[("class", "tiles")], |html| {
        for (name, value, note) in tiles {
            html.tag("li", &[], |html| {
                html.line("span", "name", name);
                html.line("strong", "", value);
                html.line("span", "note", note);
            });
        }
    });
}

/// What went wrong, and what the page lacks.
pub(super) fn notes(html: &mut Html, facts: &Facts, missing: Option<&str>) {
    let mut notes = Vec::new();
    match facts.status() {
        "done" => (),
        "unknown" => notes.push("The run has no summary: it was ended early.".to_owned()),
        "running" => notes.push("The run has not ended.".to_owned()),
        status => notes.push(format!("The run has not come to its end: it is {}.", short(status))),
    }
    notes.extend(missing.map(|reason| {
        format!("This page has what the directory of the run tells, and no more: {reason}")
    }));
    let of_summary = facts.list("notes").iter().filter_map(|note| note.as_str());
    notes.extend(of_summary.take(MOST_NOTES).map(str::to_owned));
    if notes.is_empty() {
        return;
    }
    html.tag("aside", &[("aria-label", "Notes")], |html| {
        notes.iter().for_each(|note| html.line("p", "", cut(note, LONGEST)));
    });
}

/// The command that repeats the run, its settings and its data.
pub(super) fn what(html: &mut Html, facts: &Facts) {
    html.line("p", "", "To repeat it, with the same bits:");
    let config = shell_word(&facts.path.join(CONFIG));
    html.tag("pre", &[("tabindex", "0")], |html| {
        html.line("code", "", format!("trainer --config {config}"));
    });
    let data = &facts.config.data;
    let count = |key: &str| facts.count(key).map(grouped);
    let mut rows = vec![("Data", data.dir.display().to_string())];
    rows.extend(data.test.as_ref().map(|test| ("Test data", test.display().to_string())));
    rows.extend(data.target.as_ref().map(|target| ("Predicted", target.clone())));
    rows.extend(count("train_samples").map(|count| ("Trained on", count)));
    rows.extend(count("held_out_samples").map(|count| ("Held out", count)));
    rows.extend(count("test_samples").map(|count| ("Tested on", count)));
    let sum = |part: &str| facts.checksum(part).map(short);
    rows.extend(sum("train").map(|sum| ("Checksum of training data", sum)));
    rows.extend(sum("test").map(|sum| ("Checksum of test data", sum)));
    rows.push(("Seed", facts.config.training.seed.to_string()));
    let ended = match facts.word("ended") {
        Some("last-epoch") => Some("all epochs were trained".to_owned()),
        Some("early-stopping") => Some("stopped early: no improvement".to_owned()),
        Some("signal") => Some("stopped by a signal".to_owned()),
        ended => ended.map(short),
    };
    rows.extend(ended.map(|ended| ("End", ended)));
    rows.extend(facts.word("version").map(|version| ("Version of trainer", short(version))));
    pairs(html, rows.into_iter().map(|(name, value)| (name, cut(&value, LONGEST))));

    let recipe = short(&facts.config.recipe);
    match facts.changed() {
        Some(changed) if changed.is_empty() => {
            html.line("p", "", format!("All settings are those of the recipe {recipe}."));
        }
        Some(changed) => {
            let caption = format!("Settings that differ from the recipe {recipe}");
            let columns = [("setting", ""), ("recipe", ""), ("this run", "")];
            let cell = |cell: String| cut(&cell, LONGEST);
            html.table(&caption, &columns, changed.into_iter().map(|row| row.map(cell).to_vec()));
        }
        None => html.line("p", "", format!("The recipe {recipe} is not one of the program's own.")),
    }
    let text = facts.config.to_toml().unwrap_or_default();
    html.details("All settings", |html| {
        html.tag("pre", &[("tabindex", "0")], |html| {
            html.line("code", "", cut(&text, LONGEST_TEXT));
        });
    });
}

/// Seconds, speed and memory.
pub(super) fn time(html: &mut Html, facts: &Facts) {
    let seconds = |key: &str| facts.number(key).map(time_taken);
    let mut rows = Vec::new();
    rows.extend(seconds("train_seconds").map(|time| ("Training steps", time)));
    rows.extend(seconds("saving_seconds").map(|time| ("Saving", time)));
    rows.extend(seconds("total_seconds").map(|time| ("In all", time)));
    let speed = facts.number("samples_per_second");
    rows.extend(speed.map(|speed| ("Samples a second", grouped(speed.max(0.0) as usize))));
    rows.extend(facts.number("gflops").map(|flops| ("GFLOP a second", format!("{flops:.1}"))));
    rows.extend(facts.count("ranks").map(|ranks| ("Ranks", ranks.to_string())));
    rows.extend(facts.count("threads").map(|threads| ("Threads", threads.to_string())));
    rows.extend(facts.word("isa").map(|isa| ("Instruction set", short(isa))));
    let memory = facts.count("peak_rss_bytes").map(|bytes| limits::bytes(bytes as u64));
    rows.extend(memory.map(|memory| ("Peak memory", memory)));
    if rows.is_empty() {
        let known: f64 = facts.epochs.iter().filter_map(|epoch| epoch.seconds).sum();
        rows.push(("Epochs so far", time_taken(known)));
    }
    pairs(html, rows);
    let (train, val) = (facts.number("train_accuracy"), facts.number("val_accuracy"));
    let loss = |key: &str| figure(facts.number(key));
    let samples = |key: &str| facts.count(key).map_or_else(|| "–".to_owned(), grouped);
    let mut parts = vec![vec![
        "training".to_owned(),
        samples("train_samples"),
        loss("train_loss"),
        share(train),
    ]];
    if facts.number("val_loss").is_some() {
        let held_out = samples("held_out_samples");
        parts.push(vec!["validation".to_owned(), held_out, loss("val_loss"), share(val)]);
    }
    if facts.is_tested() {
        let accuracy = share(facts.number("test_accuracy"));
        parts.push(vec!["test".to_owned(), samples("test_samples"), loss("test_loss"), accuracy]);
    }
    let columns = [("samples of", ""), ("count", "n"), ("loss", "n"), ("accuracy", "n")];
    html.table("Figures of the kept network's epoch", &columns, parts);
}

/// A text that is not too long for the page.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
