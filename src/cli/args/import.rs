//! The arguments of `import`.

use super::common::{QuietArgs, ThreadsArgs};
use super::values::{ImageSize, image_size};
use clap::Args;
use glassnet::exchange::PixelRange;
use std::path::PathBuf;

/// `glassnet import`.
#[derive(Args, Debug)]
#[command(after_long_help = "Examples:
  glassnet import model.keras --out model.safetensors --classes cat,dog --check cat.jpg dog.jpg
  glassnet import resnet.pt --model layers.toml --out model.safetensors

Then: glassnet predict model.safetensors new.jpg, evaluate model.safetensors DATA, or train DATA --init-weights model.safetensors.

Of what a file does not tell, something is assumed, and each time it is said what. Compare some answers with those of the program that the model is from: --check prints them.")]
pub struct ImportArgs {
    /// A model of another program
    ///
    /// Keras's .keras, .weights.h5 or old .h5; ONNX; PyTorch's state dict as .pt, .pth or .safetensors. What
    /// the file is is told by its content, not by its name.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// A new weights file, as predict, evaluate and train --init-weights take it
    #[arg(long, value_name = "F")]
    pub out: PathBuf,
    /// The layers of a file that has weights alone: a model.toml
    ///
    /// A .keras and an old .h5 of a whole model have their layers with them; .weights.h5, .pt, .pth and
    /// .safetensors do not. glassnet init writes one to start from.
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// Names of the classes, in the order of the model's answers [default: the file's, or class0, class1 and
    /// so on]
    ///
    /// Parted by commas. With one answer, a sigmoid's, there are two, and it is the probability of the
    /// second. With several sigmoids they are labels, of which an image may have any number.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub classes: Vec<String>,
    /// Height and width of the images, for a model that takes any [default: the model's]
    ///
    /// In pixels: one number, or both, as in 200x120.
    #[arg(long, value_name = "PIXELS", value_parser = image_size, allow_negative_numbers = true)]
    pub image_size: Option<ImageSize>,
    /// Numbers that stood for black and white where the model was trained [default: the model's, 0,1]
    ///
    /// Such as 0,255 for bytes as they are, or -1,1. Others than 0,1 are folded into the first layer. A
    /// Rescaling layer at the front of a Keras model is understood without.
    #[arg(long, value_name = "BLACK,WHITE", value_parser = pixels, allow_negative_numbers = true)]
    pub pixels: Option<PixelRange>,
    /// Images to answer with what was written, by the engine and by the textbook in 64 bits
    #[arg(long, value_name = "IMAGE", num_args = 1..)]
    pub check: Vec<PathBuf>,
    /// `--quiet`.
    #[command(flatten)]
    pub quiet: QuietArgs,
    /// `--threads`.
    #[command(flatten)]
    pub threads: ThreadsArgs,
}

/// `--pixels`.
fn pixels(text: &str) -> Result<PixelRange, String> {
    let ends = text.split_once(',').and_then(|(black, white)| {
        Some(PixelRange { black: black.trim().parse().ok()?, white: white.trim().parse().ok()? })
    });
    let is_right = |range: &PixelRange| {
        [range.black, range.white].iter().all(|end| end.abs() <= 1e6) && range.black != range.white
    };
    ends.filter(is_right).ok_or_else(|| "it must be two numbers that differ, such as 0,255 or -1,1".to_string())
}
