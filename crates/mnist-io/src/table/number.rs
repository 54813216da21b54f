//! What a cell says: a number, nothing, or text.

/// How a column writes the point of its numbers. A whole number says nothing of it, so
/// the first cell that has a point or a comma decides, and the others have to agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decimal {
    Unknown,
    Point,
    Comma,
}

impl Decimal {
    /// Where commas separate cells, no number has one.
    pub(crate) fn of_separator(separator: u8) -> Self {
        if separator == b',' { Self::Point } else { Self::Unknown }
    }
}

/// What a cell says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell {
    /// A finite number.
    Number(f64),
    /// Nothing, in one of the words for it.
    Missing,
    /// `inf`, or a number that is larger than every f32.
    Infinite,
    /// Something else.
    Text,
}

/// Words for a value that is not there, in lower case: those of pandas, R, Excel, SQL,
/// Python and the UCI repository.
const MISSING: [&str; 8] = ["", "?", "na", "nan", "n/a", "#n/a", "null", "none"];

/// The longest text of a number that [`short`] reads: 15 digits and a point. A whole
/// number of 15 digits is exact in an f64.
const SHORT: usize = 16;

const POWERS: [f64; SHORT] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// What `cell` says, without the white space around it. `decimal` is that of its column.
#[inline]
pub(crate) fn read(cell: &[u8], decimal: &mut Decimal) -> Cell {
    match short(cell, decimal) {
        Some(value) => Cell::Number(value),
        None => read_any(cell.trim_ascii(), decimal),
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
fn short(cell: &[u8], decimal: &mut Decimal) -> Option<f64> {
    let (negative, digits) = match cell {
        [b'-', digits @ ..] => (true, digits),
        _ => (false, cell),
    };
    if digits.is_empty() || digits.len() > SHORT {
        return None;
    }
    let (mut mantissa, mut point) = (0_i64, None);
    for (index, byte) in digits.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            mantissa = mantissa * 10 + i64::from(digit);
        } else if point.is_none() && agrees(*byte, decimal) {
            point = Some(index);
        } else {
            return None;
        }
    }
    let value = match point {
        None if digits.len() == SHORT => return None,
        None => mantissa as f64,
        Some(_) if digits.len() == 1 => return None,
        Some(index) => {
            // Only a number decides for its column.
            *decimal = if digits[index] == b',' { Decimal::Comma } else { Decimal::Point };
            mantissa as f64 / POWERS[digits.len() - 1 - index]
        }
    };
    Some(if negative { -value } else { value })
}

/// Whether `byte` can be the point of a number in this column.
#[inline]
fn agrees(byte: u8, decimal: &Decimal) -> bool {
    match byte {
        b'.' => *decimal != Decimal::Comma,
        b',' => *decimal != Decimal::Point,
        _ => false,
    }
}

#[cold]
fn read_any(cell: &[u8], decimal: &mut Decimal) -> Cell {
    if let Some(value) = short(cell, decimal) {
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
    let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'.' | b',' | b'e' | b'E' | b'+' | b'-');
    if !unsigned.iter().all(is_part) {
        return Cell::Text;
    }
    let found = unsigned.iter().copied().find(|byte| matches!(byte, b'.' | b','));
    if found.is_some_and(|byte| !agrees(byte, decimal)) {
        return Cell::Text;
    }
    let Ok(text) = str::from_utf8(cell) else { return Cell::Text };
    let value = match found {
        // A second mark is not replaced, so the text is then no number.
        Some(b',') => text.replacen(',', ".", 1).parse::<f64>(),
        _ => text.parse(),
    };
    let Ok(value) = value else { return Cell::Text };
    match found {
        Some(b',') => *decimal = Decimal::Comma,
        Some(_) => *decimal = Decimal::Point,
        None => {}
    }
    if (value as f32).is_finite() { Cell::Number(value) } else { Cell::Infinite }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_in(cell: &str, mut decimal: Decimal) -> Cell {
        read(cell.as_bytes(), &mut decimal)
    }

    #[test]
    fn words() {
        for cell in ["", " ", "?", "NA", "na", "NaN", "nan", "N/A", "#N/A", "null", "None", " NA\t"]
        {
            assert_eq!(read_in(cell, Decimal::Unknown), Cell::Missing, "{cell:?}");
        }
        for cell in ["inf", "-Inf", "+INFINITY", "1e39", "-1e400"] {
            assert_eq!(read_in(cell, Decimal::Unknown), Cell::Infinite, "{cell:?}");
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
            "1,234.5",
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
            assert_eq!(read_in(cell, Decimal::Unknown), Cell::Text, "{cell:?}");
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
            assert_eq!(read_in(cell, Decimal::Unknown), Cell::Number(value), "{cell:?}");
        }
    }

    #[test]
    fn the_first_point_or_comma_decides() {
        let mut decimal = Decimal::Unknown;
        for (cell, expected, after) in [
            ("7", Cell::Number(7.0), Decimal::Unknown),
            ("a,b", Cell::Text, Decimal::Unknown),
            ("1,x", Cell::Text, Decimal::Unknown),
            ("7,5", Cell::Number(7.5), Decimal::Comma),
            ("7.5", Cell::Text, Decimal::Comma),
            ("1.5e300", Cell::Text, Decimal::Comma),
            ("8", Cell::Number(8.0), Decimal::Comma),
        ] {
            assert_eq!((read(cell.as_bytes(), &mut decimal), decimal), (expected, after), "{cell}");
        }
        let mut decimal = Decimal::of_separator(b',');
        assert_eq!(read(b"7,5", &mut decimal), Cell::Text);
        assert_eq!(Decimal::of_separator(b';'), Decimal::Unknown);
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
            prop_assert_eq!(read_in(&text, Decimal::Unknown), expected);
            prop_assert_eq!(read_in(&text.replace('.', ","), Decimal::Unknown), expected);
            prop_assert_eq!(read_in(&format!(" {text} "), Decimal::Point), expected);
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
            prop_assert_eq!(read_in(&value.to_string(), Decimal::Unknown), expected);
        }
    }
}
