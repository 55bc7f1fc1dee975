//! Sigmoid and binary cross-entropy, taken together on logits: the value and its gradient.
//!
//! With p = σ(z) = 1/(1 + e⁻ᶻ) the probability of class 1, a sample's loss is −y·ln p − (1 − y)·ln(1 − p) =
//! max(z, 0) − z·y + ln(1 + e^−|z|), and its derivative by z is p − y. The form on the right has no logarithm
//! of a rounded 0 and no exponential that overflows. Sums are taken in f64: they are short.
//!
//! Classes may weigh differently. With w the weight of a sample's class, a batch of N has
//!
//! ```text
//! L = Σ w·loss / N        ∂L/∂z = w·(p − y) / N
//! ```
//!
//! where N counts images and not weights: Keras's `class_weight` with its reduction `sum_over_batch_size`.

use serde::{Deserialize, Serialize};

/// σ(z) = 1/(1 + e⁻ᶻ), without overflow.
pub fn sigmoid(z: f64) -> f64 {
    if z >= 0.0 {
        1.0 / (1.0 + (-z).exp())
    } else {
        let e = z.exp();
        e / (1.0 + e)
    }
}

/// The probability of class 1 that a logit stands for, as the program reports it and compares it with a
/// threshold.
pub fn probability(logit: f32) -> f32 {
    sigmoid(f64::from(logit)) as f32
}

/// What a sample's loss is multiplied by, by the index of its class.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassWeights(pub [f64; 2]);

impl ClassWeights {
    /// Every sample counts as one. Products with 1 are exact, so this is the loss without weights to the last
    /// bit.
    pub const NONE: ClassWeights = ClassWeights([1.0, 1.0]);

    /// n / (2·n_class), with which both classes count for half of the n samples however many each has: the
    /// rule that scikit-learn calls `balanced`. `counts` are n_0 and n_1; a class without samples gets weight
    /// 1, which nothing meets.
    pub fn balanced(counts: [usize; 2]) -> ClassWeights {
        let all = counts[0] + counts[1];
        ClassWeights(counts.map(|count| if count == 0 { 1.0 } else { all as f64 / (2 * count) as f64 }))
    }

    /// The weight of a sample with this label, 0 or 1.
    fn of(self, label: f32) -> f64 {
        self.0[usize::from(label > 0.5)]
    }
}

/// The mean loss of a batch of N logits and labels (0 or 1), in nats. Not finite where a logit is not.
///
/// # Panics
/// If there is not a label for each logit.
pub fn binary_cross_entropy(logits: &[f32], labels: &[f32]) -> f64 {
    weighted_binary_cross_entropy(logits, labels, ClassWeights::NONE)
}

/// [`binary_cross_entropy`] with class weights: Σ w·loss / N, which is no mean of the weights' own.
///
/// # Panics
/// If there is not a label for each logit.
pub fn weighted_binary_cross_entropy(logits: &[f32], labels: &[f32], weights: ClassWeights) -> f64 {
    assert_eq!(logits.len(), labels.len(), "a label for each logit");
    let loss = |(&z, &y): (&f32, &f32)| weights.of(y) * sample_loss(f64::from(z), f64::from(y));
    let sum: f64 = logits.iter().zip(labels).map(loss).sum();
    sum / logits.len() as f64
}

/// Writes ∂(mean loss)/∂z = (σ(z) − y)/N for each of the N logits.
///
/// # Panics
/// If there is not a label and a place for the gradient for each logit.
pub fn binary_cross_entropy_gradient(logits: &[f32], labels: &[f32], gradient: &mut [f32]) {
    weighted_binary_cross_entropy_gradient(logits, labels, ClassWeights::NONE, gradient);
}

/// [`binary_cross_entropy_gradient`] with class weights: w·(σ(z) − y)/N.
///
/// # Panics
/// If there is not a label and a place for the gradient for each logit.
pub fn weighted_binary_cross_entropy_gradient(
    logits: &[f32],
    labels: &[f32],
    weights: ClassWeights,
    gradient: &mut [f32],
) {
    assert!(logits.len() == labels.len() && logits.len() == gradient.len(), "a label and a gradient for each logit");
    for ((g, &z), &y) in gradient.iter_mut().zip(logits).zip(labels) {
        *g = (weights.of(y) * (sigmoid(f64::from(z)) - f64::from(y)) / logits.len() as f64) as f32;
    }
}

fn sample_loss(z: f64, y: f64) -> f64 {
    // `f64::max` would turn a NaN into 0; a comparison keeps it.
    let positive_part = if z < 0.0 { 0.0 } else { z };
    positive_part - z * y + (-z.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    #[test]
    fn the_loss_is_minus_the_logarithm_of_the_right_answers_probability() {
        let loss = binary_cross_entropy(&[0.0, 2.0], &[1.0, 0.0]);
        let expected = (2f64.ln() - (1.0 - sigmoid(2.0)).ln()) / 2.0;
        assert_abs_diff_eq!(loss, expected, epsilon = 1e-15);
        let mut gradient = [f32::NAN; 2];
        binary_cross_entropy_gradient(&[0.0, 2.0], &[1.0, 0.0], &mut gradient);
        assert_eq!(gradient, [-0.25, (sigmoid(2.0) / 2.0) as f32]);
    }

    #[test]
    fn balanced_weights_let_each_class_count_for_half_and_the_batch_is_divided_by_its_images() {
        // As in data of 33 and 103.
        let ClassWeights([rare, common]) = ClassWeights::balanced([33, 103]);
        assert_eq!((rare, common), (136.0 / 66.0, 136.0 / 206.0));
        assert_abs_diff_eq!(33.0 * rare, 103.0 * common, epsilon = 1e-12);
        assert_eq!(ClassWeights::balanced([8, 8]), ClassWeights::NONE);
        assert_eq!(ClassWeights::balanced([0, 5]).0, [1.0, 0.5]);

        let (logits, labels, weights) = ([0.0, 2.0, -1.0], [1.0, 0.0, 1.0], ClassWeights([3.0, 0.5]));
        let single = |i: usize| binary_cross_entropy(&logits[i..=i], &labels[i..=i]);
        let expected = (0.5 * single(0) + 3.0 * single(1) + 0.5 * single(2)) / 3.0;
        assert_abs_diff_eq!(weighted_binary_cross_entropy(&logits, &labels, weights), expected, epsilon = 1e-15);
        let mut gradient = [f32::NAN; 3];
        weighted_binary_cross_entropy_gradient(&logits, &labels, weights, &mut gradient);
        let of = |w: f64, z: f64, y: f64| (w * (sigmoid(z) - y) / 3.0) as f32;
        assert_eq!(gradient, [of(0.5, 0.0, 1.0), of(3.0, 2.0, 0.0), of(0.5, -1.0, 1.0)]);
    }

    #[test]
    fn huge_logits_give_finite_losses_and_a_nan_shows() {
        assert_eq!(binary_cross_entropy(&[1e4, -1e4], &[1.0, 0.0]), 0.0);
        assert_eq!(binary_cross_entropy(&[1e4, -1e4], &[0.0, 1.0]), 1e4);
        assert!(binary_cross_entropy(&[f32::NAN, 0.0], &[0.0, 1.0]).is_nan());
        assert_eq!((sigmoid(-1e4), sigmoid(1e4)), (0.0, 1.0));
    }
}
