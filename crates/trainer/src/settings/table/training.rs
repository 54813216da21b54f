//! The table `[training]`, without its regularisation.

use nn::Optimizer;

use crate::settings::kind::{Interval, Kind, names_of};
use crate::settings::schedule;
use crate::settings::setting::{Presence, Setting};

pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        key: "training.epochs",
        flag: Some(("epochs", "N")),
        // More is a slip of the keyboard, and a run without end.
        kind: Kind::Count(1, 1_000_000),
        default: "10",
        example: "5",
        help: "Passes over the training images",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.batch-size",
        flag: Some(("batch-size", "N")),
        kind: Kind::at_least(1),
        default: "128",
        example: "64",
        help: "Images of a training step",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.lr",
        flag: Some(("lr", "RATE")),
        kind: Kind::Number(Interval::Above(0.0)),
        default: "0.1",
        example: "0.003",
        help: "Learning rate at the start",
        more: "With one-cycle it is the highest rate.",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.schedule",
        flag: Some(("schedule", "KIND")),
        kind: Kind::Schedule,
        default: "constant",
        example: "cosine",
        help: "How the learning rate changes",
        more: "Parameters follow a colon: compounding:DECAY, inverse-time:DECAY, \
               step:EPOCHS,factor=FACTOR, exponential:FACTOR, linear:FROM. Any kind may \
               have warmup=SHARE, as in cosine:warmup=0.1.",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.schedule.kind",
        kind: Kind::Name(&schedule::KINDS),
        default: "constant",
        example: "cosine",
        help: "Kind of schedule; a new kind drops the parameters of the old one",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.schedule.warmup",
        kind: Kind::Number(Interval::Share),
        default: "0",
        example: "0.1",
        help: "Share of the run in which the rate rises to its start",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.schedule.decay",
        kind: Kind::Number(Interval::AtLeast(0.0)),
        presence: Presence::Of(&["compounding", "inverse-time"]),
        example: "0.01",
        help: "Decay of the rate with each epoch",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.schedule.every",
        kind: Kind::Count(1, u32::MAX as i64),
        presence: Presence::Of(&["step"]),
        example: "10",
        help: "Epochs from one change of the rate to the next",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.schedule.factor",
        kind: Kind::Number(Interval::Above(0.0)),
        presence: Presence::Of(&["step", "exponential"]),
        default: "step 0.1",
        example: "0.95",
        help: "Factor of the rate at each change",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.schedule.from",
        kind: Kind::Number(Interval::Share),
        presence: Presence::Of(&["linear"]),
        default: "0",
        example: "0.3",
        help: "Share of the run after which the rate falls",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.schedule.pct-start",
        kind: Kind::Number(Interval::Within(0.0, 1.0)),
        presence: Presence::Of(&["one-cycle"]),
        default: "0.3",
        example: "0.4",
        help: "Share of the run in which the rate rises",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.schedule.div-factor",
        kind: Kind::Number(Interval::AtLeast(1.0)),
        presence: Presence::Of(&["one-cycle"]),
        default: "25",
        example: "10",
        help: "The first rate is lr divided by this",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.schedule.final-div-factor",
        kind: Kind::Number(Interval::AtLeast(1.0)),
        presence: Presence::Of(&["one-cycle"]),
        default: "1e4",
        example: "100",
        help: "The last rate is the first divided by this",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.optimizer.kind",
        flag: Some(("optimizer", "NAME")),
        kind: Kind::Name(&names_of(&Optimizer::ALL)),
        default: "sgd",
        example: "adam",
        help: "How a step moves the parameters",
        more: "Another optimizer than the recipe's has its usual parameters. Without --lr it \
               also has its usual rate: sgd and nesterov 0.1, adagrad 0.01, adadelta 1, rmsprop, \
               adam and adamw 0.001. If the recipe's optimizer has the same usual rate, the \
               recipe's rate stays.",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.optimizer.momentum",
        flag: Some(("momentum", "FACTOR")),
        kind: Kind::Number(Interval::Share),
        presence: Presence::Of(&["sgd", "nesterov", "rmsprop"]),
        default: "sgd 0, nesterov 0.9, rmsprop 0",
        example: "0.5",
        help: "Momentum of sgd, nesterov and rmsprop",
        more: "A recipe without training.optimizer has sgd with a momentum of 0.9.",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.optimizer.alpha",
        kind: Kind::Number(Interval::Share),
        presence: Presence::Of(&["rmsprop"]),
        default: "0.99",
        example: "0.9",
        help: "Share of the average of squared gradients that a step keeps",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.optimizer.rho",
        kind: Kind::Number(Interval::Share),
        presence: Presence::Of(&["adadelta"]),
        default: "0.9",
        example: "0.95",
        help: "Share of the averages that a step keeps",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.optimizer.beta1",
        kind: Kind::Number(Interval::Share),
        presence: Presence::Of(&["adam", "adamw"]),
        default: "0.9",
        example: "0.8",
        help: "Share of the average of gradients that a step keeps",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.optimizer.beta2",
        kind: Kind::Number(Interval::Share),
        presence: Presence::Of(&["adam", "adamw"]),
        default: "0.999",
        example: "0.99",
        help: "Share of the average of squared gradients that a step keeps",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.optimizer.epsilon",
        kind: Kind::Number(Interval::Above(0.0)),
        presence: Presence::Of(&["adagrad", "rmsprop", "adadelta", "adam", "adamw"]),
        default: "adagrad 1e-10, rmsprop 1e-8, adadelta 1e-6, adam 1e-8, adamw 1e-8",
        example: "0.001",
        help: "Added to what the step is divided by",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.class-weights",
        flag: Some(("class-weights", "WEIGHTS")),
        kind: Kind::ClassWeights,
        presence: Presence::OrNone("training.class-weights"),
        default: "none",
        example: "1,1,2.5",
        help: "How much an image of each class counts",
        more: "These are the weights of the loss. With balanced, all classes count alike.",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.clip-norm",
        flag: Some(("clip-norm", "NORM")),
        kind: Kind::Number(Interval::Above(0.0)),
        presence: Presence::OrNone("training.clip-norm"),
        default: "none",
        example: "1",
        help: "Clip the norm of each step's gradient",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.average.decay",
        flag: Some(("average", "DECAY")),
        kind: Kind::Number(Interval::Share),
        presence: Presence::OrNone("training.average"),
        default: "0.999",
        example: "0.99",
        help: "Validate and save an average of the weights",
        more: "It is an exponential moving average over the steps; DECAY is the share of it that \
               a step keeps. It is off unless a recipe or this flag turns it on.",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.early-stopping.patience",
        flag: Some(("patience", "EPOCHS")),
        kind: Kind::at_least(1),
        presence: Presence::OrNone("training.early-stopping"),
        default: "10",
        example: "5",
        help: "Stop after EPOCHS without improvement",
        more: "The run watches the held-out samples and gives back its best network. Early \
               stopping is off unless a recipe or this flag turns it on; 0 turns it off, as \
               none does.",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.early-stopping.monitor",
        flag: Some(("monitor", "NAME")),
        kind: Kind::Name(&["accuracy", "loss"]),
        presence: Presence::In("training.early-stopping"),
        default: "accuracy",
        example: "loss",
        help: "What --patience watches",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.early-stopping.min-delta",
        flag: Some(("min-delta", "DELTA")),
        kind: Kind::Double(Interval::AtLeast(0.0)),
        presence: Presence::In("training.early-stopping"),
        default: "0",
        example: "0.001",
        help: "What counts as improvement: more than this",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.frozen",
        kind: Kind::at_least(0),
        default: "0",
        example: "1",
        help: "Layers that stay as they begin, from the first on",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.shuffle",
        kind: Kind::Switch,
        default: "true",
        example: "false",
        help: "Draw a new order of the images in each epoch",
        ..Setting::PLAIN
    },
    Setting {
        key: "training.seed",
        flag: Some(("seed", "N")),
        kind: Kind::at_least(0),
        default: "0",
        example: "7",
        help: "Seed of all random numbers, up to 2^63 - 1",
        more: "They are the initial weights, the order of the images, what is held out, \
               dropout, noise and augmentation.",
        ..Setting::PLAIN
    },
];

/// The usual learning rate of the optimizer of this name.
pub(crate) fn usual_rate(optimizer: &str) -> Option<f64> {
    let rate = optimizer.parse::<Optimizer>().ok()?.usual_rate();
    // The number with the digits that are written: 0.1, not that `f32` as an `f64`.
    rate.to_string().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_says_the_usual_rate_of_each_optimizer() {
        let rates = names_of(&Optimizer::ALL).map(|name| (name, usual_rate(name).unwrap()));
        let expected = [
            ("sgd", 0.1),
            ("nesterov", 0.1),
            ("adagrad", 0.01),
            ("rmsprop", 0.001),
            ("adadelta", 1.0),
            ("adam", 0.001),
            ("adamw", 0.001),
        ];
        assert_eq!(rates, expected);
        assert_eq!(usual_rate("adma"), None);
    }
}
