//! The arguments of `glassnet bench`.

use super::common::ThreadsArgs;
use super::values::{ImageSize, Named, batch_size, conv, image_size, threads, whole_number};
use clap::{Args, Subcommand};
use glassnet::bench::descriptor::ConvDescriptor;
use glassnet::kernels::conv::registry::{CONV_ALGORITHMS, ConvPolicy};
use glassnet::kernels::conv::{ConvAlgorithm, Pass};
use glassnet::training::keras_run;
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
    /// Convolutions pass by pass, by each algorithm, beside the machine's limits
    Conv(ConvArgs),
    /// A training step and an inference batch, as a whole and phase by phase
    Step(StepArgs),
    /// What several processes on a network would gain: one's work measured, its traffic counted
    Ranks(RanksArgs),
}

/// `--threads` with several numbers.
#[derive(Args, Clone, Debug)]
pub struct ThreadCounts {
    /// Threads to measure with, as in 1,2 [default: one for each core]
    ///
    /// One number after the other.
    #[arg(long = "threads", value_name = "N,…", value_delimiter = ',', value_parser = threads, allow_negative_numbers = true)]
    pub counts: Vec<usize>,
}

/// `glassnet bench conv`.
#[derive(Args, Debug)]
pub struct ConvArgs {
    /// Convolutions: conv2d, conv2d_1, conv2d_2, or by sizes [default: these three]
    ///
    /// These are the layers of the documented model. Any other is written as in n16h63w63c32f64k3: images,
    /// height, width, channels, filters, kernel; then s2 for a stride of 2, psame for padding, p1 for
    /// one pixel of it on every side.
    #[arg(value_name = "CONVOLUTION", value_parser = convolution)]
    pub convolutions: Vec<NamedConvolution>,
    /// Only these algorithms
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', value_parser = algorithm())]
    pub algorithm: Vec<&'static dyn ConvAlgorithm>,
    /// Only these passes
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', value_parser = pass())]
    pub pass: Vec<Pass>,
    /// `--threads`.
    #[command(flatten)]
    pub threads: ThreadCounts,
    /// Times that each pass is run
    ///
    /// Over its batch; one more warms up.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = repetitions, allow_negative_numbers = true)]
    pub rounds: usize,
    /// Also write all figures into this file, a line for each case
    #[arg(long, value_name = "FILE.csv")]
    pub csv: Option<PathBuf>,
    /// Print one JSON object instead of tables
    #[arg(long)]
    pub json: bool,
}

/// A convolution that is asked for, by its name in the documented model or by its sizes.
#[derive(Clone, Debug)]
pub struct NamedConvolution {
    /// The layer's name, if that was given.
    pub layer: Option<String>,
    /// The sizes.
    pub descriptor: ConvDescriptor,
}

impl NamedConvolution {
    /// Returns the convolutions of the documented model.
    pub fn documented() -> Vec<NamedConvolution> {
        let named = |(name, descriptor)| NamedConvolution { layer: Some(name), descriptor };
        ConvDescriptor::documented(keras_run::BATCH_SIZE).into_iter().map(named).collect()
    }
}

fn convolution(text: &str) -> Result<NamedConvolution, String> {
    match NamedConvolution::documented().into_iter().find(|named| named.layer.as_deref() == Some(text)) {
        Some(named) => Ok(named),
        None => Ok(NamedConvolution { layer: None, descriptor: text.parse()? }),
    }
}

fn algorithm() -> Named<&'static dyn ConvAlgorithm> {
    Named::new(CONV_ALGORITHMS.iter().map(|algorithm| algorithm.name()), |name| {
        CONV_ALGORITHMS.iter().copied().find(|algorithm| algorithm.name() == name).ok_or_else(|| {
            let names: Vec<&str> = CONV_ALGORITHMS.iter().map(|algorithm| algorithm.name()).collect();
            format!("there is no such algorithm; there are {}", names.join(", "))
        })
    })
}

fn pass() -> Named<Pass> {
    Named::new(Pass::ALL.map(Pass::name), |name| {
        Pass::ALL.into_iter().find(|pass| pass.name() == name).ok_or_else(|| {
            let names = Pass::ALL.map(Pass::name);
            format!("there is no such pass; there are {}", names.join(", "))
        })
    })
}

/// `glassnet bench step`.
#[derive(Args, Debug)]
pub struct StepArgs {
    /// The network's layers [default: those of the documented model]
    #[arg(long, value_name = "FILE.toml")]
    pub model: Option<PathBuf>,
    /// Images in a batch
    #[arg(long, value_name = "N", default_value_t = keras_run::BATCH_SIZE, value_parser = batch_size, allow_negative_numbers = true)]
    pub batch_size: usize,
    /// Side to which images are resized [default: the model's, 128]
    ///
    /// Height and width in pixels; 128 for the documented model, else what its model.toml or its weights say.
    #[arg(long, value_name = "PIXELS", value_parser = image_size, allow_negative_numbers = true)]
    pub image_size: Option<ImageSize>,
    /// Convolution algorithm, as for `train`
    #[arg(long, value_name = "NAME", default_value_t = ConvPolicy::Auto, value_parser = conv())]
    pub conv: ConvPolicy,
    /// Run convolution, ReLU and max-pooling one by one
    ///
    /// By default they run as one. The numbers are the same.
    #[arg(long)]
    pub no_fuse: bool,
    /// `--threads`.
    #[command(flatten)]
    pub threads: ThreadCounts,
    /// Training steps that count, and inference batches
    ///
    /// One more of each warms up.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = repetitions, allow_negative_numbers = true)]
    pub steps: usize,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
}

/// `glassnet bench ranks`.
#[derive(Args, Debug)]
pub struct RanksArgs {
    /// The network's layers [default: those of the documented model]
    #[arg(long, value_name = "FILE.toml")]
    pub model: Option<PathBuf>,
    /// Images in a batch, all ranks together
    #[arg(long, value_name = "N", default_value_t = keras_run::BATCH_SIZE, value_parser = batch_size, allow_negative_numbers = true)]
    pub batch_size: usize,
    /// Take --batch-size for each rank, so that the batch grows with the ranks
    #[arg(long)]
    pub per_rank: bool,
    /// Side to which images are resized [default: the model's, 128]
    ///
    /// Height and width in pixels; 128 for the documented model, else what its model.toml or its weights say.
    #[arg(long, value_name = "PIXELS", value_parser = image_size, allow_negative_numbers = true)]
    pub image_size: Option<ImageSize>,
    /// Numbers of ranks
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "2,4,8,16", value_parser = ranks, allow_negative_numbers = true)]
    pub ranks: Vec<usize>,
    /// `--threads`.
    #[command(flatten)]
    pub threads: ThreadsArgs,
    /// Training steps that count, with each number of ranks
    ///
    /// One more warms up.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = repetitions, allow_negative_numbers = true)]
    pub steps: usize,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
}

/// The most ranks that are reckoned with.
const MAX_RANKS: usize = 1024;

fn ranks(text: &str) -> Result<usize, String> {
    whole_number(text, MAX_RANKS)
}

/// The most repetitions of what is measured.
const MAX_REPETITIONS: usize = 100_000;

fn repetitions(text: &str) -> Result<usize, String> {
    whole_number(text, MAX_REPETITIONS)
}
