//! What a network answers on a set of images.

use crate::Result;
use crate::data::batches::{Batch, Loader};
use crate::loss::{binary_cross_entropy, probability};
use crate::metrics::{Confusion, DEFAULT_THRESHOLD, RunningMean, accuracy};
use crate::parameters::Parameters;
use crate::plan::{Mode, Plan, Workspace};

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
    /// The class that every image was taken for although there are images of both:
    /// [`Confusion::only_answer`].
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
    let count = loader.count();
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
pub(super) fn probabilities(logits: &[f32]) -> impl ExactSizeIterator<Item = f32> {
    logits.iter().map(|&z| probability(z))
}
