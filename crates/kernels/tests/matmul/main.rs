//! The matrix product against the plainest one, on every instruction set, at every edge of
//! tile, panel and block, with any strides.
//!
//! Two oracles: sums in `f64`, which show that the elements are right, and one chain of
//! fused multiply-adds for each element, which shows that they have the documented bits.
//!
//! Miri runs these tests too, with smaller matrices and fewer of them.

use kernels::{
    BLOCK, Identity, Isa, MatMut, MatRef, PANEL, PanelsMut, PanelsRef, Relu, Start, Tanh, Zeros,
    map, matmul, matmul_into_panels, matmul_panels, matmul_transposed_panels, pack, packed_len,
};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

mod matrix;

use matrix::{LAYOUTS, Layout, Matrix};

/// Element (i, j) of the product as documented, for the C before the product.
fn chain(alpha: f32, a: &Matrix, b: &Matrix, beta: f32, c: &Matrix, i: usize, j: usize) -> f32 {
    let columns = c.strides.1 != 1 && c.strides.0 == 1;
    let start = if beta == 0.0 { 0.0 } else { beta * c.get(i, j) };
    (0..a.cols).fold(start, |sum, p| {
        let (a, b) = (a.get(i, p), b.get(p, j));
        if columns { (alpha * a).mul_add(b, sum) } else { a.mul_add(alpha * b, sum) }
    })
}

/// Element (i, j) of the product in `f64`, and the sum of the sizes of its terms.
fn exact(
    alpha: f32,
    a: &Matrix,
    b: &Matrix,
    beta: f32,
    c: &Matrix,
    i: usize,
    j: usize,
) -> (f64, f64) {
    let start = if beta == 0.0 { 0.0 } else { f64::from(beta) * f64::from(c.get(i, j)) };
    (0..a.cols).fold((start, start.abs()), |(sum, size), p| {
        let term = f64::from(alpha) * f64::from(a.get(i, p)) * f64::from(b.get(p, j));
        (sum + term, size + term.abs())
    })
}

fn check(isa: Isa, alpha: f32, a: &Matrix, b: &Matrix, beta: f32, before: &Matrix) {
    let mut c = before.clone();
    matmul(isa, alpha, a.view(), b.view(), beta, c.view_mut());
    let what = || {
        format!(
            "{isa}: {alpha}·({}×{}, strides {:?})·({}×{}, strides {:?}) + {beta}·(strides {:?})",
            a.rows, a.cols, a.strides, b.rows, b.cols, b.strides, c.strides
        )
    };
    for i in 0..c.rows {
        for j in 0..c.cols {
            let found = c.get(i, j);
            let (exact, size) = exact(alpha, a, b, beta, before, i, j);
            // k + 2 roundings, each of at most half an ULP of a partial sum.
            let bound = (a.cols + 2) as f64 * f64::from(f32::EPSILON) * size;
            let error = (f64::from(found) - exact).abs();
            assert!(error <= bound, "{}: ({i}, {j}) is {found}, not {exact}", what());
            // The scalar path has no fused multiply-add.
            if isa.fuses() {
                let chain = chain(alpha, a, b, beta, before, i, j);
                assert_eq!(found.to_bits(), chain.to_bits(), "{}: ({i}, {j})", what());
            }
        }
    }
    assert!(c.gaps_are_whole(), "{}: wrote between the elements", what());
}

/// Shapes (m, n, k) around register tiles of 2, 6 and 8 rows and of 1 and 3 panels; more
/// than one slab of k and more than one block of m; and more rows than those for which tiles
/// pack B.
#[cfg(not(miri))]
fn edges() -> impl Iterator<Item = (usize, usize, usize)> {
    let small = (0..=17).flat_map(|m| {
        [0, 1, 15, 16, 17, 31, 33, 47, 48, 49, 63, 65, 97].map(|n| (m, n, [0, 1, 2, 16, 37][m % 5]))
    });
    let deep = [223, 225, 257, 511, 513].map(|k| (9, 50, k));
    let tall = [127, 129, 257, 512, 513, 521].map(|m| (m, 17, 3));
    // Wide enough for rows of A to be packed.
    small.chain(deep).chain(tall).chain([(30, 400, 500)])
}
#[cfg(miri)]
fn edges() -> impl Iterator<Item = (usize, usize, usize)> {
    let small = (0..=5).map(|m| (m, [0, 1, 15, 16, 17, 33][m], [37, 1, 2, 16, 17, 0][m]));
    // More than one slab.
    small.chain([(1, 3, 449), (129, 2, 1)])
}

#[test]
fn every_edge_of_tile_panel_and_block() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    for (m, n, k) in edges() {
        let a = Matrix::random(m, k, Layout::Rows, &mut rng);
        let b = Matrix::random(k, n, Layout::Rows, &mut rng);
        let c = Matrix::new(m, n, Layout::Rows, || f32::NAN);
        for isa in Isa::available() {
            check(isa, 1.0, &a, &b, 0.0, &c);
        }
    }
}

#[test]
fn every_layout_alpha_and_beta() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
    #[cfg(not(miri))]
    // The second is wide enough for a transposed A to be packed, and more than one slab of k.
    let shapes =
        [(3, 5, 4), (21, 190, 240), (1, 33, 17), (40, 1, 9), (0, 4, 2), (5, 0, 2), (5, 4, 0)];
    #[cfg(miri)]
    let shapes = [(2, 3, 2), (5, 0, 2), (1, 2, 0)];
    for (m, n, k) in shapes {
        for a_layout in LAYOUTS {
            for b_layout in LAYOUTS {
                for c_layout in LAYOUTS {
                    let a = Matrix::random(m, k, a_layout, &mut rng);
                    let b = Matrix::random(k, n, b_layout, &mut rng);
                    let c = Matrix::random(m, n, c_layout, &mut rng);
                    let nan = Matrix::new(m, n, c_layout, || f32::NAN);
                    // Large products: two pairs of factors instead of four.
                    let large = m * n * k > 100_000 || cfg!(miri);
                    for isa in Isa::available() {
                        check(isa, 1.0, &a, &b, 0.0, &nan);
                        check(isa, -0.5, &a, &b, 1.0, &c);
                        if !large {
                            check(isa, 1.0, &a, &b, 0.75, &c);
                            check(isa, 0.3, &a, &b, 0.0, &nan);
                        }
                    }
                }
            }
        }
    }
}

/// A is wide enough that a transposed A would be packed, and rows have the distance of a
/// page, so that they share a cache set.
#[test]
#[cfg_attr(miri, ignore = "slow, and no other code than that of the edges")]
fn rows_that_share_a_cache_set() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
    let (m, n, k) = (13, 160, 1024);
    let a = Matrix::random(m, k, Layout::Rows, &mut rng);
    let b = Matrix::random(k, n, Layout::Rows, &mut rng);
    let c = Matrix::new(m, n, Layout::Rows, || f32::NAN);
    for isa in Isa::available() {
        check(isa, 1.0, &a, &b, 0.0, &c);
    }
}

#[test]
fn products_in_parts_of_rows_or_columns_have_the_same_bits() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(4);
    let (m, n, k) = if cfg!(miri) { (17, 17, 1) } else { (37, 83, 300) };
    let a = Matrix::random(m, k, Layout::Rows, &mut rng);
    let b = Matrix::random(k, n, Layout::Rows, &mut rng);
    for isa in Isa::available() {
        let mut whole = Matrix::new(m, n, Layout::Rows, || 0.0);
        matmul(isa, 1.0, a.view(), b.view(), 0.0, whole.view_mut());
        for cut in [0, 1, 5, 16, m - 1] {
            let mut parts = Matrix::new(m, n, Layout::Rows, || 0.0);
            let (top, bottom) = parts.view_mut().split_rows(cut);
            matmul(isa, 1.0, a.view().sub(0, cut, 0, k), b.view(), 0.0, top);
            matmul(isa, 1.0, a.view().sub(cut, m - cut, 0, k), b.view(), 0.0, bottom);
            assert!(parts == whole, "{isa}: rows cut at {cut}");

            let (left, right) = parts.view_mut().split_cols(cut);
            matmul(isa, 1.0, a.view(), b.view().sub(0, k, 0, cut), 0.0, left);
            matmul(isa, 1.0, a.view(), b.view().sub(0, k, cut, n - cut), 0.0, right);
            assert!(parts == whole, "{isa}: columns cut at {cut}");
        }
    }
}

/// NaN and infinity in A and B show in their row and column of C, and nowhere else.
#[test]
fn what_is_not_finite_stays_in_its_row_and_column() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
    let mut a = Matrix::random(11, 20, Layout::Rows, &mut rng);
    let mut b = Matrix::random(20, 35, Layout::Rows, &mut rng);
    let (in_a, in_b) = (a.at(10, 19), b.at(3, 34));
    a.data[in_a] = f32::NAN;
    b.data[in_b] = f32::INFINITY;
    for isa in Isa::available() {
        let mut c = Matrix::new(11, 35, Layout::Rows, || 0.0);
        matmul(isa, 1.0, a.view(), b.view(), 0.0, c.view_mut());
        for i in 0..11 {
            for j in 0..35 {
                let found = c.get(i, j);
                match (i, j) {
                    (10, _) => assert!(found.is_nan(), "{isa}: ({i}, {j}) = {found}"),
                    (_, 34) => assert!(found.is_infinite(), "{isa}: ({i}, {j}) = {found}"),
                    _ => assert!(found.is_finite(), "{isa}: ({i}, {j}) = {found}"),
                }
            }
        }
    }
}

#[test]
fn a_layer_is_the_product_plus_bias_then_the_activation() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(6);
    let all = [(1, 1, 1), (7, 10, 30), (4, 30, 0), (17, 48, 257), (9, 100, 16)];
    for (m, n, k) in all.into_iter().take(if cfg!(miri) { 3 } else { all.len() }) {
        let x = Matrix::random(m, k, Layout::RowsWithGaps, &mut rng);
        let w = Matrix::random(k, n, Layout::Columns, &mut rng);
        let bias = Matrix::random(1, n, Layout::Rows, &mut rng);
        let mut panels = vec![0.0; packed_len(k, n)];
        pack(Isa::available()[0], w.view(), &mut panels);
        let panels = PanelsRef::packed(&panels, k, n);
        let mut bias_panels = vec![0.0; packed_len(1, n)];
        pack(Isa::available()[0], bias.view(), &mut bias_panels);
        let bias_panels = PanelsRef::new(&bias_panels, 1, n, BLOCK, PANEL);
        for isa in Isa::available() {
            let mut z = Matrix::new(m, n, Layout::Rows, || 0.0);
            for i in 0..m {
                for j in 0..n {
                    let at = z.at(i, j);
                    z.data[at] = bias.get(0, j);
                }
            }
            matmul(isa, 1.0, x.view(), w.view(), 1.0, z.view_mut());

            let run = |f: &dyn Fn(MatMut<'_>)| {
                let mut a = Matrix::new(m, n, Layout::RowsWithGaps, || f32::NAN);
                f(a.view_mut());
                assert!(a.gaps_are_whole());
                (0..m)
                    .flat_map(|i| (0..n).map(move |j| (i, j)))
                    .map(|(i, j)| a.get(i, j))
                    .collect::<Vec<_>>()
            };
            let start = Start::Row(bias_panels);
            let plain =
                run(&|a| matmul_panels(isa, x.view(), panels, start, a, Identity, Zeros::Multiply));
            let tanh =
                run(&|a| matmul_panels(isa, x.view(), panels, start, a, Tanh, Zeros::Multiply));
            let relu =
                run(&|a| matmul_panels(isa, x.view(), panels, start, a, Relu, Zeros::Multiply));

            let z = &z.data[..m * n];
            assert_eq!(plain, z, "{isa}: {m} × {k} × {n}");
            let mut expected = z.to_vec();
            map(isa, Tanh, &mut expected);
            assert_eq!(tanh, expected, "{isa}: {m} × {k} × {n}");
            let mut expected = z.to_vec();
            map(isa, Relu, &mut expected);
            assert_eq!(relu, expected, "{isa}: {m} × {k} × {n}");
        }
    }
}

#[test]
fn a_backward_pass_through_weights_in_panels_is_the_same_product() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(9);
    // More rows than a block, more units than a slab, inputs that fill no block.
    let all = [(1, 1, 1), (10, 30, 10), (5, 30, 0), (128, 100, 48), (300, 65, 33), (13, 160, 1100)];
    for (rows, inputs, units) in all.into_iter().take(if cfg!(miri) { 3 } else { all.len() }) {
        let dz = Matrix::random(rows, units, Layout::RowsWithGaps, &mut rng);
        let w = Matrix::random(inputs, units, Layout::Rows, &mut rng);
        let mut packed = vec![0.0; packed_len(inputs, units)];
        pack(Isa::available()[0], w.view(), &mut packed);
        // The padding may have any values.
        for (at, x) in packed.iter_mut().enumerate() {
            if at / (inputs * PANEL) * PANEL + at % PANEL >= units {
                *x = f32::NAN;
            }
        }
        let panels = PanelsRef::packed(&packed, inputs, units);
        for isa in Isa::available() {
            let mut expected = Matrix::new(rows, inputs, Layout::RowsWithGaps, || 0.0);
            matmul(isa, 1.0, dz.view(), w.view().t(), 0.0, expected.view_mut());
            let mut found = Matrix::new(rows, inputs, Layout::RowsWithGaps, || f32::NAN);
            matmul_transposed_panels(isa, dz.view(), panels, found.view_mut());
            assert!(found == expected, "{isa}: {rows} × {units} × {inputs}");
        }
    }
}

#[test]
fn a_gradient_in_panels_is_the_same_product() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
    let all = [(1, 1, 1), (10, 30, 10), (128, 64, 48), (300, 65, 33)];
    for (batch, inputs, units) in all.into_iter().take(if cfg!(miri) { 2 } else { all.len() }) {
        let x = Matrix::random(batch, inputs, Layout::RowsWithGaps, &mut rng);
        let dz = Matrix::random(batch, units, Layout::Rows, &mut rng);
        let mut packed = vec![0.0; packed_len(batch, units)];
        pack(Isa::available()[0], dz.view(), &mut packed);
        let panels = units.div_ceil(PANEL);
        for isa in Isa::available() {
            let mut expected = vec![0.0; inputs * units];
            let c = MatMut::new(&mut expected, inputs, units);
            matmul(isa, 1.0, x.view().t(), dz.view(), 0.0, c);

            let mut found = vec![f32::NAN; inputs * panels * PANEL];
            let b = PanelsRef::packed(&packed, batch, units);
            matmul_into_panels(
                isa,
                x.view().t(),
                b,
                PanelsMut::packed(&mut found, inputs, panels),
                Zeros::Multiply,
            );
            for (at, found) in found.iter().enumerate() {
                let (panel, i, j) = (at / PANEL / inputs, at / PANEL % inputs, at % PANEL);
                let unit = panel * PANEL + j;
                let expected = if unit < units { expected[i * units + unit] } else { 0.0 };
                assert_eq!(*found, expected, "{isa}: input {i}, unit {unit}");
            }
        }
    }
}

/// Gaps between blocks of B: no step can be left out, and none has to be.
#[test]
fn zeros_are_not_skipped_if_blocks_have_gaps() {
    let (m, k, n) = (3, 20, 16);
    let a: Vec<f32> = (0..m * k).map(|at| if at % k == 17 { 2.0 } else { 0.0 }).collect();
    // Rows 16 to 19 begin 100 elements after the first 16 rows.
    let mut b = vec![f32::NAN; BLOCK + 100 + 4 * PANEL];
    b[..BLOCK].fill(1.0);
    b[BLOCK + 100..].fill(3.0);
    for isa in Isa::available() {
        let mut c = vec![f32::NAN; m * n];
        let (a, b) = (MatRef::new(&a, m, k), PanelsRef::new(&b, k, n, BLOCK + 100, 0));
        let view = MatMut::new(&mut c, m, n);
        matmul_panels(isa, a, b, Start::Zero, view, Identity, Zeros::Skip);
        assert!(c.iter().all(|c| *c == 6.0), "{isa}: {c:?}");
    }
}

#[test]
#[should_panic(expected = "the start is 2 × 5, but C has rows of 5")]
fn a_start_of_two_rows_is_an_error() {
    let isa = Isa::available()[0];
    let (a, b, mut c) = ([0.0; 6], [0.0; 48], [0.0; 10]);
    let (a, b, start) = (
        MatRef::new(&a, 2, 3),
        PanelsRef::packed(&b, 3, 5),
        Start::Row(PanelsRef::packed(&b, 2, 5)),
    );
    let c = MatMut::new(&mut c, 2, 5);
    matmul_panels(isa, a, b, start, c, Identity, Zeros::Multiply);
}

#[test]
#[should_panic(expected = "A is 2 × 3, B is 4 × 5 and C is 2 × 5")]
fn shapes_that_do_not_fit_are_named() {
    let isa = Isa::available()[0];
    let (a, b, mut c) = ([0.0; 6], [0.0; 20], [0.0; 10]);
    let c = MatMut::new(&mut c, 2, 5);
    matmul(isa, 1.0, MatRef::new(&a, 2, 3), MatRef::new(&b, 4, 5), 0.0, c);
}

/// Packed panels as a row-major matrix.
fn row_major(packed: &[f32], rows: usize, panels: usize) -> Vec<f32> {
    let lines = (0..rows).flat_map(|row| (0..panels).map(move |panel| panel * rows + row));
    lines.flat_map(|line| &packed[line * PANEL..][..PANEL]).copied().collect()
}

fn bits(elements: &[f32]) -> Vec<u32> {
    elements.iter().map(|x| x.to_bits()).collect()
}

#[test]
fn skipped_zeros_and_row_major_panels_change_no_bit() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(8);
    let all = [(1, 1, 1), (2, 17, 20), (9, 30, 100), (37, 100, 784), (128, 48, 600), (300, 20, 40)];
    for (m, n, k) in all.into_iter().take(if cfg!(miri) { 2 } else { all.len() }) {
        for layout in LAYOUTS {
            for share in if cfg!(miri) { vec![0.05, 0.9] } else { vec![0.0, 0.05, 0.9, 1.0] } {
                // Elements that are not zero are neighbours, like ink; −0 is a zero too.
                let mut from = (0..m * k).map(|at| {
                    let ink = (at % k) as f32 / k as f32 <= share && rng.random::<f32>() < 0.5;
                    match (ink, at % 3) {
                        (true, _) => rng.random::<f32>() - 0.5,
                        (false, 0) => -0.0,
                        (false, _) => 0.0,
                    }
                });
                let a = Matrix::new(m, k, layout, || from.next().unwrap());
                let mut rng = Xoshiro256PlusPlus::seed_from_u64(9);
                let b = Matrix::random(k, n, Layout::Rows, &mut rng);
                let mut bias = Matrix::random(1, n, Layout::Rows, &mut rng);
                bias.data[0] = -0.0;
                let (mut b_panels, mut bias_panels) =
                    (vec![0.0; packed_len(k, n)], vec![0.0; packed_len(1, n)]);
                pack(Isa::available()[0], b.view(), &mut b_panels);
                pack(Isa::available()[0], bias.view(), &mut bias_panels);
                let panels = PanelsRef::packed(&b_panels, k, n);
                let rows = row_major(&b_panels, k, n.div_ceil(PANEL));
                let rows = PanelsRef::row_major(&rows, k, n);
                let bias = PanelsRef::new(&bias_panels, 1, n, BLOCK, PANEL);
                for isa in Isa::available() {
                    let run = |b, zeros| {
                        let mut c = vec![f32::NAN; m * n];
                        let view = MatMut::new(&mut c, m, n);
                        matmul_panels(isa, a.view(), b, Start::Row(bias), view, Identity, zeros);
                        let width = n.div_ceil(PANEL);
                        let mut dw = vec![f32::NAN; m * width * PANEL];
                        matmul_into_panels(
                            isa,
                            a.view(),
                            b,
                            PanelsMut::packed(&mut dw, m, width),
                            zeros,
                        );
                        let mut wide = vec![f32::NAN; dw.len()];
                        let view = PanelsMut::row_major(&mut wide, m, width);
                        matmul_into_panels(isa, a.view(), b, view, zeros);
                        assert!(bits(&wide) == bits(&row_major(&dw, m, width)), "{isa}");
                        bits(&[c, dw].concat())
                    };
                    let expected = run(panels, Zeros::Multiply);
                    for (b, zeros) in
                        [(panels, Zeros::Skip), (rows, Zeros::Multiply), (rows, Zeros::Skip)]
                    {
                        let same = run(b, zeros) == expected;
                        assert!(same, "{isa}: {m} × {k} × {n}, {layout:?}, {share}, {zeros:?}");
                    }
                }
            }
        }
    }
}
