//! What a network answers on a set of images.

use super::records::LabelFigures;
use crate::Result;
use crate::classes::{Label, LabelSet};
use crate::data::batches::{Batch, Loader};
use crate::head::{Head, Logits, Targets};
use crate::metrics::multilabel::{MultilabelAssessment, label_accuracy};
use crate::metrics::{DEFAULT_THRESHOLD, RunningMean, accuracy, only_answer};
use crate::parameters::Parameters;
use crate::plan::{Mode, Plan, Workspace};

/// What a network answers on a set, and how well.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The mean loss.
    pub loss: f64,
    /// The share of right answers: of images, or where these may have several labels, of all labels of all of
    /// them.
    pub accuracy: f64,
    /// The [probabilities](crate::head::Head::probabilities) of each image, `[N×U]`, in the set's order: of
    /// one unit that of the positive class, of K one for each class, or for each label.
    pub probabilities: Vec<f32>,
    /// The loss of each image, of its label without smoothing.
    pub losses: Vec<f64>,
    /// The class that each image was taken for; none where images may have several labels.
    pub answers: Vec<Label>,
    /// The class of each image, or which combination of labels it has.
    pub labels: Vec<Label>,
    /// The labels of each image, where it may have several; none else.
    pub sets: Vec<LabelSet>,
}

impl Evaluation {
    /// The class that every image was taken for although there are images of others: [`only_answer`]. None
    /// where images may have several labels.
    pub fn only_answer(&self) -> Option<Label> {
        if self.answers.is_empty() { None } else { only_answer(&self.labels, &self.answers) }
    }

    /// What an epoch's record keeps of the answers, where images may have several labels.
    pub(super) fn label_figures(&self, head: Head) -> Option<LabelFigures> {
        head.has_several_labels().then(|| {
            let Evaluation { sets, probabilities, losses, .. } = self;
            LabelFigures::of(&MultilabelAssessment::new(head, sets, probabilities, losses, DEFAULT_THRESHOLD))
        })
    }
}

/// Runs all images of a loader through the network, dropout off, in their order. The loss is that of labels
/// that are smoothed by `smoothing`, 0 for not at all.
///
/// # Errors
/// Where an image cannot be read, or [has not](Loader::check_head) what the network answers.
pub fn evaluate(
    plan: &Plan,
    parameters: &Parameters,
    loader: &Loader,
    smoothing: f64,
    workspace: &mut Workspace,
) -> Result<Evaluation> {
    let (head, count) = (plan.network().head(), loader.count());
    loader.check_head(head)?;
    let mut batches = loader.epoch((0..count).collect());
    let mut batch = Batch::default();
    let mut mean_loss = RunningMean::default();
    let mut probabilities = Vec::with_capacity(count * head.units());
    let (mut labels, mut losses) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let mut sets = Vec::new();
    while batches.next_into(&mut batch)? {
        let logits = plan.forward(parameters, batch.images.view(), Mode::Inference, workspace)?;
        let targets = Targets { smoothing, ..batch.targets() };
        mean_loss.add(head.loss(logits, targets), batch.labels.len());
        let one = |(place, row)| {
            let set = batch.sets.get(place).copied();
            let targets = Targets { sets: set.as_slice(), ..Targets::new(&batch.labels[place..=place]) };
            head.loss(Logits::new(row, head.units()), targets)
        };
        losses.extend(logits.rows().enumerate().map(one));
        sets.extend_from_slice(&batch.sets);
        probabilities.extend(logits.rows().flat_map(|row| head.probabilities(row)));
        labels.extend_from_slice(&batch.labels);
    }
    let rows = probabilities.chunks_exact(head.units()).map(|row| row.iter().copied());
    let (answers, accuracy) = match head.has_several_labels() {
        true => {
            let answers = rows.map(|row| head.label_set(row, DEFAULT_THRESHOLD));
            (Vec::new(), label_accuracy(head.units(), &sets, answers))
        }
        false => {
            let answers: Vec<Label> = rows.map(|row| head.decision(row, DEFAULT_THRESHOLD)).collect();
            let accuracy = accuracy(&labels, answers.iter().copied());
            (answers, accuracy)
        }
    };
    Ok(Evaluation {
        loss: mean_loss.mean().unwrap_or(f64::NAN),
        accuracy: accuracy.unwrap_or(f64::NAN),
        probabilities,
        losses,
        answers,
        labels,
        sets,
    })
}
