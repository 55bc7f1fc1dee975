//! How sure the area under the ROC curve is.

use super::roc::ascending;
use crate::classes::Label;
use crate::metrics::interval::{Interval, Z};

/// Why there is no interval around an area under the ROC curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAucInterval {
    /// There is no area: a class has no image, or a probability is NaN.
    NoArea,
    /// A class has one image only, whose spread cannot be measured.
    OneImage {
        /// The class.
        class: Label,
    },
    /// No image differs from its like in how many of the other class it beats, as when the order is perfect.
    /// The variance is then estimated as 0, and the interval as a point; but few images are no certainty.
    NoSpread,
}

/// The 95 % interval around [`roc_auc`](super::roc_auc), from DeLong's variance, on the scale of the logit.
///
/// With ψ(x, y) = 1 for x > y, ½ for x = y and 0 otherwise, every one of the m positives X and n negatives Y
/// has a placement, the share of the other class that it beats or is beaten by:
///
/// > V(Xᵢ) = (1/n)·Σⱼ ψ(Xᵢ, Yⱼ)  V(Yⱼ) = (1/m)·Σᵢ ψ(Xᵢ, Yⱼ)
///
/// Both have the mean A, the area. With S_X and S_Y their sample variances (divided by m − 1 and n − 1),
///
/// > var A = S_X/m + S_Y/n
///
/// A itself is far from normal near 1, and A ∓ z·√var would leave [0, 1]; its logit l = ln(A/(1 − A)) is
/// nearer to normal. By the delta method var l = var A/(A(1 − A))², and the interval is σ(l ∓ z·√var l).
///
/// The images are taken for independent. Sources: E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson,
/// *Comparing the areas under two or more correlated receiver operating characteristic curves: a
/// nonparametric approach*, Biometrics 44, 1988; for the scale G. Qin, L. Hotilovac, *Comparison of
/// non-parametric confidence intervals for the area under the ROC curve of a continuous-scale diagnostic
/// test*, Statistical Methods in Medical Research 17, 2008.
///
/// # Errors
/// [`NoAucInterval`], where there is none.
///
/// # Panics
/// If there are not as many labels as probabilities.
pub fn roc_auc_interval<P: Copy + Into<f64>>(labels: &[Label], probabilities: &[P]) -> Result<Interval, NoAucInterval> {
    let answers = ascending(labels, probabilities).ok_or(NoAucInterval::NoArea)?;
    let placements = Placements::of(&answers);
    let [negatives, positives] = placements.doubled.each_ref().map(Vec::len);
    match [negatives, positives] {
        [0, _] | [_, 0] => return Err(NoAucInterval::NoArea),
        [1, _] => return Err(NoAucInterval::OneImage { class: Label::NEGATIVE }),
        [_, 1] => return Err(NoAucInterval::OneImage { class: Label::POSITIVE }),
        _ => {}
    }
    let variance = placements.variance_of_mean(0) + placements.variance_of_mean(1);
    let area = placements.area();
    if variance == 0.0 || area == 0.0 || area == 1.0 {
        return Err(NoAucInterval::NoSpread);
    }
    let logit = (area / (1.0 - area)).ln();
    let reach = Z * variance.sqrt() / (area * (1.0 - area));
    let sigmoid = |z: f64| 1.0 / (1.0 + (-z).exp());
    Ok(Interval { low: sigmoid(logit - reach), high: sigmoid(logit + reach) })
}

/// For each image how many of the other class are on the right side of it, a tie counting half.
struct Placements {
    /// Twice these numbers, so that they are whole and their differences exact: of the negatives, and of the
    /// positives.
    doubled: [Vec<u64>; 2],
}

impl Placements {
    /// Of answers in ascending order.
    fn of(answers: &[(f64, bool)]) -> Placements {
        let positives = answers.iter().filter(|(_, positive)| *positive).count() as u64;
        let mut below = [0u64; 2]; // negatives and positives below the present tie
        let mut doubled = [Vec::new(), Vec::new()];
        for tie in answers.chunk_by(|a, b| a.0 == b.0) {
            let tied_positives = tie.iter().filter(|(_, positive)| *positive).count();
            let tied = [tie.len() - tied_positives, tied_positives];
            let above = positives - below[1] - tied[1] as u64;
            doubled[0].extend(std::iter::repeat_n(2 * above + tied[1] as u64, tied[0]));
            doubled[1].extend(std::iter::repeat_n(2 * below[0] + tied[0] as u64, tied[1]));
            below = [below[0] + tied[0] as u64, below[1] + tied[1] as u64];
        }
        Placements { doubled }
    }

    /// The area: the share of all pairs.
    fn area(&self) -> f64 {
        let [negatives, positives] = self.doubled.each_ref().map(Vec::len);
        self.doubled[1].iter().sum::<u64>() as f64 / (2 * negatives * positives) as f64
    }

    /// S/k, the sample variance of the k placements of a class over k; 0 exactly where they are all the same.
    fn variance_of_mean(&self, class: usize) -> f64 {
        let placements = &self.doubled[class];
        let (count, others) = (placements.len() as f64, self.doubled[1 - class].len() as f64);
        let sum: u64 = placements.iter().sum();
        // Each difference from the mean, times 2·count·others, is a whole number.
        let scale = 2.0 * count * others;
        let squares = placements.iter().map(|&placement| {
            let difference = i128::from(placement) * placements.len() as i128 - i128::from(sum);
            (difference as f64 / scale).powi(2)
        });
        squares.sum::<f64>() / (count - 1.0) / count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::roc_auc;
    use approx::assert_abs_diff_eq;
    use proptest::prelude::*;

    /// DeLong's variance as it is written, pair by pair.
    fn variance_by_pairs(labels: &[Label], probabilities: &[f64]) -> f64 {
        let of = |class: Label| -> Vec<f64> {
            labels.iter().zip(probabilities).filter(|(label, _)| **label == class).map(|(_, p)| *p).collect()
        };
        let (x, y) = (of(Label::POSITIVE), of(Label::NEGATIVE));
        let psi = |x: f64, y: f64| if x > y { 1.0 } else { f64::from(u8::from(x == y)) / 2.0 };
        let v_x: Vec<f64> = x.iter().map(|&x| y.iter().map(|&y| psi(x, y)).sum::<f64>() / y.len() as f64).collect();
        let v_y: Vec<f64> = y.iter().map(|&y| x.iter().map(|&x| psi(x, y)).sum::<f64>() / x.len() as f64).collect();
        let of_mean = |v: &[f64]| {
            let mean = v.iter().sum::<f64>() / v.len() as f64;
            v.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (v.len() as f64 - 1.0) / v.len() as f64
        };
        of_mean(&v_x) + of_mean(&v_y)
    }

    #[test]
    fn the_interval_of_a_small_set_agrees_with_one_by_hand_and_with_numpy() {
        let labels = [1, 1, 1, 1, 1, 0, 0, 0].map(Label::new);
        let probabilities = [0.9, 0.8, 0.6, 0.4, 0.3, 0.7, 0.4, 0.1];
        // Placements of the positives 1, 1, 2/3, 1/2, 1/3, of the negatives 2/5, 7/10, 1; both have the mean
        // 7/10. S_X = (0.09 + 0.09 + 1/900 + 0.04 + 121/900)/4 = 0.0888…, S_Y = (0.09 + 0 + 0.09)/2 = 0.09.
        let by_hand = (0.22 + 122.0 / 900.0) / 4.0 / 5.0 + 0.09 / 3.0;
        let placements = Placements::of(&ascending(&labels, &probabilities).unwrap());
        assert_abs_diff_eq!(placements.variance_of_mean(0) + placements.variance_of_mean(1), by_hand, epsilon = 1e-15);
        assert_abs_diff_eq!(by_hand, 0.04777777777777778, epsilon = 1e-15);
        let interval = roc_auc_interval(&labels, &probabilities).unwrap();
        assert_abs_diff_eq!(interval.low, 0.2327662758655797, epsilon = 1e-12);
        assert_abs_diff_eq!(interval.high, 0.9472176657617208, epsilon = 1e-12);
    }

    #[test]
    fn the_interval_of_a_larger_set_with_ties_agrees_with_numpy() {
        let labels: Vec<Label> = (0..60).map(|i| Label::new(usize::from(i % 3 != 0))).collect();
        let probabilities: Vec<f64> = (0..60usize)
            .zip(&labels)
            .map(|(i, label)| ((i * 37 % 101 / 5) as f64 + 4.0 * label.index() as f64) / 30.0)
            .collect();
        assert_abs_diff_eq!(roc_auc(&labels, &probabilities).unwrap(), 0.6775, epsilon = 1e-12);
        let interval = roc_auc_interval(&labels, &probabilities).unwrap();
        assert_abs_diff_eq!(interval.low, 0.5204893170664621, epsilon = 1e-12);
        assert_abs_diff_eq!(interval.high, 0.8025976729413493, epsilon = 1e-12);
    }

    #[test]
    fn where_there_is_no_honest_interval_there_is_none() {
        let none = |labels: &[usize], probabilities: &[f64]| {
            let labels: Vec<Label> = labels.iter().copied().map(Label::new).collect();
            roc_auc_interval(&labels, probabilities).unwrap_err()
        };
        assert_eq!(none(&[], &[]), NoAucInterval::NoArea);
        assert_eq!(none(&[1, 1], &[0.1, 0.2]), NoAucInterval::NoArea);
        assert_eq!(none(&[1, 0], &[0.1, f64::NAN]), NoAucInterval::NoArea);
        assert_eq!(none(&[1, 1, 0], &[0.1, 0.2, 0.15]), NoAucInterval::OneImage { class: Label::NEGATIVE });
        assert_eq!(none(&[1, 0, 0], &[0.1, 0.2, 0.05]), NoAucInterval::OneImage { class: Label::POSITIVE });
        let labels = [0, 0, 0, 1, 1, 1];
        for probabilities in [[0.1, 0.2, 0.3, 0.7, 0.8, 0.9], [0.7, 0.8, 0.9, 0.1, 0.2, 0.3], [0.4; 6]] {
            assert_eq!(none(&labels, &probabilities), NoAucInterval::NoSpread);
        }
    }

    proptest! {
        #[test]
        fn the_variance_agrees_with_one_taken_pair_by_pair(
            answers in proptest::collection::vec((any::<bool>(), 0u8..40), 4..80)
        ) {
            let (labels, probabilities): (Vec<Label>, Vec<f64>) =
                answers.iter().map(|&(label, step)| (Label::new(usize::from(label)), f64::from(step) / 39.0)).unzip();
            let counts = [Label::NEGATIVE, Label::POSITIVE].map(|class| labels.iter().filter(|label| **label == class).count());
            prop_assume!(counts.iter().all(|&count| count >= 2));
            let placements = Placements::of(&ascending(&labels, &probabilities).unwrap());
            let variance = placements.variance_of_mean(0) + placements.variance_of_mean(1);
            prop_assert!((variance - variance_by_pairs(&labels, &probabilities)).abs() < 1e-12);
            let area = roc_auc(&labels, &probabilities).unwrap();
            prop_assert!((placements.area() - area).abs() < 1e-12);
            if let Ok(Interval { low, high }) = roc_auc_interval(&labels, &probabilities) {
                prop_assert!(0.0 < low && low < area && area < high && high < 1.0, "{low} {area} {high}");
            }
        }
    }
}
