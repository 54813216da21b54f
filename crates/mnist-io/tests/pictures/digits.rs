//! Photos of MNIST's own images have to become these images again.

use std::path::Path;

use mnist_io::{Dataset, ImageSize, Part, Picture, PictureError};
use proptest::prelude::*;

use crate::photo::{Photo, Random};

const SIZE: ImageSize = ImageSize { rows: 28, cols: 28 };

fn test_set() -> Dataset {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data");
    Dataset::read_dir(data, Part::Test).unwrap()
}

/// Of the pixels of two images.
fn correlation(a: &[u8], b: &[u8]) -> f64 {
    let mean = |image: &[u8]| image.iter().map(|&v| f64::from(v)).sum::<f64>() / image.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let sums = a.iter().zip(b).fold([0.0; 3], |sums, (&a, &b)| {
        let (a, b) = (f64::from(a) - mean_a, f64::from(b) - mean_b);
        [sums[0] + a * b, sums[1] + a * a, sums[2] + b * b]
    });
    sums[0] / (sums[1] * sums[2]).sqrt()
}

/// The correlation after a shift by a pixel at the most, the best of all such shifts.
fn best_shift(a: &[u8], b: &[u8]) -> f64 {
    let at = |row: usize, col: usize| {
        let inside = (1..29).contains(&row) && (1..29).contains(&col);
        if inside { a[(row - 1) * 28 + col - 1] } else { 0 }
    };
    let shifts = (0..9).map(|shift| {
        let shifted = (0..784).map(|pixel| at(pixel / 28 + shift / 3, pixel % 28 + shift % 3));
        correlation(&shifted.collect::<Vec<_>>(), b)
    });
    shifts.fold(-1.0, f64::max)
}

/// The correlation of each image with what becomes of its photo, and that after the best shift.
///
/// MNIST moves a digit by whole pixels. Where its centre of mass is almost halfway between two,
/// noise decides, and a digit that is a pixel away has a correlation of 0.75 with itself.
fn correlations(count: usize, change: impl Fn(Photo) -> Photo) -> [Vec<f64>; 2] {
    let test = test_set();
    let pairs = (0..count).map(|index| {
        let mut random = Random(index as u64);
        let photo = change(Photo::random(&mut random));
        let picture = photo.take(test.image(index), &mut random);
        let digit = picture.digit(SIZE).unwrap_or_else(|e| panic!("{index}: {e}"));
        (correlation(&digit, test.image(index)), best_shift(&digit, test.image(index)))
    });
    let (found, best) = pairs.unzip();
    [found, best]
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The means of these 100 photos are 0.947 and, after the best shift, 0.975.
#[test]
fn photos_of_test_images() {
    let [found, best] = correlations(100, |photo| photo);
    assert!(mean(&found) > 0.94 && mean(&best) > 0.965, "{} {}", mean(&found), mean(&best));
    let low = best.iter().filter(|&&correlation| correlation < 0.85).count();
    assert!(low <= 3, "{best:?}");
}

#[test]
fn photos_of_chalk_on_a_board() {
    let [found, best] =
        correlations(40, |photo| Photo { paper: photo.ink, ink: photo.paper, ..photo });
    assert!(mean(&found) > 0.94 && mean(&best) > 0.965, "{} {}", mean(&found), mean(&best));
}

#[test]
fn images_of_mnist_stay_as_they_are() {
    let test = test_set();
    for index in 0..test.len() {
        let picture = Picture::from_grey(28, 28, test.image(index).to_vec());
        assert!(picture.digit(SIZE).unwrap() == test.image(index), "{index}");
        // As they are printed: dark on light.
        assert!(picture.inverted().digit(SIZE).unwrap() == test.image(index), "{index}");
    }
    // But not one that is moved.
    let mut moved = test.image(0).to_vec();
    moved.rotate_right(3);
    let back = Picture::from_grey(28, 28, moved).digit(SIZE).unwrap();
    assert!(best_shift(&back, test.image(0)) > 0.9);
}

/// Whoever made a picture may have inverted it: the digit is the same, of a photo or of an image
/// that is as small as MNIST's or smaller.
#[test]
fn black_and_white_exchanged() {
    let test = test_set();
    let mut random = Random(5);
    for index in 0..60 {
        let image = test.image(index);
        let photo = Photo::random(&mut random).take(image, &mut random);
        let whole = Picture::from_grey(28, 28, image.to_vec());
        let mut moved = image.to_vec();
        moved.rotate_right(3);
        let small = whole.fit(ImageSize { rows: 15, cols: 15 }, 0);
        let small = Picture::from_grey(15, 15, small);
        for picture in [photo, whole, Picture::from_grey(28, 28, moved), small] {
            let found = picture.inverted().digit(SIZE).unwrap();
            assert!(found == picture.digit(SIZE).unwrap(), "{index}: {}", picture.size());
        }
    }
}

/// A photo of image 0, a 7, that no case below changes otherwise.
const PHOTO: Photo = Photo {
    zoom: 8.0,
    sheet: [1.5, 1.8],
    offset: [0.4, 0.6],
    paper: 230.0,
    ink: 30.0,
    shade: [0.1, -0.2],
    noise: 3.0,
};

/// Pixels of a photo made dark.
fn with_blot(
    picture: &Picture,
    rows: std::ops::Range<usize>,
    cols: std::ops::Range<usize>,
) -> Picture {
    let ImageSize { rows: height, cols: width } = picture.size();
    let mut grey = picture.grey().to_vec();
    for row in rows {
        grey[row * width + cols.start..row * width + cols.end].fill(20);
    }
    Picture::from_grey(height, width, grey)
}

#[test]
fn specks_are_left_out_and_bars_stay() {
    let test = test_set();
    let picture = PHOTO.take(test.image(0), &mut Random(1));
    let clean = picture.digit(SIZE).unwrap();
    assert!(correlation(&clean, test.image(0)) > 0.95);
    // Dust in a corner, and the edge of the table along a side.
    let speck = with_blot(&picture, 10..16, 5..11).digit(SIZE).unwrap();
    assert!(correlation(&speck, &clean) > 0.999);
    // Dust beside the digit, which would widen its box.
    let near = with_blot(&picture, 150..154, 300..304).digit(SIZE).unwrap();
    assert!(correlation(&near, &clean) > 0.999);
    let table = with_blot(&picture, 0..336, 0..4).digit(SIZE).unwrap();
    assert!(correlation(&table, &clean) > 0.99, "{}", correlation(&table, &clean));
    // A stroke of its own above the digit, as some write the bar of a 5, makes it taller.
    let top = picture
        .grey()
        .chunks_exact(picture.size().cols)
        .position(|row| row.iter().any(|&pixel| pixel < 80));
    let top = top.unwrap();
    let bar = with_blot(&picture, top - 24..top - 8, 200..260).digit(SIZE).unwrap();
    assert!(correlation(&bar, &clean) < 0.9);
}

#[test]
fn paper_without_ink() {
    let blank = Picture::from_grey(30, 40, vec![200; 1200]);
    let text = blank.digit(SIZE).unwrap_err().to_string();
    assert_eq!(
        text,
        "found no ink: nothing differs from the paper by more than 0 grey levels, expected a \
         digit that differs by at least 12; write it with a darker pen, or cut the picture so \
         that the digit fills it"
    );
    for seed in 0..20 {
        let mut random = Random(seed);
        let photo = Photo::random(&mut random);
        let found = photo.take(&[0; 784], &mut random).digit(SIZE);
        assert!(matches!(found, Err(PictureError::NoInk { .. })), "{photo:?}");
    }
}

/// What light and pens do besides. The lowest correlation is 0.89, where the edge of the photo
/// cuts the digit.
#[test]
fn hard_photos() {
    let test = test_set();
    let picture = |photo: Photo, index: usize| photo.take(test.image(index), &mut Random(9));
    let change = |picture: &Picture, value: &dyn Fn(f64, f64, u8) -> f64| {
        let ImageSize { rows, cols } = picture.size();
        let pixels = picture.grey().iter().enumerate().map(|(pixel, &grey)| {
            let [down, right] =
                [(pixel / cols) as f64 / rows as f64, (pixel % cols) as f64 / cols as f64];
            value(down, right, grey).round().clamp(0.0, 255.0) as u8
        });
        Picture::from_grey(rows, cols, pixels.collect())
    };
    let tight = Photo { sheet: [0.75, 0.75], offset: [0.5, 0.5], ..PHOTO };
    for index in 0..10 {
        let plain = picture(PHOTO, index);
        for (what, photo) in [
            (
                "dark corners",
                change(&plain, &|y, x, v| {
                    f64::from(v) * (1.0 - ((y - 0.5).powi(2) + (x - 0.5).powi(2)) * 0.8)
                }),
            ),
            (
                "the shadow of a hand",
                change(&plain, &|y, x, v| f64::from(v) * if x + y > 1.1 { 0.7 } else { 1.0 }),
            ),
            ("a pencil", change(&plain, &|_, _, v| 200.0 - (230.0 - f64::from(v)) * 0.2)),
            ("little room", picture(tight, index)),
        ] {
            let digit = photo.digit(SIZE).unwrap_or_else(|error| panic!("{what}: {error}"));
            let found = best_shift(&digit, test.image(index));
            assert!(found > 0.85, "image {index}, {what}: {found}");
        }
    }
}

/// A stroke that covers a seventh of a pixel of the image is as bright as MNIST's.
#[test]
fn a_thin_pen() {
    let mut sheet = Picture::from_grey(400, 300, vec![240; 120_000]);
    sheet = with_blot(&sheet, 60..62, 80..200);
    sheet = with_blot(&sheet, 60..340, 200..202);
    let digit = sheet.digit(SIZE).unwrap();
    assert!(digit.iter().filter(|&&pixel| pixel > 200).count() >= 18, "{digit:?}");
}

#[test]
fn other_sizes() {
    let test = test_set();
    let picture = PHOTO.take(test.image(0), &mut Random(1));
    let double = picture.digit(ImageSize { rows: 56, cols: 56 }).unwrap();
    let half = Picture::from_grey(56, 56, double).fit(SIZE, 0);
    let found = best_shift(&half, test.image(0));
    assert!(found > 0.9, "{found}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    /// Whatever a picture shows: an image with full ink and black paper, or an error of one line.
    #[test]
    fn any_picture(rows in 1..40_usize, cols in 1..40_usize, seed: u64, levels in 1..256_u32) {
        let mut random = Random(seed);
        let grey = (0..rows * cols).map(|_| (random.unit() * f64::from(levels)) as u8).collect();
        match Picture::from_grey(rows, cols, grey).digit(SIZE) {
            Ok(image) => {
                prop_assert_eq!(image.len(), 784);
                prop_assert!(image.contains(&255) && image.contains(&0));
            }
            Err(error) => prop_assert!(!error.to_string().contains('\n')),
        }
    }
}
