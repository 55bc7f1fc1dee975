//! The four counts of a two-class problem at a threshold, and the shares that follow from them.

use crate::classes::Label;
use crate::metrics::interval::share;
use serde::Serialize;

/// The threshold of Keras's binary accuracy.
pub const DEFAULT_THRESHOLD: f64 = 0.5;

/// How often each class was taken for each: the four counts of a two-class problem.
///
/// ```
/// use glassnet::classes::Label;
/// use glassnet::metrics::Confusion;
/// let confusion = Confusion::count(&[1, 1, 0].map(Label::new), &[0.9, 0.2, 0.5], 0.5);
/// assert_eq!((confusion.true_positive, confusion.false_negative, confusion.true_negative), (1, 1, 1));
/// assert_eq!(confusion.sensitivity(), Some(0.5));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Confusion {
    /// TP: label 1, answered 1.
    pub true_positive: usize,
    /// FP: label 0, answered 1.
    pub false_positive: usize,
    /// TN: label 0, answered 0.
    pub true_negative: usize,
    /// FN: label 1, answered 0.
    pub false_negative: usize,
}

impl Confusion {
    /// Counts the answers `probability > threshold` against the labels.
    ///
    /// # Panics
    /// If there are not as many labels as probabilities.
    pub fn count<P: Copy + Into<f64>>(labels: &[Label], probabilities: &[P], threshold: f64) -> Confusion {
        assert_eq!(labels.len(), probabilities.len(), "as many labels as probabilities");
        let mut confusion = Confusion::default();
        for (&label, &probability) in labels.iter().zip(probabilities) {
            let answered_positive = probability.into() > threshold;
            let counter = match (label == Label::POSITIVE, answered_positive) {
                (true, true) => &mut confusion.true_positive,
                (false, true) => &mut confusion.false_positive,
                (false, false) => &mut confusion.true_negative,
                (true, false) => &mut confusion.false_negative,
            };
            *counter += 1;
        }
        confusion
    }

    /// Images whose label is 1: TP + FN.
    pub fn positives(&self) -> usize {
        self.true_positive + self.false_negative
    }

    /// Images whose label is 0: TN + FP.
    pub fn negatives(&self) -> usize {
        self.true_negative + self.false_positive
    }

    /// All images: TP + FP + TN + FN.
    pub fn total(&self) -> usize {
        self.positives() + self.negatives()
    }

    /// The share of right answers: (TP + TN) / total.
    pub fn accuracy(&self) -> Option<f64> {
        share(self.true_positive + self.true_negative, self.total())
    }

    /// The share of positives that were found, also called recall: TP / (TP + FN).
    pub fn sensitivity(&self) -> Option<f64> {
        share(self.true_positive, self.positives())
    }

    /// The share of negatives that were recognized: TN / (TN + FP).
    pub fn specificity(&self) -> Option<f64> {
        share(self.true_negative, self.negatives())
    }

    /// (sensitivity + specificity) / 2: an answer that is always the same gets ½, however unequal the classes
    /// are.
    pub fn balanced_accuracy(&self) -> Option<f64> {
        Some((self.sensitivity()? + self.specificity()?) / 2.0)
    }

    /// The accuracy of always answering the more frequent class: max(positives, negatives) / total. An
    /// accuracy means little until it is compared with this.
    pub fn majority_share(&self) -> Option<f64> {
        share(self.positives().max(self.negatives()), self.total())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Five positives, three negatives; at ½: TP 3, FN 2, FP 1, TN 2.
    const LABELS: [usize; 8] = [1, 1, 1, 1, 1, 0, 0, 0];
    const PROBABILITIES: [f32; 8] = [0.9, 0.8, 0.6, 0.4, 0.3, 0.7, 0.4, 0.1];

    #[test]
    fn the_four_counts_and_their_ratios_agree_with_a_count_by_hand() {
        let confusion = Confusion::count(&LABELS.map(Label::new), &PROBABILITIES, DEFAULT_THRESHOLD);
        let by_hand = Confusion { true_positive: 3, false_positive: 1, true_negative: 2, false_negative: 2 };
        assert_eq!(confusion, by_hand);
        assert_eq!(confusion.accuracy(), Some(5.0 / 8.0));
        assert_eq!(confusion.sensitivity(), Some(3.0 / 5.0));
        assert_eq!(confusion.specificity(), Some(2.0 / 3.0));
        assert_eq!(confusion.balanced_accuracy(), Some((3.0 / 5.0 + 2.0 / 3.0) / 2.0));
        assert_eq!(confusion.majority_share(), Some(5.0 / 8.0));
    }

    #[test]
    fn a_probability_at_the_threshold_is_a_negative_answer() {
        let accuracy = |label: Label, probability: f64, threshold| {
            Confusion::count(&[label], &[probability], threshold).accuracy()
        };
        assert_eq!(accuracy(Label::NEGATIVE, 0.5, 0.5), Some(1.0));
        assert_eq!(accuracy(Label::POSITIVE, 0.5, 0.5), Some(0.0));
        assert_eq!(accuracy(Label::POSITIVE, 0.500_000_1, 0.5), Some(1.0));
        assert_eq!(accuracy(Label::POSITIVE, 0.4, 0.3), Some(1.0));
    }

    #[test]
    fn a_measure_without_images_is_none() {
        let none = Confusion::default();
        assert_eq!((none.accuracy(), none.majority_share(), none.balanced_accuracy()), (None, None, None));
        let only_positives = Confusion::count(&[Label::POSITIVE; 2], &[0.9, 0.1], 0.5);
        assert_eq!(only_positives.sensitivity(), Some(0.5));
        assert_eq!(only_positives.specificity(), None);
        assert_eq!(only_positives.balanced_accuracy(), None);
    }
}
