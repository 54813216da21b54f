//! Images as text, for a terminal.

/// Shades from no ink to full ink.
const SHADES: [char; 5] = [' ', '░', '▒', '▓', '█'];

/// Lines that show an image with rows of `cols` pixels. `ink` of a pixel is 0 for paper and 1
/// for full ink. A character is two pixels above each other, because it is about twice as high
/// as wide.
pub(crate) fn image(cols: usize, pixels: &[f32], ink: impl Fn(f32) -> f32) -> Vec<String> {
    let rows: Vec<&[f32]> = pixels.chunks(cols).collect();
    rows.chunks(2)
        .map(|pair| {
            let shade = |col: usize| {
                let ink: f32 = pair.iter().map(|row| ink(row[col]).clamp(0.0, 1.0)).sum();
                let level = ink / pair.len() as f32 * (SHADES.len() - 1) as f32;
                SHADES[level.round() as usize]
            };
            (0..cols).map(shade).collect()
        })
        .collect()
}

/// Blocks of lines beside each other, within 80 columns.
pub(crate) fn side_by_side(blocks: &[Vec<String>]) -> String {
    const COLUMNS: usize = 80;
    const GAP: usize = 4;
    let lines = blocks.iter().flatten();
    let width = lines.map(|line| line.chars().count()).max().unwrap_or(0);
    let beside = ((COLUMNS + GAP) / (width + GAP)).max(1);
    let mut text = String::new();
    for row in blocks.chunks(beside) {
        let height = row.iter().map(Vec::len).max().unwrap_or(0);
        for line in 0..height {
            let parts = row.iter().map(|block| block.get(line).map_or("", String::as_str));
            let line: String = parts.map(|part| format!("{part:width$}{:GAP$}", "")).collect();
            text += line.trim_end();
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_stand_beside_each_other() {
        let block = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
        let blocks = [block(&["a", "bb"]), block(&["c"]), block(&["ddd", "e", "f"])];
        assert_eq!(side_by_side(&blocks), "a      c      ddd\nbb            e\n              f\n");
        let wide = [block(&[&"x".repeat(50)]), block(&[&"y".repeat(50)])];
        assert_eq!(side_by_side(&wide), format!("{}\n{}\n", "x".repeat(50), "y".repeat(50)));
    }

    #[test]
    fn two_rows_are_one_line() {
        let pixels = [0.0, 1.0, 0.5, 0.0, 0.0, 0.5, 1.0, 0.0, 2.0];
        assert_eq!(image(3, &pixels, |x| x), [" ▒▒", "█ █"]);
        assert_eq!(image(3, &pixels[..3], |x| 1.0 - x), ["█ ▒"]);
    }
}
