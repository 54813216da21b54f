//! Vector operations that take more than an instruction, lane by lane, on every
//! instruction set.

use kernels::{Isa, Simd, SimdOp, Table16};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

/// Runs `gather4` on 16 indices, a vector at a time: four elements for each.
struct Gather<'a>(&'a [f32], &'a [i32; 16]);

impl SimdOp for Gather<'_> {
    type Output = Vec<[f32; 4]>;
    #[inline(always)]
    fn eval<S: Simd>(self, s: S) -> Vec<[f32; 4]> {
        let found = gather(s, self.0, self.1);
        assert_eq!(gather(s.wide(), self.0, self.1), found);
        found
    }
}

#[inline(always)]
fn gather<S: Simd>(s: S, table: &[f32], indices: &[i32; 16]) -> Vec<[f32; 4]> {
    // A vector may have 32 lanes.
    let mut twice = [0.0; 32];
    for (to, i) in twice.iter_mut().zip(indices.iter().chain(indices)) {
        *to = f32::from_bits(i.cast_unsigned());
    }
    let mut found = vec![[0.0; 4]; 32];
    for (part, found) in found.chunks_exact_mut(S::LEN).enumerate() {
        let i = s.bits(s.load(&twice[part * S::LEN..]));
        for (k, gathered) in s.gather4(table, i).into_iter().enumerate() {
            let mut lanes = [0.0; 32];
            s.store(gathered, &mut lanes);
            for (found, lane) in found.iter_mut().zip(lanes) {
                found[k] = lane;
            }
        }
    }
    assert_eq!(found[..16], found[16..]);
    found.truncate(16);
    found
}

#[test]
fn four_elements_are_gathered_inside_the_table_for_any_index() {
    let table: Vec<f32> = (0..2000u16).map(f32::from).collect();
    for (len, indices_used) in [(4, 1), (5, 2), (6, 2), (7, 4), (66, 32), (67, 64), (2000, 1024)] {
        let indices = std::array::from_fn(|lane| match lane {
            0..8 => 37 * lane as i32,
            8 => -1,
            9 => i32::MIN,
            10 => i32::MAX,
            _ => 1 << (lane * 2),
        });
        for isa in Isa::available() {
            let found = isa.dispatch(Gather(&table[..len], &indices));
            for (i, found) in indices.iter().zip(found) {
                let first = i.rem_euclid(indices_used) as f32;
                assert_eq!(found, [0.0, 1.0, 2.0, 3.0].map(|k| first + k), "{isa}, {len}: {i}");
            }
        }
    }
}

#[test]
#[should_panic(expected = "a table of 3 elements")]
fn a_table_has_four_elements() {
    Isa::available()[0].dispatch(Gather(&[0.0; 3], &[0; 16]));
}

#[test]
fn floors() {
    struct Floor(f32);
    impl SimdOp for Floor {
        type Output = f32;
        #[inline(always)]
        fn eval<S: Simd>(self, s: S) -> f32 {
            let mut lanes = [0.0; 16];
            s.store(s.floor(s.splat(self.0)), &mut lanes);
            lanes[S::LEN - 1]
        }
    }
    for isa in Isa::available() {
        for (x, expected) in [
            (0.0, 0.0f32),
            (-0.0, -0.0),
            (0.75, 0.0),
            (-0.25, -1.0),
            (-1.0, -1.0),
            (2.5, 2.0),
            (-2.5, -3.0),
            (8_388_607.5, 8_388_607.0),
            (-1e30, -1e30),
            (1e-40, 0.0),
        ] {
            assert_eq!(isa.dispatch(Floor(x)).to_bits(), expected.to_bits(), "{isa}: {x}");
        }
    }
}

#[test]
fn vectors_are_interleaved() {
    struct Both;
    impl SimdOp for Both {
        type Output = [Vec<f32>; 2];
        #[inline(always)]
        fn eval<S: Simd>(self, s: S) -> [Vec<f32>; 2] {
            [interleaved(s), interleaved(s.wide())]
        }
    }
    #[inline(always)]
    fn interleaved<S: Simd>(s: S) -> Vec<f32> {
        let counts: [f32; 64] = std::array::from_fn(|i| i as f32);
        let mut to = vec![0.0; 2 * S::LEN];
        let [first, second] = s.interleave(s.load(&counts), s.load(&counts[32..]));
        s.store(first, &mut to);
        s.store(second, &mut to[S::LEN..]);
        to
    }
    for isa in Isa::available() {
        for found in isa.dispatch(Both) {
            let lanes = 0..found.len() / 2;
            let expected: Vec<_> = lanes.flat_map(|i| [i as f32, 32.0 + i as f32]).collect();
            assert_eq!(found, expected, "{isa}");
        }
    }
}

/// Each operation of the wide vectors gives the bits of the narrow ones, in the same lanes.
#[test]
fn wide_vectors_are_narrow_ones_side_by_side() {
    struct All([f32; 32]);
    impl SimdOp for All {
        type Output = [Vec<Vec<u32>>; 2];
        #[inline(always)]
        fn eval<S: Simd>(self, s: S) -> Self::Output {
            [all(s, &self.0), all(s.wide(), &self.0)]
        }
    }
    /// For each operation, its results for all elements.
    #[inline(always)]
    fn all<S: Simd>(s: S, x: &[f32; 32]) -> Vec<Vec<u32>> {
        static TABLE: Table16 = Table16::new([
            1.5,
            -2.25,
            1e-30,
            3e30,
            5.0,
            6.0,
            -7.0,
            8.5,
            0.1,
            0.2,
            0.3,
            0.4,
            0.5,
            -0.0,
            f32::INFINITY,
            1e-45,
        ]);
        let mut results = vec![vec![]; 26];
        for part in x.chunks_exact(S::LEN) {
            let x = s.load(part);
            let y = s.add(s.mul(x, x), s.splat(1.25));
            let z = s.sub(x, y);
            let (i, j) = (s.bits(x), s.bits(y));
            let [wide_i, wide_j] = [s.widen(i), s.widen(j)];
            let all = [
                y,
                z,
                s.div(x, y),
                s.fma(x, y, z),
                s.fnma(x, y, z),
                s.sqrt(x),
                s.min(x, y),
                s.max(x, z),
                s.select(s.lt(x, y), x, z),
                s.select(s.eq(x, s.splat(3.5)), y, z),
                s.select(s.lt_u32(i, j), x, z),
                s.floor(x),
                s.round(x),
                s.mul_power_of_two(x, s.round(y)),
                s.to_f32(i),
                s.with_bits(s.add_i32(i, j)),
                s.with_bits(s.sub_i32(i, j)),
                s.with_bits(s.and(i, j)),
                s.with_bits(s.or(i, s.splat_i32(12345))),
                s.with_bits(s.xor(i, j)),
                s.with_bits(s.shl::<5>(i)),
                s.with_bits(s.shr::<5>(i)),
                s.with_bits(s.narrow(s.mul_lower_halves(wide_i, wide_j))),
                s.with_bits(s.narrow(s.upper_half(s.mul_lower_halves(wide_i, wide_j)))),
                s.with_bits(s.narrow(s.xor_u64(wide_i, s.splat_u64(0xABCD)))),
                s.lookup(&TABLE, s.shr::<18>(i)),
            ];
            for (result, v) in results.iter_mut().zip(all) {
                let mut lanes = [0.0; 32];
                s.store(v, &mut lanes);
                result.extend(lanes[..S::LEN].iter().map(|x| x.to_bits()));
            }
        }
        results
    }
    let x = std::array::from_fn(|i| (i as f32 - 11.0) * 0.28125);
    for isa in Isa::available() {
        let [narrow, wide] = isa.dispatch(All(x));
        for (k, (narrow, wide)) in narrow.iter().zip(&wide).enumerate() {
            assert_eq!(narrow, wide, "{isa}: operation {k}");
        }
    }
}

/// Partial loads and stores of each length touch no other element.
#[test]
fn a_part_of_a_vector_is_loaded_and_stored() {
    struct Part<'a>(&'a [f32]);
    impl SimdOp for Part<'_> {
        type Output = ();
        #[inline(always)]
        fn eval<S: Simd>(self, s: S) {
            copy(s, self.0);
            copy(s.wide(), self.0);
        }
    }
    #[inline(always)]
    fn copy<S: Simd>(s: S, from: &[f32]) {
        let n = from.len().min(S::LEN);
        let v = s.load_partial(&from[..n]);
        let mut lanes = [7.0; 32];
        s.store(v, &mut lanes);
        assert_eq!(lanes[..n], from[..n]);
        assert!(lanes[n..S::LEN].iter().all(|x| *x == 0.0));
        let mut to = [-1.0; 33];
        s.store_partial(v, &mut to[..n]);
        assert_eq!(to[..n], from[..n]);
        assert!(to[n..].iter().all(|x| *x == -1.0));
    }
    let from: Vec<f32> = (1..=32u8).map(f32::from).collect();
    for isa in Isa::available() {
        for n in 0..=32 {
            isa.dispatch(Part(&from[..n]));
        }
    }
}

/// `a · b + c` and `c − a · b` of each triple.
struct MultiplyAdd<'a>(&'a [[f32; 3]]);

impl SimdOp for MultiplyAdd<'_> {
    type Output = Vec<[f32; 2]>;
    #[inline(always)]
    fn eval<S: Simd>(self, s: S) -> Vec<[f32; 2]> {
        let mut all = Vec::new();
        for triples in self.0.chunks(S::LEN) {
            let operand = |i: usize| {
                let mut lanes = [0.0; 16];
                lanes.iter_mut().zip(triples).for_each(|(lane, triple)| *lane = triple[i]);
                s.load(&lanes)
            };
            let (a, b, c) = (operand(0), operand(1), operand(2));
            let (mut sums, mut differences) = ([0.0; 16], [0.0; 16]);
            s.store(s.fma(a, b, c), &mut sums);
            s.store(s.fnma(a, b, c), &mut differences);
            all.extend((0..triples.len()).map(|lane| [sums[lane], differences[lane]]));
        }
        all
    }
}

/// 0, the ends of the ranges of floats, infinities and NaN, with both signs.
fn edges() -> Vec<f32> {
    let positive = [
        0.0,
        f32::from_bits(1),
        f32::from_bits(0x7F_FFFF),
        f32::MIN_POSITIVE,
        1.0,
        1.0 + f32::EPSILON,
        f32::MAX,
        f32::INFINITY,
        f32::NAN,
    ];
    positive.into_iter().flat_map(|x| [x, -x]).collect()
}

/// Sums whose distance from a tie is lost if they are rounded to `f64` on the way: c is any
/// finite float, and `a · b = h·(1 − (i/2²³)²)`, where h is half of c's last place.
fn near_ties(rng: &mut Xoshiro256PlusPlus) -> [f32; 3] {
    let power = |n: i32| f32::from_bits((n + 127).cast_unsigned() << 23);
    // One in four is subnormal.
    let biased = [0, 1, 1, 1][rng.random_range(0..4)] * rng.random_range(1..=253);
    let c = f32::from_bits((biased << 23) | rng.random_range(0..1 << 23));
    let h = biased.max(1).cast_signed() - 127 - 24;
    let i = rng.random_range(0..4) as f32 * f32::EPSILON;
    let (a, b) = ((1.0 + i) * power(h / 2), (1.0 - i) * power(h - h / 2));
    let sign = |x: f32, minus: bool| if minus { -x } else { x };
    [sign(a, rng.random()), sign(b, rng.random()), sign(c, rng.random())]
}

#[test]
fn a_multiply_add_that_fuses_rounds_once() {
    let edges = edges();
    let mut triples = Vec::new();
    for &a in &edges {
        for &b in &edges {
            triples.extend(edges.iter().map(|&c| [a, b, c]));
        }
    }
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
    let count = if cfg!(miri) { 100 } else { 100_000 };
    triples.extend((0..count).map(|_| [(); 3].map(|()| f32::from_bits(rng.random()))));
    triples.extend((0..count).map(|_| near_ties(&mut rng)));
    for isa in Isa::available() {
        let mut rounds_twice = 0;
        for (triple, found) in triples.iter().zip(isa.dispatch(MultiplyAdd(&triples))) {
            let [a, b, c] = *triple;
            // The standard library's rounds once, whatever the CPU has.
            let expected = [a.mul_add(b, c), (-a).mul_add(b, c)];
            for (found, expected) in found.into_iter().zip(expected) {
                if found.is_nan() && expected.is_nan() {
                    continue;
                }
                // Neighbours have neighbouring bits.
                let apart = found.to_bits().abs_diff(expected.to_bits());
                assert!(apart <= 1, "{isa}: {a:e} · {b:e} and {c:e}: {found:e}, not {expected:e}");
                rounds_twice += apart;
            }
        }
        assert_eq!(rounds_twice == 0, isa.fuses(), "{isa}: {rounds_twice} results");
    }
}

/// Columns of 8 × 8, for each distance between them.
#[test]
fn columns_of_eight_rows() {
    struct Columns<'a>([&'a [f32]; 8], &'a mut [f32], usize);
    impl SimdOp for Columns<'_> {
        type Output = ();
        #[inline(always)]
        fn eval<S: Simd>(self, s: S) {
            s.columns_of_8(self.0, self.1, self.2);
        }
    }
    let data: Vec<f32> = (0..72).map(|i| i as f32).collect();
    let rows: [&[f32]; 8] = std::array::from_fn(|i| &data[9 * i..]);
    for isa in Isa::available() {
        for step in 1..=8 {
            let mut to = vec![f32::NAN; 7 * step + 8];
            isa.dispatch(Columns(rows, &mut to, step));
            for (at, found) in to[..8 * step].iter().enumerate() {
                let (j, i) = (at / step, at % step);
                assert_eq!(*found, (9 * i + j) as f32, "{isa}, step {step}, ({i}, {j})");
            }
        }
    }
}

#[test]
fn columns_need_their_room() {
    struct Columns(usize);
    impl SimdOp for Columns {
        type Output = bool;
        #[inline(always)]
        fn eval<S: Simd>(self, s: S) -> bool {
            let (row, mut to) = ([0.0; 8], vec![0.0; self.0]);
            let run = || s.columns_of_8([&row; 8], &mut to, 6);
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_ok()
        }
    }
    for isa in Isa::available() {
        assert!(isa.dispatch(Columns(50)) && !isa.dispatch(Columns(49)), "{isa}");
    }
}

/// An index is taken modulo 16.
#[test]
fn a_table_is_looked_up() {
    static TABLE: Table16 = Table16::new([
        0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 10.5, 11.5, 12.5, 13.5, 14.5, 15.5,
    ]);
    struct Lookup;
    impl SimdOp for Lookup {
        type Output = ();
        #[inline(always)]
        fn eval<S: Simd>(self, s: S) {
            for first in [0, 16, -7, i32::MAX - 31, i32::MIN] {
                let counts: [f32; 32] = std::array::from_fn(|i| f32::from_bits(i as u32));
                for part in counts.chunks_exact(S::LEN) {
                    let index = s.add_i32(s.bits(s.load(part)), s.splat_i32(first));
                    let mut found = [0.0; 32];
                    s.store(s.lookup(&TABLE, index), &mut found);
                    for (lane, found) in part.iter().zip(found) {
                        let index = first.wrapping_add(lane.to_bits() as i32);
                        assert_eq!(found, (index & 15) as f32 + 0.5, "{}: {index}", S::NAME);
                    }
                }
            }
        }
    }
    for isa in Isa::available() {
        isa.dispatch(Lookup);
    }
}
