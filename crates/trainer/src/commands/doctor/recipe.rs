//! How long the default recipe takes on this machine.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use kernels::Isa;
use mnist_io::{Classes, Features, ImageSize, Paper, Samples, Targets};
use nn::{Callback, EpochReport, Fit, Mlp, Run, StepReport};

use super::check::Check;
use crate::augment::Augmentation;
use crate::config::Config;
use crate::data::{self, PIXEL_SCALE};
use crate::error::Error;
use crate::pool::Pool;
use crate::recipe;
use crate::settings::Edits;

/// The training set of MNIST.
const SAMPLES: usize = 60_000;
const SIDE: usize = 28;
const CLASSES: usize = 10;

/// Images that are made up for the measurement: more than the caches hold.
const MADE_UP: usize = 8_000;

/// Steps that warm the caches up, and the time and the fewest steps that are measured.
const WARM_UP: u64 = 5;
const TIME: Duration = Duration::from_millis(600);
const FEWEST: u64 = 3;

/// About how many seconds the recipe trains on MNIST, from steps on images like its.
pub(super) fn seconds(isa: Isa, pool: &Pool) -> Result<f64, Error> {
    let (config, _) = Config::new(&recipe::find(recipe::DEFAULT.as_ref())?, &Edits::default())?;
    let fit = &config.training;
    let steps = SAMPLES.div_ceil(fit.batch_size) * fit.epochs;
    let shape = config.architecture(SIDE * SIDE, CLASSES);
    let network = Mlp::new(shape, config.network.init, config.training.seed)?;
    let images = images();
    let facts = (&images, Paper::BLACK, PIXEL_SCALE);
    let augmentation = Augmentation::new(config.augment, config.data.deskew, facts, isa)?;
    let mut examples = data::examples(&images)?;
    if let Some(augmentation) = &augmentation {
        examples = examples.augmented(augmentation);
    }
    // Enough epochs for the time, since there are fewer images.
    let fit = Fit { epochs: 1_000, early_stopping: None, ..fit.clone() };
    let mut run = Run::new(network, &fit, examples, None)?;
    let mut timer = Timer { begin: None, steps: 0, seconds: 0.0 };
    pool.install(|| run.train(pool, Timed(&mut timer)).map(|_| ()))?;
    Ok(timer.seconds / timer.steps.max(1) as f64 * steps as f64)
}

pub(super) fn check(seconds: f64) -> Check {
    let time = match seconds {
        ..9.5 => format!("{seconds:.1} seconds"),
        ..100.0 => format!("{seconds:.0} seconds"),
        _ => format!("{:.0} minutes", seconds / 60.0),
    };
    Check::ok("default recipe", format!("about {time} on MNIST's {SAMPLES} images"))
}

struct Timer {
    /// The end of the warm-up.
    begin: Option<Instant>,
    /// Steps since then, and their time.
    steps: u64,
    seconds: f64,
}

struct Timed<'a>(&'a mut Timer);

impl Callback for Timed<'_> {
    fn on_step(&mut self, report: &StepReport) -> ControlFlow<()> {
        let timer = &mut self.0;
        let Some(begin) = timer.begin else {
            timer.begin = (report.step >= WARM_UP).then(Instant::now);
            return ControlFlow::Continue(());
        };
        let passed = begin.elapsed();
        (timer.steps, timer.seconds) = (timer.steps + 1, passed.as_secs_f64());
        match passed >= TIME && timer.steps >= FEWEST {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    fn on_epoch(&mut self, _: &EpochReport) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Images with as much ink as MNIST's, a fifth of the pixels, and as far from the border: a
/// step leaves out what is 0. They are the same every time.
fn images() -> Samples {
    const BORDER: usize = 4;
    const BLOCK: usize = 4;
    let mut state = 1u32;
    let mut noise = || {
        // The generator of Numerical Recipes; its upper bits are random enough.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let blocks = (SIDE - 2 * BORDER) / BLOCK;
    let mut pixels = vec![0; MADE_UP * SIDE * SIDE];
    for image in pixels.chunks_exact_mut(SIDE * SIDE) {
        for block in 0..blocks * blocks {
            // Two fifths of the middle.
            if noise() >= 102 {
                continue;
            }
            let ink = 128 | noise();
            let (top, left) = (block / blocks * BLOCK + BORDER, block % blocks * BLOCK + BORDER);
            for row in image.chunks_exact_mut(SIDE).skip(top).take(BLOCK) {
                row[left..left + BLOCK].fill(ink);
            }
        }
    }
    let labels: Vec<u8> = (0..MADE_UP).map(|i| (i % CLASSES) as u8).collect();
    let targets = Targets::Classes(Classes::new(labels.into(), None));
    let samples = Samples::new(Features::Bytes(pixels.into()), SIDE * SIDE, targets);
    samples.with_image_size(ImageSize { rows: SIDE, cols: SIDE })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_have_as_much_ink_as_mnist() {
        let images = images();
        let Features::Bytes(pixels) = images.features() else { panic!() };
        let ink = pixels.iter().filter(|pixel| **pixel > 0).count() as f64 / pixels.len() as f64;
        assert!((0.18..0.22).contains(&ink), "{ink}");
        let border = (0..SIDE).map(|i| pixels[i] | pixels[SIDE * i]).max();
        assert_eq!((border, images.len()), (Some(0), MADE_UP));
    }

    #[test]
    fn times_in_words() {
        for (seconds, expected) in [(2.34, "2.3 seconds"), (47.2, "47 seconds"), (600.0, "10 min")]
        {
            let text = check(seconds).text;
            assert!(text.starts_with(&format!("about {expected}")), "{text}");
        }
    }
}
