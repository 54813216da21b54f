//! Predictions of a number.

use super::{figure, pairs, samples};
use crate::report::chart;
use crate::report::findings::{ValueFindings, Worst, number};
use crate::report::html::{Html, short};

pub(super) fn write(html: &mut Html, found: &ValueFindings) {
    pairs(
        html,
        [
            ("Root of the mean squared error", figure(found.rmse)),
            ("Mean absolute error", figure(found.mae)),
            ("R²", figure(found.r2)),
        ],
    );
    html.tag("div", &[("class", "charts")], |html| {
        let title = format!("Predicted {} over the true one", short(&found.target));
        chart::scatter(html, &title, &format!("{} samples", found.points.len()), &found.points);
        if let Some(bars) = &found.residuals {
            let (mean, deviation) = (figure(Some(bars.mean)), figure(Some(bars.deviation)));
            let note = format!("mean {mean}, standard deviation {deviation}");
            bars.write(html, "Errors", "predicted − true", &note);
        }
    });
}

pub(super) fn worst(html: &mut Html, found: &ValueFindings) {
    let Some(first) = found.worst.first() else { return };
    let mut heads =
        vec![(first.place.word(), "n"), ("true", "n"), ("predicted", "n"), ("error", "n")];
    heads.extend(samples::cells(&first.look).iter().map(|(name, _)| (&**name, "")));
    let row = |worst: &Worst| {
        let Worst { place, truth, said, look } = worst;
        let own = [number(*truth), figure(Some(*said)), figure(Some(said - truth))];
        let cells = samples::cells(look).iter().map(|(_, cell)| cell.clone());
        [place.to_string()].into_iter().chain(own).chain(cells).collect()
    };
    html.table(first.place.caption(), &heads, found.worst.iter().map(row));
}
