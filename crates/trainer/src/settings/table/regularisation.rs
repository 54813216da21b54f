//! What keeps a network from learning its training images by heart: keys of
//! `[training]`.

use crate::settings::kind::{Interval, Kind};
use crate::settings::setting::{Presence, Setting};

pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        key: "training.l2",
        flag: Some(("l2", "FACTOR")),
        kind: Kind::Number(Interval::AtLeast(0.0)),
        default: "0",
        example: "0.0001",
        help: "Factor λ of the penalty ½λ‖W‖² on the weights",
        more: "With adamw it is the weight decay.",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.l1",
        flag: Some(("l1", "FACTOR")),
        kind: Kind::Number(Interval::AtLeast(0.0)),
        default: "0",
        example: "0.00001",
        help: "Factor of the penalty ‖W‖₁ on the weights",
        more: "It makes weights exactly 0; with l2 it is the elastic net.",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.max-norm",
        flag: Some(("max-norm", "NORM")),
        kind: Kind::Number(Interval::Above(0.0)),
        presence: Presence::OrNone("training.max-norm"),
        default: "none",
        example: "2",
        help: "Cap the norm of each unit's incoming weights",
        more: "This is done after every step.",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.label-smoothing",
        flag: Some(("label-smoothing", "SHARE")),
        kind: Kind::Number(Interval::Share),
        default: "0",
        example: "0.1",
        help: "Share of each label to spread over all classes",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.batch-norm.rows",
        flag: Some(("batch-norm", "ROWS")),
        kind: Kind::at_least(2),
        presence: Presence::OrNone("training.batch-norm"),
        default: "100",
        example: "50",
        help: "Batch normalisation over ROWS images at a time",
        more: "It is off unless a recipe or this flag turns it on; 0 turns it off, as none \
               does.",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.batch-norm.momentum",
        kind: Kind::Number(Interval::PositiveShare),
        presence: Presence::In("training.batch-norm"),
        default: "0.01",
        example: "0.1",
        help: "Weight of a step in the running averages",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.batch-norm.epsilon",
        kind: Kind::Number(Interval::Above(0.0)),
        presence: Presence::In("training.batch-norm"),
        default: "1e-5",
        example: "0.001",
        help: "Added to the variance that batch normalisation divides by",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.dropout.hidden",
        flag: Some(("dropout", "RATE")),
        kind: Kind::Number(Interval::Share),
        default: "0",
        example: "0.5",
        help: "Share of the hidden units to drop in each step",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.dropout.input",
        flag: Some(("input-dropout", "RATE")),
        kind: Kind::Number(Interval::Share),
        default: "0",
        example: "0.2",
        help: "Share of the pixels to drop in each step",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.dropout.kind",
        flag: Some(("dropout-kind", "KIND")),
        kind: Kind::Name(&["bernoulli", "gaussian"]),
        default: "bernoulli",
        example: "gaussian",
        help: "What dropout multiplies by",
        more: "That is 0 or a constant (bernoulli), or a normal random number of the same \
               mean and variance (gaussian).",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.noise.hidden",
        flag: Some(("noise", "SIGMA")),
        kind: Kind::Number(Interval::AtLeast(0.0)),
        default: "0",
        example: "0.1",
        help: "Noise on the inputs of the activations",
        more: "SIGMA is its standard deviation. Each step draws it anew.",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.noise.input",
        flag: Some(("input-noise", "SIGMA")),
        kind: Kind::Number(Interval::AtLeast(0.0)),
        default: "0",
        example: "0.1",
        help: "Noise on the pixels, which are 0 to 1",
        more: "SIGMA is its standard deviation. Each step draws it anew.",
        ..Setting::PLAIN
    },
];
