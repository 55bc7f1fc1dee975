//! The arguments of `runs`.

use super::common::QuietArgs;
use clap::Args;
use std::path::PathBuf;

/// `glassnet runs`.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = "Examples:
  glassnet runs
  glassnet runs runs/train3 runs/train7 --by val_accuracy --plot runs.png

The best value of each measure over all epochs is shown, the best run first, and of the settings those in which the runs differ.")]
pub struct RunsArgs {
    /// Run folders, or folders of them
    #[arg(value_name = "DIR", default_value = "runs")]
    pub folders: Vec<PathBuf>,
    /// The measure that orders the runs, a column of history.csv
    #[arg(long, value_name = "MEASURE", default_value = "val_loss")]
    pub by: String,
    /// Also draw that measure of each run by epoch into this PNG
    #[arg(long, value_name = "OUT.png")]
    pub plot: Option<PathBuf>,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
    /// `--quiet`.
    #[command(flatten)]
    pub quiet: QuietArgs,
}
