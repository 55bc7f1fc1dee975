//! What is measured while a network trains: a row for each step, the means of the epoch at work, and a record
//! of each epoch that has ended.

use crate::metrics::RunningMean;
use crate::metrics::multilabel::MultilabelAssessment;
use serde::{Deserialize, Serialize};

/// One training step: a line of `steps.csv`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepRow {
    /// The step in all, from 1.
    pub step: usize,
    /// The epoch's index, from 0 as in `history.csv`.
    pub epoch: usize,
    /// Images in the batch.
    pub batch_size: usize,
    /// Mean loss of the batch, before its update.
    pub loss: f64,
    /// Share of right answers in the batch, before its update.
    pub accuracy: f64,
}

/// What was measured in one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// The epoch's index, from 0. It is printed from 1.
    pub epoch: usize,
    /// Training steps (batches) in the epoch.
    pub steps: usize,
    /// Seconds the epoch took in all, validation included.
    pub seconds: f64,
    /// Mean seconds of one training step. As in Keras the first step, which warms up, does not count, unless
    /// it is the only one; so `steps · step_seconds` may be less than `seconds`.
    pub step_seconds: f64,
    /// Seconds for which training steps waited for images to be decoded; `None` where it was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_seconds: Option<f64>,
    /// Mean training loss of the epoch, each batch weighted by its size, measured before its update, with
    /// dropout.
    pub loss: f64,
    /// Share of right answers in training, measured with the loss.
    pub accuracy: f64,
    /// Loss on the validation part after the epoch, without dropout; `None` without a validation part.
    pub val_loss: Option<f64>,
    /// Share of right answers on the validation part, measured with `val_loss`.
    pub val_accuracy: Option<f64>,
    /// What else is measured with it where images may have several labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub val_labels: Option<LabelFigures>,
}

/// What is measured in an epoch on the validation part where images may have several labels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelFigures {
    /// Share of images of which every label was answered right.
    pub exact_match: Option<f64>,
    /// Mean F1 of the labels that have one.
    pub macro_f1: Option<f64>,
    /// Mean area under the ROC curve of the labels that have one.
    pub macro_roc_auc: Option<f64>,
}

impl LabelFigures {
    /// The figures of such an assessment.
    pub fn of(assessment: &MultilabelAssessment) -> LabelFigures {
        let means = assessment.macro_means();
        LabelFigures {
            exact_match: assessment.exact_match(),
            macro_f1: means.f1.value,
            macro_roc_auc: means.roc_auc.value,
        }
    }
}

/// The index of the best epoch of a history: the one with the lowest validation loss, or training loss where
/// there is no validation part; of several, the first.
pub fn best_epoch(history: &[EpochRecord]) -> Option<usize> {
    let better = |best, epoch| if monitored(&history[epoch]) < monitored(&history[best]) { epoch } else { best };
    (0..history.len()).reduce(better)
}

/// The loss that tells which epoch is the best.
pub(super) fn monitored(record: &EpochRecord) -> f64 {
    record.val_loss.unwrap_or(record.loss)
}

/// The means of an epoch's steps, which grow step by step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EpochSoFar {
    /// Steps taken in it.
    pub steps: usize,
    loss: RunningMean,
    accuracy: RunningMean,
}

impl EpochSoFar {
    /// Adds a step. The order matters to the last bit.
    pub fn add(&mut self, row: &StepRow) {
        self.steps += 1;
        self.loss.add(row.loss, row.batch_size);
        self.accuracy.add(row.accuracy, row.batch_size);
    }

    /// The mean loss of its images; NaN before the first step.
    pub fn mean_loss(&self) -> f64 {
        self.loss.mean().unwrap_or(f64::NAN)
    }

    /// The mean accuracy of its images; NaN before the first step.
    pub fn mean_accuracy(&self) -> f64 {
        self.accuracy.mean().unwrap_or(f64::NAN)
    }
}
