//! Every sample is trained on or held out, and the fractions are the given ones.

use nn::{Error, Split};
use proptest::collection::vec;
use proptest::prelude::*;

/// Checks that both sides are sorted and not empty, and that each sample is in exactly one.
fn check(split: &Split, samples: usize) -> Result<(), TestCaseError> {
    let Split { train, validation } = split;
    prop_assert!(train.is_sorted() && validation.is_sorted());
    prop_assert!(!train.is_empty() && !validation.is_empty());
    let mut all = [&train[..], validation].concat();
    all.sort_unstable();
    prop_assert!(all.into_iter().eq(0..samples as u32));
    Ok(())
}

/// The number of indices whose label is `class`.
fn count(indices: &[u32], labels: &[u32], class: u32) -> usize {
    indices.iter().filter(|&&index| labels[index as usize] == class).count()
}

/// The number of samples that are held out of `n`: rounded, but at least one is held out
/// and at least one is not.
fn share(fraction: f64, n: usize) -> usize {
    if n < 2 { 0 } else { ((fraction * n as f64).round() as usize).clamp(1, n - 1) }
}

/// Checks that the folds hold out every sample once, and nearly equal numbers of samples.
fn check_folds(folds: &[Split], samples: usize) -> Result<(), TestCaseError> {
    let mut held_out: Vec<u32> = Vec::new();
    for fold in folds {
        check(fold, samples)?;
        held_out.extend(&fold.validation);
        prop_assert!(fold.validation.len().abs_diff(samples / folds.len()) <= 1);
    }
    let sizes = folds.iter().map(|fold| fold.validation.len());
    prop_assert!(sizes.clone().max().unwrap() - sizes.min().unwrap() <= 1);
    held_out.sort_unstable();
    prop_assert!(held_out.into_iter().eq(0..samples as u32));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn a_random_split_holds_out_the_given_fraction(
        (samples, fraction, seed) in (2..300usize, 0.001..0.999, any::<u64>()),
    ) {
        let split = Split::random(samples, fraction, seed).unwrap();
        check(&split, samples)?;
        prop_assert_eq!(split.validation.len(), share(fraction, samples));
        prop_assert_eq!(&split, &Split::random(samples, fraction, seed).unwrap());
    }

    #[test]
    fn a_stratified_split_holds_out_the_given_fraction_of_each_class(
        (mut labels, fraction, seed) in (vec(0..7u32, 2..300), 0.001..0.999, any::<u64>()),
    ) {
        // Two samples of one class, so that one can be held out. Labels need not be
        // consecutive.
        labels.extend([1_000_000; 2]);
        let split = Split::stratified(&labels, fraction, seed).unwrap();
        check(&split, labels.len())?;
        let all: Vec<u32> = (0..labels.len() as u32).collect();
        for class in (0..7).chain([1_000_000]) {
            let expected = share(fraction, count(&all, &labels, class));
            prop_assert_eq!(count(&split.validation, &labels, class), expected);
        }
    }

    #[test]
    fn folds_hold_out_every_sample_once(
        (samples, k, seed) in (2..200usize, 2..20usize, any::<u64>()),
    ) {
        let k = k.min(samples);
        let folds = Split::k_fold(samples, k, seed).unwrap();
        prop_assert_eq!(folds.len(), k);
        check_folds(&folds, samples)?;
    }

    #[test]
    fn stratified_folds_divide_each_class_evenly_too(
        (labels, k, seed) in (vec(0..5u32, 2..200), 2..20usize, any::<u64>()),
    ) {
        let k = k.min(labels.len());
        let folds = Split::stratified_k_fold(&labels, k, seed).unwrap();
        prop_assert_eq!(folds.len(), k);
        check_folds(&folds, labels.len())?;
        for class in 0..5 {
            let counts = folds.iter().map(|fold| count(&fold.validation, &labels, class));
            prop_assert!(counts.clone().max().unwrap() - counts.min().unwrap() <= 1);
        }
    }
}

#[test]
fn the_seed_decides_which_samples_are_held_out() {
    let labels: Vec<u8> = (0..100).map(|i| i % 3).collect();
    for split in [
        |seed, _: &[u8]| vec![Split::random(100, 0.3, seed).unwrap()],
        |seed, labels: &[u8]| vec![Split::stratified(labels, 0.3, seed).unwrap()],
        |seed, _: &[u8]| Split::k_fold(100, 5, seed).unwrap(),
        |seed, labels: &[u8]| Split::stratified_k_fold(labels, 5, seed).unwrap(),
    ] {
        assert_eq!(split(1, &labels), split(1, &labels));
        assert_ne!(split(1, &labels), split(2, &labels));
    }
}

#[test]
fn a_class_of_one_sample_is_never_held_out() {
    for seed in 0..10 {
        let split = Split::stratified(&[5u8, 9, 5], 0.9, seed).unwrap();
        assert!(split.train.contains(&1));
        assert_eq!((split.train.len(), split.validation.len()), (2, 1));
    }
}

#[test]
fn a_split_that_is_impossible_is_an_error() {
    let labels = [0u8, 0, 1];
    for fraction in [0.0, -0.0, 1.0, -0.1, 1.5, f64::INFINITY, f64::NAN] {
        for error in [
            Split::random(3, fraction, 1).unwrap_err(),
            Split::stratified(&labels, fraction, 1).unwrap_err(),
        ] {
            assert!(matches!(error, Error::OutOfRange { name: "validation fraction", .. }));
        }
    }
    for samples in 0..2 {
        let error = Split::random(samples, 0.5, 1).unwrap_err();
        assert!(matches!(error, Error::NothingToHoldOut { samples: n } if n == samples), "{error}");
    }
    for labels in [&[][..], &[3u8], &[2, 0, 1]] {
        let error = Split::stratified(labels, 0.5, 1).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "nothing can be held out of {} samples: expected two at least, \
                 and two of one class where each class gives its share",
                labels.len()
            )
        );
    }
    for k in [0, 1, 4, usize::MAX] {
        for error in [Split::k_fold(3, k, 1), Split::stratified_k_fold(&labels, k, 1)]
            .map(Result::unwrap_err)
        {
            let expected = "at least 2 and at most the number of samples";
            assert!(error.to_string().ends_with(expected), "{error}");
        }
    }
}

/// The samples that `trainer --validation 0.1 --seed 42` holds out of MNIST. The expected
/// indices come from a second implementation of the documented split, in another
/// language.
#[test]
fn a_tenth_of_mnist_is_held_out_as_documented() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/train-labels-idx1-ubyte");
    let file = std::fs::read(path).unwrap();
    // After the header, each label is a byte.
    let split = Split::stratified(&file[8..], 0.1, 42).unwrap();
    assert_eq!((split.train.len(), split.validation.len()), (54_000, 6_000));
    assert_eq!(split.validation[..8], [0, 21, 45, 72, 84, 85, 90, 101]);
    assert_eq!(split.validation[5_996..], [59_963, 59_968, 59_987, 59_995]);
    let sum: u64 = split.validation.iter().map(|&index| u64::from(index)).sum();
    assert_eq!(sum, 179_624_225);
}
