//! HTML that is built by code: every element is closed, and every text that is not a part of
//! the program is escaped. It is well-formed XML too, but for its first line.

use crate::encode::push_markup;
use std::fmt::Display;

/// Characters of a text from outside that are shown, at most.
const LONGEST: usize = 80;

/// A document, or a part of one, while it is written.
#[derive(Default)]
pub(crate) struct Html(String);

impl Html {
    /// An element with attributes, whose values are escaped, and with what `inside` writes.
    pub(crate) fn tag(
        &mut self,
        name: &'static str,
        attributes: &[(&'static str, &str)],
        inside: impl FnOnce(&mut Self),
    ) {
        self.begin(name, attributes);
        self.0.push('>');
        inside(self);
        for part in ["</", name, ">"] {
            self.0.push_str(part);
        }
    }

    /// An element with nothing in it, such as `img`.
    pub(crate) fn void(&mut self, name: &'static str, attributes: &[(&'static str, &str)]) {
        self.begin(name, attributes);
        self.0.push_str("/>");
    }

    /// An element with a text in it.
    pub(crate) fn line(&mut self, name: &'static str, class: &'static str, text: impl Display) {
        let attributes = [("class", class)];
        let attributes: &[_] = if class.is_empty() { &[] } else { &attributes };
        self.tag(name, attributes, |html| html.text(text));
    }

    /// A text, escaped.
    pub(crate) fn text(&mut self, text: impl Display) {
        push_markup(&mut self.0, &text.to_string());
    }

    /// A table. `columns` are its heads, with their class: `n` for numbers, otherwise empty. The
    /// first cell of a row is its head.
    pub(crate) fn table(
        &mut self,
        caption: &str,
        columns: &[(&str, &'static str)],
        rows: impl IntoIterator<Item = Vec<String>>,
    ) {
        self.tag("div", &[("class", "scroll"), ("tabindex", "0")], |html| {
            html.tag("table", &[], |html| {
                html.line("caption", "", caption);
                html.tag("thead", &[], |html| {
                    html.tag("tr", &[], |html| {
                        for (head, class) in columns {
                            let attributes = [("scope", "col"), ("class", *class)];
                            html.tag("th", &attributes, |html| html.text(head));
                        }
                    });
                });
                html.tag("tbody", &[], |html| {
                    rows.into_iter().for_each(|row| html.row(columns, &row));
                });
            });
        });
    }

    fn row(&mut self, columns: &[(&str, &'static str)], cells: &[String]) {
        self.tag("tr", &[], |html| {
            for (at, (cell, (_, class))) in cells.iter().zip(columns).enumerate() {
                if at == 0 {
                    html.tag("th", &[("scope", "row"), ("class", class)], |html| html.text(cell));
                } else {
                    html.line("td", class, cell);
                }
            }
        });
    }

    /// What is shown when the reader asks for it.
    pub(crate) fn details(&mut self, summary: &str, inside: impl FnOnce(&mut Self)) {
        self.tag("details", &[], |html| {
            html.line("summary", "", summary);
            inside(html);
        });
    }

    /// A part of the page, with its heading. `id` is that of a link to it.
    pub(crate) fn section(
        &mut self,
        id: &'static str,
        heading: &str,
        inside: impl FnOnce(&mut Self),
    ) {
        let label = format!("{id}-heading");
        self.tag("section", &[("id", id), ("aria-labelledby", &label)], |html| {
            html.tag("h2", &[("id", &label)], |html| html.text(heading));
            inside(html);
        });
    }

    /// The part as text.
    #[cfg(test)]
    pub(crate) fn into_text(self) -> String {
        self.0
    }

    fn begin(&mut self, name: &'static str, attributes: &[(&'static str, &str)]) {
        self.0.push('<');
        self.0.push_str(name);
        for (name, value) in attributes {
            for part in [" ", name, "=\""] {
                self.0.push_str(part);
            }
            push_markup(&mut self.0, value);
            self.0.push('"');
        }
    }
}

/// What every page of the program begins with, by which it is known.
pub(crate) const MARK: &str = "<!DOCTYPE html>\n<!-- a report of trainer -->\n";

/// A page with its style. Nothing in it runs, and nothing is fetched: the policy forbids both.
pub(crate) fn page(title: &str, inside: impl FnOnce(&mut Html)) -> String {
    const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";
    let mut html = Html(MARK.to_owned());
    html.tag("html", &[("lang", "en")], |html| {
        html.tag("head", &[], |html| {
            html.void("meta", &[("charset", "utf-8")]);
            let policy = [("http-equiv", "Content-Security-Policy"), ("content", POLICY)];
            html.void("meta", &policy);
            let viewport =
                [("name", "viewport"), ("content", "width=device-width, initial-scale=1")];
            html.void("meta", &viewport);
            html.void("meta", &[("name", "color-scheme"), ("content", "light dark")]);
            html.line("title", "", title);
            // The style is a part of the program, and has nothing to escape.
            html.tag("style", &[], |html| html.0.push_str(include_str!("style.css")));
        });
        html.tag("body", &[], |html| html.tag("main", &[], inside));
    });
    html.0.push('\n');
    html.0
}

/// A text from outside as a word of the page: not too long, and on one line.
pub(crate) fn short(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_is_markup() {
        let mut html = Html::default();
        let hostile = "</td><script>alert('1' & \"2\")</script>\u{202e}\u{1b}[31m";
        html.tag("td", &[("title", hostile)], |html| html.text(hostile));
        let escaped = "&lt;/td&gt;&lt;script&gt;alert(&#39;1&#39; &amp; &quot;2&quot;)\
                       &lt;/script&gt;\u{fffd}\u{fffd}[31m";
        assert_eq!(html.into_text(), format!("<td title=\"{escaped}\">{escaped}</td>"));
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(short("früh"), "früh");
        assert_eq!(short(&"ü".repeat(80)), "ü".repeat(80));
        assert_eq!(short(&"ü".repeat(81)), "ü".repeat(79) + "…");
    }

    #[test]
    fn a_table_has_heads_of_rows_and_columns() {
        let mut html = Html::default();
        html.table("figures", &[("class", ""), ("F1", "n")], [vec!["a".into(), "1".into()]]);
        let text = html.into_text();
        for part in [
            "<caption>figures</caption>",
            "<th scope=\"col\" class=\"n\">F1</th>",
            "<th scope=\"row\" class=\"\">a</th>",
            "<td class=\"n\">1</td>",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
