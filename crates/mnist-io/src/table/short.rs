//! Digits with a decimal mark among them or none, as most numbers of most tables are
//! written, read eight at a time.
//!
//! The mark is taken out of the text, and the digits are moved to the end of a word or of
//! two, after zeros. So their number decides no branch.

use super::word;

/// The longest text: 15 digits and a mark. A whole number of 15 digits is exact in an f64.
pub(crate) const MOST: usize = 16;

const WORD: usize = word::BYTES;

/// Eight digits 0, twice.
const ZEROS: u128 = u128::MAX / 255 * b'0' as u128;

/// Digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Short {
    /// The number that they write without the mark, of at most 15 digits.
    pub(crate) whole: i64,
    /// The position of the mark; the length of the text if there is none.
    pub(crate) mark: usize,
}

impl Short {
    /// The digits in `text`. `None` if there are none or too many, or something else is
    /// there than digits and one `mark`.
    #[inline]
    pub(crate) fn of(text: &[u8], mark: u8) -> Option<Self> {
        match text.len() {
            1..=WORD => Self::of_word(text, mark),
            ..=MOST => Self::of_two(text, mark),
            _ => None,
        }
    }

    #[inline]
    fn of_word(text: &[u8], mark: u8) -> Option<Self> {
        let len = text.len();
        let word = word::load(text);
        let mark = first(word::equal(word, mark)).min(len);
        let (word, count) = if mark < len {
            let before = (1 << (8 * mark)) - 1;
            (word & before | word >> 8 & !before, len - 1)
        } else {
            (word, len)
        };
        if count == 0 {
            return None;
        }
        let whole = word::digits((word ^ ZEROS as u64) << (8 * (WORD - count)))?;
        Some(Self { whole: whole as i64, mark })
    }

    #[inline(never)]
    fn of_two(text: &[u8], mark: u8) -> Option<Self> {
        let len = text.len();
        let (start, end) = (*text.first_chunk()?, *text.last_chunk()?);
        let [start, end] = [start, end].map(u64::from_le_bytes);
        let end = end.checked_shr(8 * (2 * WORD - len) as u32)?;
        let words = u128::from(start) | u128::from(end) << 64;
        let marks = [start, end].map(|word| word::equal(word, mark));
        let mark = if marks[0] == 0 { WORD + first(marks[1]) } else { first(marks[0]) }.min(len);
        let (words, count) = if mark < len {
            let before = (1 << (8 * mark)) - 1;
            (words & before | words >> 8 & !before, len - 1)
        } else {
            (words, len)
        };
        if count == MOST {
            return None;
        }
        let words = (words ^ ZEROS) << (8 * (2 * WORD - count));
        let whole = word::digits(words as u64)? * 100_000_000 + word::digits((words >> 64) as u64)?;
        Some(Self { whole: whole as i64, mark })
    }
}

/// The index of the first byte whose upper bit is set, or eight.
#[inline]
fn first(high: u64) -> usize {
    high.trailing_zeros() as usize / 8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// One byte after the other.
    fn plainly(text: &[u8], mark: u8) -> Option<Short> {
        let is_mark = |byte: &u8| *byte == mark;
        let position = text.iter().position(is_mark).unwrap_or(text.len());
        let digits: Vec<u8> =
            text.iter().enumerate().filter(|(at, _)| *at != position).map(|(_, b)| *b).collect();
        let few = (1..MOST).contains(&digits.len());
        if !few || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let whole = String::from_utf8(digits).unwrap().parse().unwrap();
        Some(Short { whole, mark: position })
    }

    #[test]
    fn every_length_and_position() {
        for len in 0..=20 {
            let text: Vec<u8> = (0..len).map(|at| b'1' + (at % 9) as u8).collect();
            assert_eq!(Short::of(&text, b'.'), plainly(&text, b'.'), "{text:?}");
            for at in 0..len {
                for byte in 0..=u8::MAX {
                    let mut text = text.clone();
                    text[at] = byte;
                    for mark in [b'.', b',', 0] {
                        assert_eq!(Short::of(&text, mark), plainly(&text, mark), "{text:?}");
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn as_byte_by_byte(text in "[0-9.]{1,18}|[0-9]{0,9}[.][0-9]{0,9}|.{0,6}") {
            prop_assert_eq!(Short::of(text.as_bytes(), b'.'), plainly(text.as_bytes(), b'.'));
        }
    }
}
