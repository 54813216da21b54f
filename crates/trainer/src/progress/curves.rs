//! The curves of a run: loss and accuracy, of training and of validation, epoch by epoch.

use super::bar::loss_text;
use crate::braille::{Canvas, Pen, Window};
use crate::run_dir::EpochLine;
use crate::terminal::{Abilities, Size};
use crate::words::percent;

/// Points that are kept at most. A terminal has fewer columns of dots.
const MOST: usize = 1024;

/// Rows of the screen that the curves leave to the bar and to the text above it.
const OTHER_ROWS: usize = 9;

/// Rows of a plot without its title and its axis.
const ROWS: std::ops::RangeInclusive<usize> = 4..=10;

/// Columns of a plot, with its labels.
const COLS: std::ops::RangeInclusive<usize> = 30..=70;

/// Columns between two plots.
const GAP: usize = 3;

/// Ratio of the largest to the smallest loss from which on the axis is logarithmic.
const WIDE: f64 = 20.0;

/// The figures of the epochs. Where there are many, a point is the mean of several.
#[derive(Default)]
pub(super) struct Curves {
    points: Vec<Point>,
    /// Epochs of each point but the last one, which may still lack some.
    per_point: usize,
    /// The first and the last epoch.
    epochs: [usize; 2],
}

/// Means over some epochs. NaN where there are no figures.
#[derive(Clone, Copy)]
struct Point {
    count: usize,
    epoch: f64,
    /// Of training and of validation.
    loss: [f64; 2],
    accuracy: [f64; 2],
}

impl Point {
    fn mean(self, other: Self) -> Self {
        let count = self.count + other.count;
        let weight = other.count as f64 / count as f64;
        let mean = |a: f64, b: f64| a + weight * (b - a);
        let means = |a: [f64; 2], b: [f64; 2]| [mean(a[0], b[0]), mean(a[1], b[1])];
        Self {
            count,
            epoch: mean(self.epoch, other.epoch),
            loss: means(self.loss, other.loss),
            accuracy: means(self.accuracy, other.accuracy),
        }
    }
}

impl Curves {
    /// Adds an epoch.
    pub(super) fn add(&mut self, line: &EpochLine) {
        let or_nan = |figure: Option<f64>| figure.unwrap_or(f64::NAN);
        let point = Point {
            count: 1,
            epoch: line.epoch as f64,
            loss: [line.train_loss, or_nan(line.val_loss)],
            accuracy: [or_nan(line.train_accuracy), or_nan(line.val_accuracy)],
        };
        if self.points.is_empty() {
            (self.epochs[0], self.per_point) = (line.epoch, 1);
        }
        self.epochs[1] = line.epoch;
        if self.points.len() == MOST && self.points[MOST - 1].count == self.per_point {
            self.points = self.points.chunks(2).map(|pair| pair[0].mean(pair[1])).collect();
            self.per_point *= 2;
        }
        match self.points.last_mut().filter(|last| last.count < self.per_point) {
            Some(last) => *last = last.mean(point),
            None => self.points.push(point),
        }
    }

    /// The plots, as lines of a screen of this size. None if it has no room for them, or
    /// there are no two epochs yet.
    pub(super) fn lines(&self, size: Size, abilities: Abilities) -> Vec<String> {
        let rows = (size.rows.saturating_sub(OTHER_ROWS) / 2).min(*ROWS.end());
        // The last column stays free.
        let cols = size.cols - 1;
        if self.points.len() < 2
            || !abilities.braille
            || !ROWS.contains(&rows)
            || cols < *COLS.start()
        {
            return Vec::new();
        }
        let loss =
            Panel { name: "loss", figures: |point| point.loss, text: loss_text, has_log: true };
        let accuracy = Panel {
            name: "accuracy",
            figures: |point| point.accuracy,
            text: percent,
            has_log: false,
        };
        let half = (cols - GAP) / 2;
        if half < *COLS.start() || self.points.iter().all(|point| point.accuracy[0].is_nan()) {
            return self.panel(&loss, rows, cols.min(*COLS.end()), abilities.color);
        }
        let half = half.min(*COLS.end());
        let left = self.panel(&loss, rows, half, abilities.color);
        let right = self.panel(&accuracy, rows, half, abilities.color);
        left.into_iter().zip(right).map(|(left, right)| left + &" ".repeat(GAP) + &right).collect()
    }

    /// A plot of `cols` columns: a title, `rows` rows with the range of the figures at their
    /// left, and the range of the epochs.
    fn panel(&self, panel: &Panel, rows: usize, cols: usize, color: bool) -> Vec<String> {
        let figures = self.points.iter().flat_map(|point| (panel.figures)(point));
        let finite = figures.filter(|figure| figure.is_finite());
        let range = finite.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], figure| {
            [low.min(figure), high.max(figure)]
        });
        // All may be NaN, or the same.
        let [low, high] = match range {
            [low, high] if low < high => range,
            [low, high] if low == high => [low - 0.1 * low.abs(), high + 0.1 * high.abs()],
            _ => [0.0, 1.0],
        };
        let is_log = panel.has_log && low > 0.0 && high / low >= WIDE;
        let scale = |figure: f64| if is_log { figure.ln() } else { figure };
        let labels = [(panel.text)(high), (panel.text)(low)];
        let margin = labels[0].len().max(labels[1].len());

        let mut canvas = Canvas::new(rows, cols - margin - 1);
        let window = Window {
            x: [self.points[0].epoch, self.epochs[1] as f64],
            y: [scale(low), scale(high)],
        };
        let pens = [Pen::Solid, Pen::Dashed];
        for (which, pen) in pens.into_iter().enumerate() {
            let points = self.points.iter();
            let points = points.map(|point| (point.epoch, scale((panel.figures)(point)[which])));
            canvas.curve(points, window, pen);
        }

        let name = if is_log { format!("{} (log)", panel.name) } else { panel.name.to_owned() };
        let mut lines = vec![self.title(&name, cols, color)];
        for (row, curve) in canvas.rows(color).enumerate() {
            let label = match row {
                0 => &labels[0],
                _ if row + 1 == rows => &labels[1],
                _ => "",
            };
            lines.push(format!("{label:>margin$}│{curve}"));
        }
        let [first, last] = self.epochs;
        let last = format!("epoch {last}");
        let room = (cols - margin - 1).saturating_sub(last.len());
        lines.push(format!("{:margin$} {first:<room$}{last}", ""));
        lines
    }

    /// The name of a plot and its legend, as wide as the plot.
    fn title(&self, name: &str, cols: usize, color: bool) -> String {
        let (mut text, mut width) = (name.to_owned(), name.len());
        let has_validation = self.points.iter().any(|point| point.loss[1].is_finite());
        let legend = [(Pen::Solid, "train"), (Pen::Dashed, "val")];
        for (pen, what) in legend.into_iter().take(1 + usize::from(has_validation)) {
            const SAMPLE: usize = 3;
            let mut canvas = Canvas::new(1, SAMPLE);
            let window = Window { x: [0.0, 1.0], y: [-1.0, 1.0] };
            canvas.curve([(0.0, 0.0), (1.0, 0.0)].into_iter(), window, pen);
            let sample: String = canvas.rows(color).collect();
            text += &format!("  {sample} {what}");
            width += 2 + SAMPLE + 1 + what.len();
        }
        // Any name is short beside the least width.
        text + &" ".repeat(cols.saturating_sub(width))
    }
}

/// What one plot shows.
struct Panel {
    name: &'static str,
    figures: fn(&Point) -> [f64; 2],
    /// A figure as a label.
    text: fn(f64) -> String,
    /// Whether figures of very different sizes are shown by their logarithms.
    has_log: bool,
}

#[cfg(test)]
mod tests;
