//! Panels: a matrix in the order in which the micro-kernel reads and writes it.
//!
//! A panel is 16 columns of a matrix, stored row after row. So one row of a panel is one
//! cache line: one AVX-512 vector, two AVX2 vectors or four NEON vectors. The width is the
//! same for every instruction set, so weights can be *kept* as panels, and a model does
//! not depend on the machine that trained it.
//!
//! Rows are grouped in blocks of 16, and the distance between blocks is a stride of its
//! own. So one grid of 16 × 16 blocks can be read as a matrix or, if each block is
//! transposed on the way, as the transposed matrix:
//!
//! ```text
//! weights W (units × inputs), layer by layer:
//!   [unit block 0: [input block 0][input block 1]...][unit block 1: ...]
//! blocks as they are: panels of units, for the forward pass   z  = x·Wᵀ
//! blocks transposed:  panels of inputs, for the backward pass dx = dz·W
//! ```
//!
//! Columns after the last one are padding. They are read, but no result that is kept
//! depends on them.

use std::marker::PhantomData;

use crate::mat::{MatMut, MatRef, extent};

/// Columns of a panel, and rows of a block.
pub const PANEL: usize = 16;

/// Elements of a 16 × 16 block.
pub const BLOCK: usize = PANEL * PANEL;

/// `cols` columns with their padding.
///
/// # Panics
/// If that is no `usize`.
fn padded(cols: usize) -> usize {
    panel_rows(cols.div_ceil(PANEL))
}

/// Elements of `count` rows of a panel.
///
/// # Panics
/// If that is no `usize`.
fn panel_rows(count: usize) -> usize {
    extent([(count, PANEL), (PANEL, 1)])
}

/// Elements of a `rows × cols` matrix in panels without gaps, padding included.
///
/// # Panics
/// If that is no `usize`.
#[must_use]
pub fn packed_len(rows: usize, cols: usize) -> usize {
    let cols = padded(cols);
    extent([(rows, cols), (cols, 1)])
}

/// A `rows × cols` matrix in panels, for reading: the right-hand side B of a product.
#[derive(Clone, Copy, Debug)]
pub struct PanelsRef<'a> {
    ptr: *const f32,
    rows: usize,
    cols: usize,
    row_stride: usize,
    /// Means nothing if there is one block of rows.
    block_stride: usize,
    panel_stride: usize,
    data: PhantomData<&'a [f32]>,
}

// SAFETY: a view is a `&[f32]` with a shape, and that is Send and Sync.
unsafe impl Send for PanelsRef<'_> {}
// SAFETY: as above.
unsafe impl Sync for PanelsRef<'_> {}

impl<'a> PanelsRef<'a> {
    /// Element (k, j) has the offset `(j / 16)·panel_stride + (k / 16)·block_stride +
    /// (k % 16)·16 + j % 16` in `data`, which contains the padding columns of the last
    /// panel too. Strides may be 0 or make panels and blocks overlap.
    ///
    /// # Panics
    /// If an element or a padding column lies after the end of `data`.
    #[must_use]
    pub fn new(
        data: &'a [f32],
        rows: usize,
        cols: usize,
        block_stride: usize,
        panel_stride: usize,
    ) -> Self {
        let panels = padded(cols) / PANEL;
        // The last block may be shorter than the others, and strides may be small: so
        // either the last whole block or the one after it ends last.
        let (whole, rest) = (rows / PANEL, rows % PANEL);
        let [needed, needed_by_rest] =
            [(whole, PANEL), (rows.div_ceil(PANEL), rest)].map(|(blocks, rows)| {
                extent([(panels, panel_stride), (blocks, block_stride), (rows, PANEL), (PANEL, 1)])
            });
        let needed = needed.max(needed_by_rest);
        assert!(
            needed <= data.len(),
            "a {rows} × {cols} matrix in panels, with strides {block_stride} and {panel_stride}, \
             needs {needed} elements, found {}",
            data.len()
        );
        Self {
            ptr: data.as_ptr(),
            rows,
            cols,
            row_stride: PANEL,
            block_stride,
            panel_stride,
            data: PhantomData,
        }
    }

    /// Panels one after the other without gaps, as [`pack`](crate::pack) writes them.
    ///
    /// # Panics
    /// If `data` is shorter than [`packed_len`] says.
    #[must_use]
    pub fn packed(data: &'a [f32], rows: usize, cols: usize) -> Self {
        Self::new(data, rows, cols, BLOCK, panel_rows(rows))
    }

    /// A row-major matrix whose rows are padded to whole panels and have no gaps between
    /// them: element (k, j) has the offset `k·panels·16 + j`.
    ///
    /// # Panics
    /// If `data` is shorter than [`packed_len`] says.
    #[must_use]
    pub fn row_major(data: &'a [f32], rows: usize, cols: usize) -> Self {
        let width = padded(cols);
        let padded = Self::from_mat(MatRef::strided(data, rows, width, width, 1));
        Self { cols, ..padded.expect("whole panels") }
    }

    /// A row-major matrix whose columns fill its panels, as it is.
    pub(crate) fn from_mat(m: MatRef<'a>) -> Option<Self> {
        let whole = m.col_stride() == 1 && m.cols().is_multiple_of(PANEL);
        whole.then(|| Self {
            ptr: m.as_ptr(),
            rows: m.rows(),
            cols: m.cols(),
            row_stride: m.row_stride(),
            // Wraps only where there is no second block.
            block_stride: PANEL.wrapping_mul(m.row_stride()),
            panel_stride: PANEL,
            data: PhantomData,
        })
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns without padding.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Number of panels.
    pub(crate) fn panels(&self) -> usize {
        self.cols.div_ceil(PANEL)
    }

    /// Whether row k has the offset `k·row_stride` in its panel: whether there are no gaps
    /// between blocks.
    pub(crate) fn has_adjacent_blocks(&self) -> bool {
        self.rows <= PANEL || self.block_stride == PANEL * self.row_stride
    }

    /// Elements from a row to the next, inside a block.
    pub(crate) fn row_stride(&self) -> usize {
        self.row_stride
    }

    /// Elements from a block of 16 rows to the next.
    pub(crate) fn block_stride(&self) -> usize {
        self.block_stride
    }

    /// Elements from a panel to the next.
    pub(crate) fn panel_stride(&self) -> usize {
        self.panel_stride
    }

    /// Address of element (0, 0), if it exists.
    pub(crate) fn as_ptr(&self) -> *const f32 {
        self.ptr
    }

    /// Block `block` of panel `panel`: up to 16 rows of 16 elements.
    ///
    /// # Panics
    /// If there is no such block, or if there are gaps between the rows of a panel.
    #[inline]
    pub(crate) fn block(&self, block: usize, panel: usize) -> &'a [f32] {
        assert!(self.row_stride == PANEL, "rows of a panel without gaps");
        assert!(block < self.rows.div_ceil(PANEL) && panel < self.panels());
        let rows = PANEL.min(self.rows - block * PANEL);
        let offset = block * self.block_stride + panel * self.panel_stride;
        // SAFETY: the constructor checked that all rows of this block are inside the
        // borrowed slice, padding included.
        unsafe { std::slice::from_raw_parts(self.ptr.add(offset), rows * PANEL) }
    }

    /// Rows `start..start + rows` of the panels `panel..panel + panels`; `start`
    /// is a multiple of 16.
    ///
    /// # Panics
    /// If there are no such rows or panels.
    #[inline]
    pub(crate) fn sub(self, start: usize, rows: usize, panel: usize, panels: usize) -> Self {
        assert!(start.is_multiple_of(PANEL) && start <= self.rows && rows <= self.rows - start);
        assert!(panel <= self.panels() && panels <= self.panels() - panel);
        let cols = (panels * PANEL).min(self.cols.saturating_sub(panel * PANEL));
        if rows == 0 || cols == 0 {
            return Self { rows, cols, ..self };
        }
        let offset = start / PANEL * self.block_stride + panel * self.panel_stride;
        // SAFETY: the offset of an element inside the slice, as the constructor checked.
        Self { ptr: unsafe { self.ptr.add(offset) }, rows, cols, ..self }
    }
}

/// A matrix that the micro-kernel writes: row-major, or in panels.
#[derive(Debug)]
pub struct PanelsMut<'a> {
    ptr: *mut f32,
    rows: usize,
    cols: usize,
    row_stride: usize,
    panel_stride: usize,
    data: PhantomData<&'a mut [f32]>,
}

impl<'a> PanelsMut<'a> {
    /// `rows` rows of `panels` panels, one panel after the other: element (i, j) has the
    /// offset `(j / 16)·rows·16 + i·16 + j % 16`. Padding columns are written too.
    ///
    /// # Panics
    /// If `data` is not `rows × panels × 16` long.
    #[must_use]
    pub fn packed(data: &'a mut [f32], rows: usize, panels: usize) -> Self {
        let (cols, panel_stride) = (panel_rows(panels), panel_rows(rows));
        let needed = extent([(panels, panel_stride), (panel_stride, 1)]);
        assert!(
            needed == data.len(),
            "{rows} rows of {panels} panels need {needed} elements, found {}",
            data.len()
        );
        Self {
            ptr: data.as_mut_ptr(),
            rows,
            cols,
            row_stride: PANEL,
            panel_stride,
            data: PhantomData,
        }
    }

    /// `rows` rows of `panels` panels, one row after the other: element (i, j) has the
    /// offset `i·panels·16 + j`. Padding columns are written too.
    ///
    /// # Panics
    /// If `data` is not `rows × panels × 16` long.
    #[must_use]
    pub fn row_major(data: &'a mut [f32], rows: usize, panels: usize) -> Self {
        Self::from_mat(MatMut::new(data, rows, panel_rows(panels))).expect("rows without gaps")
    }

    /// A matrix whose rows have no gaps, as it is.
    pub(crate) fn from_mat(mut m: MatMut<'a>) -> Option<Self> {
        (m.col_stride() == 1 || m.cols() <= 1).then(|| Self {
            ptr: m.as_mut_ptr(),
            rows: m.rows(),
            cols: m.cols(),
            row_stride: m.row_stride(),
            panel_stride: PANEL,
            data: PhantomData,
        })
    }

    /// The same matrix, for reading.
    ///
    /// # Panics
    /// If it has no padding columns where a reader expects them.
    #[inline(always)]
    pub(crate) fn as_ref(&self) -> PanelsRef<'_> {
        assert!(self.cols.is_multiple_of(PANEL), "whole panels");
        PanelsRef {
            ptr: self.ptr,
            rows: self.rows,
            cols: self.cols,
            row_stride: self.row_stride,
            // Wraps only where there is no second block.
            block_stride: PANEL.wrapping_mul(self.row_stride),
            panel_stride: self.panel_stride,
            data: PhantomData,
        }
    }

    /// Number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns that are written.
    pub(crate) fn cols(&self) -> usize {
        self.cols
    }

    /// Number of panels.
    pub(crate) fn panels(&self) -> usize {
        self.cols.div_ceil(PANEL)
    }

    /// Elements from a row to the next.
    pub(crate) fn row_stride(&self) -> usize {
        self.row_stride
    }

    /// Elements from a panel to the next.
    pub(crate) fn panel_stride(&self) -> usize {
        self.panel_stride
    }

    /// Address of row `i` of panel `panel`, if both exist; else any address, which only a
    /// prefetch may take.
    #[inline(always)]
    pub(crate) fn address(&self, i: usize, panel: usize) -> *const f32 {
        self.ptr.wrapping_add(self.offset(i, panel))
    }

    /// The same address, for writing.
    #[inline(always)]
    pub(crate) fn address_mut(&mut self, i: usize, panel: usize) -> *mut f32 {
        self.ptr.wrapping_add(self.offset(i, panel))
    }

    /// Offset of row `i` of panel `panel`: wraps only where there is no such row.
    #[inline(always)]
    fn offset(&self, i: usize, panel: usize) -> usize {
        i.wrapping_mul(self.row_stride).wrapping_add(panel.wrapping_mul(self.panel_stride))
    }

    /// Rows `start..start + rows` of the panels `panel..panel + panels`.
    ///
    /// # Panics
    /// If there are no such rows or panels.
    #[inline]
    pub(crate) fn sub(
        &mut self,
        start: usize,
        rows: usize,
        panel: usize,
        panels: usize,
    ) -> PanelsMut<'_> {
        assert!(start <= self.rows && rows <= self.rows - start);
        assert!(panel <= self.panels() && panels <= self.panels() - panel);
        let cols = (panels * PANEL).min(self.cols.saturating_sub(panel * PANEL));
        let empty = rows == 0 || cols == 0;
        let ptr = if empty { self.ptr } else { self.address_mut(start, panel) };
        PanelsMut { ptr, rows, cols, data: PhantomData, ..*self }
    }

    /// Row `i` of panel `panel`: up to 16 elements.
    ///
    /// # Panics
    /// If there is no such row.
    #[inline]
    pub(crate) fn row(&mut self, i: usize, panel: usize) -> &mut [f32] {
        assert!(i < self.rows && panel < self.panels());
        let len = PANEL.min(self.cols - panel * PANEL);
        // SAFETY: the constructors checked that every element of every row is
        // inside the slice that is borrowed for writing; this row's are among
        // them, and `&mut self` keeps others away from it.
        unsafe { std::slice::from_raw_parts_mut(self.address_mut(i, panel), len) }
    }
}
