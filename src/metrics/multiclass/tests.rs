use super::*;
use crate::classes::Label;
use crate::head::Head;
use crate::metrics::{accuracy, wilson};
use approx::assert_abs_diff_eq;
use proptest::prelude::*;

const CLASSES: usize = 4;

/// Labels of four classes, and probabilities that say the right one of eleven in fifteen.
fn answers() -> (Vec<Label>, Vec<f32>) {
    let labels = [0, 1, 2, 3, 0, 1, 2, 0, 1, 2, 0, 1, 3, 2, 0].map(Label::new).to_vec();
    let row = |(image, label): (usize, &Label)| {
        let bonus = |class: usize| if class == label.index() { 6 } else { 0 };
        let values: Vec<usize> =
            (0..CLASSES).map(|class| 4 * ((image * 7 + class * 11) % 13 + bonus(class)) + class + 1).collect();
        let sum: usize = values.iter().sum();
        values.into_iter().map(move |value| (value as f64 / sum as f64) as f32).collect::<Vec<f32>>()
    };
    let probabilities = labels.iter().enumerate().flat_map(row).collect();
    (labels, probabilities)
}

fn decisions(probabilities: &[f32]) -> Vec<Label> {
    let head = Head::new(CLASSES);
    probabilities.chunks(CLASSES).map(|row| head.decision(row.iter().copied(), 0.5)).collect()
}

fn assert_all_close(found: &[Option<f64>], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_abs_diff_eq!(found.unwrap(), *expected, epsilon = 1e-12);
    }
}

/// The numbers are those of scikit-learn 1.9.1: `confusion_matrix`, `precision_recall_fscore_support`,
/// `top_k_accuracy_score`, and `roc_auc_score` of each class against the rest.
#[test]
fn the_measures_agree_with_scikit_learn() {
    let (labels, probabilities) = answers();
    let matrix = ConfusionMatrix::new(CLASSES, &labels, &decisions(&probabilities));
    let all = || (0..CLASSES).map(Label::new);
    let counts: Vec<usize> =
        all().flat_map(|label| all().map(move |answer| (label, answer))).map(|(l, a)| matrix.count(l, a)).collect();
    assert_eq!(counts, [2, 1, 1, 1, 0, 3, 0, 1, 0, 0, 4, 0, 0, 0, 0, 2]);
    assert_all_close(&[matrix.accuracy()], &[0.7333333333333333]);

    let of = |measure: fn(&ClassMeasures) -> Option<f64>| -> Vec<Option<f64>> {
        all().map(|label| measure(&matrix.class(label))).collect()
    };
    assert_all_close(&of(ClassMeasures::precision), &[1.0, 0.75, 0.8, 0.5]);
    assert_all_close(&of(ClassMeasures::recall), &[0.4, 0.75, 1.0, 1.0]);
    assert_all_close(&of(ClassMeasures::f1), &[0.5714285714285714, 0.75, 0.8888888888888888, 0.6666666666666666]);
    assert_eq!(all().map(|label| matrix.class(label).support()).collect::<Vec<usize>>(), [5, 4, 4, 2]);

    let listed = |Means { precision, recall, f1 }: Means| [precision, recall, f1];
    assert_all_close(&listed(matrix.macro_means()), &[0.7625, 0.7875, 0.7192460317460317]);
    assert_all_close(&listed(matrix.weighted_means()), &[0.8133333333333332, 0.7333333333333333, 0.7164021164021164]);

    let top = |k: usize| top_k_accuracy(&labels, &probabilities, CLASSES, k);
    assert_all_close(&[top(1), top(2), top(3)], &[0.7333333333333333, 0.8666666666666667, 0.9333333333333333]);
    let areas = one_vs_rest_roc_auc(&labels, &probabilities, CLASSES);
    assert_all_close(&areas, &[0.76, 1.0, 0.9772727272727273, 0.7692307692307693]);
}

#[test]
fn intervals_hold_their_measures_and_that_of_f1_is_of_a_share() {
    let class = ClassMeasures { true_positive: 6, false_positive: 1, false_negative: 3 };
    for (measure, interval) in [
        (class.precision(), class.precision_interval()),
        (class.recall(), class.recall_interval()),
        (class.f1(), class.f1_interval()),
    ] {
        let (measure, interval) = (measure.unwrap(), interval.unwrap());
        assert!(0.0 < interval.low && interval.low < measure && measure < interval.high && interval.high < 1.0);
    }
    let of_j = wilson(6, 10).unwrap();
    assert_abs_diff_eq!(class.f1_interval().unwrap().low, 2.0 * of_j.low / (1.0 + of_j.low), epsilon = 1e-15);
    let none = ClassMeasures { true_positive: 0, false_positive: 0, false_negative: 0 };
    assert_eq!((none.precision_interval(), none.recall_interval(), none.f1_interval()), (None, None, None));
}

#[test]
fn what_would_divide_by_zero_is_none_and_so_is_a_mean_of_it() {
    // Class 2 has an image that is taken for another; nothing is of class 3, and nothing taken for it.
    let [labels, answers] = [[0, 1, 2], [0, 1, 1]].map(|indices| indices.map(Label::new));
    let matrix = ConfusionMatrix::new(4, &labels, &answers);
    let [missed, absent] = [2, 3].map(|class| matrix.class(Label::new(class)));
    assert_eq!((missed.precision(), missed.recall(), missed.f1()), (None, Some(0.0), Some(0.0)));
    assert_eq!((absent.precision(), absent.recall(), absent.f1()), (None, None, None));
    assert_eq!(matrix.macro_means(), Means { precision: None, recall: None, f1: None });
    // The absent class weighs nothing.
    let Means { precision, recall, f1 } = matrix.weighted_means();
    assert_eq!((precision, recall), (None, Some(2.0 / 3.0)));
    assert_abs_diff_eq!(f1.unwrap(), (1.0 + 2.0 / 3.0) / 3.0, epsilon = 1e-15);

    let none = ConfusionMatrix::new(3, &[], &[]);
    assert_eq!((none.accuracy(), none.weighted_means().f1, top_k_accuracy(&[], &[], 3, 1)), (None, None, None));
    assert_eq!(one_vs_rest_roc_auc(&[Label::new(1)], &[0.2, 0.5, 0.3], 3), [None, None, None]);
    assert_eq!(top_k_accuracy(&[Label::new(1)], &[0.2, f32::NAN, 0.3], 3, 3), None);
}

#[test]
fn of_equal_probabilities_the_first_class_ranks_higher() {
    let probabilities = [0.25, 0.375, 0.375];
    let top = |class: usize, k: usize| top_k_accuracy(&[Label::new(class)], &probabilities, 3, k);
    assert_eq!((top(1, 1), top(2, 1), top(2, 2), top(0, 2)), (Some(1.0), Some(0.0), Some(1.0), Some(0.0)));
}

proptest! {
    #[test]
    fn the_first_rank_is_the_decision_and_the_last_holds_everything(
        images in proptest::collection::vec((0..CLASSES, [0u8..6, 0u8..6, 0u8..6, 0u8..6]), 1..40)
    ) {
        let labels: Vec<Label> = images.iter().map(|(label, _)| Label::new(*label)).collect();
        let probabilities: Vec<f32> = images.iter().flat_map(|(_, row)| row.map(|step| f32::from(step) / 6.0)).collect();
        let answers = decisions(&probabilities);
        let accuracy = accuracy(&labels, answers.iter().copied());
        prop_assert_eq!(top_k_accuracy(&labels, &probabilities, CLASSES, 1), accuracy);
        prop_assert_eq!(top_k_accuracy(&labels, &probabilities, CLASSES, CLASSES), Some(1.0));

        let matrix = ConfusionMatrix::new(CLASSES, &labels, &answers);
        prop_assert_eq!(matrix.total(), labels.len());
        prop_assert_eq!(matrix.accuracy(), accuracy);
        // The recalls, weighted by the images, are the accuracy.
        prop_assert!((matrix.weighted_means().recall.unwrap() - accuracy.unwrap()).abs() < 1e-12);
    }
}
