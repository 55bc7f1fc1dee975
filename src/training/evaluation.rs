//! What a network answers on a set of images.

use crate::Result;
use crate::classes::Label;
use crate::data::batches::{Batch, Loader};
use crate::head::{Logits, Targets};
use crate::metrics::{DEFAULT_THRESHOLD, RunningMean, accuracy, only_answer};
use crate::parameters::Parameters;
use crate::plan::{Mode, Plan, Workspace};

/// What a network answers on a set, and how well.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The mean loss.
    pub loss: f64,
    /// The share of right answers.
    pub accuracy: f64,
    /// The [probabilities](crate::head::Head::probabilities) of each image, `[N×U]`, in the set's order: of
    /// one unit that of the positive class, of K one for each class.
    pub probabilities: Vec<f32>,
    /// The loss of each image, of its label without smoothing.
    pub losses: Vec<f64>,
    /// The class that each image was taken for.
    pub answers: Vec<Label>,
    /// The class of each image.
    pub labels: Vec<Label>,
}

impl Evaluation {
    /// The class that every image was taken for although there are images of others: [`only_answer`].
    pub fn only_answer(&self) -> Option<Label> {
        only_answer(&self.labels, &self.answers)
    }
}

/// Runs all images of a loader through the network, dropout off, in their order. The loss is that of labels
/// that are smoothed by `smoothing`, 0 for not at all.
///
/// # Errors
/// Where an image cannot be read, or has a label that the network has no class for.
pub fn evaluate(
    plan: &Plan,
    parameters: &Parameters,
    loader: &Loader,
    smoothing: f64,
    workspace: &mut Workspace,
) -> Result<Evaluation> {
    let (head, count) = (plan.network().head(), loader.count());
    loader.class_counts(head.classes())?;
    let mut batches = loader.epoch((0..count).collect());
    let mut batch = Batch::default();
    let mut mean_loss = RunningMean::default();
    let mut probabilities = Vec::with_capacity(count * head.units());
    let (mut labels, mut losses) = (Vec::with_capacity(count), Vec::with_capacity(count));
    while batches.next_into(&mut batch)? {
        let logits = plan.forward(parameters, batch.images.view(), Mode::Inference, workspace)?;
        let targets = Targets { smoothing, ..Targets::new(&batch.labels) };
        mean_loss.add(head.loss(logits, targets), batch.labels.len());
        let one = |(row, label)| head.loss(Logits::new(row, head.units()), Targets::new(std::slice::from_ref(label)));
        losses.extend(logits.rows().zip(&batch.labels).map(one));
        probabilities.extend(logits.rows().flat_map(|row| head.probabilities(row)));
        labels.extend_from_slice(&batch.labels);
    }
    let decide = |row: &[f32]| head.decision(row.iter().copied(), DEFAULT_THRESHOLD);
    let answers: Vec<Label> = probabilities.chunks_exact(head.units()).map(decide).collect();
    Ok(Evaluation {
        loss: mean_loss.mean().unwrap_or(f64::NAN),
        accuracy: accuracy(&labels, answers.iter().copied()).unwrap_or(f64::NAN),
        probabilities,
        losses,
        answers,
        labels,
    })
}
