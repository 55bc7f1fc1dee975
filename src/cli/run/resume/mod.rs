//! `--resume DIR`: a run's settings out of its folder, and whether it is the same run that goes on.
//!
//! The settings of `config.toml` bear the names of their flags. Each is held to what its flag may be, and
//! then put before the flags that were given, as if the user had repeated them, so that nothing here knows
//! one setting from another. What comes of it is compared, table by table, with what the run was made from;
//! only [`MAY_CHANGE`](crate::cli::run_folder::identity::MAY_CHANGE) may differ.

mod check;
mod data;
pub mod difference;
mod files;
pub mod flags;
pub mod progress;
mod resumed_run;

pub use resumed_run::ResumedRun;
