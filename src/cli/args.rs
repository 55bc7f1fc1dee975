//! The arguments, as clap reads them. Nothing here touches a file.

pub mod bench;

use bench::BenchArgs;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use glassnet::data::augment::Augmentation;
use glassnet::data::images::DEFAULT_CACHE_MEBIBYTES;
use glassnet::kernels::registry::ConvChoice;
use glassnet::report::documented;
use std::fmt;
use std::path::PathBuf;

/// Train and look into a convolutional image classifier, with no framework underneath.
#[derive(Debug, Parser)]
#[command(
    name = "glassnet",
    version,
    about = "A from-scratch CNN engine you can see through: train an image classifier from a folder or a zip, with no framework underneath. Not for diagnosis.",
    after_help = "Results go to stdout, progress and warnings to stderr.\nExit codes: 0 done, 1 the work failed, 2 the call was wrong (a flag, a value, data or a model that is not there), 130 interrupted.",
    arg_required_else_help = true
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train as the documented five-epoch run did, on the synthetic phantom set, and set the two side by side
    Reproduce(ReproduceArgs),
    /// Train a classifier on a folder or a zip with two class folders
    Train(TrainArgs),
    /// Say what a trained model takes images for
    Predict(PredictArgs),
    /// Tell how good a model's answers are on a data set: accuracy, sensitivity, specificity, ROC, calibration
    Evaluate(EvaluateArgs),
    /// Tell what a data set holds, what is odd about it, and what to do: files that cannot be read, duplicates, giveaways
    Inspect(InspectArgs),
    /// Draw sample images of both classes side by side
    Samples(SamplesArgs),
    /// Show a model's layers, shapes, parameters, arithmetic and memory
    Summary(SummaryArgs),
    /// Draw the synthetic set of liver lesions into a folder
    Phantom(PhantomArgs),
    /// Measure how fast the engine is, with the machine's limits beside it
    Bench(BenchArgs),
    /// Print what a shell needs to complete these commands and their flags
    Completions(CompletionsArgs),
    /// Print the manual page of a command, or write all pages into a folder
    Man(ManArgs),
}

impl Command {
    /// Whether `--quiet` was given.
    pub fn is_quiet(&self) -> bool {
        match self {
            Command::Reproduce(args) => args.common.quiet.quiet,
            Command::Train(args) => args.common.quiet.quiet,
            Command::Predict(args) => args.quiet.quiet,
            Command::Evaluate(args) => args.quiet.quiet,
            Command::Inspect(args) => args.quiet.quiet,
            Command::Samples(args) => args.quiet.quiet,
            Command::Phantom(args) => args.quiet.quiet,
            Command::Summary(_) | Command::Bench(_) | Command::Completions(_) | Command::Man(_) => false,
        }
    }
}

/// `--quiet`.
#[derive(Args, Clone, Debug)]
pub struct QuietArgs {
    /// Print results, warnings and errors only: no progress, and no line for each epoch or written file
    #[arg(long, short)]
    pub quiet: bool,
}

/// `--threads`.
#[derive(Args, Clone, Debug)]
pub struct ThreadsArgs {
    /// Threads to work with [default: one for each core]; the results are the same for any number
    #[arg(long, value_name = "N", value_parser = threads, allow_negative_numbers = true)]
    pub threads: Option<usize>,
}

/// What `train` and `reproduce` share.
#[derive(Args, Clone, Debug)]
pub struct RunArgs {
    /// The run folder [default: runs/train1, or the next number that is free]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Go on with the run in this folder, with its own settings, to the same end as if it had never stopped
    #[arg(long, value_name = "DIR", conflicts_with = "out")]
    pub resume: Option<PathBuf>,
    /// Save the run at the end of an epoch when it was last saved this long ago; it is always saved at its end and on Ctrl-C
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0, value_parser = seconds, allow_negative_numbers = true)]
    pub save_every: f64,
    /// Memory for the decoded images, training and validation together: they are kept if all of them fit, else decoded anew
    /// in each epoch, ahead of the step; 0 keeps none, and never is more than half of the machine's memory used. The results
    /// are the same
    #[arg(long, value_name = "MEBIBYTES", default_value_t = DEFAULT_CACHE_MEBIBYTES, value_parser = mebibytes, allow_negative_numbers = true)]
    pub cache: usize,
    /// Seed of the initial weights, the shuffles and the dropout masks
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = seed, allow_negative_numbers = true)]
    pub seed: u64,
    /// `--threads`.
    #[command(flatten)]
    pub threads: ThreadsArgs,
    /// Convolution algorithm: auto, im2col, direct, winograd or winograd2x2
    #[arg(long, value_name = "NAME", default_value_t = ConvChoice::Auto)]
    pub conv: ConvChoice,
    /// Run convolution, ReLU and max-pooling layer by layer, not as one; the numbers are the same
    #[arg(long)]
    pub no_fuse: bool,
    /// Print one JSON object instead of text; progress then goes to stderr
    #[arg(long)]
    pub json: bool,
    /// `--quiet`.
    #[command(flatten)]
    pub quiet: QuietArgs,
}

/// `glassnet reproduce`.
#[derive(Args, Debug)]
pub struct ReproduceArgs {
    /// Shared with `train`.
    #[command(flatten)]
    pub common: RunArgs,
}

/// `glassnet train`.
#[derive(Args, Debug)]
pub struct TrainArgs {
    /// A folder that holds two class folders of images, or a zip of one; with --resume it need not be given
    #[arg(value_name = "DATA", required_unless_present = "resume")]
    pub data: Option<PathBuf>,
    /// Passes over the training images; with --resume, more than the run had go on further
    #[arg(long, value_name = "N", default_value_t = documented::EPOCHS, value_parser = epochs, allow_negative_numbers = true)]
    pub epochs: usize,
    /// Images in a training step
    #[arg(long, value_name = "N", default_value_t = documented::BATCH_SIZE, value_parser = batch_size, allow_negative_numbers = true)]
    pub batch_size: usize,
    /// Height and width to which images are resized [default: 128, or the model's]
    #[arg(long, value_name = "PIXELS", value_parser = at_least_one, allow_negative_numbers = true)]
    pub image_size: Option<usize>,
    /// Share of each class that validates: its first files by name
    #[arg(long, value_name = "SHARE", default_value_t = documented::VALIDATION_SPLIT, value_parser = share, allow_negative_numbers = true)]
    pub validation_split: f64,
    /// Train K models, each validated on another K-th of the images, and print their mean and spread
    #[arg(long, value_name = "K", value_parser = folds, allow_negative_numbers = true, conflicts_with = "validation_split")]
    pub folds: Option<usize>,
    /// Keep files together that belong together, such as those of one patient: the first pair of parentheses in REGEX captures the
    /// group's name in each file's path, such as benign/p07_2.png; without parentheses the whole match does; which groups
    /// validate, --seed decides
    #[arg(long, value_name = "REGEX")]
    pub group_regex: Option<String>,
    /// Adam's learning rate
    #[arg(long, value_name = "RATE", default_value_t = documented::LEARNING_RATE, value_parser = positive, allow_negative_numbers = true)]
    pub learning_rate: f64,
    /// AdamW's weight decay: each step every weight also shrinks by RATE times the learning rate
    #[arg(long, value_name = "RATE", default_value_t = 0.0, value_parser = not_negative, allow_negative_numbers = true)]
    pub weight_decay: f64,
    /// Multiply the loss of a training image by n / (2 · images of its class), so that both classes count alike
    #[arg(long, value_name = "RULE", default_value_t = ClassWeight::None, value_enum)]
    pub class_weight: ClassWeight,
    /// Change training images at random in every epoch: some of flip (both), flip-horizontal, flip-vertical, shift and rotate;
    /// glassnet samples --augment shows it
    #[arg(long, value_name = "flip,shift,rotate", value_parser = augmentation)]
    pub augment: Option<Augmentation>,
    /// Share of values that dropout layers drop while training [default: 0.5, or the model's]
    #[arg(long, value_name = "SHARE", value_parser = share, allow_negative_numbers = true)]
    pub dropout: Option<f64>,
    /// Start from the weights in this file instead of drawn ones
    #[arg(long, value_name = "FILE.safetensors")]
    pub init_weights: Option<PathBuf>,
    /// Stop when val_loss was lowest this many epochs ago, and restore the weights of that epoch at the end
    #[arg(long, value_name = "EPOCHS", value_parser = epochs, allow_negative_numbers = true)]
    pub early_stopping: Option<usize>,
    /// Take the images in the listing's order in every epoch
    #[arg(long)]
    pub no_shuffle: bool,
    /// Leave out images that cannot be read, and name them, instead of stopping before the first epoch
    #[arg(long)]
    pub skip_bad: bool,
    /// The network's layers [default: those of the documented model]
    #[arg(long, value_name = "FILE.toml")]
    pub model: Option<PathBuf>,
    /// Shared with `reproduce`.
    #[command(flatten)]
    pub common: RunArgs,
}

/// How much a training image of each class counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
pub enum ClassWeight {
    /// As one
    None,
    /// So that both classes count alike
    Balanced,
}

impl fmt::Display for ClassWeight {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(match self {
            ClassWeight::None => "none",
            ClassWeight::Balanced => "balanced",
        })
    }
}

/// `glassnet predict`.
#[derive(Args, Debug)]
pub struct PredictArgs {
    /// A weights file that `train` wrote, or its run folder, which stands for its weights/best.safetensors
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,
    /// Images; a folder or a zip stands for all images in it
    #[arg(value_name = "IMAGE", required = true)]
    pub images: Vec<PathBuf>,
    /// Also draw each image with its class and probability into this PNG
    #[arg(long, value_name = "OUT.png")]
    pub plot: Option<PathBuf>,
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

/// `glassnet evaluate`.
#[derive(Args, Debug)]
pub struct EvaluateArgs {
    /// A weights file that `train` wrote, or its run folder, which stands for its weights/best.safetensors
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,
    /// A folder that holds the model's two class folders of images, or a zip of one
    #[arg(value_name = "DATA")]
    pub data: PathBuf,
    /// Which images of DATA; what trained and what validated stands in the split.csv of the model's run folder
    #[arg(long, value_name = "NAME", value_enum, default_value_t = SubsetChoice::All)]
    pub subset: SubsetChoice,
    /// An answer is positive where its probability is above this [default: the model's, which is 0.5]
    #[arg(long, value_name = "T", value_parser = threshold, allow_negative_numbers = true)]
    pub threshold: Option<f64>,
    /// A new folder to write: evaluation.html (pictures, and the worst mistakes), evaluation.json, predictions.csv
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
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
    Training,
    Validation,
    All,
}

/// `glassnet inspect`.
#[derive(Args, Debug)]
#[command(
    after_help = "What is found is the answer: the exit code is 0 also where files cannot be read; --json has 'findings' for scripts."
)]
pub struct InspectArgs {
    /// A folder that holds two class folders of images, or a zip of one
    #[arg(value_name = "DATA")]
    pub data: PathBuf,
    /// Share of each class that would validate
    #[arg(long, value_name = "SHARE", default_value_t = documented::VALIDATION_SPLIT, value_parser = share, allow_negative_numbers = true)]
    pub validation_split: f64,
    /// List every file with its class, subset, size and mode
    #[arg(long)]
    pub list: bool,
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
    /// A folder that holds two class folders of images, or a zip of one
    #[arg(value_name = "DATA")]
    pub data: PathBuf,
    /// The picture to write
    #[arg(long, value_name = "GRID.png")]
    pub out: PathBuf,
    /// Images of each class
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = shown, allow_negative_numbers = true)]
    pub per_class: usize,
    /// Show the images as training with this --augment would change them, at 128 × 128 pixels
    #[arg(long, value_name = "flip,shift,rotate", value_parser = augmentation)]
    pub augment: Option<Augmentation>,
    /// Which images are drawn
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = seed, allow_negative_numbers = true)]
    pub seed: u64,
    /// Print one JSON object instead of a line
    #[arg(long)]
    pub json: bool,
    /// `--quiet`.
    #[command(flatten)]
    pub quiet: QuietArgs,
}

/// `glassnet summary`.
#[derive(Args, Debug)]
pub struct SummaryArgs {
    /// A weights file, or a model.toml [default: the documented model]
    #[arg(value_name = "MODEL")]
    pub model: Option<PathBuf>,
    /// Height and width of the images [default: 128, or the model's]
    #[arg(long, value_name = "PIXELS", value_parser = at_least_one, allow_negative_numbers = true)]
    pub image_size: Option<usize>,
    /// Images in a batch, for the memory figures
    #[arg(long, value_name = "N", default_value_t = documented::BATCH_SIZE, value_parser = batch_size, allow_negative_numbers = true)]
    pub batch_size: usize,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
}

/// `glassnet phantom`.
#[derive(Args, Debug)]
pub struct PhantomArgs {
    /// The folder to write; it must not exist yet, or be empty
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Which set is drawn
    #[arg(long, value_name = "N", default_value_t = glassnet::data::phantom::DEFAULT_SEED, value_parser = seed, allow_negative_numbers = true)]
    pub seed: u64,
    /// Benign images
    #[arg(long, value_name = "N", default_value_t = glassnet::data::phantom::DEFAULT_BENIGN, value_parser = drawn, allow_negative_numbers = true)]
    pub benign: usize,
    /// Malignant images
    #[arg(long, value_name = "N", default_value_t = glassnet::data::phantom::DEFAULT_MALIGNANT, value_parser = drawn, allow_negative_numbers = true)]
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

/// `glassnet completions`.
#[derive(Args, Debug)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// `glassnet man`.
#[derive(Args, Debug)]
pub struct ManArgs {
    /// The command whose page is printed, as in: glassnet man bench conv [default: glassnet itself]
    #[arg(value_name = "COMMAND")]
    pub command: Vec<String>,
    /// Write the pages of all commands into this folder instead, such as ~/.local/share/man/man1
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    pub out: Option<PathBuf>,
}

/// The most threads that may be asked for.
const MAX_THREADS: usize = 1024;

/// The largest batch: more images than a data set may hold, and few enough that sizes in bytes can be counted.
const MAX_BATCH_SIZE: usize = 1_000_000;

/// The most folds of a cross-validation: as many models are trained.
const MAX_FOLDS: usize = 1000;

/// The most epochs.
const MAX_EPOCHS: usize = 1_000_000;

/// The longest time between two savings: more than ten years.
const MAX_SECONDS: f64 = 1e9;

/// The largest cache: a PiB, so that its size in bytes can be counted.
const MAX_MEBIBYTES: usize = 1 << 30;

/// The most samples of each class: more cannot be told apart in one picture.
const MAX_SHOWN: usize = 100;

/// The most synthetic images of each class; all are in memory before the first is written.
const MAX_DRAWN: usize = 10_000;

/// The largest seed: the largest whole number of TOML, in which a run's configuration is written.
const MAX_SEED: u64 = i64::MAX as u64;

fn whole_number(text: &str, most: usize) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if (1..=most).contains(&number) => Ok(number),
        _ => Err(format!("it must be a whole number from 1 to {most}")),
    }
}

fn epochs(text: &str) -> Result<usize, String> {
    whole_number(text, MAX_EPOCHS)
}

fn threads(text: &str) -> Result<usize, String> {
    whole_number(text, MAX_THREADS)
}

fn batch_size(text: &str) -> Result<usize, String> {
    whole_number(text, MAX_BATCH_SIZE)
}

fn shown(text: &str) -> Result<usize, String> {
    whole_number(text, MAX_SHOWN)
}

fn drawn(text: &str) -> Result<usize, String> {
    whole_number(text, MAX_DRAWN)
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number >= 1 => Ok(number),
        _ => Err("it must be a whole number, at least 1".into()),
    }
}

fn seed(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(seed) if seed <= MAX_SEED => Ok(seed),
        _ => Err(format!("it must be a whole number from 0 to {MAX_SEED}")),
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.0..=MAX_SECONDS).contains(&seconds) => Ok(seconds),
        _ => Err(format!("it must be a number from 0 to {MAX_SECONDS}")),
    }
}

fn mebibytes(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number <= MAX_MEBIBYTES => Ok(number),
        _ => Err(format!("it must be a whole number from 0 to {MAX_MEBIBYTES}")),
    }
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        // In f32 too, in which the engine computes: 0.99999999999 would be 1 there.
        Ok(share) if (0.0..1.0).contains(&share) && (share as f32) < 1.0 => Ok(share),
        _ => Err("it must be a number, at least 0 and below 1".into()),
    }
}

fn threshold(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(threshold) if threshold > 0.0 && threshold < 1.0 => Ok(threshold),
        _ => Err("it must be a number above 0 and below 1".into()),
    }
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        // The engine computes in f32: what is zero or infinite there cannot work.
        Ok(number) if (f32::MIN_POSITIVE..=f32::MAX).contains(&(number as f32)) => Ok(number),
        _ => Err("it must be a number above 0, such as 0.001".to_string()),
    }
}

fn folds(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(folds) if (2..=MAX_FOLDS).contains(&folds) => Ok(folds),
        _ => Err(format!("it must be a whole number from 2 to {MAX_FOLDS}")),
    }
}

fn augmentation(text: &str) -> Result<Augmentation, String> {
    Augmentation::parse(text)
}

fn not_negative(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number >= 0.0 && (number as f32).is_finite() => Ok(number),
        _ => Err("it must be a number, at least 0".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }
}
