//! How good the answers are: accuracy, the confusion matrix and what follows from it, the ROC curve's area, and the
//! running mean of an epoch.
//!
//! Throughout, a label is 0 or 1, a probability is P(class 1), and **positive** means the class with index 1. An answer
//! is positive when its probability is *strictly* above the threshold, as in Keras; so a NaN counts as negative.
//! A measure that would divide by zero is `None`.

use serde::Serialize;

/// The threshold of Keras's binary accuracy.
pub const DEFAULT_THRESHOLD: f64 = 0.5;

/// How often each class was taken for each: the four counts of a two-class problem.
///
/// ```
/// use glassnet::metrics::Confusion;
/// let confusion = Confusion::count(&[1.0, 1.0, 0.0], &[0.9, 0.2, 0.5], 0.5);
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
    pub fn count<P: Copy + Into<f64>>(labels: &[f32], probabilities: &[P], threshold: f64) -> Confusion {
        Confusion::tally(labels, probabilities.iter().copied(), threshold)
    }

    fn tally<P: Into<f64>>(
        labels: &[f32],
        probabilities: impl ExactSizeIterator<Item = P>,
        threshold: f64,
    ) -> Confusion {
        assert_eq!(labels.len(), probabilities.len(), "as many labels as probabilities");
        let mut confusion = Confusion::default();
        for (&label, probability) in labels.iter().zip(probabilities) {
            let answered_positive = probability.into() > threshold;
            let counter = match (is_positive(label), answered_positive) {
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

    /// (sensitivity + specificity) / 2: an answer that is always the same gets ½, however unequal the classes are.
    pub fn balanced_accuracy(&self) -> Option<f64> {
        Some((self.sensitivity()? + self.specificity()?) / 2.0)
    }

    /// The accuracy of always answering the more frequent class: max(positives, negatives) / total. An accuracy means
    /// little until it is compared with this.
    pub fn majority_share(&self) -> Option<f64> {
        share(self.positives().max(self.negatives()), self.total())
    }
}

/// The share of right answers at a threshold, (TP + TN) / total; `None` without images.
///
/// # Panics
/// If there are not as many labels as probabilities.
pub fn accuracy<P: Into<f64>>(
    labels: &[f32],
    probabilities: impl ExactSizeIterator<Item = P>,
    threshold: f64,
) -> Option<f64> {
    Confusion::tally(labels, probabilities, threshold).accuracy()
}

/// The area under the ROC curve: the chance that a positive drawn at random gets a higher probability than a negative
/// drawn at random, a tie counting half. ½ is guessing, 1 a perfect order; no threshold is involved.
///
/// By ranks (Mann and Whitney's U): with the probabilities ranked from 1 upwards, tied ones sharing their mean rank,
/// and R the sum of the ranks of the n₁ positives among n₁ + n₀ images,
///
/// > AUC = (R − n₁(n₁ + 1)/2) / (n₁·n₀)
///
/// `None` with images of one class only, or when a probability is NaN, which has no rank.
/// Source: J. A. Hanley, B. J. McNeil, *The meaning and use of the area under a ROC curve*, Radiology 143, 1982.
///
/// # Panics
/// If there are not as many labels as probabilities.
pub fn roc_auc<P: Copy + Into<f64>>(labels: &[f32], probabilities: &[P]) -> Option<f64> {
    assert_eq!(labels.len(), probabilities.len(), "as many labels as probabilities");
    let mut answers: Vec<(f64, bool)> = probabilities
        .iter()
        .zip(labels)
        .map(|(&probability, &label)| (probability.into(), is_positive(label)))
        .collect();
    if answers.iter().any(|(probability, _)| probability.is_nan()) {
        return None;
    }
    answers.sort_by(|a, b| a.0.total_cmp(&b.0));

    let mut rank_sum = 0.0; // R
    let mut ranked = 0; // images below the present tie
    for tie in answers.chunk_by(|a, b| a.0 == b.0) {
        let mean_rank = ranked as f64 + (tie.len() + 1) as f64 / 2.0;
        let positives = tie.iter().filter(|(_, positive)| *positive).count();
        rank_sum += mean_rank * positives as f64;
        ranked += tie.len();
    }

    let positives = answers.iter().filter(|(_, positive)| *positive).count() as f64;
    let negatives = answers.len() as f64 - positives;
    let pairs = positives * negatives;
    (pairs > 0.0).then(|| (rank_sum - positives * (positives + 1.0) / 2.0) / pairs)
}

/// A mean that grows batch by batch: Σ weight·value / Σ weight.
///
/// Keras reports an epoch's loss and accuracy this way, the weight being the batch's number of images; so the smaller
/// last batch counts for less, and the epoch's accuracy is right answers / images.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RunningMean {
    weighted_sum: f64,
    weight: f64,
}

impl RunningMean {
    /// Adds the mean `value` of a batch of `batch_size` images.
    pub fn add(&mut self, value: f64, batch_size: usize) {
        self.weighted_sum += value * batch_size as f64;
        self.weight += batch_size as f64;
    }

    /// The mean so far; `None` before the first image.
    pub fn mean(&self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.weighted_sum / self.weight)
    }
}

/// Labels are 0 or 1; the comparison only avoids asking floats for equality.
fn is_positive(label: f32) -> bool {
    label > 0.5
}

/// part / whole, `None` for an empty whole.
fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Five positives, three negatives; at ½: TP 3, FN 2, FP 1, TN 2.
    const LABELS: [f32; 8] = [1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0];
    const PROBABILITIES: [f32; 8] = [0.9, 0.8, 0.6, 0.4, 0.3, 0.7, 0.4, 0.1];

    #[test]
    fn the_four_counts_and_their_ratios_agree_with_a_count_by_hand() {
        let confusion = Confusion::count(&LABELS, &PROBABILITIES, DEFAULT_THRESHOLD);
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
        assert_eq!(accuracy(&[0.0], [0.5f32].into_iter(), 0.5), Some(1.0));
        assert_eq!(accuracy(&[1.0], [0.5f64].into_iter(), 0.5), Some(0.0));
        assert_eq!(accuracy(&[1.0], [0.500_000_1f64].into_iter(), 0.5), Some(1.0));
        assert_eq!(accuracy(&[1.0], [0.4f32].into_iter(), 0.3), Some(1.0));
    }

    #[test]
    fn a_measure_without_images_is_none() {
        let none = Confusion::default();
        assert_eq!((none.accuracy(), none.majority_share(), none.balanced_accuracy()), (None, None, None));
        let only_positives = Confusion::count(&[1.0, 1.0], &[0.9, 0.1], 0.5);
        assert_eq!(only_positives.sensitivity(), Some(0.5));
        assert_eq!(only_positives.specificity(), None);
        assert_eq!(only_positives.balanced_accuracy(), None);
    }

    #[test]
    fn the_roc_area_counts_the_pairs_in_the_right_order_and_ties_as_half() {
        // Of the 5·3 pairs: 0.9 and 0.8 beat all three negatives, 0.6 beats two, 0.4 beats one and ties one,
        // 0.3 beats one: 3 + 3 + 2 + 1½ + 1 = 10½.
        assert_eq!(roc_auc(&LABELS, &PROBABILITIES), Some(10.5 / 15.0));
    }

    #[test]
    fn the_roc_area_is_one_for_a_perfect_order_zero_for_its_reverse_and_half_when_all_are_tied() {
        assert_eq!(roc_auc(&[0.0, 1.0, 1.0], &[0.1, 0.2, 0.3]), Some(1.0));
        assert_eq!(roc_auc(&[1.0, 0.0, 0.0], &[0.1, 0.2, 0.3]), Some(0.0));
        assert_eq!(roc_auc(&[1.0, 0.0, 0.0], &[0.5, 0.5, 0.5]), Some(0.5));
        assert_eq!(roc_auc(&[1.0, 0.0], &[-0.0, 0.0]), Some(0.5));
    }

    #[test]
    fn the_roc_area_needs_both_classes_and_probabilities_with_a_rank() {
        assert_eq!(roc_auc(&[1.0, 1.0], &[0.1, 0.2]), None);
        assert_eq!(roc_auc::<f64>(&[], &[]), None);
        assert_eq!(roc_auc(&[1.0, 0.0], &[f32::NAN, 0.2]), None);
    }

    #[test]
    fn the_running_mean_weighs_a_small_last_batch_less() {
        let mut loss = RunningMean::default();
        assert_eq!(loss.mean(), None);
        loss.add(0.5, 16);
        loss.add(1.0, 4);
        assert_eq!(loss.mean(), Some((0.5 * 16.0 + 1.0 * 4.0) / 20.0));
    }
}
