//! Strided views of matrices: transposing and splitting move no element.

use std::marker::PhantomData;

/// Length of the memory that an array spans, from its first element to its last. Each
/// dimension is a pair (count, stride); an array with a count of 0 spans nothing.
///
/// Every size, stride and offset that comes from outside the crate is checked by this
/// function. It returns the exact length or panics; it never wraps. What it has accepted
/// and what fits a slice is below `isize::MAX`, so the offsets of existing elements can be
/// computed without further checks.
///
/// # Panics
/// If the length is no `usize`.
#[inline]
pub(crate) fn extent<const N: usize>(dimensions: [(usize, usize); N]) -> usize {
    if dimensions.iter().any(|(count, _)| *count == 0) {
        return 0;
    }
    dimensions
        .iter()
        .try_fold(1usize, |extent, (count, stride)| {
            (count - 1).checked_mul(*stride)?.checked_add(extent)
        })
        .expect("an array larger than the address space")
}

/// Out of line: with the message in place, the compiler would put the shape into memory for it
/// in each round of a loop over rows.
#[cold]
#[inline(never)]
fn no_row(i: usize, shape: Shape) -> ! {
    panic!("row {i} of {shape:?}");
}

/// Rows, columns and strides of a view.
#[derive(Clone, Copy, Debug)]
struct Shape {
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl Shape {
    /// # Panics
    /// If a slice of `len` elements does not hold the last element.
    fn new(len: usize, rows: usize, cols: usize, row_stride: usize, col_stride: usize) -> Self {
        let needed = extent([(rows, row_stride), (cols, col_stride)]);
        assert!(
            needed <= len,
            "a {rows} × {cols} matrix with strides {row_stride} and {col_stride} needs {needed} \
             elements, found {len}"
        );
        Self { rows, cols, row_stride, col_stride }
    }

    /// Row-major, without gaps.
    ///
    /// # Panics
    /// If `len` is not `rows × cols`.
    fn dense(len: usize, rows: usize, cols: usize) -> Self {
        let needed = extent([(rows, cols), (cols, 1)]);
        assert!(
            needed == len,
            "a {rows} × {cols} matrix without gaps needs {needed} elements, found {len}"
        );
        Self { rows, cols, row_stride: cols, col_stride: 1 }
    }

    fn is_empty(self) -> bool {
        self.rows == 0 || self.cols == 0
    }

    fn t(self) -> Self {
        Self {
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
        }
    }

    /// Whether no two elements have the same offset, as far as that is easily seen: if the
    /// columns of a row, or the rows of a column, lie between two steps of the other
    /// dimension.
    fn elements_are_distinct(self) -> bool {
        let Self { rows, cols, row_stride, col_stride } = self;
        let row_major = (rows <= 1 || row_stride >= extent([(cols, col_stride)]))
            && (cols <= 1 || col_stride > 0);
        let col_major = (cols <= 1 || col_stride >= extent([(rows, row_stride)]))
            && (rows <= 1 || row_stride > 0);
        row_major || col_major
    }

    /// Offset of element (i, j), which exists: inside the slice that `new` checked.
    #[inline(always)]
    fn offset(self, i: usize, j: usize) -> usize {
        i * self.row_stride + j * self.col_stride
    }

    /// Whether row `i` exists and is one slice.
    #[inline(always)]
    fn has_dense_row(self, i: usize) -> bool {
        i < self.rows && (self.col_stride == 1 || self.cols <= 1)
    }

    /// Rows `start..start + rows` and columns `left..left + cols`, and the offset of the
    /// first of their elements. The offset of a part without elements is 0, so that no
    /// pointer leaves the slice.
    ///
    /// # Panics
    /// If the matrix has no such rows or columns.
    #[inline(always)]
    fn part(self, start: usize, rows: usize, left: usize, cols: usize) -> (usize, Self) {
        assert!(
            start <= self.rows && rows <= self.rows - start,
            "{rows} rows from row {start} on, of {}",
            self.rows
        );
        assert!(
            left <= self.cols && cols <= self.cols - left,
            "{cols} columns from column {left} on, of {}",
            self.cols
        );
        let part = Self { rows, cols, ..self };
        (if part.is_empty() { 0 } else { self.offset(start, left) }, part)
    }
}

/// A `rows × cols` matrix for reading. Element (i, j) has the offset `i·row_stride +
/// j·col_stride` in the slice.
#[derive(Clone, Copy, Debug)]
pub struct MatRef<'a> {
    /// The first element of the slice, or of the part of it that [`sub`](Self::sub) chose.
    ptr: *const f32,
    shape: Shape,
    data: PhantomData<&'a [f32]>,
}

// SAFETY: a view is a `&[f32]` with a shape, and that is Send and Sync.
unsafe impl Send for MatRef<'_> {}
// SAFETY: as above.
unsafe impl Sync for MatRef<'_> {}

/// A `rows × cols` matrix for writing; no two elements share an offset.
#[derive(Debug)]
pub struct MatMut<'a> {
    ptr: *mut f32,
    shape: Shape,
    data: PhantomData<&'a mut [f32]>,
}

// SAFETY: a view is a `&mut [f32]` with a shape, and that is Send; two views of
// one matrix have no element in common.
unsafe impl Send for MatMut<'_> {}
// SAFETY: `&MatMut` gives no access but for reading.
unsafe impl Sync for MatMut<'_> {}

impl<'a> MatRef<'a> {
    /// A row-major matrix without gaps.
    ///
    /// # Panics
    /// If `data` is not `rows × cols` long.
    #[must_use]
    pub fn new(data: &'a [f32], rows: usize, cols: usize) -> Self {
        let shape = Shape::dense(data.len(), rows, cols);
        Self { ptr: data.as_ptr(), shape, data: PhantomData }
    }

    /// A matrix with any strides; they may be 0 or make elements overlap.
    ///
    /// # Panics
    /// If the last element lies after the end of `data`.
    #[must_use]
    pub fn strided(
        data: &'a [f32],
        rows: usize,
        cols: usize,
        row_stride: usize,
        col_stride: usize,
    ) -> Self {
        let shape = Shape::new(data.len(), rows, cols, row_stride, col_stride);
        Self { ptr: data.as_ptr(), shape, data: PhantomData }
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.shape.rows
    }

    /// Number of columns.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.shape.cols
    }

    /// Elements from a row to the next.
    #[must_use]
    pub fn row_stride(&self) -> usize {
        self.shape.row_stride
    }

    /// Elements from a column to the next.
    #[must_use]
    pub fn col_stride(&self) -> usize {
        self.shape.col_stride
    }

    /// Address of element (0, 0), if it exists.
    pub(crate) fn as_ptr(&self) -> *const f32 {
        self.ptr
    }

    /// The transposed matrix.
    #[must_use]
    pub fn t(self) -> Self {
        Self { shape: self.shape.t(), ..self }
    }

    /// Rows `start..start + rows`, columns `left..left + cols`.
    ///
    /// # Panics
    /// If the matrix has no such rows or columns.
    #[must_use]
    #[inline]
    pub fn sub(self, start: usize, rows: usize, left: usize, cols: usize) -> Self {
        let (offset, shape) = self.shape.part(start, rows, left, cols);
        // SAFETY: the offset of an element of the slice, or 0.
        Self { ptr: unsafe { self.ptr.add(offset) }, shape, ..self }
    }

    /// Row `i`, whose elements must be neighbours.
    ///
    /// # Panics
    /// If the matrix has no row `i`, or if there are gaps between columns.
    #[must_use]
    #[inline]
    pub fn row(self, i: usize) -> &'a [f32] {
        if !self.shape.has_dense_row(i) {
            no_row(i, self.shape);
        }
        if self.cols() == 0 {
            return &[];
        }
        // SAFETY: the constructor checked that every element of every row is
        // inside the slice that is borrowed for `'a`.
        unsafe { std::slice::from_raw_parts(self.ptr.add(self.shape.offset(i, 0)), self.cols()) }
    }

    /// Element (i, j).
    ///
    /// # Panics
    /// If the matrix has no such element.
    #[must_use]
    #[inline]
    pub fn get(&self, i: usize, j: usize) -> f32 {
        assert!(i < self.rows() && j < self.cols(), "element ({i}, {j}) of {:?}", self.shape);
        // SAFETY: the constructor checked that every element is inside the borrowed
        // slice, and (i, j) is an element.
        unsafe { *self.ptr.add(self.shape.offset(i, j)) }
    }
}

impl<'a> MatMut<'a> {
    /// A row-major matrix without gaps.
    ///
    /// # Panics
    /// If `data` is not `rows × cols` long.
    #[must_use]
    pub fn new(data: &'a mut [f32], rows: usize, cols: usize) -> Self {
        let shape = Shape::dense(data.len(), rows, cols);
        Self { ptr: data.as_mut_ptr(), shape, data: PhantomData }
    }

    /// A matrix with any strides that keep its elements apart.
    ///
    /// # Panics
    /// If the last element lies after the end of `data`, or if the strides let two
    /// elements share an offset.
    #[must_use]
    pub fn strided(
        data: &'a mut [f32],
        rows: usize,
        cols: usize,
        row_stride: usize,
        col_stride: usize,
    ) -> Self {
        let shape = Shape::new(data.len(), rows, cols, row_stride, col_stride);
        assert!(
            shape.is_empty() || shape.elements_are_distinct(),
            "strides {row_stride} and {col_stride} let elements of a {rows} × {cols} matrix overlap"
        );
        Self { ptr: data.as_mut_ptr(), shape, data: PhantomData }
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.shape.rows
    }

    /// Number of columns.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.shape.cols
    }

    /// Elements from a row to the next.
    #[must_use]
    pub fn row_stride(&self) -> usize {
        self.shape.row_stride
    }

    /// Elements from a column to the next.
    #[must_use]
    pub fn col_stride(&self) -> usize {
        self.shape.col_stride
    }

    /// Address of element (0, 0), if it exists.
    pub(crate) fn as_mut_ptr(&mut self) -> *mut f32 {
        self.ptr
    }

    /// The transposed matrix.
    #[must_use]
    pub fn t(self) -> Self {
        Self { shape: self.shape.t(), ..self }
    }

    /// The same elements, borrowed for a shorter time.
    #[must_use]
    pub fn reborrow(&mut self) -> MatMut<'_> {
        MatMut { data: PhantomData, ..*self }
    }

    /// The same elements, for reading.
    #[must_use]
    pub fn as_ref(&self) -> MatRef<'_> {
        MatRef { ptr: self.ptr, shape: self.shape, data: PhantomData }
    }

    /// The rows above `row`, and the others: for two threads.
    ///
    /// # Panics
    /// If `row` is more than the number of rows.
    #[must_use]
    pub fn split_rows(self, row: usize) -> (Self, Self) {
        let Shape { rows, cols, .. } = self.shape;
        assert!(row <= rows, "{rows} rows split at {row}");
        let (_, top) = self.shape.part(0, row, 0, cols);
        let (offset, bottom) = self.shape.part(row, rows - row, 0, cols);
        // SAFETY: the offset of an element of the slice, or 0.
        let ptr = unsafe { self.ptr.add(offset) };
        (Self { shape: top, ..self }, Self { ptr, shape: bottom, ..self })
    }

    /// The columns left of `col`, and the others: for two threads.
    ///
    /// # Panics
    /// If `col` is more than the number of columns.
    #[must_use]
    pub fn split_cols(self, col: usize) -> (Self, Self) {
        assert!(col <= self.cols(), "{} columns split at {col}", self.cols());
        let (left, right) = self.t().split_rows(col);
        (left.t(), right.t())
    }

    /// Row `i`, whose elements must be neighbours.
    ///
    /// # Panics
    /// If the matrix has no row `i`, or if there are gaps between columns.
    #[must_use]
    #[inline]
    pub fn row_mut(&mut self, i: usize) -> &mut [f32] {
        assert!(self.shape.has_dense_row(i), "row {i} of {:?}", self.shape);
        if self.cols() == 0 {
            return &mut [];
        }
        let (offset, len) = (self.shape.offset(i, 0), self.cols());
        // SAFETY: the constructor checked that every element of every row is
        // inside the borrowed slice; no other view has an element of this row,
        // and `&mut self` keeps this view to one row at a time.
        unsafe { std::slice::from_raw_parts_mut(self.ptr.add(offset), len) }
    }

    /// Sets element (i, j).
    ///
    /// # Panics
    /// If the matrix has no such element.
    #[inline]
    pub fn set(&mut self, i: usize, j: usize, value: f32) {
        assert!(i < self.rows() && j < self.cols(), "element ({i}, {j}) of {:?}", self.shape);
        // SAFETY: the constructor checked that every element is inside the borrowed
        // slice, and (i, j) is an element.
        unsafe { *self.ptr.add(self.shape.offset(i, j)) = value }
    }
}

#[cfg(test)]
mod tests {
    use super::{MatMut, MatRef, extent};

    #[test]
    fn an_extent_is_exact_or_a_panic() {
        assert_eq!(extent([(3, 4), (4, 1)]), 12);
        assert_eq!(extent([(2, 100), (3, 10), (4, 1)]), 124);
        assert_eq!(extent([(usize::MAX, 1)]), usize::MAX);
        assert_eq!(extent([(0, usize::MAX), (usize::MAX, usize::MAX)]), 0);
        for dimensions in
            [[(2, usize::MAX), (1, 0)], [((1 << 60) + 1, 16), (1, 0)], [(usize::MAX, 1); 2]]
        {
            std::panic::catch_unwind(|| extent(dimensions)).unwrap_err();
        }
    }

    #[test]
    fn transposing_and_splitting_move_nothing() {
        let mut data: Vec<f32> = (0u8..12).map(f32::from).collect();
        let m = MatRef::new(&data, 3, 4);
        assert_eq!(m.get(1, 2), 6.0);
        assert_eq!(m.t().get(2, 1), 6.0);
        assert_eq!(m.sub(1, 2, 2, 2).get(1, 1), 11.0);

        let (mut left, mut right) = MatMut::new(&mut data, 3, 4).split_cols(1);
        left.set(2, 0, -1.0);
        right.set(2, 0, -2.0);
        assert_eq!(data[8..10], [-1.0, -2.0]);
    }

    #[test]
    #[should_panic(expected = "needs 8 elements, found 7")]
    fn a_view_past_the_end_panics() {
        let _ = MatRef::strided(&[0.0; 7], 2, 4, 4, 1);
    }

    #[test]
    #[should_panic(expected = "overlap")]
    fn overlapping_elements_are_never_written() {
        let _ = MatMut::strided(&mut [0.0; 16], 3, 4, 2, 1);
    }
}
