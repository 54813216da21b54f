//! Augmented images against plain loops in f64, and what is true of any of them.

mod images;
mod oracle;
mod paper;

use kernels::Isa;
use mnist_io::{AugmentError, Distortion, Elastic, Key, Paper, Warp, deskew_images};
use proptest::prelude::*;

use images::{centroid, image, posture, stroke};
use oracle::expected;

const SIZES: [(usize, usize); 8] =
    [(28, 28), (1, 1), (5, 7), (32, 32), (64, 48), (1, 40), (40, 1), (17, 31)];

/// Every subset of the five kinds of change, and settings at the ends of their ranges.
fn distortions() -> Vec<Distortion> {
    let all = Distortion {
        shift: 2.5,
        whole_pixels: false,
        rotate: 15.0,
        scale: 0.2,
        shear: 0.3,
        elastic: Elastic { displacement: 20.0, sigma: 4.0 },
    };
    let mut distortions = Vec::new();
    for kinds in 0..32 {
        let kind = |bit: u32, range: f32| if kinds >> bit & 1 == 1 { range } else { 0.0 };
        distortions.push(Distortion {
            shift: kind(0, all.shift),
            rotate: kind(1, all.rotate),
            scale: kind(2, all.scale),
            shear: kind(3, all.shear),
            elastic: Elastic { displacement: kind(4, 20.0), sigma: 4.0 },
            ..all
        });
    }
    distortions.push(Distortion { whole_pixels: true, ..all });
    distortions.push(Distortion { shift: 3.0, whole_pixels: true, ..Distortion::default() });
    distortions.push(Distortion { shift: 1024.0, ..Distortion::default() });
    distortions.push(Distortion { shift: 1024.0, rotate: 180.0, scale: 0.99, shear: 1.0, ..all });
    for sigma in [0.1, 0.8, 1.5, 2.9, 8.0, 1000.0] {
        distortions.push(Distortion { elastic: Elastic { displacement: 5.0, sigma }, ..all });
    }
    distortions
}

/// Each distortion, without and with deskewing.
fn both() -> impl Iterator<Item = (Distortion, bool)> {
    distortions().into_iter().flat_map(|distortion| [(distortion, false), (distortion, true)])
}

fn warp(distortion: Distortion, deskew: bool, rows: usize, cols: usize) -> Warp {
    let warp = Warp::new(distortion, rows, cols).unwrap();
    if deskew { warp.deskewed() } else { warp }
}

#[test]
fn every_combination_is_what_plain_loops_compute() {
    let isa = Isa::available()[0];
    for (rows, cols) in SIZES {
        for (index, (distortion, deskew)) in both().enumerate() {
            let warp = warp(distortion, deskew, rows, cols);
            for sample in 0..2 {
                let key = Key { seed: 1 << 33 | 5, epoch: index as u64, sample };
                let original = if deskew { stroke } else { image }(rows, cols, sample);
                let mut found = original.clone();
                warp.apply(isa, key, &mut found);
                let expected = expected((&distortion, deskew), rows, cols, key, &original);
                // Neighbours differ by up to 2, and points up to 1024 pixels away are in f32.
                let bound = if distortion.shift > 100.0 { 1e-3 } else { 5e-5 };
                for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
                    let off = (f64::from(*found) - expected).abs();
                    assert!(
                        off < bound,
                        "{distortion:?}, {deskew}, {rows} x {cols}, {at}: {found}, not {expected}"
                    );
                }
            }
        }
    }
}

#[test]
fn settings_of_zero_change_nothing() {
    let warp = Warp::new(Distortion::default(), 5, 7).unwrap();
    let mut original = image(5, 7, 1);
    original[..4].copy_from_slice(&[-0.0, f32::NAN, f32::INFINITY, 1e-40]);
    for isa in Isa::available() {
        let mut found = original.clone();
        warp.apply(isa, Key { seed: 1, epoch: 2, sample: 3 }, &mut found);
        let bits = |image: &[f32]| image.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&found), bits(&original));
    }
}

#[test]
fn deskewed_ink_stands_upright_in_the_middle() {
    for isa in Isa::available() {
        for (rows, cols) in [(28, 28), (32, 32), (64, 48)] {
            for sample in 0..5 {
                let mut image = stroke(rows, cols, sample);
                let ([x, y], lean) = posture(&image, rows, cols);
                assert!(x.hypot(y) > 1.0 && lean > 0.3, "{x}, {y}, {lean}");
                warp(Distortion::default(), true, rows, cols).apply(
                    isa,
                    Key::default(),
                    &mut image,
                );
                let ([x, y], lean) = posture(&image, rows, cols);
                // Ink that is sheared out of the image does not count in the mean.
                assert!(x.hypot(y) < 0.6 && lean.abs() < 0.15, "{isa}: {x}, {y}, {lean}");
            }
        }
    }
}

/// Without ink, with negative ink, and with a dash, which no shear can make stand.
#[test]
fn ink_that_cannot_stand_stays_as_it_is() {
    let deskew = warp(Distortion::default(), true, 9, 9);
    let mut dash = vec![0.0; 81];
    dash[4 * 9 + 2..][..5].fill(1.0);
    let negative = stroke(9, 9, 1).into_iter().map(|ink| -ink).collect();
    for image in [vec![0.0; 81], dash, negative] {
        for isa in Isa::available() {
            let mut found = image.clone();
            deskew.apply(isa, Key::default(), &mut found);
            assert_eq!(found, image, "{isa}");
        }
    }
    // A lean of 2 pixels a row is sheared back by 1, and no more.
    let mut image = vec![0.0; 81];
    image[3 * 9 + 1..][..3].fill(1.0);
    image[4 * 9 + 3..][..3].fill(1.0);
    image[5 * 9 + 5..][..3].fill(1.0);
    let (_, before) = posture(&image, 9, 9);
    deskew.apply(Isa::available()[0], Key::default(), &mut image);
    let (_, after) = posture(&image, 9, 9);
    assert!((before - 2.0).abs() < 1e-6 && (after - 1.0).abs() < 1e-6, "{before}, {after}");

    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX] {
        for isa in Isa::available() {
            let mut image = vec![0.5; 81];
            image[40] = bad;
            image[3] = bad;
            deskew.apply(isa, Key::default(), &mut image);
        }
    }
}

/// Bytes of leaning strokes: as many images as `samples`.
fn stroke_bytes(rows: usize, cols: usize, samples: u64) -> Vec<u8> {
    let ink = (0..samples).flat_map(|sample| stroke(rows, cols, sample));
    ink.map(|ink| (255.0 * ink) as u8).collect()
}

#[test]
fn deskewed_bytes_are_the_nearest_to_what_plain_loops_compute() {
    for (rows, cols) in SIZES {
        let pixels = stroke_bytes(rows, cols, 3);
        let images: Vec<&[u8]> = pixels.chunks(rows * cols).collect();
        for isa in Isa::available() {
            // In another order, one image twice and one not at all.
            let indices = [2, 0, 2];
            let found = deskew_images(isa, rows, cols, Paper::BLACK, &pixels, indices).unwrap();
            assert_eq!(found.len(), 3 * rows * cols);
            for (found, index) in found.chunks(rows * cols).zip(indices) {
                let image: Vec<f32> = images[index].iter().map(|&byte| byte.into()).collect();
                let settings = (&Distortion::default(), true);
                let expected = expected(settings, rows, cols, Key::default(), &image);
                for (found, expected) in found.iter().zip(expected) {
                    let off = (f64::from(*found) - expected).abs();
                    // A value near the middle of two bytes may go to either.
                    assert!(off < 0.5 + 0.01, "{isa}, {rows} x {cols}: {found}, not {expected}");
                }
            }
        }
    }
}

#[test]
fn deskewed_bytes_are_rounded_values_of_the_warp() {
    let pixels = stroke_bytes(28, 28, 2);
    for isa in Isa::available() {
        let found = deskew_images(isa, 28, 28, Paper::BLACK, &pixels, 0..2).unwrap();
        let deskew = warp(Distortion::default(), true, 28, 28);
        for (found, original) in found.chunks(784).zip(pixels.chunks(784)) {
            let mut image: Vec<f32> = original.iter().map(|&byte| byte.into()).collect();
            deskew.apply(isa, Key::default(), &mut image);
            let rounded: Vec<u8> = image.iter().map(|value| (value + 0.5) as u8).collect();
            assert_eq!(found, rounded);
        }
    }
}

#[test]
fn images_to_deskew_that_are_out_of_range() {
    let isa = Isa::available()[0];
    let size = deskew_images(isa, 0, 28, Paper::BLACK, &[], []).unwrap_err();
    assert_eq!(size, AugmentError::Size { rows: 0, cols: 28 });
    for index in [2, usize::MAX] {
        let deskew = || deskew_images(isa, 28, 28, Paper::BLACK, &[0; 2 * 784], [0, index]);
        let panic = std::panic::catch_unwind(deskew).unwrap_err();
        assert_eq!(panic.downcast_ref::<String>(), Some(&format!("image {index} of 2")));
    }
}

#[test]
fn whole_pixels_move_pixels_and_change_none() {
    let isa = Isa::available()[0];
    for (rows, cols) in SIZES {
        let distortion = Distortion { shift: 3.9, whole_pixels: true, ..Distortion::default() };
        let warp = Warp::new(distortion, rows, cols).unwrap();
        let original = image(rows, cols, 1);
        let mut seen = [[false; 7]; 7];
        for sample in 0..1000 {
            let mut found = original.clone();
            warp.apply(isa, Key { seed: 1, epoch: 0, sample }, &mut found);
            let moved = |down: isize, right: isize| {
                let at = |row: isize, col: isize| {
                    let inside = 0 <= row && row < rows as isize && 0 <= col && col < cols as isize;
                    if inside { original[row as usize * cols + col as usize] } else { 0.0 }
                };
                let pixels = (0..rows * cols).map(|i| ((i / cols) as isize, (i % cols) as isize));
                pixels.map(|(row, col)| at(row + down, col + right)).collect::<Vec<_>>()
            };
            let shifts = (-3..=3).flat_map(|down| (-3..=3).map(move |right| (down, right)));
            let (down, right) = shifts
                .clone()
                .find(|&(down, right)| moved(down, right) == found)
                .expect("a shift by up to three pixels");
            seen[(down + 3) as usize][(right + 3) as usize] = true;
        }
        // A shift that leaves nothing of the image cannot be told from another.
        if rows.min(cols) > 3 {
            assert!(seen.iter().flatten().all(|seen| *seen), "{rows} x {cols}: {seen:?}");
        }
    }
}

#[test]
fn shifts_cover_their_range_evenly() {
    const DRAWS: u64 = 8000;
    let isa = Isa::available()[0];
    for (whole_pixels, bins) in [(false, 14), (true, 7)] {
        let distortion = Distortion { shift: 3.5, whole_pixels, ..Distortion::default() };
        let warp = Warp::new(distortion, 28, 28).unwrap();
        let mut counts = [[0i64; 14]; 2];
        let mut product = 0.0;
        for sample in 0..DRAWS {
            let mut image = [0.0; 784];
            image[14 * 28 + 14] = 1.0;
            warp.apply(isa, Key { seed: 3, epoch: 1, sample }, &mut image);
            // Bilinear interpolation keeps the center of mass.
            let shifts = centroid(&image, 28).map(|center| 14.0 - center);
            product += shifts[0] * shifts[1];
            for (counts, shift) in counts.iter_mut().zip(shifts) {
                counts[((shift + 3.5) / 7.0 * f64::from(bins)) as usize] += 1;
            }
        }
        let bins = bins as usize;
        let mean = DRAWS as i64 / bins as i64;
        // Five standard deviations: of a count, and of the covariance of the two axes.
        let off = 5.0 * (mean as f64).sqrt();
        for counts in counts {
            assert!(counts[..bins].iter().all(|n| ((n - mean) as f64).abs() < off), "{counts:?}");
            assert!(counts[bins..].iter().all(|count| *count == 0));
        }
        assert!((product / DRAWS as f64).abs() < 5.0 * 4.09 / (DRAWS as f64).sqrt());
    }
}

#[test]
fn every_isa_and_every_call_gives_the_same_bits() {
    for (rows, cols) in SIZES {
        for (distortion, deskew) in both() {
            let warp = warp(distortion, deskew, rows, cols);
            let original = stroke(rows, cols, 9);
            let apply = |isa, sample| {
                let mut found = original.clone();
                warp.apply(isa, Key { seed: 7, epoch: 1, sample }, &mut found);
                found.iter().map(|pixel| pixel.to_bits()).collect::<Vec<_>>()
            };
            let first = [1, 2].map(|sample| apply(Isa::available()[0], sample));
            // In another order, and on another thread, which has new memory.
            for isa in Isa::available() {
                let what = format!("{isa}: {distortion:?}, {deskew}, {rows} x {cols}");
                assert!(apply(isa, 2) == first[1], "{what}");
                assert!(apply(isa, 1) == first[0], "{what}");
            }
            let elsewhere = std::thread::scope(|scope| {
                scope.spawn(|| apply(Isa::available()[0], 1)).join().unwrap()
            });
            assert!(elsewhere == first[0]);
        }
    }
}

/// One run cannot compare the instruction sets of different machines. All of them have to
/// give this hash.
#[test]
fn the_bits_are_those_of_every_machine() {
    let hash = |deskew| {
        // FNV-1a.
        let mut hash = 0xCBF2_9CE4_8422_2325u64;
        for distortion in distortions() {
            let warp = warp(distortion, deskew, 28, 28);
            for sample in 0..5 {
                let mut image = if deskew { stroke } else { image }(28, 28, sample);
                warp.apply(Isa::available()[0], Key { seed: 1, epoch: 2, sample }, &mut image);
                for byte in image.iter().flat_map(|pixel| pixel.to_le_bytes()) {
                    hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
                }
            }
        }
        hash
    };
    assert_eq!(hash(false), 0xED40_3C78_3429_7D19);
    assert_eq!(hash(true), 0x8947_0998_9E48_1E22);
}

#[test]
fn images_seeds_and_epochs_differ() {
    let isa = Isa::available()[0];
    for distortion in distortions().into_iter().filter(|distortion| !distortion.is_identity()) {
        if distortion.whole_pixels || distortion.shift > 100.0 {
            // There are few results, or nothing is left of the image.
            continue;
        }
        let warp = Warp::new(distortion, 28, 28).unwrap();
        let base = Key { seed: 1, epoch: 2, sample: 3 };
        let keys = [
            base,
            Key { seed: 2, ..base },
            Key { seed: 1 | 1 << 32, ..base },
            Key { epoch: 3, ..base },
            Key { sample: 4, ..base },
            Key { epoch: 3, sample: 2, ..base },
        ];
        let images = keys.map(|key| {
            let mut found = image(28, 28, 1);
            warp.apply(isa, key, &mut found);
            found
        });
        for (i, image) in images.iter().enumerate() {
            assert!(images[..i].iter().all(|other| other != image), "{distortion:?}: {i}");
        }
    }
}

#[test]
fn nothing_outside_the_image_is_read_or_written() {
    for isa in Isa::available() {
        for (rows, cols) in SIZES {
            for (distortion, deskew) in both() {
                let warp = warp(distortion, deskew, rows, cols);
                let len = rows * cols;
                let mut buffer = vec![f32::NAN; len + 64];
                buffer[32..32 + len].fill(1.0);
                let key = Key { seed: 1, epoch: 0, sample: 0 };
                warp.apply(isa, key, &mut buffer[32..32 + len]);
                let (image, outside) =
                    (&buffer[32..32 + len], [&buffer[..32], &buffer[32 + len..]]);
                assert!(
                    image.iter().all(|x| (-1e-6..1.000001).contains(x)),
                    "{isa}: {distortion:?}"
                );
                assert!(outside.concat().iter().all(|x| x.is_nan()), "{isa}: {distortion:?}");
            }
        }
    }
}

#[test]
fn ranges() {
    let base = Distortion::default();
    let bend =
        |displacement, sigma| Distortion { elastic: Elastic { displacement, sigma }, ..base };
    for (distortion, message) in [
        (Distortion { shift: -1.0, ..base }, "shift is -1: expected 0 to 1024 pixels"),
        (Distortion { shift: 1025.0, ..base }, "shift is 1025: expected 0 to 1024 pixels"),
        (Distortion { rotate: f32::NAN, ..base }, "rotate is NaN: expected 0 to 180 degrees"),
        (Distortion { rotate: 181.0, ..base }, "rotate is 181: expected 0 to 180 degrees"),
        (Distortion { scale: 1.0, ..base }, "scale is 1: expected at least 0 and below 1"),
        (Distortion { shear: 1.5, ..base }, "shear is 1.5: expected 0 to 1"),
        (bend(-0.5, 4.0), "elastic displacement is -0.5: expected 0 to 1000 pixels"),
        (bend(f32::INFINITY, 4.0), "elastic displacement is inf: expected 0 to 1000 pixels"),
        (bend(1.0, 0.0), "elastic sigma is 0: expected 0.1 to 1000 pixels"),
    ] {
        let error = Warp::new(distortion, 28, 28).unwrap_err();
        assert!(matches!(error, AugmentError::OutOfRange { .. }));
        assert_eq!(error.to_string(), format!("augmentation: {message}"));
        assert_eq!(distortion.validate().unwrap_err().to_string(), error.to_string());
    }
    for (rows, cols) in [(0, 28), (28, 0), (1025, 1), (1, 1025), (usize::MAX, usize::MAX)] {
        let error = Warp::new(base, rows, cols).unwrap_err();
        assert_eq!(error, AugmentError::Size { rows, cols });
        assert_eq!(
            error.to_string(),
            format!(
                "augmentation: the images have {rows} x {cols} pixels: \
                 expected 1 to 1024 along each side"
            )
        );
    }
    assert!(Warp::new(base, 1024, 1024).is_ok());
}

#[test]
#[should_panic(expected = "5 x 7 pixels")]
fn an_image_of_another_size_panics() {
    let warp = Warp::new(Distortion::default(), 5, 7).unwrap();
    warp.apply(Isa::available()[0], Key { seed: 0, epoch: 0, sample: 0 }, &mut [0.0; 36]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// With any settings, new pixels are between the smallest and the largest old one, or 0.
    #[test]
    fn any_settings(
        (rows, cols) in (1..40_usize, 1..40_usize),
        (shift, whole_pixels, rotate) in (0.0..60.0_f32, any::<bool>(), 0.0..180.0_f32),
        (scale, shear) in (0.0..0.999_f32, 0.0..1.0_f32),
        (displacement, sigma) in (0.0..1000.0_f32, 0.1..50.0_f32),
        (seed, epoch, sample) in any::<(u64, u64, u64)>(),
    ) {
        let elastic = Elastic { displacement, sigma };
        let distortion = Distortion { shift, whole_pixels, rotate, scale, shear, elastic };
        let warp = Warp::new(distortion, rows, cols).unwrap();
        for isa in Isa::available() {
            let mut image = vec![1.0; rows * cols];
            warp.apply(isa, Key { seed, epoch, sample }, &mut image);
            prop_assert!(image.iter().all(|x| (-1e-6..1.000_001).contains(x)));
        }
    }
}
