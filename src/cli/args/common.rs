//! The arguments that commands of all kinds share.

use super::values::threads;
use clap::Args;

/// `--quiet`.
#[derive(Args, Clone, Debug)]
pub struct QuietArgs {
    /// Print no progress
    ///
    /// Only results, warnings and errors: no progress, and no line for each epoch or written file.
    #[arg(long, short)]
    pub quiet: bool,
}

/// `--threads`.
#[derive(Args, Clone, Debug)]
pub struct ThreadsArgs {
    /// Threads to work with [default: one for each core]
    ///
    /// The results are the same for any number.
    #[arg(long, value_name = "N", value_parser = threads, allow_negative_numbers = true)]
    pub threads: Option<usize>,
}
