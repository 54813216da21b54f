//! Counter-based random numbers: Philox4x32-10.
//!
//! A number is a function of where it is used, and of nothing else: no state is
//! carried from one to the next, so the result does not depend on who draws
//! first. (Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as
//! 1, 2, 3", SC 2011; its constants, and the test vectors of its authors' code.)

use crate::isa::Isa;
use crate::simd::{Simd, SimdOp};

/// Counters of a group, which are neighbours.
pub(crate) const COUNTERS: usize = 16;

/// Places of a row at the most, where each takes a word: the first word of a counter
/// tells 2³² of them apart, and each has four.
pub(crate) const MOST_NUMBERS: usize = if usize::BITS > 34 { 1 << 34 } else { usize::MAX };

const ROUNDS: usize = 10;
const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
/// Golden ratio and √3 − 1, as fractions of 2³².
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// Four words for each lane.
type Words<S> = [<S as Simd>::I32; 4];

/// Ten rounds on a counter in each lane.
///
/// A product of two words has twice their width, so the words stay in 64 bits
/// until the end; only the lower half of each counts.
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

/// The integers from 0 on, as the bits of floats, which is what can be loaded.
const INDICES: [f32; COUNTERS] = {
    let mut indices = [0.0; COUNTERS];
    let mut i = 0;
    while i < COUNTERS {
        indices[i] = f32::from_bits(i as u32);
        i += 1;
    }
    indices
};

/// Where a row of random numbers is used; the numbers of two streams that differ
/// in any part have nothing to do with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Seed of the whole run: Philox's key.
    pub seed: u64,
    /// Three words that name the row, such as its index, the step and the layer.
    pub counter: [u32; 3],
    /// The place in the row that what is filled begins with, a multiple of
    /// [`GROUP`](Self::GROUP): 0, if it is not a part of a longer row.
    pub first: usize,
}

impl Stream {
    /// A row may be filled in parts, which begin at multiples of this.
    pub const GROUP: usize = 8 * COUNTERS;

    /// Group `group` of `len` places each, counted from where the row begins.
    #[inline(always)]
    pub(crate) fn group(self, group: usize, len: usize) -> usize {
        self.first / len + group
    }

    /// # Panics
    /// If a part of a row begins elsewhere than at a multiple of [`GROUP`](Self::GROUP), or the
    /// row has more places than `most`.
    pub(crate) fn check(self, places: usize, most: usize) {
        let Self { first, .. } = self;
        assert!(first.is_multiple_of(Self::GROUP), "a part of a row that begins at {first}");
        let end = first.checked_add(places);
        assert!(end.is_some_and(|end| end <= most), "a row too long for its counter");
    }

    /// The words of the counters whose first word is `16·group + at` and what
    /// follows, one for each lane.
    #[inline(always)]
    pub(crate) fn words<S: Simd>(self, s: S, group: usize, at: usize) -> Words<S> {
        let first = s.splat_i32((group * COUNTERS) as i32);
        let first = s.add_i32(first, s.bits(s.load(&INDICES[at..])));
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

/// Fills `numbers` with uniform numbers on (−1, 1): the odd multiples of 2⁻²⁴,
/// each as likely as any other, so that their mean is 0 and none is.
///
/// # Panics
/// If a part of a row begins elsewhere than at a multiple of [`Stream::GROUP`], or a
/// row has more than 2³⁴ places.
pub fn uniform(isa: Isa, stream: Stream, numbers: &mut [f32]) {
    struct Uniform<'a>(Stream, &'a mut [f32]);
    impl SimdOp for Uniform<'_> {
        type Output = ();
        #[inline(always)]
        fn eval<S: Simd>(self, s: S) {
            let unit = s.splat(1.0 / 16_777_216.0);
            for (group, numbers) in self.1.chunks_mut(4 * COUNTERS).enumerate() {
                for at in (0..COUNTERS).step_by(S::LEN) {
                    let words = self.0.words(s, self.0.group(group, 4 * COUNTERS), at);
                    for (numbers, word) in numbers.chunks_mut(COUNTERS).zip(words) {
                        // Of 24 bits, so that a float holds it.
                        let odd = s.or(s.shl::<1>(s.shr::<8>(word)), s.splat_i32(1));
                        let number = s.mul(s.to_f32(odd), unit);
                        match numbers.get_mut(at..) {
                            None | Some([]) => {}
                            Some(places) if places.len() >= S::LEN => s.store(number, places),
                            Some(places) => s.store_partial(number, places),
                        }
                    }
                }
            }
        }
    }
    stream.check(numbers.len(), MOST_NUMBERS);
    isa.dispatch(Uniform(stream, numbers));
}

#[cfg(test)]
mod tests {
    use super::{Stream, philox, uniform};
    use crate::isa::Isa;
    use crate::random::dropout::dropout_mask;
    use crate::random::gaussian::gaussian_mask;
    use crate::simd::{Simd, SimdOp};

    #[test]
    fn parts_of_a_row_are_the_row() {
        type Fill = fn(Isa, Stream, &mut [f32]);
        let fills: [Fill; 3] = [
            uniform,
            |isa, stream, row| dropout_mask(isa, stream, 0.5, row),
            |isa, stream, row| gaussian_mask(isa, stream, 0.5, row),
        ];
        let stream = Stream { seed: 7, counter: [1, 2, 3], first: 0 };
        for isa in Isa::available() {
            for fill in fills {
                let mut row = [0.0; 700];
                fill(isa, stream, &mut row);
                for first in [128, 384, 640] {
                    let mut part = vec![0.0; 700 - first];
                    fill(isa, Stream { first, ..stream }, &mut part);
                    assert_eq!(part, row[first..], "{isa}, {first}");
                }
            }
        }
    }

    #[test]
    #[should_panic = "a part of a row that begins at 64"]
    fn parts_begin_at_whole_groups() {
        let stream = Stream { seed: 7, counter: [1, 2, 3], first: 64 };
        uniform(Isa::available()[0], stream, &mut [0.0; 2]);
    }

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

    #[test]
    fn uniform_numbers_are_the_same_on_every_isa_and_a_prefix_of_more() {
        let stream = Stream { seed: 7, counter: [1, 2, 3], first: 0 };
        let mut expected = vec![0.0; 192];
        uniform(Isa::by_name("scalar").unwrap(), stream, &mut expected);
        for isa in Isa::available() {
            for len in [0, 1, 7, 8, 9, 15, 16, 17, 63, 64, 65, 100, 192] {
                let mut numbers = vec![f32::NAN; len];
                uniform(isa, stream, &mut numbers);
                assert_eq!(numbers, expected[..len], "{isa}, {len}");
            }
        }
    }

    #[test]
    fn uniform_numbers_cover_their_range_evenly() {
        let mut numbers = vec![0.0; 1 << 20];
        uniform(Isa::available()[0], Stream { seed: 1, counter: [0; 3], first: 0 }, &mut numbers);
        let mut counts = [0i32; 64];
        for number in numbers {
            assert!(number.abs() < 1.0);
            counts[((number + 1.0) * 32.0) as usize] += 1;
        }
        // Five standard deviations of a binomial of 2²⁰ draws, one in 64.
        assert!(counts.iter().all(|count| (count - (1 << 14)).abs() < 640), "{counts:?}");
    }
}
