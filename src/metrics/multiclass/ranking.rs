//! What the probabilities tell beyond the most probable class.

use crate::classes::Label;
use crate::metrics::binary::roc_auc;
use crate::metrics::interval::share;

/// The share of images whose class is among the `k` most probable; `None` without images, or where a
/// probability is NaN, which has no rank. Of equal probabilities those of the first classes rank higher, so
/// that `k` = 1 gives the accuracy of [`Head::decision`](crate::head::Head::decision).
///
/// # Panics
/// If the probabilities are not a row of `classes` for each label, or a label is not of these classes.
pub fn top_k_accuracy(labels: &[Label], probabilities: &[f32], classes: usize, k: usize) -> Option<f64> {
    check(labels, probabilities, classes);
    if probabilities.iter().any(|p| p.is_nan()) {
        return None;
    }
    let is_found = |(label, row): &(&Label, &[f32])| {
        let own = row[label.index()];
        let before = row[..label.index()].iter().filter(|p| **p >= own).count();
        let behind = row[label.index()..].iter().filter(|p| **p > own).count();
        before + behind < k
    };
    share(labels.iter().zip(probabilities.chunks_exact(classes)).filter(is_found).count(), labels.len())
}

/// For each class the [area under the ROC curve](roc_auc) of its probability, where its images are the
/// positives and all others the negatives. `None` for a class that has no image, or all.
///
/// # Panics
/// If the probabilities are not a row of `classes` for each label.
pub fn one_vs_rest_roc_auc(labels: &[Label], probabilities: &[f32], classes: usize) -> Vec<Option<f64>> {
    check(labels, probabilities, classes);
    let of_class = |class: usize| {
        let is_class = |label: &Label| Label::new(usize::from(label.index() == class));
        let labels: Vec<Label> = labels.iter().map(is_class).collect();
        let own: Vec<f32> = probabilities.iter().skip(class).step_by(classes).copied().collect();
        roc_auc(&labels, &own)
    };
    (0..classes).map(of_class).collect()
}

/// The mean of the classes' [areas](one_vs_rest_roc_auc); `None` where one has none.
pub fn mean_roc_auc(areas: &[Option<f64>]) -> Option<f64> {
    let sum: Option<f64> = areas.iter().copied().sum();
    sum.map(|sum| sum / areas.len() as f64)
}

fn check(labels: &[Label], probabilities: &[f32], classes: usize) {
    assert_eq!(labels.len() * classes, probabilities.len(), "a row of {classes} probabilities for each label");
}
