//! The page: one HTML file in which a person draws a digit, or fills in the row of a table, and
//! sees what a network says of it and what each layer does. It comes from `trainer serve`, which
//! then answers, or it stands alone and has the network inside.
//!
//! Nothing is loaded from anywhere: styles and scripts are in the file, and its policy (CSP)
//! allows these, by their hashes, and no others. Texts of a model are data in it, never markup.

mod hash;

use nn::{Columns, Head, Standard};
use serde_json::json;

use crate::augment::Deskew;
use crate::card::card;
use crate::data::PIXEL_SCALE;
use crate::encode::{base64, markup};
use crate::model::Model;
use hash::sha256;

const BODY: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");

/// The network and its pictures, which know of no page, so that a test can run them alone.
const NETWORK: [&str; 4] = [
    include_str!("page/plane.js"),
    include_str!("page/digit.js"),
    include_str!("page/picture.js"),
    include_str!("page/network.js"),
];

const PAGE: [&str; 4] = [
    include_str!("page/pad.js"),
    include_str!("page/inside.js"),
    include_str!("page/form.js"),
    include_str!("page/page.js"),
];

const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 \
                    16'%3E%3Crect width='16' height='16' rx='3' fill='%23b3401c'/%3E%3Cpath d='M5 \
                    4h6L7.5 12.5' fill='none' stroke='%23fff' stroke-width='2'/%3E%3C/svg%3E";

/// The page of a server. It asks `api/model` and `api/predict`, of the host that it came from.
pub(crate) fn html(model: &Model) -> String {
    file(&title(model), "'self'", "")
}

/// The page with the network inside, which needs no server.
pub(crate) fn alone(model: &Model) -> String {
    let data = script("application/json\" id=\"model", &escaped(&network(model).to_string()));
    file(&title(model), "'none'", &data)
}

fn title(model: &Model) -> String {
    card(model)["name"].as_str().unwrap_or_default().to_owned()
}

/// The file. `connect` is what its scripts may talk to, `data` is markup.
fn file(title: &str, connect: &str, data: &str) -> String {
    let scripts = [&NETWORK[..], &PAGE].map(|parts| format!("\"use strict\";\n{}", parts.concat()));
    let source = |text: &String| format!("'sha256-{}'", base64(&sha256(text.as_bytes())));
    let policy = format!(
        "default-src 'none'; script-src {}; style-src {}; img-src data:; connect-src {connect}; \
         base-uri 'none'; form-action 'none'",
        scripts.each_ref().map(source).join(" "),
        source(&STYLE.to_owned()),
    );
    let [network, page] = scripts.map(|text| script("text/javascript", &text));
    [
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
        "<meta http-equiv=\"Content-Security-Policy\" content=\"",
        &policy,
        "\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
        "<meta name=\"color-scheme\" content=\"light dark\">\n<title>",
        &markup(title),
        "</title>\n<link rel=\"icon\" href=\"",
        ICON,
        "\">\n<style>",
        STYLE,
        "</style>\n</head>\n<body>\n",
        BODY,
        data,
        &network,
        &page,
        "</body>\n</html>\n",
    ]
    .concat()
}

fn script(kind: &str, text: &str) -> String {
    format!("<script type=\"{kind}\">{text}</script>\n")
}

/// JSON that neither ends nor opens an element: `<` is in texts alone, which may escape it.
fn escaped(json: &str) -> String {
    json.replace('<', "\\u003c")
}

/// What `network.js` reads: the card, and everything that the arithmetic needs. Weights are
/// base64 of `f32`, little-endian: W and b of each layer, W row-major, rows × inputs.
fn network(model: &Model) -> serde_json::Value {
    let network = &model.network;
    let (mut layers, mut bytes) = (Vec::new(), Vec::new());
    while let Some((weights, biases)) = network.layer(layers.len()) {
        let rows = biases.len();
        layers.push(json!({ "inputs": weights.len() / rows.max(1), "rows": rows }));
        for value in weights.iter().chain(&biases) {
            bytes.extend(value.to_le_bytes());
        }
    }
    let output = match network.head() {
        Head::Softmax => json!({ "kind": "classes" }),
        Head::Logistic => json!({ "kind": "yes-no" }),
        Head::Multilabel => json!({ "kind": "labels" }),
        _ => {
            let target = model.columns().and_then(Columns::target);
            let standard = target.and_then(|target| target.standard).unwrap_or(Standard::NONE);
            let Standard { mean, deviation } = standard;
            json!({ "kind": "values", "mean": mean, "deviation": deviation })
        }
    };
    let form = model.image();
    // Columns that have one more feature, for missing cells.
    let marked = model
        .columns()
        .map(|columns| columns.columns().iter().map(|column| column.missing).collect::<Vec<_>>());
    // As `augment::Prepared` does it.
    let deskew = model.deskew.map(|Deskew { pixel_scale, .. }| {
        let bytes = form.is_some_and(|form| !form.real) && pixel_scale == PIXEL_SCALE;
        if bytes { "bytes" } else { "features" }
    });
    json!({
        "card": card(model),
        "form": form,
        "marked": marked,
        "pixelScale": network.pixel_scale(),
        "deskew": deskew,
        "output": output,
        "layers": layers,
        "weights": base64(&bytes),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A script that had one of these would end too early, or not at all.
    #[test]
    fn parts_keep_within_their_elements() {
        for text in NETWORK.iter().chain(&PAGE) {
            for end in ["</script", "<!--", "<script"] {
                assert!(!text.to_lowercase().contains(end), "{end}");
            }
        }
        assert!(!STYLE.contains("</"));
        assert!(!BODY.contains(" style=") && !BODY.contains(" onclick="), "its policy forbids it");
    }

    #[test]
    fn texts_are_no_markup() {
        let page = file("</title><b>&amp;", "'none'", "");
        assert!(
            page.contains("<title>&lt;/title&gt;&lt;b&gt;&amp;amp;</title>"),
            "{}",
            &page[..2000]
        );
        let text = json!({ "name": "</script><!--" }).to_string();
        assert_eq!(escaped(&text), r#"{"name":"\u003c/script>\u003c!--"}"#);
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&escaped(&text)).unwrap()["name"],
            "</script><!--"
        );
    }
}
