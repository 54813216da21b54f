//! Samples as pictures or rows.

use super::grouped;
use crate::report::findings::{ClassFindings, Doubtful, Look, Shown};
use crate::report::html::Html;
use crate::words::percent;

pub(super) fn mistakes(html: &mut Html, found: &ClassFindings, samples: &str) {
    if found.mistakes.is_empty() {
        html.line("p", "", format!("None: all {samples} are right."));
        return;
    }
    html.line(
        "p",
        "",
        format!(
            "{} of the {samples} are wrong. These are the ones that the network is most sure of, \
             the surest first.",
            grouped(found.wrong)
        ),
    );
    shown(html, &found.mistakes);
}

pub(super) fn doubtful(html: &mut Html, found: &Doubtful) {
    let Doubtful { shown: samples, found, checked, of } = found;
    let which = if checked == of {
        format!("All {} training samples were checked.", grouped(*of))
    } else {
        let [checked, of] = [*checked, *of].map(grouped);
        format!("{checked} of {of} training samples were checked, evenly spread over all.")
    };
    let first = match samples.len() - samples.len().min(*found) {
        0 => "",
        _ => {
            " They come first below; after them come wrongly predicted samples whose label has \
              the least probability."
        }
    };
    html.line(
        "p",
        "",
        format!(
            "{which} {} of them the network takes for another class as surely as it takes the \
             samples of that class, which is a sign of a wrong label (confident learning, \
             Northcutt et al. 2021).{first}",
            grouped(*found)
        ),
    );
    html.line(
        "p",
        "note",
        "The network has learned from these samples, so it believes some wrong labels and does \
         not list them. Look before you change one: a rare or hard sample looks the same.",
    );
    shown(html, samples);
}

fn shown(html: &mut Html, samples: &[Shown]) {
    if samples.iter().any(|sample| matches!(sample.look, Look::Image(_))) {
        html.tag("ul", &[("class", "pictures")], |html| {
            samples.iter().for_each(|sample| picture(html, sample));
        });
        return;
    }
    if samples.is_empty() {
        return;
    }
    let place = samples[0].place;
    let mut heads = vec![(place.word(), "n"), ("label", ""), ("said", ""), ("probability", "n")];
    heads.push(("of the label", "n"));
    let names = cells(&samples[0].look);
    heads.extend(names.iter().map(|(name, _)| (&**name, "")));
    let row = |sample: &Shown| {
        let own = [sample.place.to_string(), sample.truth.clone(), sample.said.clone()];
        let own = own.into_iter().chain([percent(sample.of_said), percent(sample.of_truth)]);
        own.chain(cells(&sample.look).iter().map(|(_, cell)| cell.clone())).collect()
    };
    html.table(place.caption(), &heads, samples.iter().map(row));
}

/// The cells of a row.
pub(super) fn cells(look: &Look) -> &[(String, String)] {
    match look {
        Look::Row(cells) => cells,
        _ => &[],
    }
}

fn picture(html: &mut Html, sample: &Shown) {
    let Look::Image(image) = &sample.look else { return };
    let alt = format!("sample {}, labelled {}", sample.place, sample.truth);
    html.tag("li", &[], |html| {
        let (width, height) = (image.cols.to_string(), image.rows.to_string());
        let uri = image.to_uri();
        let attributes = [("src", &*uri), ("alt", &*alt), ("width", &*width), ("height", &*height)];
        html.void("img", &attributes);
        html.tag("p", &[], |html| {
            html.text("said ");
            html.line("b", "", &sample.said);
            html.text(format!(" {}", percent(sample.of_said)));
        });
        html.tag("p", &[], |html| {
            html.text("label ");
            html.line("b", "", &sample.truth);
            html.text(format!(" {}", percent(sample.of_truth)));
        });
        html.line("p", "note", format!("sample {}", sample.place));
    });
}
