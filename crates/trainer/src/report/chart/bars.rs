//! Histograms.

use super::{Axis, BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, canvas, figure, frame, place};
use crate::report::html::Html;

/// How some values are distributed.
pub(crate) struct Bars {
    /// The range of the bars. What is beyond it is in the outermost ones.
    low: f64,
    high: f64,
    /// The number of values in each, of equal width.
    counts: Vec<usize>,
    /// Values that are 0, which have no bar if they were left out.
    pub(crate) zeros: f64,
    pub(crate) mean: f64,
    pub(crate) deviation: f64,
}

/// The number of bars.
const BARS: usize = 40;

/// Deviations from the mean that are shown: a few values far away would make one bar of all
/// others.
const REACH: f64 = 4.0;

/// The distribution of values, of which those that are 0 are counted apart if `without_zeros`.
/// `None` if none is left.
pub(crate) fn histogram(
    values: impl Iterator<Item = f64> + Clone,
    without_zeros: bool,
) -> Option<Bars> {
    let all = values.clone().count();
    let finite = values.filter(|x| x.is_finite());
    let zeros = finite.clone().filter(|x| *x == 0.0).count();
    let shown = finite.filter(move |x| !without_zeros || *x != 0.0);
    let (mut count, mut sum, mut low, mut high) = (0usize, 0.0, f64::INFINITY, f64::NEG_INFINITY);
    for x in shown.clone() {
        (count, sum, low, high) = (count + 1, sum + x, x.min(low), x.max(high));
    }
    if count == 0 {
        return None;
    }
    let mean = sum / count as f64;
    let square = shown.clone().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count as f64;
    let deviation = square.sqrt();
    let reach = REACH * deviation;
    (low, high) = (low.max(mean - reach), high.min(mean + reach));
    if high - low <= 1e-9 * low.abs().max(high.abs()) {
        let half = if low == 0.0 { 0.5 } else { 0.05 * low.abs() };
        (low, high) = (low - half, high + half);
    }
    let mut counts = vec![0; BARS];
    for x in shown {
        let bar = (x - low) / (high - low) * BARS as f64;
        counts[(bar.max(0.0) as usize).min(BARS - 1)] += 1;
    }
    let zeros = zeros as f64 / all as f64;
    Some(Bars { low, high, counts, zeros, mean, deviation })
}

impl Bars {
    /// A small figure.
    pub(crate) fn write(&self, html: &mut Html, title: &str, below: &str, note: &str) {
        html.tag("figure", &[("class", "chart")], |html| {
            html.tag("figcaption", &[], |html| {
                html.line("strong", "", title);
                html.line("span", "note", note);
            });
            let (mean, deviation) = (figure(self.mean), figure(self.deviation));
            let name = format!("{title}: mean {mean}, standard deviation {deviation}");
            canvas(html, &name, |html| {
                let all: usize = self.counts.iter().sum();
                let share = |count: usize| count as f64 / all as f64;
                let largest = self.counts.iter().copied().max().unwrap_or(0);
                let x = Axis::between(self.low, self.high);
                let y = Axis::linear(0.0, share(largest));
                frame(html, (&x, below, false), (&y, "", true));
                let (bottom, width) = (HEIGHT - BOTTOM, WIDTH - RIGHT - LEFT);
                let mut path = String::new();
                for (at, count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                    let left = LEFT + width * at as f64 / BARS as f64;
                    let top = y.place(share(*count), bottom, TOP);
                    let across = place(width / BARS as f64 - 1.0);
                    path += &format!(
                        "M{} {}V{}h{across}V{}z",
                        place(left),
                        place(bottom),
                        place(top),
                        place(bottom)
                    );
                }
                html.void("path", &[("class", "bars c0"), ("d", &path)]);
            });
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_are_counted_apart() {
        let values = [0.0, 0.0, 0.0, 1.0, 2.0, 3.0, f64::NAN, 0.0];
        let bars = histogram(values.into_iter(), true).unwrap();
        assert_eq!((bars.zeros, bars.mean), (0.5, 2.0));
        assert_eq!(bars.counts.iter().sum::<usize>(), 3);
        assert_eq!((bars.counts[0], bars.counts[20], bars.counts[39]), (1, 1, 1));
        let bars = histogram(values.into_iter(), false).unwrap();
        assert_eq!(bars.counts.iter().sum::<usize>(), 7);
        assert!(histogram([0.0, f64::INFINITY].into_iter(), true).is_none());
        assert!(histogram(std::iter::empty(), false).is_none());
    }

    #[test]
    fn a_value_far_away_does_not_hide_the_others() {
        let values = (0..1000).map(|i| f64::from(i) / 1000.0).chain([1e6]);
        let bars = histogram(values, false).unwrap();
        assert!(bars.high < 2e5);
        assert_eq!(bars.counts.iter().sum::<usize>(), 1001);
        let one = histogram([5.0; 3].into_iter(), false).unwrap();
        assert_eq!((one.counts.iter().sum::<usize>(), one.deviation), (3, 0.0));
        assert!(one.low < 5.0 && one.high > 5.0);
    }
}
