//! What a cell says: a number, nothing, or text.

use super::marks::{DecimalMark, Marks};
use super::short::{MOST, Short};
use super::written::Written;

/// What a cell says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell {
    /// A finite number.
    Number(f64),
    /// A finite number after which more is known of the marks than before.
    Marked(f64),
    /// A number whose marks contradict those of others.
    Contrary,
    /// Nothing, in one of the words for it.
    Missing,
    /// `inf`, or a number that is larger than every f32.
    Infinite,
    /// Something else.
    Text,
}

impl Cell {
    pub(crate) fn number(self) -> Option<f64> {
        match self {
            Self::Number(value) | Self::Marked(value) => Some(value),
            _ => None,
        }
    }
}

/// Words for a value that is not there, in lower case: those of pandas, R, Excel, SQL,
/// Python and the UCI repository.
const MISSING: [&str; 8] = ["", "?", "na", "nan", "n/a", "#n/a", "null", "none"];

const POWERS: [f64; MOST] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// What `cell` says, without the white space around it. `marks` are those of the numbers
/// before it.
#[inline]
pub(crate) fn read(cell: &[u8], marks: &mut Marks) -> Cell {
    match short(cell, marks) {
        Some(value) => Cell::Number(value),
        None => read_any(cell.trim_ascii(), marks),
    }
}

/// Whether `cell`, which has no white space around it, says that there is no value.
pub(crate) fn is_missing(cell: &[u8]) -> bool {
    MISSING.iter().any(|word| cell.eq_ignore_ascii_case(word.as_bytes()))
}

/// A number of few digits without an exponent, as most are. A whole number below 2⁵³
/// divided by an exact power of ten is rounded once, so the result is the f64 that is
/// nearest to the text.
#[inline]
pub(crate) fn short(cell: &[u8], marks: &Marks) -> Option<f64> {
    let negative = cell.first() == Some(&b'-');
    let digits = &cell[usize::from(negative)..];
    // No digit, and no mark either.
    let decimal = marks.decimal().map_or(0, DecimalMark::byte);
    let Short { whole, mark } = Short::of(digits, decimal)?;
    let mut value = whole as f64;
    if mark < digits.len() {
        if !marks.expects(digits, mark) {
            return None;
        }
        value /= POWERS[digits.len() - 1 - mark];
    }
    // Signs are as random as digits, and a branch would be guessed wrong.
    Some(f64::from_bits(value.to_bits() | u64::from(negative) << 63))
}

#[cold]
fn read_any(cell: &[u8], marks: &mut Marks) -> Cell {
    if let Some(value) = short(cell, marks) {
        return Cell::Number(value);
    }
    if is_missing(cell) {
        return Cell::Missing;
    }
    let unsigned = match cell {
        [b'-' | b'+', rest @ ..] => rest,
        _ => cell,
    };
    let infinite = [&b"inf"[..], b"infinity"];
    if infinite.iter().any(|word| unsigned.eq_ignore_ascii_case(word)) {
        return Cell::Infinite;
    }
    // Most texts end here.
    if !unsigned.first().is_some_and(|byte| byte.is_ascii_digit() || b".,".contains(byte)) {
        return Cell::Text;
    }
    let Some(number) = Written::of(cell) else { return Cell::Text };
    match marks.take(&number) {
        Cell::Number(value) | Cell::Marked(value) if !(value as f32).is_finite() => Cell::Infinite,
        said => said,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_in(cell: &str, mut marks: Marks) -> Cell {
        match read(cell.as_bytes(), &mut marks) {
            Cell::Marked(value) => Cell::Number(value),
            said => said,
        }
    }

    #[test]
    fn words() {
        for cell in ["", " ", "?", "NA", "na", "NaN", "nan", "N/A", "#N/A", "null", "None", " NA\t"]
        {
            assert_eq!(read_in(cell, Marks::UNKNOWN), Cell::Missing, "{cell:?}");
        }
        for cell in ["inf", "-Inf", "+INFINITY", "1e39", "-1e400"] {
            assert_eq!(read_in(cell, Marks::UNKNOWN), Cell::Infinite, "{cell:?}");
        }
        for cell in [
            ".",
            "-",
            "+",
            "-.",
            "e",
            "1e",
            "1.2.3",
            "1,2,3",
            "1_000",
            "0x10",
            "1 2",
            "5%",
            "--1",
            "true",
            "2024-01-01",
            "infinit",
            "nano",
            ",",
            "1.2,3",
            "\u{2212}5",
        ] {
            assert_eq!(read_in(cell, Marks::UNKNOWN), Cell::Text, "{cell:?}");
        }
        for (cell, value) in [
            ("5.1", 5.1),
            ("-0.25", -0.25),
            ("+3", 3.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("1e3", 1e3),
            ("1.5E-3", 1.5e-3),
            ("3,15", 3.15),
            ("-3,5e2", -350.0),
            (" 7 ", 7.0),
            ("123456789012345678901234567890", 123456789012345678901234567890.0),
            ("9007199254740993", 9007199254740993.0),
            ("0,1234567890123456", 0.1234567890123456),
        ] {
            assert_eq!(read_in(cell, Marks::UNKNOWN), Cell::Number(value), "{cell:?}");
        }
    }

    #[test]
    fn the_first_number_that_shows_its_mark_decides() {
        use DecimalMark::{Comma, Point};
        let mut marks = Marks::UNKNOWN;
        for (cell, expected, decimal, open) in [
            ("7", Cell::Number(7.0), None, false),
            ("a,b", Cell::Text, None, false),
            ("1,x", Cell::Text, None, false),
            ("7,543", Cell::Marked(7.543), Some(Comma), true),
            ("17,543", Cell::Number(17.543), Some(Comma), true),
            ("1.543", Cell::Contrary, Some(Comma), true),
            ("7,5", Cell::Marked(7.5), Some(Comma), false),
            ("1.543", Cell::Number(1543.0), Some(Comma), false),
            ("7.5", Cell::Contrary, Some(Comma), false),
            ("1.5e300", Cell::Contrary, Some(Comma), false),
            ("8", Cell::Number(8.0), Some(Comma), false),
        ] {
            assert_eq!(read(cell.as_bytes(), &mut marks), expected, "{cell}");
            assert_eq!((marks.decimal(), marks.is_open()), (decimal, open), "{cell}");
        }
        assert!(marks.grouped);
        let mut marks = Marks::of_separator(b',');
        assert_eq!(read(b"7,5", &mut marks), Cell::Text);
        assert_eq!(read(b"7,500", &mut marks), Cell::Number(7500.0));
        assert_eq!(Marks::of_separator(b';'), Marks::UNKNOWN);
        // What is assumed holds until a number shows something else.
        let mut marks = Marks::assuming(Some(Comma));
        assert_eq!(read(b"1.543", &mut marks), Cell::Marked(1543.0));
        assert_eq!(read(b"1,543", &mut marks), Cell::Number(1.543));
        assert_eq!(read(b"1.5", &mut marks), Cell::Contrary);
        let mut marks = Marks::assuming(Some(Comma));
        assert_eq!(read(b"1.5", &mut marks), Cell::Marked(1.5));
        assert_eq!(marks.decimal(), Some(Point));
    }

    #[test]
    fn thousands() {
        for (cell, value) in [
            ("1.234.567", 1_234_567.0),
            ("-1.234.567,25", -1_234_567.25),
            ("1,234.5", 1234.5),
            ("1,234,567", 1_234_567.0),
            ("12,345.", 12_345.0),
            ("1'234", 1234.0),
            ("1\u{2019}234.5", 1234.5),
            ("1\u{a0}234,5", 1234.5),
            ("12\u{202f}345\u{202f}678", 12_345_678.0),
            ("+1\u{2009}234", 1234.0),
        ] {
            assert_eq!(read_in(cell, Marks::UNKNOWN), Cell::Number(value), "{cell:?}");
        }
        for cell in [
            "1,23,456",
            "1.2345.678",
            "1234.567.890",
            "0.123.456",
            "1.234,567.8",
            "1,234,5",
            "1 234",
            "1'23",
            "1'234'",
            "1'234.5.6",
            ".123.456",
            "1.234.56",
            "1,234e5,6",
            "1.234.567e3",
        ] {
            assert_eq!(read_in(cell, Marks::UNKNOWN), Cell::Text, "{cell:?}");
        }
        // Not three digits, or too many before them: fractions.
        for (cell, value) in [("0.123", 0.123), ("1234.567", 1234.567), ("1.2345", 1.2345)] {
            assert_eq!(read(cell.as_bytes(), &mut { Marks::UNKNOWN }), Cell::Marked(value));
            let mut marks = Marks::shown(DecimalMark::Comma);
            assert_eq!(read(cell.as_bytes(), &mut marks), Cell::Contrary);
        }
    }

    proptest! {
        /// Digits, signs and marks in any order: what the standard library says of them.
        #[test]
        fn as_the_standard_library(text in "[-+]?[0-9]{0,18}[.]?[0-9]{0,18}([eE][-+]?[0-9]{1,2})?[0-9.+-]?") {
            let expected = match text.parse::<f64>() {
                Ok(value) if (value as f32).is_infinite() => Cell::Infinite,
                Ok(value) => Cell::Number(value),
                Err(_) if text.is_empty() => Cell::Missing,
                Err(_) => Cell::Text,
            };
            prop_assert_eq!(read_in(&text, Marks::UNKNOWN), expected);
            prop_assert_eq!(read_in(&text.replace('.', ","), Marks::UNKNOWN), expected);
            prop_assert_eq!(read_in(&format!(" {text} "), Marks::shown(DecimalMark::Point)), expected);
        }

        /// To the bit, the sign of a zero too.
        #[test]
        fn short_numbers_are_exact(text in "-?[0-9]{1,15}|-?[0-9]{0,8}[.][0-9]{0,7}|-?0{1,9}[.]?0{0,5}", comma in any::<bool>()) {
            let expected = text.parse::<f64>().ok().map(f64::to_bits);
            let (cell, mark) = match comma {
                true => (text.replace('.', ","), DecimalMark::Comma),
                false => (text, DecimalMark::Point),
            };
            let found = short(cell.as_bytes(), &Marks::shown(mark)).map(f64::to_bits);
            prop_assert_eq!(found, expected);
            // Another mark is none.
            let other = short(cell.as_bytes(), &Marks::shown(mark.other()));
            prop_assert_eq!(other.is_some(), !cell.contains(['.', ',']));
        }

        #[test]
        fn any_number_is_read_back(value in any::<f32>()) {
            let expected = if value.is_nan() {
                Cell::Missing
            } else if value.is_infinite() {
                Cell::Infinite
            } else {
                Cell::Number(value.to_string().parse().unwrap())
            };
            prop_assert_eq!(read_in(&value.to_string(), Marks::UNKNOWN), expected);
        }
    }
}
