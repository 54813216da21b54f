//! Panels: a matrix in the order in which the micro-kernel reads and writes it.
//!
//! A panel is 16 columns of a matrix, stored row after row, so that one row of a
//! panel is one cache line: one AVX-512 vector, two AVX2 or four NEON ones. The
//! width is the same for every instruction set, so that weights can be *kept* as
//! panels, and a model does not depend on the machine that trained it.
//!
//! Rows go in blocks of 16, and the distance between blocks is a stride of its
//! own. So one grid of 16 × 16 blocks can be read as a matrix, or, each of its
//! blocks transposed on the way, as the transposed matrix:
//!
//! ```text
//! weights W (units × inputs), layer by layer:
//!   [unit block 0: [input block 0][input block 1]...][unit block 1: ...]
//! each block as it lies: panels of units, for the forward pass   z  = x·Wᵀ
//! each block transposed: panels of inputs, for the backward pass dx = dz·W
//! ```
//!
//! Columns behind the last are padding. They are read, and multiply nothing that
//! is kept.

use std::marker::PhantomData;

use crate::isa::Isa;
use crate::mat::{MatMut, MatRef};
use crate::simd::{Simd, SimdOp};

/// Columns of a panel, and rows of a block.
pub const PANEL: usize = 16;

/// Elements of a 16 × 16 block.
pub const BLOCK: usize = PANEL * PANEL;

/// A `rows × cols` matrix as panels, for reading: the right-hand side B of a
/// product.
#[derive(Clone, Copy, Debug)]
pub struct PanelsRef<'a> {
    ptr: *const f32,
    rows: usize,
    cols: usize,
    row_stride: usize,
    block_stride: usize,
    panel_stride: usize,
    data: PhantomData<&'a [f32]>,
}

// SAFETY: a view is a `&[f32]` with a shape, and that is Send and Sync.
unsafe impl Send for PanelsRef<'_> {}
// SAFETY: as above.
unsafe impl Sync for PanelsRef<'_> {}

impl<'a> PanelsRef<'a> {
    /// Element (k, j) lies at `(j / 16)·panel_stride + (k / 16)·block_stride +
    /// (k % 16)·16 + j % 16`; padding columns of the last panel must be there.
    ///
    /// # Panics
    /// If the last element lies behind the end of `data`.
    #[must_use]
    pub fn new(
        data: &'a [f32],
        rows: usize,
        cols: usize,
        block_stride: usize,
        panel_stride: usize,
    ) -> Self {
        let panels = cols.div_ceil(PANEL);
        if rows > 0 && panels > 0 {
            let last = (panels - 1)
                .checked_mul(panel_stride)
                .zip(((rows - 1) / PANEL).checked_mul(block_stride))
                .and_then(|(right, down)| right.checked_add(down))
                .expect("panels larger than the address space");
            let needed = last + (rows - 1) % PANEL * PANEL + PANEL;
            assert!(
                needed <= data.len(),
                "a {rows} × {cols} matrix in panels needs {needed} elements, found {}",
                data.len()
            );
        }
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

    /// Panels that lie one behind the other without gaps, as [`pack`] makes them.
    ///
    /// # Panics
    /// If `data` is shorter than [`packed_len`] says.
    #[must_use]
    pub fn packed(data: &'a [f32], rows: usize, cols: usize) -> Self {
        Self::new(data, rows, cols, BLOCK, rows * PANEL)
    }

    /// A row-major matrix whose rows are filled up to whole panels and have no gaps between
    /// them: element (k, j) lies at `k·panels·16 + j`.
    ///
    /// # Panics
    /// If the last row ends behind `data`.
    #[must_use]
    pub fn row_major(data: &'a [f32], rows: usize, cols: usize) -> Self {
        let width = cols.next_multiple_of(PANEL);
        let filled = Self::from_mat(MatRef::strided(data, rows, width, width, 1));
        Self { cols, ..filled.expect("whole panels") }
    }

    /// A row-major matrix whose columns fill its panels, as it is.
    pub(crate) fn from_mat(m: MatRef<'a>) -> Option<Self> {
        let whole = m.col_stride() == 1 && m.cols().is_multiple_of(PANEL);
        whole.then(|| Self {
            ptr: m.as_ptr(),
            rows: m.rows(),
            cols: m.cols(),
            row_stride: m.row_stride(),
            block_stride: PANEL * m.row_stride(),
            panel_stride: PANEL,
            data: PhantomData,
        })
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns, padding not counted.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Number of panels.
    pub(crate) fn panels(&self) -> usize {
        self.cols.div_ceil(PANEL)
    }

    /// Places from a row to the next, inside a block.
    pub(crate) fn row_stride(&self) -> usize {
        self.row_stride
    }

    /// Places from a block of 16 rows to the next.
    pub(crate) fn block_stride(&self) -> usize {
        self.block_stride
    }

    /// Places from a panel to the next.
    pub(crate) fn panel_stride(&self) -> usize {
        self.panel_stride
    }

    pub(crate) fn as_ptr(&self) -> *const f32 {
        self.ptr
    }

    /// Block `block` of panel `panel`: up to 16 rows of 16 numbers, where rows of a panel
    /// have no gaps.
    #[inline]
    pub(crate) fn block(&self, block: usize, panel: usize) -> &'a [f32] {
        assert!(self.row_stride == PANEL, "rows without gaps");
        assert!(block * PANEL < self.rows && panel * PANEL < self.cols);
        let rows = PANEL.min(self.rows - block * PANEL);
        let at = block * self.block_stride + panel * self.panel_stride;
        // SAFETY: the constructor checked that the last row of the last panel is inside
        // the slice that is borrowed, padding included, and no row of another lies behind
        // it.
        unsafe { std::slice::from_raw_parts(self.ptr.add(at), rows * PANEL) }
    }

    /// Rows `start..start + rows` of the panels `panel..panel + panels`; `start`
    /// is a multiple of 16.
    #[inline]
    pub(crate) fn sub(self, start: usize, rows: usize, panel: usize, panels: usize) -> Self {
        assert!(start.is_multiple_of(PANEL) && start <= self.rows && rows <= self.rows - start);
        assert!(panel + panels <= self.panels());
        let ptr =
            self.ptr.wrapping_add(start / PANEL * self.block_stride + panel * self.panel_stride);
        let cols = (panels * PANEL).min(self.cols - panel * PANEL);
        Self { ptr, rows, cols, ..self }
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
    /// `rows` rows of `panels` panels, one panel behind the other: element
    /// (i, j) lies at `(j / 16)·rows·16 + i·16 + j % 16`. Padding columns are
    /// written too.
    ///
    /// # Panics
    /// If `data` is not `rows × panels × 16` long.
    #[must_use]
    pub fn packed(data: &'a mut [f32], rows: usize, panels: usize) -> Self {
        assert_eq!(data.len(), rows * panels * PANEL, "{rows} rows of {panels} panels");
        Self {
            ptr: data.as_mut_ptr(),
            rows,
            cols: panels * PANEL,
            row_stride: PANEL,
            panel_stride: rows * PANEL,
            data: PhantomData,
        }
    }

    /// `rows` rows of `panels` panels, one row behind the other: element (i, j) lies at
    /// `i·panels·16 + j`. Padding columns are written too.
    ///
    /// # Panics
    /// If `data` is not `rows × panels × 16` long.
    #[must_use]
    pub fn row_major(data: &'a mut [f32], rows: usize, panels: usize) -> Self {
        Self::from_mat(MatMut::new(data, rows, panels * PANEL)).expect("rows without gaps")
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

    /// The same for reading; the pointer inside is still one to write by.
    pub(crate) fn into_ref(self) -> PanelsRef<'a> {
        PanelsRef {
            ptr: self.ptr,
            rows: self.rows,
            cols: self.cols,
            row_stride: self.row_stride,
            block_stride: PANEL * self.row_stride,
            panel_stride: self.panel_stride,
            data: PhantomData,
        }
    }

    /// Number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Places from a row to the next.
    pub(crate) fn row_stride(&self) -> usize {
        self.row_stride
    }

    /// Places from a panel to the next.
    pub(crate) fn panel_stride(&self) -> usize {
        self.panel_stride
    }

    /// Number of columns that are written.
    pub(crate) fn cols(&self) -> usize {
        self.cols
    }

    /// Where row `i` of panel `panel` begins.
    #[inline(always)]
    pub(crate) fn place(&self, i: usize, panel: usize) -> *mut f32 {
        self.ptr.wrapping_add(i * self.row_stride + panel * self.panel_stride)
    }

    /// Rows `start..start + rows` of the panels `panel..panel + panels`.
    #[inline]
    pub(crate) fn sub(
        &mut self,
        start: usize,
        rows: usize,
        panel: usize,
        panels: usize,
    ) -> PanelsMut<'_> {
        assert!(start <= self.rows && rows <= self.rows - start);
        assert!(panel + panels <= self.cols.div_ceil(PANEL));
        let ptr = self.place(start, panel);
        let cols = (panels * PANEL).min(self.cols - panel * PANEL);
        PanelsMut { ptr, rows, cols, data: PhantomData, ..*self }
    }

    /// Row `i` of panel `panel`: up to 16 numbers.
    #[inline]
    pub(crate) fn row(&mut self, i: usize, panel: usize) -> &mut [f32] {
        assert!(i < self.rows && panel * PANEL < self.cols);
        let len = PANEL.min(self.cols - panel * PANEL);
        // SAFETY: the constructors checked that every element of every row is
        // inside the slice that is borrowed for writing; this row's are among
        // them, and `&mut self` keeps others away from it.
        unsafe { std::slice::from_raw_parts_mut(self.place(i, panel), len) }
    }
}

/// Elements that a `rows × cols` matrix takes as panels without gaps.
#[must_use]
pub fn packed_len(rows: usize, cols: usize) -> usize {
    rows * cols.div_ceil(PANEL) * PANEL
}

/// Writes `src` as panels without gaps; padding columns become 0.
///
/// # Panics
/// If `dst` is not [`packed_len`] long.
pub fn pack(isa: Isa, src: MatRef<'_>, dst: &mut [f32]) {
    struct Pack<'a>(MatRef<'a>, &'a mut [f32]);
    impl SimdOp for Pack<'_> {
        type Output = ();
        #[inline(always)]
        fn eval<S: Simd>(self, s: S) {
            crate::matmul::pack::panels(s, self.0, 1.0, self.1);
        }
    }
    isa.dispatch(Pack(src, dst));
}
