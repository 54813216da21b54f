//! `--schedule`: the table `training.schedule` of a recipe, on one line.

use nn::Schedule;
use serde::Deserialize;
use toml::{Table, Value};

/// Every kind of schedule.
pub(super) const KINDS: [&str; 8] = [
    "constant",
    "compounding",
    "inverse-time",
    "step",
    "exponential",
    "linear",
    "cosine",
    "one-cycle",
];

/// The parameter of a kind that needs no name on the command line, and an example
/// of its value.
const MAIN_PARAMETERS: [(&str, &str, &str); 5] = [
    ("compounding", "decay", "0.001"),
    ("inverse-time", "decay", "0.01"),
    ("step", "every", "10"),
    ("exponential", "factor", "0.95"),
    ("linear", "from", "0.3"),
];

/// The table that `kind`, `kind:number` or `kind:number,name=number` stands for.
pub(super) fn parse(text: &str) -> Result<Table, String> {
    let (kind, parameters) = text.split_once(':').unwrap_or((text, ""));
    let main = MAIN_PARAMETERS.iter().find(|(known, ..)| *known == kind);
    let mut table = Table::from_iter([("kind".to_owned(), kind.into())]);
    for (i, part) in parameters.split(',').filter(|part| !part.is_empty()).enumerate() {
        let (name, number) = match (part.split_once('='), main) {
            (Some((name, number)), _) => (name.trim(), number.trim()),
            (None, Some((_, name, _))) if i == 0 => (*name, part.trim()),
            (None, _) => return Err(format!("`{part}` has no name: write NAME={part}")),
        };
        // Every finite number of TOML is one of these.
        let value = match (number.parse::<i64>(), number.parse::<f64>()) {
            (Ok(number), _) => Value::from(number),
            (_, Ok(number)) => number.into(),
            _ => return Err(format!("`{number}` is no number")),
        };
        if table.insert(name.to_owned(), value).is_some() {
            return Err(format!("`{name}` is there twice"));
        }
    }
    // Read and thrown away, for its errors.
    Schedule::deserialize(table.clone()).map_err(|error| match main {
        Some((_, name, example)) if error.message() == format!("missing field `{name}`") => {
            format!("{kind} needs `{name}`: write {kind}:{example}")
        }
        _ => error.message().to_owned(),
    })?;
    Ok(table)
}

/// A check of a kind's name.
pub(super) fn check_kind(name: &str) -> Result<(), String> {
    if KINDS.contains(&name) {
        return Ok(());
    }
    Err(format!("`{name}` is no schedule: expected one of {}", KINDS.join(", ")))
}

#[cfg(test)]
mod tests {
    use nn::Curve;

    use super::*;

    fn schedule(text: &str) -> Result<Schedule, String> {
        parse(text).map(|table| Schedule::deserialize(table).unwrap())
    }

    #[test]
    fn schedules() {
        let decay = 0.01;
        let one_cycle = |pct_start, div_factor| Curve::OneCycle {
            pct_start,
            div_factor,
            final_div_factor: 1e4,
        };
        for (text, curve, warmup) in [
            ("constant", Curve::Constant, 0.0),
            ("cosine", Curve::Cosine, 0.0),
            ("cosine:warmup=0.25", Curve::Cosine, 0.25),
            ("inverse-time:0.01", Curve::InverseTime { decay }, 0.0),
            ("compounding:decay=0.01", Curve::Compounding { decay }, 0.0),
            ("step:3", Curve::Step { every: 3, factor: 0.1 }, 0.0),
            ("step:3,factor=0.5", Curve::Step { every: 3, factor: 0.5 }, 0.0),
            ("exponential:0.95", Curve::Exponential { factor: 0.95 }, 0.0),
            ("linear", Curve::Linear { from: 0.0 }, 0.0),
            ("linear:0.3, warmup=0.1", Curve::Linear { from: 0.3 }, 0.1),
            ("one-cycle", one_cycle(0.3, 25.0), 0.0),
            ("one-cycle:pct-start=0.4,div-factor=10", one_cycle(0.4, 10.0), 0.0),
        ] {
            assert_eq!(schedule(text), Ok(Schedule { curve, warmup }), "{text}");
        }
        for (wrong, part) in [
            ("inverse-time", "inverse-time needs `decay`: write inverse-time:0.01"),
            ("step", "step needs `every`: write step:10"),
            ("step:0.5", "invalid type: floating point `0.5`, expected u32"),
            ("cosine:0.1", "`0.1` has no name"),
            ("cosine:decay=0.1", "unknown field `decay`"),
            ("linear:0.1,0.2", "`0.2` has no name"),
            ("linear:0.1,from=0.2", "`from` is there twice"),
            ("linear:kind=1", "`kind` is there twice"),
            ("staircase", "`linear`"),
            ("compounding:x", "`x` is no number"),
        ] {
            let error = schedule(wrong).unwrap_err();
            assert!(error.contains(part), "{wrong}: {error}");
        }
    }

    /// `KINDS` is written by hand, because `nn` has no table of curves: serde's own
    /// error lists every curve that there is.
    #[test]
    fn kinds_are_those_of_nn() {
        let error = parse("staircase").unwrap_err();
        let names = KINDS.map(|name| format!("`{name}`")).join(", ");
        assert_eq!(error, format!("unknown variant `staircase`, expected one of {names}"));
        assert!(MAIN_PARAMETERS.iter().all(|(kind, ..)| KINDS.contains(kind)));
    }
}
