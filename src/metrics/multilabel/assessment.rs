//! All figures of one set of answers about images that may have several labels.

use super::label_measures::{LabelMeans, LabelMeasures, counts};
use crate::classes::{Label, LabelSet};
use crate::head::Head;
use crate::metrics::binary::{Confusion, roc_auc};
use crate::metrics::interval::{Interval, share, wilson};
use crate::metrics::multiclass::ClassMeasures;
use std::collections::BTreeMap;

/// What can be said of a model's answers on images that may have several of K labels.
#[derive(Clone, Debug, PartialEq)]
pub struct MultilabelAssessment {
    /// The threshold of the answers.
    pub threshold: f64,
    /// The measures of each label.
    pub labels: Vec<LabelMeasures>,
    /// The mean loss, in nats.
    pub loss: Option<f64>,
    /// How many images there are.
    pub total: usize,
    /// How many of them have all labels answered right.
    pub exact: usize,
    /// The combination of labels that most images have, of equals the first, and how many have it.
    pub commonest: Option<(LabelSet, usize)>,
    /// The area under the ROC curve of all answers to all labels together.
    pub micro_roc_auc: Option<f64>,
}

/// The share of right answers to all of so many labels of all images, which Keras calls `binary_accuracy`;
/// `None` without images.
///
/// # Panics
/// If there are not as many sets as answers.
pub fn label_accuracy(
    labels: usize,
    sets: &[LabelSet],
    answers: impl ExactSizeIterator<Item = LabelSet>,
) -> Option<f64> {
    assert_eq!(sets.len(), answers.len(), "as many sets as answers");
    let all = labels * sets.len();
    let wrong: usize = sets.iter().zip(answers).map(|(set, answer)| set.differences(answer)).sum();
    share(all - wrong, all)
}

impl MultilabelAssessment {
    /// Of images with these labels, rows of [probabilities](Head::probabilities) and losses.
    ///
    /// # Panics
    /// If there is not one of each for every image, or the head is none of labels.
    pub fn new(
        head: Head,
        sets: &[LabelSet],
        probabilities: &[f32],
        losses: &[f64],
        threshold: f64,
    ) -> MultilabelAssessment {
        let units = head.units();
        assert_eq!((sets.len() * units, sets.len()), (probabilities.len(), losses.len()), "a row and a loss for each");
        let has = |set: &LabelSet, label: usize| Label::new(usize::from(set.has(Label::new(label))));
        let of_label = |label: usize| {
            let there: Vec<Label> = sets.iter().map(|set| has(set, label)).collect();
            let own: Vec<f32> = probabilities.iter().skip(label).step_by(units).copied().collect();
            LabelMeasures::new(&there, &own, threshold)
        };
        let rows = probabilities.chunks_exact(units).map(|row| head.label_set(row.iter().copied(), threshold));
        let all: Vec<Label> = sets.iter().flat_map(|set| (0..units).map(move |label| has(set, label))).collect();
        let loss = losses.iter().sum::<f64>() / losses.len() as f64;
        MultilabelAssessment {
            threshold,
            labels: (0..units).map(of_label).collect(),
            loss: loss.is_finite().then_some(loss),
            total: sets.len(),
            exact: sets.iter().zip(rows).filter(|(set, answer)| *set == answer).count(),
            commonest: commonest(sets),
            micro_roc_auc: roc_auc(&all, probabilities),
        }
    }

    /// The share of images of which every label was answered right.
    pub fn exact_match(&self) -> Option<f64> {
        share(self.exact, self.total)
    }

    /// Wilson's interval around it.
    pub fn exact_match_interval(&self) -> Option<Interval> {
        wilson(self.exact, self.total)
    }

    /// The share of right answers to all labels: [`label_accuracy`].
    pub fn accuracy(&self) -> Option<f64> {
        self.micro().accuracy()
    }

    /// The accuracy of always answering each label as it is for most images.
    pub fn majority_share(&self) -> Option<f64> {
        let right = self.labels.iter().map(|label| label.confusion.positives().max(label.confusion.negatives()));
        share(right.sum(), self.labels.len() * self.total)
    }

    /// The four counts of all labels together, of which the micro means are the shares.
    pub fn micro(&self) -> Confusion {
        let sum = |count: fn(&Confusion) -> usize| self.labels.iter().map(|label| count(&label.confusion)).sum();
        Confusion {
            true_positive: sum(|confusion| confusion.true_positive),
            false_positive: sum(|confusion| confusion.false_positive),
            true_negative: sum(|confusion| confusion.true_negative),
            false_negative: sum(|confusion| confusion.false_negative),
        }
    }

    /// The same, by which precision and F1 go.
    pub fn micro_counts(&self) -> ClassMeasures {
        counts(&self.micro())
    }

    /// The means over the labels.
    pub fn macro_means(&self) -> LabelMeans {
        LabelMeans::of(&self.labels)
    }

    /// The loss of always answering each label with its share of the images: the mean over the labels of
    /// −π·ln π − (1 − π)·ln(1 − π). A label that all or none have adds nothing. `None` without images.
    pub fn loss_of_shares(&self) -> Option<f64> {
        let entropy = |share: f64| if share > 0.0 { -share * share.ln() } else { 0.0 };
        let of_label = |label: &LabelMeasures| {
            let share = label.confusion.positives() as f64 / self.total as f64;
            entropy(share) + entropy(1.0 - share)
        };
        (self.total > 0).then(|| self.labels.iter().map(of_label).sum::<f64>() / self.labels.len() as f64)
    }
}

/// The most frequent of these sets, of equals the first by its bits, and how often it is there.
fn commonest(sets: &[LabelSet]) -> Option<(LabelSet, usize)> {
    let mut counts: BTreeMap<LabelSet, usize> = BTreeMap::new();
    for &set in sets {
        *counts.entry(set).or_default() += 1;
    }
    // Of equals the last is the largest.
    counts.into_iter().rev().max_by_key(|(_, count)| *count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::multilabel::Mean;
    use approx::assert_abs_diff_eq;

    fn sets(indices: &[&[usize]]) -> Vec<LabelSet> {
        indices.iter().map(|indices| indices.iter().copied().map(Label::new).collect()).collect()
    }

    /// Four images and three labels; no image has the last.
    fn found() -> MultilabelAssessment {
        let sets = sets(&[&[0], &[0, 1], &[], &[1]]);
        let probabilities = [0.9, 0.2, 0.1, 0.8, 0.4, 0.6, 0.3, 0.1, 0.2, 0.7, 0.9, 0.3];
        MultilabelAssessment::new(Head::of_labels(3), &sets, &probabilities, &[0.5, 1.0, 0.25, 0.25], 0.5)
    }

    #[test]
    fn figures_agree_with_a_count_by_hand() {
        let found = found();
        // Answered are 0; 0 and 2; none; 0 and 1.
        assert_eq!((found.exact, found.exact_match(), found.loss), (2, Some(0.5), Some(0.5)));
        let [first, second, third] = [0, 1, 2].map(|label| found.labels[label]);
        let by_hand = Confusion { true_positive: 2, false_positive: 1, true_negative: 1, false_negative: 0 };
        assert_eq!((first.confusion, first.roc_auc), (by_hand, Some(1.0)));
        assert_eq!((second.confusion.sensitivity(), second.confusion.specificity()), (Some(0.5), Some(1.0)));
        assert_eq!((second.counts().f1(), second.roc_auc), (Some(2.0 / 3.0), Some(1.0)));
        assert_eq!((third.confusion.sensitivity(), third.counts().f1(), third.roc_auc), (None, Some(0.0), None));
        let micro = Confusion { true_positive: 3, false_positive: 2, true_negative: 6, false_negative: 1 };
        assert_eq!((found.micro(), found.accuracy()), (micro, Some(0.75)));
        assert_eq!(found.micro_counts().precision(), Some(0.6));
        // Two and two, two and two, none and four.
        assert_abs_diff_eq!(found.majority_share().unwrap(), 8.0 / 12.0, epsilon = 1e-15);
        assert_abs_diff_eq!(found.loss_of_shares().unwrap(), 2.0 * 2f64.ln() / 3.0, epsilon = 1e-15);
    }

    #[test]
    fn a_mean_over_labels_is_that_of_those_that_have_the_measure() {
        let means = found().macro_means();
        assert_eq!(means.sensitivity, Mean { value: Some(0.75), of: 2 });
        assert_eq!(means.roc_auc, Mean { value: Some(1.0), of: 2 });
        assert_abs_diff_eq!(means.f1.value.unwrap(), (0.8 + 2.0 / 3.0) / 3.0, epsilon = 1e-15);
        // All pairs of an answer that is there and one that is not, 4·8, of which 2 stand the wrong way
        // round.
        assert_abs_diff_eq!(found().micro_roc_auc.unwrap(), 30.0 / 32.0, epsilon = 1e-15);
    }

    #[test]
    fn without_images_nothing_is_made_up() {
        let none = MultilabelAssessment::new(Head::of_labels(2), &[], &[], &[], 0.5);
        assert_eq!((none.loss, none.exact_match(), none.accuracy(), none.commonest), (None, None, None, None));
        assert_eq!(
            (none.loss_of_shares(), none.macro_means().f1, none.micro_roc_auc),
            (None, Mean { value: None, of: 0 }, None)
        );
    }

    #[test]
    fn the_commonest_combination_is_the_first_of_equals() {
        let of = |indices: &[&[usize]]| commonest(&sets(indices)).map(|(set, count)| (set.labels().count(), count));
        assert_eq!(of(&[&[0, 1], &[], &[0, 1]]), Some((2, 2)));
        assert_eq!(of(&[&[0, 1], &[]]), Some((0, 1)));
    }

    #[test]
    fn accuracy_is_the_share_of_right_answers_to_all_labels() {
        let (wanted, answered) = (sets(&[&[0, 2], &[]]), sets(&[&[0], &[1]]));
        assert_abs_diff_eq!(label_accuracy(3, &wanted, answered.into_iter()).unwrap(), 4.0 / 6.0, epsilon = 1e-15);
        assert_eq!(label_accuracy(3, &[], [].into_iter()), None);
    }
}
