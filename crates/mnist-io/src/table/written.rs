//! A number as it is written, with something between its thousands or not.

use super::marks::DecimalMark;

/// A number, and what its marks can be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Written {
    /// A number without marks.
    Plain(f64),
    /// A number that shows its decimal mark: `1.5` a point, `1.234.567` a comma.
    Shows { decimal: DecimalMark, value: f64, grouped: bool },
    /// A number such as `1.234`, whose mark may be the decimal one or not.
    Open { mark: DecimalMark, decimal: f64, thousands: f64 },
}

impl Written {
    /// The number in a cell; `None` if there is none.
    pub(crate) fn of(cell: &[u8]) -> Option<Self> {
        let text = str::from_utf8(cell.trim_ascii()).ok()?;
        let grouped = Grouped::of(text);
        let part = |byte: u8| byte.is_ascii_digit() || b".,eE+-".contains(&byte);
        let mut marks = text.bytes().filter_map(DecimalMark::of);
        let (mark, more) = (marks.next(), marks.next().is_some());
        let value = if text.bytes().all(part) && !more {
            text.replace(',', ".").parse::<f64>().ok()
        } else {
            None
        };
        Some(match (value, grouped) {
            (Some(value), None) => match mark {
                None => Self::Plain(value),
                Some(decimal) => Self::Shows { decimal, value, grouped: false },
            },
            (Some(decimal), Some(Grouped { value: thousands, .. })) => {
                Self::Open { mark: mark?, decimal, thousands }
            }
            (None, Some(Grouped { value, decimal: Some(decimal), marked })) => {
                Self::Shows { decimal, value, grouped: marked }
            }
            (None, Some(Grouped { value, .. })) => Self::Plain(value),
            (None, None) => return None,
        })
    }
}

/// A number with something between its thousands.
struct Grouped {
    value: f64,
    /// The decimal mark that it shows.
    decimal: Option<DecimalMark>,
    /// Whether a point or a comma is between the thousands.
    marked: bool,
}

impl Grouped {
    /// The characters between thousands that are no decimal mark: apostrophes, and the spaces
    /// that do not break a line. Between two numbers would be a common space.
    const OTHERS: [char; 5] = ['\'', '\u{2019}', '\u{a0}', '\u{202f}', '\u{2009}'];

    /// One to three digits, of which the first is no zero, then groups of exactly three, then
    /// perhaps a fraction.
    fn of(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let first = digits(unsigned);
        let between = unsigned[first..].chars().next()?;
        let mark = u8::try_from(between).ok().and_then(DecimalMark::of);
        if !(1..=3).contains(&first)
            || unsigned.starts_with('0')
            || mark.is_none() && !Self::OTHERS.contains(&between)
        {
            return None;
        }
        let sign = if text.starts_with('-') { "-" } else { "" };
        let mut plain = format!("{sign}{}", &unsigned[..first]);
        let (mut rest, mut groups) = (&unsigned[first..], 0);
        while let Some(group) = rest.strip_prefix(between) {
            if digits(group) != 3 {
                return None;
            }
            plain.push_str(&group[..3]);
            (rest, groups) = (&group[3..], groups + 1);
        }
        let fraction = rest.as_bytes().first().and_then(|byte| DecimalMark::of(*byte));
        if !rest.is_empty() {
            fraction?;
            if digits(&rest[1..]) + 1 != rest.len() {
                return None;
            }
            plain.push('.');
            plain.push_str(&rest[1..]);
        }
        let shown = mark.filter(|_| groups > 1 || fraction.is_some()).map(DecimalMark::other);
        Some(Self {
            value: plain.parse().ok()?,
            decimal: fraction.or(shown),
            marked: mark.is_some(),
        })
    }
}
