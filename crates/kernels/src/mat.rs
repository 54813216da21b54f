//! Strided views of matrices: transposing and splitting move no element.

use std::marker::PhantomData;

/// A `rows × cols` matrix that is read; element (i, j) lies `i·row_stride +
/// j·col_stride` places behind the first.
#[derive(Clone, Copy, Debug)]
pub struct MatRef<'a> {
    ptr: *const f32,
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
    data: PhantomData<&'a [f32]>,
}

// SAFETY: a view is a `&[f32]` with a shape, and that is Send and Sync.
unsafe impl Send for MatRef<'_> {}
// SAFETY: as above.
unsafe impl Sync for MatRef<'_> {}

/// A `rows × cols` matrix that is written; no two elements share a place.
#[derive(Debug)]
pub struct MatMut<'a> {
    ptr: *mut f32,
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
    data: PhantomData<&'a mut [f32]>,
}

// SAFETY: a view is a `&mut [f32]` with a shape, and that is Send; two views of
// one matrix have no element in common.
unsafe impl Send for MatMut<'_> {}
// SAFETY: `&MatMut` gives no access but for reading.
unsafe impl Sync for MatMut<'_> {}

/// Places from the first element to behind the last.
fn extent(rows: usize, cols: usize, row_stride: usize, col_stride: usize) -> usize {
    if rows == 0 || cols == 0 {
        return 0;
    }
    (rows - 1)
        .checked_mul(row_stride)
        .zip((cols - 1).checked_mul(col_stride))
        .and_then(|(down, right)| down.checked_add(right)?.checked_add(1))
        .expect("a matrix larger than the address space")
}

impl<'a> MatRef<'a> {
    /// A row-major matrix without gaps.
    ///
    /// # Panics
    /// If `data` is not `rows × cols` long.
    #[must_use]
    pub fn new(data: &'a [f32], rows: usize, cols: usize) -> Self {
        assert_eq!(Some(data.len()), rows.checked_mul(cols), "a {rows} × {cols} matrix");
        Self::strided(data, rows, cols, cols, 1)
    }

    /// A matrix with any strides; they may be 0 or make elements overlap.
    ///
    /// # Panics
    /// If the last element lies behind the end of `data`.
    #[must_use]
    pub fn strided(
        data: &'a [f32],
        rows: usize,
        cols: usize,
        row_stride: usize,
        col_stride: usize,
    ) -> Self {
        let needed = extent(rows, cols, row_stride, col_stride);
        assert!(
            needed <= data.len(),
            "a {rows} × {cols} matrix with strides {row_stride} and {col_stride} needs {needed} \
             elements, found {}",
            data.len()
        );
        Self { ptr: data.as_ptr(), rows, cols, row_stride, col_stride, data: PhantomData }
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Places from a row to the next.
    #[must_use]
    pub fn row_stride(&self) -> usize {
        self.row_stride
    }

    /// Places from a column to the next.
    #[must_use]
    pub fn col_stride(&self) -> usize {
        self.col_stride
    }

    /// Where element (0, 0) is, if there is one.
    pub(crate) fn as_ptr(&self) -> *const f32 {
        self.ptr
    }

    /// The transposed matrix.
    #[must_use]
    pub fn t(self) -> Self {
        Self {
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
            ..self
        }
    }

    /// Rows `start..start + rows`, columns `left..left + cols`.
    ///
    /// # Panics
    /// If they are not all there.
    #[must_use]
    #[inline]
    pub fn sub(self, start: usize, rows: usize, left: usize, cols: usize) -> Self {
        assert!(start <= self.rows && rows <= self.rows - start);
        assert!(left <= self.cols && cols <= self.cols - left);
        // Wrapping, because an empty part may begin behind the last element.
        let ptr = self.ptr.wrapping_add(start * self.row_stride + left * self.col_stride);
        Self { ptr, rows, cols, ..self }
    }

    /// Row `i`, where columns are neighbours.
    ///
    /// # Panics
    /// If there is no such row, or if columns have gaps.
    #[must_use]
    #[inline]
    pub fn row(self, i: usize) -> &'a [f32] {
        assert!(i < self.rows && (self.col_stride == 1 || self.cols <= 1));
        // SAFETY: the constructor checked that every element of every row is
        // inside the slice that is borrowed for `'a`.
        unsafe { std::slice::from_raw_parts(self.ptr.add(i * self.row_stride), self.cols) }
    }

    /// Element (i, j).
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    #[inline]
    pub fn get(&self, i: usize, j: usize) -> f32 {
        assert!(i < self.rows && j < self.cols);
        // SAFETY: the constructor checked that the last element is inside the
        // borrowed slice, and (i, j) is not behind it.
        unsafe { *self.ptr.add(i * self.row_stride + j * self.col_stride) }
    }
}

impl<'a> MatMut<'a> {
    /// A row-major matrix without gaps.
    ///
    /// # Panics
    /// If `data` is not `rows × cols` long.
    #[must_use]
    pub fn new(data: &'a mut [f32], rows: usize, cols: usize) -> Self {
        assert_eq!(Some(data.len()), rows.checked_mul(cols), "a {rows} × {cols} matrix");
        Self::strided(data, rows, cols, cols, 1)
    }

    /// A matrix with any strides that keep its elements apart.
    ///
    /// # Panics
    /// If the last element lies behind the end of `data`, or if the strides let
    /// two elements share a place.
    #[must_use]
    pub fn strided(
        data: &'a mut [f32],
        rows: usize,
        cols: usize,
        row_stride: usize,
        col_stride: usize,
    ) -> Self {
        let needed = extent(rows, cols, row_stride, col_stride);
        assert!(
            needed <= data.len(),
            "a {rows} × {cols} matrix with strides {row_stride} and {col_stride} needs {needed} \
             elements, found {}",
            data.len()
        );
        let rows_apart = rows <= 1 || row_stride >= extent(1, cols, row_stride, col_stride);
        let cols_apart = cols <= 1 || col_stride >= extent(rows, 1, row_stride, col_stride);
        let row_major = rows_apart && (cols <= 1 || col_stride > 0);
        let col_major = cols_apart && (rows <= 1 || row_stride > 0);
        assert!(
            needed == 0 || row_major || col_major,
            "strides {row_stride} and {col_stride} let elements of a {rows} × {cols} matrix overlap"
        );
        Self { ptr: data.as_mut_ptr(), rows, cols, row_stride, col_stride, data: PhantomData }
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Places from a row to the next.
    #[must_use]
    pub fn row_stride(&self) -> usize {
        self.row_stride
    }

    /// Places from a column to the next.
    #[must_use]
    pub fn col_stride(&self) -> usize {
        self.col_stride
    }

    /// Where element (0, 0) is, if there is one.
    pub(crate) fn as_mut_ptr(&mut self) -> *mut f32 {
        self.ptr
    }

    /// The transposed matrix.
    #[must_use]
    pub fn t(self) -> Self {
        Self {
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
            ..self
        }
    }

    /// The same elements, borrowed for a shorter time.
    #[must_use]
    pub fn reborrow(&mut self) -> MatMut<'_> {
        MatMut { data: PhantomData, ..*self }
    }

    /// The same elements, for reading.
    #[must_use]
    pub fn as_ref(&self) -> MatRef<'_> {
        MatRef {
            ptr: self.ptr,
            rows: self.rows,
            cols: self.cols,
            row_stride: self.row_stride,
            col_stride: self.col_stride,
            data: PhantomData,
        }
    }

    /// Rows above `row`, and the others: for two threads.
    ///
    /// # Panics
    /// If `row` is more than the number of rows.
    #[must_use]
    pub fn split_rows(self, row: usize) -> (Self, Self) {
        assert!(row <= self.rows);
        let ptr = self.ptr.wrapping_add(row * self.row_stride);
        (Self { rows: row, ..self }, Self { ptr, rows: self.rows - row, ..self })
    }

    /// Columns left of `col`, and the others: for two threads.
    ///
    /// # Panics
    /// If `col` is more than the number of columns.
    #[must_use]
    pub fn split_cols(self, col: usize) -> (Self, Self) {
        let (left, right) = self.t().split_rows(col);
        (left.t(), right.t())
    }

    /// Row `i`, where columns are neighbours.
    ///
    /// # Panics
    /// If there is no such row, or if columns have gaps.
    #[must_use]
    #[inline]
    pub fn row_mut(&mut self, i: usize) -> &mut [f32] {
        assert!(i < self.rows && (self.col_stride == 1 || self.cols <= 1));
        // SAFETY: the constructor checked that every element of every row is
        // inside the borrowed slice; no other view has an element of this row,
        // and `&mut self` keeps this view to one row at a time.
        unsafe { std::slice::from_raw_parts_mut(self.ptr.add(i * self.row_stride), self.cols) }
    }

    /// Sets element (i, j).
    ///
    /// # Panics
    /// If there is none.
    #[inline]
    pub fn set(&mut self, i: usize, j: usize, value: f32) {
        assert!(i < self.rows && j < self.cols);
        // SAFETY: the constructor checked that the last element is inside the
        // borrowed slice, and (i, j) is not behind it.
        unsafe { *self.ptr.add(i * self.row_stride + j * self.col_stride) = value }
    }
}

#[cfg(test)]
mod tests {
    use super::{MatMut, MatRef};

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
    fn elements_that_share_a_place_are_never_written() {
        let _ = MatMut::strided(&mut [0.0; 16], 3, 4, 2, 1);
    }
}
