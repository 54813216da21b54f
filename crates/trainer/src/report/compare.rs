//! Several runs on one page: what differs in their settings, beside their curves and figures.

use super::chart::{Lines, Scale, Series, figure, legend};
use super::facts::{Facts, Figure, differences};
use super::html::{Html, page, short};
use crate::summary::VERSION;
use crate::words::percent;

/// The page that compares runs, at most [`MOST_LINES`](super::MOST_LINES) of them.
pub(crate) fn compare(runs: &[Facts]) -> String {
    let names = names(runs);
    page("Comparison of runs", |html| {
        html.tag("header", &[], |html| {
            html.line("p", "kind", "Comparison of runs");
            html.line("h1", "", format!("{} runs", runs.len()));
        });
        notes(html, runs);
        html.section("settings", "What differs", |html| settings(html, runs, &names));
        html.section("figures", "Figures", |html| figures(html, runs, &names));
        html.section("curves", "Curves", |html| curves(html, runs, &names));
        html.tag("footer", &[], |html| {
            let text = "To choose between runs, look at the validation figures: a run that was \
                        chosen by its test figures is better on the test samples than on others.";
            html.line("p", "", text);
            html.line("p", "", format!("Written by trainer {VERSION}."));
        });
    })
}

/// The names of the directories, or their whole paths where two have the same name.
fn names(runs: &[Facts]) -> Vec<String> {
    let own: Vec<String> = runs.iter().map(Facts::name).collect();
    let twice = |name: &String| own.iter().filter(|other| *other == name).count() > 1;
    let name = |(run, name): (&Facts, &String)| {
        short(&if twice(name) { run.path.display().to_string() } else { name.clone() })
    };
    runs.iter().zip(&own).map(name).collect()
}

/// What makes figures hard to compare.
fn notes(html: &mut Html, runs: &[Facts]) {
    let mut notes: Vec<String> = Vec::new();
    let differs = |part: &str| {
        let mut sums: Vec<_> = runs.iter().filter_map(|run| run.checksum(part)).collect();
        sums.sort_unstable();
        sums.dedup();
        sums.len() > 1
    };
    notes.extend(other_samples(differs("train"), differs("test")));
    let running = runs.iter().filter(|run| run.status() != "done").count();
    notes.extend(unfinished(running, runs.len()));
    if !notes.is_empty() {
        html.tag("aside", &[("aria-label", "Notes")], |html| {
            notes.iter().for_each(|note| html.line("p", "", note));
        });
    }
}

/// What to say where checksums of a part differ.
fn other_samples(train: bool, test: bool) -> Option<String> {
    let verbs = match (train, test) {
        (true, true) => "trained, nor all tested,",
        (true, false) => "trained",
        (false, true) => "tested",
        (false, false) => return None,
    };
    Some(format!("The runs were not all {verbs} on the same samples: their checksums differ."))
}

fn unfinished(running: usize, all: usize) -> Option<String> {
    let (has, their) = if running == 1 { ("has", "its") } else { ("have", "their") };
    (running > 0).then(|| format!("{running} of {all} runs {has} not come to {their} end."))
}

/// A table with a column for each run, below its name and the line that its curves have. A name
/// may be long: it takes several lines there, and no width.
fn table(
    html: &mut Html,
    caption: &str,
    runs: &[String],
    class: &str,
    rows: &[(String, Vec<String>)],
) {
    html.tag("div", &[("class", "scroll"), ("tabindex", "0")], |html| {
        html.tag("table", &[("class", "runs")], |html| {
            html.line("caption", "", caption);
            html.tag("thead", &[], |html| {
                html.tag("tr", &[], |html| {
                    html.tag("td", &[], |_| {});
                    for (at, name) in runs.iter().enumerate() {
                        html.tag("th", &[("scope", "col"), ("class", class)], |html| {
                            legend(html, at);
                            html.text(name);
                        });
                    }
                });
            });
            html.tag("tbody", &[], |html| {
                for (name, cells) in rows {
                    html.tag("tr", &[], |html| {
                        html.tag("th", &[("scope", "row")], |html| html.text(name));
                        for cell in cells {
                            html.tag("td", &[("class", class)], |html| html.text(cell));
                        }
                    });
                }
            });
        });
    });
}

fn settings(html: &mut Html, runs: &[Facts], names: &[String]) {
    let all: Vec<_> = runs.iter().map(Facts::settings).collect();
    let differing = differences(&all);
    if differing.is_empty() {
        html.line("p", "", "The settings of all runs are the same.");
        return;
    }
    let row = |(key, values): &(String, Vec<String>)| {
        (short(key), values.iter().map(|value| short(value)).collect())
    };
    let rows: Vec<_> = differing.iter().map(row).collect();
    table(html, "Settings that are not the same in all runs", names, "", &rows);
}

/// How a figure of the summary is shown.
#[derive(Clone, Copy)]
enum Kind {
    Share,
    Value,
    Count,
    Seconds,
}

/// Figures, those that say how good a run is first.
const FIGURES: [(&str, &str, Kind); 14] = [
    ("validation accuracy", "val_accuracy", Kind::Share),
    ("validation loss", "val_loss", Kind::Value),
    ("training accuracy", "train_accuracy", Kind::Share),
    ("training loss", "train_loss", Kind::Value),
    ("test accuracy", "test_accuracy", Kind::Share),
    ("test loss", "test_loss", Kind::Value),
    ("test RMSE", "test_rmse", Kind::Value),
    ("test R²", "test_r2", Kind::Value),
    ("epochs", "epochs", Kind::Count),
    ("kept epoch", "kept_epoch", Kind::Count),
    ("parameters", "parameters", Kind::Count),
    ("training s", "train_seconds", Kind::Seconds),
    ("total s", "total_seconds", Kind::Seconds),
    ("samples/s", "samples_per_second", Kind::Count),
];

fn figures(html: &mut Html, runs: &[Facts], names: &[String]) {
    // A row that no run has a figure for says nothing.
    let known =
        |(_, key, _): &&(&str, &str, Kind)| runs.iter().any(|run| run.number(key).is_some());
    let cell = |run: &Facts, key: &str, kind: Kind| match (run.number(key), kind) {
        (None, _) => "–".to_owned(),
        (Some(share), Kind::Share) => percent(share),
        (Some(value), Kind::Value) => figure(value),
        (Some(count), Kind::Count) => format!("{count:.0}"),
        (Some(seconds), Kind::Seconds) => format!("{seconds:.2}"),
    };
    let status = runs.iter().map(|run| short(run.status())).collect();
    let figures = FIGURES.iter().filter(known).map(|(name, key, kind)| {
        ((*name).to_owned(), runs.iter().map(|run| cell(run, key, *kind)).collect())
    });
    let rows: Vec<_> = [("status".to_owned(), status)].into_iter().chain(figures).collect();
    table(html, "Of the epoch whose network was kept, and the time it took", names, "n", &rows);
}

fn curves(html: &mut Html, runs: &[Facts], names: &[String]) {
    html.tag("p", &[("class", "keys")], |html| {
        for (at, name) in names.iter().enumerate() {
            html.tag("span", &[("class", "key")], |html| {
                legend(html, at);
                html.text(name);
            });
        }
    });
    let all: [(&str, Scale, bool, Figure); 5] = [
        ("Training loss", Scale::Log, false, |epoch| epoch.train_loss),
        ("Validation loss", Scale::Log, false, |epoch| epoch.val_loss),
        ("Training accuracy", Scale::Linear, true, |epoch| epoch.train_accuracy),
        ("Validation accuracy", Scale::Linear, true, |epoch| epoch.val_accuracy),
        ("Learning rate", Scale::Linear, false, |epoch| epoch.lr),
    ];
    html.tag("div", &[("class", "charts")], |html| {
        for (title, scale, percent, figure) in all {
            let curves: Vec<_> = runs.iter().map(|run| run.curve(figure)).collect();
            let curves = curves.iter().enumerate().filter(|(_, points)| !points.is_empty());
            let line = |(at, points): (usize, _)| Series { name: String::new(), style: at, points };
            let series = curves.map(|(at, points)| line((at, &points[..]))).collect();
            Lines { title, x: "epoch", scale, percent, series, mark: None }.write(html);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_a_line_each() {
        assert_eq!(other_samples(false, false), None);
        let both = other_samples(true, true).unwrap();
        assert!(both.starts_with("The runs were not all trained, nor all tested, on"), "{both}");
        assert!(other_samples(false, true).unwrap().contains(" all tested on the same"));
        assert_eq!(unfinished(0, 2), None);
        assert_eq!(unfinished(1, 2).unwrap(), "1 of 2 runs has not come to its end.");
        assert_eq!(unfinished(2, 3).unwrap(), "2 of 3 runs have not come to their end.");
    }
}
