//! Where the separators of a line are, found 64 bytes at a time.
//!
//! The length of a cell is random to a branch predictor. A bit for each byte of 64 makes of
//! eight branches that are guessed wrong one.

use super::word;

/// The bytes of a bit each.
const STRIDE: usize = 64;

/// Appends the positions of the separators in `line` to `ends`.
pub(crate) fn find(line: &[u8], separator: u8, ends: &mut Vec<usize>) {
    let (strides, rest) = line.as_chunks::<STRIDE>();
    let mut start = 0;
    for stride in strides {
        push(start, bits(stride, separator), ends);
        start += STRIDE;
    }
    let of_rest = |(index, byte): (usize, &u8)| (*byte == separator).then_some(start + index);
    ends.extend(rest.iter().enumerate().filter_map(of_rest));
}

/// Bit i is set if byte i is the separator.
#[inline]
fn bits(stride: &[u8; STRIDE], separator: u8) -> u64 {
    let (words, _) = stride.as_chunks::<{ word::BYTES }>();
    // The last bytes have the upper bits.
    words.iter().rev().fold(0, |bits, word| {
        bits << 8 | word::gather(word::equal(u64::from_le_bytes(*word), separator))
    })
}

#[inline]
fn push(start: usize, mut bits: u64, ends: &mut Vec<usize>) {
    while bits != 0 {
        ends.push(start + bits.trailing_zeros() as usize);
        bits &= bits - 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn as_byte_by_byte(line in vec(prop_oneof![Just(b','), Just(b'-'), any::<u8>()], 0..300), separator in prop_oneof![Just(b','), any::<u8>()]) {
            let mut expected = vec![7];
            for (index, byte) in line.iter().enumerate() {
                if *byte == separator {
                    expected.push(index);
                }
            }
            let mut found = vec![7];
            find(&line, separator, &mut found);
            prop_assert_eq!(found, expected);
        }
    }
}
