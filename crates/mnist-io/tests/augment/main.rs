//! Augmented images against plain loops in f64, and what holds for any of them.

mod images;
mod oracle;

use kernels::Isa;
use mnist_io::{Augment, AugmentError, Draw, Elastic, Warp};
use proptest::prelude::*;

use images::{centroid, image, posture, stroke};
use oracle::expected;

const SIZES: [(usize, usize); 8] =
    [(28, 28), (1, 1), (5, 7), (32, 32), (64, 48), (1, 40), (40, 1), (17, 31)];

/// Every part alone, all of them, and each of them missing.
fn augments() -> Vec<Augment> {
    let all = Augment {
        shift: 2.5,
        whole_pixels: false,
        rotate: 15.0,
        scale: 0.2,
        shear: 0.3,
        elastic: Elastic { displacement: 20.0, sigma: 4.0 },
    };
    let mut augments = Vec::new();
    for parts in 0..32 {
        let part = |bit: u32, range: f32| if parts >> bit & 1 == 1 { range } else { 0.0 };
        augments.push(Augment {
            shift: part(0, all.shift),
            rotate: part(1, all.rotate),
            scale: part(2, all.scale),
            shear: part(3, all.shear),
            elastic: Elastic { displacement: part(4, 20.0), sigma: 4.0 },
            ..all
        });
    }
    augments.push(Augment { whole_pixels: true, ..all });
    augments.push(Augment { shift: 3.0, whole_pixels: true, ..Augment::default() });
    augments.push(Augment { shift: 1024.0, ..Augment::default() });
    augments.push(Augment { shift: 1024.0, rotate: 180.0, scale: 0.99, shear: 1.0, ..all });
    for sigma in [0.1, 0.8, 1.5, 2.9, 8.0, 1000.0] {
        augments.push(Augment { elastic: Elastic { displacement: 5.0, sigma }, ..all });
    }
    augments
}

/// Each augmentation, and the same of deskewed images.
fn both() -> impl Iterator<Item = (Augment, bool)> {
    augments().into_iter().flat_map(|augment| [(augment, false), (augment, true)])
}

fn warp(augment: Augment, deskew: bool, rows: usize, cols: usize) -> Warp {
    let warp = Warp::new(augment, rows, cols).unwrap();
    if deskew { warp.deskewed() } else { warp }
}

#[test]
fn every_combination_is_what_plain_loops_compute() {
    let isa = Isa::available()[0];
    for (rows, cols) in SIZES {
        for (which, (augment, deskew)) in both().enumerate() {
            let warp = warp(augment, deskew, rows, cols);
            for sample in 0..2 {
                let draw = Draw { seed: 1 << 33 | 5, epoch: which as u64, sample };
                let original = if deskew { stroke } else { image }(rows, cols, sample);
                let mut found = original.clone();
                warp.apply(isa, draw, &mut found);
                let expected = expected((&augment, deskew), rows, cols, draw, &original);
                // Neighbours differ by up to 2, and places of up to 1024 are in f32.
                let far = if augment.shift > 100.0 { 1e-3 } else { 5e-5 };
                for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
                    let off = (f64::from(*found) - expected).abs();
                    assert!(
                        off < far,
                        "{augment:?}, {deskew}, {rows} x {cols}, {at}: {found}, not {expected}"
                    );
                }
            }
        }
    }
}

#[test]
fn no_part_is_no_change() {
    let warp = Warp::new(Augment::default(), 5, 7).unwrap();
    let mut original = image(5, 7, 1);
    original[..4].copy_from_slice(&[-0.0, f32::NAN, f32::INFINITY, 1e-40]);
    for isa in Isa::available() {
        let mut found = original.clone();
        warp.apply(isa, Draw { seed: 1, epoch: 2, sample: 3 }, &mut found);
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
                warp(Augment::default(), true, rows, cols).apply(isa, Draw::default(), &mut image);
                let ([x, y], lean) = posture(&image, rows, cols);
                // What is sheared out of the image is lost to the mean.
                assert!(x.hypot(y) < 0.6 && lean.abs() < 0.15, "{isa}: {x}, {y}, {lean}");
            }
        }
    }
}

/// Without ink, with ink that is none, and with a dash, which no shear makes stand.
#[test]
fn what_cannot_stand_is_left_lying() {
    let deskew = warp(Augment::default(), true, 9, 9);
    let mut dash = vec![0.0; 81];
    dash[4 * 9 + 2..][..5].fill(1.0);
    let negative = stroke(9, 9, 1).into_iter().map(|ink| -ink).collect();
    for image in [vec![0.0; 81], dash, negative] {
        for isa in Isa::available() {
            let mut found = image.clone();
            deskew.apply(isa, Draw::default(), &mut found);
            assert_eq!(found, image, "{isa}");
        }
    }
    // Lies more than it stands: sheared by a pixel a row, and no more.
    let mut image = vec![0.0; 81];
    image[3 * 9 + 1..][..3].fill(1.0);
    image[4 * 9 + 3..][..3].fill(1.0);
    image[5 * 9 + 5..][..3].fill(1.0);
    let (_, before) = posture(&image, 9, 9);
    deskew.apply(Isa::available()[0], Draw::default(), &mut image);
    let (_, after) = posture(&image, 9, 9);
    assert!((before - 2.0).abs() < 1e-6 && (after - 1.0).abs() < 1e-6, "{before}, {after}");

    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX] {
        for isa in Isa::available() {
            let mut image = vec![0.5; 81];
            image[40] = bad;
            image[3] = bad;
            deskew.apply(isa, Draw::default(), &mut image);
        }
    }
}

#[test]
fn whole_pixels_move_pixels_and_touch_none() {
    let isa = Isa::available()[0];
    for (rows, cols) in SIZES {
        let augment = Augment { shift: 3.9, whole_pixels: true, ..Augment::default() };
        let warp = Warp::new(augment, rows, cols).unwrap();
        let original = image(rows, cols, 1);
        let mut seen = [[false; 7]; 7];
        for sample in 0..1000 {
            let mut found = original.clone();
            warp.apply(isa, Draw { seed: 1, epoch: 0, sample }, &mut found);
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
        // Where a shift leaves nothing, one cannot tell which it was.
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
        let augment = Augment { shift: 3.5, whole_pixels, ..Augment::default() };
        let warp = Warp::new(augment, 28, 28).unwrap();
        let mut counts = [[0i64; 14]; 2];
        let mut product = 0.0;
        for sample in 0..DRAWS {
            let mut image = [0.0; 784];
            image[14 * 28 + 14] = 1.0;
            warp.apply(isa, Draw { seed: 3, epoch: 1, sample }, &mut image);
            // Light keeps its centroid in a bilinear sum.
            let shifts = centroid(&image, 28).map(|place| 14.0 - place);
            product += shifts[0] * shifts[1];
            for (counts, shift) in counts.iter_mut().zip(shifts) {
                counts[((shift + 3.5) / 7.0 * f64::from(bins)) as usize] += 1;
            }
        }
        let bins = bins as usize;
        let mean = DRAWS as i64 / bins as i64;
        // Five standard deviations of a count, and of the axes' covariance.
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
        for (augment, deskew) in both() {
            let warp = warp(augment, deskew, rows, cols);
            let original = stroke(rows, cols, 9);
            let apply = |isa, sample| {
                let mut found = original.clone();
                warp.apply(isa, Draw { seed: 7, epoch: 1, sample }, &mut found);
                found.iter().map(|pixel| pixel.to_bits()).collect::<Vec<_>>()
            };
            let first = [1, 2].map(|sample| apply(Isa::available()[0], sample));
            // In another order, and on another thread, whose memory is new.
            for isa in Isa::available() {
                let what = format!("{isa}: {augment:?}, {deskew}, {rows} x {cols}");
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

/// Instruction sets of different machines cannot be compared in one run; all have
/// to arrive at this number.
#[test]
fn the_bits_are_those_of_every_machine() {
    let hash = |deskew| {
        // FNV-1a.
        let mut hash = 0xCBF2_9CE4_8422_2325u64;
        for augment in augments() {
            let warp = warp(augment, deskew, 28, 28);
            for sample in 0..5 {
                let mut image = if deskew { stroke } else { image }(28, 28, sample);
                warp.apply(Isa::available()[0], Draw { seed: 1, epoch: 2, sample }, &mut image);
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
    for augment in augments().into_iter().filter(|augment| !augment.is_identity()) {
        if augment.whole_pixels || augment.shift > 100.0 {
            // Few results, or nothing left to see.
            continue;
        }
        let warp = Warp::new(augment, 28, 28).unwrap();
        let base = Draw { seed: 1, epoch: 2, sample: 3 };
        let draws = [
            base,
            Draw { seed: 2, ..base },
            Draw { seed: 1 | 1 << 32, ..base },
            Draw { epoch: 3, ..base },
            Draw { sample: 4, ..base },
            Draw { epoch: 3, sample: 2, ..base },
        ];
        let images = draws.map(|draw| {
            let mut found = image(28, 28, 1);
            warp.apply(isa, draw, &mut found);
            found
        });
        for (i, image) in images.iter().enumerate() {
            assert!(images[..i].iter().all(|other| other != image), "{augment:?}: {i}");
        }
    }
}

#[test]
fn nothing_beside_the_image_is_read_or_written() {
    for isa in Isa::available() {
        for (rows, cols) in SIZES {
            for (augment, deskew) in both() {
                let warp = warp(augment, deskew, rows, cols);
                let len = rows * cols;
                let mut buffer = vec![f32::NAN; len + 64];
                buffer[32..32 + len].fill(1.0);
                let draw = Draw { seed: 1, epoch: 0, sample: 0 };
                warp.apply(isa, draw, &mut buffer[32..32 + len]);
                let (image, beside) = (&buffer[32..32 + len], [&buffer[..32], &buffer[32 + len..]]);
                assert!(image.iter().all(|x| (-1e-6..1.000001).contains(x)), "{isa}: {augment:?}");
                assert!(beside.concat().iter().all(|x| x.is_nan()), "{isa}: {augment:?}");
            }
        }
    }
}

#[test]
fn ranges() {
    let base = Augment::default();
    let bend = |displacement, sigma| Augment { elastic: Elastic { displacement, sigma }, ..base };
    for (augment, message) in [
        (Augment { shift: -1.0, ..base }, "shift is -1: expected 0 to 1024 pixels"),
        (Augment { shift: 1025.0, ..base }, "shift is 1025: expected 0 to 1024 pixels"),
        (Augment { rotate: f32::NAN, ..base }, "rotate is NaN: expected 0 to 180 degrees"),
        (Augment { rotate: 181.0, ..base }, "rotate is 181: expected 0 to 180 degrees"),
        (Augment { scale: 1.0, ..base }, "scale is 1: expected at least 0 and below 1"),
        (Augment { shear: 1.5, ..base }, "shear is 1.5: expected 0 to 1"),
        (bend(-0.5, 4.0), "elastic displacement is -0.5: expected 0 to 1000 pixels"),
        (bend(f32::INFINITY, 4.0), "elastic displacement is inf: expected 0 to 1000 pixels"),
        (bend(1.0, 0.0), "elastic sigma is 0: expected 0.1 to 1000 pixels"),
    ] {
        let error = Warp::new(augment, 28, 28).unwrap_err();
        assert!(matches!(error, AugmentError::OutOfRange { .. }));
        assert_eq!(error.to_string(), format!("augmentation: {message}"));
        assert_eq!(augment.validate().unwrap_err().to_string(), error.to_string());
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
    let warp = Warp::new(Augment::default(), 5, 7).unwrap();
    warp.apply(Isa::available()[0], Draw { seed: 0, epoch: 0, sample: 0 }, &mut [0.0; 36]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// Whatever the settings, pixels stay between the least and the greatest.
    #[test]
    fn any_settings(
        (rows, cols) in (1..40_usize, 1..40_usize),
        (shift, whole_pixels, rotate) in (0.0..60.0_f32, any::<bool>(), 0.0..180.0_f32),
        (scale, shear) in (0.0..0.999_f32, 0.0..1.0_f32),
        (displacement, sigma) in (0.0..1000.0_f32, 0.1..50.0_f32),
        (seed, epoch, sample) in any::<(u64, u64, u64)>(),
    ) {
        let elastic = Elastic { displacement, sigma };
        let augment = Augment { shift, whole_pixels, rotate, scale, shear, elastic };
        let warp = Warp::new(augment, rows, cols).unwrap();
        for isa in Isa::available() {
            let mut image = vec![1.0; rows * cols];
            warp.apply(isa, Draw { seed, epoch, sample }, &mut image);
            prop_assert!(image.iter().all(|x| (-1e-6..1.000_001).contains(x)));
        }
    }
}
