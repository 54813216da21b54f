//! `Picture::memory` is what decoding takes: never less, and not several times as much.
//!
//! A binary of its own, because a global allocator is that of the whole program.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::{Compression, write::ZlibEncoder};
use mnist_io::{ImageSize, Picture};

thread_local! {
    /// Bytes that this thread has, and the most since the measurement began. Other tests and
    /// the test harness allocate at the same time.
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

fn resized(old: usize, new: usize) {
    LIVE.set(LIVE.get() + new as isize - old as isize);
    PEAK.set(PEAK.get().max(LIVE.get()));
}

// SAFETY: every call is passed on to `System` unchanged. Counting allocates nothing: the
// counter is initialised at compile time and has no destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        resized(0, layout.size());
        // SAFETY: the caller keeps to the same contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        resized(0, layout.size());
        // SAFETY: the caller keeps to the same contract.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        resized(layout.size(), size);
        // SAFETY: the caller keeps to the same contract.
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        resized(layout.size(), 0);
        // SAFETY: the caller keeps to the same contract.
        unsafe { System.dealloc(old, layout) }
    }
}

/// The most bytes that `work` has at a time.
fn peak(work: impl FnOnce()) -> usize {
    let before = LIVE.get();
    PEAK.set(before);
    work();
    (PEAK.get() - before) as usize
}

/// Decodes a file, as far as it can be, and makes it an image of 28 × 28 in two ways. Returns
/// whether it was decoded, the memory, and what was announced.
fn measured(file: &[u8]) -> (bool, usize, usize) {
    let (name, most) = (Path::new("picture"), usize::MAX);
    let announced = Picture::memory(file, name, most).unwrap();
    let mut decoded = false;
    let taken = peak(|| {
        if let Ok(picture) = Picture::decode(file, name) {
            let size = ImageSize { rows: 28, cols: 28 };
            let _ = picture.digit(size);
            let _ = picture.inverted().fit(size, 0);
            decoded = true;
        }
    });
    (decoded, taken, announced)
}

/// Rows × columns with values of `bits` in the colours of a PNG's type.
fn png(rows: u32, cols: u32, bits: u8, colour: u8, interlaced: bool) -> Vec<u8> {
    let values = [1, 0, 3, 1, 2, 0, 4][usize::from(colour)];
    let row = 1 + (cols as usize * values * usize::from(bits)).div_ceil(8);
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    // Of an interlaced picture there are more rows, which are shorter.
    let raw = row * rows as usize + if interlaced { 8 * rows as usize + 64 } else { 0 };
    let mut raw = vec![0; raw];
    if !interlaced {
        // Something that stands out from the paper.
        for row in raw.chunks_exact_mut(row).skip(rows as usize / 3).take(rows as usize / 4) {
            let third = row.len() / 3;
            row[1 + third..][..third].fill(255);
        }
    }
    zlib.write_all(&raw).unwrap();
    let mut header = [cols.to_be_bytes(), rows.to_be_bytes()].concat();
    header.extend([bits, colour, 0, 0, u8::from(interlaced)]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let palette = [0, 0, 0, 255, 255, 255].repeat(8);
    let mut chunk = |name: &[u8; 4], body: &[u8]| {
        let named = [&name[..], body].concat();
        let mut crc = flate2::Crc::new();
        crc.update(&named);
        file.extend((body.len() as u32).to_be_bytes());
        file.extend(&named);
        file.extend(crc.sum().to_be_bytes());
    };
    chunk(b"IHDR", &header);
    if colour == 3 {
        chunk(b"PLTE", &palette);
        chunk(b"tRNS", &[0, 255]);
    }
    chunk(b"IDAT", &zlib.finish().unwrap());
    chunk(b"IEND", &[]);
    file
}

/// One of the files in `tests/data` with another size, and with zeros for the rest of its
/// pixels, which may decode or not.
fn jpeg(name: &str, rows: u16, cols: u16) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    let mut file = fs::read(path).unwrap();
    let size = |file: &[u8]| file.windows(4).position(|at| at == [0, 11, 0, 14]).unwrap();
    let at = size(&file);
    file[at..at + 4].copy_from_slice(&[rows.to_be_bytes(), cols.to_be_bytes()].concat());
    let end = file.len() - 2;
    let rest = usize::from(rows) * usize::from(cols) / 4;
    file.splice(end..end, vec![0; rest]);
    file
}

#[test]
fn pictures_take_what_is_announced() {
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for (rows, cols) in [(28, 28), (900, 1000), (1, 100_000), (100_000, 1), (3, 3000)] {
        for (bits, colour) in [(1, 0), (8, 0), (8, 2), (16, 6), (16, 4), (1, 3), (8, 3)] {
            for interlaced in [false, true] {
                let file = png(rows, cols, bits, colour, interlaced);
                files.push((format!("png {rows} {cols} {bits} {colour} {interlaced}"), file));
            }
        }
        let pixels = (rows * cols) as usize;
        let head = |kind| format!("{kind} {cols} {rows} 255\n").into_bytes();
        let mut grey = vec![200; pixels];
        grey[pixels / 3..pixels / 2].fill(9);
        files.push((format!("pgm {rows} {cols}"), [head("P5"), grey].concat()));
        files.push((format!("ppm {rows} {cols}"), [head("P6"), vec![9; 3 * pixels]].concat()));
    }
    // Strokes of a pixel each, and nothing but ink in the middle.
    for (name, is_ink) in [
        ("dots", (|row, col| row % 2 + col % 2 == 0) as fn(usize, usize) -> bool),
        ("sparse dots", |row, col| row % 3 + col % 3 == 0),
        ("dots on half", |row, col| row % 2 + col % 2 == 0 && (100..500).contains(&row)),
        ("block", |row, col| row.min(col) > 90 && row.max(col) < 710),
    ] {
        let pixels = (0..800 * 800).map(|at| if is_ink(at / 800, at % 800) { 0 } else { 255 });
        let file = b"P5 800 800 255\n".iter().copied().chain(pixels).collect();
        files.push((name.to_owned(), file));
    }
    for (rows, cols) in [(16, 16), (1000, 1200), (16, 60_000), (60_000, 16)] {
        for name in ["grey", "colour", "subsampled", "progressive", "rgb", "cmyk"] {
            let file = jpeg(&format!("{name}.jpg"), rows, cols);
            files.push((format!("jpeg {rows} {cols} {name}"), file));
        }
    }
    let mut count = 0;
    for (name, file) in files {
        let (decoded, taken, announced) = measured(&file);
        println!(
            "{name}: {decoded} {taken} of {announced}: {:.2}",
            taken as f64 / announced as f64
        );
        count += usize::from(decoded);
        assert!(taken <= announced, "{name}: {taken} bytes, {announced} were announced");
        if decoded && name.contains(" 900 1000") {
            assert!(announced <= 3 * taken, "{name}: {taken} bytes, {announced} were announced");
        }
    }
    assert!(count > 50, "{count} were decoded");
}

#[test]
fn what_is_no_picture_has_no_memory() {
    let name = Path::new("picture");
    let of = |file: &[u8]| Picture::memory(file, name, 1000).unwrap_err().to_string();
    assert!(of(b"").contains("found an empty file"));
    assert!(of(b"GIF89a").contains("expected a picture"));
    assert!(of(b"P5 1001 1 255 ").contains("expected no more than 1000 in all"));
    assert!(of(b"P5 0 1 255 ").contains("at least one row"));
    assert!(of(&png(40, 40, 8, 2, false)).contains("expected no more than 1000 in all"));
    assert!(of(&jpeg("colour.jpg", 40, 40)).contains("expected no more than 1000 in all"));
    assert!(Picture::memory(b"P5 1000 1 255 ", name, 1000).is_ok());
}
