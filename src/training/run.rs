//! The training loop.

use super::clock::Clock;
use super::evaluation::{Evaluation, evaluate, probabilities};
use super::records::{EpochRecord, EpochSoFar, StepRow};
use super::settings::TrainSettings;
use super::state::TrainingState;
use crate::data::batches::{Augmented, Batch, Loader, epoch_order};
use crate::loss::{binary_cross_entropy, weighted_binary_cross_entropy, weighted_binary_cross_entropy_gradient};
use crate::metrics::{DEFAULT_THRESHOLD, accuracy};
use crate::network::Network;
use crate::parameters::Parameters;
use crate::plan::{DropoutMasks, Mode, Plan, PlanOptions, Workspace};
use crate::{Error, Result};

/// What this module's debug lines are asked for by.
const LOG_TARGET: &str = "glassnet::train";

/// What happened in training. The state that is told with it holds it already.
#[derive(Debug)]
pub enum Event {
    /// A step was taken; what its epoch has come to.
    Step(EpochSoFar),
    /// An epoch ended; its numbers are the last of the history.
    Epoch,
}

/// Trains from `state` on, and tells `report` of every step and epoch; an error from it ends the training,
/// and training that goes on from the state as it then is computes the same bits as one that never ended.
/// Returns what the [final weights](TrainSettings::final_parameters) answer on the validation part.
///
/// # Errors
/// [`Error::Setting`] of an augmentation of arrays; where an image cannot be read, where the loss or at an
/// epoch's end a weight is no longer finite ([`Error::NotFinite`], [`Error::WeightsNotFinite`]), and those of
/// `report`.
pub fn train(
    network: &Network,
    state: &mut TrainingState,
    training: &Loader,
    validation: Option<&Loader>,
    settings: &TrainSettings,
    mut report: impl FnMut(Event, &TrainingState) -> Result<()>,
) -> Result<Option<Evaluation>> {
    if settings.augmentation.is_some() && !training.has_files() {
        let reason =
            "it changes the pictures of files, and these images are arrays; change them before, and leave it out";
        return Err(Error::setting("augmentation", reason));
    }
    let largest_batch = training.largest_batch().max(validation.map_or(0, Loader::largest_batch));
    let options = PlanOptions { conv: settings.conv, fuse: settings.fuse, training: true, input_gradient: false };
    let plan = Plan::new(network, largest_batch, options);
    let mut workspace = plan.workspace();
    let mut gradients = Parameters::zeros(network.table());
    let mut grad_logits = vec![0.0; largest_batch];
    let mut batch = Batch::default();
    let mut answers = None;

    while !settings.is_over(state) {
        let mut clock = Clock::start();
        let epoch = state.history.len();
        let mut so_far = state.epoch_so_far();
        let order = epoch_order(training.count(), settings.seed, epoch as u64, settings.shuffle);
        let augmented = |augmentation| Augmented { augmentation, seed: settings.seed, epoch: epoch as u64 };
        let mut batches = training.rest_of_epoch(order, so_far.steps, settings.augmentation.map(augmented));
        while batches.next_into(&mut batch)? {
            let size = batch.labels.len();
            let masks = DropoutMasks::Drawn { seed: settings.seed, step: state.adam.steps() };
            let logits = plan.forward(&state.parameters, batch.images.view(), Mode::Training(masks), &mut workspace)?;
            let weights = settings.class_weights;
            let loss = weighted_binary_cross_entropy(logits, &batch.labels, weights);
            let batch_accuracy = accuracy(&batch.labels, probabilities(logits), DEFAULT_THRESHOLD).unwrap_or(f64::NAN);
            let step = state.adam.steps() as usize + 1;
            if !loss.is_finite() {
                return Err(Error::NotFinite { value: loss, epoch: epoch + 1, step });
            }
            weighted_binary_cross_entropy_gradient(logits, &batch.labels, weights, &mut grad_logits[..size]);
            let grad_logits = &grad_logits[..size];
            let mut update = state.adam.begin_step(&mut state.parameters, &mut gradients, settings.fuse);
            plan.backward(batch.images.view(), grad_logits, &mut update, &mut workspace)?;
            update.finish();

            let row = StepRow { step, epoch, batch_size: size, loss, accuracy: batch_accuracy };
            so_far.add(&row);
            state.steps.push(row);
            clock.step_done();
            report(Event::Step(so_far), state)?;
        }
        let stepped = clock.total();
        let after = match validation {
            Some(loader) => Some(evaluate(&plan, &state.parameters, loader, &mut workspace)?),
            None => None,
        };
        let validated = clock.total() - stepped;
        log::debug!(target: LOG_TARGET, "epoch {}: {} steps in {stepped:.1?}, validation in {validated:.1?}", epoch + 1, so_far.steps);
        let record = EpochRecord {
            epoch,
            steps: so_far.steps,
            seconds: clock.total().as_secs_f64(),
            step_seconds: clock.mean_step().as_secs_f64(),
            wait_seconds: Some(batches.waited().as_secs_f64()),
            loss: so_far.mean_loss(),
            accuracy: so_far.mean_accuracy(),
            val_loss: after.as_ref().map(|after| after.loss),
            val_accuracy: after.as_ref().map(|after| after.accuracy),
        };
        // The last update has no forward pass after it but this one: the validation's or, without, the last
        // batch again.
        let value = match record.val_loss {
            Some(loss) => loss,
            None => loss_of(&plan, &state.parameters, &batch, &mut workspace)?,
        };
        if !value.is_finite() {
            return Err(Error::NotFinite { value, epoch: epoch + 1, step: state.adam.steps() as usize });
        }
        state.check_weights()?;
        state.end_epoch(record, after.as_ref().and_then(Evaluation::only_answer));
        if settings.early_stopping.is_none() || state.epochs_since_best() == 0 {
            answers = after;
        }
        report(Event::Epoch, state)?;
        // What the report took, as saving does, is part of the epoch.
        state.history[epoch].seconds = clock.total().as_secs_f64();
    }
    match (answers, validation) {
        (None, Some(loader)) => Ok(Some(evaluate(&plan, settings.final_parameters(state), loader, &mut workspace)?)),
        (answers, _) => Ok(answers),
    }
}

/// The loss of a batch, dropout off. A training that goes on after its epoch's last step has no batch any
/// more, and meets the new weights in the next epoch: the loss of nothing is 0.
fn loss_of(plan: &Plan, parameters: &Parameters, batch: &Batch, workspace: &mut Workspace) -> Result<f64> {
    if batch.labels.is_empty() {
        return Ok(0.0);
    }
    let logits = plan.forward(parameters, batch.images.view(), Mode::Inference, workspace)?;
    Ok(binary_cross_entropy(logits, &batch.labels))
}
