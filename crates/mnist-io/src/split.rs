//! Holding a part of the samples out for validation.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};

use crate::error::SplitError;

/// Indices of a stratified split; both sorted ascending, disjoint, together all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// The samples to train with.
    pub train: Vec<u32>,
    /// The samples held out.
    pub validation: Vec<u32>,
}

/// Holds out `fraction` of the samples of each class, drawn by `seed`.
///
/// Of a class of `n` samples, `fraction * n` are held out, computed in `f64` and
/// rounded to the nearest integer, halves up, but
///
/// - of a class of two or more, at least one is held out and at least one is not;
/// - a class of one sample stays in training.
///
/// So at least one sample is trained with and at least one held out.
///
/// # Reproducibility
///
/// The result is a function of `labels`, `fraction` and `seed` alone, on every
/// platform, and meant to stay the same in later versions. A generator,
/// [`Xoshiro256PlusPlus`] with its state filled from `seed` by SplitMix64, serves
/// all classes in ascending order. The indices of a class, ascending, are
/// shuffled from the front by Fisher and Yates until as many are in place as are
/// held out: the one at `i` is exchanged with that at `i` plus a number below
/// `n - i`. Such a number is drawn as Lemire has it (["Fast random integer
/// generation in an interval"](https://arxiv.org/abs/1805.10941), 2019), from the
/// upper halves of the generator's 64-bit numbers. Both algorithms are published
/// and `rand` promises to keep those it gives by name; it does not promise as
/// much of its own shuffle, so that is written out here.
///
/// # Errors
///
/// If `fraction` is not above 0 and below 1, if no class has two samples, or if
/// there are more labels than a `u32` can count.
pub fn stratified_split(labels: &[u8], fraction: f64, seed: u64) -> Result<Split, SplitError> {
    // Not `<= || >=`: NaN is to fail too.
    if !(fraction > 0.0 && fraction < 1.0) {
        return Err(SplitError::Fraction { found: fraction });
    }
    let count = checked_count(labels.len())?;

    let mut classes = vec![Vec::new(); 256];
    for (index, &label) in (0..count).zip(labels) {
        classes[usize::from(label)].push(index);
    }

    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut held_out = vec![false; labels.len()];
    for indices in &mut classes {
        let count = share(fraction, indices.len());
        for &index in draw(indices, count, &mut rng) {
            held_out[index as usize] = true;
        }
    }

    let (validation, train): (Vec<u32>, Vec<u32>) =
        (0..count).partition(|&index| held_out[index as usize]);
    if validation.is_empty() {
        return Err(SplitError::NothingToHoldOut { samples: labels.len() });
    }
    Ok(Split { train, validation })
}

fn checked_count(samples: usize) -> Result<u32, SplitError> {
    u32::try_from(samples).map_err(|_| SplitError::TooMany { samples })
}

/// How many of `count` samples of a class are held out.
fn share(fraction: f64, count: usize) -> usize {
    if count < 2 {
        return 0;
    }
    // A u32 is exact in f64, and so is rounding: no platform differs here.
    ((fraction * count as f64).round() as usize).clamp(1, count - 1)
}

/// Moves `count` of `indices`, drawn at random, to the front and returns them.
fn draw<'a>(indices: &'a mut [u32], count: usize, rng: &mut impl Rng) -> &'a [u32] {
    for i in 0..count {
        // `stratified_split` made sure that there are no more than u32::MAX.
        let left = (indices.len() - i) as u32;
        indices.swap(i, i + below(left, rng) as usize);
    }
    &indices[..count]
}

/// A number in `0..bound`, each as likely as the other. `bound` is not zero.
fn below(bound: u32, rng: &mut impl Rng) -> u32 {
    loop {
        let product = u64::from(rng.next_u32()) * u64::from(bound);
        // The upper half says into which of `bound` bins the number falls, the
        // lower half how deep. The bins get equally many numbers once those are
        // drawn again that lie less deep than 2^32 mod bound. The remainder is
        // below `bound`, so most numbers are kept without computing it.
        let depth = product as u32;
        if depth >= bound || depth >= bound.wrapping_neg() % bound {
            return (product >> 32) as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> Vec<u8> {
        (0..100).map(|i: u32| ((i * i + i / 7) % 10) as u8).collect()
    }

    /// The expected indices come from the description above, written down a
    /// second time in another language. They are not to change.
    #[test]
    fn known_indices() {
        let split = stratified_split(&labels(), 0.1, 1).unwrap();
        assert_eq!(split.validation, [11, 15, 16, 19, 41, 56, 70, 71, 81, 96, 99]);
        let split = stratified_split(&labels(), 0.3, 0xdead_beef_cafe_f00d).unwrap();
        assert_eq!(
            split.validation,
            [
                1, 3, 7, 8, 16, 21, 23, 25, 34, 38, 39, 40, 41, 46, 50, 54, 55, 56, 58, 60, 64, 66,
                67, 71, 73, 77, 79, 87, 88, 89, 92
            ]
        );
    }

    /// With a bound just above half of 2^32, nearly half of the numbers are
    /// drawn again; the first is.
    #[test]
    fn known_numbers_below_a_bound() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
        let numbers: Vec<u32> = (0..8).map(|_| below((1 << 31) + 1, &mut rng)).collect();
        assert_eq!(
            numbers,
            [
                369615982, 2069443065, 157375742, 245331189, 1575874435, 242849838, 1062220920,
                396056355
            ]
        );
    }

    #[test]
    fn numbers_stay_below_their_bound() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        for bound in [1, 2, 3, 7, 256, u32::MAX] {
            assert!((0..1000).all(|_| below(bound, &mut rng) < bound));
        }
    }

    #[test]
    fn the_seed_decides() {
        let split = |seed| stratified_split(&labels(), 0.3, seed).unwrap();
        assert_eq!(split(1), split(1));
        assert_ne!(split(1), split(2));
    }

    #[test]
    fn both_sides_are_sorted_disjoint_and_together_all() {
        let labels = labels();
        for fraction in [0.001, 0.1, 0.25, 0.5, 0.9, 0.999] {
            for seed in 0..20 {
                let Split { train, validation } =
                    stratified_split(&labels, fraction, seed).unwrap();
                assert!(train.is_sorted() && validation.is_sorted());
                let mut all = [train, validation].concat();
                all.sort_unstable();
                assert!(all.into_iter().eq(0..labels.len() as u32));
            }
        }
    }

    #[test]
    fn each_class_gives_its_share() {
        let labels = labels();
        for fraction in [0.001, 0.1, 0.25, 0.5, 0.9, 0.999] {
            let split = stratified_split(&labels, fraction, 3).unwrap();
            for class in 0..10 {
                let all = labels.iter().filter(|&&label| label == class).count();
                let held_out = split
                    .validation
                    .iter()
                    .filter(|&&index| labels[index as usize] == class)
                    .count();
                let rounded = (fraction * all as f64).round() as usize;
                assert_eq!(held_out, rounded.clamp(1, all - 1));
            }
        }
    }

    #[test]
    fn shares() {
        assert_eq!(share(0.1, 100), 10);
        assert_eq!(share(0.25, 10), 3, "halves go up");
        assert_eq!(share(0.1, 14), 1);
        assert_eq!(share(0.01, 2), 1, "one is held out");
        assert_eq!(share(0.99, 2), 1, "one is trained with");
        assert_eq!(share(0.99, 1), 0, "a single one is trained with");
        assert_eq!(share(0.5, 0), 0);
        assert_eq!(share(f64::MIN_POSITIVE, 60_000), 1);
        assert_eq!(share(1.0_f64.next_down(), 60_000), 59_999);
    }

    #[test]
    fn a_class_of_one_stays_in_training() {
        for seed in 0..10 {
            let split = stratified_split(&[5, 9, 5], 0.9, seed).unwrap();
            assert!(split.train.contains(&1));
            assert_eq!((split.train.len(), split.validation.len()), (2, 1));
        }
    }

    #[test]
    fn fraction() {
        for found in [0.0, -0.0, 1.0, -0.1, 1.5, f64::INFINITY, f64::NAN] {
            let error = stratified_split(&labels(), found, 1).unwrap_err();
            assert!(matches!(error, SplitError::Fraction { .. }));
        }
        assert_eq!(
            stratified_split(&[], 1.0, 1).unwrap_err().to_string(),
            "found a validation fraction of 1, expected one above 0 and below 1; \
             pass 0.1 to hold out a tenth"
        );
    }

    #[test]
    fn nothing_to_hold_out() {
        for labels in [&[][..], &[3], &[2, 0, 1]] {
            let samples = labels.len();
            assert_eq!(
                stratified_split(labels, 0.5, 1),
                Err(SplitError::NothingToHoldOut { samples })
            );
        }
        assert_eq!(
            stratified_split(&[4, 2], 0.5, 1).unwrap_err().to_string(),
            "found 2 labels with no two alike, expected a class of at least two samples: \
             one to train with and one to hold out"
        );
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn too_many() {
        let most = u32::MAX as usize;
        assert_eq!(checked_count(most), Ok(u32::MAX));
        let error = checked_count(most + 1).unwrap_err();
        assert_eq!(error, SplitError::TooMany { samples: most + 1 });
        assert_eq!(
            error.to_string(),
            "found 4294967296 labels, expected at most 4294967295, \
             which is as many as an IDX file holds"
        );
    }
}
