//! The two parts of data that are no table: to train on and to test on.

use std::path::Path;

use mnist_io::{ClassNames, Classes, Idx, ImageSize, Part, Samples, Targets};

use super::{access, classes, home, is_table, open, split};
use crate::config::Config;
use crate::error::Error;
use crate::settings::image_size as image_size_of;

/// Where samples lie: in a folder, or in a file, which for IDX has its labels in another.
#[derive(Clone, Copy)]
pub(crate) struct Location<'a> {
    pub(crate) path: &'a Path,
    /// The file of the labels, if it was named.
    pub(crate) labels: Option<&'a Path>,
    /// What it is named with, if the command has a flag for it.
    pub(crate) flag: Option<&'static str>,
}

impl<'a> Location<'a> {
    /// A folder or a file, by itself.
    pub(crate) fn of(path: &'a Path) -> Self {
        Self { path, labels: None, flag: None }
    }

    /// Checks that labels are named for a file only that can have some.
    pub(crate) fn check(self) -> Result<(), Error> {
        let (Some(_), Some(flag)) = (self.labels, self.flag) else { return Ok(()) };
        let found = match &*home(self.path) {
            path if path.is_dir() => "a folder: name the file of its features instead",
            path if is_table(path) => "a table, whose labels are a column: leave the flag out",
            _ => return Ok(()),
        };
        Err(Error::LabelsOfOther { flag, path: self.path.to_owned(), found })
    }

    /// Whether this is a file with its labels, which has no part to test on.
    pub(crate) fn is_one_part(self) -> bool {
        self.labels.is_some() || (home(self.path).is_file() && Idx::part_of(self.path).is_none())
    }

    /// The samples of a part; `None` if the data do not have it. Pictures are brought to `size`.
    fn part(self, part: Part, size: Option<ImageSize>) -> Result<Option<Samples>, Error> {
        let samples = match (self.labels, part) {
            (None, _) => open(self.path, part, size),
            (Some(labels), Part::Train) => {
                Ok(Idx::open_pair(&home(self.path), &home(labels), access())?)
            }
            (Some(_), Part::Test) => return Ok(None),
        };
        match samples {
            Ok(samples) => Ok(Some(samples)),
            Err(Error::Data(error)) if part == Part::Test && error.lacks_part() => Ok(None),
            Err(error) => Err(match (error, self.flag) {
                (Error::Data(mnist_io::Error::NoLabels { path, header }), Some(flag)) => {
                    Error::NoLabels { path, header, flag }
                }
                (error, _) => error,
            }),
        }
    }

    /// All samples to train on.
    fn to_train_on(self, size: Option<ImageSize>) -> Result<Samples, Error> {
        match self.part(Part::Train, size)? {
            Some(samples) => Ok(samples),
            None => open(self.path, Part::Train, size),
        }
    }

    /// The samples to test on: the part for that, and all of data without one. A file of a data
    /// set stands for the part that it is of.
    pub(crate) fn to_test_on(self, size: Option<ImageSize>) -> Result<Samples, Error> {
        let part = Idx::part_of(self.path).unwrap_or(Part::Test);
        match self.part(part, size)? {
            Some(samples) => Ok(samples),
            None => self.to_train_on(size),
        }
    }
}

/// Both parts of data that are no table. Where there is no test part, it is a share of the
/// samples. What the user should know goes into `notes`.
pub(crate) fn parts(config: &Config, notes: &mut Vec<String>) -> Result<(Samples, Samples), Error> {
    let data = &config.data;
    let upright = |samples: Samples| if data.transpose { samples.transposed() } else { samples };
    let (training, size) = training_part(config, notes)?;
    let test = match data.test_location() {
        Some(test) => Some(test.to_test_on(size)?),
        None => data.location().part(Part::Test, size)?,
    };
    let Some(test) = test else {
        let split = split(training.targets(), data.test_fraction, config.training.seed)?;
        return Ok((training.subset(&split.train), training.subset(&split.validation)));
    };
    let names = classes(&training).and_then(Classes::names);
    let test = match names {
        Some(names) => {
            let path = data.test.as_ref().unwrap_or(&data.dir);
            notes.extend(perhaps_from_one(&test, &names.names, path)?);
            renumbered(test, &names.names, path, &data.dir.display().to_string())?
        }
        None => test,
    };
    Ok((training, upright(test)))
}

/// The samples to train on, of data that are no table, without those to test on: where there is
/// no test part, the share that [`parts`] takes for it is left out. Of a test part nothing is
/// used but that there is one.
pub(crate) fn without_test(config: &Config, notes: &mut Vec<String>) -> Result<Samples, Error> {
    let data = &config.data;
    let (training, size) = training_part(config, notes)?;
    // One that cannot be read is one too.
    if data.test.is_some() || !matches!(data.location().part(Part::Test, size), Ok(None)) {
        return Ok(training);
    }
    let split = split(training.targets(), data.test_fraction, config.training.seed)?;
    Ok(training.subset(&split.train))
}

/// The samples to train on, and the size that images of the test part get.
fn training_part(
    config: &Config,
    notes: &mut Vec<String>,
) -> Result<(Samples, Option<ImageSize>), Error> {
    let data = &config.data;
    let size = data.size.as_deref().and_then(image_size_of);
    let training = data.location().to_train_on(size)?;
    let training = if data.transpose { training.transposed() } else { training };
    let (training, note) = counted_from_one(training, &data.dir)?;
    notes.extend(note);
    let size = size.or(training.image_size());
    Ok((training, size))
}

/// The samples with the numbers that `names` gives to their classes; `known` is what has
/// these classes, and `path` where the samples lie. Labels without names are numbers: where
/// all names are numbers, they are these.
pub(crate) fn renumbered(
    samples: Samples,
    names: &[String],
    path: &Path,
    known: &str,
) -> Result<Samples, Error> {
    let Some(own) = classes(&samples) else { return Ok(samples) };
    let numbered;
    let own = match own.names() {
        // That there are too few names is found later, with the number that is expected.
        Some(all) if own.count() <= all.names.len() => own,
        None if names.iter().all(|name| is_number(name)) => {
            let names = (0..own.count()).map(|label| label.to_string()).collect();
            let names = ClassNames { path: path.to_owned(), names };
            numbered = Classes::new(own.labels().to_vec().into(), Some(names));
            &numbered
        }
        _ => return Ok(samples),
    };
    let path = own.names().map(|names| names.path.clone()).unwrap_or_default();
    let other = |class| Error::OtherClasses { path, class, known: known.to_owned() };
    let targets = Targets::Classes(own.renumbered(names).map_err(other)?);
    Ok(samples.with_targets(targets))
}

/// What to say of labels that have no names and perhaps count from 1, where the classes have
/// `names`, which are no numbers: label 1 is then the second class, and of EMNIST's letters it
/// would be the first.
///
/// # Errors
/// If they certainly count from 1, because the last of them is one too many.
pub(crate) fn perhaps_from_one(
    samples: &Samples,
    names: &[String],
    path: &Path,
) -> Result<Option<String>, Error> {
    let Some(own) = classes(samples).filter(|own| own.names().is_none()) else { return Ok(None) };
    let [first, second, ..] = names else { return Ok(None) };
    if own.labels().iter().min() != Some(&1) || names.iter().all(|name| is_number(name)) {
        return Ok(None);
    }
    if own.count() == names.len() + 1 {
        return Err(Error::FromOne { path: path.to_owned(), last: names.len() });
    }
    Ok(Some(format!(
        "{}: the labels have no names, and none is 0: label 1 is taken for `{second}`; if it is \
         `{first}`, put classes.txt or the file of EMNIST with the letters beside the data",
        path.display()
    )))
}

/// Whether a name is that of a label which has no other.
fn is_number(name: &str) -> bool {
    name.parse::<u8>().is_ok_and(|number| number.to_string() == name)
}

/// Labels that count from 1 and have no names get these numbers for names, so that there is
/// no class 0, which nothing is of.
fn counted_from_one(samples: Samples, path: &Path) -> Result<(Samples, Option<String>), Error> {
    let Some(own) = classes(&samples).filter(|own| own.names().is_none()) else {
        return Ok((samples, None));
    };
    let (least, count) = (own.labels().iter().min(), own.count());
    if least != Some(&1) {
        return Ok((samples, None));
    }
    let names: Vec<String> = (1..count).map(|label| label.to_string()).collect();
    let note = format!("the labels count from 1: the classes are 1 to {}", count - 1);
    Ok((renumbered(samples, &names, path, "")?, Some(note)))
}
