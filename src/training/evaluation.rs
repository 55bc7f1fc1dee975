//! What a network answers on a set of images.

use super::records::LabelFigures;
use crate::Result;
use crate::classes::{Label, LabelSet};
use crate::data::batches::{Batch, Loader};
use crate::distributed::{Ranks, cuts};
use crate::head::{Head, Logits, Targets};
use crate::metrics::multilabel::{MultilabelAssessment, label_accuracy};
use crate::metrics::{DEFAULT_THRESHOLD, RunningMean, accuracy, only_answer};
use crate::parameters::Parameters;
use crate::plan::{Mode, Plan, Workspace};
use std::ops::Range;

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
    evaluate_on(&Ranks::alone(), plan, parameters, loader, smoothing, workspace)
}

/// [`evaluate`] by all ranks, each of which runs some of the images, and has all answers in the end.
///
/// # Errors
/// As [`evaluate`], and where a rank is gone.
pub fn evaluate_on(
    ranks: &Ranks,
    plan: &Plan,
    parameters: &Parameters,
    loader: &Loader,
    smoothing: f64,
    workspace: &mut Workspace,
) -> Result<Evaluation> {
    let (head, count) = (plan.network().head(), loader.count());
    loader.check_head(head)?;
    // An image's answer does not depend on the images beside it.
    let cuts = cuts(count, 1, ranks.count());
    let mut batches = loader.epoch((cuts[ranks.rank()]..cuts[ranks.rank() + 1]).collect());
    let (mut batch, mut own) = (Batch::default(), Vec::new());
    while batches.next_into(&mut batch)? {
        let logits = plan.forward(parameters, batch.images.view(), Mode::Inference, workspace)?;
        own.extend_from_slice(logits.values());
    }
    let lengths: Vec<usize> = cuts.windows(2).map(|pair| (pair[1] - pair[0]) * head.units()).collect();
    let logits = ranks.all_gather(&own, &lengths);
    ranks.check()?;
    let (labels, sets) = loader.all_labels();
    Ok(judged(head, Logits::new(&logits, head.units()), Truth { labels, sets }, smoothing, loader.batch_size()))
}

/// What the images are.
struct Truth {
    labels: Vec<Label>,
    sets: Vec<LabelSet>,
}

/// What these logits come to. The mean loss is that over batches of `batch_size`, as training has them.
fn judged(head: Head, logits: Logits, Truth { labels, sets }: Truth, smoothing: f64, batch_size: usize) -> Evaluation {
    let mut mean_loss = RunningMean::default();
    // The labels of the images at these places.
    let targets = |places: Range<usize>| {
        let sets = if sets.is_empty() { &[] } else { &sets[places.clone()] };
        Targets { sets, ..Targets::new(&labels[places]) }
    };
    for (batch, rows) in logits.values().chunks(batch_size * head.units()).enumerate() {
        let rows = Logits::new(rows, head.units());
        let first = batch * batch_size;
        let targets = Targets { smoothing, ..targets(first..first + rows.count()) };
        mean_loss.add(head.loss(rows, targets), rows.count());
    }
    let one = |(place, row)| head.loss(Logits::new(row, head.units()), targets(place..place + 1));
    let losses = logits.rows().enumerate().map(one).collect();
    let probabilities: Vec<f32> = logits.rows().flat_map(|row| head.probabilities(row)).collect();
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
    Evaluation {
        loss: mean_loss.mean().unwrap_or(f64::NAN),
        accuracy: accuracy.unwrap_or(f64::NAN),
        probabilities,
        losses,
        answers,
        labels,
        sets,
    }
}
