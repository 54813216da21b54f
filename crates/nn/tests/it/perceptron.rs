//! Rosenblatt's rule, step by step, and what Novikoff proved about it.

use crate::common::{labels, uniform};
use nn::{Error, Examples, Executor, Inputs, OneVsAll, Perceptron, Sequential};
use proptest::prelude::*;

/// Points of the plane at a distance of at least `margin` from a line through the origin,
/// and the side of the line on which each is.
fn separable(seed: u64, margin: f32) -> (Vec<f32>, Vec<u8>) {
    let normal = [0.6, 0.8];
    let points = uniform(seed, 400);
    let side = |p: &[f32]| p[0] * normal[0] + p[1] * normal[1];
    let points: Vec<&[f32]> = points.chunks(2).filter(|p| side(p).abs() > margin).collect();
    (points.concat(), points.iter().map(|p| u8::from(side(p) > 0.0)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    /// Novikoff's theorem. With a 1 appended for the bias, the norm of a sample is at
    /// most √3, and the line that separates the samples, with a bias of 0, still does.
    #[test]
    fn mistakes_are_fewer_than_novikoffs_bound((seed, margin) in (any::<u64>(), 0.05f32..0.5)) {
        let (x, y) = separable(seed, margin);
        let examples = Examples::new(Inputs::new(&x, 2).unwrap(), &y).unwrap();
        let mut neuron = Perceptron::new(2).unwrap();
        let mistakes = neuron.fit(&examples, 1, 10_000, seed).unwrap();
        prop_assert_eq!(*mistakes.last().unwrap(), 0);
        prop_assert!((mistakes.iter().sum::<usize>() as f32) < 3.0 / (margin * margin));
        // A further fit makes no mistake.
        let before = neuron.clone();
        prop_assert_eq!(neuron.fit(&examples, 1, 3, seed).unwrap(), [0]);
        prop_assert_eq!(&neuron, &before);
        let right = neuron.predict(&examples.inputs()).unwrap();
        prop_assert!(right.into_iter().map(u8::from).eq(y));
    }
}

#[test]
fn a_mistake_adds_or_subtracts_the_sample() {
    // One sample, so the order is known. It has more features than one partial sum
    // takes, and no multiple of that.
    let x: Vec<f32> = (1..=19u8).map(f32::from).collect();
    let inputs = Inputs::new(&x, 19).unwrap();
    for (label, y) in [(1u8, 1.0), (0, -1.0)] {
        let mut neuron = Perceptron::new(19).unwrap();
        let mistakes = neuron.fit(&Examples::new(inputs, &[label]).unwrap(), 1, 5, 0).unwrap();
        // A score of 0 is a mistake for either label; after it there is none.
        assert_eq!(mistakes, [1, 0]);
        assert_eq!(neuron.weights(), x.iter().map(|x| y * x).collect::<Vec<_>>());
        assert_eq!(neuron.bias(), y);
        // 1² + … + 19², and 1 for the bias.
        assert_eq!(neuron.scores(&inputs).unwrap(), [y * 2471.0]);
        assert_eq!(neuron.predict(&inputs).unwrap(), [label == 1]);
    }
}

#[test]
fn pixels_are_divided_by_255() {
    let pixels = Inputs::pixels(&[255, 51], 2).unwrap();
    let mut neuron = Perceptron::new(2).unwrap();
    neuron.fit(&Examples::new(pixels, &[3u8]).unwrap(), 3, 1, 0).unwrap();
    assert_eq!(neuron.weights(), [1.0, 51.0 * (1.0f32 / 255.0)]);
}

#[test]
fn samples_that_no_line_separates_are_never_learnt() {
    let x = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
    let examples = Examples::new(Inputs::new(&x, 2).unwrap(), &[0u8, 1, 1, 0]).unwrap();
    let mistakes = Perceptron::new(2).unwrap().fit(&examples, 1, 200, 1).unwrap();
    assert_eq!(mistakes.len(), 200);
    assert!(mistakes.iter().all(|&mistakes| mistakes > 0));
}

#[test]
fn each_pass_and_each_seed_has_its_own_order() {
    let (x, y) = (uniform(1, 200), labels(2, 100, 2));
    let examples = Examples::new(Inputs::new(&x, 2).unwrap(), &y).unwrap();
    let learnt = |passes: &[usize], seed| {
        let mut neuron = Perceptron::new(2).unwrap();
        for &epochs in passes {
            neuron.fit(&examples, 1, epochs, seed).unwrap();
        }
        neuron
    };
    assert_eq!(learnt(&[2], 1), learnt(&[2], 1));
    assert_ne!(learnt(&[2], 1), learnt(&[2], 2));
    // The first pass twice is not the same as the first and the second.
    assert_ne!(learnt(&[1, 1], 1), learnt(&[2], 1));
}

/// Claims three threads, and runs the second task before the first.
struct Backwards;

impl Executor for Backwards {
    fn threads(&self) -> usize {
        3
    }

    fn join(&self, a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
        b();
        a();
    }
}

#[test]
fn one_vs_all_learns_several_classes() {
    // Three corners of a square.
    let y: Vec<u32> = (0..90).map(|i| i % 3).collect();
    let mut x = uniform(3, 180);
    for (point, &label) in x.chunks_mut(2).zip(&y) {
        point[0] += [4.0, -4.0, -4.0][label as usize];
        point[1] += [4.0, 4.0, -4.0][label as usize];
    }
    let examples = Examples::new(Inputs::new(&x, 2).unwrap(), &y).unwrap();
    let all = OneVsAll::fit(&examples, 3, 100, 5, &Sequential).unwrap();
    assert_eq!(all.predict(&examples.inputs()).unwrap(), y);
    for (class, neuron) in all.perceptrons().iter().enumerate() {
        let mut alone = Perceptron::new(2).unwrap();
        alone.fit(&examples, class, 100, 5).unwrap();
        assert_eq!(*neuron, alone);
    }
    assert_eq!(OneVsAll::fit(&examples, 3, 100, 5, &Backwards).unwrap(), all);
}

#[test]
fn invalid_input_is_an_error_and_changes_nothing() {
    let x = [1.0, 2.0, 3.0, 4.0];
    let examples = Examples::new(Inputs::new(&x, 2).unwrap(), &[0u8, 1]).unwrap();
    assert!(matches!(Perceptron::new(0).unwrap_err(), Error::Zero { .. }));
    let mut neuron = Perceptron::new(2).unwrap();
    assert_eq!(neuron.predict(&examples.inputs()).unwrap(), [false; 2], "a score of 0 is no");
    neuron.fit(&examples, 1, 10, 1).unwrap();
    let before = neuron.clone();
    assert!(matches!(neuron.fit(&examples, 1, 0, 1).unwrap_err(), Error::Zero { .. }));
    let wide = Inputs::new(&x, 4).unwrap();
    let wrong = Examples::new(wide, &[1u8]).unwrap();
    assert!(matches!(neuron.fit(&wrong, 1, 1, 1).unwrap_err(), Error::Width { .. }));
    assert!(matches!(neuron.scores(&wide).unwrap_err(), Error::Width { .. }));
    let none = examples.subset(&[]).unwrap();
    assert!(matches!(neuron.fit(&none, 1, 1, 1).unwrap_err(), Error::Empty));
    let nan = Examples::new(Inputs::new(&[f32::NAN, 0.0], 2).unwrap(), &[1u8]).unwrap();
    assert!(matches!(neuron.fit(&nan, 1, 1, 1).unwrap_err(), Error::NotFinite { .. }));
    // Whichever sample comes first, the score of the other is ∞ − ∞.
    let large = [f32::MAX, -f32::MAX, f32::MAX, f32::MAX];
    let inputs = Inputs::new(&large, 2).unwrap();
    let large = Examples::new(inputs, &[1u8, 1]).unwrap();
    let mut fresh = Perceptron::new(2).unwrap();
    let error = fresh.fit(&large, 1, 9, 1).unwrap_err();
    assert!(matches!(error, Error::Overflow { unit: 0, .. }), "{error}");
    assert_eq!(fresh, Perceptron::new(2).unwrap());
    // Learnt from one of them, it has no answer for the other.
    fresh.fit(&large.subset(&[0]).unwrap(), 1, 1, 1).unwrap();
    assert!(matches!(fresh.scores(&inputs).unwrap_err(), Error::Overflow { sample: 0, .. }));
    assert!(matches!(fresh.predict(&inputs).unwrap_err(), Error::Overflow { sample: 0, .. }));
    // Opposite ones make one mistake after the other, until a weight overflows.
    let opposite = [f32::MAX, f32::MIN_POSITIVE];
    let opposite = Examples::new(Inputs::new(&opposite, 1).unwrap(), &[1u8, 0]).unwrap();
    let learnt = Perceptron::new(1).unwrap().fit(&opposite, 1, 9, 1);
    assert!(learnt.is_ok() || matches!(learnt, Err(Error::Overflow { .. })));
    assert_eq!(neuron, before);

    let fit = |classes| OneVsAll::fit(&examples, classes, 3, 1, &Sequential).unwrap_err();
    assert!(matches!(fit(0), Error::Zero { .. }));
    assert!(matches!(fit(1), Error::Label { sample: 1, label: 1, classes: 1 }));
    let error = OneVsAll::fit(&examples, 2, 0, 1, &Sequential).unwrap_err();
    assert!(matches!(error, Error::Zero { .. }));
}
