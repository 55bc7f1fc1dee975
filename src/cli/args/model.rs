//! The arguments of the commands that take a MODEL: `predict`, `evaluate` and `summary`.

use super::values::{at_least_one, batch_size, threshold};
use super::{QuietArgs, ThreadsArgs};
use clap::{Args, ValueEnum};
use glassnet::report::documented;
use std::path::PathBuf;

/// `glassnet predict`.
#[derive(Args, Debug)]
pub struct PredictArgs {
    /// A weights file that `train` wrote, or its run folder, which stands for its weights/best.safetensors
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,
    /// Images; a folder or a zip stands for all images in it
    #[arg(value_name = "IMAGE", required = true)]
    pub images: Vec<PathBuf>,
    /// Also draw each image with its class and probability into this PNG
    #[arg(long, value_name = "OUT.png")]
    pub plot: Option<PathBuf>,
    /// Print one JSON object instead of lines
    #[arg(long)]
    pub json: bool,
    /// `--quiet`.
    #[command(flatten)]
    pub quiet: QuietArgs,
    /// `--threads`.
    #[command(flatten)]
    pub threads: ThreadsArgs,
}

/// `glassnet evaluate`.
#[derive(Args, Debug)]
pub struct EvaluateArgs {
    /// A weights file that `train` wrote, or its run folder, which stands for its weights/best.safetensors
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,
    /// A folder that holds the model's two class folders of images, or a zip of one
    #[arg(value_name = "DATA")]
    pub data: PathBuf,
    /// Which images of DATA; what trained and what validated stands in the split.csv of the model's run folder
    #[arg(long, value_name = "NAME", value_enum, default_value_t = SubsetChoice::All)]
    pub subset: SubsetChoice,
    /// An answer is positive where its probability is above this [default: the model's, which is 0.5]
    #[arg(long, value_name = "T", value_parser = threshold, allow_negative_numbers = true)]
    pub threshold: Option<f64>,
    /// A new folder to write: evaluation.html (pictures, and the worst mistakes), evaluation.json, predictions.csv
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
    /// `--quiet`.
    #[command(flatten)]
    pub quiet: QuietArgs,
    /// `--threads`.
    #[command(flatten)]
    pub threads: ThreadsArgs,
}

/// `--subset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SubsetChoice {
    Training,
    Validation,
    All,
}

/// `glassnet summary`.
#[derive(Args, Debug)]
pub struct SummaryArgs {
    /// A weights file, or a model.toml [default: the documented model]
    #[arg(value_name = "MODEL")]
    pub model: Option<PathBuf>,
    /// Height and width of the images [default: 128, or the model's]
    #[arg(long, value_name = "PIXELS", value_parser = at_least_one, allow_negative_numbers = true)]
    pub image_size: Option<usize>,
    /// Images in a batch, for the memory figures
    #[arg(long, value_name = "N", default_value_t = documented::BATCH_SIZE, value_parser = batch_size, allow_negative_numbers = true)]
    pub batch_size: usize,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
}
