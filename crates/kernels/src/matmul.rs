//! Matrix product: packed, cache-blocked, in the loops of the BLIS papers.
//!
//! ```text
//! LOOP 5  for jc in n by NC:
//! LOOP 4    for pc in k by KC:                B slab,   KC × NC, stays in the L3 cache
//! LOOP 3      for ic in m by MC:              A block,  MC × KC, stays in the L2 cache
//! LOOP 2        for jr in the slab by NR:     B micro-panel, KC × NR, stays in the L1 cache
//! LOOP 1          for ir in the block by MR:  A strip,  MR × KC, comes from the L2 cache
//!                   micro-kernel: C tile,     MR × NR, stays in registers
//! ```
//!
//! (Van Zee and van de Geijn, "BLIS: A Framework for Rapidly Instantiating BLAS
//! Functionality", ACM TOMS 41(3), 2015. `blocks.rs` derives NC, KC and MC from the caches.)
//!
//! Four departures from the paper, each because a network's matrices are small and skinny:
//!
//! - B may be *kept* in panels ([`PanelsRef`]), so that weights which are used
//!   many times between updates are not packed again for each use.
//! - A is packed only if B has many panels: the micro-kernel broadcasts single elements of
//!   it, for which any stride is fast enough as long as the caches hold its rows.
//! - B's slab is packed for one column of tiles at a time, which then finds it in the L1
//!   cache; where a tile has several panels and A few rows, by the first tile while it
//!   computes. Bᵀ in panels is transposed in the same way.
//! - The sum over k starts from C, or from the bias, in the accumulators: each
//!   element of C is one unbroken chain of fused multiply-adds in the order of k,
//!   whatever the blocks, the tile or the instruction set's vector length.

use std::cell::RefCell;

use crate::isa::Isa;
use crate::mat::{MatMut, MatRef};
use crate::panels::{PANEL, PanelsMut, PanelsRef};
use crate::simd::{Identity, Unary};

mod loops;
mod microkernel;
mod tile;

mod active;
mod blocks;
mod operands;
mod pack;
mod rhs;

use loops::{Loops, Scratch};
pub use operands::Start;
pub use pack::pack;
use rhs::Rhs;

thread_local! {
    /// Kept between calls, so that a call allocates only if it needs more than all calls
    /// before it on this thread.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// What to do with zeros in A.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Zeros {
    /// Multiply them like any other element.
    Multiply,
    /// Look for them first, and leave out each step of k for which all rows of a tile are
    /// 0. If A has few zeros, this costs one scan of A. The bits are the same wherever B is
    /// finite. Does nothing if B has gaps between its blocks of 16 rows.
    Skip,
}

/// `C = alpha·A·B + beta·C`, where A is m × k, B is k × n and C is m × n, with
/// any strides.
///
/// With `beta = 0` C is not read, so it may contain anything; with k = 0 the product is 0.
/// A and B are read whatever `alpha` is: unlike in BLAS, `alpha = 0` does not hide a NaN or
/// an infinity in them.
/// Each element of C is the chain `fma(a, alpha·b, …)` over k in ascending order, started
/// at `beta·c`. Its bits do not depend on shapes, strides or blocks, with one exception:
/// if `row_stride` of C is 1 and `col_stride` is not, the chain is `fma(alpha·a, b, …)`.
///
/// # Panics
/// If the shapes do not fit.
///
/// ```
/// use kernels::{Isa, MatMut, MatRef, matmul};
///
/// let a = [1.0, 2.0, 3.0, 4.0]; // 2 × 2
/// let b = [1.0, 0.0, 1.0, 0.0, 1.0, 1.0]; // 2 × 3
/// let mut c = [0.0; 6]; // 2 × 3
/// let isa = Isa::active()?;
/// matmul(isa, 1.0, MatRef::new(&a, 2, 2), MatRef::new(&b, 2, 3), 0.0, MatMut::new(&mut c, 2, 3));
/// assert_eq!(c, [1.0, 2.0, 3.0, 3.0, 4.0, 7.0]);
/// # Ok::<(), kernels::UnknownIsa>(())
/// ```
pub fn matmul(isa: Isa, alpha: f32, a: MatRef<'_>, b: MatRef<'_>, beta: f32, c: MatMut<'_>) {
    check(&a, b.rows(), b.cols(), c.rows(), c.cols());
    // The micro-kernel writes rows. If C has columns without gaps instead: Cᵀ = Bᵀ·Aᵀ.
    if c.col_stride() != 1 && c.row_stride() == 1 {
        return matmul(isa, alpha, b.t(), a.t(), beta, c.t());
    }
    if c.col_stride() != 1 && c.cols() > 1 {
        return scattered(isa, alpha, a, b, beta, c);
    }
    // Packing B takes the time of about two rows of the product, and few rows of B stay in L1
    // as they are.
    const ROWS_THAT_PAY: usize = 16;
    let few = a.rows().min(b.rows()) <= ROWS_THAT_PAY;
    let b = match PanelsRef::from_mat(b) {
        Some(panels) if alpha == 1.0 && few => Rhs::Panels(panels),
        _ => Rhs::Mat(b, alpha),
    };
    let start = if beta == 0.0 { Start::Zero } else { Start::Scaled(beta) };
    let c = PanelsMut::from_mat(c).expect("rows without gaps");
    product(isa, a, b, start, c, Identity, Zeros::Multiply);
}

/// `C = f(start + A·B)`, where A is m × k, B is k × n in panels and C is m × n: the forward
/// pass of a layer, where B is the weights, `start` the bias and `f` the activation. `f` is
/// applied to a column of tiles as soon as it is complete, while it is in the cache.
///
/// # Panics
/// If the shapes do not fit, or if there are gaps between the columns of C.
pub fn matmul_panels<F: Unary>(
    isa: Isa,
    a: MatRef<'_>,
    b: PanelsRef<'_>,
    start: Start<'_>,
    c: MatMut<'_>,
    f: F,
    zeros: Zeros,
) {
    check(&a, b.rows(), b.cols(), c.rows(), c.cols());
    if let Start::Row(row) = start {
        let (rows, cols) = (row.rows(), row.cols());
        let fits = rows == 1 && row.panels() == b.panels();
        assert!(fits, "the start is {rows} × {cols}, but C has rows of {}", c.cols());
    }
    let c = PanelsMut::from_mat(c).expect("columns of C without gaps");
    product(isa, a, Rhs::Panels(b), start, c, f, zeros);
}

/// `C = A·B`, where A is m × k, and B, k × n, and C, m × n, are in panels: the gradient of
/// weights that are kept in panels. The padding columns of C become A times the padding of
/// B.
///
/// # Panics
/// If the shapes do not fit.
pub fn matmul_into_panels(
    isa: Isa,
    a: MatRef<'_>,
    b: PanelsRef<'_>,
    c: PanelsMut<'_>,
    zeros: Zeros,
) {
    check(&a, b.rows(), b.panels() * PANEL, c.rows(), c.cols());
    product(isa, a, Rhs::Panels(b), Start::Zero, c, Identity, zeros);
}

/// `C = A·Bᵀ`, where A is m × k, B is n × k in panels and C is m × n: the backward pass of
/// a layer whose weights are kept as its forward pass reads them. The blocks of B are
/// transposed for one column of tiles at a time.
///
/// # Panics
/// If the shapes do not fit, if there are gaps between the columns of C, or if B is
/// [row-major](PanelsRef::row_major) and has more than one panel.
pub fn matmul_transposed_panels(isa: Isa, a: MatRef<'_>, b: PanelsRef<'_>, c: MatMut<'_>) {
    check(&a, b.cols(), b.rows(), c.rows(), c.cols());
    let c = PanelsMut::from_mat(c).expect("columns of C without gaps");
    product(isa, a, Rhs::Transposed(b), Start::Zero, c, Identity, Zeros::Multiply);
}

fn check(a: &MatRef<'_>, k: usize, n: usize, c_rows: usize, c_cols: usize) {
    assert!(
        a.cols() == k && a.rows() == c_rows && n == c_cols,
        "A is {} × {}, B is {k} × {n} and C is {c_rows} × {c_cols}",
        a.rows(),
        a.cols(),
    );
}

/// The product if C has gaps between its rows and between its columns: computed without
/// gaps, then copied.
fn scattered(isa: Isa, alpha: f32, a: MatRef<'_>, b: MatRef<'_>, beta: f32, mut c: MatMut<'_>) {
    let (m, n) = (c.rows(), c.cols());
    if m == 0 || n == 0 {
        return;
    }
    let mut dense = vec![0.0; m * n];
    if beta != 0.0 {
        for (at, to) in dense.iter_mut().enumerate() {
            *to = c.as_ref().get(at / n, at % n);
        }
    }
    matmul(isa, alpha, a, b, beta, MatMut::new(&mut dense, m, n));
    for (at, from) in dense.into_iter().enumerate() {
        c.set(at / n, at % n, from);
    }
}

fn product<F: Unary>(
    isa: Isa,
    a: MatRef<'_>,
    b: Rhs<'_>,
    start: Start<'_>,
    c: PanelsMut<'_>,
    f: F,
    zeros: Zeros,
) {
    if c.rows() == 0 || c.cols() == 0 {
        return;
    }
    let skip_zeros = zeros == Zeros::Skip && b.can_skip();
    // Taken, not borrowed: `f` is the caller's and may multiply matrices itself.
    let mut scratch = SCRATCH.take();
    isa.dispatch(Loops { isa, a, b, start, c, f, skip_zeros, scratch: &mut scratch });
    SCRATCH.set(scratch);
}
