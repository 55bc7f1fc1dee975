//! `glassnet train`: a classifier from a folder, a zip or a pack.

use crate::cli::args::{ImageSize, TrainArgs, is_given};
use crate::cli::input::dataset::{Dataset, brings_a_split, check_one, open};
use crate::cli::input::model::{Origin, check_takes_images, read_spec};
use crate::cli::input::packed::{FlagsOnData, as_packed, open_pack};
use crate::cli::input::training_set::for_data;
use crate::cli::outcome::{CommandResult, Failure, Outcome};
use crate::cli::run::cross_validation::CrossValidation;
use crate::cli::run::resume::ResumedRun;
use crate::cli::run::resume::flags::SettingsFile;
use crate::cli::run::training_run::{TrainingRun, without_validation};
use crate::cli::run_folder::RunFolder;
use crate::cli::run_folder::settings::RunSettings;
use crate::cli::terminal::console;
use glassnet::checkpoint::card_of;
use glassnet::data::catalog::Catalog;
use glassnet::data::source::Source;
use glassnet::network::Network;
use glassnet::spec::ModelSpec;
use glassnet::training::{ClassWeighting, TrainSettings};
use glassnet::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The work that the flags ask for: nothing of it is left to be decided.
enum TrainWork {
    Training(Box<TrainingRun>),
    CrossValidation(Box<CrossValidation>),
}

/// Trains, and prints what the documented run printed.
pub fn run(args: &TrainArgs, resumed: Option<ResumedRun>) -> CommandResult {
    resolved(args, resumed, |work| match work {
        TrainWork::Training(run) => train(*run),
        TrainWork::CrossValidation(folds) => folds.execute(),
    })
}

/// Trains, and prints no result: the run folder has it.
pub fn run_unprinted(args: &TrainArgs, resumed: Option<ResumedRun>) -> std::result::Result<(), Failure> {
    resolved(args, resumed, |work| match work {
        TrainWork::Training(run) => run.execute().map(|_| ()),
        TrainWork::CrossValidation(folds) => folds.execute_unprinted(),
    })
}

/// Does the work that the flags ask for. Where it fails for a setting of the run that goes on, the run's file
/// is blamed.
fn resolved<T>(
    args: &TrainArgs,
    resumed: Option<ResumedRun>,
    work: impl FnOnce(TrainWork) -> std::result::Result<T, Failure>,
) -> std::result::Result<T, Failure> {
    let file = resumed.as_ref().map(SettingsFile::new);
    resolve(args, resumed).and_then(work).map_err(|failure| match &file {
        Some(file) => file.blamed(failure),
        None => failure,
    })
}

fn train(run: TrainingRun) -> CommandResult {
    let json = run.json;
    let Some(mut finished) = run.execute()?.finished(json)? else { return Ok(Outcome::Done) };
    finished.take_print_error()?;
    if json {
        console::print_json(&finished.json())?;
    } else {
        for line in finished.closing_lines() {
            console::print(&line)?;
        }
    }
    Ok(Outcome::Done)
}

/// The wish of the flags, as far as it can be told before the data are listed.
struct Wish {
    /// The flags, as a pack has them where DATA is one.
    args: TrainArgs,
    /// The pack.
    pack: Option<Source>,
    data: PathBuf,
    model: Model,
    settings: RunSettings,
}

/// Checks all that can be told of a run of these flags from the names and classes of its data, and returns
/// its settings and its network.
///
/// # Errors
/// Those of `train` itself.
pub fn check(args: &TrainArgs, catalog: &Catalog) -> std::result::Result<(RunSettings, Network), Failure> {
    let Wish { model, settings, .. } = wish(args, None)?;
    check_of_labels(&settings.training, catalog)?;
    let network = model.for_data(catalog)?;
    if settings.init_weights.is_some() {
        settings.initial_parameters(&network)?;
    }
    Ok((settings, network))
}

/// Reads the flags, and checks each and those that belong together.
fn wish(args: &TrainArgs, resumed: Option<&ResumedRun>) -> std::result::Result<Wish, Failure> {
    // A run that goes on has settings of its own, which its pack is held to.
    let pack = match (&args.data, resumed) {
        (Some(data), None) => open_pack(data)?,
        _ => None,
    };
    let args = as_packed(args, pack.as_ref(), |args| FlagsOnData {
        reading: &mut args.reading,
        bit_depth: &mut args.bit_depth,
        skip_bad: &mut args.skip_bad,
        image_size: &mut args.image_size,
        has_model: args.model.is_some(),
    })?;
    if args.init_weights.is_none() && resumed.is_none() {
        for (flag, is_given) in [("--freeze", !args.freeze.is_empty()), ("--new-head", args.new_head)] {
            if is_given {
                let reason = "it is for weights that something was learned with; give them by --init-weights";
                return Err(Error::setting(flag, reason).into());
            }
        }
    }
    let model = Model::from_args(&args, resumed)?;
    let data = data(&args, resumed)?;
    let settings = RunSettings::new(&args, model.network.spec().input);
    settings.training.optimizer()?;
    settings.training.check_schedule()?;
    check_decay(&settings.training)?;
    if settings.training.early_stopping.is_some() && settings.validation_split == Some(0.0) {
        return Err(without_validation().into());
    }
    Ok(Wish { args, pack, data, model, settings })
}

/// Makes of the flags what is to be done.
fn resolve(args: &TrainArgs, resumed: Option<ResumedRun>) -> std::result::Result<TrainWork, Failure> {
    let Wish { args, pack, data, model, mut settings } = wish(args, resumed.as_ref())?;
    let (out, json) = (args.common.out.clone(), args.common.json);
    let source = || pack.map_or_else(|| open(&data, &args.labels), Ok);
    check_only_fold(&settings)?;
    if settings.folds.is_some() {
        let source = Arc::new(source()?);
        let catalog = Arc::new(Catalog::from_source(&source)?);
        check_of_labels(&settings.training, &catalog)?;
        let network = model.for_data(&catalog)?;
        return Ok(TrainWork::CrossValidation(Box::new(CrossValidation {
            settings,
            network,
            source,
            catalog,
            out,
            json,
            resumed,
        })));
    }
    let mut dataset = dataset(source()?, args.validation_data.as_deref(), &settings, resumed.as_ref())?;
    if brings_a_split(&dataset.source) {
        // No share decides.
        settings.validation_split = None;
    }
    if let Some(run) = &resumed {
        dataset.name = run.name_of_data(&data);
    }
    check_of_labels(&settings.training, &dataset.catalog)?;
    let network = model.for_data(&dataset.catalog)?;
    let run = TrainingRun { command: "train", settings, network, dataset, out, json, resumed, checked: None };
    Ok(TrainWork::Training(Box::new(run)))
}

/// Returns where the data are: DATA, or where it is not given, those of the run that goes on.
fn data(args: &TrainArgs, resumed: Option<&ResumedRun>) -> Result<PathBuf> {
    if let Some(data) = &args.data {
        check_one(data, &args.more_data)?;
    }
    if resumed.is_none() {
        for data in args.data.iter().chain(&args.validation_data) {
            RunFolder::check_outside(args.common.out.as_deref(), data)?;
        }
    }
    match (&args.data, resumed) {
        (Some(data), _) => Ok(data.clone()),
        (None, Some(run)) => run.data(),
        (None, None) => Err(Error::setting("DATA", "it is missing; give a folder, a zip or a pack")),
    }
}

/// The data set, split as the settings have it.
fn dataset(
    source: Source,
    validation_data: Option<&Path>,
    settings: &RunSettings,
    resumed: Option<&ResumedRun>,
) -> std::result::Result<Dataset, Failure> {
    let split = settings.validation_split.unwrap_or(0.0);
    match (validation_data, settings.group_regex.as_deref()) {
        (Some(further), regex) => {
            let name = resumed.map_or_else(|| further.to_path_buf(), |run| run.name_of_validation_data(further));
            Dataset::of_two(source, further, &name, &settings.labels, regex)
        }
        (None, regex) => Dataset::new(source, split, regex, settings.training.seed),
    }
}

/// Checks whether `--only-fold` is one of the folds.
fn check_only_fold(settings: &RunSettings) -> Result<()> {
    let reason = match (settings.only_fold, settings.folds) {
        (Some(_), None) => "it is one of the folds of a cross-validation; say with --folds how many there are".into(),
        (Some(fold), Some(of)) if fold > of => format!("there are {of} folds; give one of 1 to {of}"),
        _ => return Ok(()),
    };
    Err(Error::value("--only-fold", settings.only_fold.unwrap_or(0), reason))
}

/// Refuses what is for classes alone where images may have several labels.
fn check_of_labels(settings: &TrainSettings, catalog: &Catalog) -> Result<()> {
    if catalog.combinations.is_none() || settings.class_weight == ClassWeighting::None {
        return Ok(());
    }
    let reason =
        "it weighs classes, of which an image has one, and here an image may have several labels; leave it out";
    Err(Error::setting("--class-weight", reason))
}

/// Checks whether a step of weight decay shrinks the weights: beyond 1 it would turn them around.
fn check_decay(settings: &TrainSettings) -> Result<()> {
    let (weight_decay, largest) = (settings.weight_decay, settings.largest_learning_rate());
    match weight_decay * largest < 1.0 {
        true => Ok(()),
        false => Err(Error::value(
            "--weight-decay",
            weight_decay,
            format!(
                "with --learning-rate {largest} each step would take {} times of every weight away; the product must be \
                 below 1, and usual weight decays are 0.001 to 0.1",
                weight_decay * largest
            ),
        )),
    }
}

/// The network that was asked for.
struct Model {
    network: Network,
    /// The file that it is from; none of the documented network, which takes any number of classes.
    file: Option<PathBuf>,
}

impl Model {
    /// The network that the flags describe, or where they do not, the run that goes on.
    fn from_args(args: &TrainArgs, resumed: Option<&ResumedRun>) -> Result<Model> {
        let card = args.init_weights.as_deref().filter(|_| args.model.is_none() && resumed.is_none()).and_then(card_of);
        let learned = card.map(|card| card.spec.with_frozen(&[]));
        let mut spec = match (&args.model, resumed) {
            (Some(file), _) => read_spec(file)?,
            (None, Some(run)) => run.model()?,
            (None, None) => learned.clone().unwrap_or_else(ModelSpec::documented),
        };
        if let Some(rate) = args.dropout {
            spec = spec.with_dropout(rate);
        }
        if let Some(ImageSize { height, width }) = args.image_size {
            spec = spec.with_height_and_width(height, width);
        }
        if !args.freeze.is_empty() {
            spec = spec.with_frozen(&args.freeze);
        }
        // Of a run that goes on, what nobody has given is from its file.
        let (file, image_size) = match resumed {
            Some(run) if args.model.is_none() => {
                (Some(run.config_file()), args.image_size.filter(|_| is_given("--image-size")))
            }
            _ if learned.is_some() => (args.init_weights.clone(), args.image_size),
            _ => (args.model.clone(), args.image_size),
        };
        let network = Origin { file: file.as_deref(), image_size }.network(spec)?;
        check_takes_images(&network)?;
        Ok(Model { network, file: file.filter(|_| !args.new_head) })
    }

    /// The network for the classes of these data, or their labels.
    ///
    /// # Errors
    /// [`Error::Setting`], where it is a given one that tells another number apart.
    fn for_data(self, catalog: &Catalog) -> Result<Network> {
        for_data(self.network, self.file.as_deref(), catalog)
    }
}
