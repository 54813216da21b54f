//! Which columns of A are not zero: a product with many zeros in A skips the others.
//!
//! `fma(0, b, acc)` is `acc` for every finite b. So a step of k in which all rows of a tile
//! are 0 can be left out, and the chains of all elements keep their bits. Four of five
//! pixels of MNIST are 0, and zeros are neighbours: half of the steps or more can be left
//! out, for tiles of eight images and for tiles of eight neighbouring pixels, and more for lower
//! tiles.

use crate::mat::MatRef;
use crate::simd::{MAX_TILE_ROWS, Simd, Tile};

/// For each strip of A, the columns in which some row is not zero.
pub(super) struct Active<'a> {
    /// The list of each strip, at distances of `room`.
    columns: &'a [u32],
    room: usize,
    /// Length of each strip's list.
    lens: &'a [usize],
    /// Number of columns of A; each of `columns` is below it.
    cols: usize,
}

/// Memory for an [`Active`], which is used again for the next one.
#[derive(Default)]
pub(super) struct Lists {
    columns: Vec<u32>,
    lens: Vec<usize>,
}

impl Lists {
    /// Finds the columns that are not zero, in strips of the rows of a tile. `None` if
    /// skipping the others would hardly save time, or if A has gaps between its rows and
    /// between its columns.
    #[inline(always)]
    pub(super) fn find<S: Simd>(&mut self, s: S, a: MatRef<'_>) -> Option<Active<'_>> {
        let (rows, cols, height) = (a.rows(), a.cols(), S::SparseTile::ROWS);
        let strips = rows.div_ceil(height);
        // A list is written 16 elements at a time.
        let room = cols + WIDTH;
        if self.columns.len() < strips * room {
            self.columns.resize(strips * room, 0);
        }
        self.lens.clear();
        self.lens.resize(strips, 0);
        let mut found = 0;
        for first in (0..strips).step_by(STRIPS) {
            let count = STRIPS.min(strips - first);
            let top = first * height;
            let group = a.sub(top, (count * height).min(rows - top), 0, cols);
            let lens = &mut self.lens[first..][..count];
            let lists = &mut self.columns[first * room..][..count * room];
            if a.col_stride() == 1 {
                for (i, (len, list)) in
                    lens.iter_mut().zip(lists.chunks_exact_mut(room)).enumerate()
                {
                    let top = i * height;
                    let strip = group.sub(top, height.min(group.rows() - top), 0, cols);
                    *len = by_rows(s, strip, list);
                }
            } else if a.row_stride() == 1 {
                by_columns::<S>(group, lists, lens);
            } else {
                return None;
            }
            found += lens.iter().sum::<usize>();
            // A step of a list takes a little longer than a step in order. The scan ends as
            // soon as that outweighs the savings, so that a dense A is not read to its end.
            const PAYS: f64 = 0.8;
            if found as f64 > PAYS * ((first + count) * cols) as f64 {
                return None;
            }
        }
        Some(Active { columns: &self.columns, room, lens: &self.lens, cols })
    }
}

impl Active<'_> {
    /// The columns of strip `strip`, ascending and below [`cols`](Self::cols).
    #[inline(always)]
    pub(super) fn of(&self, strip: usize) -> &[u32] {
        &self.columns[strip * self.room..][..self.lens[strip]]
    }

    /// Columns of A.
    pub(super) fn cols(&self) -> usize {
        self.cols
    }
}

/// Strips that are searched side by side.
const STRIPS: usize = 8;

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
    let rows = &rows[..S::SparseTile::ROWS];

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

/// Lists the columns of at most [`STRIPS`] strips whose columns have no gaps, each in its part
/// of `lists`, and their counts.
#[inline(always)]
fn by_columns<S: Simd>(group: MatRef<'_>, lists: &mut [u32], lens: &mut [usize]) {
    let height = S::SparseTile::ROWS;
    let room = lists.len() / lens.len();
    let columns = group.t();
    let whole = group.rows() == STRIPS * height;
    for k in 0..group.cols() {
        let column = columns.row(k);
        if whole {
            // A constant number of strips, of a constant height.
            let lens: &mut [usize; STRIPS] = lens.first_chunk_mut().expect("all strips");
            for i in 0..STRIPS {
                let any = is_any(&column[i * height..][..height]);
                lists[i * room + lens[i]] = k as u32;
                lens[i] += usize::from(any);
            }
        } else {
            for (i, (len, strip)) in lens.iter_mut().zip(column.chunks(height)).enumerate() {
                lists[i * room + *len] = k as u32;
                *len += usize::from(is_any(strip));
            }
        }
    }
}

/// Whether some element is not 0.
#[inline(always)]
fn is_any(elements: &[f32]) -> bool {
    elements.iter().fold(0, |any, x| any | magnitude(*x)) != 0
}
