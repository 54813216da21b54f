//! Whether the data can be read, and are the files that they seem to be.

use std::path::Path;

use crc32fast::Hasher;
use mnist_io::{Features, Part, Samples, Targets};

use super::check::Check;
use crate::data;
use crate::error::{Error, one_line};
use crate::words::{plural, shell_word};

const NAME: &str = "data";

/// A part of a data set that everybody has the same files of.
struct Known {
    set: &'static str,
    part: Part,
    samples: usize,
    /// CRC-32 of the bytes of the images and of the labels, without the headers of IDX.
    images: Option<u32>,
    labels: u32,
}

/// From files with the checksums that are published for them: of MNIST the SHA-256 in
/// `data/README.md`, of Fashion-MNIST the MD5 of its makers. Its images are not known here.
const KNOWN: [Known; 4] = [
    Known {
        set: "MNIST",
        part: Part::Train,
        samples: 60_000,
        images: Some(0xf363_9b56),
        labels: 0xba07_e8ef,
    },
    Known {
        set: "MNIST",
        part: Part::Test,
        samples: 10_000,
        images: Some(0xe4ca_5f57),
        labels: 0xee86_04d9,
    },
    Known {
        set: "Fashion-MNIST",
        part: Part::Train,
        samples: 60_000,
        images: None,
        labels: 0x2ed6_e46a,
    },
    Known {
        set: "Fashion-MNIST",
        part: Part::Test,
        samples: 10_000,
        images: None,
        labels: 0x242b_c73f,
    },
];

/// What the checksums of a part say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Identity {
    /// Images and labels, or all of it that is known, are those of this set.
    Is(&'static str),
    /// Only its labels are.
    LabelsOf(&'static str),
    Unknown,
}

/// Checks the data at `path`, or those where a run without `--data` looks for them.
pub(super) fn check(path: Option<&Path>) -> Check {
    let place = path.unwrap_or(data::DEFAULT_DIR.as_ref());
    let shown = one_line(&place.display().to_string());
    if path.is_none() && !place.exists() {
        return Check::warn(
            NAME,
            format!("there is no folder `{shown}` here"),
            "name the data to train on with --data DIR, or go to the folder that has `data`",
        );
    }
    if data::is_table(place) {
        let word = shell_word(place);
        return Check::ok(
            NAME,
            format!("{shown}: a table; trainer inspect {word} has its columns"),
        );
    }
    let train = match data::open(place, Part::Train, None) {
        Ok(samples) => samples,
        Err(error) => return unreadable(&error),
    };
    let test = match data::open(place, Part::Test, None) {
        Ok(samples) => Some(samples),
        Err(Error::Data(error)) if error.lacks_part() => None,
        Err(error) => return unreadable(&error),
    };
    let size = data::size(&train);
    let samples = plural(train.len(), "training sample");
    let mut text = format!("{shown}: {samples}");
    if let Some(test) = &test {
        text += &format!(", {}", plural(test.len(), "test sample"));
    }
    text += &format!(" of {size} features");
    let train = identity(&train, Part::Train);
    let test = test.map(|test| identity(&test, Part::Test));
    judge(text, train, test)
}

fn unreadable(error: &Error) -> Check {
    let advice = "get the files again, or name others with --data DIR";
    Check::fail(NAME, one_line(&error.to_string()), advice)
}

/// What both parts together are.
fn judge(text: String, train: Identity, test: Option<Identity>) -> Check {
    let parts = [(Part::Train, Some(train)), (Part::Test, test)];
    for (part, found) in parts {
        if let Some(Identity::LabelsOf(set)) = found {
            let (part, advice) = (name(part), "get the files again: one of them is damaged");
            return Check::fail(
                NAME,
                format!("{text}; the {part} labels are those of {set}, and its images are others"),
                format!("{advice}, or this is a variant of {set}"),
            );
        }
    }
    match (train, test) {
        (Identity::Is(set), None) => Check::ok(NAME, format!("{text}: {set}, by checksum")),
        (Identity::Is(set), Some(Identity::Is(other))) if set == other => {
            Check::ok(NAME, format!("{text}: {set}, by checksum"))
        }
        (Identity::Unknown, None | Some(Identity::Unknown)) => {
            Check::ok(NAME, format!("{text}; no data set that is known by its checksum"))
        }
        (train, test) => {
            let of = |found| match found {
                Some(Identity::Is(set)) => format!("those of {set}"),
                _ => "of no known data set".to_owned(),
            };
            let (train, test) = (of(Some(train)), of(test));
            Check::fail(
                NAME,
                format!("{text}; the training samples are {train}, the test samples {test}"),
                "get the files again: one is damaged, or the parts are of different data sets",
            )
        }
    }
}

fn name(part: Part) -> &'static str {
    match part {
        Part::Train => "training",
        Part::Test => "test",
    }
}

/// Looks a part up in the table of known ones.
fn identity(samples: &Samples, part: Part) -> Identity {
    let (Features::Bytes(pixels), Targets::Classes(classes)) =
        (samples.features(), samples.targets())
    else {
        return Identity::Unknown;
    };
    let of_size = |known: &&Known| known.part == part && known.samples == samples.len();
    // The sum of the pixels of other data takes time for nothing.
    if !KNOWN.iter().any(|known| of_size(&known)) || samples.width() != 28 * 28 {
        return Identity::Unknown;
    }
    let labels = crc(classes.labels());
    match KNOWN.iter().filter(of_size).find(|known| known.labels == labels) {
        None => Identity::Unknown,
        Some(Known { set, images: None, .. }) => Identity::Is(set),
        Some(Known { set, images: Some(images), .. }) if *images == crc(pixels) => {
            Identity::Is(set)
        }
        Some(Known { set, .. }) => Identity::LabelsOf(set),
    }
}

fn crc(bytes: &[u8]) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(bytes);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use mnist_io::Classes;

    use super::super::check::Mark;
    use super::*;

    /// The folder of the repository's own data, of which a package of the crate has none.
    fn mnist(part: Part) -> Option<Samples> {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data");
        data::open(&dir, part, None).ok()
    }

    #[test]
    fn mnist_is_known_and_a_changed_pixel_is_seen() {
        let Some(test) = mnist(Part::Test) else { return };
        assert_eq!(identity(&test, Part::Test), Identity::Is("MNIST"));
        assert_eq!(identity(&test, Part::Train), Identity::Unknown);
        let (Features::Bytes(pixels), Targets::Classes(classes)) =
            (test.features(), test.targets())
        else {
            panic!()
        };
        let with = |pixels: Vec<u8>, labels: Vec<u8>| {
            let targets = Targets::Classes(Classes::new(labels.into(), None));
            identity(&Samples::new(Features::Bytes(pixels.into()), 784, targets), Part::Test)
        };
        let (pixels, labels) = (pixels.to_vec(), classes.labels().to_vec());
        assert_eq!(with(pixels.clone(), labels.clone()), Identity::Is("MNIST"));
        let mut other = pixels.clone();
        other[784 * 5000 + 300] ^= 1;
        assert_eq!(with(other, labels.clone()), Identity::LabelsOf("MNIST"));
        let mut other = labels;
        other[9_999] ^= 1;
        assert_eq!(with(pixels, other), Identity::Unknown);
        if let Some(train) = mnist(Part::Train) {
            assert_eq!(identity(&train, Part::Train), Identity::Is("MNIST"));
        }
    }

    #[test]
    fn both_parts_are_judged_together() {
        use Identity::{Is, LabelsOf, Unknown};
        let mark = |train, test| judge("x".into(), train, test).mark;
        for (train, test, expected) in [
            (Is("A"), Some(Is("A")), Mark::Ok),
            (Is("A"), None, Mark::Ok),
            (Unknown, Some(Unknown), Mark::Ok),
            (Unknown, None, Mark::Ok),
            (Is("A"), Some(Is("B")), Mark::Fail),
            (Is("A"), Some(Unknown), Mark::Fail),
            (Unknown, Some(Is("A")), Mark::Fail),
            (LabelsOf("A"), Some(Is("A")), Mark::Fail),
            (Is("A"), Some(LabelsOf("A")), Mark::Fail),
        ] {
            assert_eq!(mark(train, test), expected, "{train:?} {test:?}");
        }
        let text = judge("x".into(), Is("A"), Some(LabelsOf("A"))).text;
        assert_eq!(text, "x; the test labels are those of A, and its images are others");
    }
}
