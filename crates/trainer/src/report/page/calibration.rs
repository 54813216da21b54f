//! Whether probabilities are what they say.

use crate::report::chart;
use crate::report::findings::{BINS, ClassFindings};
use crate::report::html::Html;
use crate::words::percent;

pub(super) fn write(html: &mut Html, found: &ClassFindings, samples: &str) {
    let error = percent(found.calibration_error);
    html.line(
        "p",
        "",
        format!(
            "Of {samples} that the network is 90 % sure of, 90 % should be right. Confidence and \
             accuracy differ by {error} in the mean: the expected calibration error, over {BINS} \
             intervals (Guo et al. 2017)."
        ),
    );
    html.tag("div", &[("class", "charts")], |html| {
        chart::calibration(html, &found.reliability, BINS);
    });
    let row = |point: &nn::Reliability| {
        let edge = |at: usize| format!("{:.0}", 100.0 * at as f64 / BINS as f64);
        vec![
            format!("{}–{} %", edge(point.bin), edge(point.bin + 1)),
            point.samples.to_string(),
            percent(point.confidence),
            percent(point.accuracy),
        ]
    };
    let columns =
        [("confidence", ""), ("samples", "n"), ("mean confidence", "n"), ("accuracy", "n")];
    html.details("The figures", |html| {
        html.table("Intervals of confidence", &columns, found.reliability.iter().map(row));
    });
}
