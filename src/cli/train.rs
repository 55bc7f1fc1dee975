//! `glassnet train`: a classifier from a folder or a zip.

use super::args::TrainArgs;
use super::dataset::Dataset;
use super::model::{Origin, check_takes_images, read_spec};
use super::training_run::TrainingRun;
use super::{CommandResult, Outcome, console};
use glassnet::Result;
use glassnet::data::source::Source;
use glassnet::network::Network;
use glassnet::spec::ModelSpec;

/// Trains, and prints what the documented run printed.
pub fn run(args: &TrainArgs) -> CommandResult {
    let network = network(args)?;
    let dataset = Dataset::new(Source::open(&args.data)?, args.validation_split)?;
    let run = TrainingRun {
        command: "train",
        dataset,
        network,
        init_weights: args.init_weights.as_deref(),
        epochs: args.epochs,
        batch_size: args.batch_size,
        validation_split: args.validation_split,
        learning_rate: args.learning_rate,
        shuffle: !args.no_shuffle,
        common: &args.common,
    };
    let finished = run.execute()?;
    if args.common.json {
        console::print_json(&finished.json())?;
    } else {
        for line in finished.closing_lines() {
            console::print(&line)?;
        }
    }
    Ok(Outcome::Done)
}

/// The network that the flags describe.
fn network(args: &TrainArgs) -> Result<Network> {
    let mut spec = args.model.as_deref().map_or_else(|| Ok(ModelSpec::documented()), read_spec)?;
    if let Some(rate) = args.dropout {
        spec = spec.with_dropout(rate);
    }
    let network = Origin { file: args.model.as_deref(), image_size: args.image_size }.network(spec)?;
    check_takes_images(&network)?;
    Ok(network)
}
