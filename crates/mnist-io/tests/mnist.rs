//! The files of the repository, opened as a program opens them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use flate2::{Compression, write::GzEncoder};
use mnist_io::{Access, Dataset, Dtype, IdxFile, Part};

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data")
}

fn map(part: Part) -> Dataset {
    // SAFETY: the files are part of the repository, and no test writes to them.
    Dataset::open_dir(data(), part, unsafe { Access::map() }).unwrap()
}

fn class_counts(dataset: &Dataset) -> [usize; 10] {
    std::array::from_fn(|class| {
        dataset.labels().iter().filter(|&&label| usize::from(label) == class).count()
    })
}

#[test]
fn train() {
    let train = map(Part::Train);
    assert!(train.images_file().is_mapped());
    assert!(train.labels_file().is_mapped());
    assert_eq!((train.len(), train.is_empty()), (60_000, false));
    assert_eq!((train.rows(), train.cols(), train.features()), (28, 28, 784));
    assert_eq!(train.images().len(), 60_000 * 784);
    assert_eq!(train.classes(), 10);
    let counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949];
    assert_eq!(class_counts(&train), counts);
    assert_eq!(train.labels()[..8], [5, 0, 4, 1, 9, 2, 1, 3]);
    assert_eq!(train.image(59_999), &train.images()[59_999 * 784..]);
    // The top left corner of every image is paper, and every image has ink.
    assert!((0..train.len()).all(|i| train.image(i)[0] == 0));
    assert!((0..train.len()).all(|i| train.image(i).iter().any(|&pixel| pixel > 127)));
}

#[test]
fn test() {
    let test = map(Part::Test);
    assert_eq!((test.len(), test.rows(), test.cols()), (10_000, 28, 28));
    assert_eq!(class_counts(&test), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    assert_eq!(test.labels()[..8], [7, 2, 1, 0, 4, 1, 4, 9]);
}

#[test]
fn a_map_and_a_read_agree() {
    for part in [Part::Train, Part::Test] {
        let mapped = map(part);
        let read = Dataset::read_dir(data(), part).unwrap();
        assert!(!read.images_file().is_mapped());
        assert_eq!(mapped.images_file().header(), read.images_file().header());
        // Without assert_eq, which would print both.
        assert!(mapped.images() == read.images());
        assert!(mapped.labels() == read.labels());
    }
}

#[test]
fn a_part_as_gzip_reads_the_same() {
    let test = map(Part::Test);
    let count = 200;
    let images =
        [&[0, 0, 8, 3, 0, 0, 0, 200, 0, 0, 0, 28, 0, 0, 0, 28], &test.images()[..count * 784]];
    let labels = [&[0, 0, 8, 1, 0, 0, 0, 200], &test.labels()[..count]];

    let dir = tempfile::tempdir().unwrap();
    for (name, content) in [
        ("t10k-images-idx3-ubyte.gz", images.concat()),
        ("t10k-labels-idx1-ubyte.gz", labels.concat()),
    ] {
        let file = File::create(dir.path().join(name)).unwrap();
        let mut encoder = GzEncoder::new(file, Compression::default());
        std::io::Write::write_all(&mut encoder, &content).unwrap();
        encoder.finish().unwrap();
    }
    let read = Dataset::read_dir(dir.path(), Part::Test).unwrap();
    // SAFETY: the folder is this test's own.
    let access = unsafe { Access::map() };
    let mapped = Dataset::open_dir(dir.path(), Part::Test, access).unwrap();
    for dataset in [read, mapped] {
        assert_eq!((dataset.len(), dataset.features()), (count, 784));
        assert!(!dataset.images_file().is_mapped());
        assert!(dataset.images() == &test.images()[..count * 784]);
        assert_eq!(dataset.labels(), &test.labels()[..count]);
    }
}

#[test]
fn a_file_cut_short_is_named() {
    let whole = fs::read(data().join("t10k-labels-idx1-ubyte")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t10k-labels-idx1-ubyte");
    fs::write(&path, &whole[..5000]).unwrap();
    assert_eq!(
        IdxFile::read(&path).unwrap_err().to_string(),
        format!(
            "{}: at byte 8: found 4992 bytes of elements, expected 10000 (10000 u8); \
             the file is cut short: fetch it again",
            path.display()
        )
    );
}

#[test]
fn labels_as_f64() {
    let file = IdxFile::read(data().join("t10k-labels-idx1-ubyte")).unwrap();
    assert_eq!(file.header().dtype(), Dtype::U8);
    assert_eq!(file.header().dims(), [10_000]);
    assert_eq!(file.to_f64()[..4], [7.0, 2.0, 1.0, 0.0]);
    assert_eq!(file.as_u8().unwrap().len(), 10_000);
}
