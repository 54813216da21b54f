//! Images whose ink is not white on black.

use kernels::Isa;
use mnist_io::{Key, Paper, deskew_images};

use crate::images::stroke;
use crate::{both, stroke_bytes, warp};

/// An image on other paper is moved as the same ink on black, whatever moves it: what comes
/// in from outside is paper.
#[test]
fn ink_on_any_paper_moves_alike() {
    let isa = Isa::available()[0];
    for (level, dark_ink) in [(1.0, true), (0.25, false), (-3.0, true), (1.0, false)] {
        let paper = Paper { level, dark_ink };
        let on_paper = |ink: &f32| if dark_ink { level - ink } else { level + ink };
        for (distortion, deskew) in both() {
            let black = warp(distortion, deskew, 28, 28);
            let ink = stroke(28, 28, 4);
            let mut expected = ink.clone();
            let mut found: Vec<f32> = ink.iter().map(on_paper).collect();
            let key = Key { seed: 1, epoch: 2, sample: 3 };
            black.apply(isa, key, &mut expected);
            black.on(paper).apply(isa, key, &mut found);
            for (found, expected) in found.iter().zip(&expected) {
                let off = (found - on_paper(expected)).abs();
                assert!(off < 1e-5, "{paper:?}, {distortion:?}, {deskew}: {off}");
            }
        }
    }
}

#[test]
fn deskewed_bytes_on_white_are_those_on_black_turned_over() {
    let isa = Isa::available()[0];
    let black = stroke_bytes(28, 28, 3);
    let white: Vec<u8> = black.iter().map(|ink| 255 - ink).collect();
    let paper = Paper { level: 255.0, dark_ink: true };
    let expected = deskew_images(isa, 28, 28, Paper::BLACK, &black, 0..3).unwrap();
    let found = deskew_images(isa, 28, 28, paper, &white, 0..3).unwrap();
    // A value in the middle of two bytes may go to either.
    assert!(found.iter().zip(&expected).all(|(white, black)| white.abs_diff(255 - black) <= 1));
}

#[test]
fn paper_is_what_most_borders_are() {
    let paper = |level, dark_ink| Paper { level, dark_ink };
    let ink: Vec<f32> = (0..6).flat_map(|sample| stroke(20, 16, sample)).collect();
    let with =
        |level: f32, sign: f32| -> Vec<f32> { ink.iter().map(|ink| level + sign * ink).collect() };
    for (level, sign) in [(0.0, 1.0), (0.0, -1.0), (255.0, -1.0), (7.5, 1.0), (-2.0, -1.0)] {
        let found = Paper::find(20, 16, &with(level, sign));
        assert_eq!(found, paper(level, sign < 0.0));
    }
    for nothing in [&[][..], &[0.0; 640], &[-0.0; 320], &[f32::NAN; 320]] {
        let found = Paper::find(20, 16, nothing);
        assert_eq!((found, found.level.to_bits()), (Paper::BLACK, 0));
    }
    assert_eq!(paper(255.0, true).scaled(0.5), paper(127.5, true));
}

#[test]
fn the_box_of_the_ink() {
    let mut image = [1.0; 20];
    let white = Paper { level: 1.0, dark_ink: true };
    assert_eq!(white.ink_box(5, &image), None);
    image[7] = 0.0;
    assert_eq!(white.ink_box(5, &image), Some([1, 1]));
    image[11] = 0.4;
    image[4] = 0.6; // Too little ink.
    assert_eq!(white.ink_box(5, &image), Some([2, 2]));
    image[19] = 0.2;
    assert_eq!(white.ink_box(5, &image), Some([3, 4]));
    // Seen as light ink, it is all paper or darker.
    assert_eq!(Paper { dark_ink: false, ..white }.ink_box(5, &image), None);
}

/// The level is the middle value of the whole border, whose first and last row are long.
#[test]
fn paper_has_the_level_of_the_border() {
    let mut image = [0.0; 3 * 6];
    // All of the last row, and one pixel more at each side.
    for at in [6, 11, 12, 13, 14, 15, 16, 17] {
        image[at] = 1.0;
    }
    assert_eq!(Paper::find(3, 6, &image).level, 1.0);
}
