//! The arguments of `folds`.

use super::common::QuietArgs;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `glassnet folds`.
#[derive(Args, Debug)]
pub struct FoldsArgs {
    /// What is done with them.
    #[command(subcommand)]
    pub what: FoldsCommand,
}

impl FoldsArgs {
    /// Tells whether `--quiet` was given.
    pub fn is_quiet(&self) -> bool {
        match &self.what {
            FoldsCommand::Merge(args) => args.quiet.quiet,
        }
    }
}

/// What can be done with folds.
#[derive(Debug, Subcommand)]
pub enum FoldsCommand {
    /// Make one cross-validation of folds that were trained apart, by train --only-fold
    ///
    /// The folder that comes of it, and the table, are those of train --folds K.
    Merge(MergeArgs),
}

/// `glassnet folds merge`.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = "Example:
  glassnet train photos --folds 3 --only-fold 1 --out night1
  glassnet train photos --folds 3 --only-fold 2 --out night2
  glassnet train photos --folds 3 --only-fold 3 --out night3
  glassnet folds merge night1 night2 night3 --out runs/photos

Folds belong together that were trained on the same files with the same settings. Each is copied, and nothing is trained or read of the images.")]
pub struct MergeArgs {
    /// Runs of train --only-fold, or fold folders
    ///
    /// Each fold is to be there once.
    #[arg(value_name = "DIR", required = true)]
    pub folders: Vec<PathBuf>,
    /// The run folder of all folds [default: the next free runs/trainN]
    ///
    /// It must not exist yet, or be empty: nothing is overwritten.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
    /// `--quiet`.
    #[command(flatten)]
    pub quiet: QuietArgs,
}
