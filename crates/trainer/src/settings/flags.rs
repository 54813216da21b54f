//! The settings as arguments of clap.

use std::ffi::OsString;

use clap::builder::OsStringValueParser;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use super::edits::Edits;
use super::kind::Kind;
use super::setting::Setting;
use super::table::{self, SECTIONS};

/// The flag that takes any key.
pub(super) const SET: &str = "set";

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
        let flags = table::all().filter_map(|setting| Some((Some(setting), setting.flag?.0)));
        let mut found: Vec<(usize, Option<&'static Setting>, &OsString)> = Vec::new();
        for (setting, id) in flags.chain([(None, SET)]) {
            let places = matches.indices_of(id).into_iter().flatten();
            let values = matches.get_many::<OsString>(id).into_iter().flatten();
            found.extend(places.zip(values).map(|(place, text)| (place, setting, text)));
        }
        found.sort_by_key(|(place, ..)| *place);
        Ok(Self(found.into_iter().map(|(_, setting, text)| (setting, text.clone())).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Values are texts here. What is wrong with one is said by the table of settings, in the
/// same words as for a recipe file.
fn flag(setting: &'static Setting, (name, value): (&'static str, &'static str)) -> Arg {
    let arg = Arg::new(name)
        .long(name)
        .value_name(value)
        .action(ArgAction::Append)
        .value_parser(OsStringValueParser::new())
        .help(setting.help)
        .long_help(setting.long_help());
    match setting.kind {
        Kind::Switch => arg.num_args(0..=1).default_missing_value("true"),
        _ => arg,
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
        .value_parser(OsStringValueParser::new())
        .help("Set any key of a recipe; the last value counts")
        .long_help(long)
        .help_heading("Recipe")
}
