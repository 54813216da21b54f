//! Dropout: random masks, and products with them. (Srivastava, Hinton, Krizhevsky,
//! Sutskever and Salakhutdinov, "Dropout", JMLR 2014.)

use crate::isa::Isa;
use crate::random::philox::{COUNTERS, LONGEST_ROW, Stream};
use crate::simd::{Simd, SimdOp};

/// Elements of a group of counters: a counter gives four words, and an element takes half
/// a word.
const GROUP: usize = Stream::GROUP;

/// Fills `mask` with the factors of inverted dropout: each is 0 with probability p, and
/// otherwise `1 / (1 − p)`, where p is `rate` rounded to a multiple of 2⁻¹⁶, and below 1.
///
/// An element takes 16 random bits: with 32, the mask of MNIST's pixels took a tenth of a
/// small network's step.
///
/// # Panics
/// If `rate` is not in `[0, 1)`, if `stream.first` is not a multiple of
/// [`Stream::GROUP`], or if the row is longer than 2³⁵.
pub fn dropout_mask(isa: Isa, stream: Stream, rate: f32, mask: &mut [f32]) {
    isa.dispatch(Dropout { factors: Factors::new(stream, rate, mask), mask, target: None });
}

/// Fills `mask` as [`dropout_mask`] does, and `a = h · mask`, in one pass.
///
/// # Panics
/// As [`dropout_mask`], or if the slices differ in length.
pub fn dropout(isa: Isa, stream: Stream, rate: f32, h: &[f32], mask: &mut [f32], a: &mut [f32]) {
    assert!(h.len() == mask.len() && a.len() == mask.len(), "slices of different lengths");
    let factors = Factors::new(stream, rate, mask);
    isa.dispatch(Dropout { factors, mask, target: Some(Target::Into(h, a)) });
}

/// Fills `mask` as [`dropout_mask`] does, and `x ← x · mask`, in one pass.
///
/// # Panics
/// As [`dropout_mask`], or if the slices differ in length.
pub fn dropout_in_place(isa: Isa, stream: Stream, rate: f32, mask: &mut [f32], x: &mut [f32]) {
    assert_eq!(x.len(), mask.len(), "slices of different lengths");
    let factors = Factors::new(stream, rate, mask);
    isa.dispatch(Dropout { factors, mask, target: Some(Target::InPlace(x)) });
}

struct Dropout<'a> {
    factors: Factors,
    mask: &'a mut [f32],
    target: Option<Target<'a>>,
}

impl SimdOp for Dropout<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<S: Simd>(self, s: S) {
        let Self { factors, mask, mut target } = self;
        for (group, mask) in mask.chunks_mut(GROUP).enumerate() {
            if let Some(whole) = mask.as_mut_array() {
                factors.fill(s, group, whole);
            } else {
                let mut whole = [0.0; GROUP];
                factors.fill(s, group, &mut whole);
                mask.copy_from_slice(&whole[..mask.len()]);
            }
            // The mask is still in the L1 cache.
            let elements = group * GROUP..group * GROUP + mask.len();
            match &mut target {
                Some(Target::Into(h, a)) => {
                    for ((a, h), mask) in a[elements.clone()].iter_mut().zip(&h[elements]).zip(mask)
                    {
                        *a = h * *mask;
                    }
                }
                Some(Target::InPlace(x)) => {
                    for (x, mask) in x[elements].iter_mut().zip(mask) {
                        *x *= *mask;
                    }
                }
                None => {}
            }
        }
    }
}

/// What is multiplied with the mask.
enum Target<'a> {
    /// `a = h · mask`.
    Into(&'a [f32], &'a mut [f32]),
    /// `x ← x · mask`.
    InPlace(&'a mut [f32]),
}

#[derive(Clone, Copy)]
struct Factors {
    stream: Stream,
    /// An element is dropped if its half of a word, in the upper half of a `u32`, is
    /// below this.
    threshold: u32,
    /// The factor of an element that is kept.
    keep: f32,
}

impl Factors {
    fn new(stream: Stream, rate: f32, mask: &[f32]) -> Self {
        assert!((0.0..1.0).contains(&rate), "a dropout rate of {rate}");
        stream.check(mask.len(), LONGEST_ROW.saturating_mul(2));
        const VALUES: f32 = 65_536.0;
        let threshold = (rate * VALUES).round().min(VALUES - 1.0);
        let keep = VALUES / (VALUES - threshold);
        Self { stream, threshold: (threshold as u32) << 16, keep }
    }

    /// The factors of a group. Each of the four words fills 32 elements: 16 from the lower
    /// halves, then 16 from the upper halves.
    #[inline(always)]
    fn fill<S: Simd>(self, s: S, group: usize, mask: &mut [f32; GROUP]) {
        let threshold = s.splat_i32(self.threshold.cast_signed());
        let (dropped, kept) = (s.splat(0.0), s.splat(self.keep));
        for offset in (0..COUNTERS).step_by(S::LEN) {
            let words = self.stream.words(s, self.stream.group(group, GROUP), offset);
            for (mask, word) in mask.chunks_exact_mut(2 * COUNTERS).zip(words) {
                let (lower, upper) = mask.split_at_mut(COUNTERS);
                // The lower half of the word does not change whether the upper half is
                // below: the threshold has zeros there.
                for (half, mask) in [(s.shl::<16>(word), lower), (word, upper)] {
                    let mask = &mut mask[offset..];
                    s.store(s.select(s.lt_u32(half, threshold), dropped, kept), mask);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{GROUP, dropout, dropout_in_place, dropout_mask};
    use crate::isa::Isa;
    use crate::random::philox::Stream;

    const LENGTHS: [usize; 14] = [0, 1, 15, 16, 17, 31, 32, 33, 63, 65, 127, 128, 129, 3 * GROUP];

    #[test]
    fn a_mask_is_equal_on_every_isa_and_a_prefix_of_a_longer_one() {
        let stream = Stream { seed: 7, counter: [1, 2, 3], first: 0 };
        let mut expected = vec![0.0; 3 * GROUP];
        dropout_mask(Isa::by_name("scalar").unwrap(), stream, 0.3, &mut expected);
        for isa in Isa::available() {
            for len in LENGTHS {
                let mut mask = vec![f32::NAN; len];
                dropout_mask(isa, stream, 0.3, &mut mask);
                assert_eq!(mask, expected[..len], "{isa}, {len}");
            }
        }
    }

    /// A trained model stays reproducible only as long as the masks do not change.
    #[test]
    fn masks_are_those_of_the_first_release() {
        for isa in Isa::available() {
            let mut mask = [0.0; 3 * GROUP];
            dropout_mask(
                isa,
                Stream { seed: 7 << 40, counter: [1, 2, 3], first: 0 },
                0.3,
                &mut mask,
            );
            let kept = |from: usize| {
                mask[from..from + 64]
                    .iter()
                    .rev()
                    .fold(0u64, |bits, x| bits << 1 | u64::from(*x != 0.0))
            };
            let found: [u64; 6] = std::array::from_fn(|i| kept(64 * i));
            let expected = [
                0xfa4f_f0fa_ede3_7efe,
                0x6077_3eb7_7fde_de9f,
                0xe8a6_c56f_fdfc_fb8e,
                0xffaf_86fb_b3d3_fe0f,
                0x5dcc_c7c9_bb43_bfd6,
                0xc5a5_e3fd_28dd_b2f1,
            ];
            assert_eq!(found, expected, "{isa}: {found:#018x?}");
        }
    }

    #[test]
    fn the_fused_kernels_are_a_mask_and_a_product() {
        let stream = Stream { seed: 3, counter: [4, 5, 6], first: 0 };
        for isa in Isa::available() {
            for len in LENGTHS {
                let h: Vec<f32> = (0..len).map(|i| i as f32 - 20.0).collect();
                let mut expected = vec![f32::NAN; len];
                dropout_mask(isa, stream, 0.4, &mut expected);
                let products: Vec<f32> = h.iter().zip(&expected).map(|(h, m)| h * m).collect();

                let (mut mask, mut a) = (vec![f32::NAN; len], vec![f32::NAN; len]);
                dropout(isa, stream, 0.4, &h, &mut mask, &mut a);
                assert_eq!((&mask, &a), (&expected, &products), "{isa}, {len}");

                let (mut mask, mut x) = (vec![f32::NAN; len], h);
                dropout_in_place(isa, stream, 0.4, &mut mask, &mut x);
                assert_eq!((&mask, &x), (&expected, &products), "{isa}, {len}");
            }
        }
    }

    #[test]
    fn the_dropped_fraction_is_the_rate() {
        let isa = Isa::available()[0];
        for rate in [0.0f32, 0.1, 0.5, 0.9] {
            let mut dropped = 0;
            let mut row = vec![0.0; 1000];
            for i in 0..1000 {
                dropout_mask(isa, Stream { seed: 1, counter: [i, 0, 0], first: 0 }, rate, &mut row);
                dropped += row.iter().filter(|x| **x == 0.0).count();
            }
            // Five standard deviations of a binomial of a million draws.
            let sigma = (f64::from(rate) * (1.0 - f64::from(rate)) / 1e6).sqrt();
            let fraction = dropped as f64 / 1e6;
            assert!((fraction - f64::from(rate)).abs() <= 5.0 * sigma, "{rate}: {fraction}");
        }
    }

    #[test]
    fn a_rate_near_one_still_keeps_some_elements() {
        let isa = Isa::available()[0];
        let mut row = vec![0.0; 1 << 20];
        dropout_mask(
            isa,
            Stream { seed: 1, counter: [0; 3], first: 0 },
            1.0 - f32::EPSILON,
            &mut row,
        );
        assert!(row.iter().all(|x| *x == 0.0 || *x == 65_536.0));
        assert!(row.contains(&65_536.0));
    }

    #[test]
    fn streams_that_differ_in_one_field_differ() {
        let isa = Isa::available()[0];
        let base = Stream { seed: 1 << 40, counter: [1, 2, 3], first: 0 };
        let mask = |stream| {
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
            assert_ne!(mask(base), mask(other));
        }
    }
}
