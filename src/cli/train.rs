//! `glassnet train`: a classifier from a folder or a zip.

use super::args::TrainArgs;
use super::dataset::Dataset;
use super::model::{Origin, check_takes_images, read_spec};
use super::resume::ResumedRun;
use super::training_run::{TrainingRun, without_validation};
use super::{CommandResult, Outcome, console};
use glassnet::data::source::Source;
use glassnet::network::Network;
use glassnet::spec::ModelSpec;
use glassnet::{Error, Result};

/// Trains, and prints what the documented run printed.
pub fn run(args: &TrainArgs) -> CommandResult {
    let resumed = ResumedRun::of(&args.common, "train")?;
    let network = network(args, resumed.as_ref())?;
    let data = match (&args.data, &resumed) {
        (Some(data), _) => data.clone(),
        (None, Some(run)) => run.data()?,
        (None, None) => return Err(Error::setting("DATA", "it is missing; give a folder or a zip").into()),
    };
    if args.early_stopping.is_some() && args.validation_split == 0.0 {
        return Err(without_validation().into());
    }
    let dataset = Dataset::new(Source::open(&data)?, args.validation_split)?;
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
        early_stopping: args.early_stopping,
        resumed,
        common: &args.common,
    };
    let Some(finished) = run.execute()? else { return Ok(Outcome::Done) };
    if args.common.json {
        console::print_json(&finished.json())?;
    } else {
        for line in finished.closing_lines() {
            console::print(&line)?;
        }
    }
    Ok(Outcome::Done)
}

/// The network that the flags describe, or where they do not, the run that goes on.
fn network(args: &TrainArgs, resumed: Option<&ResumedRun>) -> Result<Network> {
    let mut spec = match (&args.model, resumed) {
        (Some(file), _) => read_spec(file)?,
        (None, Some(run)) => run.model()?,
        (None, None) => ModelSpec::documented(),
    };
    if let Some(rate) = args.dropout {
        spec = spec.with_dropout(rate);
    }
    let network = Origin { file: args.model.as_deref(), image_size: args.image_size }.network(spec)?;
    check_takes_images(&network)?;
    Ok(network)
}
