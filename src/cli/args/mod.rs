//! The arguments, as clap reads them. Nothing here touches a file.

pub mod bench;
mod common;
mod data;
mod explain;
mod export;
pub mod folds;
mod gradcheck;
mod import;
mod init;
mod labels;
mod lecture;
mod lr_find;
mod model;
mod optimizer;
mod pack;
mod profile;
mod reading;
mod runs;
mod schedule;
mod shells;
mod sweep;
mod tips;
mod train;
mod unsure;
mod values;

use bench::BenchArgs;
use clap::{Parser, Subcommand};
use folds::FoldsArgs;

pub use data::{GlyphsArgs, InspectArgs, PhantomArgs, SamplesArgs};
pub use explain::ExplainArgs;
pub use export::{ExportArgs, ExportFormat, InputChoice, ScriptChoice};
pub use gradcheck::{GradcheckArgs, Link};
pub use import::ImportArgs;
pub use init::{InitArgs, Preset};
pub use labels::LabelsArgs;
pub use lecture::LectureArgs;
pub use lr_find::LrFindArgs;
pub use model::{EvaluateArgs, PredictArgs, SubsetChoice, SummaryArgs, Tta};
pub use pack::PackArgs;
pub use profile::ProfileArgs;
pub use reading::{RangeChoice, ReadingArgs};
pub use runs::RunsArgs;
pub use shells::{CompletionsArgs, ManArgs};
pub use sweep::{GivenFlag, MOST_TRIALS, SweepArgs, Tried};
pub use tips::{command_line, is_given, refuse};
pub use train::{ReproduceArgs, RunArgs, TrainArgs};
pub use unsure::Unsure;
pub use values::ImageSize;

/// Train and look into a convolutional image classifier, with no framework underneath.
#[derive(Debug, Parser)]
#[command(
    name = "glassnet",
    version,
    about = "A from-scratch CNN engine you can see through: train an image classifier from a folder or a zip, with no framework underneath. Not for diagnosis.",
    long_about = "A from-scratch CNN engine you can see through: train an image classifier from a folder or a zip, with no framework underneath. Not for diagnosis.\n\nA data set is a folder that holds a folder of images for each class, or a zip of one. Of two classes the second by name is the positive one, and every probability is that of this class.",
    after_help = "First: glassnet reproduce. Your images: glassnet inspect DATA, then train DATA. More: --help",
    after_long_help = "Examples:
  glassnet reproduce                              the documented run, in seconds
  glassnet inspect photos                         what the set holds, and what to mend
  glassnet train photos --epochs 10 --out runs/photos
  glassnet evaluate runs/photos photos --subset validation --out judged
  glassnet predict runs/photos new.jpg --plot new.png

Results go to stdout, progress and warnings to stderr.
Exit codes: 0 done, 1 the work failed, 2 the call was wrong (a flag, a value, data or a model that is not there), 130 interrupted (143 by SIGTERM, 129 by SIGHUP).
Environment: GLASSNET_LOG=debug tells what computes what, and why; GLASSNET_SIMD=portable (avx2, avx512) chooses the instruction set.",
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
    /// Repeat the documented five-epoch run, and set the two side by side
    ///
    /// It is trained on the synthetic phantom set in data/liver-phantom, which stands in for images that are
    /// not public.
    Reproduce(ReproduceArgs),
    /// Train a classifier on a folder or a zip with a folder for each class
    Train(Box<TrainArgs>),
    /// Say what a trained model takes images for
    Predict(PredictArgs),
    /// Tell how good a model's answers are on a data set
    ///
    /// Accuracy, sensitivity, specificity, ROC, calibration, each beside what a constant answer has; of more
    /// than two classes precision, recall and F1 of each; with --out a page of pictures.
    Evaluate(EvaluateArgs),
    /// Tell what a data set holds, what is odd about it, and what to do
    ///
    /// Files that cannot be read, duplicates within and across classes and split, and attributes that give
    /// the class away.
    Inspect(InspectArgs),
    /// Find a learning rate by trying many, each for a step
    ///
    /// The loss is printed by learning rate, and where it falls fastest.
    LrFind(Box<LrFindArgs>),
    /// Train with many settings, and compare them: a grid, or drawn at random
    ///
    /// Every trial is the run that glassnet train would make, or with --folds all of its folds; what is done
    /// is not done again.
    Sweep(Box<SweepArgs>),
    /// Compare runs: their best measures, and the settings in which they differ
    Runs(RunsArgs),
    /// Put folds of a cross-validation together that were trained apart
    ///
    /// On several machines, or one a night: train --only-fold trains them.
    Folds(FoldsArgs),
    /// Draw sample images of each class side by side
    Samples(SamplesArgs),
    /// Write a data set into one file, decoded and resized once
    ///
    /// Every command takes the file as DATA. Training reads it without decoding, and ends with the same bits.
    Pack(PackArgs),
    /// Write a model.toml to start from
    ///
    /// With comments that say what each layer is for.
    Init(InitArgs),
    /// Write a model in the format of another program
    ///
    /// What was made is read back and run, and the largest difference of an answer is told.
    Export(ExportArgs),
    /// Make a weights file of a model of Keras, PyTorch or ONNX
    ///
    /// It answers as the model does there, and trains on. What does not fit is refused by name.
    Import(ImportArgs),
    /// Show a model's layers, shapes, parameters, arithmetic and memory
    Summary(SummaryArgs),
    /// Draw the synthetic set of liver lesions into a folder
    Phantom(PhantomArgs),
    /// Draw a synthetic set of ten classes of digits into a folder
    ///
    /// The images are 28×28 grey pixels, as MNIST's are, and look handwritten.
    Glyphs(GlyphsArgs),
    /// Check gradients: against the definition, and by every algorithm
    ///
    /// Or find a planted mistake, with --lesson.
    Gradcheck(GradcheckArgs),
    /// Explain one training step, from the pixels to every weight
    ///
    /// On a page with the reader's own pixel and weight: each sum shown, down to one weight's chain rule.
    Explain(ExplainArgs),
    /// Show a training phase by phase on a page, with rewind
    ///
    /// Live, on this machine alone: one stands still in it, goes back, changes a weight or the learning rate,
    /// and sees what becomes of it.
    Lecture(Box<LectureArgs>),
    /// Tell where the time of a training run goes, and what could be won
    ///
    /// Every millisecond of every thread, beside what the machine could do; with --out a page and a trace.
    Profile(Box<ProfileArgs>),
    /// Measure how fast the engine is, with the machine's limits beside it
    Bench(BenchArgs),
    /// Print what a shell needs to complete all this
    ///
    /// Commands, flags and the values of those that have names.
    Completions(CompletionsArgs),
    /// Print the manual page of a command, or write all pages
    ///
    /// In roff, as man reads it.
    Man(ManArgs),
}

impl Command {
    /// Tells whether `--quiet` was given.
    pub fn is_quiet(&self) -> bool {
        match self {
            Command::Reproduce(args) => args.common.quiet.quiet,
            Command::Train(args) => args.common.quiet.quiet,
            Command::Predict(args) => args.quiet.quiet,
            Command::Evaluate(args) => args.quiet.quiet,
            Command::Inspect(args) => args.quiet.quiet,
            Command::Samples(args) => args.quiet.quiet,
            Command::LrFind(args) => args.quiet.quiet,
            Command::Sweep(args) => args.trials.train.common.quiet.quiet,
            Command::Runs(args) => args.quiet.quiet,
            Command::Folds(args) => args.is_quiet(),
            Command::Pack(args) => args.quiet.quiet,
            Command::Phantom(args) => args.quiet.quiet,
            Command::Init(_) | Command::Summary(_) | Command::Bench(_) => false,
            Command::Completions(_) | Command::Man(_) => false,
            Command::Import(args) => args.quiet.quiet,
            Command::Glyphs(args) => args.quiet.quiet,
            Command::Gradcheck(args) => args.quiet.quiet,
            Command::Explain(args) => args.quiet.quiet,
            Command::Export(args) => args.quiet.quiet,
            Command::Lecture(args) => args.quiet.quiet,
            Command::Profile(args) => args.quiet.quiet,
        }
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
