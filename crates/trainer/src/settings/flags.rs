//! The settings as arguments of clap.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use super::edits::{Edit, Edits, parse_flag, parse_set};
use super::kind::Kind;
use super::nearest;
use super::setting::Setting;
use super::table::{self, SECTIONS};

const SET: &str = "set";

impl Args for Edits {
    fn augment_args(command: Command) -> Command {
        let flags = SECTIONS.iter().flat_map(|section| {
            section.settings.iter().filter_map(|setting| {
                Some(flag(setting, setting.flag?).help_heading(section.heading))
            })
        });
        command.arg(set()).args(flags)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Edits {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let ids = table::all().filter_map(|setting| setting.flag).chain([SET]);
        let mut found: Vec<(usize, &Vec<Edit>)> = Vec::new();
        for id in ids {
            let places = matches.indices_of(id).into_iter().flatten();
            let values = matches.get_many::<Vec<Edit>>(id).into_iter().flatten();
            found.extend(places.zip(values));
        }
        found.sort_by_key(|(place, _)| *place);
        Ok(Self(found.into_iter().flat_map(|(_, edits)| edits.clone()).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn flag(setting: &'static Setting, name: &'static str) -> Arg {
    let arg = Arg::new(name)
        .long(name)
        .value_name(setting.value_name)
        .help(setting.help)
        .long_help(setting.long_help())
        .value_parser(move |text: &str| parse_flag(setting, text));
    match setting.kind {
        Kind::Switch => arg.num_args(0..=1).require_equals(true).default_missing_value("true"),
        Kind::ClassWeights => arg.allow_hyphen_values(true),
        Kind::Number(_) if setting.after_colon.is_some() => arg.allow_hyphen_values(true),
        _ => arg.allow_negative_numbers(true),
    }
}

fn set() -> Arg {
    let mut long = "Set any key of a recipe, such as training.lr=0.003. May be given many times; \
                    of several values of a key, by --set or by a flag, the last counts. These \
                    keys have no flag:"
        .to_owned();
    for setting in table::all().filter(|setting| setting.flag.is_none()) {
        long += &format!("\n- {}: {}", setting.key, setting.help);
    }
    Arg::new(SET)
        .long(SET)
        .value_name("KEY=VALUE")
        .action(ArgAction::Append)
        .value_parser(parse_set)
        .help("Set any key of a recipe; the last value counts")
        .long_help(long)
        .help_heading("Recipe")
}

/// Adds to the error of an unknown flag what was probably meant.
pub(crate) fn suggest(mut error: clap::Error) -> clap::Error {
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return error };
    if error.kind() == ErrorKind::UnknownArgument
        && let Some(tip) = nearest::unknown_flag(flag)
    {
        error.remove(ContextKind::SuggestedArg);
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}
