//! Folders of pictures as samples.

use std::fs;
use std::path::Path;

use mnist_io::{Features, ImageSize, Part, Request, Samples, Targets, find_source};

/// A picture of one grey, as a file.
fn pgm(rows: usize, cols: usize, grey: u8) -> Vec<u8> {
    [format!("P5 {cols} {rows} 255\n").as_bytes(), &vec![grey; rows * cols]].concat()
}

type File<'a> = (&'a str, Vec<u8>);

/// Writes the files; a name that ends in a slash is that of a folder.
fn write(dir: &Path, files: &[File<'_>]) {
    for (name, bytes) in files {
        let path = dir.join(name);
        fs::create_dir_all(if name.ends_with('/') { &path } else { path.parent().unwrap() })
            .unwrap();
        if !name.ends_with('/') {
            fs::write(path, bytes).unwrap();
        }
    }
}

fn open_part(path: &Path, part: Part, size: Option<ImageSize>) -> Result<Samples, String> {
    let mut request = Request::new(path, part);
    request.size = size;
    let samples = find_source(path).and_then(|source| source.open(&request));
    samples.map_err(|error| {
        let text = error.to_string();
        assert!(!text.contains('\n'), "{text}");
        text.replace(path.to_str().unwrap(), "DIR").replace('\\', "/")
    })
}

fn open(files: &[File<'_>], part: Part, size: Option<ImageSize>) -> Result<Samples, String> {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), files);
    open_part(dir.path(), part, size)
}

/// The first pixel of each image, the labels and the names of the classes.
fn contents(samples: &Samples) -> (Vec<u8>, Vec<u8>, Vec<String>) {
    let Features::Bytes(pixels) = samples.features() else { panic!("{samples:?}") };
    let first = pixels.chunks_exact(samples.width()).map(|image| image[0]).collect();
    let Targets::Classes(classes) = samples.targets() else { panic!() };
    (first, classes.labels().to_vec(), classes.names().unwrap().names.clone())
}

#[test]
fn a_folder_for_each_class() {
    let files = [
        ("10/a.pgm", pgm(3, 2, 4)),
        ("9/b.PGM", pgm(3, 2, 3)),
        ("9/a.pgm", pgm(3, 2, 2)),
        // A picture without a name that says so, and files that are none.
        ("2/scan", pgm(3, 2, 1)),
        ("2/.hidden.pgm", b"damaged".to_vec()),
        ("2/Thumbs.db", vec![0xd0, 0xcf]),
        ("2/notes.txt", b"P is for picture".to_vec()),
        (".git/x.pgm", pgm(3, 2, 9)),
        ("__MACOSX/9/._a.pgm", pgm(3, 2, 9)),
        ("README.md", b"# Digits".to_vec()),
    ];
    let samples = open(&files, Part::Train, None).unwrap();
    assert_eq!(samples.image_size(), Some(ImageSize { rows: 3, cols: 2 }));
    // As numbers, 2 is before 10.
    let names = ["2", "9", "10"].map(String::from).to_vec();
    assert_eq!(contents(&samples), (vec![1, 2, 3, 4], vec![0, 1, 1, 2], names));
    // As text it is not.
    let samples = open(&[&files[..], &[("b/a.pgm", pgm(3, 2, 5))]].concat(), Part::Train, None);
    let names = ["10", "2", "9", "b"].map(String::from).to_vec();
    assert_eq!(contents(&samples.unwrap()), (vec![4, 1, 2, 3, 5], vec![0, 1, 2, 2, 3], names));
}

#[test]
fn parts_have_the_same_labels() {
    for (train, test) in
        [("train", "test"), ("Training", "testing"), ("train", "val"), ("train", "valid")]
    {
        let file = |part: &str, name: &str| format!("set/{part}/{name}");
        let names = [
            file(train, "a/1.pgm"),
            file(train, "c/1.pgm"),
            file(test, "b/1.pgm"),
            file(test, "c/1.pgm"),
        ];
        let files: Vec<_> =
            names.iter().zip(1..).map(|(name, grey)| (&**name, pgm(1, 1, grey))).collect();
        let names = ["a", "b", "c"].map(String::from).to_vec();
        let samples = open(&files, Part::Train, None).unwrap();
        assert_eq!(contents(&samples), (vec![1, 2], vec![0, 2], names.clone()));
        let samples = open(&files, Part::Test, None).unwrap();
        assert_eq!(contents(&samples), (vec![3, 4], vec![1, 2], names));
    }
    // A test set has precedence over a validation set.
    let both = [
        ("train/a/1.pgm", pgm(1, 1, 1)),
        ("val/a/1.pgm", pgm(1, 1, 2)),
        ("test/a/1.pgm", pgm(1, 1, 3)),
    ];
    assert_eq!(contents(&open(&both, Part::Test, None).unwrap()).0, [3]);
    // Pictures of trains and of tests are classes.
    let classes = [("train/1.pgm", pgm(1, 1, 1)), ("test/1.pgm", pgm(1, 1, 2))];
    assert_eq!(contents(&open(&classes, Part::Train, None).unwrap()).2, ["test", "train"]);
}

#[test]
fn pictures_get_one_size() {
    let size = |rows: usize, cols: usize| Some(ImageSize { rows, cols });
    let files =
        [("a/1.pgm", pgm(5, 5, 10)), ("a/2.pgm", pgm(5, 5, 20)), ("b/1.pgm", pgm(5, 6, 30))];
    let alike = open(&files[..2], Part::Train, None).unwrap();
    assert_eq!(alike.image_size(), size(5, 5));
    let mixed = open(&files, Part::Train, None).unwrap();
    assert_eq!(mixed.image_size(), size(28, 28));
    assert_eq!(contents(&mixed).0, [10, 20, 30]);
    assert_eq!(open(&files, Part::Train, size(7, 3)).unwrap().image_size(), size(7, 3));
    // As many inputs as photos have would be too many.
    let large = open(&[("a/1.pgm", pgm(256, 257, 1))], Part::Train, None).unwrap();
    assert_eq!(large.image_size(), size(28, 28));
    let common = open(&[("a/1.pgm", pgm(256, 256, 1))], Part::Train, None).unwrap();
    assert_eq!(common.image_size(), size(256, 256));
}

#[test]
fn folders_that_are_no_data() {
    let (a, b) = (("a/1.pgm", pgm(1, 1, 1)), ("b/1.pgm", pgm(1, 1, 1)));
    let many: Vec<_> = (0..257).map(|class| format!("{class}/1.pgm")).collect();
    let many: Vec<File<'_>> = many.iter().map(|name| (&**name, pgm(1, 1, 1))).collect();
    let png = |bytes: &[u8]| ("b/2.png", bytes.to_vec());
    for (what, files, part, words) in [
        (
            "no test set",
            vec![a.clone()],
            Part::Test,
            "DIR: found no folder test or testing or valid or val or validation that has folders of classes, expected one for testing",
        ),
        (
            "only a test set",
            vec![("test/a/1.pgm", pgm(1, 1, 1))],
            Part::Train,
            "DIR: found no folder train or training that has folders of classes, expected one for training",
        ),
        (
            "empty classes",
            vec![a.clone(), ("c/", vec![]), ("b/x.txt", vec![])],
            Part::Train,
            "DIR/b, DIR/c: found no picture, expected at least one for each class; put pictures there, or remove the folder",
        ),
        (
            "a damaged picture",
            vec![a.clone(), b.clone(), png(b"\x89PNG\r\n\x1a\n")],
            Part::Train,
            "DIR/b/2.png: found a damaged PNG file (",
        ),
        (
            "an empty file",
            vec![a.clone(), png(b"")],
            Part::Train,
            "DIR/b/2.png: found an empty file, expected a picture: PNG, JPEG, PGM, PPM or PBM",
        ),
        (
            "text",
            vec![a.clone(), png(b"hello")],
            Part::Train,
            "DIR/b/2.png: found text, expected a picture",
        ),
        (
            "a GIF",
            vec![a.clone(), ("b/1.gif", b"GIF89a".to_vec())],
            Part::Train,
            "DIR/b/1.gif: found a GIF image, expected a picture: PNG, JPEG, PGM, PPM or PBM; save it as PNG or JPEG",
        ),
        (
            "a folder in a class",
            vec![a, ("b/c/1.pgm", pgm(1, 1, 1))],
            Part::Train,
            "DIR/b/c: found a folder in that of a class, expected a folder of pictures that has the name of their class; move or rename it",
        ),
        (
            "too many classes",
            many,
            Part::Train,
            "DIR: found 257 folders of classes, expected no more than 256; is this the folder above the classes?",
        ),
        (
            "pictures without classes",
            vec![("1.pgm", pgm(1, 1, 1))],
            Part::Train,
            "DIR: found no data in a known format, expected a folder with the files of MNIST, such as train-images-idx3-ubyte, raw or with .gz at the end (IDX), or a folder with a folder of pictures for each class, such as 7/scan.png (pictures); check the path",
        ),
        (
            "folders without pictures",
            vec![("a/x.txt", vec![]), ("b/", vec![])],
            Part::Train,
            "DIR: found no data in a known format, ",
        ),
    ] {
        let text = open(&files, part, None).err().unwrap_or_else(|| panic!("{what} is read"));
        assert!(text.starts_with(words), "{what}: {text}");
    }
}

#[test]
fn a_picture_itself_is_no_data() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("a/1.pgm", pgm(1, 1, 1))]);
    let text = open_part(&dir.path().join("a/1.pgm"), Part::Train, None).unwrap_err();
    assert!(text.starts_with("DIR: found a PGM image, expected a folder with "), "{text}");
    let advice = "; put pictures into a folder for each class, and pass the folder above";
    assert!(text.ends_with(advice), "{text}");
}

#[test]
#[cfg(unix)]
fn a_class_without_a_name_that_can_be_written() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let dir = tempfile::tempdir().unwrap();
    let class = dir.path().join(OsStr::from_bytes(b"a\nb"));
    fs::create_dir(&class).unwrap();
    fs::write(class.join("1.pgm"), pgm(1, 1, 1)).unwrap();
    let request = Request::new(dir.path(), Part::Train);
    let error = find_source(dir.path()).unwrap().open(&request).unwrap_err();
    assert!(matches!(error, mnist_io::Error::ClassFolder { .. }), "{error}");
}
