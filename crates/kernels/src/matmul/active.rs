//! Which columns of A are not zero: a product with many zeros in A skips the others.
//!
//! `fma(0, b, acc)` is `acc` for every finite b. So a step of k in which all rows of a tile
//! are 0 can be left out, and the chains of all elements keep their bits. Four of five
//! pixels of MNIST are 0, and zeros are neighbours: half of the steps or more can be left
//! out, for tiles of eight images and for tiles of eight neighbouring pixels.

use crate::mat::MatRef;
use crate::simd::{MAX_TILE_ROWS, Simd, Tile};

/// For each strip of A, the columns in which some row is not zero.
pub(super) struct Active<'a> {
    columns: &'a [u32],
    /// End of each strip's part of `columns`; the first part begins at 0.
    ends: &'a [usize],
    /// Number of columns of A; each of `columns` is below it.
    cols: usize,
}

/// Memory for an [`Active`], which is used again for the next one.
#[derive(Default)]
pub(super) struct Lists {
    columns: Vec<u32>,
    ends: Vec<usize>,
}

impl Lists {
    /// Finds the columns that are not zero, in strips of the rows of a tile. `None` if
    /// skipping the others would hardly save time, or if A has gaps between its rows and
    /// between its columns.
    #[inline(always)]
    pub(super) fn find<S: Simd>(&mut self, s: S, a: MatRef<'_>) -> Option<Active<'_>> {
        let (rows, cols, height) = (a.rows(), a.cols(), S::Tile::ROWS);
        // A list is written 16 elements at a time.
        self.columns.resize(rows.div_ceil(height) * cols + WIDTH, 0);
        self.ends.clear();
        let mut end = 0;
        for first in (0..rows).step_by(height) {
            let strip = a.sub(first, height.min(rows - first), 0, cols);
            let list = &mut self.columns[end..end + cols + WIDTH];
            end += if a.col_stride() == 1 {
                by_rows(s, strip, list)
            } else if a.row_stride() == 1 {
                by_columns(strip, list)
            } else {
                return None;
            };
            self.ends.push(end);
            // A step of a list takes a little longer than a step in order. The scan ends as
            // soon as that outweighs the savings, so that a dense A is not read to its end.
            const PAYS: f64 = 0.8;
            let all = self.ends.len() * cols;
            if end as f64 > PAYS * all as f64 {
                return None;
            }
        }
        Some(Active { columns: &self.columns[..end], ends: &self.ends, cols })
    }
}

impl Active<'_> {
    /// The columns of strip `strip`, ascending and below [`cols`](Self::cols).
    #[inline(always)]
    pub(super) fn of(&self, strip: usize) -> &[u32] {
        let start = if strip == 0 { 0 } else { self.ends[strip - 1] };
        &self.columns[start..self.ends[strip]]
    }

    /// Columns of A.
    pub(super) fn cols(&self) -> usize {
        self.cols
    }
}

/// Columns that are tested side by side.
const WIDTH: usize = 16;

/// All bits except the sign: 0 for 0 and for −0.
fn magnitude(x: f32) -> u32 {
    x.to_bits() << 1
}

/// Lists the columns of a strip whose rows have no gaps; returns their count.
#[inline(always)]
fn by_rows<S: Simd>(s: S, strip: MatRef<'_>, list: &mut [u32]) -> usize {
    // A constant number of slices, so that the loop length is constant; missing rows repeat
    // the last one.
    let rows: [&[f32]; MAX_TILE_ROWS] = std::array::from_fn(|i| strip.row(i.min(strip.rows() - 1)));
    let rows = &rows[..S::Tile::ROWS];

    let mut len = 0;
    let whole = strip.cols() / WIDTH * WIDTH;
    for left in (0..whole).step_by(WIDTH) {
        let mut any = [0; WIDTH];
        for row in rows {
            let row: &[f32; WIDTH] = row[left..].first_chunk().expect("a whole group");
            for (any, x) in any.iter_mut().zip(row) {
                *any |= magnitude(*x);
            }
        }
        let to = list[len..].first_chunk_mut().expect("room after the list");
        len += s.list_nonzero(&any, left as u32, to);
    }
    let mut any = [0; WIDTH];
    for row in rows {
        for (any, x) in any.iter_mut().zip(&row[whole..]) {
            *any |= magnitude(*x);
        }
    }
    let to = list[len..].first_chunk_mut().expect("room after the list");
    len + s.list_nonzero(&any, whole as u32, to)
}

/// Lists the columns of a strip whose columns have no gaps; returns their count.
#[inline(always)]
fn by_columns(strip: MatRef<'_>, list: &mut [u32]) -> usize {
    let columns = strip.t();
    let mut len = 0;
    for k in 0..strip.cols() {
        let column = columns.row(k);
        // A constant length for the tiles of AVX-512.
        let any = match column.first_chunk::<8>() {
            Some(column) if strip.rows() == 8 => is_any(column),
            _ => is_any(column),
        };
        list[len] = k as u32;
        len += usize::from(any);
    }
    len
}

/// Whether some element is not 0.
#[inline(always)]
fn is_any(elements: &[f32]) -> bool {
    elements.iter().fold(0, |any, x| any | magnitude(*x)) != 0
}
