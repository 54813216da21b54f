//! The recipe itself, and its table `[data]`.

use crate::settings::kind::{Interval, Kind};
use crate::settings::setting::{Presence, Setting};

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
        flag: Some(("data", "DATA")),
        kind: Kind::Path,
        default: "data",
        example: "mnist",
        help: "Data to train on: a folder or a file",
        more: "MNIST's four IDX files, raw or .gz; a folder with a folder of pictures for each \
               class; or a table, .csv or .tsv. A relative path starts at the current \
               directory. Raw files are mapped into memory: nobody may change them during \
               the run.",
        ..Setting::PLAIN
    },
    Setting {
        key: "data.test",
        flag: Some(("test", "DATA")),
        kind: Kind::Path,
        presence: Presence::OrNone("data.test"),
        default: "none",
        example: "mnist-test",
        help: "Data to test on, if they lie elsewhere",
        more: "A file or a folder of the same form.",
        ..Setting::PLAIN
    },
    Setting {
        key: "data.labels",
        flag: Some(("labels", "FILE")),
        kind: Kind::Path,
        presence: Presence::OrNone("data.labels"),
        default: "none",
        example: "my-labels.idx",
        help: "Labels of DATA, if that is a file of IDX",
        more: "A second file of IDX, raw or .gz. Files with the names of MNIST need none, nor does \
               my-images.idx if my-labels.idx lies beside it.",
        ..Setting::PLAIN
    },
    Setting {
        key: "data.test-labels",
        flag: Some(("test-labels", "FILE")),
        kind: Kind::Path,
        presence: Presence::OrNone("data.test-labels"),
        default: "none",
        example: "t-labels.idx",
        help: "Labels of --test, if that is a file of IDX",
        ..Setting::PLAIN
    },
    Setting {
        key: "data.test-fraction",
        flag: Some(("test-fraction", "FRACTION")),
        kind: Kind::Double(Interval::ProperShare),
        default: "0.2",
        example: "0.3",
        help: "Share to test on, of data without a test part",
        more: "Each class gives its share; which samples is a function of the seed.",
        ..Setting::PLAIN
    },
    Setting {
        key: "data.validation",
        flag: Some(("validation", "FRACTION")),
        kind: Kind::Double(Interval::Share),
        default: "0",
        example: "0.1",
        help: "Share of the training samples to hold out",
        more: "The run reports on them after each epoch. 0 holds out none.",
        ..Setting::PLAIN
    },
    Setting {
        key: "data.target",
        flag: Some(("target", "COLUMN")),
        kind: Kind::Text,
        presence: Presence::OrNone("data.target"),
        default: "none",
        example: "species",
        help: "Column of a table that is predicted",
        more: "Every table needs it.",
        ..Setting::PLAIN
    },
    Setting {
        key: "data.task",
        flag: Some(("task", "TASK")),
        kind: Kind::Name(&["auto", "classification", "regression"]),
        default: "auto",
        example: "regression",
        help: "What is predicted: a class or a number",
        more: "By itself a target of texts or of few different whole numbers is a class.",
        ..Setting::PLAIN
    },
    Setting {
        key: "data.ignore",
        flag: Some(("ignore", "COLUMNS")),
        kind: Kind::Names,
        default: "none",
        example: "id,name",
        help: "Columns of a table to leave out",
        ..Setting::PLAIN
    },
    Setting {
        key: "data.categorical",
        flag: Some(("categorical", "COLUMNS")),
        kind: Kind::Names,
        default: "none",
        example: "district,floor",
        help: "Columns of a table whose numbers are names",
        more: "Texts are categories by themselves.",
        ..Setting::PLAIN
    },
    Setting {
        key: "data.weight",
        flag: Some(("weight", "COLUMN")),
        kind: Kind::Text,
        presence: Presence::OrNone("data.weight"),
        default: "none",
        example: "count",
        help: "Column that says how much each row counts",
        ..Setting::PLAIN
    },
    Setting {
        key: "data.missing",
        flag: Some(("missing", "HOW")),
        kind: Kind::Name(&["mean", "error"]),
        default: "mean",
        example: "error",
        help: "What missing cells of a table are",
        more: "The mean of their column, or an error. With mean, a column with missing cells gets one more feature, which says where. \
               Missing are empty cells, NA, NaN, null and ?.",
        ..Setting::PLAIN
    },
    Setting {
        key: "data.header",
        kind: Kind::Name(&["auto", "yes", "no"]),
        default: "auto",
        example: "no",
        help: "Whether the first line of a table has the names of its columns",
        ..Setting::PLAIN
    },
    Setting {
        key: "data.separator",
        kind: Kind::Name(&["auto", "comma", "semicolon", "tab", "bar"]),
        default: "auto",
        example: "tab",
        help: "What is between the cells of a table",
        ..Setting::PLAIN
    },
    Setting {
        key: "data.size",
        flag: Some(("size", "ROWSxCOLS")),
        kind: Kind::Size,
        presence: Presence::OrNone("data.size"),
        default: "none",
        example: "32x32",
        help: "Size that pictures are scaled to",
        more: "By itself it is that of the pictures if they are all alike, otherwise 28x28.",
        ..Setting::PLAIN
    },
    Setting {
        key: "data.transpose",
        flag: Some(("transpose", "BOOL")),
        kind: Kind::Switch,
        default: "false",
        example: "true",
        help: "Exchange rows and columns of every image",
        more: "EMNIST's images need it, which are known by the names of their files.",
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
