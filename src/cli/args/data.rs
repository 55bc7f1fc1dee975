//! The arguments of the commands that show or draw a data set: `inspect`, `samples`, `phantom`
//! and `glyphs`.

use super::common::{QuietArgs, ThreadsArgs};
use super::labels::LabelsArgs;
use super::reading::{ReadingArgs, UprightArgs};
use super::values::{augmentation, drawn, seed, share, shown};
use clap::Args;
use glassnet::data::augment::Augmentation;
use glassnet::data::glyphs::DEFAULT_PER_DIGIT;
use glassnet::data::phantom::{DEFAULT_BENIGN, DEFAULT_MALIGNANT, DEFAULT_SEED};
use glassnet::training::keras_run;
use std::path::PathBuf;

/// `glassnet inspect`.
#[derive(Args, Debug)]
#[command(
    after_long_help = "What is found is the answer: the exit code is 0 also where files cannot be read; --json has 'findings' for scripts."
)]
pub struct InspectArgs {
    /// A folder of class folders, a zip, tar or pack of it, a labels.csv or an .npz
    #[arg(value_name = "DATA")]
    pub data: PathBuf,
    /// What is given beside DATA, which is one path.
    #[arg(value_name = "MORE", hide = true)]
    pub more_data: Vec<PathBuf>,
    /// Share of each class that would validate
    #[arg(long, value_name = "SHARE", default_value_t = keras_run::VALIDATION_SPLIT, value_parser = share, allow_negative_numbers = true)]
    pub validation_split: f64,
    /// A further folder, zip or pack that would validate, and all of DATA train
    #[arg(long, value_name = "DIR", conflicts_with = "validation_split")]
    pub validation_data: Option<PathBuf>,
    /// `--upright`.
    #[command(flatten)]
    pub upright: UprightArgs,
    /// List every file with its class, subset, size and mode
    #[arg(long)]
    pub list: bool,
    /// `--labels`, and its columns.
    #[command(flatten)]
    pub labels: LabelsArgs,
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

/// `glassnet samples`.
#[derive(Args, Debug)]
pub struct SamplesArgs {
    /// A folder of class folders, a zip, tar or pack of it, a labels.csv or an .npz
    #[arg(value_name = "DATA")]
    pub data: PathBuf,
    /// What is given beside DATA, which is one path.
    #[arg(value_name = "MORE", hide = true)]
    pub more_data: Vec<PathBuf>,
    /// The picture to write
    #[arg(long, value_name = "GRID.png")]
    pub out: PathBuf,
    /// Images of each class
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = shown, allow_negative_numbers = true)]
    pub per_class: usize,
    /// Show the images as train --augment may change them
    ///
    /// At 128 × 128 pixels. Give some of flip (both flips), flip-horizontal, flip-vertical, shift, rotate,
    /// zoom and brightness, as in flip,shift.
    #[arg(long, value_name = "flip,shift,…", value_parser = augmentation(), hide_possible_values = true)]
    pub augment: Option<Augmentation>,
    /// `--upright`, `--range`, `--resize` and `--interpolation`.
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// Which images are drawn, and how --augment changes them
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = seed, allow_negative_numbers = true)]
    pub seed: u64,
    /// `--labels`, and its columns.
    #[command(flatten)]
    pub labels: LabelsArgs,
    /// Print one JSON object instead of a line
    #[arg(long)]
    pub json: bool,
    /// `--quiet`.
    #[command(flatten)]
    pub quiet: QuietArgs,
}

/// `glassnet glyphs`.
#[derive(Args, Debug)]
pub struct GlyphsArgs {
    /// The folder to write; it must not exist yet, or be empty
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Which set is drawn
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = seed, allow_negative_numbers = true)]
    pub seed: u64,
    /// Images of each digit
    #[arg(long, value_name = "N", default_value_t = DEFAULT_PER_DIGIT, value_parser = drawn, allow_negative_numbers = true)]
    pub per_class: usize,
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

/// `glassnet phantom`.
#[derive(Args, Debug)]
pub struct PhantomArgs {
    /// The folder to write; it must not exist yet, or be empty
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Which set is drawn
    #[arg(long, value_name = "N", default_value_t = DEFAULT_SEED, value_parser = seed, allow_negative_numbers = true)]
    pub seed: u64,
    /// Benign images
    #[arg(long, value_name = "N", default_value_t = DEFAULT_BENIGN, value_parser = drawn, allow_negative_numbers = true)]
    pub benign: usize,
    /// Malignant images
    #[arg(long, value_name = "N", default_value_t = DEFAULT_MALIGNANT, value_parser = drawn, allow_negative_numbers = true)]
    pub malignant: usize,
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
