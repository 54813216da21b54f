//! Charts of points: the reliability diagram, and predicted values over true ones.

use nn::Reliability;

use super::{
    Axis, BOTTOM, HEIGHT, LEFT, RIGHT, Scale, TOP, WIDTH, canvas, frame, label, place, stroke,
};
use crate::report::html::Html;

/// The reliability diagram: the accuracy of the samples of each interval of confidence, with a
/// bar for the share of the samples that are in it.
pub(crate) fn calibration(html: &mut Html, points: &[Reliability], bins: usize) {
    html.tag("figure", &[("class", "chart")], |html| {
        html.tag("figcaption", &[], |html| {
            html.line("strong", "", "Accuracy at each confidence");
            html.line("span", "note", "bars: share of the samples; on the diagonal, both agree");
        });
        canvas(html, "Accuracy over confidence, with the share of samples", |html| {
            let axis = || Axis::between(0.0, 1.0);
            let (x, y) = (axis(), axis());
            frame(html, (&x, "confidence", true), (&y, "", true));
            let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
            let all: usize = points.iter().map(|point| point.samples).sum();
            let mut path = String::new();
            for point in points {
                let [left, end] = [point.bin, point.bin + 1]
                    .map(|edge| x.place(edge as f64 / bins as f64, LEFT, right));
                let top = y.place(point.samples as f64 / all as f64, bottom, TOP);
                let [left, end] = [left + 1.0, end - 1.0].map(place);
                path +=
                    &format!("M{left} {}V{}H{end}V{}z", place(bottom), place(top), place(bottom));
            }
            html.void("path", &[("class", "bars pale"), ("d", &path)]);
            stroke(html, "mark", (LEFT, bottom), (right, TOP));
            let place_of = |point: &Reliability| {
                (x.place(point.confidence, LEFT, right), y.place(point.accuracy, bottom, TOP))
            };
            let corners: Vec<String> = points
                .iter()
                .map(place_of)
                .map(|(x, y)| format!("{} {}", place(x), place(y)))
                .collect();
            let line = format!("M{}", corners.join("L"));
            html.void("path", &[("class", "line c1"), ("d", &line)]);
            for (x, y) in points.iter().map(place_of) {
                dot(html, "dot c1", x, y, "3");
            }
        });
    });
}

/// Predicted values over true ones.
pub(crate) fn scatter(html: &mut Html, title: &str, note: &str, points: &[(f64, f64)]) {
    let finite = || points.iter().filter(|(x, y)| x.is_finite() && y.is_finite());
    if finite().next().is_none() {
        return;
    }
    html.tag("figure", &[("class", "chart")], |html| {
        html.tag("figcaption", &[], |html| {
            html.line("strong", "", title);
            html.line("span", "note", note);
        });
        canvas(html, "Predicted values over true values", |html| {
            let x = Axis::of(finite().map(|point| point.0), Scale::Tight);
            let y = Axis::of(finite().flat_map(|point| [point.0, point.1]), Scale::Tight);
            frame(html, (&x, "true value", false), (&y, "", false));
            let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
            let at = |a: f64, b: f64| (x.place(a, LEFT, right), y.place(b, bottom, TOP));
            let ends = [x.ticks().first(), x.ticks().last()];
            if let [Some(&low), Some(&high)] = ends {
                stroke(html, "mark", at(low, low), at(high, high));
                label(html, "start", (LEFT + 6.0, TOP + 12.0), "line: both are equal");
            }
            for (truth, said) in finite() {
                let (x, y) = at(*truth, *said);
                dot(html, "cloud c0", x, y, "2.2");
            }
        });
    });
}

fn dot(html: &mut Html, class: &str, x: f64, y: f64, r: &str) {
    html.void("circle", &[("class", class), ("cx", &place(x)), ("cy", &place(y)), ("r", r)]);
}
