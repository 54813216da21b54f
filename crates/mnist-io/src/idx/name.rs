//! The names that the files of MNIST have, and of data sets that are published like it.
//!
//! ```text
//! train-images-idx3-ubyte              MNIST, Fashion-MNIST, KMNIST
//! t10k-labels.idx1-ubyte.gz            another spelling, compressed
//! emnist-letters-test-images-idx3-ubyte
//! qmnist-train-labels-idx2-int
//! ```
//!
//! So a name is: that of the data set, unless there is but one; the part; the content; the
//! number of dimensions; the type of the elements; `.gz`.

use crate::source::Part;

/// What a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Images,
    Labels,
}

/// What the name of a file says. The order is that of the choice among several files with
/// the same content: as published before other spellings, and raw before gzip, which has to
/// be inflated each time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// The data set: `emnist-letters`; empty for MNIST.
    pub(super) set: String,
    pub(super) part: Part,
    pub(super) content: Content,
    /// The smaller, the sooner it is chosen.
    pub(super) choice: (bool, bool, bool),
}

/// The types of elements in names.
const TYPES: [&str; 6] = ["ubyte", "byte", "short", "int", "float", "double"];

/// Whether the images of this data set are published with rows and columns exchanged.
pub(super) fn is_transposed(set: &str) -> bool {
    set == "emnist" || set.starts_with("emnist-")
}

impl Name {
    /// Reads the name of a file, in upper or lower case.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let lower = name.to_lowercase();
        let raw = lower.strip_suffix(".gz");
        let (gzip, name) = (raw.is_some(), raw.unwrap_or(&lower));
        let mut words: Vec<&str> = name.split(['-', '_', '.', ' ']).collect();
        words.pop_if(|last| TYPES.contains(last));
        let dims = words.pop()?.strip_prefix("idx")?;
        let content = match words.pop()? {
            "images" => Content::Images,
            "labels" => Content::Labels,
            _ => return None,
        };
        let (part, other) = match words.pop()? {
            "train" => (Part::Train, false),
            "t10k" => (Part::Test, false),
            "test" => (Part::Test, true),
            _ => return None,
        };
        let spelled = name.contains(&format!("-idx{dims}"));
        let valid = dims.bytes().all(|byte| byte.is_ascii_digit());
        let choice = (other, gzip, !spelled);
        valid.then(|| Self { set: words.join("-"), part, content, choice })
    }

    /// The names that the files of `part` of a data set are published with.
    pub(super) fn published(set: &str, part: Part, content: Content) -> [String; 2] {
        let part = match part {
            Part::Train => "train",
            Part::Test if set.is_empty() => "t10k",
            Part::Test => "test",
        };
        let content = match content {
            Content::Images => "images-idx3-ubyte",
            Content::Labels => "labels-idx1-ubyte",
        };
        let dash = if set.is_empty() { "" } else { "-" };
        let raw = format!("{set}{dash}{part}-{content}");
        let gzip = format!("{raw}.gz");
        [raw, gzip]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_published_data_sets() {
        use Content::{Images, Labels};
        use Part::{Test, Train};
        for (name, set, part, content) in [
            ("train-images-idx3-ubyte", "", Train, Images),
            ("t10k-labels-idx1-ubyte", "", Test, Labels),
            ("t10k-labels-idx1-ubyte.gz", "", Test, Labels),
            ("train-images.idx3-ubyte", "", Train, Images),
            ("train.images.idx3.ubyte", "", Train, Images),
            ("test_images_idx3_ubyte", "", Test, Images),
            ("TEST-LABELS.IDX1-UBYTE.GZ", "", Test, Labels),
            ("Train-Images-IDX3-ubyte", "", Train, Images),
            ("train-images-idx2-float", "", Train, Images),
            ("train-images.idx", "", Train, Images),
            ("emnist-letters-train-images-idx3-ubyte.gz", "emnist-letters", Train, Images),
            ("emnist-byclass-test-labels-idx1-ubyte", "emnist-byclass", Test, Labels),
            ("qmnist-train-labels-idx2-int.gz", "qmnist", Train, Labels),
        ] {
            let found = Name::parse(name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!((&*found.set, found.part, found.content), (set, part, content), "{name}");
        }
    }

    #[test]
    fn other_names() {
        for name in [
            "",
            "idx3",
            "images-idx3-ubyte",
            "train-idx3-ubyte",
            "validation-images-idx3-ubyte",
            "train-images-ubyte",
            "train-pixels-idx3-ubyte",
            "train-images-idx3-ubyte.part",
            "train-images-idx3-ubyte.gz.md5",
            "train-images-idx3-ubyte-old",
            "train-images-idxx-ubyte",
            "emnist-letters-mapping.txt",
        ] {
            assert_eq!(Name::parse(name), None, "{name}");
        }
    }

    #[test]
    fn published_names_are_read_again() {
        for set in ["", "emnist-digits"] {
            for part in [Part::Train, Part::Test] {
                for content in [Content::Images, Content::Labels] {
                    for name in Name::published(set, part, content) {
                        let found = Name::parse(&name).unwrap_or_else(|| panic!("{name}"));
                        assert_eq!((&*found.set, found.part), (set, part));
                        assert_eq!(found.content, content);
                    }
                }
            }
        }
    }
}
