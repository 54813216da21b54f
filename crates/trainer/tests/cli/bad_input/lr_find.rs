//! `lr-find`: ranges that are none, and a picture that has no place.

use std::fs;

use super::{USAGE, check};

#[test]
fn ranges_and_pictures() {
    let dir = crate::data::folder();
    fs::create_dir(dir.path().join("folder")).unwrap();
    check(
        dir.path(),
        USAGE,
        &[
            (
                "a range that falls",
                "lr-find --from 1 --to 0.1",
                "--from 1 is not below --to 0.1: name a range of rates that rises (try --help)",
            ),
            (
                "a rate of 0",
                "lr-find --from 0",
                "invalid value '0' for '--from <RATE>': expected a finite number above 0, such as 1e-7 (try --help)",
            ),
            (
                "a rate below 0",
                "lr-find --to -1",
                "invalid value '-1' for '--to <RATE>': expected a finite number above 0, such as 1e-7 (try --help)",
            ),
            (
                "few steps",
                "lr-find --steps 5",
                "invalid value '5' for '--steps <N>': expected a whole number from 20 to 100000 (try --help)",
            ),
            (
                "a picture that is a folder",
                "lr-find --plot folder",
                "--plot folder is no file in a folder that exists: name one, such as lr.svg (try --help)",
            ),
            (
                "a picture in no folder",
                "lr-find --plot none/lr.svg",
                "--plot none/lr.svg is no file in a folder that exists: name one, such as lr.svg (try --help)",
            ),
            (
                "two forms",
                "lr-find --csv --json",
                "the argument '--csv' cannot be used with '--json' (try --help)",
            ),
            (
                "threads",
                "doctor --threads 0",
                "--threads is 0: expected a whole number from 1 to 1024",
            ),
        ],
    );
}
