//! Measures of any number of classes K.
//!
//! Probabilities are `[N×K]`, a row of K for each image. A measure that would divide by zero is `None`, and
//! so is a mean of which one part is: over the other classes it would be the mean of another problem.

mod assessment;
mod class_measures;
mod confusion_matrix;
mod ranking;

pub use assessment::MulticlassAssessment;
pub use class_measures::{ClassMeasures, Means};
pub use confusion_matrix::ConfusionMatrix;
pub use ranking::{mean_roc_auc, one_vs_rest_roc_auc, top_k_accuracy};

#[cfg(test)]
mod tests;
