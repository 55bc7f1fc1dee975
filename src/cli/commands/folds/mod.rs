//! `glassnet folds`: folds of a cross-validation that were trained apart.

mod copies;
mod finished_fold;
mod merge;
mod together;
mod whole_config;

use crate::cli::args::folds::{FoldsArgs, FoldsCommand};
use crate::cli::outcome::CommandResult;

/// Does what is asked for.
pub fn run(args: &FoldsArgs) -> CommandResult {
    match &args.what {
        FoldsCommand::Merge(args) => merge::run(args),
    }
}
