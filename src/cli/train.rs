//! `glassnet train`: a classifier from a folder or a zip.

use super::args::TrainArgs;
use super::dataset::Dataset;
use super::training_run::TrainingRun;
use super::{CommandResult, Outcome, console};
use glassnet::data::source::Source;
use glassnet::spec::ModelSpec;
use glassnet::{Error, Result};
use std::path::Path;

/// Trains, and prints what the documented run printed.
pub fn run(args: &TrainArgs) -> CommandResult {
    let spec = spec(args)?;
    let dataset = Dataset::new(Source::open(&args.data)?, args.validation_split)?;
    let run = TrainingRun {
        command: "train",
        dataset,
        spec,
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

/// The model that the flags describe.
fn spec(args: &TrainArgs) -> Result<ModelSpec> {
    let mut spec = args.model.as_deref().map_or_else(|| Ok(ModelSpec::documented()), read_spec)?;
    if let Some(side) = args.image_size {
        spec = spec.with_image_size(side);
    }
    if let Some(rate) = args.dropout {
        spec = spec.with_dropout(rate);
    }
    let [height, width, channels] = spec.input;
    if height != width || channels != 3 {
        return Err(Error::setting(
            "--model",
            format!(
                "an input of {height}×{width}×{channels}; images are read as squares of 3 channels, such as [128, 128, 3]"
            ),
        ));
    }
    Ok(spec)
}

/// Reads a `model.toml`.
pub fn read_spec(path: &Path) -> Result<ModelSpec> {
    let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
    toml::from_str(&text).map_err(|error| Error::setting(path.display().to_string(), format!("not a model: {error}")))
}
