//! Which columns of A are not zero: what a product with many zeros in A skips.
//!
//! `fma(0, b, acc)` is `acc` for every finite b, so a step of k for which all rows
//! of a tile have a zero may be left out, and every other element is the same
//! chain as before. Four of five pixels of MNIST are 0, and they lie together: of
//! the steps of eight images, or of eight neighbouring pixels, half and more go.

use crate::mat::MatRef;
use crate::simd::Simd;

/// The columns of each strip of A in which some row is not zero.
pub(crate) struct Active<'a> {
    columns: &'a [u32],
    /// Where the columns of each strip end; those of the first begin at 0.
    ends: &'a [usize],
    /// Columns of A, above each of `columns`.
    cols: usize,
}

/// Memory for an [`Active`], to be used again.
#[derive(Default)]
pub(super) struct Lists {
    columns: Vec<u32>,
    ends: Vec<usize>,
}

impl Lists {
    /// Looks for the columns that are not zero in strips of `height` rows. `None`
    /// where skipping the others seems not to pay, or A has gaps both ways.
    #[inline(always)]
    pub(super) fn find<S: Simd>(&mut self, s: S, a: MatRef<'_>) -> Option<Active<'_>> {
        let (rows, cols, height) = (a.rows(), a.cols(), S::TILE_ROWS);
        // A list is written 16 numbers at a time.
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
            // A step by list costs a little more than the next one in order. Given
            // up as soon as it seems so, not to look at all of a dense A.
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

/// Columns that are looked at side by side.
const WIDTH: usize = 16;

/// All bits of a number but its sign, which zero may have.
fn magnitude(x: f32) -> u32 {
    x.to_bits() << 1
}

/// Lists the columns of a strip whose rows have no gaps; returns how many.
#[inline(always)]
fn by_rows<S: Simd>(s: S, strip: MatRef<'_>, list: &mut [u32]) -> usize {
    const MOST_ROWS: usize = 8;
    const { assert!(S::TILE_ROWS <= MOST_ROWS) };
    // As many as the compiler knows of; behind the last row comes the last again.
    let rows: [&[f32]; MOST_ROWS] = std::array::from_fn(|i| strip.row(i.min(strip.rows() - 1)));
    let rows = &rows[..S::TILE_ROWS];

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
        let to = list[len..].first_chunk_mut().expect("room behind the list");
        len += s.list_nonzero(&any, left as u32, to);
    }
    let mut any = [0; WIDTH];
    for row in rows {
        for (any, x) in any.iter_mut().zip(&row[whole..]) {
            *any |= magnitude(*x);
        }
    }
    let to = list[len..].first_chunk_mut().expect("room behind the list");
    len + s.list_nonzero(&any, whole as u32, to)
}

/// The same for a strip whose columns have no gaps.
#[inline(always)]
fn by_columns(strip: MatRef<'_>, list: &mut [u32]) -> usize {
    let columns = strip.t();
    let mut len = 0;
    for k in 0..strip.cols() {
        let column = columns.row(k);
        // Of a length that the compiler knows, where the strip is a tile of AVX-512.
        let any = match column.first_chunk::<8>() {
            Some(column) if strip.rows() == 8 => is_any(column),
            _ => is_any(column),
        };
        list[len] = k as u32;
        len += usize::from(any);
    }
    len
}

/// Whether some number is not 0.
#[inline(always)]
fn is_any(numbers: &[f32]) -> bool {
    numbers.iter().fold(0, |any, x| any | magnitude(*x)) != 0
}
