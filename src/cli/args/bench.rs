//! The arguments of `glassnet bench`.

use super::{at_least_one, batch_size, threads, whole_number};
use clap::{Args, Subcommand};
use glassnet::kernels::registry::ConvChoice;
use glassnet::report::documented;
use std::path::PathBuf;

/// `glassnet bench`.
#[derive(Args, Debug)]
pub struct BenchArgs {
    /// What is measured.
    #[command(subcommand)]
    pub what: BenchCommand,
}

/// What can be measured.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// A training step and an inference batch, as a whole and phase by phase
    Step(StepArgs),
}

/// `--threads` with several numbers.
#[derive(Args, Clone, Debug)]
pub struct ThreadCounts {
    /// Threads to measure with, one number after the other, as in 1,2 [default: one for each core]
    #[arg(long = "threads", value_name = "N,…", value_delimiter = ',', value_parser = threads, allow_negative_numbers = true)]
    pub counts: Vec<usize>,
}

/// `glassnet bench step`.
#[derive(Args, Debug)]
pub struct StepArgs {
    /// The network's layers [default: those of the documented model]
    #[arg(long, value_name = "FILE.toml")]
    pub model: Option<PathBuf>,
    /// Images in a batch
    #[arg(long, value_name = "N", default_value_t = documented::BATCH_SIZE, value_parser = batch_size, allow_negative_numbers = true)]
    pub batch_size: usize,
    /// Height and width to which images are resized [default: 128, or the model's]
    #[arg(long, value_name = "PIXELS", value_parser = at_least_one, allow_negative_numbers = true)]
    pub image_size: Option<usize>,
    /// Convolution algorithm, as for `train`
    #[arg(long, value_name = "NAME", default_value_t = ConvChoice::Auto)]
    pub conv: ConvChoice,
    /// Run convolution, ReLU and max-pooling layer by layer, not as one; the numbers are the same
    #[arg(long)]
    pub no_fuse: bool,
    /// `--threads`.
    #[command(flatten)]
    pub threads: ThreadCounts,
    /// Training steps that count, and as many inference batches; one more of each warms up
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = repetitions, allow_negative_numbers = true)]
    pub steps: usize,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
}

/// The most repetitions of what is measured.
const MAX_REPETITIONS: usize = 100_000;

fn repetitions(text: &str) -> Result<usize, String> {
    whole_number(text, MAX_REPETITIONS)
}
