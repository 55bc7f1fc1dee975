//! A training to go on with in Keras: the optimizer with its state, and the loss.

use crate::checkpoint::run::SavedRun;
use crate::network::Network;
use crate::optim::{Optimizer, Schedule};
use crate::training::{LearningRates, TrainSettings};
use crate::{Error, Result};
use std::path::Path;

/// What a training needs to go on elsewhere, beside the weights.
pub struct Training {
    /// The optimizer: its settings with the learning rate of the next step, and its state.
    pub optimizer: Optimizer,
    /// The schedule of the learning rate. One that goes by the losses is none here: the optimizer has the
    /// learning rate in force.
    pub schedule: Schedule,
    /// The learning rate that the schedule begins with.
    pub initial_learning_rate: f64,
    /// The share of every target that is spread over all classes.
    pub label_smoothing: f64,
}

impl Training {
    /// Reads the training that a file of weights can go on with; none if it is one of weights alone.
    ///
    /// # Errors
    /// [`Error::Weights`], where the state is damaged or not of this network; [`Error::Setting`], where its
    /// settings make no sense.
    pub fn of_run(path: &Path, network: &Network) -> Result<Option<Training>> {
        let Ok(saved) = SavedRun::open(path) else { return Ok(None) };
        let settings = TrainSettings::of_steps(&saved.config).map_err(|error| {
            log::debug!("the settings in {}: {error}", path.display());
            Error::weights(path, "the settings of its run cannot be read; give a file that 'glassnet train' wrote")
        })?;
        let mut state = saved.state(network, settings.optimizer()?)?;
        let (steps, epoch) = (state.optimizer.steps(), state.history.len());
        let schedule = match settings.schedule() {
            Ok(Schedule::Plateau(_)) | Err(_) => Schedule::Constant,
            Ok(schedule) => schedule,
        };
        let rates = LearningRates::new(&settings, &state.history);
        let rate = rates.map_or(settings.learning_rate, |rates| rates.of_step(steps, epoch));
        state.optimizer.set_learning_rate(rate);
        Ok(Some(Training {
            optimizer: state.optimizer,
            schedule,
            initial_learning_rate: match (settings.warmup_steps, settings.warmup_target) {
                (Some(_), None) => 0.0,
                _ => settings.learning_rate,
            },
            label_smoothing: settings.label_smoothing,
        }))
    }
}
