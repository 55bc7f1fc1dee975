//! How well one class is told from all others, and the means of that over the classes.

use crate::metrics::interval::{Interval, share, wilson};

/// The counts of one class against the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassMeasures {
    /// TP: images of the class that were taken for it.
    pub true_positive: usize,
    /// FP: images of other classes that were taken for it.
    pub false_positive: usize,
    /// FN: images of the class that were taken for another.
    pub false_negative: usize,
}

impl ClassMeasures {
    /// Images of the class: TP + FN.
    pub fn support(&self) -> usize {
        self.true_positive + self.false_negative
    }

    /// The share of right ones among the answers with this class: TP / (TP + FP). `None` if nothing was taken
    /// for it.
    pub fn precision(&self) -> Option<f64> {
        share(self.true_positive, self.true_positive + self.false_positive)
    }

    /// The share of the class's images that were found, also called sensitivity: TP / (TP + FN). `None` if it
    /// has none.
    pub fn recall(&self) -> Option<f64> {
        share(self.true_positive, self.support())
    }

    /// The harmonic mean of precision and recall: 2·TP / (2·TP + FP + FN). `None` if the class has no image
    /// and nothing was taken for it.
    pub fn f1(&self) -> Option<f64> {
        share(2 * self.true_positive, 2 * self.true_positive + self.false_positive + self.false_negative)
    }

    /// Whether there are images of the class and nothing was taken for it.
    pub fn is_never_answered(&self) -> bool {
        self.support() > 0 && self.true_positive + self.false_positive == 0
    }

    /// Wilson's interval around the precision.
    pub fn precision_interval(&self) -> Option<Interval> {
        wilson(self.true_positive, self.true_positive + self.false_positive)
    }

    /// Wilson's interval around the recall.
    pub fn recall_interval(&self) -> Option<Interval> {
        wilson(self.true_positive, self.support())
    }

    /// Wilson's interval around the F1 score. F1 is no share, but it rises with one: with J = TP / (TP + FP +
    /// FN), of the images that are of the class or were taken for it those that are both, F1 = 2·J / (1 + J),
    /// so the ends of the interval of J give those of F1.
    pub fn f1_interval(&self) -> Option<Interval> {
        let of_j = wilson(self.true_positive, self.true_positive + self.false_positive + self.false_negative)?;
        let f1 = |j: f64| 2.0 * j / (1.0 + j);
        Some(Interval { low: f1(of_j.low), high: f1(of_j.high) })
    }
}

/// Means of the measures over the classes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Means {
    /// That of the precisions.
    pub precision: Option<f64>,
    /// That of the recalls. Of all classes alike it is the balanced accuracy.
    pub recall: Option<f64>,
    /// That of the F1 scores.
    pub f1: Option<f64>,
}
