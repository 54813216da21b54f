//! Counter-based random numbers: Philox4x32-10.
//!
//! A number is a function of where it is used, and of nothing else: no state is
//! carried from one to the next, so the result does not depend on who draws
//! first. (Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as
//! 1, 2, 3", SC 2011; its constants, and the test vectors of its authors' code.)

use crate::isa::Isa;
use crate::simd::{Simd, SimdOp};

/// Counters that run side by side.
const LANES: usize = 16;
/// Places that one run over all lanes decides: four words for each counter, and
/// half a word for a place.
const GROUP: usize = 8 * LANES;

const ROUNDS: usize = 10;
const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
/// Golden ratio and √3 − 1, as fractions of 2³².
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// Ten rounds on sixteen counters. Plain Rust: the loops over lanes become
/// vector instructions inside `dispatch`.
#[inline(always)]
fn philox(mut x: [[u32; LANES]; 4], mut key: [u32; 2]) -> [[u32; LANES]; 4] {
    for _ in 0..ROUNDS {
        let mut y = [[0; LANES]; 4];
        for lane in 0..LANES {
            let p0 = u64::from(MULTIPLIERS[0]) * u64::from(x[0][lane]);
            let p1 = u64::from(MULTIPLIERS[1]) * u64::from(x[2][lane]);
            y[0][lane] = (p1 >> 32) as u32 ^ x[1][lane] ^ key[0];
            y[1][lane] = p1 as u32;
            y[2][lane] = (p0 >> 32) as u32 ^ x[3][lane] ^ key[1];
            y[3][lane] = p0 as u32;
        }
        x = y;
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    x
}

/// Where a row of random numbers is used; the numbers of two streams that differ
/// in any part have nothing to do with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Seed of the whole run: Philox's key.
    pub seed: u64,
    /// Three words that name the row, such as its index, the step and the layer.
    pub counter: [u32; 3],
}

impl Stream {
    /// The words of the counters whose first word is `16·group + lane`.
    #[inline(always)]
    fn group(self, group: u32) -> [[u32; LANES]; 4] {
        let [a, b, c] = self.counter;
        let first = std::array::from_fn(|lane| group * LANES as u32 + lane as u32);
        let key = [self.seed as u32, (self.seed >> 32) as u32];
        philox([first, [a; LANES], [b; LANES], [c; LANES]], key)
    }
}

/// Fills `mask` with inverted-dropout factors: each place is 0 with probability p,
/// and else `1 / (1 − p)`, where p is `rate` to the nearest 2⁻¹⁶, and below 1.
///
/// A place takes 16 random bits: with 32, the mask of MNIST's pixels was a tenth
/// of a small network's step.
///
/// # Panics
/// If `rate` is not in `[0, 1)`, or `mask` has 2³⁵ places or more.
pub fn dropout_mask(isa: Isa, stream: Stream, rate: f32, mask: &mut [f32]) {
    struct Mask<'a> {
        stream: Stream,
        /// Half a word below this drops.
        threshold: u32,
        keep: f32,
        mask: &'a mut [f32],
    }
    impl SimdOp for Mask<'_> {
        type Output = ();
        #[inline(always)]
        fn eval<S: Simd>(self, _: S) {
            for (group, mask) in self.mask.chunks_mut(GROUP).enumerate() {
                let words = self.stream.group(group as u32);
                for (mask, words) in mask.chunks_mut(2 * LANES).zip(&words) {
                    for (half, mask) in mask.chunks_mut(LANES).enumerate() {
                        for (mask, word) in mask.iter_mut().zip(words) {
                            let number = word >> (16 * half) & 0xFFFF;
                            *mask = if number < self.threshold { 0.0 } else { self.keep };
                        }
                    }
                }
            }
        }
    }
    assert!((0.0..1.0).contains(&rate), "a dropout rate of {rate}");
    assert!(mask.len() >> 35 == 0, "a row too long for its counter");
    const NUMBERS: f32 = 65_536.0;
    let threshold = (rate * NUMBERS).round().min(NUMBERS - 1.0);
    let keep = NUMBERS / (NUMBERS - threshold);
    isa.dispatch(Mask { stream, threshold: threshold as u32, keep, mask });
}

/// Fills `numbers` with uniform numbers on (−1, 1): the odd multiples of 2⁻²⁴,
/// each as likely as any other, so that their mean is 0 and none is.
///
/// # Panics
/// If there are 2³⁴ places or more.
pub fn uniform(isa: Isa, stream: Stream, numbers: &mut [f32]) {
    struct Uniform<'a>(Stream, &'a mut [f32]);
    impl SimdOp for Uniform<'_> {
        type Output = ();
        #[inline(always)]
        fn eval<S: Simd>(self, _: S) {
            for (group, numbers) in self.1.chunks_mut(4 * LANES).enumerate() {
                let words = self.0.group(group as u32);
                for (numbers, words) in numbers.chunks_mut(LANES).zip(&words) {
                    for (number, word) in numbers.iter_mut().zip(words) {
                        // Of 24 bits, so that a float holds it.
                        let odd = (word.cast_signed() >> 8) * 2 + 1;
                        *number = odd as f32 * (1.0 / 16_777_216.0);
                    }
                }
            }
        }
    }
    assert!(numbers.len() >> 34 == 0, "a row too long for its counter");
    isa.dispatch(Uniform(stream, numbers));
}

#[cfg(test)]
mod tests {
    use super::{GROUP, LANES, Stream, dropout_mask, philox, uniform};
    use crate::isa::Isa;

    /// Known answers for philox4x32-10 from the authors' Random123 (kat_vectors).
    #[test]
    fn published_vectors() {
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
            let found = philox(counter.map(|word| [word; LANES]), key);
            for (found, expected) in found.iter().zip(expected) {
                assert_eq!(*found, [expected; LANES]);
            }
        }
    }

    #[test]
    fn a_mask_is_the_same_on_every_isa_and_a_prefix_of_a_longer_one() {
        let stream = Stream { seed: 7, counter: [1, 2, 3] };
        let mut expected = vec![0.0; 3 * GROUP];
        dropout_mask(Isa::by_name("scalar").unwrap(), stream, 0.3, &mut expected);
        for isa in Isa::available() {
            for len in [0, 1, 15, 16, 17, 31, 32, 33, 63, 65, 127, 128, 129, 3 * GROUP] {
                let mut mask = vec![f32::NAN; len];
                dropout_mask(isa, stream, 0.3, &mut mask);
                assert_eq!(mask, expected[..len], "{isa}, {len}");
            }
        }
    }

    #[test]
    fn uniform_numbers_are_the_words_of_their_counters() {
        let stream = Stream { seed: 7, counter: [1, 2, 3] };
        let expected: Vec<f64> = (0..3)
            .flat_map(|group| stream.group(group).into_iter().flatten())
            .map(|word| (f64::from(word >> 8 ^ 1 << 23) + 0.5) / f64::from(1 << 23) - 1.0)
            .collect();
        for isa in Isa::available() {
            for len in [0, 1, 15, 16, 17, 63, 64, 65, 192] {
                let mut numbers = vec![f32::NAN; len];
                uniform(isa, stream, &mut numbers);
                let numbers: Vec<_> = numbers.into_iter().map(f64::from).collect();
                assert_eq!(numbers, expected[..len], "{isa}, {len}");
            }
        }
    }

    #[test]
    fn uniform_numbers_cover_their_range_evenly() {
        let mut numbers = vec![0.0; 1 << 20];
        uniform(Isa::available()[0], Stream { seed: 1, counter: [0; 3] }, &mut numbers);
        let mut counts = [0i32; 64];
        for number in numbers {
            assert!(number.abs() < 1.0);
            counts[((number + 1.0) * 32.0) as usize] += 1;
        }
        // Five standard deviations of a binomial of 2²⁰ draws, one in 64.
        assert!(counts.iter().all(|count| (count - (1 << 14)).abs() < 640), "{counts:?}");
    }

    #[test]
    fn the_share_that_is_dropped_is_the_rate() {
        let isa = Isa::available()[0];
        for rate in [0.0f32, 0.1, 0.5, 0.9] {
            let mut dropped = 0;
            let mut row = vec![0.0; 1000];
            for i in 0..1000 {
                dropout_mask(isa, Stream { seed: 1, counter: [i, 0, 0] }, rate, &mut row);
                dropped += row.iter().filter(|x| **x == 0.0).count();
            }
            // Five standard deviations of a binomial of a million draws.
            let sigma = (f64::from(rate) * (1.0 - f64::from(rate)) / 1e6).sqrt();
            let share = dropped as f64 / 1e6;
            assert!((share - f64::from(rate)).abs() <= 5.0 * sigma, "{rate}: {share}");
        }
    }

    #[test]
    fn a_rate_near_one_still_keeps_some_and_finitely_many() {
        let isa = Isa::available()[0];
        let mut row = vec![0.0; 1 << 20];
        dropout_mask(isa, Stream { seed: 1, counter: [0; 3] }, 1.0 - f32::EPSILON, &mut row);
        assert!(row.iter().all(|x| *x == 0.0 || *x == 65_536.0));
        assert!(row.contains(&65_536.0));
    }

    #[test]
    fn streams_that_differ_in_one_part_differ() {
        let isa = Isa::available()[0];
        let base = Stream { seed: 1 << 40, counter: [1, 2, 3] };
        let draw = |stream| {
            let mut mask = [0.0; 256];
            dropout_mask(isa, stream, 0.5, &mut mask);
            mask
        };
        for other in [
            Stream { seed: 0, ..base },
            Stream { counter: [0, 2, 3], ..base },
            Stream { counter: [1, 0, 3], ..base },
            Stream { counter: [1, 2, 0], ..base },
        ] {
            assert_ne!(draw(base), draw(other));
        }
    }
}
