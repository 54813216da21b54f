//! Any bytes as a picture. One that is read is the same after it is written as PGM; scaled, it
//! has no grey that it had not; and a digit in it has the form of MNIST's.
//!
//! Bytes 0 and 1 are the size to scale to, byte 2 the paper; the rest is the file.

#![no_main]

use std::path::Path;

use fuzz::check_message;
use libfuzzer_sys::fuzz_target;
use mnist_io::{ImageSize, Picture};

/// The most pixels of a picture that is decoded. Up to a hundred million are allowed, whose
/// memory a fuzzer must not take.
const MOST: usize = 1 << 20;
/// The most pixels that a digit is looked for in: that takes a second for a million.
const MOST_OF_DIGIT: usize = 1 << 14;

/// Whether the file says that it has more pixels than [`MOST`]. Text says no more than it has.
fn is_large(file: &[u8]) -> bool {
    let word = |bytes: &[u8]| bytes.iter().fold(0, |word, byte| word << 8 | usize::from(*byte));
    let many = |rows: &[u8], cols: &[u8]| word(rows).saturating_mul(word(cols)) > MOST;
    match file {
        // IHDR.
        [0x89, b'P', b'N', b'G', ..] => file.len() >= 24 && many(&file[16..20], &file[20..24]),
        // Any frame: SOF0 to SOF15 are the length, the bits, the rows and the columns.
        [0xff, 0xd8, ..] => file
            .windows(9)
            .any(|at| at[0] == 0xff && (0xc0..=0xcf).contains(&at[1]) && many(&at[5..7], &at[7..9])),
        _ => false,
    }
}

fn range(grey: &[u8]) -> (u8, u8) {
    (*grey.iter().min().unwrap(), *grey.iter().max().unwrap())
}

/// The sides of the box around what is not 0.
fn extent(image: &[u8], size: ImageSize) -> (usize, usize) {
    let at: Vec<usize> = (0..image.len()).filter(|at| image[*at] > 0).collect();
    let side = |of: &dyn Fn(usize) -> usize| {
        let (first, last) = (at.iter().map(|at| of(*at)).min(), at.iter().map(|at| of(*at)).max());
        last.zip(first).map_or(0, |(last, first)| last - first + 1)
    };
    (side(&|at| at / size.cols), side(&|at| at % size.cols))
}

fuzz_target!(|data: &[u8]| {
    let [rows, cols, paper, file @ ..] = data else { return };
    if is_large(file) {
        return;
    }
    let name = Path::new("picture");
    let picture = match Picture::decode(file, name) {
        Ok(picture) => picture,
        Err(error) => return check_message(&error),
    };
    let (size, grey) = (picture.size(), picture.grey());
    assert_eq!(grey.len(), size.rows * size.cols);
    let mut written = format!("P5\n{} {}\n255\n", size.cols, size.rows).into_bytes();
    written.extend(grey);
    assert_eq!(Picture::decode(&written, name).unwrap(), picture);

    // A grey of the border, of which half is not lighter and half is not darker.
    let edge = |at: usize| {
        let (row, col) = (at / size.cols, at % size.cols);
        row == 0 || row + 1 == size.rows || col == 0 || col + 1 == size.cols
    };
    let border: Vec<u8> = (0..grey.len()).filter(|at| edge(*at)).map(|at| grey[at]).collect();
    let found = picture.paper();
    let darker = border.iter().filter(|grey| **grey < found).count();
    let lighter = border.iter().filter(|grey| **grey > found).count();
    assert!(border.contains(&found) && 2 * darker <= border.len() && 2 * lighter <= border.len());

    assert_eq!(picture.fit(size, *paper), grey);
    let to = ImageSize { rows: usize::from(*rows).max(1), cols: usize::from(*cols).max(1) };
    let image = picture.fit(to, *paper);
    assert_eq!(image.len(), to.rows * to.cols);
    let (least, most) = range(grey);
    assert!(image.iter().all(|grey| grey == paper || (least..=most).contains(grey)), "a new grey");
    // The longer side fills the image, so its middle is of the picture. (Of an even number of
    // pixels the first one in the middle, where the picture has only one.)
    let (row, col) = ((to.rows - 1) / 2, (to.cols - 1) / 2);
    assert!((least..=most).contains(&image[row * to.cols + col]), "paper in the middle");

    if grey.len() > MOST_OF_DIGIT {
        return;
    }
    for to in [ImageSize { rows: 28, cols: 28 }, ImageSize { rows: to.rows.max(4), cols: to.cols.max(4) }] {
        let digit = match picture.digit(to) {
            Ok(digit) => digit,
            Err(error) => {
                check_message(&error);
                continue;
            }
        };
        assert_eq!(digit.len(), to.rows * to.cols);
        let (rows, cols) = extent(&digit, to);
        let side = |pixels: usize| (pixels * 20 / 28).max(1);
        assert!((1..=side(to.rows)).contains(&rows) && (1..=side(to.cols)).contains(&cols));
        // Full ink is 255, but for an image that had the form of MNIST's already.
        assert!(digit == grey || digit.contains(&255), "no full ink");
    }
});
