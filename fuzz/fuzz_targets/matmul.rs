//! Products of any shapes, strides and offsets, on every instruction set of the CPU: each
//! element is the documented chain of multiply-adds, and the gaps of C stay as they are.

#![no_main]

use arbitrary::Arbitrary;
use kernels::{
    BLOCK, Identity, Isa, MatMut, MatRef, PANEL, PanelsMut, PanelsRef, Start, Zeros, matmul,
    matmul_into_panels, matmul_panels, matmul_transposed_panels, pack, packed_len,
};
use libfuzzer_sys::fuzz_target;

/// The most multiplications of a product.
const MOST: usize = 1 << 15;

/// Value of the elements in gaps.
const GAP: f32 = 7.75;

#[derive(Arbitrary, Clone, Copy, Debug)]
struct Input {
    m: u16,
    n: u16,
    k: u16,
    a: Layout,
    b: Layout,
    c: Layout,
    alpha: i8,
    beta: i8,
    seed: u32,
    /// Of the elements of A, the share that is 0.
    zeros: u8,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
struct Layout {
    columns: bool,
    /// Elements between the neighbours in a row or column, and between those.
    gaps: (u8, u8),
    offset: u8,
}

/// A matrix in a slice of its own, after some elements that are not its.
struct Matrix {
    data: Vec<f32>,
    rows: usize,
    cols: usize,
    strides: (usize, usize),
    offset: usize,
}

impl Matrix {
    fn new(rows: usize, cols: usize, layout: Layout, mut f: impl FnMut() -> f32) -> Self {
        let Layout { columns, gaps, offset } = layout;
        let (inner, outer) = if columns { (rows, cols) } else { (cols, rows) };
        let near = 1 + usize::from(gaps.0 % 4);
        let far = inner * near + usize::from(gaps.1);
        let strides = if columns { (near, far) } else { (far, near) };
        let offset = usize::from(offset);
        // Not an element more than the last one needs, so that a step beyond it is found.
        let len = if inner == 0 || outer == 0 { 0 } else { (outer - 1) * far + (inner - 1) * near + 1 };
        let mut matrix = Self { data: vec![GAP; offset + len], rows, cols, strides, offset };
        for i in 0..rows {
            for j in 0..cols {
                let at = matrix.at(i, j);
                matrix.data[at] = f();
            }
        }
        matrix
    }

    fn at(&self, i: usize, j: usize) -> usize {
        self.offset + i * self.strides.0 + j * self.strides.1
    }

    fn get(&self, i: usize, j: usize) -> f32 {
        self.data[self.at(i, j)]
    }

    fn view(&self) -> MatRef<'_> {
        let data = &self.data[self.offset..];
        MatRef::strided(data, self.rows, self.cols, self.strides.0, self.strides.1)
    }

    fn view_mut(&mut self) -> MatMut<'_> {
        let data = &mut self.data[self.offset..];
        MatMut::strided(data, self.rows, self.cols, self.strides.0, self.strides.1)
    }

    /// Whether all that is no element is unchanged.
    fn gaps_are_whole(&self) -> bool {
        let mut data = self.data.clone();
        for i in 0..self.rows {
            for j in 0..self.cols {
                data[self.at(i, j)] = GAP;
            }
        }
        data.iter().all(|x| *x == GAP)
    }
}

/// A multiply-add as the instruction set has it.
fn multiply_add(isa: Isa, a: f32, b: f32, sum: f32) -> f32 {
    if isa.fuses() { a.mul_add(b, sum) } else { (f64::from(a) * f64::from(b) + f64::from(sum)) as f32 }
}

/// Compares the elements of a product with chains that begin at `start`.
fn check(
    what: &str,
    isa: Isa,
    found: &Matrix,
    terms: usize,
    start: impl Fn(usize, usize) -> f32,
    factors: impl Fn(usize, usize, usize) -> (f32, f32),
) {
    for i in 0..found.rows {
        for j in 0..found.cols {
            let expected = (0..terms).fold(start(i, j), |sum, p| {
                let (a, b) = factors(i, j, p);
                multiply_add(isa, a, b, sum)
            });
            let found = found.get(i, j);
            let same = found.to_bits() == expected.to_bits();
            assert!(same, "{what}, {isa}: ({i}, {j}) is {found}, not {expected}");
        }
    }
    assert!(found.gaps_are_whole(), "{what}, {isa}: wrote between the elements");
}

fuzz_target!(|input: Input| {
    let Input { m, n, k, a, b, c, alpha, beta, seed, zeros } = input;
    let [m, n, k] = [m, n, k].map(|size| usize::from(size % 700));
    if m * n * k > MOST || m * n > MOST || m * k > MOST || n * k > MOST {
        return;
    }
    let mut state = seed | 1;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    };
    let mut value = move || random() as f32 / u32::MAX as f32 * 2.0 - 1.0;
    let share = f32::from(zeros) / 128.0 - 1.0;
    let a = Matrix::new(m, k, a, || if value() < share { 0.0 } else { value() });
    let b = Matrix::new(k, n, b, &mut value);
    let start = Matrix::new(1, n, Layout { columns: false, gaps: (0, 0), offset: 0 }, &mut value);
    let mut values = (0..m * n).map(|_| value()).collect::<Vec<_>>().into_iter();
    let before = Matrix::new(m, n, c, || values.next().unwrap());
    let (alpha, beta) = (f32::from(alpha) / 16.0, f32::from(beta) / 16.0);
    let empty = || Matrix { data: before.data.clone(), ..before };

    for isa in Isa::available() {
        let mut found = empty();
        matmul(isa, alpha, a.view(), b.view(), beta, found.view_mut());
        // The documented exception.
        let transposed = before.strides.1 != 1 && before.strides.0 == 1;
        check(
            "matmul",
            isa,
            &found,
            k,
            |i, j| if beta == 0.0 { 0.0 } else { beta * before.get(i, j) },
            |i, j, p| {
                let (a, b) = (a.get(i, p), b.get(p, j));
                if transposed { (alpha * a, b) } else { (a, alpha * b) }
            },
        );

        let mut panels = vec![0.0; packed_len(k, n)];
        pack(isa, b.view(), &mut panels);
        for zeros in [Zeros::Multiply, Zeros::Skip] {
            let kept = PanelsRef::packed(&panels, k, n);
            let mut into = vec![GAP; packed_len(m, n)];
            matmul_into_panels(isa, a.view(), kept, PanelsMut::packed(&mut into, m, n.div_ceil(PANEL)), zeros);
            let row_major = Layout { columns: false, gaps: (0, 0), offset: 0 };
            let mut found = Matrix::new(m, n, row_major, || 0.0);
            for i in 0..m {
                for j in 0..n {
                    found.data[i * n + j] = into[j / PANEL * m * PANEL + i * PANEL + j % PANEL];
                }
            }
            check("into panels", isa, &found, k, |_, _| 0.0, |i, j, p| (a.get(i, p), b.get(p, j)));
        }
        if before.strides.1 != 1 && n > 1 {
            continue;
        }
        let mut row = vec![0.0; packed_len(1, n)];
        pack(isa, start.view(), &mut row);
        for zeros in [Zeros::Multiply, Zeros::Skip] {
            let mut found = empty();
            let kept = PanelsRef::packed(&panels, k, n);
            let start_row = Start::Row(PanelsRef::new(&row, 1, n, BLOCK, PANEL));
            matmul_panels(isa, a.view(), kept, start_row, found.view_mut(), Identity, zeros);
            check("panels", isa, &found, k, |_, j| start.get(0, j), |i, j, p| (a.get(i, p), b.get(p, j)));
        }
        // B is now n × k in panels: its transposed matrix is the k × n of before.
        let mut transposed = vec![0.0; packed_len(n, k)];
        pack(isa, b.view().t(), &mut transposed);
        let mut found = empty();
        let kept = PanelsRef::packed(&transposed, n, k);
        matmul_transposed_panels(isa, a.view(), kept, found.view_mut());
        check("transposed", isa, &found, k, |_, _| 0.0, |i, j, p| (a.get(i, p), b.get(p, j)));
    }
});
