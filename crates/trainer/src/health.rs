//! What went wrong in a run that ended well for the program: the most important finding,
//! in one line, and what to try.
//!
//! A run is compared with guessing: with the best prediction that does not look at the image.
//! It gives each class its share of the labels, so its loss is the entropy of the shares, and
//! its accuracy the largest share. Where numbers are predicted, it is their mean.

use std::fmt::Write as _;

use nn::{Activation, EpochReport, Evaluation, Health, History, Init, LayerHealth};

use crate::config::Config;
use crate::settings::usual_rate;

/// Images that are looked at: enough to tell a dead unit from one that is seldom active, and
/// few enough to take less time than an epoch by far.
pub(crate) const IMAGES: usize = 256;

/// With fewer steps than this, a network that has learned nothing has had no time to.
const FEW_STEPS: u64 = 20;

/// Share of the loss of guessing above which a network has learned nothing. (The loss of an
/// epoch is a mean over its steps, and the first ones are worse than guessing.)
const LEARNED: f64 = 0.95;

/// How many times the loss of guessing is far above it: such a network is sure of what is
/// wrong, because its weights are too large.
const FAR: f64 = 1.5;

/// Share of the units of a layer above which its dead or saturated units are a finding.
const MOST: f64 = 0.5;

/// L1 or L2 penalty that may hold all weights near 0: ten times what is usual.
const STRONG_PENALTY: f32 = 0.005;

/// L2 penalty from which on units that help little have weights near 0 at the end, as the
/// recipe for tables has it. Adaptive optimizers scale it up where gradients are small.
const PRUNING_PENALTY: f32 = 0.001;

/// What to try instead of a penalty that is far too strong.
const USUAL_PENALTY: f64 = 0.0005;

/// A limit on the gradient's norm below which hardly any step moves the weights.
const TIGHT_CLIP: f32 = 1e-3;

/// Share of its loss by which a run must improve, or it stood still. Without learning, the
/// mean losses of two epochs differ by less.
const STILL: f64 = 0.01;

/// How many times the wrong predictions of the best epoch the last one must have, and how much
/// lower its accuracy must be at least, to be worse. Both go up and down by less at a constant
/// learning rate.
const WORSE: f64 = 1.5;
const WORSE_BY: f64 = 0.02;

/// A larger difference of two shares is hardly ever chance: three standard deviations.
const DEVIATIONS: f64 = 3.0;

/// What a run is judged by.
pub(crate) struct Evidence<'a> {
    pub(crate) config: &'a Config,
    pub(crate) history: &'a History,
    /// Of the network that is kept, on the test set; of a run without a test, on what was
    /// held out, or on some of what it was trained on.
    pub(crate) test: &'a Evaluation,
    /// Of the same network, on images that it was trained on.
    pub(crate) health: &'a Health,
    pub(crate) guess: Guess,
}

/// The result of guessing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guess {
    loss: f64,
    accuracy: f64,
    /// `None` for real numbers, which are never right: their accuracy says nothing.
    classes: Option<f64>,
}

impl Guess {
    /// For training labels that are below `classes`.
    pub(crate) fn classes(labels: &[u8], classes: usize) -> Self {
        let mut counts = [0usize; 256];
        for label in labels {
            counts[usize::from(*label)] += 1;
        }
        let shares = counts.map(|count| count as f64 / labels.len().max(1) as f64);
        Self {
            loss: shares.iter().filter(|share| **share > 0.0).map(|p| -p * p.ln()).sum(),
            accuracy: shares.into_iter().fold(0.0, f64::max),
            classes: Some(classes as f64),
        }
    }

    /// For real numbers, of which a guess is their mean: its loss is their variance.
    pub(crate) fn values(values: &[f32]) -> Self {
        let count = values.len().max(1) as f64;
        let mean = values.iter().map(|value| f64::from(*value)).sum::<f64>() / count;
        let squares = values.iter().map(|value| (f64::from(*value) - mean).powi(2));
        Self { loss: squares.sum::<f64>() / count, accuracy: 0.0, classes: None }
    }

    /// The same, where classes are weighted: the weights may make all of them equal.
    fn weighted(self) -> Self {
        Self { loss: self.classes.map_or(self.loss, f64::ln), ..self }
    }

    /// Whether `samples` samples may have this accuracy by chance. With `margin` 0 it is
    /// only the chance of the samples; an untrained network may also have a whole class
    /// right, which has a share of 1 / classes.
    fn explains(self, accuracy: f64, samples: usize, margin: f64) -> bool {
        let deviation = (self.accuracy * (1.0 - self.accuracy) / samples as f64).sqrt();
        accuracy <= self.accuracy + (DEVIATIONS * deviation).max(margin)
    }
}

/// What was found, and what to try instead.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Finding {
    what: String,
    /// Flags that change the settings of the run, the best ones first.
    pub(crate) tries: Vec<String>,
}

impl Finding {
    /// The finding in one line.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{}: try ", self.what);
        for (i, flags) in self.tries.iter().enumerate() {
            let before = match i {
                0 => "",
                _ if i + 1 < self.tries.len() => ", ",
                _ => " or ",
            };
            let _ = write!(text, "{before}{flags}");
        }
        text
    }
}

/// The most important finding of a run; `None` if it went well.
pub(crate) fn diagnose(evidence: &Evidence<'_>) -> Option<Finding> {
    let last = evidence.history.epochs.last()?;
    let case = Case { evidence, last, guess: evidence.guess(), advice: Advice(evidence.config) };
    case.learned_nothing()
        .or_else(|| case.far_above_guessing())
        .or_else(|| case.wasted_units())
        .or_else(|| case.got_worse())
}

impl Evidence<'_> {
    fn guess(&self) -> Guess {
        match self.config.training.class_weights {
            Some(_) => self.guess.weighted(),
            None => self.guess,
        }
    }
}

/// The evidence, with what every finding needs.
struct Case<'a> {
    evidence: &'a Evidence<'a>,
    last: &'a EpochReport,
    guess: Guess,
    advice: Advice<'a>,
}

impl Case<'_> {
    fn learned_nothing(&self) -> Option<Finding> {
        let Self { evidence: Evidence { test, .. }, last, guess, .. } = self;
        let untrained = guess
            .classes
            .is_none_or(|classes| guess.explains(test.accuracy, test.samples, 1.0 / classes));
        let least = LEARNED * guess.loss;
        // Not a number where the outputs overflow.
        let high = |loss: f64| loss.is_nan() || loss >= least;
        if last.step < FEW_STEPS || !(untrained && high(test.loss) && high(last.train_loss)) {
            return None;
        }
        let at_chance = guess.explains(test.accuracy, test.samples, 0.0);
        let mut what = if guess.classes.is_some() && at_chance {
            let (found, largest) = (percent(test.accuracy), percent(guess.accuracy));
            format!("accuracy is at chance ({found}; the largest class has {largest})")
        } else {
            let (found, guess) = (loss(test.loss), loss(guess.loss));
            format!("the loss is no lower than that of guessing ({found}; guessing has {guess})")
        };
        let (cause, tries) = self.cause();
        let _ = write!(what, "; {cause}");
        Some(Finding { what, tries })
    }

    /// Why nothing was learned, and what to try. A cause that explains others comes first.
    fn cause(&self) -> (String, Vec<String>) {
        let Self { evidence: Evidence { config, history, .. }, last, guess, advice } = self;
        let (first, now) = (history.epochs[0].train_loss, last.train_loss);
        let epochs = history.epochs.len();
        let moved = match epochs {
            1 => format!("the loss of the epoch was {}", loss(now)),
            _ => format!("the loss went from {} to {} in {epochs} epochs", loss(first), loss(now)),
        };
        let fit = &config.training;
        let far = now >= FAR * guess.loss;
        if !far && fit.l1.max(fit.l2) >= STRONG_PENALTY {
            return (moved, advice.weaker_penalty());
        }
        if fit.clip_norm.is_some_and(|norm| norm < TIGHT_CLIP) {
            return (moved, vec!["--clip-norm 1".to_owned()]);
        }
        let cause = self.most_units().or_else(|| self.vanishing()).or_else(|| self.exploding());
        if let Some(cause) = cause {
            return cause;
        }
        let tries = if far {
            advice.smaller_steps()
        } else if advice.rate() < advice.usual_rate() {
            let still = first - now < STILL * first;
            let mut tries = vec![advice.higher_rate()];
            tries.extend((!still).then(|| advice.longer()));
            tries
        } else {
            vec![advice.lower_rate(), advice.longer()]
        };
        (moved, tries)
    }

    fn vanishing(&self) -> Option<(String, Vec<String>)> {
        let Self { evidence: Evidence { health, .. }, advice, .. } = self;
        let layer = health.vanishing()?;
        let ratio = health.gradient_ratios().nth(layer)?;
        let what = format!(
            "the gradient of layer {} is {ratio:.0e} times that of the last layer (vanishing)",
            layer + 1
        );
        Some((what, advice.shallower()))
    }

    fn exploding(&self) -> Option<(String, Vec<String>)> {
        let Self { evidence: Evidence { health, .. }, advice, .. } = self;
        let layer = health.exploding()?;
        let ratio = health.layers.get(layer)?.gradient;
        let what = format!(
            "the gradient of layer {} is {ratio:.0e} times its weights (exploding)",
            layer + 1
        );
        Some((what, advice.tamer()))
    }

    /// A network that is worse than guessing although it has learned something.
    fn far_above_guessing(&self) -> Option<Finding> {
        let Self { evidence: Evidence { test, .. }, last, guess, advice } = self;
        let far = last.train_loss >= FAR * guess.loss && test.loss >= FAR * guess.loss;
        if last.step < FEW_STEPS || !far {
            return None;
        }
        let what = format!(
            "the loss is far above that of guessing ({} in the last epoch; guessing has {})",
            loss(last.train_loss),
            loss(guess.loss)
        );
        Some(Finding { what, tries: advice.smaller_steps() })
    }

    /// Most units of a layer are dead, in a network that learned all the same. (A network
    /// whose units are saturated for most images may learn from the others.)
    fn wasted_units(&self) -> Option<Finding> {
        // The penalty makes units dead on purpose.
        let fit = &self.evidence.config.training;
        if fit.l1 > 0.0 || fit.l2 >= PRUNING_PENALTY {
            return None;
        }
        let (what, tries) = self.most_dead()?;
        Some(Finding { what, tries })
    }

    /// A hidden layer most of whose units are saturated or dead.
    fn most_units(&self) -> Option<(String, Vec<String>)> {
        let Self { evidence: Evidence { config, .. }, advice, .. } = self;
        // Where a unit is always at an end of its range, it is dead too.
        let Some(units) = self.most(|layer| layer.saturated) else {
            return self.most_dead();
        };
        let activation = config.network.activation;
        let what = format!("{units} are at an end of {activation} for most images (saturated)");
        Some((what, advice.unsaturated()))
    }

    fn most_dead(&self) -> Option<(String, Vec<String>)> {
        let Self { evidence: Evidence { config, .. }, advice, .. } = self;
        let units = self.most(|layer| layer.dead)?;
        let how = match config.network.activation {
            Activation::Relu => "are never above 0",
            _ => "have a slope near 0 for every image",
        };
        Some((format!("{units} {how} (dead)"), advice.alive()))
    }

    /// The units of this kind in the hidden layer with the largest share of them, in words, if
    /// they are more than [`MOST`].
    fn most(&self, count: impl Fn(&LayerHealth) -> usize) -> Option<String> {
        let (_, hidden) = self.evidence.health.layers.split_last()?;
        let share = |layer: &LayerHealth| count(layer) as f64 / layer.units as f64;
        let worst = hidden.iter().zip(1..).max_by(|(a, _), (b, _)| share(a).total_cmp(&share(b)));
        let (layer, l) = worst.filter(|(layer, _)| share(layer) > MOST)?;
        Some(match (count(layer), layer.units) {
            (all, units) if all == units => format!("all {units} units of hidden layer {l}"),
            (some, units) => format!("{some} of {units} units of hidden layer {l}"),
        })
    }

    /// A run that lost what it had learned, where nothing kept the best epoch.
    fn got_worse(&self) -> Option<Finding> {
        let Self { evidence: Evidence { history, .. }, last, advice, .. } = self;
        if history.best.is_some() || self.guess.classes.is_none() {
            return None;
        }
        let held_out = last.validation.map(|found| found.samples);
        let accuracy = |epoch: &EpochReport| match epoch.validation {
            Some(found) => found.accuracy,
            None => epoch.train_accuracy,
        };
        let best = history.epochs.iter().max_by(|a, b| accuracy(a).total_cmp(&accuracy(b)))?;
        let (was, now) = (accuracy(best), accuracy(last));
        let samples = held_out.unwrap_or(last.samples) as f64;
        let deviation = (2.0 * was * (1.0 - was) / samples).sqrt();
        if was - now < WORSE_BY.max(DEVIATIONS * deviation) || 1.0 - now < WORSE * (1.0 - was) {
            return None;
        }
        let (set, keep) = match held_out {
            Some(_) => ("held-out samples", "--patience 5"),
            None => ("training images", "--validation 0.1 --patience 5"),
        };
        let what = format!(
            "accuracy on {set} was {} in epoch {} and fell to {} in epoch {}",
            percent(was),
            best.epoch,
            percent(now),
            last.epoch
        );
        Some(Finding { what, tries: vec![keep.to_owned(), advice.lower_rate()] })
    }
}

/// What to try, as flags.
struct Advice<'a>(&'a Config);

impl Advice<'_> {
    fn rate(&self) -> f64 {
        decimal(self.0.training.lr)
    }

    fn usual_rate(&self) -> f64 {
        usual_rate(&self.0.training.optimizer.to_string()).unwrap_or(self.rate())
    }

    /// A tenth, or the usual rate if that is lower.
    fn lower_rate(&self) -> String {
        format!("--lr {}", (self.rate() / 10.0).min(self.usual_rate()) as f32)
    }

    /// Ten times the rate, or the usual one if that is higher.
    fn higher_rate(&self) -> String {
        format!("--lr {}", (10.0 * self.rate()).max(self.usual_rate()) as f32)
    }

    fn longer(&self) -> String {
        format!("--epochs {}", self.0.training.epochs.saturating_mul(3).min(1_000_000))
    }

    fn smaller_steps(&self) -> Vec<String> {
        let mut tries = vec![self.lower_rate()];
        if self.0.training.clip_norm.is_none() {
            tries.push("--clip-norm 1".to_owned());
        }
        tries
    }

    fn weaker_penalty(&self) -> Vec<String> {
        let mut tries = Vec::new();
        for (name, factor) in [("l1", self.0.training.l1), ("l2", self.0.training.l2)] {
            if factor > 0.0 {
                let weaker = (decimal(factor) / 10.0).min(USUAL_PENALTY);
                tries.push(format!("--{name} {}", weaker as f32));
            }
        }
        tries
    }

    /// Against dead units.
    fn alive(&self) -> Vec<String> {
        let he = matches!(self.0.network.init, Init::He | Init::HeNormal);
        // A leaky unit does not mend weights that are too large, as uniform ones are.
        let uniform = self.0.network.init == Init::Uniform;
        let relu = self.0.network.activation == Activation::Relu && !uniform;
        let init = (!he).then_some("--init he");
        self.steps_or([init, relu.then_some("--activation leaky-relu")])
    }

    /// Against saturated units.
    fn unsaturated(&self) -> Vec<String> {
        let init = (self.0.network.init == Init::Uniform).then_some("--init xavier");
        self.steps_or([init, Some("--activation relu --init he")])
    }

    /// A lower rate, or something else. A rate above the usual one spoils the units of any
    /// network, so nothing else helps; a rate far below it is not the cause.
    fn steps_or(&self, others: [Option<&str>; 2]) -> Vec<String> {
        let (rate, usual) = (self.rate(), self.usual_rate());
        if rate > usual {
            return vec![self.lower_rate()];
        }
        let mut tries: Vec<_> = others.into_iter().flatten().map(str::to_owned).collect();
        if 10.0 * rate >= usual {
            tries.push(self.lower_rate());
        }
        tries
    }

    /// Against a gradient that explodes on its way through the layers.
    fn tamer(&self) -> Vec<String> {
        let init = (self.0.network.init == Init::Uniform).then_some("--init he");
        let clip = self.0.training.clip_norm.is_none().then_some("--clip-norm 1");
        self.steps_or([init, clip])
    }

    /// Against a gradient that vanishes on its way through the layers.
    fn shallower(&self) -> Vec<String> {
        let mut tries = Vec::new();
        if self.0.network.activation != Activation::Relu {
            tries.push("--activation relu --init he".to_owned());
        }
        if self.0.training.batch_norm.is_none() {
            tries.push("--batch-norm 100".to_owned());
        }
        if let [first, _, ..] = self.0.network.hidden[..] {
            tries.push(format!("--hidden {first}"));
        }
        tries
    }
}

/// The number that the user typed, of which a tenth has as few digits.
fn decimal(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(value.into())
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn loss(loss: f64) -> String {
    if loss < 1000.0 { format!("{loss:.2}") } else { format!("{loss:.1e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessing_knows_the_shares_of_the_classes() {
        let even = Guess::classes(&[0, 1, 2, 3], 4);
        assert!((even.loss - 4f64.ln()).abs() < 1e-12 && even.accuracy == 0.25);
        // One class of three has no label.
        let odd = Guess::classes(&[2, 0, 0, 0], 3);
        let entropy = -(0.75 * 0.75f64.ln() + 0.25 * 0.25f64.ln());
        assert!((odd.loss - entropy).abs() < 1e-12 && odd.accuracy == 0.75);
        assert!((odd.weighted().loss - 3f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn chance_has_a_margin() {
        let guess = Guess::classes(&[0, 1], 2);
        // The deviation of 400 samples is 0.025.
        assert!(guess.explains(0.574, 400, 0.0) && !guess.explains(0.576, 400, 0.0));
        assert!(guess.explains(0.576, 400, 0.1) && !guess.explains(0.61, 400, 0.1));
        assert!(guess.explains(0.0, 400, 0.0));
    }

    #[test]
    fn a_tenth_has_the_digits_of_the_whole() {
        for (value, tenth) in [(0.3, "0.03"), (0.7, "0.07"), (1e-9, "0.0000000001"), (50.0, "5")] {
            assert_eq!(((decimal(value) / 10.0) as f32).to_string(), tenth);
        }
    }

    #[test]
    fn a_finding_is_one_sentence() {
        let text = |tries: &[&str]| {
            let tries = tries.iter().map(|flags| (*flags).to_owned()).collect();
            Finding { what: "it is so".to_owned(), tries }.text()
        };
        assert_eq!(text(&["--a 1"]), "it is so: try --a 1");
        assert_eq!(text(&["--a 1", "--b"]), "it is so: try --a 1 or --b");
        assert_eq!(text(&["--a", "--b", "--c"]), "it is so: try --a, --b or --c");
    }
}
