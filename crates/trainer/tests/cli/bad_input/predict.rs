//! What cannot be predicted.

use std::fs;

use super::{FAILED, USAGE, check};
use crate::data::pgm;

#[test]
fn inputs() {
    let dir = crate::data::folder();
    let write = |name: &str, bytes: &[u8]| fs::write(dir.path().join(name), bytes).unwrap();
    write("iris.csv", crate::data::table("iris.csv").as_bytes());
    write("a.pgm", &pgm(28, &[0; 784]));
    write("cut.pgm", &pgm(28, &[0; 784])[..99]);
    write("raw", &[0; 1000]);
    write("bytes", &[7, 1, 255, 0, 3, 200]);
    write("short.csv", b"sepal length (cm),target\n1,setosa\n");
    fs::create_dir(dir.path().join("empty")).unwrap();
    crate::data::write(&dir.path().join("small"), 10);
    crate::succeed(dir.path(), "iris.csv --target target --epochs 1 --quiet --out table");
    crate::succeed(dir.path(), "--recipe plain --hidden 3 --epochs 1 --quiet --out images");
    check(
        dir.path(),
        FAILED,
        &[
            (
                "a picture for a model of a table",
                "predict --model table a.pgm",
                "a.pgm: found images, and table takes rows of a table: name a CSV file",
            ),
            (
                "IDX for a model of a table",
                "predict --model table data/t10k-images-idx3-ubyte",
                "data/t10k-images-idx3-ubyte: found images, and table takes rows of a table: name \
                 a CSV file",
            ),
            (
                "a table for a model of images",
                "predict --model images iris.csv",
                "iris.csv: found a table, and images takes images: name pictures or IDX images",
            ),
            (
                "a table to judge a model of images by",
                "eval --model images iris.csv",
                "iris.csv: found a table, and images takes images: name pictures or IDX images",
            ),
            (
                "columns that are not there",
                "predict --model table short.csv",
                "short.csv: line 1: found no column `sepal width (cm)` …",
            ),
            (
                "a byte too many",
                "predict --model images raw --format raw",
                "raw: found 1000 bytes: expected a whole number of images of 784 bytes each",
            ),
            (
                "no format",
                "predict --model images bytes",
                "bytes: found no format that images takes: expected a picture (PNG, JPEG, PGM, \
                 PPM) or IDX images; for pixels without a header write --format raw",
            ),
            (
                "a folder without pictures",
                "predict --model images empty",
                "empty: found no picture in this folder: expected PNG, JPEG, PGM or PPM files",
            ),
            ("a damaged picture", "predict --model images cut.pgm", "cut.pgm: …"),
            ("no such file", "predict --model images none", "cannot read none: …"),
            ("no such model", "predict --model none a.pgm", "cannot read the model none: …"),
            (
                "images of another size",
                "predict --model images small/t10k-images-idx3-ubyte",
                "images takes images of 784 pixels and those in small/t10k-images-idx3-ubyte are \
                 10 x 10: expected images of the size that it was trained on",
            ),
            (
                "a folder for the answers",
                "predict --model images a.pgm --output empty",
                "cannot write …",
            ),
        ],
    );
    check(
        dir.path(),
        USAGE,
        &[
            (
                "all probabilities as text",
                "predict --model images a.pgm --proba",
                "--proba needs --json or --csv; --top 10 prints more classes as text (try --help)",
            ),
            (
                "some probabilities as CSV",
                "predict --model images a.pgm --csv --top 2",
                "--top cannot be used with --csv; --proba prints all probabilities (try --help)",
            ),
            (
                "JSON and CSV",
                "predict --model images a.pgm --json --csv",
                "the argument '--json' cannot be used with '--csv' (try --help)",
            ),
            (
                "no class",
                "predict --model images a.pgm --top 0",
                "invalid value '0' for '--top <K>': 0 is not in 1..=65535 (try --help)",
            ),
            (
                "drawing a row",
                "predict --model table iris.csv --show",
                "--show draws images: the model takes rows of a table (try --help)",
            ),
            (
                "no such format",
                "predict --model images a.pgm --format pgm",
                "invalid value 'pgm' for '--format <FORMAT>': [possible values: auto, picture, \
                 idx, table, raw] (try --help)",
            ),
            (
                "no model",
                "predict a.pgm",
                "the following required arguments were not provided: --model <MODEL> (try --help)",
            ),
            (
                "a model without its flag",
                "predict table/model.safetensors iris.csv",
                "unexpected word 'table/model.safetensors': did you mean --model \
                 table/model.safetensors? (try --help)",
            ),
            (
                "nothing to inspect",
                "inspect",
                "the following required arguments were not provided: <PATH> (try --help)",
            ),
        ],
    );
}
