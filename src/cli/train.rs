//! `glassnet train`: a classifier from a folder or a zip.

use super::args::TrainArgs;
use super::dataset::Dataset;
use super::model::{Origin, read_spec};
use super::training_run::TrainingRun;
use super::{CommandResult, Outcome, console};
use glassnet::data::source::Source;
use glassnet::network::Network;
use glassnet::spec::ModelSpec;
use glassnet::{Error, Result};

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
    let [height, width, channels] = network.spec().input;
    if height != width || channels != 3 {
        let reason = format!(
            "its input is {height}×{width}×{channels} (height × width × channels), and images are read as squares of 3 \
             channels; write input = [{height}, {height}, 3]"
        );
        return Err(Error::setting("--model", reason));
    }
    Ok(network)
}
