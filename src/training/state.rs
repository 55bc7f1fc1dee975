//! Where a training run stands: all that changes from step to step, and so all that a run needs to go on.
//!
//! Random numbers are keyed by seed, purpose, epoch and step ([`crate::random`]), so there is no generator
//! whose state would have to be kept: the number of steps taken says which come next. Everything else that a
//! run counts follows from what is here: the epoch at work from the history's length, its means from the rows
//! of its steps, and how long the validation loss has not fallen from the best epoch.

use super::records::{EpochRecord, EpochSoFar, StepRow, monitored};
use crate::classes::Label;
use crate::optim::{Optimizer, OptimizerSettings};
use crate::parameters::Parameters;
use crate::{Error, Result};

/// Where a training run stands.
pub struct TrainingState {
    /// The weights.
    pub parameters: Parameters,
    /// The optimizer, with its accumulators and the number of steps taken.
    pub optimizer: Optimizer,
    /// The epochs that have ended.
    pub history: Vec<EpochRecord>,
    /// For each of them the class that every validation image was taken for, where it was one only though
    /// there were both.
    pub only_answers: Vec<Option<Label>>,
    /// The steps taken, those of the epoch at work included.
    pub steps: Vec<StepRow>,
    /// The best epoch so far.
    pub best: Option<Best>,
}

/// The epoch with the lowest validation loss, or training loss where there is no validation part; of several,
/// the first.
pub struct Best {
    /// Its index.
    pub epoch: usize,
    /// The weights after it.
    pub parameters: Parameters,
}

impl TrainingState {
    /// The state before the first step.
    pub fn new(parameters: Parameters, optimizer: OptimizerSettings) -> TrainingState {
        TrainingState {
            optimizer: Optimizer::new(parameters.table(), optimizer),
            parameters,
            history: Vec::new(),
            only_answers: Vec::new(),
            steps: Vec::new(),
            best: None,
        }
    }

    /// What the epoch at work has come to, before it has ended.
    pub fn epoch_so_far(&self) -> EpochSoFar {
        let epoch = self.history.len();
        let mut so_far = EpochSoFar::default();
        let first = self.steps.partition_point(|row| row.epoch < epoch);
        self.steps[first..].iter().for_each(|row| so_far.add(row));
        so_far
    }

    /// Whether a run can go on from here: weights that are not finite are of no use to anyone.
    ///
    /// # Errors
    /// [`Error::WeightsNotFinite`].
    pub fn check_weights(&self) -> Result<()> {
        match self.parameters.are_finite() {
            true => Ok(()),
            false => {
                Err(Error::WeightsNotFinite { epoch: self.history.len() + 1, step: self.steps.len(), first: None })
            }
        }
    }

    /// Ends the epoch at work, and keeps its weights if they are the best.
    pub fn end_epoch(&mut self, record: EpochRecord, only_answer: Option<Label>) {
        let epoch = self.history.len();
        if self.best_record().is_none_or(|best| monitored(&record) < monitored(best)) {
            match &mut self.best {
                Some(best) => {
                    best.epoch = epoch;
                    best.parameters.as_mut_slice().copy_from_slice(self.parameters.as_slice());
                }
                None => self.best = Some(Best { epoch, parameters: self.parameters.clone() }),
            }
        }
        self.history.push(record);
        self.only_answers.push(only_answer);
    }

    /// The best epoch's numbers.
    pub fn best_record(&self) -> Option<&EpochRecord> {
        self.history.get(self.best.as_ref()?.epoch)
    }

    /// How many epochs have ended since the best one.
    pub fn epochs_since_best(&self) -> usize {
        self.best.as_ref().map_or(0, |best| self.history.len() - 1 - best.epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::{Initialization, ParameterTable, Role};
    use crate::training::best_epoch;
    use std::sync::Arc;

    fn record(epoch: usize, loss: f64, val_loss: Option<f64>) -> EpochRecord {
        let (seconds, step_seconds, accuracy) = (0.0, 0.0, 0.0);
        EpochRecord {
            epoch,
            steps: 1,
            seconds,
            step_seconds,
            wait_seconds: None,
            loss,
            accuracy,
            val_loss,
            val_accuracy: val_loss,
            val_labels: None,
        }
    }

    fn state() -> TrainingState {
        let mut table = ParameterTable::default();
        table.push("a".into(), vec![2], Role::Trainable { decays: true }, Initialization::Zeros);
        TrainingState::new(Parameters::zeros(&Arc::new(table)), OptimizerSettings::default())
    }

    #[test]
    fn the_first_of_equally_good_epochs_is_the_best_and_its_weights_are_kept() {
        let mut state = state();
        assert_eq!((state.epochs_since_best(), state.best_record()), (0, None));
        for (epoch, val_loss) in [0.9, 0.5, 0.7, 0.5, 0.6].into_iter().enumerate() {
            state.parameters.tensor_mut(0).fill(epoch as f32);
            state.end_epoch(record(epoch, 0.0, Some(val_loss)), None);
        }
        let best = state.best.as_ref().unwrap();
        assert_eq!((best.epoch, best.parameters.tensor(0)), (1, &[1.0; 2][..]));
        assert_eq!(best_epoch(&state.history), Some(1));
        assert_eq!(state.best_record().unwrap().val_loss, Some(0.5));
        assert_eq!(state.epochs_since_best(), 3);
    }

    #[test]
    fn without_a_validation_part_the_training_loss_tells_which_epoch_is_the_best() {
        let mut state = state();
        for (epoch, loss) in [0.9, 0.5, 0.7].into_iter().enumerate() {
            state.end_epoch(record(epoch, loss, None), None);
        }
        assert_eq!((state.best.as_ref().unwrap().epoch, state.epochs_since_best()), (1, 1));
    }

    #[test]
    fn the_means_of_an_epoch_at_work_are_those_of_its_own_steps() {
        let mut state = state();
        let row = |step, epoch, loss| StepRow { step, epoch, batch_size: 3, loss, accuracy: 1.0 };
        state.steps = vec![row(1, 0, 0.3)];
        state.end_epoch(record(0, 0.3, None), None);
        assert_eq!(state.epoch_so_far(), EpochSoFar::default());
        state.steps.extend([row(2, 1, 0.1), row(3, 1, 0.2)]);
        let so_far = state.epoch_so_far();
        assert_eq!((so_far.steps, so_far.mean_accuracy()), (2, 1.0));
        assert_eq!(so_far.mean_loss(), (0.1 * 3.0 + 0.2 * 3.0) / 6.0);
    }
}
