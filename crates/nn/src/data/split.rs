//! Splitting samples into training and validation.

use std::collections::BTreeMap;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

use crate::{Error, Labels, memory};

/// Indices of the training samples and of the held-out samples. Both lists ascend; each
/// sample is in exactly one of them.
///
/// Pass a list to [`Examples::subset`](crate::Examples::subset).
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
/// A split depends only on its arguments, on every platform, and is meant to stay the same
/// in later versions. One generator, Xoshiro256++ with its state filled from `seed` by
/// SplitMix64, is used for all classes in ascending order, or for all samples together
/// where there are no classes. The ascending indices of a class are shuffled from the front
/// by Fisher–Yates until the wanted number is drawn: the index at `i` is swapped with the
/// one at `i + r`, where the random `r` is below `n - i`. `r` is drawn by Lemire's method
/// (["Fast random integer generation in an interval"](https://arxiv.org/abs/1805.10941),
/// 2019), from the upper halves of the generator's 64-bit outputs. Both algorithms are
/// published, and `rand` guarantees that its named generators do not change. It does not
/// guarantee that for its own shuffle, so the shuffle is implemented here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// The training samples.
    pub train: Vec<u32>,
    /// The held-out samples.
    pub validation: Vec<u32>,
}

impl Split {
    /// Holds out `fraction` of `samples` samples, drawn at random from `seed`. The number is
    /// computed in `f64` and rounded to the nearest integer, halves up. At least one sample
    /// is held out, and at least one is not.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] where `fraction` is not above 0 and below 1,
    /// [`Error::NothingToHoldOut`] for fewer than two samples, [`Error::TooMany`]
    /// for more than a `u32` can count.
    pub fn random(samples: usize, fraction: f64, seed: u64) -> Result<Self, Error> {
        Self::hold_out(vec![(0..checked_count(samples)?).collect()], fraction, seed)
    }

    /// Holds out `fraction` of the samples of each class, drawn at random from `seed`.
    ///
    /// From a class of `n` samples, `fraction * n` are held out, computed in `f64` and
    /// rounded to the nearest integer, halves up. There are two exceptions:
    ///
    /// - from a class of two or more samples, at least one is held out and at least one is
    ///   not;
    /// - a class of one sample stays in training.
    ///
    /// So each list has at least one sample.
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

    /// `k` random splits of `samples` samples for cross-validation, drawn from `seed`. Each
    /// sample is held out by exactly one split. The numbers of held-out samples differ by at
    /// most one.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] where `k` is below 2 or above `samples`, [`Error::TooMany`]
    /// for more samples than a `u32` can count, [`Error::Memory`] where there is none for the
    /// `k` lists of all samples.
    pub fn k_fold(samples: usize, k: usize, seed: u64) -> Result<Vec<Self>, Error> {
        Self::folds(vec![(0..checked_count(samples)?).collect()], k, seed)
    }

    /// Like [`k_fold`](Self::k_fold), but for each class, too, the numbers of held-out samples
    /// differ by at most one. (For a class of fewer than `k` samples, some splits hold out
    /// none.)
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

    /// The split of a subset, as indices into the whole set: `self` splits `subset.len()`
    /// samples, and `subset` says which these are. So a test part is held out first, and a
    /// validation part of the rest:
    ///
    /// ```
    /// use nn::{Labels, Split};
    /// let y = [0u8, 1, 1, 1, 0, 1, 1, 1, 0, 1, 0, 0];
    /// let outer = Split::stratified(&y, 0.25, 1)?;
    /// let labels = Labels::from(&y).gather(&outer.train)?;
    /// let inner = Split::stratified(&labels, 0.25, 2)?.within(&outer.train)?;
    /// assert!(inner.validation.iter().all(|sample| outer.train.contains(sample)));
    /// assert_eq!(inner.train.len() + inner.validation.len(), outer.train.len());
    /// # Ok::<(), nn::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Subset`] where the split has an index that the subset has not.
    pub fn within(&self, subset: &[u32]) -> Result<Self, Error> {
        let sample = |index: &u32| {
            let index = *index as usize;
            subset.get(index).copied().ok_or(Error::Subset { index, samples: subset.len() })
        };
        let list = |indices: &[u32]| indices.iter().map(sample).collect::<Result<Vec<_>, _>>();
        Ok(Self { train: list(&self.train)?, validation: list(&self.validation)? })
    }

    /// One split that holds out `fraction` of each group.
    fn hold_out(groups: Vec<Vec<u32>>, fraction: f64, seed: u64) -> Result<Self, Error> {
        // Not `<= || >=`, which would accept NaN.
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
        if split.validation.is_empty() {
            return Err(Error::NothingToHoldOut { samples });
        }
        Ok(split)
    }

    /// `k` splits, with each group divided evenly among them.
    fn folds(groups: Vec<Vec<u32>>, k: usize, seed: u64) -> Result<Vec<Self>, Error> {
        let samples = groups.iter().map(Vec::len).sum();
        if k < 2 || k > samples {
            return Err(Error::OutOfRange {
                name: "number of folds",
                found: k as f64,
                expected: "at least 2 and at most the number of samples",
            });
        }
        // Each fold lists all samples.
        memory::probe((samples as u64).saturating_mul(4 * k as u64))?;
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut fold_of = vec![0; samples];
        // Each group continues with the fold after the last one used, so that the folds are
        // even in total.
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

/// The sample indices of each class that has samples, in ascending order of classes.
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

/// How many of a class's `count` samples are held out.
fn share(fraction: f64, count: usize) -> usize {
    if count < 2 {
        return 0;
    }
    // f64 holds every u32 exactly, and rounding is exact: all platforms agree.
    ((fraction * count as f64).round() as usize).clamp(1, count - 1)
}

/// Moves `count` of `indices`, drawn at random, to the front and returns them.
fn draw<'a>(indices: &'a mut [u32], count: usize, rng: &mut impl Rng) -> &'a [u32] {
    for i in 0..count {
        // `checked_count` has made sure that this fits.
        let left = (indices.len() - i) as u32;
        indices.swap(i, i + below(left, rng) as usize);
    }
    &indices[..count]
}

/// A uniform random number in `0..bound` (Lemire 2019). `bound` is not 0.
pub(crate) fn below(bound: u32, rng: &mut impl Rng) -> u32 {
    loop {
        let product = u64::from(rng.next_u32()) * u64::from(bound);
        // The upper half is the bin, of `bound` bins, and the lower half the depth in the
        // bin. Without the depths below 2^32 mod bound, each bin has the same number of
        // values; those are drawn again. The remainder is below `bound`, so a depth of
        // `bound` or more is accepted without computing it.
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

    /// The expected indices come from a second implementation of the description above, in
    /// another language. They must not change.
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

    /// With a bound just above half of 2^32, nearly half of the numbers are drawn again,
    /// among them the first.
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
    fn a_split_of_a_subset_has_indices_of_the_whole() {
        let split = Split { train: vec![0, 3], validation: vec![1] };
        let inner = split.within(&[7, 5, 9, 2]).unwrap();
        assert_eq!(inner, Split { train: vec![7, 2], validation: vec![5] });
        let error = split.within(&[7, 5, 9]).unwrap_err().to_string();
        assert_eq!(error, "the subset names sample 3 of 3");
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
