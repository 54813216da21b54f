//! The page of a run.

mod calibration;
mod classes;
mod curves;
mod layers;
mod run;
mod samples;
mod values;

use super::facts::Facts;
use super::findings::{Findings, Judged};
use super::html::{Html, page as whole, short};
use crate::summary::VERSION;
use crate::words::{self, percent};

/// The report of a run. Without findings, which need the network and the data, `missing` says
/// why there are none.
pub(crate) fn page(facts: &Facts, findings: Result<&Findings, &str>) -> String {
    let name = short(&facts.name());
    whole(&format!("{name}: report of a run"), |html| {
        html.tag("header", &[], |html| {
            html.line("p", "kind", "Report of a run");
            html.line("h1", "", &name);
            run::headline(html, facts);
            run::tiles(html, facts, findings.ok());
        });
        run::notes(html, facts, findings.err());
        contents(html, facts, findings.ok());
        html.section("run", "What was run", |html| run::what(html, facts));
        if !facts.epochs.is_empty() {
            html.section("curves", "Curves", |html| curves::write(html, facts));
        }
        if let Ok(findings) = findings {
            judged(html, findings);
            if let Some(doubtful) = &findings.doubtful {
                let heading = "Labels that may be wrong";
                html.section("labels", heading, |html| samples::doubtful(html, doubtful));
            }
            html.section("network", "Inside the network", |html| layers::write(html, findings));
        }
        html.section("time", "Time", |html| run::time(html, facts));
        footer(html, facts);
    })
}

/// What the network makes of samples that it is judged by.
fn judged(html: &mut Html, findings: &Findings) {
    if let Some(found) = &findings.classes {
        let samples = findings.judged.samples();
        html.section("classes", "Each class", |html| {
            classes::basis(html, findings);
            classes::write(html, found);
        });
        html.section("calibration", "Calibration", |html| {
            calibration::write(html, found, samples);
        });
        html.section("mistakes", "Most confident mistakes", |html| {
            samples::mistakes(html, found, samples);
        });
    }
    if let Some(found) = &findings.values {
        html.section("values", "Predicted and true values", |html| {
            classes::basis(html, findings);
            values::write(html, found);
        });
        html.section("mistakes", "Largest errors", |html| values::worst(html, found));
    }
}

/// Links to the sections.
fn contents(html: &mut Html, facts: &Facts, findings: Option<&Findings>) {
    let mut links = vec![("#run", "Run")];
    links.extend((!facts.epochs.is_empty()).then_some(("#curves", "Curves")));
    if let Some(findings) = findings {
        if findings.classes.is_some() {
            links.extend([("#classes", "Classes"), ("#calibration", "Calibration")]);
            links.push(("#mistakes", "Mistakes"));
        }
        if findings.values.is_some() {
            links.extend([("#values", "Values"), ("#mistakes", "Errors")]);
        }
        links.extend(findings.doubtful.as_ref().map(|_| ("#labels", "Labels")));
        links.push(("#network", "Network"));
    }
    links.push(("#time", "Time"));
    html.tag("nav", &[("aria-label", "Sections")], |html| {
        for (to, name) in links {
            html.tag("a", &[("href", to)], |html| html.text(name));
        }
    });
}

fn footer(html: &mut Html, facts: &Facts) {
    html.tag("footer", &[], |html| {
        let tested = match facts.is_tested() {
            true => " The test samples were used once, at the end of the run.",
            false => "",
        };
        let again = " To write it again: trainer report RUN";
        html.line("p", "", format!("Written by trainer {VERSION}.{tested}{again}"));
    });
}

/// A share, or a dash where it is not known.
fn share(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), percent)
}

/// A figure, or a dash where it is not known.
fn figure(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), super::chart::figure)
}

/// A whole number with gaps between thousands.
fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) && digits.len() > 4 {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A time for people.
fn time_taken(seconds: f64) -> String {
    match seconds {
        s if s < 0.0 || !s.is_finite() => "–".to_owned(),
        s if s < 10.0 => format!("{s:.2} s"),
        s if s < 100.0 => format!("{s:.1} s"),
        s => words::duration(s as u64),
    }
}

/// Pairs of a name and what it is.
fn pairs<'a>(html: &mut Html, pairs: impl IntoIterator<Item = (&'a str, String)>) {
    html.tag("dl", &[], |html| {
        for (name, value) in pairs {
            html.tag("div", &[], |html| {
                html.line("dt", "", name);
                html.line("dd", "", value);
            });
        }
    });
}

impl Findings {
    /// What the figures were found on, in a sentence.
    fn basis(&self) -> String {
        let samples = format!("{} {}", grouped(self.evaluation.samples), self.judged.samples());
        match self.judged {
            Judged::Test => format!("On the {samples}, which the run did not see before its end."),
            Judged::HeldOut => {
                format!("On the {samples}, because the run was not tested.")
            }
            Judged::Training => format!(
                "On {samples}, because the run was not tested and held none out: samples that it \
                 has not seen have more mistakes."
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        for (count, expected) in [
            (0, "0"),
            (9999, "9999"),
            (10_000, "10\u{202f}000"),
            (1_234_567, "1\u{202f}234\u{202f}567"),
        ] {
            assert_eq!(grouped(count), expected);
        }
        for (seconds, expected) in [
            (2.345, "2.35 s"),
            (59.94, "59.9 s"),
            (100.0, "1m 40s"),
            (7380.0, "2h 03m"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(time_taken(seconds), expected);
        }
    }
}
