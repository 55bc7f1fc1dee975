//! A training run from resolved settings to its folder: what `train`, each fold of a cross-validation and
//! `reproduce` have in common.

mod agreement;
mod describe;
mod execute;
mod images;
mod resolved;
mod start;

pub use execute::{Execution, without_validation};
pub use resolved::TrainingRun;
pub use start::{RunPlace, check_memory};
