//! Measures of images that may have several labels, of K that there are.
//!
//! Each label is a question of its own, which is answered with yes where its probability is *strictly* above
//! the threshold. Probabilities are `[N×K]`, a row of K for each image. A measure that would divide by zero
//! is `None`. A label that no image has is common where there are many, so a mean over labels is that of
//! those that have the measure, and tells how many they are.

mod assessment;
mod label_measures;

pub use assessment::{MultilabelAssessment, label_accuracy};
pub use label_measures::{LabelMeans, LabelMeasures, Mean};
