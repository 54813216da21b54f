//! Augmentation of images of 28 × 28 pixels, on one thread and each instruction set: the
//! time that it adds to a training step for each sample.
//!
//! ```text
//! cargo bench -p mnist-io
//! ```

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use kernels::{AlignedBuf, Isa};
use mnist_io::{Distortion, Elastic, Key, Warp};

const SIDE: usize = 28;

fn warps(c: &mut Criterion) {
    let shift = Distortion { shift: 2.0, ..Distortion::default() };
    let affine = Distortion { shift: 1.5, rotate: 12.0, scale: 0.12, shear: 0.15, ..shift };
    let bend = Elastic { displacement: 20.0, sigma: 4.0 };
    let dense = Elastic { displacement: 2.0, sigma: 1.0 };
    let distortions = [
        ("shift by whole pixels", Distortion { whole_pixels: true, ..shift }, false),
        ("shift", shift, false),
        ("affine", affine, false),
        ("affine and elastic", Distortion { elastic: bend, ..affine }, false),
        ("affine and elastic, deskewed", Distortion { elastic: bend, ..affine }, true),
        ("affine and elastic, sigma 1", Distortion { elastic: dense, ..affine }, false),
    ];
    // Ink in the middle, with a soft edge.
    let ink = |pixel: usize| {
        let [row, col] = [pixel / SIDE, pixel % SIDE].map(|index| index as f32 - 13.5);
        (1.5 - (row * row + col * col).sqrt() / 8.0).clamp(0.0, 1.0)
    };
    let original: Vec<f32> = (0..SIDE * SIDE).map(ink).collect();
    let mut image = AlignedBuf::zeros(SIDE * SIDE);
    let mut group = c.benchmark_group("augmented image");
    for (name, distortion, deskew) in distortions {
        let warp = Warp::new(distortion, SIDE, SIDE).unwrap_or_else(|error| panic!("{error}"));
        let warp = if deskew { warp.deskewed() } else { warp };
        for isa in Isa::available() {
            let mut sample = 0;
            group.bench_function(format!("{name}, {isa}"), |bencher| {
                bencher.iter(|| {
                    sample += 1;
                    image.copy_from_slice(&original);
                    warp.apply(isa, Key { seed: 1, epoch: 0, sample }, &mut image);
                    black_box(image.as_ptr());
                });
            });
        }
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = warps
}
criterion_main!(benches);
