//! What learning rate the curve of a range test suggests.
//!
//! ```text
//! L₀ ───────╮                          the loss before it falls
//!           ╲ ← falls fastest here
//!            ╲
//!             ╲
//!              ╲           ╱ diverges
//!               ╰────────╯ ← lowest
//!                rate →
//! ```
//!
//! Two rules of thumb are in use: the rate at which the loss falls fastest, and a tenth of the
//! rate at which it is lowest. The first is too low where the network learns much at low
//! rates, because a test takes many steps there; the second is too high after a long flat
//! bottom. So their geometric mean is taken, which is half of either mistake.
//!
//! Both come from the falling curve that is nearest to the smoothed one, of which what is
//! above L₀ is cut off: a spike is a hump, which that curve passes below, so the slope after
//! it is no fall.

use std::fmt::Write as _;

use serde::Serialize;

use super::curve::{Curve, median};

/// With fewer points nothing is seen.
const FEWEST: usize = 10;

/// The least share of the loss that has to be lost.
const LEAST_FALL: f64 = 0.05;

/// The least fall in standard deviations of the smoothed curve.
const LEAST_SIGMAS: f64 = 6.0;

/// The fall is fastest over this many decades of rates.
const WINDOW: f64 = 0.5;

/// The curve is read at this many points at most.
const MOST_POINTS: usize = 500;

/// Rates that a range test finds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Suggestion {
    /// The one to train with, of two digits.
    pub(super) learning_rate: f64,
    /// Where the loss falls fastest.
    pub(super) steepest: f64,
    /// Where the loss is lowest.
    pub(super) lowest: f64,
    /// Whether the loss was still falling at the highest rate.
    pub(super) still_falling: bool,
}

/// Looks for a rate.
///
/// # Errors
/// Why there is none, and what to do.
pub(super) fn find(curve: &Curve) -> Result<Suggestion, String> {
    if curve.losses.len() < FEWEST {
        let steps = curve.losses.len();
        return Err(format!(
            "the loss rose without bound after {steps} steps: begin lower with --from, or look at \
             the data"
        ));
    }
    let stride = curve.smoothed.len().div_ceil(MOST_POINTS);
    let thinned = |values: &[f64]| values.iter().copied().step_by(stride).collect::<Vec<_>>();
    let (rates, losses) = (thinned(&curve.rates), thinned(&curve.smoothed));

    let start = median(&curve.losses[..(curve.losses.len() / 10).max(5)]);
    let lowest = index_of_lowest(&losses);
    let fall = start - losses[lowest];
    let least = f64::max(LEAST_FALL * start, LEAST_SIGMAS * sigma(curve));
    if !(fall > least && lowest > 0) {
        return Err(no_fall(curve));
    }
    let falling = falling(losses[..=lowest].iter().map(|loss| loss.min(start)));
    let decades = (rates[rates.len() - 1] / rates[0]).log10();
    let window = (WINDOW / decades * (rates.len() - 1) as f64).round() as usize;
    let steepest = steepest(&falling, window.clamp(1, lowest));

    let (steepest, tenth) = (rates[steepest], rates[lowest] / 10.0);
    let last = losses.len() - 1;
    Ok(Suggestion {
        learning_rate: two_digits((steepest * tenth).sqrt()),
        steepest: two_digits(steepest),
        lowest: two_digits(rates[lowest]),
        still_falling: !curve.diverged && lowest + last / 50 >= last,
    })
}

fn index_of_lowest(losses: &[f64]) -> usize {
    let lowest = losses.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1));
    lowest.map_or(0, |(i, _)| i)
}

/// How far the smoothed curve is from itself by chance: from the distances of the losses to
/// it, of which an average has less.
fn sigma(curve: &Curve) -> f64 {
    const NORMAL: f64 = 1.4826;
    let distances: Vec<f64> =
        curve.losses.iter().zip(&curve.smoothed).map(|(loss, of)| (loss - of).abs()).collect();
    let averaged = (curve.losses.len() as f64 / 50.0).max(2.0);
    NORMAL * median(&distances) / (2.0 * averaged).sqrt()
}

fn no_fall(curve: &Curve) -> String {
    let (first, last) = (curve.rates[0], curve.rates[curve.rates.len() - 1]);
    let (first, last) = (digits(two_digits(first)), digits(two_digits(last)));
    if curve.diverged {
        format!(
            "the loss did not fall before it rose, from {first} to {last}: begin lower with \
             --from, or look at the data"
        )
    } else {
        format!(
            "the loss did not fall from {first} to {last}: name a wider range with --from and \
             --to, or more --steps"
        )
    }
}

/// The curve that never rises and is nearest to this one in squares: neighbours that rise
/// become their mean, until none does (the pool-adjacent-violators algorithm).
fn falling(losses: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    for loss in losses {
        let mut block = (loss, 1);
        while let Some(before) = blocks.pop_if(|before| before.0 < block.0) {
            let len = before.1 + block.1;
            let sum = before.0 * before.1 as f64 + block.0 * block.1 as f64;
            block = (sum / len as f64, len);
        }
        blocks.push(block);
    }
    blocks.iter().flat_map(|(mean, len)| std::iter::repeat_n(*mean, *len)).collect()
}

/// The middle of the window over which the curve loses most.
fn steepest(falling: &[f64], window: usize) -> usize {
    let mut best = (0.0, 0);
    for i in 0..falling.len() - window {
        let fall = falling[i] - falling[i + window];
        if fall > best.0 {
            best = (fall, i);
        }
    }
    best.1 + window / 2
}

/// A number rounded to two digits.
fn two_digits(x: f64) -> f64 {
    format!("{x:.1e}").parse().unwrap_or(x)
}

/// A rate as people and `--lr` write it.
pub(super) fn digits(rate: f64) -> String {
    if rate < 1e-4 { format!("{rate:e}") } else { rate.to_string() }
}

impl Suggestion {
    /// Rates around the suggestion that may be better: a third of it, and three times.
    pub(super) fn around(&self) -> [f64; 2] {
        [self.learning_rate / 3.0, 3.0 * self.learning_rate].map(two_digits)
    }

    /// The rate, and where it comes from.
    pub(super) fn lines(&self, curve: &Curve) -> String {
        let Self { learning_rate, steepest, lowest, still_falling } = self;
        let tenth = digits(two_digits(lowest / 10.0));
        let mut text = format!("learning rate  {}\n\n", digits(*learning_rate));
        let _ = write!(
            text,
            "The loss falls fastest at {} and is lowest at {}, of which a tenth is\n{tenth}: the \
             suggestion is between the two, their geometric mean.",
            digits(*steepest),
            digits(*lowest)
        );
        let steps = curve.losses.len();
        let last = digits(two_digits(curve.rates[steps - 1]));
        if *still_falling {
            let _ = write!(
                text,
                "\nIt was still falling at the highest rate, {last}: a larger --to may find a \
                 higher one."
            );
        } else if curve.diverged {
            let _ =
                write!(text, "\nIt had risen to four times that at {last}, after {steps} steps.");
        }
        text
    }
}

#[cfg(test)]
mod tests;
