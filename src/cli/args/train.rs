//! The arguments of `glassnet train` and `glassnet reproduce`.

use super::common::{QuietArgs, ThreadsArgs};
use super::labels::LabelsArgs;
use super::optimizer::OptimizerArgs;
use super::reading::{ReadingArgs, bit_depth};
use super::schedule::ScheduleArgs;
use super::values::{
    ImageSize, at_least_one, augmentation, batch_size, conv, epochs, folds, image_size, mebibytes, seconds, seed, share,
};
use clap::{Args, ValueEnum};
use glassnet::data::augment::Augmentation;
use glassnet::data::images::DEFAULT_CACHE_MEBIBYTES;
use glassnet::data::reading::BitDepth;
use glassnet::kernels::conv::registry::ConvPolicy;
use glassnet::training::{ClassWeighting, keras_run};
use std::fmt;
use std::path::PathBuf;

/// What `train` and `reproduce` share.
#[derive(Args, Clone, Debug)]
pub struct RunArgs {
    /// The run folder [default: the next free runs/trainN]
    ///
    /// By default runs/train1, or the next number that is free. It must not exist yet, or be empty: nothing
    /// is overwritten.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Go on with the run in this folder
    ///
    /// It goes on with its own settings, to the same end as if it had never stopped. Only --epochs,
    /// --save-every and --cache may be others, and train's --watch may be added.
    #[arg(long, value_name = "DIR", conflicts_with = "out")]
    pub resume: Option<PathBuf>,
    /// Shortest time between two savings
    ///
    /// The run is saved at the end of an epoch when it was last saved this long ago, and always at its end
    /// and on Ctrl-C, SIGTERM and SIGHUP.
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0, value_parser = seconds, allow_negative_numbers = true, hide_short_help = true)]
    pub save_every: f64,
    /// Memory for the decoded images; 0 decodes anew in each epoch
    ///
    /// Training and validation together: they are kept if all of them fit, else decoded anew in each epoch,
    /// ahead of the step; 0 keeps none. At most half of the memory that the process may take is used. The
    /// results are the same.
    #[arg(long, value_name = "MEBIBYTES", default_value_t = DEFAULT_CACHE_MEBIBYTES, value_parser = mebibytes, allow_negative_numbers = true, hide_short_help = true)]
    pub cache: usize,
    /// Seed of all that is drawn at random
    ///
    /// That is the initial weights, the shuffles, the dropout masks, the changes of --augment, and which
    /// groups validate.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = seed, allow_negative_numbers = true)]
    pub seed: u64,
    /// `--threads`.
    #[command(flatten)]
    pub threads: ThreadsArgs,
    /// Convolution algorithm
    ///
    /// auto takes the fastest for each layer and pass, by rule. The others are for comparing; they differ by
    /// rounding.
    #[arg(long, value_name = "NAME", default_value_t = ConvPolicy::Auto, value_parser = conv(), hide_short_help = true)]
    pub conv: ConvPolicy,
    /// Run convolution, ReLU and max-pooling one by one
    ///
    /// By default they run as one. The numbers are the same.
    #[arg(long, hide_short_help = true)]
    pub no_fuse: bool,
    /// Print one JSON object instead of text
    ///
    /// Progress then goes to stderr.
    #[arg(long)]
    pub json: bool,
    /// `--quiet`.
    #[command(flatten)]
    pub quiet: QuietArgs,
}

/// `glassnet reproduce`.
#[derive(Args, Debug)]
#[command(after_help = "More options, and more on each: glassnet reproduce --help", after_long_help = "")]
pub struct ReproduceArgs {
    /// Shared with `train`.
    #[command(flatten)]
    pub common: RunArgs,
}

/// `glassnet train`.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "More options, and more on each: glassnet train --help",
    after_long_help = "Examples:
  glassnet train photos --epochs 10 --out runs/photos
  glassnet train photos/train --validation-data photos/val
  glassnet train photos --folds 5 --class-weight balanced --augment flip,shift
  glassnet train photos --group-regex '/(p[0-9]+)_' --early-stopping 5
  glassnet train photos --watch --out runs/seen        then open runs/seen/report.html
  glassnet train --resume runs/photos --epochs 20

glassnet inspect says what to mend in the data first. Class 1, the second folder by name, is the positive one."
)]
pub struct TrainArgs {
    /// A folder of class folders, a zip, tar or pack of it, a labels.csv or an .npz
    ///
    /// Class folders are a folder of images for each class. A table of labels has its images in folders
    /// beside it; an .npz has them as MedMNIST does, and MNIST's own files are taken, too. With --resume it
    /// need not be given.
    #[arg(value_name = "DATA", required_unless_present = "resume")]
    pub data: Option<PathBuf>,
    /// What is given beside DATA, which is one path.
    #[arg(value_name = "MORE", hide = true)]
    pub more_data: Vec<PathBuf>,
    /// Passes over the training images
    ///
    /// With --resume, more than the run had go on further.
    #[arg(long, value_name = "N", default_value_t = keras_run::EPOCHS, value_parser = epochs, allow_negative_numbers = true)]
    pub epochs: usize,
    /// Images in a training step
    #[arg(long, value_name = "N", default_value_t = keras_run::BATCH_SIZE, value_parser = batch_size, allow_negative_numbers = true)]
    pub batch_size: usize,
    /// Side to which images are resized [default: the model's, 128]
    ///
    /// Height and width in pixels, or both, as in 200x120; 128 for the documented model, else what its
    /// model.toml or its weights say.
    #[arg(long, value_name = "PIXELS", value_parser = image_size, allow_negative_numbers = true)]
    pub image_size: Option<ImageSize>,
    /// Share of each class that validates
    ///
    /// Its first files by name validate, or with --group-regex whole groups.
    #[arg(long, value_name = "SHARE", default_value_t = keras_run::VALIDATION_SPLIT, value_parser = share, allow_negative_numbers = true)]
    pub validation_split: f64,
    /// A further folder, zip or pack: it validates, and all of DATA trains
    ///
    /// It has class folders of the same names. Nothing of DATA validates then.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["validation_split", "folds"])]
    pub validation_data: Option<PathBuf>,
    /// Cross-validate: train K models
    ///
    /// Each is validated on another K-th of the images; their mean and spread are printed.
    #[arg(long, value_name = "K", value_parser = folds, allow_negative_numbers = true, conflicts_with = "validation_split")]
    pub folds: Option<usize>,
    /// Of --folds K only this one, from 1
    ///
    /// It comes out as in the whole cross-validation, to the last bit, so the folds can be trained on several
    /// machines, or one a night, each into a run folder of its own; glassnet folds merge puts them together.
    #[arg(long, value_name = "FOLD", value_parser = at_least_one, allow_negative_numbers = true, hide_short_help = true)]
    pub only_fold: Option<usize>,
    /// Keep the files of one patient on one side of the split
    ///
    /// The first pair of parentheses in REGEX captures the group's name in each file's path, such as
    /// benign/p07_2.png; without parentheses the whole match does. Which groups validate, --seed decides.
    #[arg(long, value_name = "REGEX")]
    pub group_regex: Option<String>,
    /// `--optimizer`, and what belongs to it.
    #[command(flatten)]
    pub optimizer: OptimizerArgs,
    /// `--schedule`, and what belongs to it.
    #[command(flatten)]
    pub schedule: ScheduleArgs,
    /// Let all classes count alike, or every image
    ///
    /// This is how much a training image of each class counts in the loss. balanced multiplies it by n / (K ·
    /// images of its class) of K classes. Validation is not weighted.
    #[arg(long, value_name = "RULE", default_value_t = ClassWeight::None, value_enum)]
    pub class_weight: ClassWeight,
    /// Share of each target that is spread over all classes
    ///
    /// The loss then compares with 1 − SHARE/2 and SHARE/2 where there are two classes. Validation has the
    /// same loss, as in Keras.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share, allow_negative_numbers = true, hide_short_help = true)]
    pub label_smoothing: f64,
    /// Change training images at random in every epoch
    ///
    /// Give some of flip (both flips), flip-horizontal, flip-vertical, shift (by up to a tenth), rotate (by
    /// up to 10°), zoom (by up to a tenth) and brightness (by up to a fifth), as in flip,shift. glassnet
    /// samples --augment shows it.
    #[arg(long, value_name = "flip,shift,…", value_parser = augmentation(), hide_possible_values = true)]
    pub augment: Option<Augmentation>,
    /// Share that dropout drops [default: the model's, 0.5]
    ///
    /// Of the values that go into a dropout layer, while training; 0.5 in the documented model.
    #[arg(long, value_name = "SHARE", value_parser = share, allow_negative_numbers = true)]
    pub dropout: Option<f64>,
    /// Start from the weights in this file
    ///
    /// By default they are drawn, as --seed decides. Without --model the network is that of the file, if
    /// it is one of glassnet's.
    #[arg(long, value_name = "FILE.safetensors", hide_short_help = true)]
    pub init_weights: Option<PathBuf>,
    /// Leave these layers as they are: conv2d,conv2d_1
    ///
    /// By the names that glassnet summary prints, the first ones that have weights. Nothing goes back through
    /// them, which saves most of a step's time, and a batch normalization among them normalizes as in a
    /// prediction. For few images: what a network has learned from many others stays, and the rest learns.
    #[arg(long, value_name = "LAYER,…", value_delimiter = ',')]
    pub freeze: Vec<String>,
    /// Draw the last layer anew, for other classes
    ///
    /// With --init-weights: it gets as many units as DATA has classes; all other weights are the file's.
    #[arg(long)]
    pub new_head: bool,
    /// Stop once val_loss has not fallen for so long
    ///
    /// The run ends when val_loss was lowest this many epochs ago, with the weights of that epoch.
    #[arg(long, value_name = "EPOCHS", value_parser = epochs, allow_negative_numbers = true)]
    pub early_stopping: Option<usize>,
    /// Take the images in the same order in every epoch
    ///
    /// That is the listing's order.
    #[arg(long, hide_short_help = true)]
    pub no_shuffle: bool,
    /// Leave out images that cannot be read
    ///
    /// They are named. By default they stop the run before the first epoch.
    #[arg(long)]
    pub skip_bad: bool,
    /// Also write the run for TensorBoard
    ///
    /// Losses and accuracies, the distribution of every weight by epoch, and some images of each class, into
    /// the run folder: tensorboard --logdir runs
    #[arg(long)]
    pub tensorboard: bool,
    /// Watch gradients, updates and activations
    ///
    /// Of every layer and epoch watch.csv and the page report.html in the run folder then tell how large
    /// gradients and updates are, the updates against the weights too, and what too large and too small look
    /// like; which ReLU units were never active; histograms; with curves, the confusion matrix and the worst
    /// mistakes. A loss that is no number is told with the first layer, tensor, batch and images that were
    /// not finite. The weights come out the same to the last bit: convolution, ReLU and max-pooling run one
    /// by one for it, by the same algorithms, and every step reads all outputs, gradients and weights once
    /// more, which takes time. --resume goes on with it, and may begin with it.
    #[arg(long)]
    pub watch: bool,
    /// `--upright`, `--range`, `--resize` and `--interpolation`.
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// Bits that are kept of images of 16 bits
    ///
    /// 16 keeps all of them from the file to the network, where 0 is black and 1 is 65535, also when
    /// resizing, and of --range what it stretches; 8 rounds to 256 levels first. Images of 8 bits are the
    /// same either way, and a set may hold both. train writes it into the weights, so that predict and
    /// evaluate do the same.
    #[arg(long, value_name = "BITS", default_value = "16", value_parser = bit_depth(), hide_short_help = true)]
    pub bit_depth: BitDepth,
    /// The network's layers [default: those of the documented model]
    #[arg(long, value_name = "FILE.toml")]
    pub model: Option<PathBuf>,
    /// `--labels`, and its columns.
    #[command(flatten)]
    pub labels: LabelsArgs,
    /// Shared with `reproduce`.
    #[command(flatten)]
    pub common: RunArgs,
}

/// How much a training image of each class counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
pub enum ClassWeight {
    /// Every image counts as one, so the larger class counts more
    None,
    /// Both classes count alike
    Balanced,
}

impl From<ClassWeight> for ClassWeighting {
    fn from(choice: ClassWeight) -> ClassWeighting {
        match choice {
            ClassWeight::None => ClassWeighting::None,
            ClassWeight::Balanced => ClassWeighting::Balanced,
        }
    }
}

impl fmt::Display for ClassWeight {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(match self {
            ClassWeight::None => "none",
            ClassWeight::Balanced => "balanced",
        })
    }
}
