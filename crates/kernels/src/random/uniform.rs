//! Uniform random values.

use crate::isa::Isa;
use crate::random::philox::{COUNTERS, LONGEST_ROW, Stream};
use crate::simd::{Simd, SimdOp};

/// Elements of a group of counters: one for each of their four words.
const GROUP: usize = 4 * COUNTERS;

/// Fills `row` with uniform random values of (−1, 1): the odd multiples of 2⁻²⁴, each
/// with the same probability. So their mean is 0, and 0 itself never occurs.
///
/// # Panics
/// If `stream.first` is not a multiple of [`Stream::GROUP`], or if the row is longer than
/// 2³⁴.
pub fn uniform(isa: Isa, stream: Stream, row: &mut [f32]) {
    stream.check(row.len(), LONGEST_ROW);
    isa.dispatch(Uniform { stream, row });
}

struct Uniform<'a> {
    stream: Stream,
    row: &'a mut [f32],
}

impl SimdOp for Uniform<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<S: Simd>(self, s: S) {
        let Self { stream, row } = self;
        let unit = s.splat(1.0 / 16_777_216.0);
        for (group, row) in row.chunks_mut(GROUP).enumerate() {
            for offset in (0..COUNTERS).step_by(S::LEN) {
                let words = stream.words(s, stream.group(group, GROUP), offset);
                for (row, word) in row.chunks_mut(COUNTERS).zip(words) {
                    // 24 bits, so that a float holds it exactly.
                    let odd = s.or(s.shl::<1>(s.shr::<8>(word)), s.splat_i32(1));
                    let value = s.mul(s.to_f32(odd), unit);
                    match row.get_mut(offset..) {
                        None | Some([]) => {}
                        Some(rest) if rest.len() >= S::LEN => s.store(value, rest),
                        Some(rest) => s.store_partial(value, rest),
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::uniform;
    use crate::isa::Isa;
    use crate::random::philox::Stream;

    #[test]
    fn values_are_equal_on_every_isa_and_a_prefix_of_a_longer_row() {
        let stream = Stream { seed: 7, counter: [1, 2, 3], first: 0 };
        let mut expected = vec![0.0; 192];
        uniform(Isa::by_name("scalar").unwrap(), stream, &mut expected);
        for isa in Isa::available() {
            for len in [0, 1, 7, 8, 9, 15, 16, 17, 63, 64, 65, 100, 192] {
                let mut row = vec![f32::NAN; len];
                uniform(isa, stream, &mut row);
                assert_eq!(row, expected[..len], "{isa}, {len}");
            }
        }
    }

    #[test]
    fn values_cover_their_range_evenly() {
        let mut row = vec![0.0; 1 << 20];
        uniform(Isa::available()[0], Stream { seed: 1, counter: [0; 3], first: 0 }, &mut row);
        let mut counts = [0i32; 64];
        for value in row {
            assert!(value.abs() < 1.0);
            counts[((value + 1.0) * 32.0) as usize] += 1;
        }
        // Five standard deviations of a binomial of 2²⁰ draws, one in 64.
        assert!(counts.iter().all(|count| (count - (1 << 14)).abs() < 640), "{counts:?}");
    }
}
