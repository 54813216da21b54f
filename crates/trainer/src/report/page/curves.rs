//! Loss, accuracy, learning rate and time over the epochs.

use super::{Facts, figure, share};
use crate::report::chart::{Lines, Scale, Series};
use crate::report::facts::{Epoch, Figure};
use crate::report::html::Html;

/// Epochs that the table has, at most.
const MOST_ROWS: usize = 200;

pub(super) fn write(html: &mut Html, facts: &Facts) {
    let kept = facts.count("kept_epoch").filter(|kept| *kept < facts.epochs.len());
    let mark = || kept.map(|kept| (kept as f64, "kept".to_owned()));
    let draw = |html: &mut Html, title, scale, percent, figures: &[(&str, Figure)]| {
        let curves: Vec<_> = figures.iter().map(|(_, figure)| facts.curve(*figure)).collect();
        let series = figures.iter().zip(&curves).enumerate();
        let series = series.filter(|(_, (_, points))| !points.is_empty());
        let series = series.map(|(at, ((name, _), points))| Series {
            name: (*name).to_owned(),
            // Validation has another colour, and dashes.
            style: 9 * at,
            points,
        });
        let series: Vec<_> = series.collect();
        // One line needs no legend.
        let only = figures.len() == 1;
        let series = series
            .into_iter()
            .map(|line| Series { name: if only { String::new() } else { line.name }, ..line });
        let series = series.collect();
        Lines { title, x: "epoch", scale, percent, series, mark: mark() }.write(html);
    };
    html.tag("div", &[("class", "charts")], |html| {
        let losses: &[(&str, Figure)] =
            &[("training", |epoch| epoch.train_loss), ("validation", |epoch| epoch.val_loss)];
        draw(html, "Loss", Scale::Log, false, losses);
        let accuracies: &[(&str, Figure)] = &[
            ("training", |epoch| epoch.train_accuracy),
            ("validation", |epoch| epoch.val_accuracy),
        ];
        draw(html, "Accuracy", Scale::Linear, true, accuracies);
        draw(html, "Learning rate", Scale::Linear, false, &[("", |epoch| epoch.lr)]);
        draw(html, "Seconds an epoch", Scale::Linear, false, &[("", |epoch| epoch.seconds)]);
    });
    html.line(
        "p",
        "note",
        "Loss and accuracy of the training are those of each step's samples before its update, \
         with dropout, noise and augmentation where the run has them: so validation may well \
         be better.",
    );
    table(html, &facts.epochs);
}

fn table(html: &mut Html, epochs: &[Epoch]) {
    let columns = [
        ("epoch", "n"),
        ("learning rate", "n"),
        ("training loss", "n"),
        ("accuracy", "n"),
        ("validation loss", "n"),
        ("accuracy", "n"),
        ("seconds", "n"),
    ];
    let row = |epoch: &Epoch| {
        vec![
            epoch.epoch.to_string(),
            figure(epoch.lr),
            figure(epoch.train_loss),
            share(epoch.train_accuracy),
            figure(epoch.val_loss),
            share(epoch.val_accuracy),
            epoch.seconds.map_or_else(|| "–".to_owned(), |seconds| format!("{seconds:.2}")),
        ]
    };
    let every = epochs.len().div_ceil(MOST_ROWS).max(1);
    let shown = |at: usize| (at + 1).is_multiple_of(every) || at + 1 == epochs.len();
    let rows = epochs.iter().enumerate().filter(|(at, _)| shown(*at)).map(|(_, epoch)| row(epoch));
    let rows: Vec<_> = rows.collect();
    html.details("The figures", |html| html.table("Each epoch", &columns, rows));
}
