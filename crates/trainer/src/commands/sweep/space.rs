//! What is tried: a list or a range for each setting, and the trials that come of them.

use std::collections::{BTreeMap, BTreeSet};

use kernels::{Isa, Stream, uniform};
use toml::{Table, Value};

use super::plan::MOST_TRIALS;
use crate::settings::number_text;

/// The settings that differ between trials.
#[derive(Clone, Debug)]
pub(super) struct Space {
    pub(super) dimensions: Vec<Dimension>,
}

/// What is tried of one setting.
#[derive(Clone, Debug)]
pub(super) struct Dimension {
    pub(super) key: String,
    /// Its flag, or its key if it has none.
    pub(super) name: String,
    pub(super) values: Values,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Values {
    /// Texts, as `--set` takes them.
    List(Vec<String>),
    /// Both ends are included.
    Range { from: f64, to: f64, log: bool, whole: bool },
}

/// Settings of a trial by key, as `--set` takes them.
pub(super) type Settings = BTreeMap<String, String>;

/// Draws of one trial before one is taken that another trial has.
const MOST_DRAWS: u32 = 1000;

impl Space {
    /// All combinations, if they can be counted; the last setting changes first.
    pub(super) fn combinations(&self) -> Option<usize> {
        self.dimensions.iter().try_fold(1usize, |product, dimension| match &dimension.values {
            Values::List(texts) => product.checked_mul(texts.len()),
            Values::Range { .. } => None,
        })
    }

    /// Every combination of the lists, each once.
    pub(super) fn grid(&self) -> Vec<Settings> {
        let mut grid = vec![Settings::new()];
        for Dimension { key, values, .. } in &self.dimensions {
            let Values::List(texts) = values else { continue };
            let with = |one: &Settings, text: &String| {
                let mut one = one.clone();
                one.insert(key.clone(), text.clone());
                one
            };
            grid =
                grid.iter().flat_map(|one| texts.iter().map(move |text| with(one, text))).collect();
        }
        grid
    }

    /// `count` random trials, or all combinations if there are no more. A trial is a function of
    /// the seed and its index: more trials keep the first ones. No two are the same, as long as
    /// that can be had.
    pub(super) fn random(&self, count: usize, seed: u64, isa: Isa) -> Vec<Settings> {
        let count = self.combinations().map_or(count, |all| count.min(all));
        let mut trials: Vec<Settings> = Vec::with_capacity(count);
        let mut taken = BTreeSet::new();
        for index in 0..count as u32 {
            let mut drawn = (0..MOST_DRAWS).map(|draw| self.draw(seed, index, draw, isa));
            let new = drawn.find(|drawn| !taken.contains(drawn));
            let trial = new.or_else(|| self.first_but(&taken));
            let trial = trial.unwrap_or_else(|| self.draw(seed, index, 0, isa));
            taken.insert(trial.clone());
            trials.push(trial);
        }
        trials
    }

    /// The first combination that is not taken, where there are few: the last ones are hardly
    /// ever drawn.
    fn first_but(&self, taken: &BTreeSet<Settings>) -> Option<Settings> {
        self.combinations().filter(|all| *all <= 2 * MOST_TRIALS)?;
        self.grid().into_iter().find(|one| !taken.contains(one))
    }

    /// A random number is a function of the seed, the trial, the setting and the draw.
    fn draw(&self, seed: u64, index: u32, draw: u32, isa: Isa) -> Settings {
        let value = |Dimension { key, values, .. }: &Dimension| {
            let counter = [index, crc32fast::hash(key.as_bytes()), draw];
            let mut number = [0.0];
            uniform(isa, Stream { seed, counter, first: 0 }, &mut number);
            // From (-1, 1) to (0, 1).
            (key.clone(), values.at(f64::midpoint(number[0].into(), 1.0)))
        };
        self.dimensions.iter().map(value).collect()
    }

    /// As the table `[space]` has it.
    pub(super) fn table(&self) -> Table {
        let mut table = Table::new();
        for Dimension { key, values, .. } in &self.dimensions {
            let value = match values {
                Values::List(texts) => {
                    Value::Array(texts.iter().map(|text| text.as_str().into()).collect())
                }
                Values::Range { from, to, log, whole } => {
                    let end = |end: f64| -> Value {
                        if *whole { (end as i64).into() } else { end.into() }
                    };
                    let scale = if *log { "log" } else { "linear" };
                    Table::from_iter([
                        ("from".to_owned(), end(*from)),
                        ("to".to_owned(), end(*to)),
                        ("scale".to_owned(), scale.into()),
                    ])
                    .into()
                }
            };
            table.insert(key.clone(), value);
        }
        table
    }
}

impl Values {
    /// The value at a share of (0, 1) of the list or the range.
    fn at(&self, share: f64) -> String {
        match self {
            Self::List(texts) => {
                let index = (share * texts.len() as f64) as usize;
                texts[index.min(texts.len() - 1)].clone()
            }
            Self::Range { from, to, log, whole } => {
                let value = match (log, whole) {
                    (true, _) => from * (to / from).powf(share),
                    (false, false) => from + (to - from) * share,
                    (false, true) => (from + (to - from + 1.0) * share).floor(),
                };
                if *whole {
                    (value.round().clamp(*from, *to) as i64).to_string()
                } else {
                    number_text(short(value).clamp(*from, *to))
                }
            }
        }
    }
}

/// A number with four digits: more say nothing, and the last ones of a power differ between
/// systems.
fn short(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space(dimensions: &[(&str, Values)]) -> Space {
        let dimension = |(key, values): &(&str, Values)| {
            let (key, name) = ((*key).to_owned(), (*key).to_owned());
            Dimension { key, name, values: values.clone() }
        };
        Space { dimensions: dimensions.iter().map(dimension).collect() }
    }

    fn list(texts: &[&str]) -> Values {
        Values::List(texts.iter().map(|text| (*text).to_owned()).collect())
    }

    #[test]
    fn a_grid_has_the_product_once() {
        let space = space(&[("a", list(&["1", "2", "3"])), ("b", list(&["x", "y"]))]);
        let grid = space.grid();
        let found: Vec<_> = grid.iter().map(|one| format!("{}{}", one["a"], one["b"])).collect();
        assert_eq!(found, ["1x", "1y", "2x", "2y", "3x", "3y"]);
        assert_eq!(space.combinations(), Some(6));
        // At random they come in another order, and each once, even the last ones of many.
        let isa = Isa::available()[0];
        let mut random = space.random(100, 1, isa);
        assert_ne!(random, grid);
        random.sort();
        assert_eq!(random, grid);
        let texts: Vec<String> = (0..1500).map(|n| n.to_string()).collect();
        let many = Space {
            dimensions: vec![Dimension {
                values: Values::List(texts),
                ..space.dimensions[0].clone()
            }],
        };
        let found: BTreeSet<Settings> = many.random(1500, 1, isa).into_iter().collect();
        assert_eq!(found.len(), 1500);
    }

    #[test]
    fn random_trials_are_functions_of_the_seed() {
        let range = |log| Values::Range { from: 0.001, to: 10.0, log, whole: false };
        let whole = Values::Range { from: 1.0, to: 6.0, log: false, whole: true };
        let space = space(&[("lr", range(true)), ("l2", range(false)), ("n", whole)]);
        let trials = |count, seed| space.random(count, seed, Isa::available()[0]);
        let many = trials(1000, 7);
        assert_eq!(many[..10], trials(10, 7));
        assert_ne!(many[..10], trials(10, 8));
        for isa in Isa::available() {
            assert_eq!(space.random(10, 7, isa), many[..10]);
        }
        let numbers =
            |key: &str| -> Vec<f64> { many.iter().map(|one| one[key].parse().unwrap()).collect() };
        let share = |key: &str, below: f64| {
            numbers(key).iter().filter(|number| **number < below).count() as f64 / 1000.0
        };
        // Two of four powers of ten, and half of the range; four standard deviations are 0.063.
        assert!((share("lr", 0.1) - 0.5).abs() < 0.07 && (share("l2", 5.0) - 0.5).abs() < 0.07);
        for n in 1..=6 {
            let share = share("n", f64::from(n) + 0.5) - share("n", f64::from(n) - 0.5);
            assert!((share - 1.0 / 6.0).abs() < 0.05, "{n}: {share}");
        }
        assert!(numbers("lr").iter().all(|lr| (0.001..=10.0).contains(lr)));
        // Another setting does not change these.
        let mut more = space.clone();
        more.dimensions
            .insert(0, Dimension { key: "z".into(), name: "z".into(), values: list(&["1"]) });
        assert_eq!(more.random(1, 7, Isa::available()[0])[0]["lr"], many[0]["lr"]);
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(short(0.003_162_277_66), 0.003162);
        assert_eq!(short(1234.6), 1235.0);
        let ends = Values::Range { from: 0.1, to: 0.3, log: true, whole: false };
        assert_eq!((&*ends.at(1e-9), &*ends.at(1.0 - 1e-9)), ("0.1", "0.3"));
        // A count has no powers.
        let large = Values::Range { from: 1.0, to: 1e12, log: false, whole: true };
        assert_eq!(large.at(1.0 - 1e-15), "1000000000000");
    }
}
