//! Values of flags that are more than a number.

use nn::{ClassWeights, Schedule};
use serde::Deserialize;
use serde::de::value::Error as NameError;
use serde::de::{DeserializeOwned, IntoDeserializer};

/// Units of the hidden layers. A type of its own, because clap takes a bare
/// `Vec` for a flag that may be repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hidden(pub(crate) Vec<usize>);

pub(super) fn hidden(text: &str) -> Result<Hidden, String> {
    if text.trim().is_empty() || text.trim() == "none" {
        return Ok(Hidden(Vec::new()));
    }
    let units = text.split(',').map(|part| {
        part.trim()
            .parse()
            .map_err(|_| format!("`{part}` is no number of units: write 100,50 or none"))
    });
    Ok(Hidden(units.collect::<Result<_, _>>()?))
}

/// A number above 0 that takes something in, or none, which takes it away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OrNone(pub(crate) Option<usize>);

pub(super) fn or_none(text: &str) -> Result<OrNone, String> {
    match text.trim() {
        "none" => Ok(OrNone(None)),
        number => match number.parse() {
            Ok(number) => Ok(OrNone(Some(number).filter(|&number| number > 0))),
            Err(_) => Err(format!("`{text}` is no whole number: write 20 or none")),
        },
    }
}

/// What `--class-weights` says: none, which takes them away, or what they are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ClassWeightsFlag(pub(crate) Option<ClassWeights>);

pub(super) fn class_weights(text: &str) -> Result<ClassWeightsFlag, String> {
    let weights = match text.trim() {
        "none" => None,
        "balanced" => Some(ClassWeights::Balanced),
        list => {
            let weights = list.split(',').map(|part| {
                part.trim().parse().map_err(|_| {
                    format!("`{part}` is no weight: write 1,2.5 (one a class), balanced or none")
                })
            });
            Some(ClassWeights::Each(weights.collect::<Result<_, _>>()?))
        }
    };
    Ok(ClassWeightsFlag(weights))
}

/// What `--elastic` says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ElasticFlag {
    pub(crate) displacement: f32,
    pub(crate) sigma: Option<f32>,
}

/// `displacement` or `displacement:sigma`.
pub(super) fn elastic(text: &str) -> Result<ElasticFlag, String> {
    let number = |text: &str| {
        text.trim().parse().map_err(|_| format!("`{text}` is no number: write 20 or 20:4"))
    };
    let (displacement, sigma) = match text.split_once(':') {
        None => (text, None),
        Some((displacement, sigma)) => (displacement, Some(number(sigma)?)),
    };
    Ok(ElasticFlag { displacement: number(displacement)?, sigma })
}

/// Reads a name as recipe files do, so that `nn` alone knows the names.
pub(super) fn named<T: DeserializeOwned>(name: &str) -> Result<T, String> {
    T::deserialize(name.into_deserializer()).map_err(|error: NameError| error.to_string())
}

/// The parameter of a schedule that needs no name on the command line, and an
/// example of it.
const MAIN_PARAMETERS: [(&str, &str, &str); 5] = [
    ("compounding", "decay", "0.001"),
    ("inverse-time", "decay", "0.01"),
    ("step", "every", "10"),
    ("exponential", "factor", "0.95"),
    ("linear", "from", "0.3"),
];

/// `kind`, `kind:number` or `kind:number,name=number`: the table that a recipe
/// has, on one line.
pub(super) fn schedule(text: &str) -> Result<Schedule, String> {
    let (kind, parameters) = text.split_once(':').unwrap_or((text, ""));
    let main = MAIN_PARAMETERS.iter().find(|(known, ..)| *known == kind);
    let mut table = toml::Table::from_iter([("kind".to_owned(), kind.into())]);
    for (i, part) in parameters.split(',').filter(|part| !part.is_empty()).enumerate() {
        let (name, number) = match (part.split_once('='), main) {
            (Some((name, number)), _) => (name.trim(), number.trim()),
            (None, Some((_, name, _))) if i == 0 => (*name, part.trim()),
            (None, _) => return Err(format!("`{part}` has no name: write NAME={part}")),
        };
        // Every finite number of TOML is one of these.
        let value = match (number.parse::<i64>(), number.parse::<f64>()) {
            (Ok(number), _) => toml::Value::from(number),
            (_, Ok(number)) => number.into(),
            _ => return Err(format!("`{number}` is no number")),
        };
        if table.insert(name.to_owned(), value).is_some() {
            return Err(format!("`{name}` is there twice"));
        }
    }
    Schedule::deserialize(table).map_err(|error| match main {
        Some((_, name, example)) if error.message() == format!("missing field `{name}`") => {
            format!("{kind} wants `{name}`: write {kind}:{example}")
        }
        _ => error.message().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use nn::{Activation, Curve, Init};

    use super::*;

    #[test]
    fn lists_of_units() {
        assert_eq!(hidden("100,50"), Ok(Hidden(vec![100, 50])));
        assert_eq!(hidden(" 100, 50"), Ok(Hidden(vec![100, 50])));
        assert_eq!(hidden(""), Ok(Hidden(vec![])));
        assert_eq!(hidden("none"), Ok(Hidden(vec![])));
        for wrong in ["100,", "a", "-1", "1.5", "100;50"] {
            assert!(hidden(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_or_none() {
        for (text, number) in [("20", Some(20)), (" 1", Some(1)), ("0", None), ("none", None)] {
            assert_eq!(or_none(text), Ok(OrNone(number)));
        }
        for wrong in ["", "-1", "1.5", "no"] {
            let error = or_none(wrong).unwrap_err();
            assert!(error.contains("write 20 or none"), "{wrong}: {error}");
        }
    }

    #[test]
    fn weights_of_classes() {
        let flag = |weights| Ok(ClassWeightsFlag(weights));
        assert_eq!(class_weights("none"), flag(None));
        assert_eq!(class_weights("balanced"), flag(Some(ClassWeights::Balanced)));
        assert_eq!(class_weights("1, 0.5"), flag(Some(ClassWeights::Each(vec![1.0, 0.5]))));
        for wrong in ["", "even", "1,", "1;2"] {
            let error = class_weights(wrong).unwrap_err();
            assert!(error.contains("write 1,2.5"), "{wrong}: {error}");
        }
    }

    #[test]
    fn elastic_fields() {
        let flag = |displacement, sigma| Ok(ElasticFlag { displacement, sigma });
        assert_eq!(elastic("20"), flag(20.0, None));
        assert_eq!(elastic("20:4.5"), flag(20.0, Some(4.5)));
        for wrong in ["", "x", "20:", ":4", "20:4:1", "20,4"] {
            let error = elastic(wrong).unwrap_err();
            assert!(error.contains("write 20 or 20:4"), "{wrong}: {error}");
        }
    }

    #[test]
    fn names_are_those_of_recipe_files() {
        assert_eq!(named("relu"), Ok(Activation::Relu));
        for (init, name) in Init::ALL {
            assert_eq!(named(name), Ok(init));
        }
        let error = named::<Activation>("selu").unwrap_err();
        assert!(error.contains("`selu`") && error.contains("tanh, "), "{error}");
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
            ("inverse-time", "inverse-time wants `decay`: write inverse-time:0.01"),
            ("step", "step wants `every`: write step:10"),
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
}
