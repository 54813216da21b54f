//! The confusion matrix, and the scores of each class.

use nn::Scores;

use super::{Findings, grouped};
use crate::report::findings::ClassFindings;
use crate::report::html::Html;
use crate::words::percent;

/// With more classes, the matrix is too large to be read.
const MOST_COLUMNS: usize = 30;

/// Confusions that are listed.
const LISTED: usize = 12;

/// What the figures were found on.
pub(super) fn basis(html: &mut Html, findings: &Findings) {
    html.line("p", "", findings.basis());
}

pub(super) fn write(html: &mut Html, found: &ClassFindings) {
    html.tag("div", &[("class", "beside")], |html| {
        if found.names.len() <= MOST_COLUMNS {
            matrix(html, found);
        }
        confused(html, found);
    });
    scores(html, found);
}

fn matrix(html: &mut Html, found: &ClassFindings) {
    html.tag("div", &[("class", "scroll"), ("tabindex", "0")], |html| {
        html.tag("table", &[("class", "matrix")], |html| {
            let caption = "Confusion matrix: a row for each true class, a column for each \
                           predicted one; the colour is the share of the row";
            html.line("caption", "", caption);
            html.tag("thead", &[], |html| {
                html.tag("tr", &[], |html| {
                    html.line("td", "corner", "true ↓ said →");
                    for name in &found.names {
                        html.tag("th", &[("scope", "col")], |html| html.line("span", "", name));
                    }
                });
            });
            html.tag("tbody", &[], |html| {
                for (label, row) in found.confusion.rows().enumerate() {
                    html.tag("tr", &[], |html| matrix_row(html, found, label, row));
                }
            });
        });
    });
}

fn matrix_row(html: &mut Html, found: &ClassFindings, label: usize, row: &[usize]) {
    let all: usize = row.iter().sum();
    let name = &found.names[label];
    html.tag("th", &[("scope", "row")], |html| html.text(name));
    for (said, count) in row.iter().enumerate() {
        let share = *count as f64 / all.max(1) as f64;
        // Few mistakes are to be seen too.
        let strength = if said == label { share } else { share.cbrt().max(0.15) };
        let class = if said == label { "hit" } else { "miss" };
        let style = format!("--p:{:.2}", 0.62 * strength);
        let title = format!("{name} taken for {}: {}", found.names[said], percent(share));
        if *count == 0 {
            html.line("td", "none", "·");
        } else {
            let attributes = [("class", class), ("style", &*style), ("title", &*title)];
            html.tag("td", &attributes, |html| html.text(count));
        }
    }
}

/// The pairs of classes that are confused most.
fn confused(html: &mut Html, found: &ClassFindings) {
    let rows = found.confusion.rows().enumerate();
    let mut pairs: Vec<(usize, usize, usize)> = rows
        .flat_map(|(label, row)| {
            let others = row.iter().enumerate().filter(move |(said, _)| *said != label);
            others.map(move |(said, count)| (*count, label, said))
        })
        .filter(|(count, ..)| *count > 0)
        .collect();
    if pairs.is_empty() {
        html.line("p", "", "No sample is taken for one of another class.");
        return;
    }
    pairs.sort_by_key(|(count, label, said)| (usize::MAX - count, *label, *said));
    let row = |(count, label, said): (usize, usize, usize)| {
        let support = found.confusion.scores(label).map_or(0, |scores| scores.support);
        let share = count as f64 / support.max(1) as f64;
        let name = |class: usize| found.names[class].clone();
        vec![name(label), name(said), count.to_string(), percent(share)]
    };
    let columns = [("class", ""), ("taken for", ""), ("times", "n"), ("of the class", "n")];
    html.table("Most confused", &columns, pairs.into_iter().take(LISTED).map(row));
}

fn scores(html: &mut Html, found: &ClassFindings) {
    let row = |name: &str, scores: Scores| {
        let Scores { precision, recall, f1, support, .. } = scores;
        let [precision, recall, f1] = [precision, recall, f1].map(percent);
        vec![name.to_owned(), precision, recall, f1, grouped(support)]
    };
    let of_class =
        |(class, name): (usize, &String)| Some(row(name, found.confusion.scores(class)?));
    let mut rows: Vec<_> = found.names.iter().enumerate().filter_map(of_class).collect();
    rows.push(row("mean of the classes", found.confusion.macro_average()));
    let columns =
        [("class", ""), ("precision", "n"), ("recall", "n"), ("F1", "n"), ("samples", "n")];
    let caption = "Precision: right among those said to be of the class. Recall: found among \
                   those of the class. F1: their harmonic mean";
    html.table(caption, &columns, rows);
}
