//! What the micro-kernel reads: A in strips, B in micro-panels, and the row or the matrix
//! from which the sums start.

use std::marker::PhantomData;

use crate::mat::{MatRef, extent};
use crate::panels::{PANEL, PanelsMut, PanelsRef};

/// What the sum over k starts from.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Start<'a> {
    /// 0; C is not read.
    Zero,
    /// `beta · C`.
    Scaled(f32),
    /// The same row for each row of C, such as a bias; C is not read. It has one row, and
    /// the same number of panels as C.
    Row(PanelsRef<'a>),
}

impl Start<'_> {
    /// The start of the panels `panel..panel + panels`.
    #[inline]
    pub(super) fn sub(self, panel: usize, panels: usize) -> Self {
        match self {
            Self::Row(row) => Self::Row(row.sub(0, 1, panel, panels)),
            other => other,
        }
    }
}

/// A in strips, each with the rows of a tile. Element (i, k) of a strip has the offset
/// `i·row_stride + k·col_stride` from the first element of the strip.
#[derive(Clone, Copy)]
pub(super) struct Strips<'a> {
    ptr: *const f32,
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
    /// Means nothing if there is one strip.
    strip_stride: usize,
    data: PhantomData<&'a [f32]>,
}

impl<'a> Strips<'a> {
    /// A as it is, in strips of `height` rows.
    #[inline(always)]
    pub(super) fn unpacked(a: MatRef<'a>, height: usize) -> Self {
        Self {
            ptr: a.as_ptr(),
            rows: a.rows(),
            cols: a.cols(),
            row_stride: a.row_stride(),
            col_stride: a.col_stride(),
            // Wraps only where there is no second strip.
            strip_stride: height.wrapping_mul(a.row_stride()),
            data: PhantomData,
        }
    }

    /// Packed strips of `height` rows each, column after column, at distances of
    /// [`strip_len`]. The last strip is stored with `height` rows too.
    ///
    /// # Panics
    /// If `data` is shorter.
    #[inline(always)]
    pub(super) fn packed(data: &'a [f32], rows: usize, cols: usize, height: usize) -> Self {
        let strip_stride = strip_len(height, cols);
        assert!(data.len() >= extent([(rows.div_ceil(height), strip_stride), (strip_stride, 1)]));
        Self {
            ptr: data.as_ptr(),
            rows,
            cols,
            row_stride: 1,
            col_stride: height,
            strip_stride,
            data: PhantomData,
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn cols(&self) -> usize {
        self.cols
    }

    /// Elements from a column to the next.
    pub(super) fn col_stride(&self) -> usize {
        self.col_stride
    }

    /// Elements from a strip to the next.
    pub(super) fn strip_stride(&self) -> usize {
        self.strip_stride
    }

    /// Address of element (i, 0) of strip `strip`; any address, if A has no columns.
    #[inline(always)]
    pub(super) fn address(&self, strip: usize, i: usize) -> *const f32 {
        let (strip, i) = (strip.wrapping_mul(self.strip_stride), i.wrapping_mul(self.row_stride));
        self.ptr.wrapping_add(strip.wrapping_add(i))
    }
}

/// Distance between packed strips; the extra cache line keeps equal rows of different
/// strips out of one cache set.
pub(super) fn strip_len(height: usize, cols: usize) -> usize {
    height * cols + PANEL
}

/// The columns of B that one column of tiles multiplies.
pub(super) enum MicroPanel<'a> {
    /// In panels.
    Panels(PanelsRef<'a>),
    /// Rows without gaps, `from`. The first tile packs them into the panels `to`, from
    /// which the other tiles read.
    Rows { from: MatRef<'a>, to: PanelsMut<'a> },
}

impl MicroPanel<'_> {
    /// Rows, and panels.
    pub(super) fn shape(&self) -> (usize, usize) {
        match self {
            Self::Panels(b) => (b.rows(), b.panels()),
            Self::Rows { to, .. } => (to.rows(), to.panels()),
        }
    }
}

/// Where the next column of tiles finds its B: addresses to prefetch.
#[derive(Clone, Copy)]
pub(super) struct NextB {
    ptr: *const f32,
    line_stride: usize,
    block_stride: usize,
    panel_stride: usize,
}

impl NextB {
    /// B in panels.
    pub(super) fn panels(b: PanelsRef<'_>) -> Self {
        Self {
            ptr: b.as_ptr(),
            line_stride: b.row_stride(),
            block_stride: b.block_stride(),
            panel_stride: b.panel_stride(),
        }
    }

    /// Rows without gaps.
    pub(super) fn rows(b: MatRef<'_>) -> Self {
        let row_stride = b.row_stride();
        Self {
            // The end of a row of a panel: its start came with the panel before, as the rows
            // of a matrix need not begin where a cache line does.
            ptr: b.as_ptr().wrapping_add(PANEL - 1),
            line_stride: row_stride,
            block_stride: PANEL.wrapping_mul(row_stride),
            panel_stride: PANEL,
        }
    }

    /// Bᵀ in panels: a row of blocks of Bᵀ is a column of blocks of B.
    pub(super) fn transposed(b: PanelsRef<'_>) -> Self {
        let Self { ptr, line_stride, block_stride, panel_stride } = Self::panels(b);
        Self { ptr, line_stride, block_stride: panel_stride, panel_stride: block_stride }
    }

    /// Address of cache line `k` of panel `panel`: any address, if there is no such line.
    #[inline(always)]
    pub(super) fn line(&self, k: usize, panel: usize) -> *const f32 {
        let (block, line) = (k / PANEL, k % PANEL);
        self.ptr
            .wrapping_add(block.wrapping_mul(self.block_stride))
            .wrapping_add(line.wrapping_mul(self.line_stride))
            .wrapping_add(panel.wrapping_mul(self.panel_stride))
    }
}
