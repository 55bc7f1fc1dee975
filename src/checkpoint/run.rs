//! The weights file from which a run can go on: the last weights, and beside them all the rest of a
//! [`TrainingState`].
//!
//! | tensors | hold |
//! |---|---|
//! | `conv2d/kernel`, … | the last weights, as in any weights file |
//! | `adam/m/…`, `adam/v/…` | Adam's first and second moment of each trainable weight; of SGD with momentum there is `sgd/velocity/…` instead, without it neither |
//! | `best/…` | the weights of the best epoch, unless they are the last ones |
//! | `history/loss`, `accuracy`, `val_loss`, `val_accuracy` | f64, one value an epoch that has ended |
//! | `history/val_exact_match`, `val_macro_f1`, `val_macro_roc_auc` | f64, the same, where images may have several labels; NaN where there is none |
//! | `history/only_answer` | f64, the same: the class that every validation image was taken for, −1 where there were both |
//! | `steps/epoch`, `batch_size`, `loss`, `accuracy` | f64, one value a step, those of the epoch at work included |
//!
//! Nothing else is needed ([`crate::training`] says why), and no time is written, so the same run writes the
//! same bytes. The JSON of the metadata has one more field, `run`: what the run was made from, what the
//! tensors are, and a CRC-32 of their bytes, because a wrong bit in them would not be seen otherwise.

use super::card::{ModelCard, read_description};
use super::network_tensors::{any, check, named, read, refuse_foreign};
use super::state_tensors::{BEST, HISTORY, STEPS, accumulators, legend};
use super::tensor_file::{Tensor, TensorFile, TensorValues, Tensors};
use crate::classes::Label;
use crate::network::Network;
use crate::optim::{Optimizer, OptimizerSettings};
use crate::parameters::{Parameters, TensorEntry};
use crate::training::{Best, EpochRecord, LabelFigures, StepRow, TrainingState, best_epoch};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Stands for no class.
const NO_CLASS: f64 = -1.0;

/// A figure of an epoch.
type LabelFigure = fn(&LabelFigures) -> Option<f64>;

/// The names of the figures of an epoch where images may have several labels, each with its place.
const LABEL_FIGURES: [(&str, LabelFigure); 3] = [
    ("val_exact_match", |figures| figures.exact_match),
    ("val_macro_f1", |figures| figures.macro_f1),
    ("val_macro_roc_auc", |figures| figures.macro_roc_auc),
];

/// A model card, and what is said of the run.
#[derive(Serialize, Deserialize)]
struct RunCard<Text> {
    #[serde(flatten)]
    model: ModelCard,
    run: RunFacts<Text>,
}

#[derive(Serialize, Deserialize)]
struct RunFacts<Text> {
    config: Text,
    tensors: BTreeMap<String, String>,
    crc32: u32,
}

/// Writes the state of a run; what stands under the name is always whole. `config` is what the run was made
/// from, in the caller's words.
///
/// # Errors
/// [`Error::Io`], where the folder cannot be written or the disk is full.
pub fn save(path: &Path, card: &ModelCard, state: &TrainingState, config: &str) -> Result<()> {
    let rule = &state.optimizer.settings().rule;
    let mut tensors: Vec<Tensor> = named(&state.parameters, "", any).collect();
    for (accumulator, prefix) in state.optimizer.accumulators().iter().zip(accumulators(rule)) {
        tensors.extend(named(accumulator, prefix, TensorEntry::is_trainable));
    }
    if let Some(best) = &state.best
        && !best_is_last(&state.history, &state.steps)
    {
        tensors.extend(named(&best.parameters, BEST, any));
    }
    let mut list = |prefix: &str, name: &str, values: Vec<f64>| {
        let shape = vec![values.len()];
        tensors.push(Tensor { name: format!("{prefix}{name}").into(), shape, values: TensorValues::F64(values) });
    };
    let history = &state.history;
    list(HISTORY, "loss", history.iter().map(|record| record.loss).collect());
    list(HISTORY, "accuracy", history.iter().map(|record| record.accuracy).collect());
    list(HISTORY, "val_loss", history.iter().filter_map(|record| record.val_loss).collect());
    list(HISTORY, "val_accuracy", history.iter().filter_map(|record| record.val_accuracy).collect());
    if card.spec.several_labels {
        for (name, figure) in LABEL_FIGURES {
            let values = history.iter().filter_map(|record| record.val_labels);
            list(HISTORY, name, values.map(|figures| figure(&figures).unwrap_or(f64::NAN)).collect());
        }
    }
    let number = |class: &Option<Label>| class.map_or(NO_CLASS, |class| class.index() as f64);
    list(HISTORY, "only_answer", state.only_answers.iter().map(number).collect());
    let steps = &state.steps;
    list(STEPS, "epoch", steps.iter().map(|row| row.epoch as f64).collect());
    list(STEPS, "batch_size", steps.iter().map(|row| row.batch_size as f64).collect());
    list(STEPS, "loss", steps.iter().map(|row| row.loss).collect());
    list(STEPS, "accuracy", steps.iter().map(|row| row.accuracy).collect());

    let tensors = Tensors::new(tensors);
    let legend = legend(rule).map(|(prefix, meaning)| (prefix.to_string(), meaning.to_string())).collect();
    let run = RunFacts { config, tensors: legend, crc32: tensors.crc32() };
    let description = serde_json::to_string(&RunCard { model: card.clone(), run })
        .map_err(|error| Error::weights(path, error.to_string()))?;
    tensors.write(path, description)
}

/// Returns the description of a file with another model card: what it says of a run, if it does, stays.
///
/// # Errors
/// [`Error::Weights`], where it has none that can be used.
pub(super) fn description(path: &Path, file: &TensorFile, card: ModelCard) -> Result<String> {
    let described: serde_json::Value = read_description(path, file)?;
    let text = match described.get("run") {
        None => serde_json::to_string(&card),
        Some(_) => {
            let RunCard { run, .. }: RunCard<String> = read_description(path, file)?;
            serde_json::to_string(&RunCard { model: card, run })
        }
    };
    text.map_err(|error| Error::weights(path, error.to_string()))
}

/// Returns whether the last weights are the best ones too: the best epoch was the last, and no step was taken
/// since.
fn best_is_last(history: &[EpochRecord], steps: &[StepRow]) -> bool {
    let no_step_since = steps.last().is_none_or(|row| row.epoch < history.len());
    no_step_since && best_epoch(history).is_some_and(|best| best + 1 == history.len())
}

/// A run's file, opened; its state has not been read yet.
pub struct SavedRun {
    /// The description of what the run was made from, as [`save`] was told.
    pub config: String,
    path: PathBuf,
    file: TensorFile,
    crc32: u32,
}

impl SavedRun {
    /// Opens a file that [`save`] wrote.
    ///
    /// # Errors
    /// [`Error::Missing`], or [`Error::Weights`] where it is broken or has weights alone.
    pub fn open(path: &Path) -> Result<SavedRun> {
        let file = TensorFile::open(path)?;
        let description: serde_json::Value = read_description(path, &file)?;
        if description.get("run").is_none() {
            let reason = "it holds weights, but not the state of a run, so none can go on from it";
            return Err(Error::weights_with_advice(path, reason, "start a new run from them"));
        }
        let RunCard { run, .. }: RunCard<String> = read_description(path, &file)?;
        Ok(SavedRun { config: run.config, path: path.to_path_buf(), file, crc32: run.crc32 })
    }

    /// Reads the state. What times the epochs took is not known from it: they are NaN.
    ///
    /// # Errors
    /// [`Error::Weights`], where the tensors are not those of this network, contradict each other, or have
    /// changed since they were written.
    pub fn state(mut self, network: &Network, optimizer: OptimizerSettings) -> Result<TrainingState> {
        let (path, file) = (&self.path, &mut self.file);
        refuse_foreign(path, file, network)?;
        check(path, file, network, "", any)?;
        for prefix in accumulators(&optimizer.rule) {
            check(path, file, network, prefix, TensorEntry::is_trainable)?;
        }
        if file.crc32()? != self.crc32 {
            return Err(Error::weights(path, "its tensors are not as they were written; the file is damaged"));
        }
        let steps = steps(path, file)?;
        let history = history(path, file, &steps, network.head().has_several_labels())?;
        let only_answers = file.read_f64_list(&format!("{HISTORY}only_answer"))?;
        if only_answers.len() != history.len() {
            return Err(contradictory(path));
        }
        let class = |number: f64| match number {
            NO_CLASS => Ok(None),
            number => whole(number)
                .filter(|class| *class < network.head().classes())
                .map(|class| Some(Label::new(class)))
                .ok_or_else(|| contradictory(path)),
        };
        let only_answers = only_answers.into_iter().map(class).collect::<Result<Vec<_>>>()?;
        let best = match best_epoch(&history) {
            None => None,
            Some(epoch) => {
                let prefix = if best_is_last(&history, &steps) { "" } else { BEST };
                check(path, file, network, prefix, any)?;
                Some(Best { epoch, parameters: read(file, network, prefix)? })
            }
        };
        let parameters = read(file, network, "")?;
        let prefixes = accumulators(&optimizer.rule).iter();
        let accumulators = prefixes.map(|prefix| accumulator(file, network, prefix)).collect::<Result<_>>()?;
        let optimizer = Optimizer::resumed(network.table(), optimizer, accumulators, steps.len() as u64);
        Ok(TrainingState { parameters, optimizer, history, only_answers, steps, best })
    }
}

/// Reads an accumulator that [`check`] found to be there. It may hold an infinity: of a moment that moves a
/// weight by nothing.
fn accumulator(file: &mut TensorFile, network: &Network, prefix: &str) -> Result<Parameters> {
    let mut parameters = Parameters::zeros(network.table());
    let entries = network.table().entries().iter().enumerate();
    for (id, entry) in entries.filter(|(_, entry)| entry.is_trainable()) {
        file.read_f32(&format!("{prefix}{}", entry.name), parameters.tensor_mut(id))?;
    }
    Ok(parameters)
}

fn contradictory(path: &Path) -> Error {
    Error::weights(path, "its tables of steps and epochs contradict each other; the file is damaged")
}

/// Reads the steps, whose epochs count up from 0 without a gap.
fn steps(path: &Path, file: &mut TensorFile) -> Result<Vec<StepRow>> {
    let mut list = |name: &str| file.read_f64_list(&format!("{STEPS}{name}"));
    let (epochs, batch_sizes, losses, accuracies) =
        (list("epoch")?, list("batch_size")?, list("loss")?, list("accuracy")?);
    let count = epochs.len();
    if [batch_sizes.len(), losses.len(), accuracies.len()] != [count; 3] {
        return Err(contradictory(path));
    }
    let mut steps: Vec<StepRow> = Vec::with_capacity(count);
    for index in 0..count {
        let epoch = whole(epochs[index]).ok_or_else(|| contradictory(path))?;
        let batch_size = whole(batch_sizes[index]).ok_or_else(|| contradictory(path))?;
        let before = steps.last().map_or(0, |row| row.epoch);
        if batch_size == 0 || epoch < before || epoch > before + usize::from(index > 0) {
            return Err(contradictory(path));
        }
        steps.push(StepRow { step: index + 1, epoch, batch_size, loss: losses[index], accuracy: accuracies[index] });
    }
    Ok(steps)
}

/// Reads the epochs that have ended; there are steps of each, and beyond them of the next at most.
fn history(path: &Path, file: &mut TensorFile, steps: &[StepRow], several_labels: bool) -> Result<Vec<EpochRecord>> {
    let mut list = |name: &str| file.read_f64_list(&format!("{HISTORY}{name}"));
    let (losses, accuracies) = (list("loss")?, list("accuracy")?);
    let (val_losses, val_accuracies) = (list("val_loss")?, list("val_accuracy")?);
    let val_labels: Vec<Vec<f64>> = match several_labels {
        true => LABEL_FIGURES.into_iter().map(|(name, _)| list(name)).collect::<Result<_>>()?,
        false => Vec::new(),
    };
    let count = losses.len();
    let validated = if val_losses.is_empty() { 0 } else { count };
    let begun = steps.last().map_or(0, |row| row.epoch + 1);
    if [accuracies.len(), val_losses.len(), val_accuracies.len()] != [count, validated, validated]
        || val_labels.iter().any(|values| values.len() != validated)
        || !(begun == count || begun == count + 1)
    {
        return Err(contradictory(path));
    }
    let mut history = Vec::with_capacity(count);
    let mut rest = steps;
    for epoch in 0..count {
        let (own, later) = rest.split_at(rest.partition_point(|row| row.epoch == epoch));
        rest = later;
        history.push(EpochRecord {
            epoch,
            steps: own.len(),
            seconds: f64::NAN,
            step_seconds: f64::NAN,
            wait_seconds: None,
            loss: losses[epoch],
            accuracy: accuracies[epoch],
            val_loss: val_losses.get(epoch).copied(),
            val_accuracy: val_accuracies.get(epoch).copied(),
            val_labels: label_figures(&val_labels, epoch),
        });
    }
    Ok(history)
}

/// Returns the figures of an epoch from the lists of [`LABEL_FIGURES`], if it has any.
fn label_figures(lists: &[Vec<f64>], epoch: usize) -> Option<LabelFigures> {
    let [exact_match, macro_f1, macro_roc_auc] = lists else { return None };
    let figure = |list: &[f64]| list.get(epoch).map(|value| Some(*value).filter(|value| !value.is_nan()));
    Some(LabelFigures {
        exact_match: figure(exact_match)?,
        macro_f1: figure(macro_f1)?,
        macro_roc_auc: figure(macro_roc_auc)?,
    })
}

/// Returns a count that was written as f64.
fn whole(value: f64) -> Option<usize> {
    const LARGEST: f64 = (1u64 << 53) as f64;
    ((0.0..=LARGEST).contains(&value) && value.fract() == 0.0).then_some(value as usize)
}
