//! The training loop: batch, forward, loss, backward, step, report.
//!
//! Progress goes to a closure as [`Event`]s, so the loop knows nothing of terminals and files.

use crate::data::augment::Augmentation;
use crate::data::batches::{Augmented, Batch, Loader, epoch_order};
use crate::kernels::conv::registry::ConvPolicy;
use crate::loss::{
    ClassWeights, binary_cross_entropy, probability, weighted_binary_cross_entropy,
    weighted_binary_cross_entropy_gradient,
};
use crate::metrics::{Confusion, DEFAULT_THRESHOLD, RunningMean, accuracy};
use crate::network::Network;
use crate::optim::AdamSettings;
use crate::parameters::Parameters;
use crate::plan::{DropoutMasks, Mode, Plan, PlanOptions, Workspace};
use crate::report::csv_files::StepRow;
use crate::report::epoch::EpochRecord;
use crate::training_state::{EpochSoFar, TrainingState};
use crate::{Error, Result};
use std::time::{Duration, Instant};

/// How to train.
#[derive(Clone, Copy, Debug)]
pub struct TrainSettings {
    /// Passes over the training images.
    pub epochs: usize,
    /// Keys the shuffles and the dropout masks.
    pub seed: u64,
    /// Whether each epoch has its own order of the images; without, all have the listing's.
    pub shuffle: bool,
    /// The optimizer.
    pub adam: AdamSettings,
    /// How much a training image of each class counts. Validation is never weighted, as in Keras.
    pub class_weights: ClassWeights,
    /// How training images are changed. Validation images never are.
    pub augmentation: Option<Augmentation>,
    /// The convolution algorithm.
    pub conv: ConvPolicy,
    /// Whether convolution, ReLU and max-pool run as one.
    pub fuse: bool,
    /// Ends the training when the best epoch is this many epochs ago, and restores that epoch's weights at the end, whatever
    /// ended it.
    pub early_stopping: Option<usize>,
}

impl TrainSettings {
    /// Whether the training is over: all epochs are done, or it stopped early.
    pub fn is_over(&self, state: &TrainingState) -> bool {
        state.history.len() >= self.epochs || self.has_stopped_early(state)
    }

    /// Whether the best epoch is as long ago as [`early_stopping`](TrainSettings::early_stopping) allows.
    pub fn has_stopped_early(&self, state: &TrainingState) -> bool {
        self.early_stopping.is_some_and(|patience| state.epochs_since_best() >= patience)
    }

    /// The weights that a training ends with, if it ended here: the last, or with early stopping the best.
    pub fn final_parameters<'a>(&self, state: &'a TrainingState) -> &'a Parameters {
        match &state.best {
            Some(best) if self.early_stopping.is_some() => &best.parameters,
            _ => &state.parameters,
        }
    }
}

/// What happened in training. The state that is told with it holds it already.
#[derive(Debug)]
pub enum Event {
    /// A step was taken; what its epoch has come to.
    Step(EpochSoFar),
    /// An epoch ended; its numbers are the last of the history.
    Epoch,
}

/// Trains from `state` on, and tells `report` of every step and epoch; an error from it ends the training, and training that
/// goes on from the state as it then is computes the same bits as one that never ended. Returns what the
/// [final weights](TrainSettings::final_parameters) answer on the validation part.
///
/// # Errors
/// Where an image cannot be read, where the loss or at an epoch's end a weight is no longer finite ([`Error::NotFinite`],
/// [`Error::WeightsNotFinite`]), and those of `report`.
pub fn train(
    network: &Network,
    state: &mut TrainingState,
    training: &Loader,
    validation: Option<&Loader>,
    settings: &TrainSettings,
    mut report: impl FnMut(Event, &TrainingState) -> Result<()>,
) -> Result<Option<Evaluation>> {
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
        let order = epoch_order(training.images().items().len(), settings.seed, epoch as u64, settings.shuffle);
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
        log::debug!("epoch {}: {} steps in {stepped:.1?}, validation in {validated:.1?}", epoch + 1, so_far.steps);
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
        // The last update has no forward pass after it but this one: the validation's or, without, the last batch again.
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

/// The loss of a batch, dropout off. A training that goes on after its epoch's last step has no batch any more, and meets
/// the new weights in the next epoch: the loss of nothing is 0.
fn loss_of(plan: &Plan, parameters: &Parameters, batch: &Batch, workspace: &mut Workspace) -> Result<f64> {
    if batch.labels.is_empty() {
        return Ok(0.0);
    }
    let logits = plan.forward(parameters, batch.images.view(), Mode::Inference, workspace)?;
    Ok(binary_cross_entropy(logits, &batch.labels))
}

/// What a network answers on a set, and how well.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The mean loss.
    pub loss: f64,
    /// The share of right answers.
    pub accuracy: f64,
    /// The probability of class 1 of each image, in the set's order.
    pub probabilities: Vec<f32>,
    /// The label of each image.
    pub labels: Vec<f32>,
}

impl Evaluation {
    /// The class that every image was taken for although there are images of both: [`Confusion::only_answer`].
    pub fn only_answer(&self) -> Option<usize> {
        Confusion::count(&self.labels, &self.probabilities, DEFAULT_THRESHOLD).only_answer()
    }
}

/// Runs all images of a loader through the network, dropout off, in their order.
///
/// # Errors
/// Where an image cannot be read.
pub fn evaluate(
    plan: &Plan,
    parameters: &Parameters,
    loader: &Loader,
    workspace: &mut Workspace,
) -> Result<Evaluation> {
    let count = loader.images().items().len();
    let mut batches = loader.epoch((0..count).collect());
    let mut batch = Batch::default();
    let mut mean_loss = RunningMean::default();
    let (mut all, mut labels) = (Vec::with_capacity(count), Vec::with_capacity(count));
    while batches.next_into(&mut batch)? {
        let logits = plan.forward(parameters, batch.images.view(), Mode::Inference, workspace)?;
        mean_loss.add(binary_cross_entropy(logits, &batch.labels), batch.labels.len());
        all.extend(probabilities(logits));
        labels.extend_from_slice(&batch.labels);
    }
    Ok(Evaluation {
        loss: mean_loss.mean().unwrap_or(f64::NAN),
        accuracy: accuracy(&labels, all.iter().copied(), DEFAULT_THRESHOLD).unwrap_or(f64::NAN),
        probabilities: all,
        labels,
    })
}

/// The probability of class 1 for each logit.
fn probabilities(logits: &[f32]) -> impl ExactSizeIterator<Item = f32> {
    logits.iter().map(|&z| probability(z))
}

/// Measures an epoch. The first step, which warms up, does not count for the mean of a step, as in Keras; validation does not
/// either.
struct Clock {
    start: Instant,
    last_step: Instant,
    first_step: Duration,
    later_steps: Duration,
    steps: u32,
}

impl Clock {
    fn start() -> Clock {
        let now = Instant::now();
        Clock { start: now, last_step: now, first_step: Duration::ZERO, later_steps: Duration::ZERO, steps: 0 }
    }

    fn step_done(&mut self) {
        let now = Instant::now();
        let took = now - self.last_step;
        match self.steps {
            0 => self.first_step = took,
            _ => self.later_steps += took,
        }
        self.last_step = now;
        self.steps += 1;
    }

    fn mean_step(&self) -> Duration {
        match self.steps {
            0 | 1 => self.first_step,
            steps => self.later_steps / (steps - 1),
        }
    }

    fn total(&self) -> Duration {
        self.start.elapsed()
    }
}
