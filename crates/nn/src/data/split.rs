//! Holding a part of the samples out for validation.

use std::collections::BTreeMap;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};

use crate::{Error, Labels};

/// Indices of the samples to train with and of those held out: both sorted
/// ascending, disjoint, together all.
///
/// [`Examples::subset`](crate::Examples::subset) takes them.
///
/// ```
/// use nn::{Examples, Inputs, Split};
/// let (x, y) = ([0.5; 40], [0u8, 1, 1, 1, 0, 1, 1, 1, 0, 1]);
/// let all = Examples::new(Inputs::new(&x, 4)?, &y)?;
/// let split = Split::stratified(&y, 0.3, 1)?;
/// let (train, validation) = (all.subset(&split.train)?, all.subset(&split.validation)?);
/// assert_eq!((train.len(), validation.len()), (7, 3));
/// # Ok::<(), nn::Error>(())
/// ```
///
/// # Reproducibility
///
/// A split is a function of its arguments alone, on every platform, and meant to
/// stay the same in later versions. A generator, Xoshiro256++ with its state
/// filled from `seed` by SplitMix64, serves all classes in ascending order, or all
/// samples at once where there are none. The indices of a class, ascending, are
/// shuffled from the front by Fisher and Yates until as many are in place as are
/// wanted: the one at `i` is exchanged with that at `i` plus a number below
/// `n - i`. Such a number is drawn as Lemire has it (["Fast random integer
/// generation in an interval"](https://arxiv.org/abs/1805.10941), 2019), from the
/// upper halves of the generator's 64-bit numbers. Both algorithms are published
/// and `rand` promises to keep those it gives by name; it does not promise as
/// much of its own shuffle, so that is written out here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// The samples to train with.
    pub train: Vec<u32>,
    /// The samples held out.
    pub validation: Vec<u32>,
}

impl Split {
    /// Holds out `fraction` of `samples` samples, drawn by `seed`: computed in
    /// `f64` and rounded to the nearest integer, halves up, but at least one and
    /// not all.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] where `fraction` is not above 0 and below 1,
    /// [`Error::NothingToHoldOut`] for fewer than two samples, [`Error::TooMany`]
    /// for more than a `u32` counts.
    pub fn random(samples: usize, fraction: f64, seed: u64) -> Result<Self, Error> {
        Self::hold_out(vec![(0..checked_count(samples)?).collect()], fraction, seed)
    }

    /// Holds out `fraction` of the samples of each class, drawn by `seed`.
    ///
    /// Of a class of `n` samples, `fraction * n` are held out, computed in `f64`
    /// and rounded to the nearest integer, halves up, but
    ///
    /// - of a class of two or more, at least one is held out and at least one is
    ///   not;
    /// - a class of one sample stays in training.
    ///
    /// So at least one sample is trained with and at least one held out.
    ///
    /// # Errors
    /// As for [`Split::random`]; [`Error::NothingToHoldOut`] where no class has
    /// two samples.
    pub fn stratified<'a>(
        labels: impl Into<Labels<'a>>,
        fraction: f64,
        seed: u64,
    ) -> Result<Self, Error> {
        Self::hold_out(by_class(&labels.into())?, fraction, seed)
    }

    /// `k` splits for cross-validation of `samples` samples, dealt out by `seed`:
    /// each sample is held out by exactly one of them, and what they hold out
    /// differs in size by at most one.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] where `k` is not 2 to `samples`, [`Error::TooMany`]
    /// for more samples than a `u32` counts.
    pub fn k_fold(samples: usize, k: usize, seed: u64) -> Result<Vec<Self>, Error> {
        Self::folds(vec![(0..checked_count(samples)?).collect()], k, seed)
    }

    /// As [`k_fold`](Self::k_fold), and of each class too, what the splits hold
    /// out differs by at most one sample. (Of a class of fewer than `k` samples,
    /// some hold out none.)
    ///
    /// # Errors
    /// As for [`Split::k_fold`].
    pub fn stratified_k_fold<'a>(
        labels: impl Into<Labels<'a>>,
        k: usize,
        seed: u64,
    ) -> Result<Vec<Self>, Error> {
        Self::folds(by_class(&labels.into())?, k, seed)
    }

    /// One split of some groups, each of which gives its share.
    fn hold_out(groups: Vec<Vec<u32>>, fraction: f64, seed: u64) -> Result<Self, Error> {
        // Not `<= || >=`: NaN is to fail too.
        if !(fraction > 0.0 && fraction < 1.0) {
            return Err(Error::OutOfRange {
                name: "validation fraction",
                found: fraction,
                expected: "a number above 0 and below 1, such as 0.1 to hold out a tenth",
            });
        }
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let samples = groups.iter().map(Vec::len).sum();
        let mut held_out = vec![false; samples];
        for mut indices in groups {
            let count = share(fraction, indices.len());
            for &index in draw(&mut indices, count, &mut rng) {
                held_out[index as usize] = true;
            }
        }
        let split = Self::by(samples, |index| held_out[index]);
        match split.validation.is_empty() {
            true => Err(Error::NothingToHoldOut { samples }),
            false => Ok(split),
        }
    }

    /// One split a fold of some groups, each of which is dealt out evenly.
    fn folds(groups: Vec<Vec<u32>>, k: usize, seed: u64) -> Result<Vec<Self>, Error> {
        let samples = groups.iter().map(Vec::len).sum();
        if k < 2 || k > samples {
            return Err(Error::OutOfRange {
                name: "number of folds",
                found: k as f64,
                expected: "at least 2 and at most the number of samples",
            });
        }
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut fold_of = vec![0; samples];
        // Each group goes on where the one before it ended, so that the folds stay
        // even as a whole.
        let mut turn = (0..k).cycle();
        for mut indices in groups {
            let count = indices.len();
            for (&index, fold) in draw(&mut indices, count, &mut rng).iter().zip(&mut turn) {
                fold_of[index as usize] = fold;
            }
        }
        Ok((0..k).map(|fold| Self::by(samples, |index| fold_of[index] == fold)).collect())
    }

    fn by(samples: usize, held_out: impl Fn(usize) -> bool) -> Self {
        let (validation, train) = (0..samples as u32).partition(|&index| held_out(index as usize));
        Self { train, validation }
    }
}

/// The samples of each class that has any, in ascending order of classes.
fn by_class(labels: &Labels<'_>) -> Result<Vec<Vec<u32>>, Error> {
    let mut classes: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
    for (index, label) in (0..checked_count(labels.len())?).zip(labels.iter()) {
        classes.entry(label).or_default().push(index);
    }
    Ok(classes.into_values().collect())
}

fn checked_count(samples: usize) -> Result<u32, Error> {
    u32::try_from(samples).map_err(|_| Error::TooMany { samples })
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
        // There are no more than u32::MAX: `checked_count`.
        let left = (indices.len() - i) as u32;
        indices.swap(i, i + below(left, rng) as usize);
    }
    &indices[..count]
}

/// A number in `0..bound`, each as likely as the other. `bound` is not zero.
pub(crate) fn below(bound: u32, rng: &mut impl Rng) -> u32 {
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
        let split = Split::stratified(&labels(), 0.1, 1).unwrap();
        assert_eq!(split.validation, [11, 15, 16, 19, 41, 56, 70, 71, 81, 96, 99]);
        let split = Split::stratified(&labels(), 0.3, 0xdead_beef_cafe_f00d).unwrap();
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
    #[cfg(target_pointer_width = "64")]
    fn too_many() {
        let most = u32::MAX as usize;
        assert_eq!(checked_count(most).unwrap(), u32::MAX);
        let error = checked_count(most + 1).unwrap_err().to_string();
        assert_eq!(error, "there are 4294967296 samples: expected at most 4294967295");
    }
}
