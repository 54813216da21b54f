//! A matrix with its storage, in any layout.

use kernels::{MatMut, MatRef};
use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;

/// Strides of a matrix in its slice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Layout {
    Rows,
    RowsWithGaps,
    Columns,
    /// No two elements are neighbours.
    Scattered,
}

#[cfg(not(miri))]
pub(crate) const LAYOUTS: [Layout; 4] =
    [Layout::Rows, Layout::RowsWithGaps, Layout::Columns, Layout::Scattered];
#[cfg(miri)]
pub(crate) const LAYOUTS: [Layout; 3] = [Layout::RowsWithGaps, Layout::Columns, Layout::Scattered];

/// Value of the elements in gaps; kernels neither read nor write them.
const GAP: f32 = 7.75;

/// A matrix with its storage.
#[derive(Clone, PartialEq)]
pub(crate) struct Matrix {
    pub(crate) data: Vec<f32>,
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) strides: (usize, usize),
}

impl Matrix {
    pub(crate) fn new(
        rows: usize,
        cols: usize,
        layout: Layout,
        mut f: impl FnMut() -> f32,
    ) -> Self {
        let strides = match layout {
            Layout::Rows => (cols, 1),
            Layout::RowsWithGaps => (cols + 3, 1),
            Layout::Columns => (1, rows + 1),
            Layout::Scattered => (2 * cols + 1, 2),
        };
        let len = rows * strides.0.max(1) + cols * strides.1 + 1;
        let mut matrix = Self { data: vec![GAP; len], rows, cols, strides };
        for i in 0..rows {
            for j in 0..cols {
                let at = matrix.at(i, j);
                matrix.data[at] = f();
            }
        }
        matrix
    }

    pub(crate) fn random(
        rows: usize,
        cols: usize,
        layout: Layout,
        rng: &mut Xoshiro256PlusPlus,
    ) -> Self {
        Self::new(rows, cols, layout, || 2.0 * rng.random::<f32>() - 1.0)
    }

    pub(crate) fn at(&self, i: usize, j: usize) -> usize {
        i * self.strides.0 + j * self.strides.1
    }

    pub(crate) fn get(&self, i: usize, j: usize) -> f32 {
        self.data[self.at(i, j)]
    }

    pub(crate) fn view(&self) -> MatRef<'_> {
        MatRef::strided(&self.data, self.rows, self.cols, self.strides.0, self.strides.1)
    }

    pub(crate) fn view_mut(&mut self) -> MatMut<'_> {
        MatMut::strided(&mut self.data, self.rows, self.cols, self.strides.0, self.strides.1)
    }

    /// Whether the gaps between the elements are unchanged.
    pub(crate) fn gaps_are_whole(&self) -> bool {
        let mut data = self.data.clone();
        for i in 0..self.rows {
            for j in 0..self.cols {
                data[self.at(i, j)] = GAP;
            }
        }
        data.iter().all(|x| *x == GAP)
    }
}
