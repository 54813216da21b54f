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
    for (part, verb) in [("train", "trained"), ("test", "tested")] {
        let mut sums: Vec<_> = runs.iter().filter_map(|run| run.checksum(part)).collect();
        sums.sort_unstable();
        sums.dedup();
        if sums.len() > 1 {
            notes.push(format!(
                "The runs were not all {verb} on the same samples: their checksums differ."
            ));
        }
    }
    let running = runs.iter().filter(|run| run.status() != "done").count();
    if running > 0 {
        notes.push(format!("{running} of {} runs have not come to their end.", runs.len()));
    }
    if !notes.is_empty() {
        html.tag("aside", &[("aria-label", "Notes")], |html| {
            notes.iter().for_each(|note| html.line("p", "", note));
        });
    }
}

/// A table with a row for each run, which begins with the line that its curves have.
fn table(
    html: &mut Html,
    caption: &str,
    heads: &[String],
    class: &str,
    rows: &[(String, Vec<String>)],
) {
    html.tag("div", &[("class", "scroll"), ("tabindex", "0")], |html| {
        html.tag("table", &[], |html| {
            html.line("caption", "", caption);
            html.tag("thead", &[], |html| {
                html.tag("tr", &[], |html| {
                    html.tag("th", &[("scope", "col")], |html| html.text("run"));
                    for head in heads {
                        let attributes = [("scope", "col"), ("class", class)];
                        html.tag("th", &attributes, |html| html.text(head));
                    }
                });
            });
            html.tag("tbody", &[], |html| {
                for (at, (name, cells)) in rows.iter().enumerate() {
                    html.tag("tr", &[], |html| {
                        html.tag("th", &[("scope", "row")], |html| {
                            legend(html, at);
                            html.text(name);
                        });
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
    let heads: Vec<String> = differing.iter().map(|(key, _)| short(key)).collect();
    let row = |(at, name): (usize, &String)| {
        let values = differing.iter().map(|(_, values)| short(&values[at]));
        (name.clone(), values.collect())
    };
    let rows: Vec<_> = names.iter().enumerate().map(row).collect();
    table(html, "Settings that are not the same in all runs", &heads, "", &rows);
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
    // A column that no run has a figure for says nothing.
    let known =
        |(_, key, _): &&(&str, &str, Kind)| runs.iter().any(|run| run.number(key).is_some());
    let columns: Vec<_> = FIGURES.iter().filter(known).collect();
    let cell = |run: &Facts, (_, key, kind): &(&str, &str, Kind)| match (run.number(key), kind) {
        (None, _) => "–".to_owned(),
        (Some(share), Kind::Share) => percent(share),
        (Some(value), Kind::Value) => figure(value),
        (Some(count), Kind::Count) => format!("{count:.0}"),
        (Some(seconds), Kind::Seconds) => format!("{seconds:.2}"),
    };
    let heads: Vec<String> = ["status".to_owned()]
        .into_iter()
        .chain(columns.iter().map(|(head, ..)| (*head).to_owned()))
        .collect();
    let row = |(run, name): (&Facts, &String)| {
        let cells = columns.iter().map(|column| cell(run, column));
        (name.clone(), [short(run.status())].into_iter().chain(cells).collect())
    };
    let rows: Vec<_> = runs.iter().zip(names).map(row).collect();
    table(html, "Of the epoch whose network was kept, and the time it took", &heads, "n", &rows);
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
