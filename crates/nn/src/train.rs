//! Training: the run, its steps, and the update of the parameters.

mod fit;
mod noise;
mod norm;
mod optimizer;
mod schedule;
mod session;
mod step;
mod stopping;
mod tiny;

pub use fit::{Callback, EpochReport, Fit, History, StepReport};
pub use noise::{Dropout, DropoutKind, Noise};
pub use norm::BatchNorm;
pub use optimizer::{Average, Optimizer};
pub use schedule::{Curve, Progress, Schedule};
pub use session::{Gradient, Session};
pub use stopping::{And, EarlyStopping, Monitor, StopToken};
