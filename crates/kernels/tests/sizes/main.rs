//! Sizes and strides that no matrix has. Each public constructor and each entry point either
//! panics with a message or stays inside of its slices.
//!
//! Slices lie between walls (`walled.rs`). A panic about overflow is no answer, because a
//! release build does not check for overflow.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use kernels::{
    AlignedBuf, Gains, GainsGradient, Identity, Isa, MatMut, MatRef, Moments, PANEL, PanelsMut,
    PanelsRef, Product, RowLoss, Simd, SimdOp, Start, Stream, Zeros, add_gaussian, batch_norm,
    batch_norm_backward, cross_entropy, cross_entropy_gradient, dropout, dropout_in_place,
    dropout_mask, gaussian_mask, map, matmul, matmul_into_panels, matmul_panels,
    matmul_transposed_panels, pack, packed_len, scale_bytes, scale_shift, softmax_rows, uniform,
    zip, zip_masked,
};

mod walled;

use walled::{INSIDE, Walled, is_inside};

/// Sizes around those of a panel, and around those where `16 · size`, `256 · size` or
/// `size + 15` wraps.
#[cfg(not(miri))]
const SIZES: [usize; 13] = [
    0,
    1,
    15,
    16,
    17,
    33,
    usize::MAX / 256 + 1,
    usize::MAX / 16 + 1,
    usize::MAX / 16 + 2,
    isize::MAX as usize + 1,
    usize::MAX - 16,
    usize::MAX - 15,
    usize::MAX,
];
#[cfg(miri)]
const SIZES: [usize; 5] = [0, 1, 17, usize::MAX / 16 + 1, usize::MAX - 15];

/// Lengths of the slices that views are made of.
#[cfg(not(miri))]
const LENGTHS: [usize; 3] = [0, 32, 600];
#[cfg(miri)]
const LENGTHS: [usize; 1] = [32];

/// Rows or columns at which views are split.
#[cfg(not(miri))]
const SPLITS: [usize; 4] = [0, 1, 16, usize::MAX];
#[cfg(miri)]
const SPLITS: [usize; 1] = [1];

/// Operations of a product that a test may take.
const AFFORDABLE: usize = 100_000;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// What `f` returns, or `None` if it panics, which it may do only with a message of its own.
fn attempt<R>(what: &dyn Fn() -> String, f: impl FnOnce() -> R) -> Option<R> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                print(panic);
            }
        }));
    });
    QUIET.set(true);
    let result = catch_unwind(AssertUnwindSafe(f));
    QUIET.set(false);
    let payload = match result {
        Ok(value) => return Some(value),
        Err(payload) => payload,
    };
    let message = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or_default();
    assert!(!message.is_empty(), "{}: a panic without a message", what());
    assert!(!message.starts_with("attempt to"), "{}: {message}", what());
    None
}

fn pairs() -> impl Iterator<Item = (usize, usize)> {
    SIZES.into_iter().flat_map(|a| SIZES.map(move |b| (a, b)))
}

/// All quadruples of sizes; under Miri, which is slow, one of 47. Among these are views with
/// elements.
fn quadruples() -> impl Iterator<Item = [usize; 4]> {
    let all = pairs().flat_map(|(a, b)| pairs().map(move |(c, d)| [a, b, c, d]));
    all.step_by(if cfg!(miri) { 47 } else { 1 })
}

/// Some indices below `len`, among them the last one.
fn indices(len: usize) -> impl Iterator<Item = usize> + Clone {
    let last = len.wrapping_sub(1);
    [0, 1, 15, 16, 17, len / 2, last].into_iter().filter(move |i| *i < len)
}

fn probe_ref(what: &dyn Fn() -> String, view: MatRef<'_>) {
    for i in indices(view.rows()) {
        for j in indices(view.cols()) {
            assert_eq!(view.get(i, j), INSIDE, "{}: ({i}, {j})", what());
        }
        if let Some(row) = attempt(what, || view.row(i)) {
            assert!(row.len() == view.cols() && is_inside(row), "{}: row {i}", what());
        }
    }
    for (i, j) in [(view.rows(), 0), (0, view.cols()), (usize::MAX, usize::MAX)] {
        assert_eq!(attempt(what, || view.get(i, j)), None, "{}: ({i}, {j})", what());
    }
}

fn probe_mut(what: &dyn Fn() -> String, mut view: MatMut<'_>) {
    probe_ref(what, view.as_ref());
    for i in indices(view.rows()) {
        for j in indices(view.cols()) {
            view.set(i, j, INSIDE);
        }
        attempt(what, || view.row_mut(i).fill(INSIDE));
    }
    for (i, j) in [(view.rows(), 0), (0, view.cols()), (usize::MAX, usize::MAX)] {
        assert_eq!(attempt(what, || view.set(i, j, 0.0)), None, "{}: ({i}, {j})", what());
    }
}

#[test]
fn matrices_for_reading() {
    for len in LENGTHS {
        let data = Walled::new(len);
        for [rows, cols, row_stride, col_stride] in quadruples() {
            let what = || format!("{rows} × {cols}, strides {row_stride}, {col_stride}, in {len}");
            let strided = || MatRef::strided(data.inside(), rows, cols, row_stride, col_stride);
            let Some(view) = attempt(&what, strided) else { continue };
            probe_ref(&what, view);
            probe_ref(&what, view.t());
        }
        for (rows, cols) in pairs() {
            let what = || format!("{rows} × {cols}, in {len}");
            let view = attempt(&what, || MatRef::new(data.inside(), rows, cols));
            let fits = rows.checked_mul(cols) == Some(len);
            assert_eq!(view.is_some(), fits, "{}", what());
            view.inspect(|view| probe_ref(&what, *view));
        }
    }
}

#[test]
fn parts_of_matrices() {
    let data = Walled::new(600);
    for (rows, cols, row_stride, col_stride) in
        [(17, 33, 33, 1), (1, 600, usize::MAX, 1), (600, 1, 1, usize::MAX), (usize::MAX, 0, 9, 9)]
    {
        for [start, height, left, width] in quadruples() {
            let what = || {
                format!(
                    "{height} rows from {start}, {width} columns from {left}, of {rows} × {cols}"
                )
            };
            let view = MatRef::strided(data.inside(), rows, cols, row_stride, col_stride);
            let Some(part) = attempt(&what, || view.sub(start, height, left, width)) else {
                continue;
            };
            assert_eq!((part.rows(), part.cols()), (height, width), "{}", what());
            probe_ref(&what, part);
        }
    }
}

#[test]
fn matrices_for_writing() {
    for len in LENGTHS {
        let mut data = Walled::new(len);
        for [rows, cols, row_stride, col_stride] in quadruples() {
            let what = || format!("{rows} × {cols}, strides {row_stride}, {col_stride}, in {len}");
            let view = attempt(&what, || {
                MatMut::strided(data.inside_mut(), rows, cols, row_stride, col_stride)
            });
            let Some(mut view) = view else { continue };
            probe_mut(&what, view.reborrow());
            probe_mut(&what, view.reborrow().t());
            for (at, by_rows) in SPLITS.into_iter().flat_map(|at| [(at, true), (at, false)]) {
                let view = view.reborrow();
                let split = || if by_rows { view.split_rows(at) } else { view.split_cols(at) };
                if let Some((first, second)) = attempt(&what, split) {
                    probe_mut(&what, first);
                    probe_mut(&what, second);
                }
            }
            assert!(data.walls_stand(), "{}", what());
        }
        for (rows, cols) in pairs() {
            let what = || format!("{rows} × {cols}, in {len}");
            let view = attempt(&what, || MatMut::new(data.inside_mut(), rows, cols));
            assert_eq!(view.is_some(), rows.checked_mul(cols) == Some(len), "{}", what());
            if let Some(view) = view {
                probe_mut(&what, view);
            }
        }
        assert!(data.walls_stand());
    }
}

/// Whether products with `m × k × n` operations end soon. Without elements, C needs none.
fn affordable(m: usize, k: usize, n: usize) -> bool {
    m == 0 || n == 0 || m.saturating_mul(n).saturating_mul(k.max(1)) <= AFFORDABLE
}

/// Multiplies by `b` and checks that only elements inside of its slice were read.
fn multiply_panels(what: &dyn Fn() -> String, isa: Isa, b: PanelsRef<'_>) {
    let (k, n) = (b.rows(), b.cols());
    for m in [0, 1, 9] {
        let ones = [INSIDE];
        if affordable(m, k, n) {
            let a = MatRef::strided(&ones, m, k, 0, 0);
            let expected = k as f32;
            for zeros in [Zeros::Multiply, Zeros::Skip] {
                let mut c = Walled::new(m * n);
                attempt(what, || {
                    let c = MatMut::new(c.inside_mut(), m, n);
                    matmul_panels(isa, a, b, Start::Zero, c, Identity, zeros);
                })
                .unwrap_or_else(|| panic!("{}: no product", what()));
                let right = c.walls_stand() && c.inside().iter().all(|c| *c == expected);
                assert!(right, "{isa}, {}: {:?}", what(), c.inside());

                let panels = n.div_ceil(PANEL);
                let mut c = Walled::new(m * panels * PANEL);
                let view = PanelsMut::packed(c.inside_mut(), m, panels);
                matmul_into_panels(isa, a, b, view, zeros);
                let right = c.walls_stand() && c.inside().iter().all(|c| *c == expected);
                assert!(right, "{isa}, {}: {:?}", what(), c.inside());
            }
        }
        if affordable(m, n, k) {
            let a = MatRef::strided(&ones, m, n, 0, 0);
            let mut c = Walled::new(m * k);
            // May panic: rows of a row-major matrix have gaps between those of a panel.
            let done = attempt(what, || {
                matmul_transposed_panels(isa, a, b, MatMut::new(c.inside_mut(), m, k));
            });
            let right = done.is_none() || c.inside().iter().all(|c| *c == n as f32);
            assert!(right && c.walls_stand(), "{isa}, {}: {:?}", what(), c.inside());
        }
        if affordable(m, 1, n) {
            let a = MatRef::strided(&ones, m, 0, usize::MAX, usize::MAX);
            let none = PanelsRef::new(&[], 0, n, usize::MAX, usize::MAX);
            let mut c = Walled::new(m * n);
            let done = attempt(what, || {
                let (c, start) = (MatMut::new(c.inside_mut(), m, n), Start::Row(b));
                matmul_panels(isa, a, none, start, c, Identity, Zeros::Multiply);
            });
            assert_eq!(done.is_some(), k == 1, "{isa}, {}: as a row", what());
            assert!(is_inside(c.inside()) && c.walls_stand(), "{isa}, {}: as a row", what());
        }
    }
}

#[test]
fn panels_for_reading() {
    for len in LENGTHS {
        let data = Walled::new(len);
        for [rows, cols, block_stride, panel_stride] in quadruples() {
            let what = || {
                format!("{rows} × {cols} in panels, strides {block_stride}, {panel_stride}, {len}")
            };
            let new = || PanelsRef::new(data.inside(), rows, cols, block_stride, panel_stride);
            let Some(view) = attempt(&what, new) else { continue };
            Isa::available().into_iter().for_each(|isa| multiply_panels(&what, isa, view));
        }
        for (rows, cols) in pairs() {
            let what = || format!("{rows} × {cols} in panels, in {len}");
            for new in [PanelsRef::packed, PanelsRef::row_major] {
                let Some(view) = attempt(&what, || new(data.inside(), rows, cols)) else {
                    continue;
                };
                Isa::available().into_iter().for_each(|isa| multiply_panels(&what, isa, view));
            }
        }
    }
}

#[test]
fn panels_for_writing() {
    for len in LENGTHS {
        let mut data = Walled::new(len);
        for isa in Isa::available() {
            for (rows, panels) in pairs() {
                let what = || format!("{isa}: {rows} rows of {panels} panels, in {len}");
                for row_major in [false, true] {
                    let new = if row_major { PanelsMut::row_major } else { PanelsMut::packed };
                    let c = attempt(&what, || new(data.inside_mut(), rows, panels));
                    let Some(c) = c else { continue };
                    let ones = [INSIDE; PANEL];
                    let a = MatRef::strided(&ones, rows, 1, 0, 0);
                    let b = PanelsRef::new(&ones, 1, panels * PANEL, 0, 0);
                    matmul_into_panels(isa, a, b, c, Zeros::Multiply);
                    assert!(is_inside(data.inside()) && data.walls_stand(), "{}", what());
                }
            }
        }
    }
}

#[test]
fn products_of_any_matrices() {
    let data = Walled::new(33);
    for isa in Isa::available() {
        for [rows, cols, row_stride, col_stride] in quadruples() {
            let what = || format!("{isa}: {rows} × {cols}, strides {row_stride}, {col_stride}");
            let strided = || MatRef::strided(data.inside(), rows, cols, row_stride, col_stride);
            let Some(view) = attempt(&what, strided) else { continue };
            for n in [0, 1, 17] {
                let (m, k) = (rows, cols);
                if affordable(m, k, n) {
                    for alpha in [1.0, 2.0] {
                        // As A, then its transpose as B, with C = 3, row-major and transposed.
                        let other = MatRef::strided(&[INSIDE], k, n, 0, 0);
                        let expected = alpha * k as f32 + 0.5 * INSIDE;
                        for transposed in [false, true] {
                            let mut c = Walled::new(m * n);
                            let whole = MatMut::new(c.inside_mut(), m, n);
                            if transposed {
                                matmul(isa, alpha, other.t(), view.t(), 0.5, whole.t());
                            } else {
                                matmul(isa, alpha, view, other, 0.5, whole);
                            }
                            let right = c.inside().iter().all(|c| *c == expected);
                            assert!(right && c.walls_stand(), "{}: {:?}", what(), c.inside());
                        }
                    }
                }
            }
            let (b, mut c) = ([INSIDE; 6], Walled::new(4));
            let done = attempt(&what, || {
                let c = MatMut::new(c.inside_mut(), 2, 2);
                matmul(isa, 1.0, view, MatRef::new(&b, 3, 2), 0.0, c);
            });
            assert_eq!(done.is_some(), (rows, cols) == (2, 3), "{}", what());

            let len = attempt(&what, || packed_len(rows, cols));
            let fits = len.is_some_and(|len| len <= AFFORDABLE);
            let mut packed = Walled::new(if fits { len.unwrap_or_default() } else { 0 });
            let done = attempt(&what, || pack(isa, view, packed.inside_mut()));
            let right = packed.inside().iter().all(|x| *x == INSIDE || *x == 0.0);
            assert!(done.is_some() == fits && right && packed.walls_stand(), "{}", what());
        }
    }
}

#[test]
fn lengths() {
    for (rows, cols) in pairs() {
        let what = || format!("{rows} × {cols}");
        let exact = rows as u128 * cols.div_ceil(PANEL) as u128 * PANEL as u128;
        if let Some(len) = attempt(&what, || packed_len(rows, cols)) {
            assert_eq!(len as u128, exact, "{}", what());
        }
    }
    // Lengths between these make the allocator end the process.
    for len in SIZES.into_iter().filter(|len| *len <= 256 || *len > isize::MAX as usize / 4) {
        let what = || format!("a buffer of {len}");
        let zeros = attempt(&what, || AlignedBuf::zeros(len));
        assert_eq!(zeros.is_some(), len <= 256, "{}", what());
        let mut buffer = AlignedBuf::zeros(17);
        attempt(&what, || buffer.resize(len));
        let expected = if len <= 256 { len } else { 17 };
        assert!(buffer.len() == expected && buffer.iter().all(|x| *x == 0.0), "{}", what());
    }
}

#[test]
fn functions_of_rows() {
    for isa in Isa::available() {
        for [rows, cols, row_stride, col_stride] in quadruples() {
            // A matrix without columns takes a step for each row.
            if rows > AFFORDABLE || cols > AFFORDABLE {
                continue;
            }
            let what = || format!("{isa}: {rows} × {cols}, strides {row_stride}, {col_stride}");
            let mut data = [Walled::new(33), Walled::new(33)];
            let (labels, mut losses) = (vec![0; rows], vec![RowLoss::default(); rows]);
            let [gain, mut sums, mut other] = [(); 3].map(|()| vec![INSIDE; cols]);
            // May panic, but with a message, and may write inside.
            attempt(&what, || {
                let [mut x, mut y] = data.each_mut().map(|data| {
                    MatMut::strided(data.inside_mut(), rows, cols, row_stride, col_stride)
                });
                attempt(&what, || softmax_rows(isa, x.reborrow()));
                attempt(&what, || cross_entropy(isa, x.as_ref(), &labels, &mut losses));
                attempt(&what, || {
                    cross_entropy_gradient(isa, x.reborrow(), &labels, 1.0, &mut losses);
                });
                attempt(&what, || {
                    let gains = Gains { gain: &gain, bias: &gain };
                    let moments = Moments { mean: &mut sums, inverse: &mut other };
                    batch_norm(isa, 0.1, gains, x.reborrow(), y.reborrow(), moments);
                });
                attempt(&what, || {
                    let gradient = GainsGradient { gain: &mut sums, bias: &mut other };
                    let (n, dz) = (x.as_ref(), y.reborrow());
                    batch_norm_backward(isa, &gain, &gain, n, n, dz, gradient);
                });
            });
            for data in &data {
                let finite = data.inside().iter().all(|x| !x.is_nan());
                assert!(finite && data.walls_stand(), "{}: {:?}", what(), data.inside());
            }
        }
    }
}

#[test]
fn functions_of_slices() {
    for isa in Isa::available() {
        // Under Miri random numbers are slow: half of the pairs, among them the largest `first`.
        let pairs = pairs().filter(|(_, len)| *len <= 256).step_by(1 + usize::from(cfg!(miri)));
        for (first, len) in pairs {
            for other in [len, len / 2, len + 1] {
                let what = || format!("{isa}: {len} and {other} elements, first {first}");
                let stream = Stream { seed: 1, counter: [2; 3], first };
                let (mut x, mut y, z) = (Walled::new(len), Walled::new(other), Walled::new(len));
                let bytes = vec![1; other];
                let (xs, ys, zs) = (x.inside_mut(), y.inside_mut(), z.inside());
                attempt(&what, || map(isa, Identity, xs));
                attempt(&what, || zip(isa, Product, xs, ys));
                attempt(&what, || zip_masked(isa, Product, xs, ys, zs));
                attempt(&what, || scale_bytes(isa, &bytes, 1.0, xs));
                attempt(&what, || scale_shift(isa, zs, Gains { gain: zs, bias: ys }, xs));
                attempt(&what, || dropout_mask(isa, stream, 0.5, xs));
                attempt(&what, || dropout(isa, stream, 0.5, zs, xs, ys));
                attempt(&what, || dropout_in_place(isa, stream, 0.5, xs, ys));
                attempt(&what, || add_gaussian(isa, stream, 0.5, xs));
                attempt(&what, || gaussian_mask(isa, stream, 0.5, xs));
                attempt(&what, || uniform(isa, stream, xs));
                for walled in [&x, &y] {
                    let finite = walled.inside().iter().all(|x| x.is_finite());
                    assert!(finite && walled.walls_stand(), "{}", what());
                }
            }
        }
    }
}

#[test]
fn vectors() {
    struct Copy<'a>(&'a [f32], &'a mut [f32], bool);
    impl SimdOp for Copy<'_> {
        type Output = ();
        #[inline(always)]
        fn eval<S: Simd>(self, s: S) {
            let Self(from, to, partial) = self;
            if partial {
                s.store_partial(s.load_partial(from), to);
            } else {
                s.store(s.load(from), to);
            }
        }
    }
    for isa in Isa::available() {
        // Under Miri, which is slow, the ends and the lengths around a vector and a panel.
        let lens = || (0..18_usize).filter(|len| !cfg!(miri) || matches!(len, 0 | 1 | 15..=17));
        for (from, to) in lens().flat_map(|from| lens().map(move |to| (from, to))) {
            for partial in [false, true] {
                let what = || format!("{isa}: {from} elements to {to}, partial: {partial}");
                let (source, mut target) = (Walled::new(from), Walled::new(to));
                let copy = Copy(source.inside(), target.inside_mut(), partial);
                attempt(&what, || isa.dispatch(copy));
                let known = target.inside().iter().all(|x| *x == INSIDE || *x == 0.0);
                assert!(known && target.walls_stand(), "{}", what());
            }
        }
    }
}
