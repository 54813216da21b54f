//! Judging a network: how good it is, whether it can still learn, and whether its gradient
//! is right.

mod confusion;
mod evaluation;
mod gradient_check;
mod health;
mod predictions;
pub mod reference;
mod search;

pub use confusion::{Confusion, Scores};
pub use evaluation::Evaluation;
use evaluation::ratio;
pub use gradient_check::GradientCheck;
pub use health::{Health, LayerHealth};
pub use predictions::{Mistake, Predictions, Reliability};
pub use search::{Candidate, Sampler, Trial, Trials, random_candidates, search, vary};
