//! The arguments of the commands that take a MODEL: `predict`, `evaluate` and `summary`.

use super::common::{QuietArgs, ThreadsArgs};
use super::labels::LabelsArgs;
use super::unsure::Unsure;
use super::values::{ImageSize, at_least_one, batch_size, image_size, threshold};
use clap::{Args, ValueEnum};
use glassnet::metrics::ThresholdRule;
use glassnet::training::keras_run;
use std::path::PathBuf;

/// `glassnet predict`.
#[derive(Args, Debug)]
#[command(after_long_help = "Examples:
  glassnet predict runs/photos new.jpg --plot new.png
  glassnet predict runs/photos/weights/last.safetensors folder-of-images --json
  glassnet predict runs/folds new.jpg --with runs/photos       the models of all folds, and one more

Printed is a line for each image, its parts separated by tabs: file, class, and the probability: with two classes that of the positive one, with more that of the class.")]
pub struct PredictArgs {
    /// A run folder of `train`, or a weights file
    ///
    /// A run folder stands for its weights/best.safetensors, one of train --folds for those of all its folds.
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,
    /// Images; a folder, a zip or a pack stands for all images in it
    ///
    /// Of a run with --validation-data none need be given: it is those then.
    #[arg(value_name = "IMAGE")]
    pub images: Vec<PathBuf>,
    /// A further model, which answers together with MODEL; may be given again
    ///
    /// A run of train --folds, too, stands for several: the models of its folds. Each probability is the mean
    /// of theirs, and the standard deviation between them (n − 1) is told beside it. They must have the same
    /// classes and read images of the same size in the same way.
    #[arg(long, value_name = "MODEL")]
    pub with: Vec<PathBuf>,
    /// Probability above which an answer is positive [default: the model's, 0.5]
    ///
    /// Of two classes; of more the most probable is the answer.
    #[arg(long, value_name = "T", value_parser = threshold, allow_negative_numbers = true)]
    pub threshold: Option<f64>,
    /// Print the K most probable classes of each image with their probabilities, the most probable first
    #[arg(long, value_name = "K", value_parser = at_least_one, allow_negative_numbers = true)]
    pub top: Option<usize>,
    /// Also draw each image with its class and probability into this PNG
    #[arg(long, value_name = "OUT.png")]
    pub plot: Option<PathBuf>,
    /// Also write all answers to this table, with the probability of every class
    #[arg(long, value_name = "OUT.csv")]
    pub csv: Option<PathBuf>,
    /// Also copy each image into a folder of its class in this new folder
    #[arg(long, value_name = "DIR")]
    pub sort_into: Option<PathBuf>,
    /// Give no answer between two probabilities: 'unsure'
    ///
    /// Of two classes the positive one's, of more the most probable one's. Told is how many of the images
    /// that the model's run was validated on would have had no answer.
    #[arg(long, value_name = "LOW,HIGH", allow_negative_numbers = true)]
    pub unsure: Option<Unsure>,
    /// Answer by the mean of each image's probabilities and of what it gives otherwise
    ///
    /// flip: of the image and its mirror image. It takes twice as long.
    #[arg(long, value_name = "flip", value_enum)]
    pub tta: Option<Tta>,
    /// Print one JSON object instead of lines
    #[arg(long)]
    pub json: bool,
    /// `--quiet`.
    #[command(flatten)]
    pub quiet: QuietArgs,
    /// `--threads`.
    #[command(flatten)]
    pub threads: ThreadsArgs,
}

/// `--tta`: changes of an image at the time of the test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Tta {
    /// Left and right change places
    Flip,
}

/// `glassnet evaluate`.
#[derive(Args, Debug)]
#[command(after_long_help = "Examples:
  glassnet evaluate runs/photos photos --subset validation --out judged
  glassnet evaluate runs/photos other-photos
  glassnet evaluate runs/photos --choose-threshold sensitivity=0.95 --save-threshold

Without --subset, images that trained the model are among those judged, if DATA is the set it was trained on: that flatters it, and is said.")]
pub struct EvaluateArgs {
    /// A run folder of `train`, or a weights file
    ///
    /// A run folder stands for its weights/best.safetensors.
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,
    /// A folder with the model's class folders, or a zip or a pack of it [default: what the run validated on]
    ///
    /// Without, it is the data of the model's run: those of its --validation-data, or with --subset training,
    /// or where there were none, those that it was trained on.
    #[arg(value_name = "DATA")]
    pub data: Option<PathBuf>,
    /// What is given beside DATA, which is one path.
    #[arg(value_name = "MORE", hide = true)]
    pub more_data: Vec<PathBuf>,
    /// Which images of DATA
    ///
    /// What trained and what validated stands in the split.csv of the model's run folder. Of DATA that tells
    /// its test part, this part is the default.
    #[arg(long, value_name = "NAME", value_enum, default_value_t = SubsetChoice::All)]
    pub subset: SubsetChoice,
    /// Probability above which an answer is positive [default: the model's, 0.5]
    ///
    /// It moves the confusion matrix, sensitivity and specificity of two classes; of more the most probable
    /// is the answer.
    #[arg(long, value_name = "T", value_parser = threshold, allow_negative_numbers = true)]
    pub threshold: Option<f64>,
    /// Choose the threshold on the validation part, and tell its price
    ///
    /// RULE is youden, the largest sum of sensitivity and specificity; or sensitivity=S or specificity=S, the
    /// least that one of them shall be, which leaves the other as high as it can be. Told are both, their
    /// intervals, how many are wrong of each kind, by how much the choice flatters itself, and where the data
    /// keep a test part, the figures on that.
    #[arg(long, value_name = "RULE", conflicts_with = "threshold")]
    pub choose_threshold: Option<ThresholdRule>,
    /// Keep the threshold: write it into MODEL
    ///
    /// With --choose-threshold or --threshold: predict and evaluate go by it from then on. A run that goes on
    /// (train --resume) writes its weights anew, with 0.5.
    #[arg(long)]
    pub save_threshold: bool,
    /// Leave out images that cannot be read, name and count them, and exit with 0 instead of 1
    #[arg(long)]
    pub skip_bad: bool,
    /// A new folder for a page of pictures, and more
    ///
    /// Written are evaluation.html (pictures, and the worst mistakes), evaluation.json and predictions.csv.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
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

/// `--subset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SubsetChoice {
    /// Those that trained the model
    Training,
    /// Those that did not, but chose its best epoch
    Validation,
    /// Those that DATA keeps for a test
    Test,
    /// Every image of DATA
    All,
}

/// `glassnet summary`.
#[derive(Args, Debug)]
pub struct SummaryArgs {
    /// A run folder, a weights file or a model.toml [default: the documented model]
    ///
    /// A run folder stands for its weights/best.safetensors.
    #[arg(value_name = "MODEL")]
    pub model: Option<PathBuf>,
    /// Side of the images [default: the model's, 128]
    ///
    /// Height and width in pixels, or both, as in 200x120; 128 for the documented model.
    #[arg(long, value_name = "PIXELS", value_parser = image_size, allow_negative_numbers = true)]
    pub image_size: Option<ImageSize>,
    /// Images in a batch, for the memory figures
    #[arg(long, value_name = "N", default_value_t = keras_run::BATCH_SIZE, value_parser = batch_size, allow_negative_numbers = true)]
    pub batch_size: usize,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
}
