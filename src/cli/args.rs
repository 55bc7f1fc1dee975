//! The arguments, as clap reads them. Nothing here touches a file.

pub mod bench;
mod data;
mod model;
mod shells;
mod train;
mod values;

use bench::BenchArgs;
use clap::{Args, Parser, Subcommand};
use values::threads;

pub use data::{InspectArgs, PhantomArgs, SamplesArgs};
pub use model::{EvaluateArgs, PredictArgs, SubsetChoice, SummaryArgs};
pub use shells::{CompletionsArgs, ManArgs};
pub use train::{ClassWeight, ReproduceArgs, RunArgs, TrainArgs};

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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }
}
