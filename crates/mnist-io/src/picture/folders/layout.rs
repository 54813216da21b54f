//! Which folders are parts, and which are classes.

use std::fs;
use std::path::{Path, PathBuf};

use super::holds_picture;
use crate::error::Error;
use crate::source::Part;

/// The names of the folders of a part, in any case. The first that is there counts.
const TRAIN: &[&str] = &["train", "training"];
const TEST: &[&str] = &["test", "testing", "valid", "val", "validation"];

/// Folders that archives and file servers put beside the data.
const PASSED_OVER: &[&str] = &["__MACOSX", "@eaDir"];

/// An archive may unpack into a folder in a folder.
const MAX_DEPTH: usize = 4;

/// What is in a folder, without what is hidden, by name.
pub(super) struct Listing {
    pub(super) folders: Vec<PathBuf>,
    pub(super) files: Vec<PathBuf>,
}

impl Listing {
    pub(super) fn read(dir: &Path) -> Result<Self, Error> {
        let failed = |error| Error::Open { path: dir.into(), error };
        let (mut folders, mut files) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(dir).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let hidden = name.as_encoded_bytes().starts_with(b".");
            if hidden || PASSED_OVER.iter().any(|passed_over| name == **passed_over) {
                continue;
            }
            let (path, kind) = (entry.path(), entry.file_type().map_err(failed)?);
            let is_folder = if kind.is_symlink() { path.is_dir() } else { kind.is_dir() };
            if is_folder { folders.push(path) } else { files.push(path) }
        }
        folders.sort_unstable();
        files.sort_unstable();
        Ok(Self { folders, files })
    }

    /// Whether it has folders, and no pictures beside them: these may be classes.
    fn has_only_folders(&self) -> bool {
        !self.folders.is_empty() && !self.files.iter().any(|path| holds_picture(path))
    }
}

/// Where the folders of the classes are.
pub(super) struct Layout {
    /// The folder of the parts, or of the classes if there are no parts.
    pub(super) dir: PathBuf,
    train: Option<PathBuf>,
    test: Option<PathBuf>,
}

impl Layout {
    pub(super) fn find(path: &Path) -> Result<Self, Error> {
        let mut dir = path.to_owned();
        for _ in 0..MAX_DEPTH {
            let listing = Listing::read(&dir)?;
            let part = |names| part_folder(&listing, names);
            let (train, test) = (part(TRAIN), part(TEST));
            if train.is_some() || test.is_some() {
                return Ok(Self { dir, train, test });
            }
            match &listing.folders[..] {
                [only] if listing.has_only_folders() && holds_folders(only) => dir.clone_from(only),
                _ => break,
            }
        }
        Ok(Self { train: Some(dir.clone()), test: None, dir })
    }

    /// The folders of all parts.
    pub(super) fn folders(&self) -> impl Iterator<Item = &Path> {
        self.train.iter().chain(&self.test).map(|path| &**path)
    }

    /// The folder of one part.
    pub(super) fn part(&self, part: Part) -> Result<&Path, Error> {
        let (folder, looked_for) = match part {
            Part::Train => (&self.train, TRAIN),
            Part::Test => (&self.test, TEST),
        };
        let missing = || Error::NoPart { dir: self.dir.clone(), part, looked_for };
        folder.as_deref().ok_or_else(missing)
    }

    /// The classes of all parts, so that a class has one label in all of them.
    pub(super) fn class_names(&self) -> Result<Vec<String>, Error> {
        let mut names = Vec::new();
        for folder in self.folders() {
            for path in Listing::read(folder)?.folders {
                let name = path.file_name().and_then(|name| name.to_str());
                let name = name.filter(|name| !name.contains(char::is_control));
                let Some(name) = name.map(str::to_owned) else {
                    let found = "a name that is not UTF-8, or has control characters";
                    return Err(Error::ClassFolder { path, found });
                };
                names.push(name);
            }
        }
        // By number if all are numbers; `None` is the same for all.
        let number = |name: &String| name.parse::<u64>().ok();
        let numbered = names.iter().all(|name| number(name).is_some());
        names.sort_unstable_by_key(|name| (number(name).filter(|_| numbered), name.clone()));
        names.dedup();
        Ok(names)
    }
}

/// The folder with the first of these names that has folders itself. (A folder `train` that
/// has pictures is the class of trains.)
fn part_folder(listing: &Listing, names: &[&str]) -> Option<PathBuf> {
    let named = |name: &str| {
        let mut folders = listing.folders.iter();
        folders.find(|path| {
            path.file_name().is_some_and(|found| found.eq_ignore_ascii_case(name))
                && holds_folders(path)
        })
    };
    names.iter().find_map(|name| named(name)).cloned()
}

fn holds_folders(path: &Path) -> bool {
    Listing::read(path).is_ok_and(|listing| listing.has_only_folders())
}
