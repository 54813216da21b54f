//! The products that `matmul` and `rivals` measure, the libraries that compute them too, and
//! the peak to compare them with.

use std::hint::black_box;

use kernels::{
    Identity, Isa, MatMut, MatRef, PanelsRef, Simd, SimdOp, Start, Zeros, matmul, matmul_panels,
};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

/// m, k, n, and whether A is stored transposed, as activations are in the product for the
/// gradient of weights.
pub(crate) const SHAPES: &[(usize, usize, usize, bool)] = &[
    (128, 784, 30, false),
    (128, 784, 100, false),
    (128, 784, 512, false),
    (128, 512, 512, false),
    (128, 512, 10, false),
    (784, 128, 30, true),
    (784, 128, 100, true),
    (784, 128, 512, true),
    (128, 10, 512, false),
    (256, 256, 256, false),
    (512, 512, 512, false),
    (1024, 1024, 1024, false),
    (2048, 2048, 2048, false),
    (4096, 4096, 4096, false),
];

/// Chains of fused multiply-adds: enough to keep every unit busy, and few enough
/// for the registers of every instruction set.
const CHAINS: usize = 12;

/// Nothing but fused multiply-adds, from registers to registers: the peak. Returns the
/// number of operations.
pub(crate) struct Peak;

impl SimdOp for Peak {
    type Output = f64;

    #[inline(always)]
    fn eval<S: Simd>(self, s: S) -> f64 {
        const ROUNDS: usize = 10_000;
        let (a, b) = (s.splat(black_box(0.999)), s.splat(black_box(1e-3)));
        let mut chains = [s.splat(1.0); CHAINS];
        for _ in 0..ROUNDS {
            for chain in &mut chains {
                *chain = s.fma(*chain, a, b);
            }
        }
        black_box(chains.into_iter().map(|chain| s.sum(chain)).sum::<f32>());
        (2 * CHAINS * ROUNDS * S::LEN) as f64
    }
}

pub(crate) fn random(len: usize, seed: u64) -> Vec<f32> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    (0..len).map(|_| rng.random::<f32>() - 0.5).collect()
}

/// One product C = A·B, and the libraries that compute it. A (m × k), B (k × n) and
/// C (m × n) are row-major, except A where it is stored transposed.
pub(crate) struct Product {
    m: usize,
    k: usize,
    n: usize,
    pub(crate) a: Vec<f32>,
    /// Elements from a row of A to the next, and from a column to the next.
    a_strides: (usize, usize),
    pub(crate) b: Vec<f32>,
    pub(crate) c: Vec<f32>,
}

impl Product {
    pub(crate) fn new((m, k, n, transposed): (usize, usize, usize, bool)) -> Self {
        let a_strides = if transposed { (1, m) } else { (k, 1) };
        Self { m, k, n, a: random(m * k, 1), a_strides, b: random(k * n, 2), c: vec![0.0; m * n] }
    }

    fn a(&self) -> MatRef<'_> {
        MatRef::strided(&self.a, self.m, self.k, self.a_strides.0, self.a_strides.1)
    }

    pub(crate) fn ours(&mut self, isa: Isa) {
        let a = MatRef::strided(&self.a, self.m, self.k, self.a_strides.0, self.a_strides.1);
        let b = MatRef::new(&self.b, self.k, self.n);
        matmul(isa, 1.0, a, b, 0.0, MatMut::new(&mut self.c, self.m, self.n));
    }

    /// With B in panels already, as a layer keeps its weights.
    pub(crate) fn ours_kept(&mut self, isa: Isa, panels: &[f32]) {
        let a = MatRef::strided(&self.a, self.m, self.k, self.a_strides.0, self.a_strides.1);
        let b = PanelsRef::packed(panels, self.k, self.n);
        let c = MatMut::new(&mut self.c, self.m, self.n);
        matmul_panels(isa, a, b, Start::Zero, c, Identity, Zeros::Multiply);
    }

    pub(crate) fn gemm(&mut self) {
        let (rows, cols) = (self.a_strides.0 as isize, self.a_strides.1 as isize);
        let n = self.n as isize;
        // SAFETY: pointers, sizes and strides are those of the three vectors.
        unsafe {
            gemm::gemm(
                self.m,
                self.n,
                self.k,
                self.c.as_mut_ptr(),
                1,
                n,
                false,
                self.a.as_ptr(),
                cols,
                rows,
                self.b.as_ptr(),
                1,
                n,
                0.0,
                1.0,
                false,
                false,
                false,
                gemm::Parallelism::None,
            );
        }
    }

    pub(crate) fn matrixmultiply(&mut self) {
        let (rows, cols) = (self.a_strides.0 as isize, self.a_strides.1 as isize);
        let n = self.n as isize;
        // SAFETY: pointers, sizes and strides are those of the three vectors.
        unsafe {
            matrixmultiply::sgemm(
                self.m,
                self.k,
                self.n,
                1.0,
                self.a.as_ptr(),
                rows,
                cols,
                self.b.as_ptr(),
                n,
                1,
                0.0,
                self.c.as_mut_ptr(),
                n,
                1,
            );
        }
    }

    /// Compares some elements with sums in `f64`, so that no wrong product is timed.
    pub(crate) fn check(&self, who: &str) {
        let a = self.a();
        for at in (0..self.m * self.n).step_by(self.m * self.n / 50 + 1) {
            let (i, j) = (at / self.n, at % self.n);
            let products =
                (0..self.k).map(|p| f64::from(a.get(i, p)) * f64::from(self.b[p * self.n + j]));
            let exact: f64 = products.sum();
            let found = f64::from(self.c[at]);
            assert!((found - exact).abs() < 1e-3, "{who}: ({i}, {j}) is {found}, not {exact}");
        }
    }
}
