//! How many samples each class has.

use std::fmt;
use std::path::Path;

use mnist_io::{Classes, Samples};
use nn::Mlp;

use super::finding::Finding;
use crate::data;
use crate::error::{Error, one_line};
use crate::words::plural;

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

    /// Classes with their names.
    fn group(&self, classes: Vec<usize>) -> Group {
        let name =
            |class: &usize| self.names.get(*class).cloned().unwrap_or_else(|| class.to_string());
        let named = !self.names.is_empty();
        let names = if named { classes.iter().map(name).collect() } else { Vec::new() };
        Group { classes, names }
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
            let classes = self.group(unseen).to_string();
            return Err(Error::UnseenClasses { dir: dir.into(), classes, samples });
        }

        let mut findings = Vec::new();
        let classes = self.absent();
        if !classes.is_empty() {
            findings.push(Finding::Absent { classes: self.group(classes) });
        }
        let classes = self.that(|train, test| train > 0 && test == 0);
        if !classes.is_empty() {
            findings.push(Finding::Untested { classes: self.group(classes) });
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
            findings.push(Finding::Stray { classes: self.group(classes), samples, usual });
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

/// Classes as messages have them: `class 3`, `classes 0, 2 and 5 to 9`, `classes ant and bee`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Group {
    classes: Vec<usize>,
    /// The name of each of them; empty if classes have none.
    names: Vec<String>,
}

impl Group {
    /// What stands for them in a sentence.
    pub(super) fn them(&self) -> &'static str {
        if self.classes.len() == 1 { "it" } else { "them" }
    }

    /// The numbers, those that follow each other as one text; how many there are in each.
    fn runs(&self) -> Vec<(String, usize)> {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for &class in &self.classes {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == class => *last = class,
                _ => runs.push((class, class)),
            }
        }
        let text = |(first, last): (usize, usize)| match last - first {
            0 => (first.to_string(), 1),
            1 => (format!("{first}, {last}"), 2),
            more => (format!("{first} to {last}"), more + 1),
        };
        runs.into_iter().map(text).collect()
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 6;
        let parts = match &self.names[..] {
            [] => self.runs(),
            names => names.iter().map(|name| (one_line(name), 1)).collect(),
        };
        f.write_str(if self.classes.len() == 1 { "class " } else { "classes " })?;
        let shown = parts.len().min(MOST);
        for (index, (text, _)) in parts[..shown].iter().enumerate() {
            let between = match index {
                0 => "",
                _ if index + 1 == parts.len() => " and ",
                _ => ", ",
            };
            write!(f, "{between}{text}")?;
        }
        let rest: usize = parts[shown..].iter().map(|(_, count)| count).sum();
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
                Finding::Stray { classes, .. } => Some(classes.classes),
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
            let group = Group { classes: classes.to_vec(), names: Vec::new() };
            assert_eq!(group.to_string(), expected);
        }
        for (names, expected) in [
            (&["ant"][..], "class ant"),
            (&["ant", "bee"], "classes ant and bee"),
            (&["a", "b", "c", "d", "e", "f", "g", "h"], "classes a, b, c, d, e, f and 2 more"),
        ] {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let group = Group { classes: (0..names.len()).collect(), names };
            assert_eq!(group.to_string(), expected);
        }
    }
}
