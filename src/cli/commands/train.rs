//! `glassnet train`: a classifier from a folder or a zip.

use crate::cli::args::TrainArgs;
use crate::cli::input::dataset::{Dataset, check_one, open};
use crate::cli::input::model::{Origin, check_takes_images, read_spec};
use crate::cli::outcome::{CommandResult, Outcome};
use crate::cli::run::cross_validation;
use crate::cli::run::resume::ResumedRun;
use crate::cli::run::resume::flags::{SettingsFile, is_given};
use crate::cli::run::training_run::{TrainingRun, without_validation};
use crate::cli::run_folder::RunFolder;
use crate::cli::terminal::console;
use glassnet::network::Network;
use glassnet::spec::ModelSpec;
use glassnet::{Error, Result};

/// Trains, and prints what the documented run printed.
pub fn run(args: &TrainArgs) -> CommandResult {
    let resumed = ResumedRun::of(&args.common, "train")?;
    let settings = resumed.as_ref().map(SettingsFile::of);
    begin_or_go_on(args, resumed).map_err(|failure| match &settings {
        Some(file) => file.blamed(failure),
        None => failure,
    })
}

fn begin_or_go_on(args: &TrainArgs, resumed: Option<ResumedRun>) -> CommandResult {
    check_decay(args)?;
    let network = network(args, resumed.as_ref())?;
    if let Some(data) = &args.data {
        check_one(data, &args.more_data)?;
    }
    if resumed.is_none() {
        for data in args.data.iter().chain(&args.validation_data) {
            RunFolder::check_outside(args.common.out.as_deref(), data)?;
        }
    }
    let data = match (&args.data, &resumed) {
        (Some(data), _) => data.clone(),
        (None, Some(run)) => run.data()?,
        (None, None) => return Err(Error::setting("DATA", "it is missing; give a folder or a zip").into()),
    };
    if let Some(k) = args.folds {
        return cross_validation::run(args, &network, k, open(&data)?, resumed);
    }
    if args.early_stopping.is_some() && args.validation_split == 0.0 && args.validation_data.is_none() {
        return Err(without_validation().into());
    }
    let source = open(&data)?;
    let mut dataset = match (&args.validation_data, args.group_regex.as_deref()) {
        (Some(further), regex) => {
            let name = resumed.as_ref().map_or_else(|| further.clone(), |run| run.name_of_validation_data(further));
            Dataset::of_two(source, further, &name, regex)?
        }
        (None, Some(regex)) => Dataset::grouped(source, args.validation_split, regex, args.common.seed)?,
        (None, None) => Dataset::new(source, args.validation_split)?,
    };
    if let Some(run) = &resumed {
        dataset.name = run.name_of_data(&data);
    }
    let run = TrainingRun { resumed, ..TrainingRun::new(args, network, dataset, &args.common) };
    let Some(mut finished) = run.execute()?.finished(args.common.json)? else { return Ok(Outcome::Done) };
    finished.take_print_error()?;
    if args.common.json {
        console::print_json(&finished.json())?;
    } else {
        for line in finished.closing_lines() {
            console::print(&line)?;
        }
    }
    Ok(Outcome::Done)
}

/// Whether a step of weight decay shrinks the weights: beyond 1 it would turn them around.
fn check_decay(args: &TrainArgs) -> Result<()> {
    let TrainArgs { weight_decay, learning_rate, .. } = args;
    match weight_decay * learning_rate < 1.0 {
        true => Ok(()),
        false => Err(Error::setting(
            format!("--weight-decay {weight_decay}"),
            format!(
                "with --learning-rate {learning_rate} each step would take {} times of every weight away; the product \
                 must be below 1, and usual weight decays are 0.001 to 0.1",
                weight_decay * learning_rate
            ),
        )),
    }
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
    if let Some(side) = args.image_size {
        spec = spec.with_image_size(side);
    }
    // Of a run that goes on, what nobody has given is from its file.
    let (file, image_size) = match resumed {
        Some(run) if args.model.is_none() => {
            (Some(run.config_file()), args.image_size.filter(|_| is_given("--image-size")))
        }
        _ => (args.model.clone(), args.image_size),
    };
    let network = Origin { file: file.as_deref(), image_size }.network(spec)?;
    check_takes_images(&network)?;
    Ok(network)
}
