//! Loss and accuracy on the training images once more, as they are for the weights that are kept: dropout
//! off, images as they are, classes unweighted. The running values of an epoch are of weights that were still
//! moving.

use crate::cli::job;
use glassnet::Result;
use glassnet::classes::Label;
use glassnet::data::batches::Loader;
use glassnet::network::Network;
use glassnet::parameters::Parameters;
use glassnet::plan::{Plan, PlanOptions};
use glassnet::training::{TrainSettings, TrainingState, evaluate_on};
use serde::Serialize;

/// The loss and accuracy of some weights on a set.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Figures {
    pub loss: f64,
    pub accuracy: f64,
    /// The class that every image was taken for, where there are both.
    #[serde(skip)]
    pub only_answer: Option<Label>,
}

/// The figures of the last weights and of the best.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Reevaluated {
    pub last: Figures,
    pub best: Figures,
}

/// Runs the training images through the network with the last weights of a training and, where these are
/// others, with the best. All ranks of a job take part.
///
/// # Errors
/// An error if an image cannot be read, or a rank of the job is gone.
pub fn reevaluate(
    network: &Network,
    settings: &TrainSettings,
    training: &Loader,
    state: &TrainingState,
) -> Result<Reevaluated> {
    let &TrainSettings { conv, fuse, label_smoothing, .. } = settings;
    let last = &state.parameters;
    let best = state.best.as_ref().filter(|best| best.epoch + 1 != state.history.len());
    let best = best.map(|best| &best.parameters);
    let options = PlanOptions { conv, fuse, training: false, ..PlanOptions::default() };
    let plan = Plan::new(network, training.largest_batch(), options);
    let mut workspace = plan.workspace();
    let mut figures = |parameters: &Parameters| {
        let found = evaluate_on(job::ranks(), &plan, parameters, training, label_smoothing, &mut workspace)?;
        Ok(Figures { loss: found.loss, accuracy: found.accuracy, only_answer: found.only_answer() })
    };
    let last_figures = figures(last)?;
    let best = best.map_or(Ok(last_figures), figures)?;
    Ok(Reevaluated { last: last_figures, best })
}
