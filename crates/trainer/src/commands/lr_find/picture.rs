//! The curve of a range test as a picture: in a terminal, and as SVG.

use std::fmt::Write as _;

use super::curve::Curve;
use super::suggestion::{Suggestion, digits};
use crate::braille::{Canvas, Pen, Window};
use crate::encode::markup;
use crate::report::Axis;

/// Characters of the plot in a terminal, and of the numbers left of it. With the lines around
/// it, it fits into 24 rows of 80 columns.
const COLS: usize = 68;
const ROWS: usize = 9;
const LEFT: usize = 9;

/// What the axes reach over.
struct Axes {
    /// Logarithms of the first and the last rate.
    first: f64,
    last: f64,
    bottom: f64,
    top: f64,
}

impl Axes {
    fn of(curve: &Curve) -> Self {
        let log = |rate: Option<&f64>| rate.map_or(0.0, |rate| rate.log10());
        let (first, last) = (log(curve.rates.first()), log(curve.rates.last()));
        let least = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
        let bottom = least(&curve.smoothed);
        // What rises without bound at the end would leave no room for the rest.
        let start = curve.smoothed.first().copied().unwrap_or(1.0);
        let highest = curve.smoothed.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let top = highest.min(start + 0.4 * (start - bottom)).max(bottom + 1e-9);
        Self { first, last: last.max(first + 1e-9), bottom, top }
    }

    fn x(&self, rate: f64) -> f64 {
        (rate.log10() - self.first) / (self.last - self.first)
    }

    fn y(&self, loss: f64) -> f64 {
        (loss - self.bottom) / (self.top - self.bottom)
    }

    /// Round rates: powers of ten, or 1, 2 and 5 times these where there are few of them.
    fn rates(&self) -> Vec<f64> {
        let digits: &[f64] = if self.last - self.first < 2.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let powers = self.first.floor() as i32..=self.last.floor() as i32;
        let all = powers.flat_map(|power| {
            digits.iter().map(move |digit| format!("{digit}e{power}").parse().unwrap_or(1.0))
        });
        all.filter(|rate| (-1e-6..=1.0 + 1e-6).contains(&self.x(*rate))).collect()
    }

    /// The powers of ten among the rates.
    fn decades(&self) -> impl Iterator<Item = i32> {
        (self.first - 1e-6).ceil() as i32..=(self.last + 1e-6).floor() as i32
    }
}

/// A number of the axis of the loss.
fn of_loss(loss: f64) -> String {
    if loss != 0.0 && !(1e-3..1e5).contains(&loss.abs()) {
        format!("{loss:.1e}")
    } else {
        format!("{loss:.3}")
    }
}

/// A number of the axis of the rates: `1e-3`.
fn rate_label(rate: f64) -> String {
    format!("{rate:e}")
}

/// The smoothed curve, with the suggestion below it, in 80 columns.
pub(super) fn terminal(curve: &Curve, found: &Suggestion) -> String {
    let axes = Axes::of(curve);
    let mut canvas = Canvas::new(ROWS, COLS);
    let window = Window { x: [0.0, 1.0], y: [0.0, 1.0] };
    let rows = curve.rates.iter().zip(&curve.smoothed);
    let points = rows.map(|(rate, loss)| (axes.x(*rate), axes.y(*loss)));
    canvas.curve(points, window, Pen::Solid);
    let mut text = format!("{:>LEFT$}\n", "loss");
    for (row, line) in canvas.rows(false).enumerate() {
        let number = match row {
            0 => of_loss(axes.top),
            _ if row == ROWS - 1 => of_loss(axes.bottom),
            _ => String::new(),
        };
        let _ = writeln!(text, "{number:>LEFT$} │{line}");
    }
    let column = |rate: f64| (axes.x(rate).clamp(0.0, 1.0) * (COLS - 1) as f64).round() as usize;
    let (mut axis, mut numbers) = (vec!['─'; COLS], vec![' '; COLS + 4]);
    for decade in axes.decades() {
        let at = column(10f64.powi(decade));
        axis[at] = '┬';
        let label = format!("1e{decade}");
        let from = at.saturating_sub(1);
        // Only where it does not touch the label before it.
        if numbers[from.saturating_sub(1)..from + label.len()].iter().all(|c| *c == ' ') {
            numbers[from..from + label.len()]
                .iter_mut()
                .zip(label.chars())
                .for_each(|(c, l)| *c = l);
        }
    }
    let at = column(found.learning_rate);
    let rate = digits(found.learning_rate);
    let mark = if at + 2 + rate.len() > COLS {
        format!("{:>width$} ▲", rate, width = at.saturating_sub(1))
    } else {
        format!("{:at$}▲ {rate}", "")
    };
    let margin = LEFT + 2;
    let (axis, numbers) = (String::from_iter(axis), String::from_iter(numbers));
    let _ = writeln!(text, "{:LEFT$} └{axis}", "");
    let _ = writeln!(text, "{:margin$}{}", "", numbers.trim_end());
    let _ = write!(text, "{:margin$}{mark}", "");
    text
}

/// Size of the SVG, and of the plot in it.
const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
const PLOT: (f64, f64, f64, f64) = (70.0, 60.0, 670.0, 300.0);

const STYLE: &str = "\
text { font: 13px system-ui, \"Helvetica Neue\", Arial, sans-serif; fill: #59636e }
.title { font-size: 16px; font-weight: 600; fill: #1f2328 }
.back { fill: #ffffff } .grid { stroke: #dfe3e8; fill: none }
.measured { fill: #b8c9de } .smoothed { fill: none; stroke: #1f6fc4; stroke-width: 2 }
.found { stroke: #c2500b; stroke-width: 2 } .rate { fill: #c2500b; font-weight: 600 }
@media (prefers-color-scheme: dark) {
text { fill: #9198a1 } .title { fill: #e6edf3 }
.back { fill: #0d1117 } .grid { stroke: #2b3138 }
.measured { fill: #2f4a6b } .smoothed { stroke: #58a6ff }
.found { stroke: #ff9248 } .rate { fill: #ff9248 }
}
";

/// The curve with the losses that it smooths, and the suggestion if there is one.
pub(super) fn svg(curve: &Curve, found: Option<&Suggestion>, title: &str) -> String {
    let axes = Axes::of(curve);
    let (left, top, width, height) = PLOT;
    let bottom = top + height;
    let x = |rate: f64| left + width * axes.x(rate).clamp(0.0, 1.0);
    // Its ends are round numbers, so the frame reaches a little further than the curve.
    let losses = Axis::linear(axes.bottom, axes.top);
    let y = |loss: f64| losses.place(loss, bottom, top);
    let is_inside = |loss: f64| (losses.low()..=losses.high()).contains(&loss);
    let title = markup(title);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n\
         <rect class=\"back\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"6\"/>\n\
         <text class=\"title\" x=\"16\" y=\"28\">{title}</text>\n"
    );
    for rate in axes.rates() {
        let (at, label) = (x(rate), rate_label(rate));
        let _ = writeln!(
            text,
            "<path class=\"grid\" d=\"M{at:.1} {top}V{bottom}\"/>\
             <text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
            bottom + 20.0
        );
    }
    for loss in losses.ticks() {
        let at = y(*loss);
        let _ = writeln!(
            text,
            "<path class=\"grid\" d=\"M{left} {at:.1}h{width}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            left - 8.0,
            at + 4.0,
            losses.label(*loss)
        );
    }
    let _ = writeln!(
        text,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">learning rate</text>\
         <text x=\"16\" y=\"50\">loss of a step: measured, and smoothed</text>",
        left + width / 2.0,
        bottom + 42.0
    );
    for (rate, loss) in curve.rates.iter().zip(&curve.losses) {
        if is_inside(*loss) {
            let (x, y) = (x(*rate), y(*loss));
            let _ = writeln!(
                text,
                "<circle class=\"measured\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"1.6\"/>"
            );
        }
    }
    // It ends at the frame where it leaves it: what follows is above all of the rest.
    let rows = curve.rates.iter().zip(&curve.smoothed);
    let end = rows.clone().rposition(|(_, loss)| is_inside(*loss)).map_or(0, |last| last + 2);
    let points: Vec<String> =
        rows.take(end).map(|(rate, loss)| format!("{:.1},{:.1}", x(*rate), y(*loss))).collect();
    let _ = writeln!(text, "<polyline class=\"smoothed\" points=\"{}\"/>", points.join(" "));
    if let Some(found) = found {
        let at = x(found.learning_rate);
        let (anchor, label) =
            if at > left + width / 2.0 { ("end", at - 8.0) } else { ("start", at + 8.0) };
        let _ = writeln!(
            text,
            "<path class=\"found\" d=\"M{at:.1} {top}V{bottom}\"/>\
             <text class=\"rate\" x=\"{label:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
            bottom - 10.0,
            digits(found.learning_rate)
        );
    }
    text + "</svg>\n"
}

#[cfg(test)]
mod tests {
    use super::super::curve::Watch;
    use super::super::suggestion;
    use super::*;

    /// A curve that falls around this rate.
    fn curve(rate: f64) -> Curve {
        let mut watch = Watch::new(200);
        for step in 0..200 {
            let x = -7.0 + 8.0 * step as f64 / 199.0;
            let loss = 2.3 - 2.0 / (1.0 + (-4.0 * (x - rate.log10())).exp());
            let _ = watch.add(10f64.powf(x), loss + (6.0 * (x - 0.4)).exp().min(1e6));
        }
        watch.end(true)
    }

    #[test]
    fn a_terminal_has_80_columns() {
        for rate in [1e-6, 1e-3, 0.1, 1.0] {
            let curve = curve(rate);
            let found = suggestion::find(&curve).unwrap();
            let text = terminal(&curve, &found);
            let lines: Vec<_> = text.lines().collect();
            assert_eq!(lines.len(), ROWS + 4, "{text}");
            assert!(lines.iter().all(|line| line.chars().count() <= 80), "{text}");
            let mark = lines[lines.len() - 1].chars().position(|c| c == '▲').unwrap() - LEFT - 2;
            let expected = (found.learning_rate.log10() + 7.0) / 8.0 * (COLS - 1) as f64;
            assert!((mark as f64 - expected).abs() <= 1.0, "{text}");
            assert!(text.contains("1e-7") && text.contains("1e1"), "{text}");
        }
    }

    #[test]
    fn a_picture_is_xml_of_what_was_measured() {
        let curve = curve(1e-3);
        let found = suggestion::find(&curve).unwrap();
        let svg = svg(&curve, Some(&found), "a < b & c");
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert!(svg.contains("<title>a &lt; b &amp; c</title>"));
        assert!(svg.contains(&format!(">{}</text>", digits(found.learning_rate))));
        let polyline = svg.lines().find(|line| line.starts_with("<polyline")).unwrap();
        // The steps at which the loss is far above the frame are left out, but for one.
        assert!((150..200).contains(&polyline.matches(',').count()), "{polyline}");
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }

    /// What stands between `start` and `end`, wherever it does.
    fn all<'a>(svg: &'a str, start: &str, end: &str) -> Vec<&'a str> {
        svg.split(start).skip(1).map(|rest| rest.split_once(end).unwrap().0).collect()
    }

    #[test]
    fn numbers_are_round_and_points_are_in_the_frame() {
        let (left, top, width, height) = PLOT;
        for first in [1e-7, 3e-4] {
            let mut curve = curve(1e-3);
            // A narrow range of rates, and losses that are spikes or nothing.
            let span = if first < 1e-6 { 8.0 } else { 1.5 };
            for (i, rate) in curve.rates.iter_mut().enumerate() {
                *rate = first * 10f64.powf(span * i as f64 / 199.0);
            }
            curve.losses[20] = 1e6;
            curve.losses[30] = -5.0;
            let svg = svg(&curve, None, "");
            let numbers = |anchor: &str| -> Vec<f64> {
                let mark = format!("text-anchor=\"{anchor}\">");
                let texts = all(&svg, &mark, "</text>");
                texts.into_iter().filter_map(|text| text.parse().ok()).collect()
            };
            let (rates, losses) = (numbers("middle"), numbers("end"));
            assert!(rates.len() > 3 && losses.len() > 3, "{rates:?} {losses:?}");
            for rate in &rates {
                let digit = format!("{rate:e}").split_once('e').unwrap().0.to_owned();
                assert!(["1", "2", "5"].contains(&&*digit), "{rates:?}");
            }
            let step = losses[1] - losses[0];
            let digit = format!("{step:.3e}").split_once('e').unwrap().0.to_owned();
            assert!(["1.000", "2.000", "5.000"].contains(&&*digit), "{losses:?}");
            let whole = |loss: &f64| (loss / step - (loss / step).round()).abs() < 1e-6;
            assert!(losses.iter().all(whole), "{losses:?}");

            let pairs = all(&svg, "polyline class=\"smoothed\" points=\"", "\"")[0].split(' ');
            let line = pairs.map(|pair| pair.split_once(',').unwrap());
            let circles = all(&svg, "cx=\"", "\"").into_iter().zip(all(&svg, "cy=\"", "\""));
            for (x, y) in line.chain(circles) {
                let (x, y): (f64, f64) = (x.parse().unwrap(), y.parse().unwrap());
                assert!((left..=left + width).contains(&x), "{x}");
                assert!((top..=top + height).contains(&y), "{y}");
            }
        }
    }
}
