//! The file of a sweep: `[sweep]`, `[base]` and `[space]`.

use toml::de::DeTable;
use toml::{Table, Value};

use super::plan::{Method, Plan};
use super::space::{Dimension, Space, Values};
use crate::error::{Error, Refused};
use crate::settings::{
    Given, Notation, Source, check_text, find, is_whole, nearest_names, text_of, unknown_key,
};

/// What a sweep's file says.
pub(super) struct SweepFile {
    pub(super) plan: Plan,
    pub(super) base: Base,
    pub(super) space: Space,
}

/// What all trials have in common.
#[derive(Default)]
pub(super) struct Base {
    /// Name of a recipe.
    pub(super) recipe: Option<String>,
    /// Recipe file.
    pub(super) config: Option<String>,
    /// Settings over it: key and text.
    pub(super) settings: Vec<(String, String)>,
}

const TABLES: [&str; 3] = ["sweep", "base", "space"];

/// A value of the file.
struct Leaf<'a> {
    key: String,
    value: &'a Value,
    /// As errors name it.
    given: Given,
    /// The file and the line.
    at: String,
}

/// Reads the text of a file.
///
/// # Errors
/// What is wrong first with each table, with its line.
pub(super) fn read(source: &Source) -> Result<SweepFile, Error> {
    let Source { text, origin, .. } = source;
    let no_toml = |error: toml::de::Error| Error::Toml {
        origin: origin.clone(),
        line: line_of(text, error.span().unwrap_or_default().start),
        message: error.message().replace('\n', ", "),
    };
    let spans = DeTable::parse(text).map_err(no_toml)?;
    let table: Table = toml::from_str(text).map_err(no_toml)?;
    let mut leaves: [Vec<Leaf<'_>>; 3] = Default::default();
    for (name, span) in spans.get_ref() {
        let what = format!("{origin}, line {}", line_of(text, name.span().start));
        let name = &**name.get_ref();
        let Some(at) = TABLES.iter().position(|known| *known == name) else {
            let near = nearest_names(name, &TABLES);
            let message = match near.first() {
                Some(near) => format!("there is no table [{name}]: did you mean [{near}]?"),
                None => format!("there is no table [{name}]: expected [sweep], [base] and [space]"),
            };
            return Err(Error::Key { what, message });
        };
        let (Some(spans), Some(Value::Table(values))) =
            (span.get_ref().as_table(), table.get(name))
        else {
            let found = text.get(span.span()).unwrap_or_default().to_owned();
            let reason = format!("expected a table, such as [{name}]");
            return Err(Refused { what: format!("{what}: {name}"), found, reason }.into());
        };
        let reading = Reading { text, origin, table: name };
        reading.flatten("", spans, values, &mut leaves[at])?;
    }
    let [sweep, base, space] = leaves;
    let keys = sweep.iter().map(|leaf| (&*leaf.key, leaf.value, leaf.given.clone()));
    let plan = Plan::read(keys)?;
    let base = read_base(&base)?;
    let mut dimensions: Vec<Dimension> =
        space.iter().map(|leaf| dimension(leaf, &plan)).collect::<Result<_, _>>()?;
    if dimensions.is_empty() {
        let message = "there is nothing to try: write a table [space] with a list or a range for a \
                       key of a recipe, such as training.lr = [0.01, 0.1]";
        return Err(Error::Key { what: origin.clone(), message: message.to_owned() });
    }
    let fixed = |dimension: &&Dimension| base.settings.iter().any(|(key, _)| *key == dimension.key);
    if let Some(both) = dimensions.iter().find(fixed) {
        let message = format!("`{}` is in [base] and in [space]: leave one out", both.key);
        return Err(Error::Key { what: origin.clone(), message });
    }
    // The order of keys does not count in TOML.
    dimensions.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(SweepFile { plan, base, space: Space { dimensions } })
}

struct Reading<'a> {
    text: &'a str,
    origin: &'a str,
    table: &'a str,
}

impl Reading<'_> {
    /// The values below a path, each with its whole key.
    fn flatten<'v>(
        &self,
        path: &str,
        spans: &DeTable<'_>,
        values: &'v Table,
        leaves: &mut Vec<Leaf<'v>>,
    ) -> Result<(), Error> {
        let mut found: Vec<_> = spans.iter().collect();
        // In the order of the file, so that the first wrong line is the one that is named.
        found.sort_by_key(|(name, _)| name.span().start);
        for (name, span) in found {
            let (start, name) = (name.span().start, &**name.get_ref());
            let Some(value) = values.get(name) else { continue };
            let key = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            // A number has no table below it, so this is a range, unless it has other names.
            let takes_range = find(&key).is_some_and(|setting| is_whole(setting).is_some());
            let has_range =
                |values: &Table| ["from", "to"].iter().any(|end| values.contains_key(*end));
            match (span.get_ref().as_table(), value) {
                (Some(inner), Value::Table(values)) if !(takes_range && has_range(values)) => {
                    self.flatten(&key, inner, values, leaves)?;
                }
                _ => {
                    let at = format!("{}, line {}", self.origin, line_of(self.text, start));
                    let shown = if self.table == "sweep" { "sweep." } else { "" };
                    let what = format!("{at}: {shown}{key}");
                    let found = self.text.get(span.span()).unwrap_or_default().to_owned();
                    let given = Given { what, found, notation: Notation::File };
                    leaves.push(Leaf { key, value, given, at });
                }
            }
        }
        Ok(())
    }
}

fn read_base(leaves: &[Leaf<'_>]) -> Result<Base, Error> {
    let mut base = Base::default();
    for Leaf { key, value, given, at } in leaves {
        let refused = |reason: &str| Refused {
            what: given.what.clone(),
            found: given.found.clone(),
            reason: reason.to_owned(),
        };
        let text = text_of(value).ok_or_else(|| refused("expected one value"))?;
        match &**key {
            "recipe" | "config" if !value.is_str() => {
                return Err(refused("expected a text").into());
            }
            "recipe" => base.recipe = Some(text),
            "config" => base.config = Some(text),
            _ => {
                let Some(setting) = find(key) else {
                    return Err(Error::Key { what: at.clone(), message: unknown_key(key) });
                };
                check_text(setting, &given.what, &text)?;
                base.settings.push((key.clone(), text));
            }
        }
        if base.recipe.is_some() && base.config.is_some() {
            return Err(refused("there are recipe and config, expected one of them").into());
        }
    }
    Ok(base)
}

/// What is tried of a setting.
fn dimension(leaf: &Leaf<'_>, plan: &Plan) -> Result<Dimension, Error> {
    let Leaf { key, value, given, at } = leaf;
    let refused = |reason: &str| Refused {
        what: given.what.clone(),
        found: given.found.split_whitespace().collect::<Vec<_>>().join(" "),
        reason: reason.to_owned(),
    };
    let Some(setting) = find(key) else {
        return Err(Error::Key { what: at.clone(), message: unknown_key(key) });
    };
    let halving = plan.method == Some(Method::Halving);
    let why = match &**key {
        "training.seed" => Some(
            "it decides which samples are held out, so it cannot be tuned: `trainer --repeat 5` \
             trains with several seeds",
        ),
        "data.deskew" => None,
        "recipe" | "description" => Some("it is the name of the recipe, and changes nothing"),
        key if key.starts_with("data.") => {
            Some("it decides what the data are, so it cannot be tuned: set it in [base]")
        }
        "training.epochs" if halving => {
            Some("halving decides how long a trial is trained: set the most in [base]")
        }
        _ => None,
    };
    if let Some(why) = why {
        return Err(refused(why).into());
    }
    let values = match value {
        Value::Array(values) if !values.is_empty() => {
            let mut texts = Vec::new();
            for value in values {
                let text = text_of(value).ok_or_else(|| refused("expected a list of values"))?;
                check_text(setting, &given.what, &text)?;
                if texts.contains(&text) {
                    return Err(refused(&format!("{text} is there twice")).into());
                }
                texts.push(text);
            }
            Values::List(texts)
        }
        Value::Table(range) => {
            if plan.method == Some(Method::Grid) {
                return Err(
                    refused("a grid needs a list: write one, or method = \"random\"").into()
                );
            }
            self::range(range, is_whole(setting) == Some(true)).map_err(|why| refused(&why))?
        }
        _ => {
            let range = is_whole(setting).map_or("", |_| ", or a range { from = …, to = … }");
            let example = setting.example(Notation::File);
            return Err(refused(&format!("expected a list, such as [{example}]{range}")).into());
        }
    };
    if let Values::Range { from, to, .. } = &values {
        for end in [from, to] {
            check_text(setting, &given.what, &end.to_string())?;
        }
    }
    let name = setting.flag.filter(|_| setting.key == key).map_or(&**key, |(flag, _)| flag);
    Ok(Dimension { key: key.clone(), name: name.to_owned(), values })
}

/// Reads `{ from = …, to = …, scale = "log" }`.
fn range(table: &Table, whole: bool) -> Result<Values, String> {
    const KEYS: [&str; 3] = ["from", "to", "scale"];
    if let Some(unknown) = table.keys().find(|key| !KEYS.contains(&&***key)) {
        return Err(format!("there is no `{unknown}` in a range: expected from, to and scale"));
    }
    let number = |key: &str| {
        let value = table.get(key);
        let number = value.and_then(|v| v.as_float().or(v.as_integer().map(|n| n as f64)));
        number.filter(|x| x.is_finite()).ok_or_else(|| format!("expected a number for `{key}`"))
    };
    let (from, to) = (number("from")?, number("to")?);
    if from >= to {
        return Err("expected `from` to be below `to`".to_owned());
    }
    let log = match table.get("scale").map(|scale| scale.as_str()) {
        None | Some(Some("linear")) => false,
        Some(Some("log")) => true,
        _ => return Err("expected the scale \"log\" or \"linear\"".to_owned()),
    };
    if log && from <= 0.0 {
        return Err("expected `from` above 0 with a scale of log".to_owned());
    }
    if whole && [from, to].iter().any(|end| end.fract() != 0.0) {
        return Err("expected whole numbers".to_owned());
    }
    Ok(Values::Range { from, to, log, whole })
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
}
