//! All figures of one set of answers.

use super::confusion::Confusion;
use super::delong::{NoAucInterval, roc_auc_interval};
use super::roc::{RocPoint, roc_auc, roc_curve};
use crate::classes::Label;
use crate::metrics::calibration::Calibration;
use crate::metrics::interval::{Interval, wilson};

/// What can be said of a model's answers on a set of images. What cannot is `None`, and
/// [`Assessment::undefined`] says why.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    /// An answer is positive where its probability is above this.
    pub threshold: f64,
    /// The four counts at the threshold.
    pub confusion: Confusion,
    /// The mean loss, in nats.
    pub loss: Option<f64>,
    /// The area under the ROC curve.
    pub roc_auc: Option<f64>,
    /// Its interval.
    pub roc_auc_interval: Result<Interval, NoAucInterval>,
    /// The curve itself.
    pub roc_curve: Option<Vec<RocPoint>>,
    /// How far the probabilities are from what came true.
    pub calibration: Option<Calibration>,
}

impl Assessment {
    /// Of images with these labels, probabilities and losses.
    ///
    /// # Panics
    /// If there are not as many labels as probabilities and losses.
    pub fn new(labels: &[Label], probabilities: &[f32], losses: &[f64], threshold: f64) -> Assessment {
        assert_eq!(labels.len(), losses.len(), "as many labels as losses");
        let loss = losses.iter().sum::<f64>() / losses.len() as f64;
        Assessment {
            threshold,
            confusion: Confusion::count(labels, probabilities, threshold),
            loss: loss.is_finite().then_some(loss),
            roc_auc: roc_auc(labels, probabilities),
            roc_auc_interval: roc_auc_interval(labels, probabilities),
            roc_curve: roc_curve(labels, probabilities),
            calibration: Calibration::of(labels, probabilities),
        }
    }

    /// The loss of always answering with the share π of positives, −π·ln π − (1 − π)·ln(1 − π), its binary
    /// entropy in nats: what a model has to stay below that knows more than how frequent the classes are.
    /// `None` where a class has no image.
    pub fn loss_of_share(&self) -> Option<f64> {
        let (positives, negatives) = (self.confusion.positives() as f64, self.confusion.negatives() as f64);
        let share = positives / (positives + negatives);
        (positives > 0.0 && negatives > 0.0).then(|| -share * share.ln() - (1.0 - share) * (1.0 - share).ln())
    }

    /// Wilson's interval around the accuracy.
    pub fn accuracy_interval(&self) -> Option<Interval> {
        wilson(self.confusion.true_positive + self.confusion.true_negative, self.confusion.total())
    }

    /// Wilson's interval around the sensitivity.
    pub fn sensitivity_interval(&self) -> Option<Interval> {
        wilson(self.confusion.true_positive, self.confusion.positives())
    }

    /// Wilson's interval around the specificity.
    pub fn specificity_interval(&self) -> Option<Interval> {
        wilson(self.confusion.true_negative, self.confusion.negatives())
    }

    /// Which measures there are none of, by the names they have in JSON, and why:
    /// `("specificity", "no benign image")`.
    pub fn undefined(&self, classes: [&str; 2]) -> Vec<(&'static str, String)> {
        let [negative, positive] = classes;
        let counts = [self.confusion.negatives(), self.confusion.positives()];
        let missing = match counts {
            [0, 0] => Some("no image".to_string()),
            [0, _] => Some(format!("no {negative} image")),
            [_, 0] => Some(format!("no {positive} image")),
            _ => None,
        };
        let interval = self.roc_auc_interval.err().map(|reason| match (reason, &missing) {
            (NoAucInterval::NoArea, Some(missing)) => missing.clone(),
            (NoAucInterval::NoArea, None) => "a probability is not a number".to_string(),
            (NoAucInterval::OneImage { class }, _) => format!("only one {} image", classes[class.index()]),
            (NoAucInterval::NoSpread, _) => "DeLong's variance is 0 here, which would be false certainty".to_string(),
        });
        let none = counts == [0, 0];
        let loss = if none { "no image" } else { "an answer is infinite" };
        let measures = [
            ("loss", self.loss.is_none(), Some(loss.to_string())),
            ("accuracy", none, missing.clone()),
            ("majority_share", none, missing.clone()),
            ("sensitivity", counts[1] == 0, missing.clone()),
            ("specificity", counts[0] == 0, missing.clone()),
            ("balanced_accuracy", missing.is_some(), missing.clone()),
            ("roc_auc", self.roc_auc.is_none(), interval.clone()),
            ("roc_auc_interval", self.roc_auc_interval.is_err(), interval),
            ("calibration", self.calibration.is_none(), missing),
        ];
        let reason = |reason: Option<String>| reason.unwrap_or_else(|| "a probability is not a number".to_string());
        measures.into_iter().filter(|(_, gone, _)| *gone).map(|(name, _, why)| (name, reason(why))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classes::Label;

    const CLASSES: [&str; 2] = ["cat", "dog"];

    #[test]
    fn of_both_classes_everything_can_be_told() {
        let assessment =
            Assessment::new(&[1, 1, 0, 0].map(Label::new), &[0.9, 0.3, 0.4, 0.1], &[0.1, 1.2, 0.5, 0.2], 0.5);
        assert_eq!(assessment.loss, Some(0.5));
        assert_eq!(assessment.roc_auc, Some(0.75));
        assert_eq!(assessment.sensitivity_interval(), wilson(1, 2));
        assert_eq!(assessment.specificity_interval(), wilson(2, 2));
        assert_eq!(assessment.accuracy_interval(), wilson(3, 4));
        assert_eq!(assessment.undefined(CLASSES), []);
    }

    #[test]
    fn of_one_class_the_rest_is_undefined_for_want_of_the_other() {
        let assessment = Assessment::new(&[1, 1].map(Label::new), &[0.9, 0.3], &[0.1, 1.2], 0.5);
        let why = "no cat image".to_string();
        let measures = ["specificity", "balanced_accuracy", "roc_auc", "roc_auc_interval"];
        assert_eq!(assessment.undefined(CLASSES), measures.map(|measure| (measure, why.clone())));
        assert_eq!(assessment.confusion.sensitivity(), Some(0.5));
        assert!(assessment.calibration.is_some());
    }

    #[test]
    fn of_no_image_nothing_can_be_told_and_nothing_is_nan() {
        let assessment = Assessment::new(&[], &[], &[], 0.5);
        assert_eq!(assessment.undefined(CLASSES).len(), 9);
        assert!(assessment.undefined(CLASSES).iter().all(|(_, why)| why == "no image"));
        assert_eq!((assessment.loss, assessment.roc_auc, assessment.calibration), (None, None, None));
    }

    #[test]
    fn the_loss_of_the_share_is_the_least_that_a_constant_answer_can_have() {
        let labels = [1, 1, 1, 0].map(Label::new);
        let of = |answer: f64| {
            let losses = labels.map(|label| -(if label == Label::POSITIVE { answer } else { 1.0 - answer }).ln());
            Assessment::new(&labels, &[answer as f32; 4], &losses, 0.5)
        };
        let least = of(0.75).loss_of_share().unwrap();
        assert!((of(0.75).loss.unwrap() - least).abs() < 1e-12);
        assert!([0.5, 0.7, 0.8].map(|answer| of(answer).loss.unwrap()).iter().all(|&loss| loss > least));
        assert_eq!(Assessment::new(&[Label::POSITIVE], &[0.9], &[0.1], 0.5).loss_of_share(), None);
    }

    #[test]
    fn an_area_of_1_has_no_interval_and_an_infinite_loss_is_none() {
        let assessment =
            Assessment::new(&[0, 0, 1, 1].map(Label::new), &[0.1, 0.2, 0.8, 1.0], &[0.1, 0.2, 0.3, f64::INFINITY], 0.5);
        assert_eq!((assessment.roc_auc, assessment.loss), (Some(1.0), None));
        let undefined = assessment.undefined(CLASSES);
        assert_eq!(undefined[0], ("loss", "an answer is infinite".to_string()));
        assert_eq!((undefined[1].0, undefined.len()), ("roc_auc_interval", 2));
        let one = Assessment::new(&[0, 1, 1].map(Label::new), &[0.4, 0.2, 0.8], &[0.1; 3], 0.5);
        assert_eq!(one.undefined(CLASSES), [("roc_auc_interval", "only one cat image".to_string())]);
    }
}
