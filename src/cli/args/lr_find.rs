//! The arguments of `lr-find`.

use super::common::{QuietArgs, ThreadsArgs};
use super::labels::LabelsArgs;
use super::optimizer::OptimizerArgs;
use super::reading::{ReadingArgs, bit_depth};
use super::train::ClassWeight;
use super::values::{ImageSize, augmentation, batch_size, image_size, mebibytes, positive, seed, share, whole_number};
use clap::Args;
use glassnet::data::augment::Augmentation;
use glassnet::data::images::DEFAULT_CACHE_MEBIBYTES;
use glassnet::data::reading::BitDepth;
use glassnet::training::keras_run;
use std::path::PathBuf;

/// `glassnet lr-find`.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "More options, and more on each: glassnet lr-find --help",
    after_long_help = "Examples:
  glassnet lr-find photos
  glassnet lr-find photos --optimizer sgd --momentum 0.9 --out rates

Each step has a larger learning rate than the one before. Too small a rate leaves the loss where it was, a good one lets it fall, and too large a one drives it up, which ends the test. The rate where the loss falls fastest is a good one to train with. Nothing of the training is kept; the other flags are those of glassnet train, and should be the same."
)]
pub struct LrFindArgs {
    /// Class folders, a zip, tar or pack of them, a labels.csv or an .npz
    #[arg(value_name = "DATA")]
    pub data: PathBuf,
    /// Learning rate of the first step
    #[arg(long, value_name = "RATE", default_value_t = 1e-6, value_parser = positive, allow_negative_numbers = true)]
    pub from: f64,
    /// Learning rate of the last step
    #[arg(long, value_name = "RATE", default_value_t = 1.0, value_parser = positive, allow_negative_numbers = true)]
    pub to: f64,
    /// Steps to take
    #[arg(long, value_name = "N", default_value_t = 120, value_parser = steps, allow_negative_numbers = true)]
    pub steps: usize,
    /// A new folder for the curve, lr-find.png, and its numbers, lr-find.csv
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// `--optimizer`, and what belongs to it.
    #[command(flatten)]
    pub optimizer: OptimizerArgs,
    /// The network's layers [default: those of the documented model]
    #[arg(long, value_name = "FILE.toml")]
    pub model: Option<PathBuf>,
    /// Images in a step
    #[arg(long, value_name = "N", default_value_t = keras_run::BATCH_SIZE, value_parser = batch_size, allow_negative_numbers = true)]
    pub batch_size: usize,
    /// Side to which images are resized [default: the model's, 128]
    #[arg(long, value_name = "PIXELS", value_parser = image_size, allow_negative_numbers = true)]
    pub image_size: Option<ImageSize>,
    /// Share of each class that does not train
    #[arg(long, value_name = "SHARE", default_value_t = keras_run::VALIDATION_SPLIT, value_parser = share, allow_negative_numbers = true, hide_short_help = true)]
    pub validation_split: f64,
    /// Let all classes count alike, or every image
    #[arg(long, value_name = "RULE", default_value_t = ClassWeight::None, value_enum, hide_short_help = true)]
    pub class_weight: ClassWeight,
    /// Share of each target that is spread over all classes
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share, allow_negative_numbers = true, hide_short_help = true)]
    pub label_smoothing: f64,
    /// Change training images at random in every epoch
    ///
    /// As glassnet train --augment does.
    #[arg(long, value_name = "flip,shift,…", value_parser = augmentation(), hide_possible_values = true, hide_short_help = true)]
    pub augment: Option<Augmentation>,
    /// Share that dropout drops [default: the model's, 0.5]
    #[arg(long, value_name = "SHARE", value_parser = share, allow_negative_numbers = true, hide_short_help = true)]
    pub dropout: Option<f64>,
    /// Start from the weights in this file
    ///
    /// By default they are drawn, as --seed decides.
    #[arg(long, value_name = "FILE.safetensors", hide_short_help = true)]
    pub init_weights: Option<PathBuf>,
    /// Leave out images that cannot be read
    #[arg(long, hide_short_help = true)]
    pub skip_bad: bool,
    /// `--labels`, and its columns.
    #[command(flatten)]
    pub labels: LabelsArgs,
    /// `--upright`, `--range`, `--resize` and `--interpolation`.
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// Bits that are kept of images of 16 bits
    #[arg(long, value_name = "BITS", default_value = "16", value_parser = bit_depth(), hide_short_help = true)]
    pub bit_depth: BitDepth,
    /// Memory for the decoded images; 0 decodes anew in each epoch
    #[arg(long, value_name = "MEBIBYTES", default_value_t = DEFAULT_CACHE_MEBIBYTES, value_parser = mebibytes, allow_negative_numbers = true, hide_short_help = true)]
    pub cache: usize,
    /// Seed of all that is drawn at random
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = seed, allow_negative_numbers = true)]
    pub seed: u64,
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

/// The most steps of a test.
const MAX_STEPS: usize = 10_000;

fn steps(text: &str) -> Result<usize, String> {
    match whole_number(text, MAX_STEPS)? {
        0..10 => Err("must be at least 10: of fewer no slope can be told".into()),
        steps => Ok(steps),
    }
}
