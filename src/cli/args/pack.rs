//! The arguments of `pack`.

use super::common::{QuietArgs, ThreadsArgs};
use super::labels::LabelsArgs;
use super::reading::{ReadingArgs, bit_depth};
use super::values::{ImageSize, image_size};
use clap::Args;
use glassnet::data::reading::BitDepth;
use std::path::PathBuf;

/// `glassnet pack`.
#[derive(Args, Debug)]
#[command(
    after_help = "More on each: glassnet pack --help",
    after_long_help = "Examples:
  glassnet pack photos --size 128 --out photos.pack
  glassnet train photos.pack --epochs 20
  glassnet pack photos/train --out train.pack; glassnet pack photos/val --out val.pack
  glassnet train train.pack --validation-data val.pack
  glassnet pack photos --shards 4 --out photos.pack; glassnet train photos.pack

A pack is DATA for train, evaluate, predict, inspect, samples, lecture and profile: the same images, names, classes, hash, split and order, so that a run ends with the same weights, bit for bit, as on the images themselves with the same flags. Size and reading are the pack's then, and need not be given again. It holds no image's file, only its picture of this size."
)]
pub struct PackArgs {
    /// A folder of class folders, a zip or tar of it, a labels.csv or an .npz
    #[arg(value_name = "DATA")]
    pub data: PathBuf,
    /// What is given beside DATA, which is one path.
    #[arg(value_name = "MORE", hide = true)]
    pub more_data: Vec<PathBuf>,
    /// The pack to write; what is there already is not overwritten
    #[arg(long, value_name = "FILE.pack")]
    pub out: PathBuf,
    /// Packs among which the images are shared, such as FILE-00000-of-00004.pack
    ///
    /// Each has a run of the images. They are one set as DATA: FILE.pack, or the first of them, stands for
    /// all. They lie in one folder; any may be a link to one on another disk.
    #[arg(long, value_name = "K", default_value = "1", allow_negative_numbers = true)]
    pub shards: usize,
    /// Side to which images are resized
    ///
    /// Height and width in pixels, or both, as in 200x120; it is that of the network that will train.
    #[arg(long, value_name = "PIXELS", default_value = "128", value_parser = image_size, allow_negative_numbers = true)]
    pub size: ImageSize,
    /// Make the pictures grey, for a network whose input has one channel
    #[arg(long)]
    pub grey: bool,
    /// `--upright`, `--range`, `--resize` and `--interpolation`.
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// Bits that are kept of images of 16 bits
    ///
    /// As train --bit-depth has it.
    #[arg(long, value_name = "BITS", default_value = "16", value_parser = bit_depth(), hide_short_help = true)]
    pub bit_depth: BitDepth,
    /// Leave out images that cannot be read
    ///
    /// They are named. By default no pack is written where there are some. What trains on the pack leaves
    /// them out, too, as if --skip-bad was given, and splits the others as if they were there.
    #[arg(long)]
    pub skip_bad: bool,
    /// `--labels`, and its columns.
    #[command(flatten)]
    pub labels: LabelsArgs,
    /// Print one JSON object instead of a line
    #[arg(long)]
    pub json: bool,
    /// `--quiet`.
    #[command(flatten)]
    pub quiet: QuietArgs,
    /// `--threads`.
    #[command(flatten)]
    pub threads: ThreadsArgs,
}
