//! What the cells of a column of texts look like.

use super::marks::Marks;
use super::number::read;
use super::written::Written;

/// What the cells of a column look like that has texts. Of a column with very many different
/// texts, most of which are neither, only the first cells are counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Looks {
    /// The number of cells that are numbers.
    pub numbers: u64,
    /// The number of cells that are dates.
    pub dates: u64,
    /// The number of cells that are a number with [`unit`](Self::unit).
    pub with_unit: u64,
    /// The first unit or currency sign beside a number, such as `€` in `540 €`.
    pub unit: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Number,
    Date,
    Unit,
    Other,
}

/// Counts how cells look.
pub(crate) struct Counter {
    looks: Looks,
    marks: Marks,
    /// How each value of the dictionary looks.
    known: Vec<Look>,
    cells: u64,
    stopped: bool,
}

impl Counter {
    pub(crate) fn new(marks: Marks) -> Self {
        let (looks, known) = (Looks::default(), Vec::new());
        Self { looks, marks, known, cells: 0, stopped: false }
    }

    /// Counts a cell that is the value at `index` of the dictionary; whether it is a number.
    pub(crate) fn add(&mut self, index: u32, cell: &[u8]) -> bool {
        if self.known.len() == index as usize {
            let look = self.look(cell);
            self.known.push(look);
        }
        let look = self.known[index as usize];
        self.count(look);
        look == Look::Number
    }

    /// Counts a cell that the dictionary has no room for.
    pub(crate) fn add_beyond(&mut self, cell: &[u8]) {
        let Looks { numbers, dates, with_unit, .. } = self.looks;
        // Names and sentences, which are not looked at one by one.
        self.stopped |= 2 * (numbers + dates + with_unit) < self.cells;
        if !self.stopped {
            let look = self.look(cell);
            self.count(look);
        }
    }

    fn count(&mut self, look: Look) {
        self.cells += 1;
        match look {
            Look::Number => self.looks.numbers += 1,
            Look::Date => self.looks.dates += 1,
            Look::Unit => self.looks.with_unit += 1,
            Look::Other => {}
        }
    }

    fn look(&mut self, cell: &[u8]) -> Look {
        if read(cell, &mut self.marks.clone()).number().is_some() {
            return Look::Number;
        }
        let Ok(text) = str::from_utf8(cell) else { return Look::Other };
        if is_date(text) {
            return Look::Date;
        }
        match (unit(text), &self.looks.unit) {
            (Some(unit), Some(first)) if unit == first => Look::Unit,
            (Some(unit), None) => {
                self.looks.unit = Some(unit.to_owned());
                Look::Unit
            }
            _ => Look::Other,
        }
    }

    pub(crate) fn finish(self) -> Looks {
        self.looks
    }
}

/// Whether a text is a date, of which a time of day may follow: `2024-01-31`, `31.1.2024`,
/// `1/31/24`.
fn is_date(text: &str) -> bool {
    let (day, time) = match text.find(['T', ' ']) {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, "0"),
    };
    let separator = day.chars().find(|c| !c.is_ascii_digit());
    let Some(separator @ ('-' | '.' | '/')) = separator else { return false };
    let parts: Vec<&str> = day.splitn(4, separator).collect();
    let number = |part: &str| {
        let digits = part.len() <= 4 && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse::<u32>().ok()).flatten()
    };
    let [first, second, third] = parts[..] else { return false };
    let (Some(a), Some(b), Some(c)) = (number(first), number(second), number(third)) else {
        return false;
    };
    let month_and_day = |a: u32, b: u32| a.min(b) >= 1 && a.min(b) <= 12 && a.max(b) <= 31;
    let is_day = match (first.len(), second.len(), third.len()) {
        (4, 1 | 2, 1 | 2) => month_and_day(b, c),
        (1 | 2, 1 | 2, 2 | 4) => month_and_day(a, b),
        _ => false,
    };
    is_day && time.starts_with(|c: char| c.is_ascii_digit())
}

/// The unit or currency sign before or after a number.
fn unit(text: &str) -> Option<&str> {
    const LONGEST: usize = 4;
    // A long text is none.
    if text.len() > 40 {
        return None;
    }
    let first = text.find(|c: char| c.is_ascii_digit() || "+-.,".contains(c))?;
    let end = text.rfind(|c: char| c.is_ascii_digit())? + 1;
    let number = text.get(first..end)?;
    let (before, after) = (text[..first].trim(), text[end..].trim());
    let unit = match (before, after) {
        ("", unit) => unit,
        // `t12` is a name.
        (unit, "") if unit.chars().all(|c| !c.is_alphanumeric()) || unit.len() == 3 => unit,
        _ => return None,
    };
    let is_unit = !unit.is_empty() && unit.chars().count() <= LONGEST;
    (is_unit && !unit.contains(char::is_whitespace) && Written::of(number.as_bytes()).is_some())
        .then_some(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for text in [
            "2024-01-31",
            "2024-1-3T10:00",
            "31.12.2024",
            "1/31/24",
            "12/1/2024 9:30",
            "2024/02/03",
        ] {
            assert!(is_date(text), "{text}");
        }
        for text in [
            "2024-13-31",
            "1.2.3",
            "127.0.0.1",
            "31.12",
            "0/1/2024",
            "2024-01-31 x",
            "-",
            "1.31-24",
        ] {
            assert!(!is_date(text), "{text}");
        }
    }

    #[test]
    fn units() {
        for (text, expected) in [
            ("540 €", Some("€")),
            ("$12", Some("$")),
            ("1.234,50 €", Some("€")),
            ("EUR 7", Some("EUR")),
            ("-5 kg", Some("kg")),
            ("5 %", Some("%")),
            ("t12", None),
            ("5", None),
            ("5 or 6", None),
            ("€", None),
            ("12 Main St", None),
        ] {
            assert_eq!(unit(text), expected, "{text}");
        }
    }
}
