//! The arguments of `lecture`.

use super::common::{QuietArgs, ThreadsArgs};
use super::labels::LabelsArgs;
use super::optimizer::OptimizerArgs;
use super::reading::{ReadingArgs, bit_depth};
use super::schedule::ScheduleArgs;
use super::train::ClassWeight;
use super::values::{ImageSize, augmentation, batch_size, conv, epochs, image_size, mebibytes, seed, share};
use clap::Args;
use glassnet::data::augment::Augmentation;
use glassnet::data::images::DEFAULT_CACHE_MEBIBYTES;
use glassnet::data::reading::BitDepth;
use glassnet::kernels::conv::registry::ConvPolicy;
use glassnet::training::keras_run;
use std::path::PathBuf;

/// `glassnet lecture`.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "More options, and more on each: glassnet lecture --help",
    after_long_help = "Examples:
  glassnet lecture --open                                   the phantom set
  glassnet lecture photos --stops my.toml
  glassnet lecture data/liver-phantom --stops docs/lecture1.toml --open

The page is on this machine alone, and only who has the printed link can open it. Space plays and pauses, Right goes on by a phase, Shift+Right by a batch, Left and Shift+Left go back, N and P go to the next and the previous stop, Enter reveals an answer, + enlarges for a projector, ? tells all keys. A weight or the learning rate that is changed belongs to the step at which it was changed; going back before that undoes it.

The steps are those of glassnet train with the same flags, bit for bit. Nothing is saved but what the page's reader saves."
)]
pub struct LectureArgs {
    /// Class folders, a zip, tar or pack of them, a labels.csv or an .npz [default: the phantom set]
    #[arg(value_name = "DATA")]
    pub data: Option<PathBuf>,
    /// A prepared lecture: the stops to go to
    ///
    /// docs/lecture1.toml is one.
    #[arg(long, value_name = "FILE.toml")]
    pub stops: Option<PathBuf>,
    /// Open the page in the browser
    #[arg(long)]
    pub open: bool,
    /// Port of the page [default: one that is free]
    #[arg(long, value_name = "N", value_parser = port, allow_negative_numbers = true)]
    pub port: Option<u16>,
    /// Images in a training step
    #[arg(long, value_name = "N", default_value_t = keras_run::BATCH_SIZE, value_parser = batch_size, allow_negative_numbers = true)]
    pub batch_size: usize,
    /// Side to which images are resized [default: the model's, 128]
    #[arg(long, value_name = "PIXELS", value_parser = image_size, allow_negative_numbers = true)]
    pub image_size: Option<ImageSize>,
    /// Share of each class that validates, and so does not train
    ///
    /// Its first files by name.
    #[arg(long, value_name = "SHARE", default_value_t = keras_run::VALIDATION_SPLIT, value_parser = share, allow_negative_numbers = true)]
    pub validation_split: f64,
    /// `--optimizer`, and what belongs to it.
    #[command(flatten)]
    pub optimizer: OptimizerArgs,
    /// `--schedule`, and what belongs to it.
    #[command(flatten)]
    pub schedule: ScheduleArgs,
    /// Epochs that a schedule spans; the lecture itself has no end
    #[arg(long, value_name = "N", default_value_t = keras_run::EPOCHS, value_parser = epochs, allow_negative_numbers = true, hide_short_help = true)]
    pub epochs: usize,
    /// Let all classes count alike, or every image
    #[arg(long, value_name = "RULE", default_value_t = ClassWeight::None, value_enum)]
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
    #[arg(long, value_name = "SHARE", value_parser = share, allow_negative_numbers = true)]
    pub dropout: Option<f64>,
    /// Start from the weights in this file
    ///
    /// By default they are drawn, as --seed decides.
    #[arg(long, value_name = "FILE.safetensors", hide_short_help = true)]
    pub init_weights: Option<PathBuf>,
    /// Take the images in the same order in every epoch
    #[arg(long, hide_short_help = true)]
    pub no_shuffle: bool,
    /// Leave out images that cannot be read
    #[arg(long, hide_short_help = true)]
    pub skip_bad: bool,
    /// `--upright`, `--range`, `--resize` and `--interpolation`.
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// Bits that are kept of images of 16 bits
    #[arg(long, value_name = "BITS", default_value = "16", value_parser = bit_depth(), hide_short_help = true)]
    pub bit_depth: BitDepth,
    /// The network's layers [default: those of the documented model]
    #[arg(long, value_name = "FILE.toml")]
    pub model: Option<PathBuf>,
    /// Memory for the steps and states that one can go back to
    ///
    /// At most half of the memory that the process may take is used. With less, going back takes longer.
    #[arg(long, value_name = "MEBIBYTES", default_value_t = DEFAULT_MEMORY_MEBIBYTES, value_parser = mebibytes, allow_negative_numbers = true, hide_short_help = true)]
    pub memory: usize,
    /// Memory for the decoded images; 0 decodes anew in each epoch
    #[arg(long, value_name = "MEBIBYTES", default_value_t = DEFAULT_CACHE_MEBIBYTES, value_parser = mebibytes, allow_negative_numbers = true, hide_short_help = true)]
    pub cache: usize,
    /// Seed of all that is drawn at random
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = seed, allow_negative_numbers = true)]
    pub seed: u64,
    /// Convolution algorithm
    #[arg(long, value_name = "NAME", default_value_t = ConvPolicy::Auto, value_parser = conv(), hide_short_help = true)]
    pub conv: ConvPolicy,
    /// `--labels`, and its columns.
    #[command(flatten)]
    pub labels: LabelsArgs,
    /// `--quiet`.
    #[command(flatten)]
    pub quiet: QuietArgs,
    /// `--threads`.
    #[command(flatten)]
    pub threads: ThreadsArgs,
}

/// Memory for steps and states, unless another is given: of the documented network three steps, and 25
/// checkpoints, ten steps apart.
const DEFAULT_MEMORY_MEBIBYTES: usize = 2048;

fn port(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(port @ 1..) => Ok(port),
        _ => Err("it must be a whole number from 1 to 65535".into()),
    }
}
