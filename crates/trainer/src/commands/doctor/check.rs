//! One thing that was looked at, and what was found.

use serde::Serialize;

/// How well it is. The last is the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Mark {
    Ok,
    /// It works, and could be better.
    Warn,
    Fail,
}

/// A line of the doctor.
#[derive(Debug, Serialize)]
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) mark: Mark,
    /// What was found.
    pub(super) text: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) advice: Option<String>,
}

/// Columns of a terminal, and of mark and name.
const WIDTH: usize = 80;
const INDENT: usize = 21;

impl Check {
    pub(super) fn ok(name: &'static str, text: impl Into<String>) -> Self {
        Self { name, mark: Mark::Ok, text: text.into(), advice: None }
    }

    pub(super) fn warn(
        name: &'static str,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { name, mark: Mark::Warn, text: text.into(), advice: Some(advice.into()) }
    }

    pub(super) fn fail(
        name: &'static str,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { name, mark: Mark::Fail, text: text.into(), advice: Some(advice.into()) }
    }

    /// For a terminal: the mark, the name, what was found, and below it what to do.
    pub(super) fn lines(&self) -> String {
        let mark = match self.mark {
            Mark::Ok => "ok",
            Mark::Warn => "warn",
            Mark::Fail => "FAIL",
        };
        let mut text = format!("{mark:<6}{:<15}{}", self.name, wrapped(&self.text));
        if let Some(advice) = &self.advice {
            text += &format!("\n{:INDENT$}{}", "", wrapped(advice));
        }
        text
    }
}

/// The text in lines that begin below each other. A word that is too long has its own.
fn wrapped(text: &str) -> String {
    let mut lines = String::new();
    let mut column = INDENT;
    for (i, word) in text.split_whitespace().enumerate() {
        let len = word.chars().count();
        if i == 0 {
            // The first word begins the line, however long it is.
        } else if column + 1 + len > WIDTH {
            lines += &format!("\n{:INDENT$}", "");
            column = INDENT;
        } else {
            lines.push(' ');
            column += 1;
        }
        lines += word;
        column += len;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_into_a_terminal() {
        let check = Check::warn("threads", "word ".repeat(30), "a/path/without/spaces".repeat(5));
        let lines = check.lines();
        let lines: Vec<_> = lines.lines().collect();
        assert!(lines[0].starts_with("warn  threads        word word"), "{lines:?}");
        assert_eq!(lines.len(), 4);
        assert!(lines[..3].iter().all(|line| line.len() <= WIDTH && !line.ends_with(' ')));
        assert!(lines[1..].iter().all(|line| line.starts_with(&" ".repeat(INDENT))));
        assert_eq!(Check::ok("cpu", "a").lines(), "ok    cpu            a");
        assert!(Mark::Fail > Mark::Warn && Mark::Warn > Mark::Ok);
    }
}
