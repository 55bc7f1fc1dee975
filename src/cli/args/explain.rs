//! The arguments of `explain`.

use super::common::{QuietArgs, ThreadsArgs};
use super::values::seed;
use clap::Args;
use std::path::PathBuf;

/// `glassnet explain`.
#[derive(Args, Debug)]
#[command(after_long_help = "Examples:
  glassnet explain runs/photos photos/cat/1.jpg --out explained.html
  glassnet explain runs/photos photos/cat/*.jpg photos/dog/*.jpg --out explained.html --png pictures
  glassnet explain runs/photos photos/cat/1.jpg --weight 'conv2d_1/kernel[1,2,17,40]'
  glassnet explain model.toml photos/cat/1.jpg --label cat --out first-step.html

The images are one batch, and one training step is taken on it, which nothing keeps: forward, loss, backward, and the optimizer's step, as the run would take it next. The page shows all of it, from the pixels to every weight, and works without any network. Dropout is on in the step, with masks drawn by --seed; where the answer comes from (Grad-CAM and occlusion) is of a prediction. Every image counts as one, whatever the run's class weights are.")]
pub struct ExplainArgs {
    /// A run folder, a weights file or a model.toml
    ///
    /// A run folder stands for its weights/last.safetensors, which also has where the optimizer stands. A
    /// model.toml has its initial weights.
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,
    /// The images of the batch; the page looks at the first
    #[arg(value_name = "IMAGE", required = true)]
    pub images: Vec<PathBuf>,
    /// Write the page here; without, the chain rule of a weight is printed
    #[arg(long, value_name = "PAGE.html")]
    pub out: Option<PathBuf>,
    /// Write feature maps, filters, gradients, Grad-CAM and occlusion as PNG into this folder
    #[arg(long, value_name = "DIR")]
    pub png: Option<PathBuf>,
    /// Save all that the step was, as safetensors
    #[arg(long, value_name = "FILE")]
    pub snapshot: Option<PathBuf>,
    /// The weight whose chain rule is shown [default: that with the largest gradient, of the second
    /// convolution]
    ///
    /// As in --weight 'conv2d_1/kernel[1,2,17,40]'.
    #[arg(long, value_name = "WEIGHT")]
    pub weight: Option<String>,
    /// The class of the images [default: that of the folder an image is in, or else the model's answer]
    #[arg(long, value_name = "CLASS")]
    pub label: Option<String>,
    /// Keys the masks of dropout, and initial weights
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
