//! A training run from resolved settings to its folder, from its start or from where it was stopped.

mod context;
pub mod cross_validation;
mod finished;
pub mod fold_summary;
mod recorder;
mod reevaluation;
pub mod resume;
mod schedule;
pub mod tensorboard;
pub mod training_run;
pub mod validated;
mod watch;
