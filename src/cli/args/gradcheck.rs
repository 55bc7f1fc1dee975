//! The arguments of `gradcheck`.

use super::common::{QuietArgs, ThreadsArgs};
use super::values::{seed, whole_number};
use clap::{Args, ValueEnum};
use glassnet::gradcheck::COORDINATES;
use glassnet::gradcheck::lessons::LESSONS;
use std::path::PathBuf;

/// `glassnet gradcheck`.
#[derive(Args, Debug)]
#[command(after_long_help = "Examples:
  glassnet gradcheck                                  the documented model at its initial weights
  glassnet gradcheck runs/photos photos/cat/1.jpg photos/dog/7.jpg
  glassnet gradcheck runs/photos --sweep='conv2d_1/kernel[1,2,17,40]'
  glassnet gradcheck --lesson 4                       a planted mistake: which layer, and what is wrong?

Two links are checked. The f64 textbook (src/reference) against the definition of the derivative, central differences, at coordinates drawn from every tensor; where a corner of ReLU or max-pooling lies between x - h and x + h, h is halved, and at last the coordinate is set aside and counted. Then the engine, by every algorithm and instruction set, against the textbook, every element of every tensor. Dropout is on, its masks fixed. An image's class is taken to be 0, 1, ... in turn: of any label the gradient has to be right.")]
pub struct GradcheckArgs {
    /// A run folder, a weights file or a model.toml [default: the documented model]
    ///
    /// A model.toml, and the documented model, are checked at initial weights.
    #[arg(value_name = "MODEL")]
    pub model: Option<PathBuf>,
    /// Images of the batch [default: images of noise]
    #[arg(value_name = "IMAGE")]
    pub images: Vec<PathBuf>,
    /// Coordinates of each tensor that are compared with differences
    #[arg(long, value_name = "N", default_value_t = COORDINATES, value_parser = coordinates, allow_negative_numbers = true)]
    pub coordinates: usize,
    /// Check one of the two links only
    #[arg(long, value_name = "LINK", value_enum)]
    pub only: Option<Link>,
    /// Print the error of one coordinate over h = 1e-1 to 1e-12
    ///
    /// As in --sweep='conv2d/kernel[0,1,2,5]'; without a coordinate, of the first kernel's largest.
    #[arg(long, value_name = "COORDINATE", num_args = 0..=1, require_equals = true, conflicts_with = "only")]
    pub sweep: Option<Option<String>>,
    /// List the planted mistakes, or plant one, unnamed, and check
    #[arg(long, value_name = "N", num_args = 0..=1, value_parser = lesson, allow_negative_numbers = true,
        conflicts_with_all = ["model", "images", "coordinates", "only", "sweep"])]
    pub lesson: Option<Option<usize>>,
    /// Show the mistake of --lesson N: the right line, the wrong one, and how it trains
    #[arg(long, requires = "lesson")]
    pub reveal: bool,
    /// Keys what is drawn: initial weights, noise, masks, coordinates
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

/// `--only`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Link {
    /// The textbook against differences
    Differences,
    /// The engine against the textbook
    Engine,
}

/// The most coordinates of a tensor: more take hours.
const MOST_COORDINATES: usize = 1000;

fn coordinates(text: &str) -> Result<usize, String> {
    whole_number(text, MOST_COORDINATES)
}

fn lesson(text: &str) -> Result<usize, String> {
    whole_number(text, LESSONS)
}
