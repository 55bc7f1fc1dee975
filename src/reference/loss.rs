//! The loss: sigmoid and binary cross-entropy of one logit.

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
