//! A curve in a terminal, drawn with braille characters, each of which is two dots wide and
//! four dots high.

/// The empty character, and the bit of each dot in it: rows down, columns to the right.
const EMPTY: u32 = 0x2800;
const DOTS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

/// Dots in lines of characters.
pub(crate) struct Canvas {
    cols: usize,
    rows: usize,
    /// One for each character, row after row.
    cells: Vec<u8>,
}

impl Canvas {
    /// An empty one of `cols` × `rows` characters, at least one.
    pub(crate) fn new(cols: usize, rows: usize) -> Self {
        let (cols, rows) = (cols.max(1), rows.max(1));
        Self { cols, rows, cells: vec![0; cols * rows] }
    }

    /// Draws a line through the points, whose coordinates are shares of the canvas: (0, 0) is
    /// the lower left corner and (1, 1) the upper right. What is outside of it, or not a
    /// number, is drawn at the border or not at all.
    pub(crate) fn line(&mut self, points: impl IntoIterator<Item = (f64, f64)>) {
        let mut before: Option<(usize, usize)> = None;
        for (x, y) in points {
            if !(x.is_finite() && y.is_finite()) {
                before = None;
                continue;
            }
            let dot = |share: f64, dots: usize| {
                (share.clamp(0.0, 1.0) * (dots - 1) as f64).round() as usize
            };
            let here = (dot(x, 2 * self.cols), dot(1.0 - y, 4 * self.rows));
            self.segment(before.unwrap_or(here), here);
            before = Some(here);
        }
    }

    /// The dots between two.
    fn segment(&mut self, from: (usize, usize), to: (usize, usize)) {
        let len = from.0.abs_diff(to.0).max(from.1.abs_diff(to.1)).max(1);
        let between = |from: usize, to: usize, i: usize| {
            let (from, to) = (from as f64, to as f64);
            (from + (to - from) * i as f64 / len as f64).round() as usize
        };
        for i in 0..=len {
            self.set(between(from.0, to.0, i), between(from.1, to.1, i));
        }
    }

    fn set(&mut self, x: usize, y: usize) {
        self.cells[y / 4 * self.cols + x / 2] |= DOTS[y % 4][x % 2];
    }

    /// The lines of characters, top to bottom, all of the same width.
    pub(crate) fn lines(&self) -> Vec<String> {
        let character = |cell: &u8| char::from_u32(EMPTY | u32::from(*cell)).unwrap_or(' ');
        self.cells.chunks(self.cols).map(|row| row.iter().map(character).collect()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(cols: usize, rows: usize, points: &[(f64, f64)]) -> Vec<String> {
        let mut canvas = Canvas::new(cols, rows);
        canvas.line(points.iter().copied());
        canvas.lines()
    }

    #[test]
    fn corners_and_lines() {
        assert_eq!(drawn(2, 1, &[]), ["⠀⠀"]);
        assert_eq!(drawn(2, 1, &[(0.0, 0.0)]), ["⡀⠀"]);
        assert_eq!(drawn(2, 1, &[(1.0, 1.0)]), ["⠀⠈"]);
        assert_eq!(drawn(2, 1, &[(0.0, 0.0), (1.0, 0.0)]), ["⣀⣀"]);
        // Down the diagonal.
        assert_eq!(drawn(2, 1, &[(0.0, 1.0), (1.0, 0.0)]), ["⠑⢄"]);
        assert_eq!(drawn(1, 2, &[(0.0, 1.0), (0.0, 0.0)]), ["⡇", "⡇"]);
    }

    #[test]
    fn what_is_outside_is_at_the_border() {
        assert_eq!(drawn(1, 1, &[(-3.0, 9.0)]), drawn(1, 1, &[(0.0, 1.0)]));
        let broken = drawn(2, 1, &[(0.0, 0.0), (f64::NAN, 0.5), (1.0, 0.0)]);
        assert_eq!(broken, ["⡀⢀"]);
        assert_eq!(Canvas::new(0, 0).lines().len(), 1);
    }
}
