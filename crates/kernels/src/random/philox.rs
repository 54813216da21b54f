//! Counter-based random numbers: Philox4x32-10.
//!
//! A random value is a function of where it is used, and of nothing else. No state is
//! carried from one value to the next, so it does not matter which is drawn first.
//! (Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3",
//! SC 2011, whose constants these are; the tests have the known answers of the authors'
//! code.)

use crate::simd::Simd;

/// Consecutive counters that are computed together.
pub(crate) const COUNTERS: usize = 16;

/// Longest row in which each element takes one word: the first word of a counter
/// distinguishes 2³² counters, and each counter gives four words.
pub(crate) const LONGEST_ROW: usize = if usize::BITS > 34 { 1 << 34 } else { usize::MAX };

const ROUNDS: usize = 10;
const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
/// Golden ratio and √3 − 1, as fractions of 2³².
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// Four words for each lane.
type Words<S> = [<S as Simd>::I32; 4];

/// Ten rounds on a counter in each lane.
///
/// A product of two words has twice their width, so each word stays in a `u64` until the
/// end; only its lower half counts.
#[inline(always)]
fn philox<S: Simd>(s: S, [a, b, c, d]: Words<S>, mut key: [u32; 2]) -> Words<S> {
    let mut x = [s.widen(a), s.widen(b), s.widen(c), s.widen(d)];
    for _ in 0..ROUNDS {
        let p0 = s.mul_lower_halves(x[0], s.splat_u64(u64::from(MULTIPLIERS[0])));
        let p1 = s.mul_lower_halves(x[2], s.splat_u64(u64::from(MULTIPLIERS[1])));
        let y0 = s.xor_u64(s.xor_u64(s.upper_half(p1), x[1]), s.splat_u64(u64::from(key[0])));
        let y2 = s.xor_u64(s.xor_u64(s.upper_half(p0), x[3]), s.splat_u64(u64::from(key[1])));
        x = [y0, p1, y2, p0];
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    let [a, b, c, d] = x;
    [s.narrow(a), s.narrow(b), s.narrow(c), s.narrow(d)]
}

/// 0, 1, 2, … as the bits of floats, because only floats can be loaded.
const INDICES: [f32; COUNTERS] = {
    let mut indices = [0.0; COUNTERS];
    let mut i = 0;
    while i < COUNTERS {
        indices[i] = f32::from_bits(i as u32);
        i += 1;
    }
    indices
};

/// Where a row of random values is used; two streams that differ in any field are
/// independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Seed of the whole run: Philox's key.
    pub seed: u64,
    /// Three words that identify the row, such as its index, the step and the layer.
    pub counter: [u32; 3],
    /// Offset in the row of the first element to fill, a multiple of
    /// [`GROUP`](Self::GROUP); 0 for a whole row.
    pub first: usize,
}

impl Stream {
    /// A row may be filled in parts that begin at multiples of this offset.
    pub const GROUP: usize = 8 * COUNTERS;

    /// Index in the row of group `group` of this part, for groups of `len` elements.
    #[inline(always)]
    pub(crate) fn group(self, group: usize, len: usize) -> usize {
        self.first / len + group
    }

    /// # Panics
    /// If the part does not begin at a multiple of [`GROUP`](Self::GROUP), or if the row up
    /// to its end has more than `longest` elements.
    pub(crate) fn check(self, len: usize, longest: usize) {
        let Self { first, .. } = self;
        assert!(first.is_multiple_of(Self::GROUP), "a part of a row that begins at {first}");
        let end = first.checked_add(len);
        assert!(end.is_some_and(|end| end <= longest), "a row too long for its counter");
    }

    /// The words of the counters whose first words are `16·group + offset` and the
    /// following, one counter in each lane.
    #[inline(always)]
    pub(crate) fn words<S: Simd>(self, s: S, group: usize, offset: usize) -> Words<S> {
        let first = s.splat_i32((group * COUNTERS) as i32);
        let first = s.add_i32(first, s.bits(s.load(&INDICES[offset..])));
        let [a, b, c] = self.counter;
        let counter = [
            first,
            s.splat_i32(a.cast_signed()),
            s.splat_i32(b.cast_signed()),
            s.splat_i32(c.cast_signed()),
        ];
        philox(s, counter, [self.seed as u32, (self.seed >> 32) as u32])
    }
}

#[cfg(test)]
mod tests {
    use super::philox;
    use crate::isa::Isa;
    use crate::simd::{Simd, SimdOp};

    /// Known answers for philox4x32-10 from the authors' Random123 (kat_vectors).
    #[test]
    fn published_vectors() {
        struct Philox([u32; 4], [u32; 2]);
        impl SimdOp for Philox {
            type Output = Vec<[u32; 4]>;
            /// The words of each lane.
            #[inline(always)]
            fn eval<S: Simd>(self, s: S) -> Self::Output {
                let words = philox(s, self.0.map(|word| s.splat_i32(word.cast_signed())), self.1);
                let words = words.map(|word| {
                    let mut lanes = [0.0; 16];
                    s.store(s.with_bits(word), &mut lanes);
                    lanes.map(f32::to_bits)
                });
                (0..S::LEN).map(|lane| words.map(|word| word[lane])).collect()
            }
        }
        let cases: [([u32; 4], [u32; 2], [u32; 4]); 3] = [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([!0; 4], [!0; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, expected) in cases {
            for isa in Isa::available() {
                for found in isa.dispatch(Philox(counter, key)) {
                    assert_eq!(found, expected, "{isa}");
                }
            }
        }
    }
}
