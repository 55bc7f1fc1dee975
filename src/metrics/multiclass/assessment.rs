//! All figures of one set of answers of K classes.

use super::confusion_matrix::ConfusionMatrix;
use super::ranking::{mean_roc_auc, one_vs_rest_roc_auc, top_k_accuracy};
use crate::classes::Label;
use crate::metrics::calibration::Calibration;
use crate::metrics::interval::{Interval, wilson};

/// The k of the top-k accuracies that are told, each where at least half of the classes are beyond it.
const TOP_KS: [usize; 4] = [2, 3, 5, 10];

/// What can be said of a model's answers on images of K classes. What cannot is `None`: without images, or
/// where a probability is NaN.
#[derive(Clone, Debug, PartialEq)]
pub struct MulticlassAssessment {
    /// How often each class was taken for each.
    pub confusion: ConfusionMatrix,
    /// The mean loss, in nats.
    pub loss: Option<f64>,
    /// For some k the share of images whose class is among the k most probable.
    pub top_k: Vec<(usize, Option<f64>)>,
    /// For each class the area under the ROC curve of its probability against the rest.
    pub roc_auc: Vec<Option<f64>>,
    /// (1/N)·Σ Σₖ (pₖ − yₖ)², Brier's score as he gave it: 0 at best, 2 at worst.
    pub brier_score: Option<f64>,
    /// How far the probability of the class that an image was taken for, the model's confidence, is from the
    /// share of answers that are right. Source: C. Guo and others, *On calibration of modern neural
    /// networks*, ICML 2017.
    pub confidence: Option<Calibration>,
}

impl MulticlassAssessment {
    /// Of images with these labels, answers, rows of probabilities `[N×K]` and losses.
    ///
    /// # Panics
    /// If there is not one of each for every image.
    pub fn new(
        classes: usize,
        labels: &[Label],
        answers: &[Label],
        probabilities: &[f32],
        losses: &[f64],
    ) -> MulticlassAssessment {
        assert_eq!(labels.len(), losses.len(), "as many labels as losses");
        let loss = losses.iter().sum::<f64>() / losses.len() as f64;
        let told = TOP_KS.into_iter().filter(|k| 2 * k <= classes + 1);
        let roc_auc = one_vs_rest_roc_auc(labels, probabilities, classes);
        let rows = || probabilities.chunks_exact(classes);
        let confidences: Vec<f32> = rows().zip(answers).map(|(row, answer)| row[answer.index()]).collect();
        let is_right = |(label, answer): (&Label, &Label)| Label::new(usize::from(label == answer));
        let right: Vec<Label> = labels.iter().zip(answers).map(is_right).collect();
        let squares = rows().zip(labels).map(|(row, label)| square_distance(row, *label)).sum::<f64>();
        let brier_score = squares / labels.len() as f64;
        MulticlassAssessment {
            confusion: ConfusionMatrix::new(classes, labels, answers),
            loss: loss.is_finite().then_some(loss),
            top_k: told.map(|k| (k, top_k_accuracy(labels, probabilities, classes, k))).collect(),
            roc_auc,
            brier_score: (!brier_score.is_nan()).then_some(brier_score),
            confidence: Calibration::of(&right, &confidences),
        }
    }

    /// Wilson's interval around the accuracy.
    pub fn accuracy_interval(&self) -> Option<Interval> {
        wilson(self.confusion.right(), self.confusion.total())
    }

    /// The share π of each class, which is what a model has to beat that knows how frequent they are.
    fn shares(&self) -> impl Iterator<Item = f64> {
        let total = self.confusion.total() as f64;
        self.confusion.labels().map(move |label| self.confusion.class(label).support() as f64 / total)
    }

    /// The loss of always answering with the shares, −Σ πₖ·ln πₖ, their entropy in nats. A class without
    /// images adds nothing. `None` without images.
    pub fn loss_of_shares(&self) -> Option<f64> {
        let entropy = |share: f64| if share > 0.0 { -share * share.ln() } else { 0.0 };
        (self.confusion.total() > 0).then(|| self.shares().map(entropy).sum())
    }

    /// Brier's score of always answering with the shares, 1 − Σ πₖ². `None` without images.
    pub fn brier_score_of_shares(&self) -> Option<f64> {
        (self.confusion.total() > 0).then(|| 1.0 - self.shares().map(|share| share * share).sum::<f64>())
    }

    /// The mean of the classes' areas under the ROC curve; `None` where one has none.
    pub fn mean_roc_auc(&self) -> Option<f64> {
        mean_roc_auc(&self.roc_auc)
    }
}

/// Σₖ (pₖ − yₖ)² of one image.
fn square_distance(probabilities: &[f32], label: Label) -> f64 {
    let of = |(class, &p): (usize, &f32)| (f64::from(p) - f64::from(u8::from(class == label.index()))).powi(2);
    probabilities.iter().enumerate().map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    #[test]
    fn figures_agree_with_a_count_by_hand() {
        let labels = [0, 1, 2, 2].map(Label::new);
        let answers = [0, 1, 1, 2].map(Label::new);
        let probabilities = [0.5, 0.25, 0.25, 0.25, 0.5, 0.25, 0.0, 0.75, 0.25, 0.125, 0.125, 0.75];
        let found = MulticlassAssessment::new(3, &labels, &answers, &probabilities, &[0.5, 0.5, 1.5, 0.25]);
        assert_eq!((found.loss, found.accuracy_interval()), (Some(0.6875), wilson(3, 4)));
        assert_eq!(found.top_k, [(2, Some(1.0))]);
        // (0.25 + 2/16)·2, 0.5625 + 0.5625, (2/64) + 1/16
        assert_abs_diff_eq!(found.brier_score.unwrap(), (0.75 + 1.125 + 0.09375) / 4.0, epsilon = 1e-15);
        assert_abs_diff_eq!(found.brier_score_of_shares().unwrap(), 1.0 - 6.0 / 16.0, epsilon = 1e-15);
        assert_abs_diff_eq!(found.loss_of_shares().unwrap(), 1.5 * 2f64.ln(), epsilon = 1e-15);
        // Of the two answers with ½ both are right, of the two with ¾ one is.
        let confidence = found.confidence.unwrap();
        assert_abs_diff_eq!(confidence.expected_calibration_error, (2.0 * 0.5 + 2.0 * 0.25) / 4.0, epsilon = 1e-15);
        assert_eq!((confidence.bins[5].count, confidence.bins[7].positives), (2, 1));
    }

    #[test]
    fn without_images_or_with_a_nan_nothing_is_made_up() {
        let none = MulticlassAssessment::new(3, &[], &[], &[], &[]);
        assert_eq!(
            (none.loss, none.brier_score, none.confidence.clone(), none.mean_roc_auc()),
            (None, None, None, None)
        );
        assert_eq!((none.loss_of_shares(), none.brier_score_of_shares(), none.top_k), (None, None, vec![(2, None)]));
        let nan = [f32::NAN; 3];
        let found = MulticlassAssessment::new(3, &[Label::new(1)], &[Label::new(0)], &nan, &[f64::NAN]);
        assert_eq!((found.loss, found.brier_score, found.confidence.clone()), (None, None, None));
    }

    #[test]
    fn top_k_is_told_where_half_of_the_classes_are_beyond_it() {
        let ks = |classes: usize| -> Vec<usize> {
            let found = MulticlassAssessment::new(classes, &[], &[], &[], &[]);
            found.top_k.iter().map(|(k, _)| *k).collect()
        };
        assert_eq!((ks(3), ks(5), ks(10), ks(100)), (vec![2], vec![2, 3], vec![2, 3, 5], vec![2, 3, 5, 10]));
    }
}
