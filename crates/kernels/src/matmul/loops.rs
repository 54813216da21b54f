//! LOOPS 5 to 2 of the [product](crate::matmul()), for any instruction set.

use super::active::{Active, Lists};
use super::blocks::Blocks;
use super::microkernel::{self, TileColumn};
use super::operands::{NextB, Start, Strips};
use super::pack;
use super::rhs::{Rhs, Slab};
use crate::buffer::AlignedBuf;
use crate::elementwise::map_inline;
use crate::isa::Isa;
use crate::mat::MatRef;
use crate::panels::{PANEL, PanelsMut};
use crate::simd::{Simd, SimdOp, Tile, Unary};

/// Memory that a product needs beside its operands.
#[derive(Default)]
pub(super) struct Scratch {
    /// A block of A in strips.
    strips: AlignedBuf,
    /// A slab of B in panels, or a part of it.
    packed: AlignedBuf,
    lists: Lists,
}

/// The product `C = f(start + A·B)`. C has elements.
pub(super) struct Loops<'a, F> {
    pub(super) isa: Isa,
    pub(super) a: MatRef<'a>,
    pub(super) b: Rhs<'a>,
    pub(super) start: Start<'a>,
    pub(super) c: PanelsMut<'a>,
    pub(super) f: F,
    /// Whether to look for zeros in A, and to leave out steps of k.
    pub(super) skip_zeros: bool,
    pub(super) scratch: &'a mut Scratch,
}

impl<F: Unary> SimdOp for Loops<'_, F> {
    type Output = ();

    #[inline(always)]
    fn eval<S: Simd>(self, s: S) {
        let Self { isa, a, b, start, mut c, f, skip_zeros, scratch } = self;
        let Scratch { strips, packed, lists } = scratch;
        let (m, k) = (a.rows(), a.cols());
        let Blocks { mc, kc, nc, pack_a, far } = Blocks::new::<S>(a, c.panels(), skip_zeros);
        // LOOP 5 (jc).
        for jc in (0..c.panels()).step_by(nc) {
            let nc = nc.min(c.panels() - jc);
            let (b, start) = (b.sub(jc, nc), start.sub(jc, nc));
            let mut c = c.sub(0, m, jc, nc);
            // LOOP 4 (pc). k = 0 is one slab without rows: C = start.
            for pc in (0..k.max(1)).step_by(kc) {
                let kc = kc.min(k - pc);
                let mut slab = b.slab::<S>((pc, kc), m, mc, packed);
                // After the first slab, the chains continue from C.
                let start = if pc == 0 { start } else { Start::Scaled(1.0) };
                let f = (pc + kc == k && !F::IDENTITY).then_some(f);
                let prefetch = if far { Prefetch::Far(b.next_b(pc + kc)) } else { Prefetch::Near };
                // LOOP 3 (ic).
                for ic in (0..m).step_by(mc) {
                    let mc = mc.min(m - ic);
                    let a = a.sub(ic, mc, pc, kc);
                    let active = if skip_zeros { lists.find(s, a) } else { None };
                    let a = if pack_a && active.is_none() {
                        pack::strips(s, a, strips)
                    } else {
                        let sparse = active.is_some();
                        Strips::unpacked(
                            a,
                            if sparse { S::SparseTile::ROWS } else { S::Tile::ROWS },
                        )
                    };
                    let c = c.sub(ic, mc, 0, nc);
                    let active = active.as_ref();
                    MacroKernel { isa, a, start, c, f, active, prefetch }.run(s, &mut slab);
                    slab = slab.packed();
                }
            }
        }
    }
}

/// Which part of B is prefetched while the one before it is used.
#[derive(Clone, Copy)]
enum Prefetch {
    /// None: the L2 cache has it.
    Near,
    /// The next micro-panel; after the last one of a slab, the first one of the next slab.
    Far(Option<NextB>),
}

/// The product of a block of A and a slab of B: what BLIS calls the macro-kernel.
struct MacroKernel<'a, F> {
    isa: Isa,
    a: Strips<'a>,
    start: Start<'a>,
    c: PanelsMut<'a>,
    /// Applied to C, if this is the last slab.
    f: Option<F>,
    active: Option<&'a Active<'a>>,
    prefetch: Prefetch,
}

impl<F: Unary> MacroKernel<'_, F> {
    /// LOOP 2 (jr): one column of tiles at a time.
    #[inline(always)]
    fn run<S: Simd>(mut self, s: S, slab: &mut Slab<'_>) {
        let Self { isa, a, start, active, .. } = self;
        let panels = self.c.panels();
        // All columns have nearly equal widths: a tile of one panel beside tiles of three
        // would wait for its loads.
        let widest = if active.is_some() { S::SparseTile::PANELS } else { S::Tile::PANELS };
        let columns = panels.div_ceil(widest);
        for column in 0..columns {
            let jr = panels * column / columns;
            let end = panels * (column + 1) / columns;
            let next_b = match self.prefetch {
                Prefetch::Far(_) if end < panels => slab.next_b(end),
                Prefetch::Far(next_slab) => next_slab,
                Prefetch::Near => None,
            };
            let b = slab.micro_panel(s, jr..end);
            let start = start.sub(jr, end - jr);
            let mut c = self.c.sub(0, a.rows(), jr, end - jr);
            let tiles = c.sub(0, a.rows(), 0, end - jr);
            microkernel::run(
                isa,
                TileColumn::new(a, b, start, tiles, active).prefetch_a(jr == 0).prefetch_b(next_b),
            );
            if let Some(f) = self.f {
                // From the cache.
                for panel in 0..end - jr {
                    map_panel(s, f, &mut c, panel);
                }
            }
        }
    }
}

/// `x ← f(x)` for each element of a panel. Its rows are shorter than some wide vectors; then
/// two of them make one.
#[inline(always)]
fn map_panel<S: Simd, F: Unary>(s: S, f: F, c: &mut PanelsMut<'_>, panel: usize) {
    if S::Wide::LEN <= PANEL {
        for i in 0..c.rows() {
            map_inline(s.wide(), f, c.row(i, panel));
        }
        return;
    }
    for i in (0..c.rows()).step_by(2) {
        let both = i..c.rows().min(i + 2);
        let mut copies = [[0.0; PANEL]; 2];
        for (i, copy) in both.clone().zip(&mut copies) {
            for (x, copy) in c.row(i, panel).chunks(S::LEN).zip(copy.chunks_exact_mut(S::LEN)) {
                s.store(if x.len() < S::LEN { s.load_partial(x) } else { s.load(x) }, copy);
            }
        }
        map_inline(s.wide(), f, copies.as_flattened_mut());
        for (i, copy) in both.zip(&copies) {
            for (x, copy) in c.row(i, panel).chunks_mut(S::LEN).zip(copy.chunks_exact(S::LEN)) {
                let y = s.load(copy);
                if x.len() < S::LEN { s.store_partial(y, x) } else { s.store(y, x) }
            }
        }
    }
}
