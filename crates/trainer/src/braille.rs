//! Curves drawn with the characters of braille, each of which is a cell of 2 × 4 dots.

/// The pen that draws a curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pen {
    /// Cyan; an unbroken line.
    Solid,
    /// Magenta; a dashed line, so that it is told apart without colour too.
    Dashed,
}

impl Pen {
    /// Dots of a dash, and of the gap after it.
    const DASH: usize = 2;

    fn draws(self, dot: usize) -> bool {
        self == Self::Solid || (dot / Self::DASH).is_multiple_of(2)
    }

    /// What switches its colour on. Both are readable on dark and on light paper.
    fn color(self) -> &'static str {
        match self {
            Self::Solid => "\x1b[36m",
            Self::Dashed => "\x1b[35m",
        }
    }
}

/// What switches any colour off.
const NO_COLOR: &str = "\x1b[39m";

/// The bits of a cell's dots in U+2800…U+28FF: rows from the top, then columns.
const DOTS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

/// The part of the plane that is shown: from the lower left to the upper right corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Window {
    pub(crate) x: [f64; 2],
    pub(crate) y: [f64; 2],
}

/// Paper of some rows and columns of cells.
pub(crate) struct Canvas {
    cols: usize,
    /// The dots of each cell, row by row, and who drew the last of them.
    cells: Vec<(u8, Pen)>,
}

impl Canvas {
    /// At least one row and one column.
    pub(crate) fn new(rows: usize, cols: usize) -> Self {
        Self { cols, cells: vec![(0, Pen::Solid); rows * cols] }
    }

    /// Draws a line from point to point. A point that is not finite is left out.
    pub(crate) fn curve(
        &mut self,
        points: impl Iterator<Item = (f64, f64)>,
        window: Window,
        pen: Pen,
    ) {
        let [width, height] = [2 * self.cols, 4 * self.cells.len() / self.cols];
        let at = |value: f64, [low, high]: [f64; 2], dots: usize| {
            let share = ((value - low) / (high - low)).clamp(0.0, 1.0);
            (share * (dots - 1) as f64).round() as usize
        };
        let finite = points.filter(|(x, y)| x.is_finite() && y.is_finite());
        let mut dots =
            finite.map(|(x, y)| (at(x, window.x, width), height - 1 - at(y, window.y, height)));
        let Some(mut from) = dots.next() else { return };
        self.dot(from, pen);
        let mut drawn = 1;
        for to in dots {
            for dot in between(from, to) {
                if pen.draws(drawn) {
                    self.dot(dot, pen);
                }
                drawn += 1;
            }
            from = to;
        }
    }

    fn dot(&mut self, (x, y): (usize, usize), pen: Pen) {
        let (dots, last) = &mut self.cells[y / 4 * self.cols + x / 2];
        *dots |= DOTS[y % 4][x % 2];
        *last = pen;
    }

    /// The rows as text, each as wide as the canvas.
    pub(crate) fn rows(&self, color: bool) -> impl Iterator<Item = String> {
        self.cells.chunks(self.cols).map(move |row| {
            let (mut text, mut current) = (String::new(), None);
            for &(dots, pen) in row {
                if dots == 0 {
                    text.push(' ');
                    continue;
                }
                if color && current != Some(pen) {
                    text += pen.color();
                    current = Some(pen);
                }
                text.extend(char::from_u32(0x2800 + u32::from(dots)));
            }
            if current.is_some() {
                text += NO_COLOR;
            }
            text
        })
    }
}

/// The dots on the straight line after `from`, up to `to`: one for each step along the
/// longer side.
fn between(from: (usize, usize), to: (usize, usize)) -> impl Iterator<Item = (usize, usize)> {
    let steps = from.0.abs_diff(to.0).max(from.1.abs_diff(to.1));
    let at = move |a: usize, b: usize, step: usize| {
        let share = step as f64 / steps as f64;
        (a as f64 + (b as f64 - a as f64) * share).round() as usize
    };
    (1..=steps).map(move |step| (at(from.0, to.0, step), at(from.1, to.1, step)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(
        rows: usize,
        cols: usize,
        points: &[(f64, f64)],
        y: [f64; 2],
        pen: Pen,
    ) -> Vec<String> {
        let mut canvas = Canvas::new(rows, cols);
        let window = Window { x: [0.0, points.len() as f64 - 1.0], y };
        canvas.curve(points.iter().copied(), window, pen);
        canvas.rows(false).collect()
    }

    /// A line down, point by point, as Unicode's table of the dots has it.
    #[test]
    fn a_diagonal() {
        let points: Vec<_> = (0..8).map(|i| (f64::from(i), f64::from(7 - i))).collect();
        // Dots 1 and 5, 3 and 8 of a cell; then the same one cell to the right and down.
        assert_eq!(drawn(2, 4, &points, [0.0, 7.0], Pen::Solid), ["⠑⢄  ", "  ⠑⢄"]);
        // The second half of the line is as steep as the first, with the points in between.
        let ends = [(0.0, 7.0), (1.0, 0.0)];
        assert_eq!(drawn(2, 4, &ends, [0.0, 7.0], Pen::Solid), ["⠑⢄  ", "  ⠑⢄"]);
        assert_eq!(drawn(2, 4, &ends, [0.0, 7.0], Pen::Dashed), ["⠑   ", "  ⠑ "]);
    }

    #[test]
    fn a_curve_that_falls_as_losses_do() {
        let points: Vec<_> = (0..40).map(|i| (f64::from(i), 1.0 / f64::from(1 + i))).collect();
        let expected = [
            "⡇                   ",
            "⢱                   ",
            "⠸⡀                  ",
            " ⠣⡀                 ",
            "  ⠈⠑⠒⠒⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⣀",
        ];
        assert_eq!(drawn(5, 20, &points, [0.0, 1.0], Pen::Solid), expected);
    }

    #[test]
    fn what_is_not_finite_or_outside() {
        let nan = f64::NAN;
        let points = [(0.0, nan), (1.0, 0.0), (2.0, f64::INFINITY), (3.0, 0.0)];
        assert_eq!(drawn(1, 2, &points, [0.0, 1.0], Pen::Solid), ["⢀⣀"]);
        assert_eq!(drawn(1, 2, &[(0.0, nan), (1.0, nan)], [0.0, 1.0], Pen::Solid), ["  "]);
        // It stays on the paper.
        assert_eq!(drawn(1, 2, &[(0.0, -9.0), (1.0, 9.0)], [0.0, 1.0], Pen::Solid), ["⡠⠊"]);
        // No height, no width.
        assert_eq!(drawn(1, 1, &[(0.0, 1.0)], [1.0, 1.0], Pen::Solid).len(), 1);
    }

    #[test]
    fn colours_begin_and_end_in_their_row() {
        let mut canvas = Canvas::new(2, 3);
        let window = Window { x: [0.0, 1.0], y: [0.0, 1.0] };
        canvas.curve([(0.0, 1.0), (1.0, 1.0)].into_iter(), window, Pen::Solid);
        canvas.curve([(0.8, 1.0), (1.0, 1.0)].into_iter(), window, Pen::Dashed);
        let rows: Vec<_> = canvas.rows(true).collect();
        assert_eq!(rows, ["\x1b[36m⠉⠉\x1b[35m⠉\x1b[39m", "   "]);
    }
}
