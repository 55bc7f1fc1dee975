//! The softmax of a row of logits, and its log-sum-exp.
//!
//! With m the largest logit, p_k = e^(z_k − m) / Σ_j e^(z_j − m), and ln Σ_j e^(z_j) = m + ln Σ_j e^(z_j −
//! m). No exponential is above 1, so none overflows, and the sum is at least 1. Sums are taken in f64: they
//! are short.

/// The softmax of a row of logits, without the row: each probability is computed when it is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Softmax {
    /// m, the largest logit.
    largest: f64,
    /// Σ e^(z_j − m) over all logits but the first largest, whose term is 1.
    others: f64,
}

impl Softmax {
    /// Prepares a row of K logits. Where one is NaN, all that follows is.
    ///
    /// # Panics
    /// If the row is empty.
    pub fn new(logits: &[f32]) -> Softmax {
        let first = argmax(logits.iter().copied());
        let largest = f64::from(logits[first]);
        let term = |(place, &z): (usize, &f32)| if place == first { 0.0 } else { (f64::from(z) - largest).exp() };
        Softmax { largest, others: logits.iter().enumerate().map(term).sum() }
    }

    /// Returns p_k, the probability of the class with this logit of the row.
    pub fn probability(&self, logit: f32) -> f64 {
        (f64::from(logit) - self.largest).exp() / (1.0 + self.others)
    }

    /// Returns −ln p_k = m − z_k + ln(1 + Σ e^(z_j − m)), in nats: the loss of a sample whose class has this
    /// logit.
    pub fn loss(&self, logit: f32) -> f64 {
        self.largest - f64::from(logit) + self.others.ln_1p()
    }
}

/// Returns the index of the largest value, of equal ones the first. A NaN is chosen only where there is
/// nothing else.
pub fn argmax(values: impl IntoIterator<Item = f32>) -> usize {
    let larger = |best: (usize, f32), value: (usize, f32)| {
        if value.1 > best.1 || (best.1.is_nan() && !value.1.is_nan()) { value } else { best }
    };
    values.into_iter().enumerate().reduce(larger).map_or(0, |(place, _)| place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn probabilities_and_losses_are_those_of_the_definition() {
        let logits = [0.5f32, -1.25, 2.0, 0.0];
        let softmax = Softmax::new(&logits);
        let sum: f64 = logits.iter().map(|&z| f64::from(z).exp()).sum();
        for z in logits {
            assert_relative_eq!(softmax.probability(z), f64::from(z).exp() / sum, max_relative = 1e-15);
            assert_relative_eq!(softmax.loss(z), -(f64::from(z).exp() / sum).ln(), max_relative = 1e-14);
        }
    }

    #[test]
    fn huge_logits_overflow_nowhere_and_a_sure_answer_keeps_its_small_loss() {
        let softmax = Softmax::new(&[1e30, -1e30, 0.0]);
        assert_eq!((softmax.probability(1e30), softmax.probability(-1e30)), (1.0, 0.0));
        assert_eq!((softmax.loss(1e30), softmax.loss(0.0)), (0.0, f64::from(1e30f32)));
        // e⁻⁵⁰ is less than half of the last bit of 1.
        assert_relative_eq!(Softmax::new(&[0.0, -50.0]).loss(0.0), (-50f64).exp(), max_relative = 1e-15);
    }

    #[test]
    fn a_nan_or_an_infinity_shows() {
        for logits in [[f32::NAN, 0.0, 1.0], [0.0, f32::NAN, 1.0], [0.0, 1.0, f32::NAN], [f32::INFINITY, 0.0, 1.0]] {
            let softmax = Softmax::new(&logits);
            assert!(logits.iter().all(|&z| !softmax.loss(z).is_finite()), "{logits:?}");
            assert!(logits.iter().any(|&z| softmax.probability(z).is_nan()), "{logits:?}");
        }
    }

    #[test]
    fn the_first_of_equal_values_is_the_largest_and_a_nan_is_only_where_there_is_nothing_else() {
        assert_eq!(argmax([1.0, 3.0, 3.0, 2.0]), 1);
        assert_eq!(argmax([f32::NAN, 3.0, f32::NAN, 4.0]), 3);
        assert_eq!(argmax([f32::NAN, f32::NAN]), 0);
        assert_eq!(argmax([f32::NEG_INFINITY, f32::NEG_INFINITY]), 0);
    }
}
