//! Mean and deviation of some figures, and tables of them.

use serde::Serialize;

/// Mean and standard deviation of some figures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) mean: f64,
    /// `√(Σ (xᵢ − x̄)²/(n − 1))`; `None` of one figure.
    pub(crate) deviation: Option<f64>,
}

impl Spread {
    /// `None` where there is no figure, or one that is not finite.
    pub(crate) fn of(figures: &[f64]) -> Option<Self> {
        let count = figures.len() as f64;
        let mean = figures.iter().sum::<f64>() / count;
        let squares: f64 = figures.iter().map(|figure| (figure - mean).powi(2)).sum();
        let deviation = (figures.len() > 1).then(|| (squares / (count - 1.0)).sqrt());
        let spread = Self { mean, deviation };
        (mean.is_finite() && deviation.is_none_or(f64::is_finite)).then_some(spread)
    }

    /// As `97.31 ± 0.42 %`.
    pub(crate) fn percent(self) -> String {
        let (mean, deviation) = (100.0 * self.mean, self.deviation.map(|found| 100.0 * found));
        deviation.map_or_else(
            || format!("{mean:.2} %"),
            |deviation| format!("{mean:.2} ± {deviation:.2} %"),
        )
    }

    /// As `0.0912 ± 0.0101`, with four digits or so.
    pub(crate) fn number(self) -> String {
        let size = self.mean.abs().max(self.deviation.unwrap_or_default());
        if !(size == 0.0 || (1e-4..1e6).contains(&size)) {
            let deviation =
                self.deviation.map_or_else(String::new, |found| format!(" ± {found:.1e}"));
            return format!("{:.3e}{deviation}", self.mean);
        }
        let places = if size >= 1000.0 {
            1
        } else if size >= 10.0 {
            2
        } else {
            4
        };
        let deviation =
            self.deviation.map_or_else(String::new, |found| format!(" ± {found:.places$}"));
        format!("{:.places$}{deviation}", self.mean)
    }
}

/// Rows as columns of text, with two spaces between them, without spaces at the ends of lines.
/// The first row is the head. Columns of words are left-aligned: the first `left` ones.
pub(crate) fn columns(rows: &[Vec<String>], left: usize) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
            if column < left { format!("{cell:width$}") } else { format!("{cell:>width$}") }
        });
        text += cells.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_spreads() {
        let text = |figures: &[f64]| Spread::of(figures).map(|found| found.number());
        assert_eq!(text(&[1.0, 3.0]).unwrap(), "2.0000 ± 1.4142");
        assert_eq!(text(&[0.25]).unwrap(), "0.2500");
        assert_eq!(text(&[0.0, 0.0]).unwrap(), "0.0000 ± 0.0000");
        assert_eq!(text(&[50.0, 60.0]).unwrap(), "55.00 ± 7.07");
        assert_eq!(text(&[1e9, 1e9]).unwrap(), "1.000e9 ± 0.0e0");
        assert_eq!(text(&[2e-7]).unwrap(), "2.000e-7");
        assert_eq!(text(&[]), None);
        assert_eq!(text(&[1.0, f64::NAN]), None);
        assert_eq!(Spread::of(&[0.5, 0.75]).unwrap().percent(), "62.50 ± 17.68 %");
    }

    #[test]
    fn columns_are_aligned() {
        let rows = [vec!["a", "figure"], vec!["long", "1 ±"], vec!["b"]];
        let rows = rows.map(|row| row.into_iter().map(str::to_owned).collect());
        assert_eq!(columns(&rows, 1), "a     figure\nlong     1 ±\nb\n");
    }
}
