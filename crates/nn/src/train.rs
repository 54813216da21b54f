//! Training: the epoch loop, its steps, and the update of the parameters.

mod callback;
mod fit;
mod noise;
mod limits;
mod norm;
mod optimizer;
mod schedule;
mod session;
mod step;
mod stopping;
mod tiny;

pub use callback::{And, Callback, EpochReport, StepReport, StopToken};
pub use fit::{Fit, History};
pub use noise::{Dropout, DropoutKind, Noise};
pub use norm::BatchNorm;
pub use optimizer::{Average, Optimizer};
pub use schedule::{Curve, Progress, Schedule};
pub use session::{Gradient, Session};
pub use stopping::{EarlyStopping, Monitor};
