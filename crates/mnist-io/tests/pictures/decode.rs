//! Files of pictures. The files in `tests/data` are of another program: see the README there.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::{Compression, write::ZlibEncoder};
use mnist_io::{ImageSize, Picture};
use proptest::collection::vec;
use proptest::prelude::*;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn open(name: &str) -> Picture {
    Picture::open(data(name)).unwrap_or_else(|error| panic!("{error}"))
}

const ROWS: usize = 11;
const COLS: usize = 14;

/// The red of the files' pattern, and the grey of those in grey.
fn pattern(row: usize, col: usize) -> u8 {
    ((row * 20 + col * 3 + if col < 4 { 40 } else { 0 }) % 256) as u8
}

fn each(value: impl Fn(usize, usize) -> u8) -> Vec<u8> {
    (0..ROWS * COLS).map(|pixel| value(pixel / COLS, pixel % COLS)).collect()
}

#[test]
fn files_of_another_program() {
    let size = ImageSize { rows: ROWS, cols: COLS };
    let luma = each(|row, col| {
        let green = ((row * COLS + col) * 7 % 256) as f64;
        let red = f64::from(pattern(row, col));
        (0.299 * red + 0.587 * green + 0.114 * (255.0 - red)).round() as u8
    });
    let bits = each(|row, col| if pattern(row, col) > 100 { 255 } else { 0 });
    for (name, expected) in [
        ("grey.png", each(pattern)),
        ("grey.pgm", each(pattern)),
        ("colour.png", luma.clone()),
        ("colour.ppm", luma),
        ("bits.png", bits.clone()),
        ("bits.pbm", bits),
    ] {
        assert_eq!((open(name).size(), open(name).grey()), (size, &expected[..]), "{name}");
    }
    // 16 of 154 colours.
    assert_eq!(open("palette.png").size(), size);
}

/// Decoders of JPEG round in different ways; what the other program decodes is beside each
/// file. It upsamples colours, of which the luma does not depend.
#[test]
fn jpeg_of_another_program() {
    for (name, most) in [
        ("grey", 1),
        ("colour", 2),
        ("subsampled", 6),
        ("progressive", 6),
        ("restart", 6),
        ("rgb", 1),
        ("cmyk", 2),
    ] {
        let (found, expected) = (open(&format!("{name}.jpg")), open(&format!("{name}-jpg.pgm")));
        assert_eq!(found.size(), expected.size(), "{name}");
        let differences = found.grey().iter().zip(expected.grey()).map(|(a, b)| a.abs_diff(*b));
        let worst = differences.max().unwrap();
        assert!(worst <= most, "{name}: {worst}");
    }
}

#[test]
fn a_camera_that_was_turned() {
    for orientation in 1..=8 {
        let picture = open(&format!("turned-{orientation}.jpg"));
        assert_eq!(picture.size(), ImageSize { rows: 8, cols: 16 }, "{orientation}");
        // White over grey on the left, black on the right.
        let at = |row: usize, col: usize| picture.grey()[row * 16 + col];
        let corners = [at(1, 1), at(6, 1), at(1, 14), at(6, 14)];
        let expected = [255, 60, 0, 0];
        let close = corners.iter().zip(expected).all(|(a, b)| a.abs_diff(b) < 10);
        assert!(close, "{orientation}: {corners:?}");
    }
}

/// A PNG file: width, height, bits, type of colour, interlace, the bytes of rows, and chunks
/// before these.
fn png(header: [u32; 5], raw: &[u8], chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    zlib.write_all(raw).unwrap();
    let [width, height, bits, colour, interlace] = header;
    let mut start = [width.to_be_bytes(), height.to_be_bytes()].concat();
    start.extend([bits as u8, colour as u8, 0, 0, interlace as u8]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |name: &[u8; 4], body: &[u8]| {
        let named = [&name[..], body].concat();
        let mut crc = flate2::Crc::new();
        crc.update(&named);
        file.extend((body.len() as u32).to_be_bytes());
        file.extend(&named);
        file.extend(crc.sum().to_be_bytes());
    };
    chunk(b"IHDR", &start);
    chunks.iter().for_each(|(name, body)| chunk(name, body));
    chunk(b"IDAT", &zlib.finish().unwrap());
    chunk(b"IEND", &[]);
    file
}

fn decode(bytes: &[u8]) -> Result<Picture, String> {
    Picture::decode(bytes, "FILE".as_ref()).map_err(|error| {
        let text = error.to_string();
        assert!(!text.contains(char::is_control), "{text}");
        text
    })
}

/// Two pixels beside each other, in every kind of PNG. Each row of bytes begins with its
/// filter, 0.
#[test]
fn every_kind_of_png() {
    type Chunks = &'static [(&'static [u8; 4], &'static [u8])];
    type Row = (u32, u32, &'static [u8], Chunks, [u8; 2]);
    let rows: &[Row] = &[
        (1, 0, &[0, 0b0100_0000], &[], [0, 255]),
        (2, 0, &[0, 0b0110_0000], &[], [85, 170]),
        (4, 0, &[0, 0x1e], &[], [17, 238]),
        (8, 0, &[0, 7, 200], &[], [7, 200]),
        // 128.5 / 257 is rounded up, as is 0x80ff.
        (16, 0, &[0, 0x80, 0xff, 0x00, 0x7f], &[], [128, 0]),
        (8, 2, &[0, 255, 0, 0, 0, 0, 255], &[], [76, 29]),
        (16, 2, &[0, 255, 255, 0, 0, 0, 0, 0, 0, 255, 255, 0, 0], &[], [76, 150]),
        (1, 3, &[0, 0b0100_0000], &[(b"PLTE", &[1, 1, 1, 9, 9, 9])], [1, 9]),
        (8, 3, &[0, 1, 0], &[(b"PLTE", &[1, 1, 1, 9, 9, 9])], [9, 1]),
        // What is transparent is white paper, ...
        (8, 3, &[0, 1, 0], &[(b"PLTE", &[1, 1, 1, 9, 9, 9]), (b"tRNS", &[0])], [9, 255]),
        (8, 0, &[0, 7, 200], &[(b"tRNS", &[0, 200])], [7, 255]),
        (8, 4, &[0, 0, 255, 0, 51], &[], [0, 204]),
        (16, 4, &[0, 0, 0, 255, 255, 0, 0, 0, 0], &[], [0, 255]),
        (8, 6, &[0, 0, 0, 0, 255, 9, 9, 9, 0], &[], [0, 255]),
        // ... and black under light ink, if most is transparent.
        (8, 4, &[0, 255, 200, 9, 0], &[], [200, 0]),
        (8, 4, &[0, 250, 255, 9, 200], &[], [250, 62]),
    ];
    for &(bits, colour, raw, chunks, expected) in rows {
        let file = png([2, 1, bits, colour, 0], raw, chunks);
        let found = decode(&file).unwrap_or_else(|error| panic!("{bits} bits {colour}: {error}"));
        assert_eq!(found.grey(), expected, "{bits} bits of colour type {colour}");
    }
}

/// Of 3 × 3 pixels, pass 1 has pixel (0, 0); 4 has (0, 2)... as the specification says.
#[test]
fn interlaced() {
    // Passes 1 (0,0), 4 (0,2), 5 (2,0) (2,2), 6 (0,1) (2,1), 7 row 1; each row begins with 0.
    let raw = [0, 1, 0, 3, 0, 7, 9, 0, 2, 0, 8, 0, 4, 5, 6];
    let found = decode(&png([3, 3, 8, 0, 1], &raw, &[])).unwrap();
    assert_eq!(found.grey(), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    // With an alpha channel of 255 - value, over white.
    let raw: Vec<u8> =
        raw.iter().flat_map(|&v| if v == 0 { vec![0] } else { vec![0, v] }).collect();
    let found = decode(&png([3, 3, 8, 4, 1], &raw, &[])).unwrap();
    assert_eq!(found.grey(), [254, 253, 252, 251, 250, 249, 248, 247, 246]);
}

#[test]
fn netpbm() {
    for (file, size, expected) in [
        (&b"P1\n# a comment\n3 2\n1 0 1\n010"[..], [2, 3], &[0, 255, 0, 255, 0, 255][..]),
        (b"P2 2 1 3 0 #c\n 1", [1, 2], &[0, 85]),
        (b"P2 2 1 65535 65535 32768\n\n", [1, 2], &[255, 128]),
        (b"P3 1 2 255 255 0 0  0 0 255", [2, 1], &[76, 29]),
        (
            b"P4\n9 2\n\x80\x80\x00\x00",
            [2, 9],
            &[0, 255, 255, 255, 255, 255, 255, 255, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255],
        ),
        (b"P5 2 1 255\n\x0a\xff", [1, 2], &[10, 255]),
        (b"P5 2 1 1000\n\x03\xe8\x00\x00", [1, 2], &[255, 0]),
        (b"P6 1 1 255\n\x00\xff\x00\n", [1, 1], &[150]),
    ] {
        let found = decode(file).unwrap_or_else(|error| panic!("{error}"));
        let [rows, cols] = size;
        assert_eq!((found.size(), found.grey()), (ImageSize { rows, cols }, expected));
    }
}

#[test]
fn files_that_are_no_pictures() {
    let read = |name: &str| fs::read(data(name)).unwrap();
    let grey = png([2, 1, 8, 0, 0], &[0, 7, 200], &[]);
    let large = |bits, colour| png([60_000, 60_000, bits, colour, 0], &[], &[]);
    let jpeg = read("colour.jpg");
    let huge_jpeg = {
        let mut bytes = read("grey.jpg");
        let frame = bytes.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
        bytes[frame + 5..frame + 9].fill(0xff);
        bytes
    };
    let mut wrong_crc = grey.clone();
    wrong_crc[29] ^= 1;
    let mut wrong_pixels = grey.clone();
    let end = wrong_pixels.len() - 12 - 4 - 2;
    wrong_pixels[end] ^= 1;
    for (what, bytes, words) in [
        (
            "nothing",
            vec![],
            "FILE: found an empty file, expected a picture: PNG, JPEG, PGM, PPM or PBM",
        ),
        ("text", b"hello world".to_vec(), "found text, expected a picture"),
        ("a page", b"<!doctype html>".to_vec(), "found a web page, expected a picture"),
        ("noise", vec![1, 2, 3], "found a file in no known format, expected a picture"),
        (
            "GIF",
            read("other.gif"),
            "found a GIF image, expected a picture: PNG, JPEG, PGM, PPM or PBM; save it as PNG or JPEG",
        ),
        ("BMP", read("other.bmp"), "found a BMP image, "),
        ("WebP", read("other.webp"), "found a WebP image, "),
        ("TIFF", read("other.tiff"), "found a TIFF image, "),
        ("AVIF", read("other.avif"), "found an AVIF image, "),
        ("HEIC", b"\0\0\0\x24ftypheic\0\0\0\0mif1".to_vec(), "found a HEIC image, "),
        ("a cut PNG", grey[..grey.len() - 13].to_vec(), "found a damaged PNG file ("),
        ("a PNG without an end", grey[..grey.len() - 12].to_vec(), "found a damaged PNG file ("),
        ("only the magic", grey[..8].to_vec(), "found a damaged PNG file ("),
        ("a wrong checksum", wrong_crc, "found a damaged PNG file ("),
        ("a wrong byte", wrong_pixels, "found a damaged PNG file ("),
        ("no rows", png([2, 0, 8, 0, 0], &[], &[]), "found a"),
        ("no columns", png([0, 2, 8, 0, 0], &[], &[]), "found a"),
        (
            "too large a PNG",
            large(8, 0),
            "found a picture of 60000 x 60000 pixels, expected no more than 100000000 in all; save it smaller",
        ),
        (
            "a bomb",
            png([9_000, 9_000, 16, 6, 0], &[], &[]),
            "bytes for a picture of 9000 x 9000 pixels, expected at least 627907; the file is damaged or cut short: save or fetch it again",
        ),
        ("too few rows", png([2, 2, 8, 0, 0], &[0, 1, 2], &[]), "found a damaged PNG file ("),
        (
            "too large a JPEG",
            huge_jpeg,
            "found a picture of 65535 x 65535 pixels, expected no more than 100000000 in all; save it smaller",
        ),
        (
            "half a JPEG",
            jpeg[..jpeg.len() - 60].to_vec(),
            "found a damaged JPEG file (cut short at byte ",
        ),
        (
            "a JPEG without an end",
            jpeg[..jpeg.len() - 2].to_vec(),
            "found a damaged JPEG file (cut short at byte ",
        ),
        (
            "the start of a JPEG",
            jpeg[..30].to_vec(),
            "found a damaged JPEG file (cut short at byte 30)",
        ),
        ("a JPEG of nothing", b"\xff\xd8\xff\xd9".to_vec(), "found a damaged JPEG file (no frame)"),
        (
            "no columns",
            b"P5 0 1 255\n".to_vec(),
            "found a picture of 1 x 0 pixels, expected at least one row and one column",
        ),
        (
            "too large a PGM",
            b"P5 4294967295 4294967295 255\n".to_vec(),
            "found a picture of 4294967295 x 4294967295 pixels, expected no more than",
        ),
        (
            "a huge number",
            b"P5 4294967296 1 255\n".to_vec(),
            "(at byte 3: found a number above 4294967295, expected the number of columns)",
        ),
        (
            "a short PGM",
            b"P5 9 9 255\nabc".to_vec(),
            "found 14 bytes for a picture of 9 x 9 pixels, expected at least 92;",
        ),
        (
            "a short text",
            b"P2 9 9 255\n1 2 3".to_vec(),
            "found 16 bytes for a picture of 9 x 9 pixels, expected at least",
        ),
        (
            "a text of words",
            b"P2 1 1 255 x ".to_vec(),
            "(at byte 11: found 'x', expected the value of a pixel)",
        ),
        (
            "bits that are none",
            b"P1 3 1 1 0 2".to_vec(),
            "(at byte 11: found '2', expected 0 or 1)",
        ),
        (
            "values above the largest",
            b"P2 1 1 9 10".to_vec(),
            "found a value of 10, expected 0 to 9",
        ),
        (
            "no largest value",
            b"P2 1 1 0 10".to_vec(),
            "found a largest value of 0, expected 1 to 65535",
        ),
        (
            "too much",
            b"P5 1 1 255\nab".to_vec(),
            "(at byte 12: found 1 bytes after the last pixel, expected none)",
        ),
    ] {
        let text = decode(&bytes).err().unwrap_or_else(|| panic!("{what} is read"));
        assert!(text.starts_with("FILE: found ") && text.contains(words), "{what}: {text}");
    }
}

#[test]
fn a_file_is_known_by_its_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("digit.png");
    fs::copy(data("grey.jpg"), &path).unwrap();
    assert_eq!(Picture::open(&path).unwrap(), open("grey.jpg"));
    let error = Picture::open(dir.path()).unwrap_err();
    assert!(matches!(error, mnist_io::Error::NotAFile { .. }), "{error}");
    // Larger than any picture, and never read: the file has a hole.
    fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
    let text = Picture::open(&path).unwrap_err().to_string();
    assert!(text.contains("found a file of 1099511627776 bytes, expected no more than"), "{text}");
}

/// Bytes that begin as a picture, or are one with some bytes changed.
fn almost_a_picture() -> impl Strategy<Value = Vec<u8>> {
    let names =
        ["grey.png", "palette.png", "colour.jpg", "progressive.jpg", "turned-6.jpg", "bits.pbm"];
    let file = (0..names.len()).prop_map(move |index| fs::read(data(names[index])).unwrap());
    let change = (any::<prop::sample::Index>(), any::<u8>());
    let changed = (file, vec(change, 1..4), any::<prop::sample::Index>(), any::<bool>());
    let changed = changed.prop_map(|(mut file, changes, end, cut)| {
        for (index, byte) in changes {
            let at = index.index(file.len());
            file[at] = byte;
        }
        if cut {
            file.truncate(end.index(file.len()));
        }
        file
    });
    let starts: [&[u8]; 5] =
        [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"\xff\xd8\xff", b"P1 3 3 ", b"P5 2", b"P3 1 1 "];
    let begun = (0..starts.len(), vec(any::<u8>(), 0..60));
    let begun = begun.prop_map(move |(start, rest)| [starts[start], &rest].concat());
    prop_oneof![3 => changed, 1 => begun, 1 => vec(any::<u8>(), 0..60)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1500) })]

    #[test]
    fn any_bytes(bytes in almost_a_picture()) {
        if let Ok(picture) = decode(&bytes) {
            let ImageSize { rows, cols } = picture.size();
            prop_assert_eq!(picture.grey().len(), rows * cols);
        }
    }
}
