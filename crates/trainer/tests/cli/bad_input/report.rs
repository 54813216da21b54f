//! `report`: what is no run, and what would be lost.

use std::fs;

use super::{FAILED, USAGE, check};

#[test]
fn reports() {
    let dir = crate::data::folder();
    let path = dir.path();
    crate::succeed(path, "--hidden 3 --epochs 1 --quiet --out run");
    fs::write(path.join("mine.html"), "<p>mine</p>").unwrap();
    fs::create_dir(path.join("folder")).unwrap();
    fs::create_dir(path.join("site")).unwrap();
    fs::write(path.join("site/report.html"), "<p>mine</p>").unwrap();
    check(
        path,
        FAILED,
        &[
            (
                "a folder without a run",
                "report folder",
                "folder is no run: name the directory of a run, which has the config.toml of the run",
            ),
            (
                "no folder",
                "report run none",
                "none is no run: name the directory of a run, which has the config.toml of the run",
            ),
            ("no data", "report run --data none", "none: no such folder…"),
            ("data that are none", "report run --data mine.html", "mine.html: line 1: found…"),
        ],
    );
    let many = format!("report{}", " run".repeat(25));
    let many: &'static str = many.leak();
    check(
        path,
        USAGE,
        &[
            (
                "a file of the user",
                "report run --out mine.html",
                "mine.html is there and is no report: name another file with --out",
            ),
            (
                "a folder",
                "report run --out folder",
                "folder is there and is no report: name another file with --out",
            ),
            (
                "a run where a page of the user is",
                "--epochs 1 --out site",
                "site has a report.html of yours, which is no file of a run: name a new or empty directory with --out",
            ),
            (
                "no thread",
                "report run --threads 0",
                "--threads is 0: expected a whole number from 1 to 1024",
            ),
            (
                "too many runs",
                many,
                "found 25 runs, and a page compares at most 24, so that their lines look different: name fewer (try --help)",
            ),
        ],
    );
}
