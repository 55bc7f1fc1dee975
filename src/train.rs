//! The training loop: batch, forward, loss, backward, step, report.
//!
//! Progress goes to a closure as [`Event`]s, so the loop knows nothing of terminals and files.

use crate::data::batches::{Batch, Loader, epoch_order};
use crate::kernels::registry::ConvChoice;
use crate::layers::dropout::DropoutMasks;
use crate::loss::{binary_cross_entropy, binary_cross_entropy_gradient, probability};
use crate::metrics::{DEFAULT_THRESHOLD, RunningMean, accuracy};
use crate::network::Network;
use crate::optim::{Adam, AdamSettings};
use crate::parameters::Parameters;
use crate::plan::{Mode, Plan, PlanOptions, Workspace};
use crate::report::csv_files::StepRow;
use crate::report::epoch::EpochRecord;
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
    /// The convolution algorithm.
    pub conv: ConvChoice,
    /// Whether convolution, ReLU and max-pool run as one.
    pub fuse: bool,
}

/// What happened in training.
#[derive(Debug)]
pub enum Event<'a> {
    /// A step was taken.
    Step {
        /// Its numbers; the loss and accuracy are of its batch alone, before the update.
        row: StepRow,
        /// The epoch's mean loss so far.
        mean_loss: f64,
        /// The epoch's mean accuracy so far.
        mean_accuracy: f64,
    },
    /// An epoch ended.
    Epoch {
        /// Its numbers.
        record: EpochRecord,
        /// The weights after it.
        parameters: &'a Parameters,
        /// What they answer on the validation part.
        validation: Option<&'a Evaluation>,
    },
}

/// Trains `parameters` in place and tells `report` of every step and epoch; an error from it ends the training.
///
/// # Errors
/// Where an image cannot be read, where the loss is no longer finite ([`Error::NotFinite`]), and those of `report`.
pub fn train(
    network: &Network,
    parameters: &mut Parameters,
    training: &Loader,
    validation: Option<&Loader>,
    settings: &TrainSettings,
    mut report: impl FnMut(Event) -> Result<()>,
) -> Result<()> {
    let largest_batch = training.largest_batch().max(validation.map_or(0, Loader::largest_batch));
    let options = PlanOptions { conv: settings.conv, fuse: settings.fuse, training: true, input_gradient: false };
    let plan = Plan::new(network, largest_batch, options);
    let mut workspace = plan.workspace();
    let mut gradients = Parameters::zeros(network.table());
    let mut grad_logits = vec![0.0; largest_batch];
    let mut adam = Adam::new(network.table(), settings.adam);
    let mut batch = Batch::default();

    for epoch in 0..settings.epochs {
        let mut clock = Clock::start();
        let (mut mean_loss, mut mean_accuracy) = (RunningMean::default(), RunningMean::default());
        let order = epoch_order(training.images().items().len(), settings.seed, epoch as u64, settings.shuffle);
        let mut batches = training.epoch(order);
        while batches.next_into(&mut batch)? {
            let size = batch.labels.len();
            let masks = DropoutMasks::Drawn { seed: settings.seed, step: adam.steps() };
            let logits = plan.forward(parameters, batch.images.view(), Mode::Training(masks), &mut workspace)?;
            let loss = binary_cross_entropy(logits, &batch.labels);
            let batch_accuracy = accuracy(&batch.labels, probabilities(logits), DEFAULT_THRESHOLD).unwrap_or(f64::NAN);
            let step = adam.steps() as usize + 1;
            if !loss.is_finite() {
                return Err(Error::NotFinite { value: loss, epoch: epoch + 1, step });
            }
            binary_cross_entropy_gradient(logits, &batch.labels, &mut grad_logits[..size]);
            let grad_logits = &grad_logits[..size];
            plan.backward_and_step(
                parameters,
                batch.images.view(),
                grad_logits,
                &mut gradients,
                &mut adam,
                &mut workspace,
            )?;

            mean_loss.add(loss, size);
            mean_accuracy.add(batch_accuracy, size);
            clock.step_done();
            report(Event::Step {
                row: StepRow { step, epoch, batch_size: size, loss, accuracy: batch_accuracy },
                mean_loss: mean_loss.mean().unwrap_or(f64::NAN),
                mean_accuracy: mean_accuracy.mean().unwrap_or(f64::NAN),
            })?;
        }
        let after = match validation {
            Some(loader) => Some(evaluate(&plan, parameters, loader, &mut workspace)?),
            None => None,
        };
        let record = EpochRecord {
            epoch,
            steps: training.batches(),
            seconds: clock.total().as_secs_f64(),
            step_seconds: clock.mean_step().as_secs_f64(),
            loss: mean_loss.mean().unwrap_or(f64::NAN),
            accuracy: mean_accuracy.mean().unwrap_or(f64::NAN),
            val_loss: after.as_ref().map(|after| after.loss),
            val_accuracy: after.as_ref().map(|after| after.accuracy),
        };
        // The last update has no forward pass after it but this one: the validation's or, without, the last batch again.
        let value = match record.val_loss {
            Some(loss) => loss,
            None => {
                let logits = plan.forward(parameters, batch.images.view(), Mode::Inference, &mut workspace)?;
                binary_cross_entropy(logits, &batch.labels)
            }
        };
        if !value.is_finite() {
            return Err(Error::NotFinite { value, epoch: epoch + 1, step: adam.steps() as usize });
        }
        report(Event::Epoch { record, parameters, validation: after.as_ref() })?;
    }
    Ok(())
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
