//! Charts as SVG. Their colours, fonts and line widths are classes of the page's style.

mod axis;
mod bars;
mod points;

use super::html::Html;
pub(crate) use axis::{Axis, Scale, figure};
pub(crate) use bars::{Bars, histogram};
pub(crate) use points::{calibration, scatter};

/// The size of a chart in its own units, and what is left free around the plot.
pub(super) const WIDTH: f64 = 480.0;
pub(super) const HEIGHT: f64 = 250.0;
pub(super) const LEFT: f64 = 58.0;
pub(super) const RIGHT: f64 = 14.0;
pub(super) const TOP: f64 = 10.0;
pub(super) const BOTTOM: f64 = 40.0;

/// Points of a line that are drawn: more are not seen apart.
const MOST_POINTS: usize = 400;

/// With more points, a line has no dots.
const MOST_DOTS: usize = 32;

/// A line of a chart.
pub(crate) struct Series<'a> {
    /// What it shows, for the legend. A line without a name is not in the legend.
    pub(crate) name: String,
    /// Its colour and dashes, from 0; see [`style`].
    pub(crate) style: usize,
    /// From left to right. What is not finite interrupts the line.
    pub(crate) points: &'a [(f64, f64)],
}

/// Lines over a common x.
pub(crate) struct Lines<'a> {
    pub(crate) title: &'a str,
    pub(crate) x: &'a str,
    pub(crate) scale: Scale,
    /// Whether the values are shares, and shown as percents.
    pub(crate) percent: bool,
    pub(crate) series: Vec<Series<'a>>,
    /// An x that is marked, and with what.
    pub(crate) mark: Option<(f64, String)>,
}

/// The class of a line: 8 colours, then the same ones with dashes, then with dots.
pub(crate) fn style(index: usize) -> String {
    format!("line c{} d{}", index % 8, index / 8 % 3)
}

/// Lines that fit on one page so that each can be told from the others.
pub(crate) const MOST_LINES: usize = 24;

impl Lines<'_> {
    /// A figure with the chart, or nothing if there is nothing to draw.
    pub(crate) fn write(&self, html: &mut Html) {
        let all = self.series.iter().flat_map(|series| series.points);
        let finite: Vec<(f64, f64)> =
            all.copied().filter(|(x, y)| x.is_finite() && y.is_finite()).collect();
        if finite.is_empty() {
            return;
        }
        let x = Axis::of(finite.iter().map(|point| point.0), Scale::Whole);
        let y = Axis::of(finite.iter().map(|point| point.1), self.scale);
        html.tag("figure", &[("class", "chart")], |html| {
            html.tag("figcaption", &[], |html| {
                html.line("strong", "", self.title);
                if self.scale == Scale::Log && y.is_log() {
                    html.line("span", "note", "logarithmic");
                }
                for series in self.series.iter().filter(|series| !series.name.is_empty()) {
                    html.tag("span", &[("class", "key")], |html| {
                        legend(html, series.style);
                        html.text(&series.name);
                    });
                }
            });
            let title = format!("{} over {}", self.title, self.x);
            canvas(html, &title, |html| {
                frame(html, (&x, self.x, false), (&y, "", self.percent));
                if let Some((at, label)) = &self.mark {
                    mark(html, x.place(*at, LEFT, WIDTH - RIGHT), label);
                }
                for series in &self.series {
                    line(html, series, &x, &y);
                }
            });
        });
    }
}

/// A drawing with a name for those who do not see it.
pub(super) fn canvas(html: &mut Html, title: &str, inside: impl FnOnce(&mut Html)) {
    let view = format!("0 0 {WIDTH} {HEIGHT}");
    html.tag("svg", &[("viewBox", &view), ("role", "img"), ("aria-label", title)], |html| {
        html.line("title", "", title);
        inside(html);
    });
}

/// The grid, the numbers at its lines, and the name of the axis below. The last value of an axis
/// says whether its numbers are shares.
pub(super) fn frame(
    html: &mut Html,
    (x, below, x_percent): (&Axis, &str, bool),
    (y, beside, y_percent): (&Axis, &str, bool),
) {
    let number = |value: f64, axis: &Axis, percent: bool| {
        if percent { axis.percent(value) } else { axis.label(value) }
    };
    let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
    for tick in y.ticks() {
        let at = y.place(*tick, bottom, TOP);
        stroke(html, "grid", (LEFT, at), (right, at));
        let text = number(*tick, y, y_percent);
        label(html, "end", (LEFT - 6.0, at + 4.0), &text);
    }
    for tick in x.ticks() {
        let at = x.place(*tick, LEFT, right);
        stroke(html, "tick", (at, bottom), (at, bottom + 4.0));
        label(html, "middle", (at, bottom + 17.0), &number(*tick, x, x_percent));
    }
    stroke(html, "axis", (LEFT, bottom), (right, bottom));
    label(html, "middle", ((LEFT + right) / 2.0, HEIGHT - 5.0), below);
    if !beside.is_empty() {
        label(html, "start", (LEFT + 6.0, TOP + 12.0), beside);
    }
}

/// A word of the chart. `anchor` says which of its ends is at the point.
pub(super) fn label(html: &mut Html, anchor: &str, at: (f64, f64), text: &str) {
    let (x, y) = (place(at.0), place(at.1));
    html.tag("text", &[("x", &x), ("y", &y), ("text-anchor", anchor)], |html| html.text(text));
}

pub(super) fn stroke(html: &mut Html, class: &str, from: (f64, f64), to: (f64, f64)) {
    let [x1, y1, x2, y2] = [from.0, from.1, to.0, to.1].map(place);
    html.void("line", &[("class", class), ("x1", &x1), ("y1", &y1), ("x2", &x2), ("y2", &y2)]);
}

/// A number of a drawing: a tenth of a unit is not seen.
pub(super) fn place(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
}

/// A short piece of a line, for a legend.
pub(crate) fn legend(html: &mut Html, index: usize) {
    let attributes = [("viewBox", "0 0 24 8"), ("class", "swatch"), ("aria-hidden", "true")];
    html.tag("svg", &attributes, |html| stroke(html, &style(index), (1.0, 4.0), (23.0, 4.0)));
}

fn mark(html: &mut Html, at: f64, text: &str) {
    stroke(html, "mark", (at, TOP), (at, HEIGHT - BOTTOM));
    let (anchor, beside) = if at > WIDTH / 2.0 { ("end", -4.0) } else { ("start", 4.0) };
    label(html, anchor, (at + beside, TOP + 11.0), text);
}

fn line(html: &mut Html, series: &Series<'_>, x: &Axis, y: &Axis) {
    let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
    let points = series.points;
    let every = points.len().div_ceil(MOST_POINTS).max(1);
    // The last point says how it ended.
    let shown = |at: usize| at.is_multiple_of(every) || at + 1 == points.len();
    let (mut path, mut pen_down) = (String::new(), false);
    for (_, (px, py)) in points.iter().enumerate().filter(|(at, _)| shown(*at)) {
        if !px.is_finite() || !py.is_finite() {
            pen_down = false;
            continue;
        }
        path.push(if pen_down { 'L' } else { 'M' });
        path += &place(x.place(*px, LEFT, right));
        path.push(' ');
        path += &place(y.place(*py, bottom, TOP));
        pen_down = true;
    }
    html.void("path", &[("class", &style(series.style)), ("d", &path)]);
    if points.len() <= MOST_DOTS {
        for (px, py) in points.iter().filter(|(px, py)| px.is_finite() && py.is_finite()) {
            let (cx, cy) = (place(x.place(*px, LEFT, right)), place(y.place(*py, bottom, TOP)));
            let class = format!("dot c{}", series.style % 8);
            html.void("circle", &[("class", &class), ("cx", &cx), ("cy", &cy), ("r", "2.5")]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(points: &[(f64, f64)]) -> String {
        let mut html = Html::default();
        let series = vec![Series { name: "training".into(), style: 0, points }];
        let lines = Lines {
            title: "loss",
            x: "epoch",
            scale: Scale::Linear,
            percent: false,
            series,
            mark: Some((2.0, "kept".into())),
        };
        lines.write(&mut html);
        html.into_text()
    }

    #[test]
    fn a_line_is_interrupted_where_there_is_no_number() {
        let text = drawn(&[(1.0, 0.0), (2.0, 1.0), (3.0, f64::NAN), (4.0, 1.0)]);
        // Up is smaller in SVG.
        assert!(text.contains("d=\"M58 210L194 10M466 10\""), "{text}");
        assert_eq!(text.matches("<circle").count(), 3);
        assert!(text.contains("aria-label=\"loss over epoch\""));
        assert!(text.contains(">kept</text>"));
        assert_eq!(drawn(&[]), "");
        assert_eq!(drawn(&[(1.0, f64::INFINITY)]), "");
    }

    #[test]
    fn many_points_are_thinned_out_and_the_last_one_stays() {
        let points: Vec<_> = (0..100_001).map(|i| (f64::from(i), f64::from(i % 7))).collect();
        let text = drawn(&points);
        assert!(text.len() < 12_000, "{}", text.len());
        assert!(text.contains("L466 "), "{text}");
        assert!(!text.contains("<circle"));
    }

    #[test]
    fn lines_of_one_page_look_different() {
        let mut styles: Vec<_> = (0..MOST_LINES).map(style).collect();
        styles.sort();
        styles.dedup();
        assert_eq!(styles.len(), MOST_LINES);
    }
}
