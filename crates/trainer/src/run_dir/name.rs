//! The name of a run's directory that the user has not named.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::Error;

/// Directory of runs without `--out`.
pub(crate) const RUNS: &str = "runs";

/// A new directory `runs/<name>-<UTC time>`.
pub(super) fn make(name: &str, now: SystemTime) -> Result<PathBuf, Error> {
    make_new(Path::new(RUNS), &format!("{name}-{}", utc(now)))
}

/// A new directory `name` in `parent`, or `name-2`, `name-3`, ... if `name` exists.
/// Of several processes that want the same name, each gets its own.
fn make_new(parent: &Path, name: &str) -> Result<PathBuf, Error> {
    fs::create_dir_all(parent).map_err(Error::io("make the directory", parent))?;
    let mut path = parent.join(name);
    let mut number = 1;
    loop {
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                number += 1;
                path = parent.join(format!("{name}-{number}"));
            }
            Err(error) => return Err(Error::io("make the directory", &path)(error)),
        }
    }
}

/// `name` as part of the name of a directory. It may come from a file, so it must not
/// lead out of `runs`.
pub(super) fn slug(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let slug = name.chars().map(|c| if plain(c) { c } else { '-' });
    slug.take(64).collect()
}

/// `time` in UTC as `YYYYMMDD-HHMMSS`.
fn utc(time: SystemTime) -> String {
    let [year, month, day, hour, minute, second] = parts(time);
    format!("{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}")
}

/// `time` in UTC as RFC 3339 has it: `2026-11-25T20:05:18Z`.
pub(crate) fn timestamp(time: SystemTime) -> String {
    let [year, month, day, hour, minute, second] = parts(time);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Year, month, day, hour, minute and second in UTC.
fn parts(time: SystemTime) -> [u64; 6] {
    // A clock before 1970 is wrong anyway, and a name need only be a name.
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |t| t.as_secs());
    let (year, month, day) = date(seconds / 86_400);
    [year, month, day, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60]
}

/// Year, month and day, `days` days after 1 January 1970.
///
/// This is `civil_from_days` of Howard Hinnant's "chrono-Compatible Low-Level
/// Date Algorithms". Its years begin in March, so that the leap day is the last
/// of a year and the lengths of months follow one rule, 153 days in five months;
/// the calendar repeats every 400 years (an era) of 146,097 days.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468; // From 1 March of the year 0 to 1 January 1970.
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    // Leap days taken out: one in 4 years, but for one in 100, and for 400.
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let months_since_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * months_since_march + 2) / 5 + 1;
    let month = (months_since_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn known_times() {
        // From `date -u -d @SECONDS +%Y%m%d-%H%M%S`.
        for (seconds, expected) in [
            (0, "19700101-000000"),
            (86_399, "19700101-235959"),
            (951_782_400, "20000229-000000"),
            (951_868_800, "20000301-000000"),
            (1_709_164_800, "20240229-000000"),
            (1_735_689_599, "20241231-235959"),
            (1_735_689_600, "20250101-000000"),
            (4_107_542_400, "21000301-000000"),
            (13_574_563_200, "24000229-000000"),
        ] {
            let time = UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(utc(time), expected);
            let digits = |text: &str| text.replace(|c: char| !c.is_ascii_digit(), "");
            let stamp = timestamp(time);
            assert_eq!((digits(&stamp), stamp.len()), (digits(expected), 20), "{stamp}");
        }
    }

    /// Five centuries, day by day, beside a calendar that only counts.
    #[test]
    fn every_date_follows_the_one_before() {
        let leap = |y: u64| y.is_multiple_of(4) && !y.is_multiple_of(100) || y.is_multiple_of(400);
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for days in 0..500 * 365 {
            assert_eq!(date(days), (year, month, day));
            let length = match month {
                2 => 28 + u64::from(leap(year)),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            day += 1;
            if day > length {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
    }

    #[test]
    fn names_stay_in_their_directory() {
        assert_eq!(slug("article"), "article");
        assert_eq!(slug("../../etc/x y"), "------etc-x-y");
        assert_eq!(slug(&"a".repeat(1000)).len(), 64);
    }

    #[test]
    fn a_name_that_is_taken_gets_a_number() {
        let dir = tempfile::tempdir().unwrap();
        let parent = dir.path().join("runs");
        for expected in ["x", "x-2", "x-3"] {
            let path = make_new(&parent, "x").unwrap();
            assert_eq!(path, parent.join(expected));
            assert!(path.is_dir());
        }
    }
}
