//! Training: the epoch loop, its steps, and the update of the parameters.

mod callback;
mod checkpoint;
mod clock;
mod conflicts;
mod fit;
mod noise;
mod norm;
mod optimizer;
mod run;
mod schedule;
mod session;
mod step;
mod stopping;
mod tiny;
mod weights;

pub use callback::{And, Callback, EpochReport, StepReport, StopToken, each_epoch};
pub use checkpoint::Checkpoint;
pub use fit::Fit;
pub use noise::{Dropout, DropoutKind, Noise};
pub use norm::BatchNorm;
pub use optimizer::{Average, Optimizer};
pub use run::{Ended, History, Run};
pub use schedule::{Curve, Progress, Schedule};
pub use session::{Gradient, Session};
pub use stopping::{EarlyStopping, Monitor};
pub use weights::Weights;
