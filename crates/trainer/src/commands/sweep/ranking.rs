//! Which trial is better, as figures and as a table.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::Serialize;

use super::plan::Metric;
use super::space::{Settings, Space};
use super::state::Job;
use crate::encode::csv_cell;
use crate::trial::{Figures, Outcome, Spread, columns};

/// A trial, at the last rung that all its folds have reached.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Row {
    /// From 1.
    pub(super) trial: usize,
    pub(super) settings: Settings,
    /// From 1; without halving there is one.
    pub(super) rung: usize,
    pub(super) status: Outcome,
    /// That were trained, of the fold that was trained longest.
    pub(super) epochs: usize,
    /// What the table is sorted by; `None` if it diverged or is refused.
    pub(super) figure: Option<Spread>,
    pub(super) val_loss: Option<Spread>,
    pub(super) folds: Vec<Figures>,
}

impl Metric {
    /// The figure of a fold. A smaller loss or RMSE is better.
    fn of(self, figures: &Figures) -> Option<f64> {
        match self {
            Self::Accuracy => figures.val_accuracy,
            Self::Loss => figures.val_loss,
            Self::Rmse => figures.val_rmse,
        }
    }

    /// The head of its column.
    fn title(self) -> &'static str {
        match self {
            Self::Accuracy => "val acc",
            Self::Loss => "val loss",
            Self::Rmse => "val RMSE",
        }
    }

    pub(super) fn text(self, spread: Spread) -> String {
        match self {
            Self::Accuracy => spread.percent(),
            Self::Loss | Self::Rmse => spread.number(),
        }
    }

    /// Orders the better of two rows first, whatever their rungs.
    pub(super) fn compare(self, a: &Row, b: &Row) -> Ordering {
        let better = |a: Option<Spread>, b: Option<Spread>, smaller: bool| match (a, b) {
            (Some(a), Some(b)) if smaller => a.mean.total_cmp(&b.mean),
            (Some(a), Some(b)) => b.mean.total_cmp(&a.mean),
            (a, b) => b.is_some().cmp(&a.is_some()),
        };
        better(a.figure, b.figure, self != Self::Accuracy)
            .then(better(a.val_loss, b.val_loss, true))
            .then(a.trial.cmp(&b.trial))
    }
}

/// The trials that have come to the rung with all their folds, in their order.
pub(super) fn rows_at(
    rung: usize,
    figures: &BTreeMap<Job, Figures>,
    trials: &[Settings],
    folds: usize,
    metric: Metric,
) -> Vec<Row> {
    let row = |trial: usize| {
        let of_fold = |fold| figures.get(&Job { rung, trial, fold }).cloned();
        let folds: Vec<Figures> = (0..folds).map(of_fold).collect::<Option<_>>()?;
        let failed = folds.iter().find(|fold| fold.failed());
        let spread = |of: &dyn Fn(&Figures) -> Option<f64>| {
            let found: Option<Vec<f64>> = folds.iter().map(of).collect();
            Spread::of(&found.filter(|_| failed.is_none())?)
        };
        Some(Row {
            trial: trial + 1,
            settings: trials[trial].clone(),
            rung: rung + 1,
            status: failed.map_or(Outcome::Done, |fold| fold.status),
            epochs: folds.iter().map(|fold| fold.epochs).max().unwrap_or_default(),
            figure: spread(&|fold| metric.of(fold)),
            val_loss: spread(&|fold| fold.val_loss),
            folds,
        })
    };
    (0..trials.len()).filter_map(row).collect()
}

/// Each trial at its last rung: those that came furthest first, then the best.
pub(super) fn ranking(
    rungs: usize,
    figures: &BTreeMap<Job, Figures>,
    trials: &[Settings],
    folds: usize,
    metric: Metric,
) -> Vec<Row> {
    let mut last: BTreeMap<usize, Row> = BTreeMap::new();
    for rung in 0..rungs {
        let rows = rows_at(rung, figures, trials, folds, metric);
        last.extend(rows.into_iter().map(|row| (row.trial, row)));
    }
    let mut rows: Vec<Row> = last.into_values().collect();
    rows.sort_by(|a, b| {
        let ended = |row: &Row| row.figure.is_none();
        ended(a).cmp(&ended(b)).then(b.rung.cmp(&a.rung)).then(metric.compare(a, b))
    });
    rows
}

/// The trials that go on: one of `eta`, at least one, and none without figures.
pub(super) fn promoted(mut rows: Vec<Row>, eta: usize, metric: Metric) -> Vec<usize> {
    let count = (rows.len() / eta).max(1);
    rows.retain(|row| row.figure.is_some());
    rows.sort_by(|a, b| metric.compare(a, b));
    let mut trials: Vec<usize> = rows.iter().take(count).map(|row| row.trial - 1).collect();
    trials.sort_unstable();
    trials
}

/// The first rows as a table of text.
pub(super) fn table(rows: &[Row], most: usize, space: &Space, metric: Metric) -> String {
    let mut head = vec!["trial".to_owned()];
    head.extend(space.dimensions.iter().map(|dimension| dimension.name.clone()));
    head.extend(["epochs".to_owned(), metric.title().to_owned()]);
    let with_loss = metric != Metric::Loss;
    head.extend(with_loss.then(|| "val loss".to_owned()));
    let mut lines = vec![head];
    for row in rows.iter().take(most) {
        let mut line = vec![row.trial.to_string()];
        line.extend(space.dimensions.iter().map(|dimension| row.settings[&dimension.key].clone()));
        let figure =
            row.figure.map_or_else(|| row.status.name().to_owned(), |found| metric.text(found));
        line.extend([row.epochs.to_string(), figure]);
        line.extend(row.val_loss.filter(|_| with_loss).map(Spread::number));
        lines.push(line);
    }
    columns(&lines, 0)
}

/// A line for each trial.
pub(super) fn csv(rows: &[Row], space: &Space, metric: Metric) -> String {
    let number = |figure: Option<f64>| figure.map_or_else(String::new, |figure| figure.to_string());
    let keys: Vec<_> = space.dimensions.iter().map(|dimension| csv_cell(&dimension.key)).collect();
    let mut text = format!(
        "trial,{},status,rung,epochs,val_{name},deviation,val_loss,seconds\n",
        keys.join(","),
        name = metric.name()
    );
    for row in rows {
        let values =
            space.dimensions.iter().map(|dimension| csv_cell(&row.settings[&dimension.key]));
        text += &format!(
            "{},{},{},{},{},{},{},{},{}\n",
            row.trial,
            values.collect::<Vec<_>>().join(","),
            row.status.name(),
            row.rung,
            row.epochs,
            number(row.figure.map(|found| found.mean)),
            number(row.figure.and_then(|found| found.deviation)),
            number(row.val_loss.map(|found| found.mean)),
            row.folds.iter().map(|fold| fold.seconds).sum::<f64>()
        );
    }
    text
}

/// The settings of a trial in a line: `lr 0.01, hidden 64`.
pub(super) fn named(settings: &Settings, space: &Space) -> String {
    let part = |dimension: &super::space::Dimension| {
        format!("{} {}", dimension.name, settings[&dimension.key])
    };
    space.dimensions.iter().map(part).collect::<Vec<_>>().join(", ")
}
