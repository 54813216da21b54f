//! `--schedule`: the table `training.schedule` of a recipe, on one line.

use toml::Table;

use super::edits::{Edit, one};
use super::kind::{Fault, Kind, Notation};
use super::setting::{Given, Setting};
use super::table::{self, split};
use crate::error::Refused;

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

/// The parameter of a kind that needs no name on the command line.
const MAIN_PARAMETERS: [(&str, &str); 5] = [
    ("compounding", "decay"),
    ("inverse-time", "decay"),
    ("step", "every"),
    ("exponential", "factor"),
    ("linear", "from"),
];

/// What `kind`, `kind:number` or `kind:number,name=number` changes: the whole of the
/// schedule, then its parameters.
pub(super) fn parse(setting: &'static Setting, given: Given) -> Result<Vec<Edit>, Refused> {
    let refused = |reason| Err(setting.refused(Fault::Reason(reason), &given));
    let text = given.found.clone();
    let (kind, parameters) = text.split_once([':', ',']).unwrap_or((&text, ""));
    let kind = kind.trim().to_ascii_lowercase();
    let main = MAIN_PARAMETERS.iter().find(|(known, _)| *known == kind);
    let of_kind = Given { found: kind.clone(), ..given.clone() };
    let whole = Table::from_iter([("kind".to_owned(), kind.into())]);
    let mut edits = vec![Edit::new(setting, Some(whole.into()), of_kind)];
    for (i, part) in parameters.split(',').filter(|part| !part.is_empty()).enumerate() {
        let (name, number) = match (part.split_once('='), main) {
            (Some((name, number)), _) => (name.trim(), number),
            (None, Some((_, name))) if i == 0 => (*name, part),
            (None, _) => return refused(format!("`{part}` has no name: write NAME={part}")),
        };
        let key = format!("{}.{name}", setting.key);
        let parameter = table::find(&key).filter(|found| !matches!(found.kind, Kind::Name(_)));
        let Some(parameter) = parameter else {
            return refused(format!(
                "there is no parameter `{name}`: --help lists those of each kind"
            ));
        };
        if edits.iter().any(|edit| edit.setting.key == key) {
            return refused(format!("`{name}` is there twice"));
        }
        let what = format!("{name} of {}", given.what);
        let given =
            Given { what, found: number.trim().to_owned(), notation: Notation::CommandLine };
        edits.push(one(parameter, given)?);
    }
    Ok(edits)
}

/// How one writes a schedule that has this parameter.
pub(super) fn example(kind: &str, parameter: &Setting) -> String {
    let name = split(parameter.key).1;
    let example = parameter.example;
    if MAIN_PARAMETERS.contains(&(kind, name)) {
        format!("{kind}:{example}")
    } else {
        format!("{kind}:{name}={example}")
    }
}
