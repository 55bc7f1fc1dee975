//! The training: batch, forward, loss, backward, step, report, from any state on to the end.
//!
//! - [`train`], [`train_watched`]: the loop. Progress goes to a closure as [`Event`]s, so it knows nothing of
//!   terminals and files
//! - [`train_on`], [`evaluate_on`]: the same by several processes ([`distributed`](crate::distributed))
//! - [`TrainSettings`]: how to train, the same for flags, files and programs; [`keras_run`] has the settings
//!   of the documented run, which are the defaults
//! - [`TrainingState`]: where a run stands: all that it needs to go on
//! - [`StepRow`], [`EpochSoFar`], [`EpochRecord`]: what is measured on the way
//! - [`evaluate`]: what a network answers on a set
//! - [`range_test`]: a learning rate by trying many
//! - [`watch`]: gradients, updates and activations by layer and epoch

mod clock;
mod evaluation;
pub mod keras_run;
mod learning_rate;
mod names;
mod not_finite;
mod of_run;
mod optimizer;
mod rate_range;
mod records;
mod run;
mod settings;
mod state;
pub mod watch;

pub use evaluation::{Evaluation, evaluate, evaluate_on};
pub use learning_rate::LearningRates;
pub use names::{OptimizerName, Piece, ScheduleName};
pub use not_finite::NotFinite;
pub use rate_range::{RateCurve, RatePoint, RateRange, range_test};
pub use records::{EpochRecord, EpochSoFar, LabelFigures, StepRow, best_epoch};
pub use run::{Event, Sets, train, train_on, train_watched};
pub use settings::{ClassWeighting, TrainSettings};
pub use state::{Best, TrainingState};
