//! Pictures made smaller and larger.

use mnist_io::{ImageSize, Picture};
use proptest::prelude::*;

use crate::photo::Random;

fn random(rows: usize, cols: usize, seed: u64) -> Picture {
    let mut random = Random(seed);
    let grey = (0..rows * cols).map(|_| (random.unit() * 256.0) as u8).collect();
    Picture::from_grey(rows, cols, grey)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// Smaller: each pixel of the picture is cut into `to` × `to`, so that a pixel of the result
    /// is the mean of whole ones.
    #[test]
    fn a_pixel_is_the_mean_of_its_area(from in 1..20_usize, to in 1..20_usize, seed: u64) {
        prop_assume!(to < from);
        let picture = random(from, from, seed);
        let found = picture.fit(ImageSize { rows: to, cols: to }, 0);
        for (pixel, found) in found.into_iter().enumerate() {
            let (row, col) = (pixel / to, pixel % to);
            let mut sum = 0_usize;
            for y in row * from..(row + 1) * from {
                for x in col * from..(col + 1) * from {
                    sum += usize::from(picture.grey()[y / to * from + x / to]);
                }
            }
            let expected = sum as f64 / (from * from) as f64;
            prop_assert!((f64::from(found) - expected).abs() < 0.501, "{} {}", found, expected);
        }
    }

    /// Larger: between the middles of two pixels lie their means.
    #[test]
    fn twice_as_large(rows in 1..9_usize, cols in 1..9_usize, seed: u64) {
        let picture = random(rows, cols, seed);
        let found = picture.fit(ImageSize { rows: 2 * rows, cols: 2 * cols }, 0);
        // A pixel, and a third of it from the next one.
        let near = |at: usize, len: usize| {
            let before = at.is_multiple_of(2);
            let next = if before { (at / 2).saturating_sub(1) } else { (at / 2 + 1).min(len - 1) };
            [(at / 2, 0.75), (next, 0.25)]
        };
        for (pixel, found) in found.into_iter().enumerate() {
            let (row, col) = (pixel / (2 * cols), pixel % (2 * cols));
            let mut expected = 0.0;
            for (y, part) in near(row, rows) {
                for (x, share) in near(col, cols) {
                    expected += part * share * f64::from(picture.grey()[y * cols + x]);
                }
            }
            prop_assert!((f64::from(found) - expected).abs() < 0.501, "{} {}", found, expected);
        }
    }

    /// Whatever the sizes: paper beside the picture, nowhere else, and the picture in the middle.
    #[test]
    fn the_aspect_stays(
        [rows, cols] in [1..60_usize, 1..60],
        [height, width] in [1..40_usize, 1..40],
    ) {
        let picture = Picture::from_grey(rows, cols, vec![200; rows * cols]);
        prop_assert_eq!(picture.paper(), 200);
        let image = picture.fit(ImageSize { rows: height, cols: width }, 7);
        prop_assert!(image.iter().all(|pixel| [7, 200].contains(pixel)));
        let covered_rows = image.chunks_exact(width).filter(|row| row.contains(&200)).count();
        let covered = image.iter().filter(|&&pixel| pixel == 200).count();
        let covered_cols = covered / covered_rows;
        prop_assert!(covered_rows == height || covered_cols == width);
        let scale = (height as f64 / rows as f64).min(width as f64 / cols as f64);
        prop_assert!((covered_rows as f64 - rows as f64 * scale).abs() <= 1.0);
        prop_assert!((covered_cols as f64 - cols as f64 * scale).abs() <= 1.0);
        let first = image.iter().position(|&pixel| pixel == 200).unwrap();
        let room = [height - covered_rows, width - covered_cols];
        prop_assert_eq!([first / width, first % width], room.map(|pixels| pixels / 2));
    }
}
