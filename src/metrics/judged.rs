//! The figures of a set of answers, of two classes or of more, or of labels.

use super::binary::Assessment;
use super::multiclass::MulticlassAssessment;
use super::multilabel::MultilabelAssessment;
use crate::classes::{Label, LabelSet};
use crate::head::Head;

/// All that can be said of a model's answers on a set of images.
#[derive(Clone, Debug, PartialEq)]
pub enum Judged {
    /// Of two classes, one of which is the positive one.
    Two(Assessment),
    /// Of more.
    Several(MulticlassAssessment),
    /// Of labels, of which an image may have several.
    Labels(MultilabelAssessment),
}

impl Judged {
    /// Of images with these labels, answers, rows of [probabilities](Head::probabilities) and losses. The
    /// threshold is that of the answers of two classes.
    ///
    /// # Panics
    /// If there is not one of each for every image, or the head is one of labels, of whose answers
    /// [`of_labels`](Judged::of_labels) judges.
    pub fn new(
        head: Head,
        labels: &[Label],
        answers: &[Label],
        probabilities: &[f32],
        losses: &[f64],
        threshold: f64,
    ) -> Judged {
        assert!(!head.has_several_labels(), "an image may have several labels, and is of no class");
        match head.classes() {
            2 => {
                let positive: Vec<f32> = positives(head, probabilities);
                Judged::Two(Assessment::new(labels, &positive, losses, threshold))
            }
            classes => Judged::Several(MulticlassAssessment::new(classes, labels, answers, probabilities, losses)),
        }
    }

    /// Of images that have these labels, of which each may have several, with rows of
    /// [probabilities](Head::probabilities) and losses.
    ///
    /// # Panics
    /// If there is not one of each for every image, or the head is none of labels.
    pub fn of_labels(head: Head, sets: &[LabelSet], probabilities: &[f32], losses: &[f64], threshold: f64) -> Judged {
        Judged::Labels(MultilabelAssessment::new(head, sets, probabilities, losses, threshold))
    }

    /// The number of images.
    pub fn total(&self) -> usize {
        match self {
            Judged::Two(assessment) => assessment.confusion.total(),
            Judged::Several(assessment) => assessment.confusion.total(),
            Judged::Labels(assessment) => assessment.total,
        }
    }
}

/// The probability of the positive class of two in each row.
///
/// # Panics
/// If there are more classes.
pub fn positives(head: Head, probabilities: &[f32]) -> Vec<f32> {
    probabilities.chunks_exact(head.units()).map(|row| head.positive(row)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_units_are_judged_as_one_and_three_as_several() {
        let (labels, answers) = ([0, 1].map(Label::new), [0, 0].map(Label::new));
        let one = Judged::new(Head::new(1), &labels, &answers, &[0.25, 0.375], &[0.3, 1.0], 0.5);
        let two = Judged::new(Head::new(2), &labels, &answers, &[0.75, 0.25, 0.625, 0.375], &[0.3, 1.0], 0.5);
        assert_eq!(one, two);
        assert_eq!(one.total(), 2);
        let three = [0.5, 0.25, 0.25, 0.5, 0.25, 0.25];
        let three = Judged::new(Head::new(3), &labels, &answers, &three, &[0.7, 1.4], 0.5);
        assert!(matches!(three, Judged::Several(_)));
        assert_eq!(three.total(), 2);
    }
}
