//! Several models that answer together: those of the folds of a cross-validation, and others that are named
//! beside.

use crate::cli::input::model::{load_model, weights_file};
use crate::cli::input::predictor::Predictor;
use crate::cli::run_folder::fold_folders;
use crate::cli::terminal::console;
use glassnet::checkpoint::{Checkpoint, ModelCard};
use glassnet::error::counted;
use glassnet::files::read_text;
use glassnet::{Error, Result};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The flag that names a further model.
const WITH: &str = "--with";

/// The flag that settles which threshold counts.
const THRESHOLD: &str = "--threshold";

/// Models that can answer together; often it is one.
pub struct Ensemble {
    /// The weights file of each.
    pub files: Vec<PathBuf>,
    models: Vec<Checkpoint>,
}

impl Ensemble {
    /// Reads the models that MODEL means, and those beside it.
    ///
    /// # Errors
    /// Those of [`weights_file`] and [`load_model`]; [`Error::Setting`] of `--with` names a model that is
    /// there twice, and [`Error::Weights`] what differs between two that cannot answer together.
    pub fn load(model: &Path, with: &[PathBuf]) -> Result<Ensemble> {
        let mut files = model_files(model)?;
        for other in with {
            files.extend(model_files(other)?);
        }
        let mut seen = HashSet::new();
        let place = |file: &PathBuf| file.canonicalize().unwrap_or_else(|_| file.clone());
        if let Some(twice) = files.iter().find(|file| !seen.insert(place(file))) {
            let reason = format!("{} is there twice, and would count double; give it once", twice.display());
            return Err(Error::setting(WITH, reason));
        }
        let models = files.iter().map(|file| load_model(file)).collect::<Result<Vec<Checkpoint>>>()?;
        let ensemble = Ensemble { files, models };
        for (file, model) in ensemble.files.iter().zip(&ensemble.models).skip(1) {
            if let Some(difference) = difference(model, &ensemble.models[0], &ensemble.files[0]) {
                return Err(Error::weights(file, format!("{difference}; give models that agree in this")));
            }
        }
        Ok(ensemble)
    }

    /// The first model: in what matters for reading images and naming answers the others are as it is.
    pub fn first(&self) -> &Checkpoint {
        &self.models[0]
    }

    /// The number of models.
    pub fn len(&self) -> usize {
        self.models.len()
    }

    /// The models at work.
    ///
    /// # Errors
    /// Those of [`Predictor::of_several`].
    pub fn predictor(&self) -> Result<Predictor<'_>> {
        Predictor::of_several(self.models.iter().zip(self.files.iter().map(PathBuf::as_path)))
    }

    /// The threshold above which an answer is positive: `asked`, or else that of all models.
    ///
    /// # Errors
    /// [`Error::Setting`] of `--threshold`, where the models have different ones.
    pub fn threshold(&self, asked: Option<f64>) -> Result<f64> {
        let first = self.first().card.threshold;
        let other = self.files.iter().zip(&self.models).find(|(_, model)| model.card.threshold != first);
        match (asked, other) {
            (Some(threshold), _) => Ok(threshold),
            (None, None) => Ok(first),
            (None, Some((file, model))) => {
                let reason = format!(
                    "it is missing, as that of {} is {first}, and that of {} is {}; give one for both",
                    self.files[0].display(),
                    file.display(),
                    model.card.threshold
                );
                Err(Error::setting(THRESHOLD, reason))
            }
        }
    }
}

/// The weights files that MODEL means: those of the folds of a cross-validation, or the one that
/// [`weights_file`] finds.
///
/// # Errors
/// Those of [`weights_file`].
fn model_files(model: &Path) -> Result<Vec<PathBuf>> {
    let folds = fold_folders(model);
    if folds.is_empty() {
        return weights_file(model).map(|file| vec![file]);
    }
    if let Some(of) = wanted_folds(model).filter(|of| *of != folds.len()) {
        console::warn(&format!(
            "{} is a cross-validation of {of} folds, of which {} there; only these answer",
            model.display(),
            if folds.len() == 1 { "1 is".to_string() } else { format!("{} are", folds.len()) }
        ));
    }
    folds.iter().map(|(_, fold)| weights_file(fold)).collect()
}

/// The number of folds that a cross-validation was to have, where its `config.toml` tells, and not only one
/// of them.
fn wanted_folds(run: &Path) -> Option<usize> {
    let config: Table = read_text(&run.join("config.toml")).ok()?.parse().ok()?;
    let settings = config.get("settings")?;
    let folds = settings.get("folds").and_then(Value::as_integer)?;
    settings.get("only_fold").is_none().then_some(usize::try_from(folds).ok()?)
}

/// Returns why a model cannot answer together with the first one, in a sentence that begins with its file.
fn difference(model: &Checkpoint, first: &Checkpoint, file: &Path) -> Option<String> {
    let cards = [&model.card, &first.card];
    let file = file.display();
    if cards[0].classes != cards[1].classes {
        let [ours, theirs] = cards.map(|card| card.classes.in_words());
        return Some(format!("its classes are {ours}, and those of {file} are {theirs}"));
    }
    if cards[0].spec.input != cards[1].spec.input {
        let [ours, theirs] = cards.map(|ModelCard { spec, .. }| spec.input.map(|side| side.to_string()).join("×"));
        return Some(format!("its images are {ours} (height × width × channels), and those of {file} {theirs}"));
    }
    if cards[0].reading != cards[1].reading {
        let [ours, theirs] = cards.map(|card| card.reading.description().unwrap_or("no flag".into()));
        return Some(format!("its images are read with {ours}, and those of {file} with {theirs}"));
    }
    let heads = [model, first].map(|model| model.network.head());
    if heads[0].has_several_labels() != heads[1].has_several_labels() {
        return Some(format!("for one of it and {file} an image has one class, and for the other several labels"));
    }
    let [ours, theirs] = heads.map(|head| head.units());
    (ours != theirs).then(|| format!("its last layer has {}, and that of {file} {theirs}", counted(ours, "unit")))
}
