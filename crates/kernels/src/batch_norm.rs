//! Batch normalisation: each column of a matrix, over its rows.
//!
//! ```text
//! μ = Σ u / m,  σ² = Σ (u − μ)² / m               over the m rows
//! n = (u − μ) / √(σ² + ε)
//! z = gain·n + bias
//! ```
//!
//! and backward, where dz is the gradient with respect to z,
//!
//! ```text
//! d bias = Σ dz,  d gain = Σ dz·n
//! du = gain / √(σ² + ε) · (dz − (Σ dz + n·Σ dz·n) / m)
//! ```
//!
//! (Ioffe and Szegedy, "Batch Normalization", 2015, algorithm 1 and section 3.) The
//! columns are processed in stripes, so that a stripe stays in the L1 cache from the
//! first pass over the rows to the last. A sum over the rows adds in their order, column
//! by column, so every instruction set gives the same bits.

use crate::isa::Isa;
use crate::mat::{MatMut, MatRef};
use crate::simd::{Simd, SimdOp};

/// Columns of a stripe: four cache lines in each row.
const STRIPE: usize = 64;
/// Columns of a narrow stripe; for the last columns, which do not fill a wide one.
const NARROW: usize = 16;

/// Work on a few columns at a time.
trait Stripes {
    /// Processes the `W` columns from `left` on.
    fn stripe<const W: usize>(&mut self, left: usize);
}

/// Processes all columns, in the widest stripes that fit.
#[inline(always)]
fn in_stripes(columns: usize, work: &mut impl Stripes) {
    let mut left = 0;
    while left < columns {
        left += match columns - left {
            STRIPE.. => {
                work.stripe::<STRIPE>(left);
                STRIPE
            }
            NARROW.. => {
                work.stripe::<NARROW>(left);
                NARROW
            }
            _ => {
                work.stripe::<1>(left);
                1
            }
        };
    }
}

/// Gain and bias of each column.
#[derive(Clone, Copy, Debug)]
pub struct Gains<'a> {
    /// One value for each column.
    pub gain: &'a [f32],
    /// One value for each column.
    pub bias: &'a [f32],
}

/// What [`batch_norm`] writes for the backward pass.
#[derive(Debug)]
pub struct Moments<'a> {
    /// μ, one value for each column.
    pub mean: &'a mut [f32],
    /// 1 / √(σ² + ε), one value for each column.
    pub inverse: &'a mut [f32],
}

/// `u ← n`, the normalised columns, and `z = gain·n + bias`.
///
/// Shapes: `u` and `z` are rows × columns. `epsilon` is above 0.
///
/// # Panics
/// If the shapes do not fit, if there is no row, or if the columns of a matrix are not
/// contiguous.
pub fn batch_norm(
    isa: Isa,
    epsilon: f32,
    gains: Gains<'_>,
    u: MatMut<'_>,
    z: MatMut<'_>,
    moments: Moments<'_>,
) {
    let columns = u.cols();
    check_shape(&u.as_ref(), &z.as_ref());
    for len in [gains.gain, gains.bias, moments.mean, moments.inverse].map(|v| v.len()) {
        assert_eq!(len, columns, "one value for each of {columns} columns");
    }
    isa.dispatch(Forward { epsilon, gains, u, z, moments });
}

/// # Panics
/// If the shapes differ or have no row.
fn check_shape(a: &MatRef<'_>, b: &MatRef<'_>) {
    assert!(a.rows() > 0, "no rows to normalise over");
    assert_eq!((a.rows(), a.cols()), (b.rows(), b.cols()), "matrices of different shapes");
}

struct Forward<'a> {
    epsilon: f32,
    gains: Gains<'a>,
    u: MatMut<'a>,
    z: MatMut<'a>,
    moments: Moments<'a>,
}

impl SimdOp for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<S: Simd>(mut self, _: S) {
        in_stripes(self.u.cols(), &mut self);
    }
}

/// The `W` columns from `left` on.
#[inline(always)]
fn window<const W: usize>(row: &[f32], left: usize) -> &[f32; W] {
    row[left..].first_chunk().expect("a stripe inside the matrix")
}

#[inline(always)]
fn window_mut<const W: usize>(row: &mut [f32], left: usize) -> &mut [f32; W] {
    row[left..].first_chunk_mut().expect("a stripe inside the matrix")
}

impl Stripes for Forward<'_> {
    /// Plain Rust: a loop over the columns of a stripe becomes vectors inside
    /// `dispatch`.
    #[inline(always)]
    fn stripe<const W: usize>(&mut self, left: usize) {
        let Self { epsilon, gains, u, z, moments } = self;
        let rows = u.rows();
        let count = rows as f32;

        let mut mean = [0.0f32; W];
        for i in 0..rows {
            let u = window::<W>(u.row_mut(i), left);
            for (mean, u) in mean.iter_mut().zip(u) {
                *mean += u;
            }
        }
        // A loop and not `map`: a closure is compiled without the instruction set.
        for mean in &mut mean {
            *mean /= count;
        }

        let mut inverse = [0.0f32; W];
        for i in 0..rows {
            let u = window::<W>(u.row_mut(i), left);
            for ((sum, u), mean) in inverse.iter_mut().zip(u).zip(&mean) {
                *sum += (u - mean) * (u - mean);
            }
        }
        for inverse in &mut inverse {
            *inverse = 1.0 / (*inverse / count + *epsilon).sqrt();
        }

        let (gain, bias) = (window::<W>(gains.gain, left), window::<W>(gains.bias, left));
        for i in 0..rows {
            let u = window_mut::<W>(u.row_mut(i), left);
            let z = window_mut::<W>(z.row_mut(i), left);
            for j in 0..W {
                let n = (u[j] - mean[j]) * inverse[j];
                u[j] = n;
                z[j] = gain[j] * n + bias[j];
            }
        }
        *window_mut(moments.mean, left) = mean;
        *window_mut(moments.inverse, left) = inverse;
    }
}

/// The gradients of gain and bias, which [`batch_norm_backward`] writes.
#[derive(Debug)]
pub struct GainsGradient<'a> {
    /// Σ dz·n, one value for each column.
    pub gain: &'a mut [f32],
    /// Σ dz, one value for each column.
    pub bias: &'a mut [f32],
}

/// `dz ← du`: from the gradient with respect to the output of [`batch_norm`], the
/// gradient with respect to its input, and those of gain and bias. `scaled` is the
/// matrix that the gain multiplied: n, or n plus noise.
///
/// Shapes: `dz`, `n` and `scaled` are rows × columns; `gain` and `inverse`, as
/// `batch_norm` read and wrote them, have one value for each column.
///
/// # Panics
/// If the shapes do not fit, if there is no row, or if the columns of a matrix are not
/// contiguous.
pub fn batch_norm_backward(
    isa: Isa,
    gain: &[f32],
    inverse: &[f32],
    n: MatRef<'_>,
    scaled: MatRef<'_>,
    dz: MatMut<'_>,
    gradient: GainsGradient<'_>,
) {
    let columns = dz.cols();
    for matrix in [n, scaled] {
        check_shape(&dz.as_ref(), &matrix);
    }
    for len in [gain, inverse, gradient.gain, gradient.bias].map(|v| v.len()) {
        assert_eq!(len, columns, "one value for each of {columns} columns");
    }
    isa.dispatch(Backward { gain, inverse, n, scaled, dz, gradient });
}

struct Backward<'a> {
    gain: &'a [f32],
    inverse: &'a [f32],
    n: MatRef<'a>,
    scaled: MatRef<'a>,
    dz: MatMut<'a>,
    gradient: GainsGradient<'a>,
}

impl SimdOp for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<S: Simd>(mut self, _: S) {
        in_stripes(self.dz.cols(), &mut self);
    }
}

impl Stripes for Backward<'_> {
    #[inline(always)]
    fn stripe<const W: usize>(&mut self, left: usize) {
        let Self { gain, inverse, n, scaled, dz, gradient } = self;
        let rows = dz.rows();
        let count = rows as f32;

        let (mut d_bias, mut d_gain, mut slope) = ([0.0; W], [0.0; W], [0.0; W]);
        for i in 0..rows {
            let dz = window::<W>(dz.row_mut(i), left);
            let n = window::<W>(n.row(i), left);
            let scaled = window::<W>(scaled.row(i), left);
            for j in 0..W {
                d_bias[j] += dz[j];
                d_gain[j] += dz[j] * scaled[j];
                slope[j] += dz[j] * n[j];
            }
        }

        let (gain, inverse) = (window::<W>(gain, left), window::<W>(inverse, left));
        let (mut scale, mut shift) = ([0.0; W], [0.0; W]);
        for j in 0..W {
            scale[j] = gain[j] * inverse[j];
            shift[j] = d_bias[j] / count;
            slope[j] /= count;
        }
        for i in 0..rows {
            let dz = window_mut::<W>(dz.row_mut(i), left);
            let n = window::<W>(n.row(i), left);
            for j in 0..W {
                dz[j] = scale[j] * (dz[j] - shift[j] - n[j] * slope[j]);
            }
        }
        *window_mut(gradient.gain, left) = d_gain;
        *window_mut(gradient.bias, left) = d_bias;
    }
}

/// `z = gain·n + bias`, element by element.
///
/// # Panics
/// If the slices differ in length.
pub fn scale_shift(isa: Isa, n: &[f32], gains: Gains<'_>, z: &mut [f32]) {
    struct ScaleShift<'a>(&'a [f32], Gains<'a>, &'a mut [f32]);
    impl SimdOp for ScaleShift<'_> {
        type Output = ();
        #[inline(always)]
        fn eval<S: Simd>(self, _: S) {
            let Self(n, Gains { gain, bias }, z) = self;
            for (((z, n), gain), bias) in z.iter_mut().zip(n).zip(gain).zip(bias) {
                *z = gain * n + bias;
            }
        }
    }
    for len in [n, gains.gain, gains.bias].map(<[f32]>::len) {
        assert_eq!(len, z.len(), "slices of different lengths");
    }
    isa.dispatch(ScaleShift(n, gains, z));
}

#[cfg(test)]
mod tests {
    use super::{Gains, GainsGradient, Moments, batch_norm, batch_norm_backward};
    use crate::isa::Isa;
    use crate::mat::{MatMut, MatRef};

    const EPSILON: f32 = 1e-3;

    /// Values in (−1, 1) without a pattern that matters.
    fn values(seed: usize, len: usize) -> Vec<f32> {
        (0..len).map(|i| ((i + 1) as f32 * 12.9898 + seed as f32 * 78.233).sin()).collect()
    }

    // The seeds of what goes in.
    const U: usize = 1;
    const DZ: usize = 2;
    const GAIN: usize = 3;
    const BIAS: usize = 4;
    const NOISE: usize = 5;

    /// What both passes write.
    struct Found {
        n: Vec<f32>,
        z: Vec<f32>,
        mean: Vec<f32>,
        inverse: Vec<f32>,
        du: Vec<f32>,
        d_gain: Vec<f32>,
        d_bias: Vec<f32>,
    }

    /// Both passes, with noise before the gain.
    fn run(isa: Isa, rows: usize, cols: usize) -> Found {
        let (gain, bias) = (values(GAIN, cols), values(BIAS, cols));
        let (mut n, mut z) = (values(U, rows * cols), vec![f32::NAN; rows * cols]);
        let (mut mean, mut inverse) = (vec![f32::NAN; cols], vec![f32::NAN; cols]);
        batch_norm(
            isa,
            EPSILON,
            Gains { gain: &gain, bias: &bias },
            MatMut::new(&mut n, rows, cols),
            MatMut::new(&mut z, rows, cols),
            Moments { mean: &mut mean, inverse: &mut inverse },
        );
        let noise = values(NOISE, rows * cols);
        let noisy: Vec<f32> = n.iter().zip(noise).map(|(n, noise)| n + noise).collect();
        let mut du = values(DZ, rows * cols);
        let (mut d_gain, mut d_bias) = (vec![f32::NAN; cols], vec![f32::NAN; cols]);
        batch_norm_backward(
            isa,
            &gain,
            &inverse,
            MatRef::new(&n, rows, cols),
            MatRef::new(&noisy, rows, cols),
            MatMut::new(&mut du, rows, cols),
            GainsGradient { gain: &mut d_gain, bias: &mut d_bias },
        );
        Found { n, z, mean, inverse, du, d_gain, d_bias }
    }

    /// One column, in `f64` and by the formulas.
    struct Column {
        u: Vec<f64>,
        dz: Vec<f64>,
        noise: Vec<f64>,
        gain: f64,
        bias: f64,
    }

    impl Column {
        fn new(rows: usize, cols: usize, j: usize) -> Self {
            let [u, dz, noise] =
                [U, DZ, NOISE].map(|seed| column(&values(seed, rows * cols), cols, j));
            let [gain, bias] = [GAIN, BIAS].map(|seed| f64::from(values(seed, cols)[j]));
            Self { u, dz, noise, gain, bias }
        }

        fn mean(&self) -> f64 {
            self.u.iter().sum::<f64>() / self.u.len() as f64
        }

        /// 1 / √(σ² + ε).
        fn inverse(&self) -> f64 {
            let mean = self.mean();
            let squares = self.u.iter().map(|u| (u - mean).powi(2));
            let variance = squares.sum::<f64>() / self.u.len() as f64;
            1.0 / (variance + f64::from(EPSILON)).sqrt()
        }

        fn n(&self) -> Vec<f64> {
            let (mean, inverse) = (self.mean(), self.inverse());
            self.u.iter().map(|u| (u - mean) * inverse).collect()
        }

        /// `Σ dz·z` with noise before the gain: its slopes are what the backward pass
        /// computes.
        fn loss(&self) -> f64 {
            let z =
                self.n().into_iter().zip(&self.noise).map(|(n, e)| self.gain * (n + e) + self.bias);
            z.zip(&self.dz).map(|(z, dz)| z * dz).sum()
        }

        /// The slope of the loss along one parameter, by central differences.
        fn slope(&mut self, parameter: impl Fn(&mut Self) -> &mut f64) -> f64 {
            const STEP: f64 = 1e-5;
            let start = *parameter(self);
            let [above, below] = [STEP, -STEP].map(|step| {
                *parameter(self) = start + step;
                self.loss()
            });
            *parameter(self) = start;
            (above - below) / (2.0 * STEP)
        }
    }

    fn column(matrix: &[f32], cols: usize, j: usize) -> Vec<f64> {
        matrix[j..].iter().step_by(cols).map(|x| f64::from(*x)).collect()
    }

    #[test]
    fn columns_are_normalised_and_gradients_are_slopes() {
        for isa in Isa::available() {
            for (rows, cols) in [(1, 3), (2, 16), (7, 17), (100, 10), (13, 64), (5, 149)] {
                let found = run(isa, rows, cols);
                for j in 0..cols {
                    let close = |found: f32, expected: f64, what: &str| {
                        let error = (f64::from(found) - expected).abs() / (1.0 + expected.abs());
                        // Rounding counts most where the variance is small: 1.1·10⁻⁵.
                        assert!(error < 4e-5, "{isa}, {rows} × {cols}, {what} {j}: off by {error}");
                    };
                    let mut expected = Column::new(rows, cols, j);
                    close(found.mean[j], expected.mean(), "mean");
                    close(found.inverse[j], expected.inverse(), "inverse");
                    for (i, n) in expected.n().into_iter().enumerate() {
                        close(found.n[i * cols + j], n, "n");
                        close(found.z[i * cols + j], expected.gain * n + expected.bias, "z");
                        close(found.du[i * cols + j], expected.slope(|c| &mut c.u[i]), "du");
                    }
                    close(found.d_gain[j], expected.slope(|c| &mut c.gain), "d gain");
                    close(found.d_bias[j], expected.slope(|c| &mut c.bias), "d bias");
                }
            }
        }
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        for (rows, cols) in [(7, 17), (100, 10), (50, 149)] {
            let bits = |isa| {
                let Found { n, z, mean, inverse, du, d_gain, d_bias } = run(isa, rows, cols);
                let all = [n, z, mean, inverse, du, d_gain, d_bias].concat();
                all.into_iter().map(f32::to_bits).collect::<Vec<_>>()
            };
            let expected = bits(Isa::by_name("scalar").unwrap());
            for isa in Isa::available() {
                assert!(bits(isa) == expected, "{isa}");
            }
        }
    }

    #[test]
    fn a_constant_column_and_a_single_row_become_their_bias() {
        for isa in Isa::available() {
            for rows in [1, 4] {
                let (mut u, mut z) = (vec![3.0; rows], vec![f32::NAN; rows]);
                let (mut mean, mut inverse) = ([0.0], [0.0]);
                batch_norm(
                    isa,
                    EPSILON,
                    Gains { gain: &[2.0], bias: &[0.5] },
                    MatMut::new(&mut u, rows, 1),
                    MatMut::new(&mut z, rows, 1),
                    Moments { mean: &mut mean, inverse: &mut inverse },
                );
                assert!(u.iter().all(|n| *n == 0.0) && z.iter().all(|z| *z == 0.5));
            }
        }
    }
}
