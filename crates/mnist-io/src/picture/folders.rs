//! Pictures in folders, one folder for each class.

mod images;
mod layout;

use std::collections::{HashSet, VecDeque};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::{Picture, is_picture};
use crate::class_names::ClassNames;
use crate::error::Error;
use crate::mapped::reserved;
use crate::samples::{Classes, Features, Samples, Targets};
use crate::source::{Request, Source};
use images::Images;
use layout::{Layout, Listing};

/// A folder with a folder of pictures for each class, such as `digits/7/scan.png`, or with
/// such folders for training and for testing: `digits/train/7/scan.png`.
///
/// The parts are folders `train` or `training`, and `test` or `testing`, or without these
/// `valid`, `val` or `validation`. The classes are the names of the folders in all parts, as
/// numbers if all are, otherwise as text. A folder that has nothing but such a folder stands
/// for it.
///
/// Samples are in the order of the classes, then of the names of files. Hidden files and files
/// that are no pictures, such as texts, are passed over. All pictures get one size,
/// [`Request::size`]; what is not covered has the grey of the picture's own border.
#[derive(Clone, Copy, Debug)]
pub struct Pictures;

/// A label is a byte.
const MAX_CLASSES: usize = 256;

/// The names that end so say that a file is a picture. Those of the second line are not read,
/// which is an error, since to pass over them could leave out half of the data.
#[rustfmt::skip]
const PICTURE_NAMES: &[&str] = &[
    "png", "jpg", "jpeg", "jpe", "jfif", "pgm", "ppm", "pbm", "pnm",
    "gif", "bmp", "webp", "heic", "heif", "avif", "tif", "tiff",
];

impl Source for Pictures {
    fn name(&self) -> &'static str {
        "pictures"
    }

    fn expected(&self) -> &'static str {
        "a folder with a folder of pictures for each class, such as 7/scan.png"
    }

    fn recognises(&self, path: &Path) -> bool {
        let Ok(layout) = Layout::find(path) else { return false };
        let mut folders = layout.folders().filter_map(|folder| Listing::read(folder).ok());
        folders.any(|listing| {
            let mut classes = listing.folders.iter().filter_map(|path| Listing::read(path).ok());
            classes.any(|class| class.files.iter().any(|path| holds_picture(path)))
        })
    }

    fn open(&self, request: &Request<'_>) -> Result<Samples, Error> {
        let layout = Layout::find(request.path)?;
        let folder = layout.part(request.part)?;
        let names = layout.class_names()?;
        if names.len() > MAX_CLASSES {
            let found = names.len();
            return Err(Error::TooManyClasses { dir: layout.dir, found, most: MAX_CLASSES });
        }

        let (mut files, mut labels, mut empty) = (Vec::new(), Vec::new(), Vec::new());
        for (label, name) in names.iter().enumerate() {
            let class = folder.join(name);
            if !class.is_dir() {
                continue;
            }
            let Listing { folders, files: mut found } = Listing::read(&class)?;
            if let Some(path) = folders.into_iter().next() {
                return Err(Error::ClassFolder { path, found: "a folder in that of a class" });
            }
            found.retain(|path| holds_picture(path));
            if found.is_empty() {
                empty.push(class);
            }
            labels.resize(labels.len() + found.len(), label as u8);
            files.append(&mut found);
        }
        if !empty.is_empty() || files.is_empty() {
            let empty = if empty.is_empty() { vec![folder.into()] } else { empty };
            return Err(Error::NoPictures { empty });
        }

        let mut images = Images::new(request.size, files.len());
        for path in &files {
            images.push(path, &Picture::open_with(path, request.access)?)?;
        }
        let names = ClassNames { path: layout.dir, names };
        let targets = Targets::Classes(Classes::new(labels.into(), Some(names)));
        let (size, pixels) = images.into_parts();
        let samples = Samples::new(Features::Bytes(pixels.into()), size.rows * size.cols, targets);
        Ok(samples.with_image_size(size))
    }
}

/// The pictures in a folder and in those below it, also those that links lead to. Each folder is
/// looked at once, by its own name where it has one here, so a link that leads back ends there.
pub(super) fn pictures_below(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let (mut pictures, mut seen) = (Vec::new(), HashSet::new());
    let (mut folders, mut links) = (vec![dir.to_owned()], VecDeque::new());
    while let Some(folder) = folders.pop().or_else(|| links.pop_front()) {
        let failed = |error| Error::Open { path: folder.clone(), error };
        if !seen.insert(fs::canonicalize(&folder).map_err(failed)?) {
            continue;
        }
        let listing = Listing::read(&folder)?;
        pictures.extend(listing.files.into_iter().filter(|path| holds_picture(path)));
        for folder in listing.folders {
            if folder.is_symlink() { links.push_back(folder) } else { folders.push(folder) }
        }
    }
    pictures.sort_unstable();
    Ok(pictures)
}

/// Whether a file is a picture by its name, or else by its first bytes. What cannot be looked
/// at is none.
fn holds_picture(path: &Path) -> bool {
    let by_name = path.extension().and_then(|extension| extension.to_str()).is_some_and(|found| {
        PICTURE_NAMES.iter().any(|extension| found.eq_ignore_ascii_case(extension))
    });
    if by_name {
        return true;
    }
    if !fs::metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        return false;
    }
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(4).read_to_end(&mut start));
    read.is_ok() && is_picture(&start)
}
