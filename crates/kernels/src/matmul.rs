//! Matrix product: packed, cache-blocked, in the loops of the BLIS papers.
//!
//! ```text
//! for pc in k by KC:                  pack B's block, KC × n, into panels
//!   for ic in m by MC:                A block,  MC × KC, stays in the L2 cache
//!     for jr in n by P panels:        B micro-panel, KC × NR, stays in the L1 cache
//!       for ir in ic-block by MR:     A strip,  MR × KC, comes from the L2 cache
//!         micro-kernel: C tile,       MR × NR, stays in registers
//! ```
//!
//! (Van Zee and van de Geijn, "BLIS: A Framework for Rapidly Instantiating BLAS
//! Functionality", ACM TOMS 41(3), 2015. Their jc loop, which keeps a block of B
//! in the L3 cache, is left out: a network's n is some thousands at the most.)
//!
//! Three departures, each because a network's matrices are small and skinny:
//!
//! - B may be *kept* in panels ([`PanelsRef`]), so that weights which are used
//!   many times between updates are not packed again for each use.
//! - A is hardly ever packed: the micro-kernel broadcasts single elements of it,
//!   for which one stride is as good as another, unless each step of k is on a
//!   page of its own ([`PANELS_THAT_PAY`]).
//! - B is packed by the first tile of each column, which computes meanwhile, where
//!   A has few rows. Bᵀ in panels is transposed for a column at a time.
//! - The sum over k starts from C, or from the bias, in the accumulators: each
//!   element of C is one unbroken chain of fused multiply-adds in the order of k,
//!   whatever the blocks, the tile or the instruction set's vector length.

use std::cell::RefCell;

use crate::buffer::AlignedBuf;
use crate::elementwise::map_inline;
use crate::isa::Isa;
use crate::mat::{MatMut, MatRef};
use crate::panels::{PANEL, PanelsMut, PanelsRef};
use crate::simd::{Identity, Simd, SimdOp, Unary};

pub(crate) mod active;
mod blocks;
pub(crate) mod microkernel;
pub(crate) mod pack;
mod rhs;

use active::Lists;
use blocks::MC;
pub use microkernel::Start;
use microkernel::{Column, Strips};
use rhs::{Part, Rhs};

/// Panels of B from which on a transposed A is packed, if it is dense: its copy
/// is then a small share of the product.
const PANELS_THAT_PAY: usize = 12;

thread_local! {
    /// Kept, so that a call allocates only the first time that it needs more than
    /// any before it on this thread.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// What a product needs beside its operands.
#[derive(Default)]
struct Scratch {
    /// A block of A in strips.
    strips: AlignedBuf,
    /// A block of B in panels.
    packed: AlignedBuf,
    lists: Lists,
}

/// What to do with zeros in A.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zeros {
    /// Multiply them like any number.
    Multiply,
    /// Look for them first, and leave out steps of k in which a whole tile has
    /// nothing else. Where there are few, it costs a look at A. The bits are the
    /// same wherever B is finite.
    Skip,
}

/// `C = alpha·A·B + beta·C`, where A is m × k, B is k × n and C is m × n, with
/// any strides.
///
/// With `beta = 0` C is not read, so it may hold anything; with k = 0 the
/// product is 0. Each element of C is the chain `fma(a, alpha·b, …)` over k in
/// ascending order, started at `beta·c`: its bits depend on nothing else of the
/// shapes, strides and blocks. (Where columns of C have gaps and rows have none,
/// it is `fma(alpha·a, b, …)`.)
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
    // The micro-kernel writes rows: Cᵀ = Bᵀ·Aᵀ where C has columns instead.
    if c.col_stride() != 1 && c.row_stride() == 1 {
        return matmul(isa, alpha, b.t(), a.t(), beta, c.t());
    }
    if c.col_stride() != 1 && c.cols() > 1 {
        return scattered(isa, alpha, a, b, beta, c);
    }
    // Packing B costs about as much as two rows of the product.
    const ROWS_THAT_PAY: usize = 16;
    let b = match PanelsRef::from_mat(b) {
        Some(panels) if alpha == 1.0 && a.rows() <= ROWS_THAT_PAY => Rhs::Panels(panels),
        _ => Rhs::Mat(b, alpha),
    };
    let start = if beta == 0.0 { Start::Zero } else { Start::Scaled(beta) };
    let c = PanelsMut::from_mat(c).expect("rows without gaps");
    product(isa, a, b, start, c, Identity, Zeros::Multiply);
}

/// `C = f(start + A·B)` with B in panels: a layer's forward pass, where B is the
/// weights, `start` the bias and `f` the activation, which is applied to a column
/// of tiles as soon as it is there, from the cache.
///
/// # Panics
/// If the shapes do not fit, or if the columns of C are not neighbours.
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
    let c = PanelsMut::from_mat(c).expect("columns of C that are neighbours");
    product(isa, a, Rhs::Panels(b), start, c, f, zeros);
}

/// `C = A·B` with B and C in panels: the gradient of weights that are kept in
/// panels. C's padding columns become A times the padding of B.
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
    check(&a, b.rows(), b.cols().next_multiple_of(PANEL), c.rows(), c.cols());
    product(isa, a, Rhs::Panels(b), Start::Zero, c, Identity, zeros);
}

/// `C = A·Bᵀ` with B in panels, whose blocks are transposed a column of tiles at a time:
/// the backward pass of a layer whose weights are kept as its forward pass reads them.
///
/// # Panics
/// If the shapes do not fit, if the columns of C are not neighbours, or if B is
/// [row-major](PanelsRef::row_major).
pub fn matmul_transposed_panels(isa: Isa, a: MatRef<'_>, b: PanelsRef<'_>, c: MatMut<'_>) {
    check(&a, b.cols(), b.rows(), c.rows(), c.cols());
    let c = PanelsMut::from_mat(c).expect("columns of C that are neighbours");
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

/// The product where C's elements have gaps both ways: computed without them,
/// then copied.
fn scattered(isa: Isa, alpha: f32, a: MatRef<'_>, b: MatRef<'_>, beta: f32, mut c: MatMut<'_>) {
    let (m, n) = (c.rows(), c.cols());
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
    // Taken, not borrowed: `f` is the caller's and may multiply matrices itself.
    let mut scratch = SCRATCH.take();
    isa.dispatch(Loops { a, b, start, c, f, zeros, scratch: &mut scratch });
    SCRATCH.set(scratch);
}

/// The first `len` numbers of a buffer that grows to hold them.
fn reserve(buffer: &mut AlignedBuf, len: usize) -> &mut [f32] {
    if buffer.len() < len {
        buffer.resize(len);
    }
    &mut buffer[..len]
}

/// The loops, for any instruction set.
struct Loops<'a, F> {
    a: MatRef<'a>,
    b: Rhs<'a>,
    start: Start<'a>,
    c: PanelsMut<'a>,
    f: F,
    zeros: Zeros,
    scratch: &'a mut Scratch,
}

impl<F: Unary> SimdOp for Loops<'_, F> {
    type Output = ();

    #[inline(always)]
    fn eval<S: Simd>(self, s: S) {
        let Self { a, b, start, mut c, f, zeros, scratch } = self;
        let Scratch { strips, packed, lists } = scratch;
        let (m, k, n) = (a.rows(), a.cols(), c.cols());
        let panels = n.div_ceil(PANEL);
        let most = blocks::kc::<S>(k);
        let far = k.saturating_mul(n) > blocks::NEAR;
        // k = 0 is one block of no rows: C = start.
        for pc in (0..k.max(1)).step_by(most) {
            let kc = most.min(k - pc);
            let mut block = b.block(s, (pc, kc), m, packed);
            // Behind the first block of k the chains go on from C.
            let start = if pc == 0 { start } else { Start::Scaled(1.0) };
            let last = pc + kc == k;
            let behind = b.ahead(pc + kc);
            for ic in (0..m).step_by(MC) {
                let mc = MC.min(m - ic);
                let a = a.sub(ic, mc, pc, kc);
                let active = match zeros {
                    Zeros::Multiply => None,
                    Zeros::Skip => lists.find(s, a),
                };
                let a = if active.is_none() && a.row_stride() == 1 && panels >= PANELS_THAT_PAY {
                    pack::strips::<S>(a, strips)
                } else {
                    Strips::of::<S>(a)
                };
                // As even as they go: a tile of one panel beside tiles of three
                // would wait for its loads.
                let columns = panels.div_ceil(S::TILE_PANELS);
                for column in 0..columns {
                    let jr = panels * column / columns;
                    let end = panels * (column + 1) / columns;
                    let ahead = match far {
                        true if end < panels => block.ahead(end),
                        true => behind,
                        false => None,
                    };
                    let start = start.sub(jr, end - jr);
                    let tiles = c.sub(ic, mc, jr, end - jr);
                    s.column(&match block.column(s, jr..end) {
                        Part::Panels(b) => Column::new(a, b, start, tiles, active.as_ref())
                            .first(jr == 0)
                            .ahead(ahead),
                        Part::Rows(b, packed) => Column::packing(a, b, packed, start, tiles),
                    });
                    if last && !F::IDENTITY {
                        let mut c = c.sub(ic, mc, jr, end - jr);
                        for i in 0..mc {
                            for panel in 0..end - jr {
                                map_inline(s, f, c.row(i, panel));
                            }
                        }
                    }
                }
                block = block.used();
            }
        }
    }
}
