//! The table `[sweep]` of a sweep's file: how the search goes.

use std::time::Duration;

use toml::{Table, Value};

use crate::error::{Error, Refused};
use crate::settings::{Given, Interval, Kind, Setting, nearest_names};

/// How trials are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// Every combination of the lists.
    Grid,
    Random,
    /// Successive halving: many trials are trained a little, and the best ones go on.
    Halving,
}

/// The figure that says which trial is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Metric {
    Accuracy,
    Loss,
    Rmse,
}

/// What is held out of the samples to judge a trial by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum HeldOut {
    Folds(usize),
    Share(f64),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plan {
    /// `None`: a grid if every setting has a list, otherwise random.
    pub(super) method: Option<Method>,
    /// `None`: accuracy of classes, RMSE of numbers.
    pub(super) metric: Option<Metric>,
    pub(super) trials: Option<usize>,
    pub(super) seed: u64,
    pub(super) held_out: Option<HeldOut>,
    pub(super) budget: Option<Duration>,
    /// Of this many trials of a rung one goes on.
    pub(super) eta: usize,
    /// Epochs of the first rung at least.
    pub(super) min_epochs: usize,
}

/// The most trials of a sweep.
pub(super) const MOST_TRIALS: usize = 10_000;

const METHODS: &[&str] = &["grid", "random", "halving"];
const METRICS: &[&str] = &["accuracy", "loss", "rmse"];

/// The keys, as the settings of a recipe are described.
static KEYS: [Setting; 9] = [
    Setting { key: "method", kind: Kind::Name(METHODS), example: "halving", ..Setting::PLAIN },
    Setting { key: "metric", kind: Kind::Name(METRICS), example: "loss", ..Setting::PLAIN },
    Setting {
        key: "trials",
        kind: Kind::Count(1, MOST_TRIALS as i64),
        example: "30",
        ..Setting::PLAIN
    },
    Setting { key: "seed", kind: Kind::Count(0, i64::MAX), example: "1", ..Setting::PLAIN },
    Setting { key: "folds", kind: Kind::Count(2, 100), example: "3", ..Setting::PLAIN },
    Setting {
        key: "validation",
        kind: Kind::Double(Interval::ProperShare),
        example: "0.2",
        ..Setting::PLAIN
    },
    Setting { key: "budget", kind: Kind::Text, example: "10m", ..Setting::PLAIN },
    Setting { key: "eta", kind: Kind::Count(2, 100), example: "3", ..Setting::PLAIN },
    Setting { key: "min-epochs", kind: Kind::Count(1, 1_000_000), example: "1", ..Setting::PLAIN },
];

impl Method {
    pub(super) fn name(self) -> &'static str {
        METHODS[self as usize]
    }
}

impl Metric {
    pub(super) fn name(self) -> &'static str {
        METRICS[self as usize]
    }
}

impl Default for Plan {
    fn default() -> Self {
        let (method, metric, trials, held_out, budget) = (None, None, None, None, None);
        Self { method, metric, trials, seed: 1, held_out, budget, eta: 3, min_epochs: 1 }
    }
}

impl Plan {
    /// Reads the keys of the table, each with what errors call its value and its text.
    pub(super) fn read<'a>(
        keys: impl Iterator<Item = (&'a str, &'a Value, Given)>,
    ) -> Result<Self, Error> {
        let mut plan = Self::default();
        let mut of_halving = None;
        for (name, value, given) in keys {
            let names: Vec<_> = KEYS.iter().map(|key| key.key).collect();
            let Some(key) = KEYS.iter().find(|key| key.key == name) else {
                let near = nearest_names(name, &names);
                let message = match near.first() {
                    Some(near) => format!("there is no key `{name}`: did you mean `{near}`?"),
                    None => format!(
                        "there is no key `{name}`: expected one of {} in `sweep`",
                        names.join(", ")
                    ),
                };
                let what = given.what.trim_end_matches(&format!(": sweep.{name}")).to_owned();
                return Err(Error::Key { what, message });
            };
            key.check(value, &given)?;
            let text = value.as_str().unwrap_or_default();
            let count = value.as_integer().unwrap_or_default() as usize;
            let method = [Method::Grid, Method::Random, Method::Halving];
            let metric = [Metric::Accuracy, Metric::Loss, Metric::Rmse];
            match name {
                "method" => plan.method = method.into_iter().find(|known| known.name() == text),
                "metric" => plan.metric = metric.into_iter().find(|known| known.name() == text),
                "trials" => plan.trials = Some(count),
                "seed" => plan.seed = count as u64,
                "folds" | "validation" if plan.held_out.is_some() => {
                    let reason = "there are folds and validation, expected one of them".to_owned();
                    return Err(Refused { what: given.what, found: given.found, reason }.into());
                }
                "folds" => plan.held_out = Some(HeldOut::Folds(count)),
                "validation" => {
                    let share = value.as_float().unwrap_or_default();
                    plan.held_out = Some(HeldOut::Share(share));
                }
                "budget" => plan.budget = Some(budget(text, &given.what)?),
                "eta" => plan.eta = count,
                _ => plan.min_epochs = count,
            }
            if matches!(name, "eta" | "min-epochs") {
                of_halving = Some(given);
            }
        }
        match of_halving {
            Some(Given { what, found, .. }) if plan.method != Some(Method::Halving) => {
                let reason = "it is for the method halving: leave it out".to_owned();
                Err(Refused { what, found, reason }.into())
            }
            _ => Ok(plan),
        }
    }

    /// As a table that [`read`](Self::read) reads.
    pub(super) fn table(&self) -> Table {
        let mut table = Table::new();
        let mut add = |key: &str, value: Value| drop(table.insert(key.to_owned(), value));
        if let Some(method) = self.method {
            add("method", method.name().into());
        }
        if let Some(metric) = self.metric {
            add("metric", metric.name().into());
        }
        if let Some(trials) = self.trials {
            add("trials", (trials as i64).into());
        }
        add("seed", (self.seed as i64).into());
        match self.held_out {
            Some(HeldOut::Folds(count)) => add("folds", (count as i64).into()),
            Some(HeldOut::Share(share)) => add("validation", share.into()),
            None => (),
        }
        if let Some(budget) = self.budget {
            add("budget", format!("{}s", budget.as_secs().max(1)).into());
        }
        if self.method == Some(Method::Halving) {
            add("eta", (self.eta as i64).into());
            add("min-epochs", (self.min_epochs as i64).into());
        }
        table
    }

    /// The epochs at which trials are compared, ascending; the last is `epochs`. One of `eta`
    /// goes on from one to the next, so that each costs about the same.
    pub(super) fn rungs(&self, epochs: usize) -> Vec<usize> {
        if self.method != Some(Method::Halving) {
            return vec![epochs];
        }
        let divided = |rung: &usize| Some(rung / self.eta);
        let rungs = std::iter::successors(Some(epochs), divided);
        let mut rungs: Vec<usize> = rungs.take_while(|rung| *rung >= self.min_epochs).collect();
        rungs.dedup();
        rungs.reverse();
        if rungs.is_empty() { vec![epochs] } else { rungs }
    }
}

/// Reads a time such as 30s, 10m, 2h or 1h30m. Errors call it `what`.
pub(super) fn budget(text: &str, what: &str) -> Result<Duration, Refused> {
    const MOST: u64 = 366 * 24 * 3600;
    let refused = |reason: &str| Refused {
        what: what.to_owned(),
        found: if text.trim().is_empty() { "empty".to_owned() } else { text.to_owned() },
        reason: reason.to_owned(),
    };
    const EXPECTED: &str = "expected a time above 0, such as 30s, 10m, 2h or 1h30m";
    let (mut seconds, mut digits) = (0u64, String::new());
    for letter in text.trim().to_ascii_lowercase().chars() {
        let unit = match letter {
            '0'..='9' => {
                digits.push(letter);
                continue;
            }
            's' => 1,
            'm' => 60,
            'h' => 3600,
            _ => return Err(refused(EXPECTED)),
        };
        let count = if digits.is_empty() { None } else { Some(digits.parse::<u64>()) };
        let count = count.ok_or_else(|| refused(EXPECTED))?.unwrap_or(u64::MAX);
        seconds = seconds.saturating_add(count.saturating_mul(unit));
        digits.clear();
    }
    if !digits.is_empty() || seconds == 0 {
        return Err(refused(EXPECTED));
    }
    if seconds > MOST {
        return Err(refused("expected a year at most"));
    }
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets() {
        for (text, expected) in
            [("30s", 30), ("10m", 600), (" 2H ", 7200), ("1h30m", 5400), ("8784h", 31_622_400)]
        {
            assert_eq!(budget(text, "x").unwrap().as_secs(), expected, "{text}");
        }
        for wrong in ["", "0", "0s", "10", "m", "1.5h", "-1s", "10m5", "1d", "ten"] {
            let error = budget(wrong, "--budget").unwrap_err().to_string();
            assert!(error.contains("expected a time above 0"), "{wrong}: {error}");
        }
        for wrong in ["8785h", "99999999999999999999999h", "18446744073709551615m5s"] {
            let error = budget(wrong, "--budget").unwrap_err().to_string();
            assert!(error.ends_with("expected a year at most"), "{wrong}: {error}");
        }
    }

    #[test]
    fn rungs_end_with_all_epochs() {
        let rungs = |epochs, eta, min_epochs| {
            let method = Some(Method::Halving);
            Plan { method, eta, min_epochs, ..Plan::default() }.rungs(epochs)
        };
        assert_eq!(rungs(27, 3, 1), [1, 3, 9, 27]);
        assert_eq!(rungs(10, 3, 1), [1, 3, 10]);
        assert_eq!(rungs(10, 2, 2), [2, 5, 10]);
        assert_eq!(rungs(1, 3, 1), [1]);
        assert_eq!(rungs(5, 2, 6), [5]);
        assert_eq!(Plan::default().rungs(27), [27]);
    }
}
