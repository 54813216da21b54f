//! How many samples each class has.

use std::fmt;
use std::path::Path;

use mnist_io::{Classes, Samples};
use nn::Mlp;

use super::finding::Finding;
use crate::data;
use crate::error::Error;
use crate::report::plural;

/// A label is a byte.
const MOST_CLASSES: usize = 256;

/// A class that has less than this share of the usual count has a stray label or two.
const STRAY: usize = 200;

/// Of classes with fewer samples than this, nothing is a stray label.
const ENOUGH: usize = 20;

/// The share of samples that a class without any is taken to have.
const ALMOST_NONE: f64 = 1e-9;

/// The samples of each class, of training and of testing.
pub(super) struct Counts {
    train: [usize; MOST_CLASSES],
    test: [usize; MOST_CLASSES],
    /// Outputs of the network.
    classes: usize,
    /// The names of the classes, if they have any.
    names: Vec<String>,
}

impl Counts {
    /// `None` where the targets are no classes.
    pub(super) fn new(train: &Samples, test: &Samples) -> Option<Self> {
        let counts = |classes: &Classes| {
            let mut counts = [0; MOST_CLASSES];
            for label in classes.labels() {
                counts[usize::from(*label)] += 1;
            }
            counts
        };
        let (train, test) = (data::classes(train)?, data::classes(test)?);
        let names = train.names().map(|names| names.names.clone()).unwrap_or_default();
        Some(Self { train: counts(train), test: counts(test), classes: train.count(), names })
    }

    /// The classes whose counts are as `wanted` says: of training, and of testing.
    fn that(&self, wanted: impl Fn(usize, usize) -> bool) -> Vec<usize> {
        (0..MOST_CLASSES).filter(|&class| wanted(self.train[class], self.test[class])).collect()
    }

    /// The classes below the largest label that no training sample is of.
    pub(super) fn absent(&self) -> Vec<usize> {
        (0..self.classes).filter(|&class| self.train[class] == 0).collect()
    }

    pub(super) fn check(&self, dir: &Path) -> Result<Vec<Finding>, Error> {
        let present = self.that(|train, _| train > 0);
        if let [class] = present[..] {
            let class = self.names.get(class).cloned().unwrap_or_else(|| class.to_string());
            return Err(Error::OneClass { dir: dir.into(), class });
        }
        let unseen = self.that(|train, test| train == 0 && test > 0);
        if !unseen.is_empty() {
            let samples = unseen.iter().map(|&class| self.test[class]).sum();
            let samples = plural(samples, "test sample");
            let classes = List(&unseen).to_string();
            return Err(Error::UnseenClasses { dir: dir.into(), classes, samples });
        }

        let mut findings = Vec::new();
        let classes = self.absent();
        if !classes.is_empty() {
            findings.push(Finding::Absent { classes });
        }
        let classes = self.that(|train, test| train > 0 && test == 0);
        if !classes.is_empty() {
            findings.push(Finding::Untested { classes });
        }
        let mut counts: Vec<_> = present.iter().map(|&class| self.train[class]).collect();
        counts.sort_unstable();
        let (samples, usual) = (counts.iter().sum(), counts[counts.len() / 2]);
        if samples < 2 * present.len() {
            findings.push(Finding::Few { samples, classes: present.len() });
        }
        let few = |samples: usize| usual >= ENOUGH && (samples < 2 || samples * STRAY < usual);
        let classes: Vec<_> = self.that(|train, _| train > 0 && few(train));
        if !classes.is_empty() {
            let samples = classes.iter().map(|&class| self.train[class]).sum();
            findings.push(Finding::Stray { classes, samples, usual });
        }
        Ok(findings)
    }
}

/// Makes a network predict the classes in `absent`, of which no training sample is, with
/// almost no probability. It would otherwise have to learn that, and with batch
/// normalisation it cannot: that keeps the logits of all classes at one variance.
///
/// The weights of such an output are 0 and its bias is the logarithm of the share of samples
/// that the class has: almost none, or the share that label smoothing gives it.
pub(super) fn silence(
    network: &mut Mlp,
    absent: &[usize],
    label_smoothing: f64,
) -> Result<(), Error> {
    if absent.is_empty() {
        return Ok(());
    }
    let last = network.architecture().hidden.len();
    let Some((mut weights, mut biases)) = network.layer(last) else { return Ok(()) };
    let inputs = weights.len() / biases.len();
    let share = (label_smoothing / biases.len() as f64).max(ALMOST_NONE);
    for &class in absent {
        weights[class * inputs..][..inputs].fill(0.0);
        biases[class] = share.ln() as f32;
    }
    Ok(network.set_layer(last, &weights, &biases)?)
}

/// Classes as messages have them: `class 3`, `classes 0, 2 and 5 to 9`.
pub(super) struct List<'a>(pub(super) &'a [usize]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 6;
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for &class in self.0 {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == class => *last = class,
                _ => runs.push((class, class)),
            }
        }
        f.write_str(if self.0.len() == 1 { "class " } else { "classes " })?;
        let shown = runs.len().min(MOST);
        for (index, (first, last)) in runs[..shown].iter().enumerate() {
            let between = match index {
                0 => "",
                _ if index + 1 == runs.len() => " and ",
                _ => ", ",
            };
            match last - first {
                0 => write!(f, "{between}{first}")?,
                1 => write!(f, "{between}{first}, {last}")?,
                _ => write!(f, "{between}{first} to {last}")?,
            }
        }
        let rest: usize = runs[shown..].iter().map(|(first, last)| last - first + 1).sum();
        if rest > 0 { write!(f, " and {rest} more") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_with_hardly_any_samples_is_stray() {
        // Samples of the classes from 0 on, and the classes that are stray.
        for (samples, expected) in [
            (&[10, 10, 1][..], &[][..]),
            (&[20, 20, 1], &[2]),
            (&[20, 20, 2], &[]),
            (&[1000, 1, 1000, 5, 4, 1000, 1000], &[1, 4]),
            (&[6742, 5421, 5958, 6131, 5842], &[]),
        ] {
            let (mut train, classes) = ([0; MOST_CLASSES], samples.len());
            train[..classes].copy_from_slice(samples);
            let findings = Counts { train, test: train, classes, names: Vec::new() }
                .check(Path::new("data"))
                .unwrap();
            let stray = findings.into_iter().find_map(|finding| match finding {
                Finding::Stray { classes, .. } => Some(classes),
                _ => None,
            });
            assert_eq!(stray.unwrap_or_default(), expected, "{samples:?}");
        }
    }

    #[test]
    fn classes_are_listed_in_runs() {
        for (classes, expected) in [
            (&[3][..], "class 3"),
            (&[3, 4], "classes 3, 4"),
            (&[0, 2, 5, 6, 7, 8], "classes 0, 2 and 5 to 8"),
            (&[0, 2, 4, 6, 8, 10, 12, 13], "classes 0, 2, 4, 6, 8, 10 and 2 more"),
        ] {
            assert_eq!(List(classes).to_string(), expected);
        }
    }
}
