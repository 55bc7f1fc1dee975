//! The ROC curve and its area.
//!
//! Both see nothing of the probabilities but their order, which no threshold and no calibration changes.

use crate::classes::Label;

/// The area under the ROC curve: the chance that a positive drawn at random gets a higher probability than a
/// negative drawn at random, a tie counting half. ½ is guessing, 1 a perfect order; no threshold is involved.
///
/// By ranks (Mann and Whitney's U): with the probabilities ranked from 1 upwards, tied ones sharing their
/// mean rank, and R the sum of the ranks of the n₁ positives among n₁ + n₀ images,
///
/// > AUC = (R − n₁(n₁ + 1)/2) / (n₁·n₀)
///
/// `None` with images of one class only, or when a probability is NaN, which has no rank. Source: J. A.
/// Hanley, B. J. McNeil, *The meaning and use of the area under a ROC curve*, Radiology 143, 1982.
///
/// # Panics
/// If there are not as many labels as probabilities.
pub fn roc_auc<P: Copy + Into<f64>>(labels: &[Label], probabilities: &[P]) -> Option<f64> {
    let answers = ascending(labels, probabilities)?;
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

/// A point of the ROC curve: the shares of both classes that a threshold answers with positive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RocPoint {
    /// 1 − specificity: FP / (FP + TN).
    pub false_positive_rate: f64,
    /// Sensitivity: TP / (TP + FN).
    pub true_positive_rate: f64,
}

/// The ROC curve: the points of all thresholds, from the highest, (0, 0), to the lowest, (1, 1). Between two
/// probabilities that follow each other every threshold gives the same point, so there is one more than there
/// are different probabilities. Joined by straight lines, they enclose the area of [`roc_auc`]: a tie of both
/// classes is a slope.
///
/// `None` where [`roc_auc`] is. Source: T. Fawcett, *An introduction to ROC analysis*, Pattern Recognition
/// Letters 27, 2006.
///
/// # Panics
/// If there are not as many labels as probabilities.
pub fn roc_curve<P: Copy + Into<f64>>(labels: &[Label], probabilities: &[P]) -> Option<Vec<RocPoint>> {
    let answers = ascending(labels, probabilities)?;
    let positives = answers.iter().filter(|(_, positive)| *positive).count();
    let negatives = answers.len() - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    let (mut true_positives, mut false_positives) = (0, 0);
    let mut curve = vec![RocPoint { false_positive_rate: 0.0, true_positive_rate: 0.0 }];
    for tie in answers.chunk_by(|a, b| a.0 == b.0).rev() {
        let found = tie.iter().filter(|(_, positive)| *positive).count();
        true_positives += found;
        false_positives += tie.len() - found;
        curve.push(RocPoint {
            false_positive_rate: false_positives as f64 / negatives as f64,
            true_positive_rate: true_positives as f64 / positives as f64,
        });
    }
    Some(curve)
}

/// Each probability, and whether it is that of a positive, from the lowest; `None` if one is NaN, which has
/// no place.
pub(super) fn ascending<P: Copy + Into<f64>>(labels: &[Label], probabilities: &[P]) -> Option<Vec<(f64, bool)>> {
    assert_eq!(labels.len(), probabilities.len(), "as many labels as probabilities");
    let mut answers: Vec<(f64, bool)> = probabilities
        .iter()
        .zip(labels)
        .map(|(&probability, &label)| (probability.into(), label == Label::POSITIVE))
        .collect();
    if answers.iter().any(|(probability, _)| probability.is_nan()) {
        return None;
    }
    answers.sort_by(|a, b| a.0.total_cmp(&b.0));
    Some(answers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Five positives, three negatives; at ½: TP 3, FN 2, FP 1, TN 2.
    const LABELS: [Label; 8] = {
        let [negative, positive] = [Label::NEGATIVE, Label::POSITIVE];
        [positive, positive, positive, positive, positive, negative, negative, negative]
    };
    const PROBABILITIES: [f32; 8] = [0.9, 0.8, 0.6, 0.4, 0.3, 0.7, 0.4, 0.1];

    #[test]
    fn the_roc_area_counts_the_pairs_in_the_right_order_and_ties_as_half() {
        // Of the 5·3 pairs: 0.9 and 0.8 beat all three negatives, 0.6 beats two, 0.4 beats one and ties one,
        // 0.3 beats one: 3 + 3 + 2 + 1½ + 1 = 10½.
        assert_eq!(roc_auc(&LABELS, &PROBABILITIES), Some(10.5 / 15.0));
    }

    #[test]
    fn the_roc_area_is_one_for_a_perfect_order_zero_for_its_reverse_and_half_when_all_are_tied() {
        assert_eq!(roc_auc(&[0, 1, 1].map(Label::new), &[0.1, 0.2, 0.3]), Some(1.0));
        assert_eq!(roc_auc(&[1, 0, 0].map(Label::new), &[0.1, 0.2, 0.3]), Some(0.0));
        assert_eq!(roc_auc(&[1, 0, 0].map(Label::new), &[0.5, 0.5, 0.5]), Some(0.5));
        assert_eq!(roc_auc(&[1, 0].map(Label::new), &[-0.0, 0.0]), Some(0.5));
    }

    #[test]
    fn the_roc_area_needs_both_classes_and_probabilities_with_a_rank() {
        assert_eq!(roc_auc(&[1, 1].map(Label::new), &[0.1, 0.2]), None);
        assert_eq!(roc_auc::<f64>(&[], &[]), None);
        assert_eq!(roc_auc(&[1, 0].map(Label::new), &[f32::NAN, 0.2]), None);
    }

    #[test]
    fn the_curve_agrees_with_one_by_hand_and_a_tie_of_both_classes_is_a_slope() {
        let curve = roc_curve(&LABELS, &PROBABILITIES).unwrap();
        let points: Vec<(f64, f64)> =
            curve.iter().map(|point| (3.0 * point.false_positive_rate, 5.0 * point.true_positive_rate)).collect();
        // From above: 0.9, 0.8 positive; 0.7 negative; 0.6 positive; 0.4 one of each; 0.3 positive; 0.1
        // negative.
        let by_hand = [(0.0, 0.0), (0.0, 1.0), (0.0, 2.0), (1.0, 2.0), (1.0, 3.0), (2.0, 4.0), (2.0, 5.0), (3.0, 5.0)];
        assert_eq!(points, by_hand);
        assert_eq!(roc_curve(&[Label::POSITIVE], &[0.5]), None);
    }

    /// Labels, and probabilities of which many are equal.
    fn answers() -> impl Strategy<Value = (Vec<Label>, Vec<f64>)> {
        proptest::collection::vec((any::<bool>(), 0u8..12), 2..60)
            .prop_map(|answers| {
                answers.iter().map(|&(label, step)| (Label::new(usize::from(label)), f64::from(step) / 11.0)).unzip()
            })
            .prop_filter("both classes", |(labels, _): &(Vec<Label>, Vec<f64>)| {
                labels.contains(&Label::NEGATIVE) && labels.contains(&Label::POSITIVE)
            })
    }

    proptest! {
        #[test]
        fn the_roc_area_is_the_share_of_pairs_in_the_right_order((labels, probabilities) in answers()) {
            let of = |class: Label| {
                let pairs = labels.iter().zip(&probabilities);
                pairs.filter(move |(label, _)| **label == class).map(|(_, probability)| *probability)
            };
            let halves: u64 = of(Label::POSITIVE)
                .flat_map(|high| of(Label::NEGATIVE).map(move |low| 2 * u64::from(high > low) + u64::from(high == low)))
                .sum();
            let pairs = of(Label::POSITIVE).count() * of(Label::NEGATIVE).count();
            let auc = roc_auc(&labels, &probabilities).unwrap();
            prop_assert!((auc - halves as f64 / (2 * pairs) as f64).abs() < 1e-12);
        }

        #[test]
        fn the_roc_area_stays_when_the_probabilities_keep_their_order((labels, probabilities) in answers()) {
            let auc = roc_auc(&labels, &probabilities);
            for map in [|p: f64| p.powi(3) - 7.0, |p: f64| (5.0 * p).exp(), |p: f64| p / 3.0 + 0.5] {
                let mapped: Vec<f64> = probabilities.iter().map(|&p| map(p)).collect();
                prop_assert_eq!(roc_auc(&labels, &mapped), auc);
            }
            let turned: Vec<f64> = probabilities.iter().map(|p| 1.0 - p).collect();
            prop_assert!((roc_auc(&labels, &turned).unwrap() - (1.0 - auc.unwrap())).abs() < 1e-12);
        }

        #[test]
        fn the_area_under_the_curve_is_the_roc_area((labels, probabilities) in answers()) {
            let curve = roc_curve(&labels, &probabilities).unwrap();
            let trapezia = curve.windows(2).map(|ends| {
                let [from, to] = [ends[0], ends[1]];
                (to.false_positive_rate - from.false_positive_rate) * (from.true_positive_rate + to.true_positive_rate) / 2.0
            });
            prop_assert!((trapezia.sum::<f64>() - roc_auc(&labels, &probabilities).unwrap()).abs() < 1e-12);
            prop_assert_eq!(curve[curve.len() - 1], RocPoint { false_positive_rate: 1.0, true_positive_rate: 1.0 });
        }
    }
}
