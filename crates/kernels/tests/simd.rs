//! Vector operations that take more than an instruction, lane by lane, on every
//! instruction set.

use kernels::{Isa, Simd, SimdOp};

/// Runs `gather4` on 16 indices, a vector at a time: four elements for each.
struct Gather<'a>(&'a [f32], &'a [i32; 16]);

impl SimdOp for Gather<'_> {
    type Output = Vec<[f32; 4]>;
    #[inline(always)]
    fn eval<S: Simd>(self, s: S) -> Vec<[f32; 4]> {
        let indices = self.1.map(|i| f32::from_bits(i.cast_unsigned()));
        let mut found = vec![[0.0; 4]; 16];
        for (part, found) in found.chunks_exact_mut(S::LEN).enumerate() {
            let i = s.bits(s.load(&indices[part * S::LEN..]));
            for (k, gathered) in s.gather4(self.0, i).into_iter().enumerate() {
                let mut lanes = [0.0; 16];
                s.store(gathered, &mut lanes);
                for (found, lane) in found.iter_mut().zip(lanes) {
                    found[k] = lane;
                }
            }
        }
        found
    }
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
        type Output = (usize, Vec<f32>);
        #[inline(always)]
        fn eval<S: Simd>(self, s: S) -> (usize, Vec<f32>) {
            let counts: [f32; 32] = std::array::from_fn(|i| i as f32);
            let mut to = vec![0.0; 2 * S::LEN];
            let [first, second] = s.interleave(s.load(&counts), s.load(&counts[16..]));
            s.store(first, &mut to);
            s.store(second, &mut to[S::LEN..]);
            (S::LEN, to)
        }
    }
    for isa in Isa::available() {
        let (len, found) = isa.dispatch(Both);
        let expected: Vec<_> = (0..len).flat_map(|i| [i as f32, 16.0 + i as f32]).collect();
        assert_eq!(found, expected, "{isa}");
    }
}
