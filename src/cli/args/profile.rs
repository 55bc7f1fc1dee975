//! The arguments of `profile`.

use super::common::{QuietArgs, ThreadsArgs};
use super::labels::LabelsArgs;
use super::reading::{ReadingArgs, bit_depth};
use super::values::{ImageSize, augmentation, batch_size, conv, image_size, mebibytes, seed, share, whole_number};
use clap::Args;
use glassnet::data::augment::Augmentation;
use glassnet::data::images::DEFAULT_CACHE_MEBIBYTES;
use glassnet::data::reading::BitDepth;
use glassnet::kernels::conv::registry::ConvPolicy;
use glassnet::training::keras_run;
use std::path::PathBuf;

/// `glassnet profile`.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "More options, and more on each: glassnet profile --help",
    after_long_help = "Examples:
  glassnet profile                                          the documented run, on the phantom set
  glassnet profile photos --model model.toml --out profiled --open
  glassnet profile photos --why

Steps are taken as glassnet train takes them; every second one is recorded, so that what recording costs is measured too. All time of all threads is accounted for: as work, by phase and algorithm, or as idle, by cause. The table begins with what would be won most if it stood on its roof: the most that the machine's registers, second-level caches or memory allow, measured before and after. Nothing of the training is kept.

With --out: profile.html, a page that needs no network; profile.json, all figures; trace.json, which https://ui.perfetto.dev opens."
)]
pub struct ProfileArgs {
    /// Class folders, a zip, tar or pack of them, a labels.csv or an .npz [default: the phantom set]
    #[arg(value_name = "DATA")]
    pub data: Option<PathBuf>,
    /// Steps to record
    ///
    /// As many are taken in between that are not recorded, and five before that warm up.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = steps, allow_negative_numbers = true)]
    pub steps: usize,
    /// Tell why each algorithm was taken, and why no other, and how to run it alone
    #[arg(long)]
    pub why: bool,
    /// A new folder for the page, the trace and all figures
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Open the page in the browser
    #[arg(long, requires = "out")]
    pub open: bool,
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
    /// Change training images at random in every epoch
    ///
    /// As glassnet train --augment does.
    #[arg(long, value_name = "flip,shift,…", value_parser = augmentation(), hide_possible_values = true, hide_short_help = true)]
    pub augment: Option<Augmentation>,
    /// Leave out images that cannot be read
    #[arg(long, hide_short_help = true)]
    pub skip_bad: bool,
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
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = seed, allow_negative_numbers = true, hide_short_help = true)]
    pub seed: u64,
    /// Convolution algorithm
    #[arg(long, value_name = "NAME", default_value_t = ConvPolicy::Auto, value_parser = conv())]
    pub conv: ConvPolicy,
    /// Run convolution, ReLU and max-pooling one by one
    ///
    /// By default they run as one. The numbers are the same.
    #[arg(long)]
    pub no_fuse: bool,
    /// `--labels`, and its columns.
    #[command(flatten)]
    pub labels: LabelsArgs,
    /// Print one JSON object instead of tables
    #[arg(long)]
    pub json: bool,
    /// `--quiet`.
    #[command(flatten)]
    pub quiet: QuietArgs,
    /// `--threads`.
    #[command(flatten)]
    pub threads: ThreadsArgs,
}

/// The most steps that are recorded: their spans are kept in memory.
const MAX_STEPS: usize = 1000;

fn steps(text: &str) -> Result<usize, String> {
    whole_number(text, MAX_STEPS)
}
