//! The arguments of `import`.

use super::common::{QuietArgs, ThreadsArgs};
use super::reading::ReadingArgs;
use super::values::{ImageSize, image_size};
use clap::Args;
use glassnet::exchange::{PixelRange, PixelScale};
use std::path::PathBuf;

/// `glassnet import`.
#[derive(Args, Debug)]
#[command(after_long_help = "Examples:
  glassnet import model.keras --out model.safetensors --classes cat,dog --check cat.jpg dog.jpg
  glassnet import alexnet.onnx --pixels imagenet --resize crop --interpolation bilinear --out model.safetensors
  glassnet import state.pt --model layers.toml --out model.safetensors

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
    /// Such as 0,255 for bytes as they are, or -1,1. imagenet stands for what torchvision's models see, red,
    /// green and blue less 0.485, 0.456, 0.406, by 0.229, 0.224, 0.225; other means and deviations are
    /// written as 0.5,0.5,0.5/0.2,0.2,0.2, or of grey as 0.5/0.2. It is folded into the first layer, or a
    /// batch normalization in front, which stays frozen, does it. A Rescaling layer at the front of a Keras
    /// model is understood without.
    #[arg(long, value_name = "BLACK,WHITE|imagenet", value_parser = pixels, allow_negative_numbers = true)]
    pub pixels: Option<PixelScale>,
    /// `--upright`, `--range`, `--resize` and `--interpolation`.
    #[command(flatten)]
    pub reading: ReadingArgs,
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
fn pixels(text: &str) -> Result<PixelScale, String> {
    let scale = match text.split_once('/') {
        _ if text == "imagenet" => Some(PixelScale::imagenet()),
        Some((means, deviations)) => normalized(means, deviations),
        None => numbers(text).and_then(|ends| match ends[..] {
            [black, white] if black != white => Some(PixelScale::All(PixelRange { black, white })),
            _ => None,
        }),
    };
    scale.ok_or_else(|| {
        "it must be two numbers that differ, such as 0,255 or -1,1; imagenet; or means and deviations of red, green and blue, such as \
         0.5,0.5,0.5/0.2,0.2,0.2"
            .to_string()
    })
}

/// One mean and one deviation, or one of each for red, green and blue.
fn normalized(means: &str, deviations: &str) -> Option<PixelScale> {
    let (means, deviations) = (numbers(means)?, numbers(deviations)?);
    if deviations.iter().any(|deviation| *deviation < 1e-6) {
        return None;
    }
    match (&means[..], &deviations[..]) {
        (&[mean], &[deviation]) => Some(PixelScale::All(PixelRange::normalized(mean, deviation))),
        (&[r, g, b], &[of_r, of_g, of_b]) => {
            let ranges = [(r, of_r), (g, of_g), (b, of_b)];
            Some(PixelScale::Channels(ranges.map(|(mean, deviation)| PixelRange::normalized(mean, deviation))))
        }
        _ => None,
    }
}

/// Numbers with commas between them, none of which is larger than those of 16 bits by much.
fn numbers(text: &str) -> Option<Vec<f64>> {
    let numbers: Option<Vec<f64>> = text.split(',').map(|number| number.trim().parse().ok()).collect();
    numbers.filter(|numbers| numbers.iter().all(|number| number.abs() <= 1e6))
}
