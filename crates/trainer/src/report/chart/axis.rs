//! An axis: its range, and round numbers on it.

/// How values become positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    /// From 0 where all values are near it.
    Linear,
    /// Whole numbers, such as epochs.
    Whole,
    /// Logarithmic where the values are positive and the largest is far above the smallest.
    Log,
    /// Linear, from the smallest value to the largest.
    Tight,
}

/// The largest value over the smallest one from which on an axis is logarithmic.
const FAR: f64 = 30.0;

/// A value that is so large, or whose inverse is so small, is drawn at the end of its axis.
const LARGEST: f64 = 1e300;

/// Steps between two numbers of an axis, about.
const STEPS: f64 = 4.0;

/// The range of an axis, and where it has numbers.
pub(crate) struct Axis {
    low: f64,
    high: f64,
    log: bool,
    ticks: Vec<f64>,
    /// Digits after the point.
    places: usize,
}

impl Axis {
    /// An axis for these values, which are finite.
    pub(crate) fn of(values: impl Iterator<Item = f64>, scale: Scale) -> Self {
        let (low, high) = values
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        match scale {
            Scale::Log if low > 1.0 / LARGEST && high / low >= FAR && high < LARGEST => {
                Self::log(low, high)
            }
            Scale::Whole => Self::whole(low, high),
            Scale::Tight => Self::linear(low, high),
            // A range that nearly reaches 0 begins there.
            _ if low > 0.0 && low < 0.5 * high => Self::linear(0.0, high),
            _ => Self::linear(low, high),
        }
    }

    /// From `low` to `high`, with round numbers at its ends.
    pub(crate) fn linear(low: f64, high: f64) -> Self {
        let (low, high) = apart(low, high);
        let (step, places) = round_step((high - low) / STEPS);
        let (first, last) = ((low / step + 1e-9).floor(), (high / step - 1e-9).ceil());
        let ticks = (0..=(last - first) as usize).map(|i| (first + i as f64) * step).collect();
        Self { low: first * step, high: last * step, log: false, ticks, places }
    }

    /// Between two values, with round numbers inside.
    pub(crate) fn between(low: f64, high: f64) -> Self {
        let (low, high) = apart(low, high);
        Self { low, high, ..Self::inside(low, high, (high - low) / (STEPS + 1.0)) }
    }

    fn whole(low: f64, high: f64) -> Self {
        let (low, high) = apart(low, high);
        Self { low, high, ..Self::inside(low, high, ((high - low) / STEPS).max(1.0)) }
    }

    fn inside(low: f64, high: f64, step: f64) -> Self {
        let (step, places) = round_step(step);
        let (first, last) = ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
        let count = (last - first + 1.0).max(0.0) as usize;
        let ticks = (0..count).map(|i| (first + i as f64) * step).collect();
        Self { low, high, log: false, ticks, places }
    }

    /// Powers of ten at its ends.
    fn log(low: f64, high: f64) -> Self {
        let (first, last) = (low.log10().floor(), high.log10().ceil());
        let every = ((last - first) / (2.0 * STEPS)).ceil().max(1.0);
        let count = ((last - first) / every).floor() as usize;
        let ticks = (0..=count).map(|i| 10f64.powf(first + every * i as f64)).collect();
        Self { low: 10f64.powf(first), high: 10f64.powf(last), log: true, ticks, places: 0 }
    }

    /// Its lower end.
    pub(crate) fn low(&self) -> f64 {
        self.low
    }

    /// Its upper end.
    pub(crate) fn high(&self) -> f64 {
        self.high
    }

    pub(crate) fn is_log(&self) -> bool {
        self.log
    }

    /// Where the axis has numbers.
    pub(crate) fn ticks(&self) -> &[f64] {
        &self.ticks
    }

    /// The position of a value, where the axis goes from `from` to `to`.
    pub(crate) fn place(&self, value: f64, from: f64, to: f64) -> f64 {
        let share = if self.log {
            (value / self.low).log10() / (self.high / self.low).log10()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        from + share.clamp(0.0, 1.0) * (to - from)
    }

    /// A number of the axis as text.
    pub(crate) fn label(&self, tick: f64) -> String {
        let largest = self.low.abs().max(self.high.abs());
        if self.log {
            if (1e-3..=1e5).contains(&tick) { figure(tick) } else { format!("{tick:.0e}") }
        } else if largest >= 1e6 || self.places > 5 {
            // −0 is 0.
            format!("{:.1e}", tick + 0.0)
        } else {
            format!("{:.*}", self.places, tick + 0.0)
        }
    }

    /// A share of the axis as percents.
    pub(crate) fn percent(&self, tick: f64) -> String {
        format!("{:.*} %", self.places.saturating_sub(2), 100.0 * tick + 0.0)
    }
}

/// A range that has a length.
fn apart(low: f64, high: f64) -> (f64, f64) {
    // A file may have any number: what is beyond has no step that is one.
    let [low, high] = [low, high].map(|end| end.clamp(-LARGEST, LARGEST));
    if high - low > (1e-9 * low.abs().max(high.abs())).max(1.0 / LARGEST) {
        return (low, high);
    }
    let half = if low.abs() <= 1.0 / LARGEST { 0.5 } else { 0.05 * low.abs() };
    (low - half, high + half)
}

/// The next round step of 1, 2 or 5 times a power of ten, and the digits after the point that
/// its multiples need.
fn round_step(step: f64) -> (f64, usize) {
    let power = step.log10().floor();
    let unit = 10f64.powf(power);
    // 25 is round, and 2.5 is not.
    let round = [1.0, 2.0, 2.5, 5.0].into_iter().filter(|times| *times != 2.5 || power >= 1.0);
    let times = round.into_iter().find(|times| times * unit >= step * (1.0 - 1e-9));
    let (times, power) = times.map_or((1.0, power + 1.0), |times| (times, power));
    (times * 10f64.powf(power), (-power).max(0.0) as usize)
}

/// A number with about four digits.
pub(crate) fn figure(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        "none".to_owned()
    } else if size != 0.0 && !(1e-4..1e7).contains(&size) {
        format!("{value:.2e}")
    } else if size >= 1000.0 || value == 0.0 || size.fract() == 0.0 {
        format!("{:.0}", value + 0.0)
    } else {
        let places = (3.0 - size.log10().floor()).clamp(0.0, 6.0) as usize;
        let text = format!("{value:.places$}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<String> {
        axis.ticks().iter().map(|tick| axis.label(*tick)).collect()
    }

    fn of(values: &[f64], scale: Scale) -> Axis {
        Axis::of(values.iter().copied(), scale)
    }

    #[test]
    fn numbers_are_round() {
        for (values, scale, expected) in [
            (&[0.08, 0.41][..], Scale::Linear, &["0.0", "0.2", "0.4", "0.6"][..]),
            (&[0.92, 0.98], Scale::Linear, &["0.92", "0.94", "0.96", "0.98"]),
            (&[1.0, 5.0], Scale::Whole, &["1", "2", "3", "4", "5"]),
            (&[1.0, 60.0], Scale::Whole, &["20", "40", "60"]),
            (&[1.0, 100.0], Scale::Whole, &["25", "50", "75", "100"]),
            (&[1.0, 9.0], Scale::Whole, &["2", "4", "6", "8"]),
            (&[1e-5, 0.01], Scale::Log, &["1e-5", "1e-4", "0.001", "0.01"]),
            (&[3.0], Scale::Whole, &["3"]),
            (&[0.0], Scale::Linear, &["-0.5", "0.0", "0.5"]),
            (&[0.003, 2.0], Scale::Log, &["0.001", "0.01", "0.1", "1", "10"]),
            (&[0.5, 2.0], Scale::Log, &["0.0", "0.5", "1.0", "1.5", "2.0"]),
            (&[-3e8, 1e8], Scale::Tight, &["-3.0e8", "-2.0e8", "-1.0e8", "0.0e0", "1.0e8"]),
        ] {
            assert_eq!(labels(&of(values, scale)), expected, "{values:?}");
        }
        let axis = of(&[0.92, 0.98], Scale::Linear);
        assert_eq!(axis.percent(0.94), "94 %");
    }

    #[test]
    fn every_value_is_within_its_axis() {
        let mut x = 1e-12;
        for i in 0..2000 {
            x *= 1.023;
            let (low, high) = (if i % 3 == 0 { -x } else { 0.3 * x }, x * (1.0 + 1e-3));
            for scale in [Scale::Linear, Scale::Tight, Scale::Log, Scale::Whole] {
                let axis = of(&[low, high], scale);
                assert!((1..=12).contains(&axis.ticks().len()) || scale == Scale::Whole, "{low}");
                assert!(axis.ticks().len() < 20);
                let [a, b] = [low, high].map(|value| axis.place(value, 0.0, 100.0));
                assert!((0.0..=100.0).contains(&a) && (a < b || scale == Scale::Whole), "{low}");
            }
        }
    }

    /// A damaged file may have any number.
    #[test]
    fn the_largest_and_the_smallest_numbers_have_an_axis() {
        let ends = [f64::MIN, -1.0, -f64::MIN_POSITIVE, 0.0, 5e-324, 1e-310, 1.0, 1e301, f64::MAX];
        for (at, low) in ends.iter().enumerate() {
            for high in &ends[at..] {
                for scale in [Scale::Linear, Scale::Tight, Scale::Log, Scale::Whole] {
                    let axis = of(&[*low, *high], scale);
                    assert!(axis.ticks().len() < 20, "{low} {high} {scale:?}");
                    let found = [*low, *high].map(|value| axis.place(value, 0.0, 100.0));
                    assert!(found.iter().all(|x| x.is_finite()), "{low} {high} {scale:?}");
                    assert!(labels(&axis).iter().all(|label| label.len() < 12));
                }
            }
        }
    }

    #[test]
    fn figures_have_four_digits() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "0"),
            (0.25, "0.25"),
            (0.123_456, "0.1235"),
            (12.345_67, "12.35"),
            (1234.5, "1234"),
            (3.0, "3"),
            (1e-7, "1.00e-7"),
            (f64::NAN, "none"),
        ] {
            assert_eq!(figure(value), expected, "{value}");
        }
    }
}
