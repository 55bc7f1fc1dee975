//! How well one label is told, and the means of that over the labels.

use crate::classes::Label;
use crate::metrics::binary::{Confusion, roc_auc};
use crate::metrics::interval::{Interval, wilson};
use crate::metrics::multiclass::ClassMeasures;

/// The answers to one label: of images that have it, and of others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LabelMeasures {
    /// The four counts: positive are the images that have it.
    pub confusion: Confusion,
    /// The area under the ROC curve of its probability.
    pub roc_auc: Option<f64>,
}

impl LabelMeasures {
    /// Of images of which `labels` tells whether they have it, with its probability of each.
    ///
    /// # Panics
    /// If there are not as many of both.
    pub fn new(labels: &[Label], probabilities: &[f32], threshold: f64) -> LabelMeasures {
        LabelMeasures {
            confusion: Confusion::count(labels, probabilities, threshold),
            roc_auc: roc_auc(labels, probabilities),
        }
    }

    /// The counts by which precision and F1 go.
    pub fn counts(&self) -> ClassMeasures {
        counts(&self.confusion)
    }

    /// Wilson's interval around the sensitivity.
    pub fn sensitivity_interval(&self) -> Option<Interval> {
        wilson(self.confusion.true_positive, self.confusion.positives())
    }

    /// Wilson's interval around the specificity.
    pub fn specificity_interval(&self) -> Option<Interval> {
        wilson(self.confusion.true_negative, self.confusion.negatives())
    }
}

/// The counts of those that are there or are said to be.
pub(super) fn counts(confusion: &Confusion) -> ClassMeasures {
    let Confusion { true_positive, false_positive, false_negative, .. } = *confusion;
    ClassMeasures { true_positive, false_positive, false_negative }
}

/// A mean over those labels that have a measure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    /// The mean; none where no label has the measure.
    pub value: Option<f64>,
    /// How many labels have it.
    pub of: usize,
}

impl FromIterator<Option<f64>> for Mean {
    fn from_iter<I: IntoIterator<Item = Option<f64>>>(values: I) -> Mean {
        let (sum, of) = values.into_iter().flatten().fold((0.0, 0), |(sum, of), value| (sum + value, of + 1));
        Mean { value: (of > 0).then(|| sum / of as f64), of }
    }
}

/// Means of the measures over the labels, each counting alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LabelMeans {
    /// That of the sensitivities.
    pub sensitivity: Mean,
    /// That of the specificities.
    pub specificity: Mean,
    /// That of the precisions.
    pub precision: Mean,
    /// That of the F1 scores.
    pub f1: Mean,
    /// That of the areas under the ROC curves.
    pub roc_auc: Mean,
}

impl LabelMeans {
    /// Of these labels.
    pub fn of(labels: &[LabelMeasures]) -> LabelMeans {
        let mean = |measure: fn(&LabelMeasures) -> Option<f64>| labels.iter().map(measure).collect();
        LabelMeans {
            sensitivity: mean(|label| label.confusion.sensitivity()),
            specificity: mean(|label| label.confusion.specificity()),
            precision: mean(|label| label.counts().precision()),
            f1: mean(|label| label.counts().f1()),
            roc_auc: mean(|label| label.roc_auc),
        }
    }
}
