//! The loss: sigmoid and binary cross-entropy of one logit, softmax and categorical cross-entropy of several.

/// σ(z) = 1 / (1 + e⁻ᶻ), the probability of class 1.
pub fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// Binary cross-entropy −y·ln σ(z) − (1 − y)·ln(1 − σ(z)), rearranged so that no exponential can overflow:
/// max(z, 0) − z·y + ln(1 + e^−|z|).
pub fn binary_cross_entropy(z: f64, label: f64) -> f64 {
    z.max(0.0) - z * label + (-z.abs()).exp().ln_1p()
}

/// ∂/∂z of [`binary_cross_entropy`]. With p = σ(z), ∂L/∂p = (p − y) / (p·(1 − p)) and ∂p/∂z = p·(1 − p), so
/// ∂L/∂z = p − y.
pub fn binary_cross_entropy_gradient(z: f64, label: f64) -> f64 {
    sigmoid(z) - label
}

/// `p[k] = e^z[k] / Σ_j e^z[j]`, the probability of class k. Numerator and denominator are divided by e^m
/// with m the largest z, so that no exponential can overflow.
pub fn softmax(logits: &[f64]) -> Vec<f64> {
    let m = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logits.iter().map(|z| (z - m).exp()).sum();
    logits.iter().map(|z| (z - m).exp() / sum).collect()
}

/// Categorical cross-entropy −ln `p[label]` with p = softmax(z). With m the largest z this is
/// `m + ln Σ_j e^(z[j] − m) − z[label]`.
pub fn categorical_cross_entropy(logits: &[f64], label: usize) -> f64 {
    let m = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logits.iter().map(|z| (z - m).exp()).sum();
    m + sum.ln() - logits[label]
}

/// ∂/∂z of [`categorical_cross_entropy`]. The derivative of ln Σ_j e^z is `e^z[k] / Σ_j e^z[j] = p[k]`, that
/// of `−z[label]` is −1 at the label. So `∂L/∂z[k] = p[k] − y[k]`, with y 1 at the label and 0 elsewhere.
pub fn categorical_cross_entropy_gradient(logits: &[f64], label: usize) -> Vec<f64> {
    let mut gradient = softmax(logits);
    gradient[label] -= 1.0;
    gradient
}
