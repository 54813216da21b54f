//! The table `[augment]`. Each range is ±; every image draws anew from it in every
//! epoch, and 0 turns that change off.

use crate::settings::kind::{Interval, Kind};
use crate::settings::setting::Setting;

pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        key: "augment.shift",
        flag: Some(("shift", "PIXELS")),
        kind: Kind::Number(Interval::Within(0.0, 1024.0)),
        default: "0",
        example: "1.5",
        help: "Shift by up to this along each axis",
        ..Setting::PLAIN
    },
    Setting {
        key: "augment.whole-pixels",
        flag: Some(("whole-pixels", "BOOL")),
        kind: Kind::Switch,
        default: "false",
        example: "true",
        help: "Shift by whole pixels only",
        ..Setting::PLAIN
    },
    Setting {
        key: "augment.rotate",
        flag: Some(("rotate", "DEGREES")),
        kind: Kind::Number(Interval::Within(0.0, 180.0)),
        default: "0",
        example: "10",
        help: "Rotate by up to this angle",
        ..Setting::PLAIN
    },
    Setting {
        key: "augment.scale",
        flag: Some(("scale", "SHARE")),
        kind: Kind::Number(Interval::Share),
        default: "0",
        example: "0.1",
        help: "Stretch or shrink each axis by up to this",
        ..Setting::PLAIN
    },
    Setting {
        key: "augment.shear",
        flag: Some(("shear", "SHARE")),
        kind: Kind::Number(Interval::Within(0.0, 1.0)),
        default: "0",
        example: "0.1",
        help: "Shear by up to this share",
        more: "It is the number of horizontal pixels for each vertical one.",
        ..Setting::PLAIN
    },
    Setting {
        key: "augment.elastic.displacement",
        flag: Some(("elastic", "PIXELS[:SIGMA]")),
        kind: Kind::Number(Interval::Within(0.0, 1000.0)),
        after_colon: Some("augment.elastic.sigma"),
        default: "0",
        example: "20:4",
        help: "Bend by noise of PIXELS, smoothed over SIGMA",
        more: "Without SIGMA, the recipe's augment.elastic.sigma stays.",
        ..Setting::PLAIN
    },
    Setting {
        key: "augment.elastic.sigma",
        kind: Kind::Number(Interval::Within(0.1, 1000.0)),
        default: "4",
        example: "6",
        help: "Standard deviation, in pixels, of the Gaussian that smooths",
        ..Setting::PLAIN
    },
];
