//! The recipe itself, and its table `[data]`.

use crate::settings::kind::{Interval, Kind};
use crate::settings::setting::Setting;

pub(super) const RECIPE: &[Setting] = &[
    Setting {
        key: "recipe",
        kind: Kind::Text,
        default: "the name of the file",
        example: "mine",
        help: "Name of the recipe, which names the run's directory",
        ..Setting::PLAIN
    },
    Setting {
        key: "description",
        kind: Kind::Text,
        default: "empty",
        example: "mine",
        help: "What the recipe is, in one line",
        ..Setting::PLAIN
    },
];

pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        key: "data.dir",
        flag: Some(("data", "DIR")),
        kind: Kind::Path,
        default: "data",
        example: "mnist",
        help: "Folder of the four MNIST files",
        more: "They are IDX files, raw or .gz. A relative path starts at the current \
               directory. Raw files are mapped into memory: nobody may change them during \
               the run.",
        ..Setting::PLAIN
    },
    Setting {
        key: "data.validation",
        flag: Some(("validation", "FRACTION")),
        kind: Kind::Double(Interval::Share),
        default: "0",
        example: "0.1",
        help: "Share of the training images to hold out",
        more: "The run reports on them after each epoch. 0 holds out none.",
        ..Setting::PLAIN
    },
    Setting {
        key: "data.deskew",
        flag: Some(("deskew", "BOOL")),
        kind: Kind::Switch,
        default: "false",
        example: "true",
        help: "Shear every image upright and centre its ink",
        more: "This is done in training and in testing; the model file says so.",
        ..Setting::PLAIN
    },
];
