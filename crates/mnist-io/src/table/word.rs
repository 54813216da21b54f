//! Eight bytes of text in a `u64`, looked at together. The first byte is the lowest one.

/// The bytes of a word.
pub(crate) const BYTES: usize = 8;

const ONES: u64 = u64::MAX / 255;

/// The upper bit of each byte.
const HIGH: u64 = ONES << 7;

/// The lower seven bits of each byte.
const LOW: u64 = !HIGH;

/// At most eight bytes, and zeros after them. It loads twice, and the two loads overlap.
///
/// # Panics
/// If there is no byte.
#[inline]
pub(crate) fn load(bytes: &[u8]) -> u64 {
    let len = bytes.len();
    debug_assert!(len <= BYTES);
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let word = |half: &[u8; 4]| u64::from(u32::from_le_bytes(*half));
        return word(first) | word(last) << (8 * (len - 4));
    }
    let at = |index: usize| u64::from(bytes[index]) << (8 * index);
    at(0) | at(len / 2) | at(len - 1)
}

/// The upper bit of each byte of `word` that is `byte`, and no other bit.
#[inline]
pub(crate) fn equal(word: u64, byte: u8) -> u64 {
    let zero = word ^ (ONES * u64::from(byte));
    // A sum within seven bits carries into no other byte.
    !(((zero & LOW) + LOW) | zero) & HIGH
}

/// The upper bit of each byte of a word as one bit of eight.
#[inline]
pub(crate) fn gather(high: u64) -> u64 {
    // Bit 8i moves to 56 + i, and no two products meet in one bit.
    (high >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// The number that eight digits write, each a byte from 0 to 9. `None` if a byte is larger.
#[inline]
pub(crate) fn digits(word: u64) -> Option<u64> {
    // 10 and more reach the upper bit.
    if (word.wrapping_add(ONES * 118) | word) & HIGH != 0 {
        return None;
    }
    // Pairs of digits, in every other byte.
    let pairs = word * 10 + (word >> 8);
    // Hundreds times pairs: the sum of four is in the upper half.
    const PAIRS: u64 = 0xff | 0xff << 32;
    let outer = (pairs & PAIRS).wrapping_mul(100 | 1_000_000 << 32);
    let inner = (pairs >> 16 & PAIRS).wrapping_mul(1 | 10_000 << 32);
    Some(outer.wrapping_add(inner) >> 32)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_byte_by_itself(bytes in any::<[u8; 8]>(), near in any::<[u8; 8]>(), index in 0..8_usize) {
            // Bytes that differ from the one that is looked for in one bit, or in none.
            let byte = bytes[index];
            let close = near.map(|near| if near < 8 { byte ^ 1 << near } else { byte });
            for bytes in [bytes, close] {
                let bits = bytes.iter().rev().fold(0, |bits, other| bits << 1 | u64::from(*other == byte));
                prop_assert_eq!(gather(equal(u64::from_le_bytes(bytes), byte)), bits);
            }
        }

        #[test]
        fn loading_looks_at_all_bytes(bytes in vec(any::<u8>(), 1..=8)) {
            let mut padded = [0; 8];
            padded[..bytes.len()].copy_from_slice(&bytes);
            prop_assert_eq!(load(&bytes), u64::from_le_bytes(padded));
        }

        #[test]
        fn eight_digits(number in 0..100_000_000_u64, index in 0..8_usize, other in 10..=255_u8) {
            let mut bytes: [u8; 8] = format!("{number:08}").into_bytes().try_into().unwrap();
            bytes.iter_mut().for_each(|byte| *byte -= b'0');
            prop_assert_eq!(digits(u64::from_le_bytes(bytes)), Some(number));
            bytes[index] = other;
            prop_assert_eq!(digits(u64::from_le_bytes(bytes)), None);
        }
    }
}
