//! What is to be seen in the layers.

use super::{Findings, figure};
use crate::report::chart::Bars;
use crate::report::findings::LayerFindings;
use crate::report::html::Html;
use crate::report::picture::Sheet;
use crate::words::percent;

/// Layers that are drawn, at most.
const MOST_LAYERS: usize = 16;

pub(super) fn write(html: &mut Html, findings: &Findings) {
    if let Some(sheet) = &findings.sheet {
        weights(html, sheet, findings.layers.first().map_or(0, |layer| layer.units));
    }
    html.line("h3", "", "Weights, activations and gradients of each layer");
    html.line(
        "p",
        "note",
        "Found on some training samples without augmentation. The outermost bars have what is \
         further away. A layer whose gradients are many powers of ten below those of the last \
         layer hardly learns; neither does a dead unit, whose slope is 0 for every sample, or a \
         saturated one, whose output is at an end of its range.",
    );
    let last = findings.layers.len().saturating_sub(1);
    for (at, layer) in findings.layers.iter().enumerate().take(MOST_LAYERS) {
        let name = if at == last { "Output layer".to_owned() } else { format!("Layer {}", at + 1) };
        html.line("h4", "", format!("{name}: {} units{}", layer.units, health(layer)));
        html.tag("div", &[("class", "charts three")], |html| {
            distribution(html, "Weights", "weight", layer.weights.as_ref());
            let title = if at == last { "Predictions" } else { "Activations" };
            distribution(html, title, "output", layer.activations.as_ref());
            if let Some(bars) = &layer.gradients {
                let zeros = match layer.without_gradient {
                    0.0 => "none is 0".to_owned(),
                    share => format!("{} are 0", percent(share)),
                };
                bars.write(html, "Gradients", "log₁₀ of the size", &zeros);
            }
        });
    }
    let more = findings.layers.len().saturating_sub(MOST_LAYERS);
    if more > 0 {
        html.line("p", "note", format!("{more} more layers are not drawn."));
    }
    table(html, findings);
}

fn health(layer: &LayerFindings) -> String {
    let part = |count: usize, what: &str| {
        if count == 0 { String::new() } else { format!(", {count} {what}") }
    };
    part(layer.dead, "dead") + &part(layer.saturated, "saturated")
}

fn distribution(html: &mut Html, title: &str, below: &str, bars: Option<&Bars>) {
    match bars {
        Some(bars) => {
            let zeros = if bars.zeros > 0.0 {
                format!("{} are 0 and have no bar", percent(bars.zeros))
            } else {
                format!("standard deviation {}", figure(Some(bars.deviation)))
            };
            bars.write(html, title, below, &zeros);
        }
        None => html.line("p", "note", format!("{title}: all are 0.")),
    }
}

fn weights(html: &mut Html, sheet: &Sheet, units: usize) {
    html.line("h3", "", "Weights of the first layer");
    let which = if sheet.units < units {
        format!("The first {} of {units} units", sheet.units)
    } else {
        format!("All {units} units")
    };
    html.line(
        "p",
        "note",
        format!(
            "{which}, each as an image of its inputs: ink on orange raises the unit, ink on blue \
             lowers it. Each has its own scale."
        ),
    );
    let (width, height) = (sheet.cols.to_string(), sheet.rows.to_string());
    let alt = format!("Weights of {} units as images, orange for positive ones", sheet.units);
    let attributes = [
        ("src", &*sheet.uri),
        ("alt", &*alt),
        ("class", "sheet"),
        ("width", &*width),
        ("height", &*height),
    ];
    html.void("img", &attributes);
}

fn table(html: &mut Html, findings: &Findings) {
    let of = |bars: &Option<Bars>| {
        let bars = bars.as_ref();
        [bars.map(|bars| bars.mean), bars.map(|bars| bars.deviation)].map(figure)
    };
    let row = |(at, layer): (usize, &LayerFindings)| {
        let mut row = vec![(at + 1).to_string()];
        row.extend([layer.units, layer.dead, layer.saturated].map(|count| count.to_string()));
        let distributions = [&layer.weights, &layer.activations, &layer.gradients];
        row.extend(distributions.into_iter().flat_map(of));
        row
    };
    let columns = [
        ("layer", "n"),
        ("units", "n"),
        ("dead", "n"),
        ("saturated", "n"),
        ("weights: mean", "n"),
        ("deviation", "n"),
        ("activations: mean", "n"),
        ("deviation", "n"),
        ("log₁₀ gradients: mean", "n"),
        ("deviation", "n"),
    ];
    let rows: Vec<_> = findings.layers.iter().enumerate().map(row).collect();
    html.details("The figures", |html| {
        html.table("Of what is not 0 in each layer", &columns, rows);
    });
}
