//! The arguments of `glassnet train` and `glassnet reproduce`.

use super::values::{
    at_least_one, augmentation, batch_size, epochs, folds, mebibytes, not_negative, positive, seconds, seed, share,
};
use super::{QuietArgs, ThreadsArgs};
use clap::{Args, ValueEnum};
use glassnet::data::augment::Augmentation;
use glassnet::data::images::DEFAULT_CACHE_MEBIBYTES;
use glassnet::kernels::registry::ConvChoice;
use glassnet::report::documented;
use std::fmt;
use std::path::PathBuf;

/// What `train` and `reproduce` share.
#[derive(Args, Clone, Debug)]
pub struct RunArgs {
    /// The run folder [default: runs/train1, or the next number that is free]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Go on with the run in this folder, with its own settings, to the same end as if it had never stopped
    #[arg(long, value_name = "DIR", conflicts_with = "out")]
    pub resume: Option<PathBuf>,
    /// Save the run at the end of an epoch when it was last saved this long ago; it is always saved at its end and on Ctrl-C
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0, value_parser = seconds, allow_negative_numbers = true)]
    pub save_every: f64,
    /// Memory for the decoded images, training and validation together: they are kept if all of them fit, else decoded anew
    /// in each epoch, ahead of the step; 0 keeps none, and never is more than half of the machine's memory used. The results
    /// are the same
    #[arg(long, value_name = "MEBIBYTES", default_value_t = DEFAULT_CACHE_MEBIBYTES, value_parser = mebibytes, allow_negative_numbers = true)]
    pub cache: usize,
    /// Seed of the initial weights, the shuffles and the dropout masks
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = seed, allow_negative_numbers = true)]
    pub seed: u64,
    /// `--threads`.
    #[command(flatten)]
    pub threads: ThreadsArgs,
    /// Convolution algorithm: auto, im2col, direct, winograd or winograd2x2
    #[arg(long, value_name = "NAME", default_value_t = ConvChoice::Auto)]
    pub conv: ConvChoice,
    /// Run convolution, ReLU and max-pooling layer by layer, not as one; the numbers are the same
    #[arg(long)]
    pub no_fuse: bool,
    /// Print one JSON object instead of text; progress then goes to stderr
    #[arg(long)]
    pub json: bool,
    /// `--quiet`.
    #[command(flatten)]
    pub quiet: QuietArgs,
}

/// `glassnet reproduce`.
#[derive(Args, Debug)]
pub struct ReproduceArgs {
    /// Shared with `train`.
    #[command(flatten)]
    pub common: RunArgs,
}

/// `glassnet train`.
#[derive(Args, Debug)]
pub struct TrainArgs {
    /// A folder that holds two class folders of images, or a zip of one; with --resume it need not be given
    #[arg(value_name = "DATA", required_unless_present = "resume")]
    pub data: Option<PathBuf>,
    /// Passes over the training images; with --resume, more than the run had go on further
    #[arg(long, value_name = "N", default_value_t = documented::EPOCHS, value_parser = epochs, allow_negative_numbers = true)]
    pub epochs: usize,
    /// Images in a training step
    #[arg(long, value_name = "N", default_value_t = documented::BATCH_SIZE, value_parser = batch_size, allow_negative_numbers = true)]
    pub batch_size: usize,
    /// Height and width to which images are resized [default: 128, or the model's]
    #[arg(long, value_name = "PIXELS", value_parser = at_least_one, allow_negative_numbers = true)]
    pub image_size: Option<usize>,
    /// Share of each class that validates: its first files by name
    #[arg(long, value_name = "SHARE", default_value_t = documented::VALIDATION_SPLIT, value_parser = share, allow_negative_numbers = true)]
    pub validation_split: f64,
    /// Train K models, each validated on another K-th of the images, and print their mean and spread
    #[arg(long, value_name = "K", value_parser = folds, allow_negative_numbers = true, conflicts_with = "validation_split")]
    pub folds: Option<usize>,
    /// Keep files together that belong together, such as those of one patient: the first pair of parentheses in REGEX captures the
    /// group's name in each file's path, such as benign/p07_2.png; without parentheses the whole match does; which groups
    /// validate, --seed decides
    #[arg(long, value_name = "REGEX")]
    pub group_regex: Option<String>,
    /// Adam's learning rate
    #[arg(long, value_name = "RATE", default_value_t = documented::LEARNING_RATE, value_parser = positive, allow_negative_numbers = true)]
    pub learning_rate: f64,
    /// AdamW's weight decay: each step every weight also shrinks by RATE times the learning rate
    #[arg(long, value_name = "RATE", default_value_t = 0.0, value_parser = not_negative, allow_negative_numbers = true)]
    pub weight_decay: f64,
    /// Multiply the loss of a training image by n / (2 · images of its class), so that both classes count alike
    #[arg(long, value_name = "RULE", default_value_t = ClassWeight::None, value_enum)]
    pub class_weight: ClassWeight,
    /// Change training images at random in every epoch: some of flip (both), flip-horizontal, flip-vertical, shift and rotate;
    /// glassnet samples --augment shows it
    #[arg(long, value_name = "flip,shift,rotate", value_parser = augmentation)]
    pub augment: Option<Augmentation>,
    /// Share of values that dropout layers drop while training [default: 0.5, or the model's]
    #[arg(long, value_name = "SHARE", value_parser = share, allow_negative_numbers = true)]
    pub dropout: Option<f64>,
    /// Start from the weights in this file instead of drawn ones
    #[arg(long, value_name = "FILE.safetensors")]
    pub init_weights: Option<PathBuf>,
    /// Stop when val_loss was lowest this many epochs ago, and restore the weights of that epoch at the end
    #[arg(long, value_name = "EPOCHS", value_parser = epochs, allow_negative_numbers = true)]
    pub early_stopping: Option<usize>,
    /// Take the images in the listing's order in every epoch
    #[arg(long)]
    pub no_shuffle: bool,
    /// Leave out images that cannot be read, and name them, instead of stopping before the first epoch
    #[arg(long)]
    pub skip_bad: bool,
    /// The network's layers [default: those of the documented model]
    #[arg(long, value_name = "FILE.toml")]
    pub model: Option<PathBuf>,
    /// Shared with `reproduce`.
    #[command(flatten)]
    pub common: RunArgs,
}

/// How much a training image of each class counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
pub enum ClassWeight {
    /// As one
    None,
    /// So that both classes count alike
    Balanced,
}

impl fmt::Display for ClassWeight {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(match self {
            ClassWeight::None => "none",
            ClassWeight::Balanced => "balanced",
        })
    }
}
