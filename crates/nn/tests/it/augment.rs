//! Examples that are changed while they are trained on.

use std::sync::Mutex;

use crate::common::{Threads, examples, go_on, noise, start, train};
use nn::{Augment, Draw, Examples, Fit, Inputs, Labels, Sequential};

/// Adds an offset to each feature that differs for each seed, epoch and sample.
struct Offset;

impl Offset {
    fn of(draw: Draw) -> f32 {
        draw.seed as f32 + 0.25 * draw.epoch as f32 + 0.01 * draw.sample as f32
    }
}

impl Augment for Offset {
    fn augment(&self, draw: Draw, features: &mut [f32]) {
        features.iter_mut().for_each(|feature| *feature += Self::of(draw));
    }
}

/// Records each call and changes nothing.
#[derive(Default)]
struct Log(Mutex<Vec<Draw>>);

impl Augment for Log {
    fn augment(&self, draw: Draw, _: &mut [f32]) {
        self.0.lock().unwrap().push(draw);
    }
}

#[test]
fn training_uses_the_augmented_samples() {
    let (x, y) = noise();
    let (network, fit) = start();
    let fit = Fit { epochs: 1, ..fit };
    let found = train(network.clone(), &fit, &examples(&network, &x, &y).augmented(&Offset));

    // Change the samples before training.
    let mut changed = x.clone();
    for (sample, features) in changed.chunks_exact_mut(7).enumerate() {
        let draw = Draw { seed: fit.seed, epoch: 0, sample: sample as u64 };
        features.iter_mut().for_each(|feature| *feature += Offset::of(draw));
    }
    let expected = train(network.clone(), &fit, &examples(&network, &changed, &y));
    assert!(found.to_bytes() == expected.to_bytes());

    let step = |x, augment: Option<&'static Offset>, step| {
        let examples = examples(&network, x, &y);
        let examples = augment.map_or(examples, |augment| examples.augmented(augment));
        fit.gradient(&network, &examples, step, &Sequential).unwrap()
    };
    assert_eq!(step(&x, Some(&Offset), 0), step(&changed, None, 0));
    assert_ne!(step(&x, Some(&Offset), 1), step(&x, Some(&Offset), 0));
}

#[test]
fn augmentation_gets_pixels_that_are_already_scaled() {
    struct Check;
    impl Augment for Check {
        fn augment(&self, draw: Draw, features: &mut [f32]) {
            assert_eq!(features, [draw.sample as f32 * (1.0 / 255.0); 7]);
        }
    }
    let (network, fit) = start();
    let pixels: Vec<u8> = (0..50).flat_map(|sample| [sample; 7]).collect();
    let inputs = Inputs::pixels(&pixels, 7).unwrap();
    let (_, y) = noise();
    train(network, &fit, &Examples::new(inputs, &y[..]).unwrap().augmented(&Check));
}

#[test]
fn each_epoch_augments_each_sample_once_by_its_index_in_the_whole_set() {
    let (x, y) = noise();
    let (mut network, fit) = start();
    let subset: Vec<u32> = (0..50).filter(|sample| sample % 3 == 1).collect();
    let log = Log::default();
    let whole = examples(&network, &x, &y);
    let train = whole.augmented(&log).subset(&subset).unwrap();
    // The validation set has an augmentation too, which must never be called.
    let unused = Log::default();
    let validation = whole.augmented(&unused);
    fit.run(&mut network, &train, Some(&validation), &Sequential, go_on).unwrap();
    network.evaluate(&validation, &Sequential).unwrap();

    let draws = log.0.into_inner().unwrap();
    assert_eq!(draws.len(), 3 * subset.len());
    for epoch in 0..3 {
        let of_epoch = draws.iter().filter(|draw| draw.epoch == epoch);
        let mut samples: Vec<_> = of_epoch.map(|draw| draw.sample as u32).collect();
        samples.sort_unstable();
        assert_eq!(samples, subset);
    }
    assert!(draws.iter().all(|draw| draw.seed == fit.seed));
    assert!(unused.0.into_inner().unwrap().is_empty());
}

#[test]
fn evaluation_ignores_the_augmentation() {
    let (x, y) = noise();
    let (network, _) = start();
    let plain = examples(&network, &x, &y);
    let [found, expected] = [plain.augmented(&Offset), plain]
        .map(|examples| network.evaluate(&examples, &Sequential).unwrap().loss);
    assert_eq!(found.to_bits(), expected.to_bits());
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let (x, y) = noise();
    let (network, fit) = start();
    let models = [1, 2, 3, 7].map(|threads| {
        let mut network = network.clone();
        let examples = examples(&network, &x, &y).augmented(&Offset);
        fit.run(&mut network, &examples, None, &Threads(threads), go_on).unwrap();
        network.to_bytes()
    });
    assert!(models.iter().all(|model| *model == models[0]));
    assert!(models[0] != train(network.clone(), &fit, &examples(&network, &x, &y)).to_bytes());
}

#[test]
fn an_augmentation_that_writes_nan_ends_the_training_with_an_error() {
    struct Spoil;
    impl Augment for Spoil {
        fn augment(&self, _: Draw, features: &mut [f32]) {
            features[0] = f32::NAN;
        }
    }
    let (x, y) = noise();
    let (mut network, fit) = start();
    let before = network.to_bytes();
    let inputs = Inputs::new(&x, 7).unwrap();
    let examples = Examples::new(inputs, Labels::from(&y[..])).unwrap().augmented(&Spoil);
    let error = fit.run(&mut network, &examples, None, &Sequential, go_on).unwrap_err();
    assert!(matches!(error, nn::Error::Diverged { step: 1, .. }), "{error}");
    assert!(network.to_bytes() == before);
}
