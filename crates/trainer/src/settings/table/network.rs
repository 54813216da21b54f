//! The table `[network]`.

use nn::Init;

use crate::settings::kind::{Kind, names_of};
use crate::settings::setting::Setting;

pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        key: "network.hidden",
        flag: Some(("hidden", "UNITS")),
        kind: Kind::Units,
        default: "256",
        example: "100,50",
        help: "Units of the hidden layers, first to last",
        ..Setting::PLAIN
    },
    Setting {
        key: "network.activation",
        flag: Some(("activation", "NAME")),
        kind: Kind::Activation,
        default: "relu",
        example: "sigmoid",
        help: "Activation of the hidden layers",
        more: "A colon separates a name from its parameter, as in leaky-relu:SLOPE, \
               elu:ALPHA and maxout:PIECES.",
        ..Setting::PLAIN
    },
    Setting {
        key: "network.init",
        flag: Some(("init", "NAME")),
        kind: Kind::Name(&names_of(&Init::ALL)),
        default: "he",
        example: "he-normal",
        help: "Distribution of the initial weights",
        ..Setting::PLAIN
    },
];
