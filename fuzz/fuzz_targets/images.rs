//! Images of any size and any values under any distortion: the same bits on every
//! instruction set with fused multiply-adds, and no brighter or darker pixels than before.

#![no_main]

use arbitrary::Arbitrary;
use kernels::Isa;
use libfuzzer_sys::fuzz_target;
use mnist_io::{Distortion, Elastic, Key, Paper, Warp, deskew_images};

/// The most pixels of an image that is warped.
const MOST: usize = 1 << 14;

#[derive(Arbitrary, Debug)]
struct Input {
    rows: u16,
    cols: u16,
    settings: Settings,
    deskew: bool,
    paper: (u8, bool),
    key: (u64, u64, u64),
    pixels: Pixels,
}

#[derive(Arbitrary, Debug)]
enum Settings {
    /// All in their ranges, as shares of these.
    Valid { shift: u8, whole_pixels: bool, turn: [u8; 3], elastic: [u8; 2] },
    Any { shift: f32, turn: [f32; 3], elastic: [f32; 2] },
}

#[derive(Arbitrary, Debug)]
enum Pixels {
    /// Repeated to the size of the image.
    Bytes(Vec<u8>),
    Floats(Vec<f32>),
}

impl Settings {
    fn distortion(&self) -> Distortion {
        match *self {
            Self::Valid { shift, whole_pixels, turn, elastic } => {
                let [rotate, scale, shear] = turn.map(|byte| f32::from(byte) / 255.0);
                let [displacement, sigma] = elastic.map(f32::from);
                Distortion {
                    shift: f32::from(shift) * 4.0 / 3.0,
                    whole_pixels,
                    rotate: 180.0 * rotate,
                    scale: 0.99 * scale,
                    shear,
                    elastic: Elastic { displacement, sigma: 0.1 + sigma / 8.0 },
                }
            }
            Self::Any { shift, turn: [rotate, scale, shear], elastic } => {
                let [displacement, sigma] = elastic;
                let elastic = Elastic { displacement, sigma };
                Distortion { shift, whole_pixels: false, rotate, scale, shear, elastic }
            }
        }
    }
}

/// Bits that can be compared: which NaN it is depends on the instruction.
fn bits(image: &[f32]) -> Vec<u32> {
    image.iter().map(|x| if x.is_nan() { f32::NAN } else { *x }.to_bits()).collect()
}

fuzz_target!(|input: Input| {
    let Input { rows, cols, settings, deskew, paper, key, pixels } = input;
    let (rows, cols) = (usize::from(rows), usize::from(cols));
    let distortion = settings.distortion();
    if rows * cols > MOST {
        // Only the settings are checked.
        let _: bool = Warp::new(distortion, rows, cols).is_ok();
        return;
    }
    let in_range = (1..=Warp::MAX_SIDE).contains(&rows) && (1..=Warp::MAX_SIDE).contains(&cols);
    let warp = match Warp::new(distortion, rows, cols) {
        Ok(warp) => warp,
        Err(error) => {
            assert!(!in_range || distortion.validate().is_err(), "{error}");
            return;
        }
    };
    assert!(in_range && distortion.validate().is_ok());
    let warp = if deskew { warp.deskewed() } else { warp };
    let (level, dark_ink) = paper;
    let paper = Paper { level: level.into(), dark_ink };
    let warp = warp.on(paper.scaled(1.0 / 255.0));
    let key = Key { seed: key.0, epoch: key.1, sample: key.2 };

    let repeated = |at: usize, len: usize| at % len.max(1);
    let image: Vec<f32> = (0..rows * cols)
        .map(|at| match &pixels {
            Pixels::Bytes(bytes) => bytes.get(repeated(at, bytes.len())).map_or(0.0, |x| {
                f32::from(*x) / 255.0
            }),
            Pixels::Floats(floats) => floats.get(repeated(at, floats.len())).map_or(0.0, |x| *x),
        })
        .collect();
    let warped = |isa: Isa| {
        let mut image = image.clone();
        warp.apply(isa, key, &mut image);
        image
    };
    let isas = Isa::available();
    let results: Vec<_> = isas.iter().map(|isa| warped(*isa)).collect();
    if distortion.is_identity() && !deskew {
        results.iter().for_each(|result| assert_eq!(bits(result), bits(&image)));
    }
    if matches!(pixels, Pixels::Bytes(_)) {
        for (isa, result) in isas.iter().zip(&results) {
            let outside = result.iter().find(|x| !(-1e-5..=1.0 + 1e-5).contains(*x));
            assert_eq!(outside, None, "{isa}");
        }
    }
    let fused: Vec<_> = isas.iter().zip(&results).filter(|(isa, _)| isa.fuses()).collect();
    for pair in fused.windows(2) {
        assert!(bits(pair[0].1) == bits(pair[1].1), "{} and {} differ", pair[0].0, pair[1].0);
    }

    if let Pixels::Bytes(bytes) = &pixels {
        let pixels: Vec<u8> = (0..rows * cols)
            .map(|at| bytes.get(repeated(at, bytes.len())).copied().unwrap_or(0))
            .collect();
        let deskewed = |isa| deskew_images(isa, rows, cols, paper, &pixels, [0, 0]).unwrap();
        let results: Vec<_> = isas.iter().filter(|isa| isa.fuses()).map(|isa| deskewed(*isa)).collect();
        for result in &results {
            assert_eq!(result.len(), 2 * rows * cols);
            assert!(result == &results[0] && result[..rows * cols] == result[rows * cols..]);
        }
        // What comes in from outside is paper.
        let (low, high) = pixels.iter().fold((level, level), |(low, high), pixel| {
            (low.min(*pixel), high.max(*pixel))
        });
        for result in &results {
            assert!(result.iter().all(|pixel| (low..=high).contains(pixel)), "no such pixel");
        }
    }
});
