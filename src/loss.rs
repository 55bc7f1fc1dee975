//! Sigmoid and binary cross-entropy, taken together on logits: the value and its gradient.
//!
//! With p = σ(z) = 1/(1 + e⁻ᶻ) the probability of class 1, a sample's loss is
//! −y·ln p − (1 − y)·ln(1 − p) = max(z, 0) − z·y + ln(1 + e^−|z|), and its derivative by z is p − y. The form on the right has
//! no logarithm of a rounded 0 and no exponential that overflows. Sums are taken in f64: they are short.

/// σ(z) = 1/(1 + e⁻ᶻ), without overflow.
pub fn sigmoid(z: f64) -> f64 {
    if z >= 0.0 {
        1.0 / (1.0 + (-z).exp())
    } else {
        let e = z.exp();
        e / (1.0 + e)
    }
}

/// The probability of class 1 that a logit stands for, as the program reports it and compares it with a threshold.
pub fn probability(logit: f32) -> f32 {
    sigmoid(f64::from(logit)) as f32
}

/// The mean loss of a batch of N logits and labels (0 or 1), in nats. Not finite where a logit is not.
///
/// # Panics
/// If there is not a label for each logit.
pub fn binary_cross_entropy(logits: &[f32], labels: &[f32]) -> f64 {
    assert_eq!(logits.len(), labels.len(), "a label for each logit");
    let sum: f64 = logits.iter().zip(labels).map(|(&z, &y)| sample_loss(f64::from(z), f64::from(y))).sum();
    sum / logits.len() as f64
}

/// Writes ∂(mean loss)/∂z = (σ(z) − y)/N for each of the N logits.
///
/// # Panics
/// If there is not a label and a place for the gradient for each logit.
pub fn binary_cross_entropy_gradient(logits: &[f32], labels: &[f32], gradient: &mut [f32]) {
    assert!(logits.len() == labels.len() && logits.len() == gradient.len(), "a label and a gradient for each logit");
    for ((g, &z), &y) in gradient.iter_mut().zip(logits).zip(labels) {
        *g = ((sigmoid(f64::from(z)) - f64::from(y)) / logits.len() as f64) as f32;
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
    fn huge_logits_give_finite_losses_and_a_nan_shows() {
        assert_eq!(binary_cross_entropy(&[1e4, -1e4], &[1.0, 0.0]), 0.0);
        assert_eq!(binary_cross_entropy(&[1e4, -1e4], &[0.0, 1.0]), 1e4);
        assert!(binary_cross_entropy(&[f32::NAN, 0.0], &[0.0, 1.0]).is_nan());
        assert_eq!((sigmoid(-1e4), sigmoid(1e4)), (0.0, 1.0));
    }
}
