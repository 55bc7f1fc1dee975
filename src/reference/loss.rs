//! The loss: sigmoid and binary cross-entropy of one logit, softmax and categorical cross-entropy of several,
//! or a sigmoid and a binary cross-entropy for each where a sample may have several labels.

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

/// Categorical cross-entropy `−Σ_k y[k]·ln p[k]` with p = softmax(z), where the targets y add up to 1. With m
/// the largest z, `ln p[k] = z[k] − m − ln Σ_j e^(z[j] − m)`.
pub fn categorical_cross_entropy(logits: &[f64], targets: &[f64]) -> f64 {
    let m = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logits.iter().map(|z| (z - m).exp()).sum();
    logits.iter().zip(targets).map(|(z, y)| y * (m + sum.ln() - z)).sum()
}

/// ∂/∂z of [`categorical_cross_entropy`]. The derivative of ln Σ_j e^z is `e^z[k] / Σ_j e^z[j] = p[k]`, that
/// of `−Σ_j y[j]·z[j]` is `−y[k]`. So `∂L/∂z[k] = p[k] − y[k]`.
pub fn categorical_cross_entropy_gradient(logits: &[f64], targets: &[f64]) -> Vec<f64> {
    softmax(logits).iter().zip(targets).map(|(p, y)| p - y).collect()
}

/// The targets of K classes with label smoothing s: y·(1 − s) + s/K, with y 1 at the label and 0 elsewhere.
/// With s = 0 they are y. The second of two is that of a network with one logit.
pub fn smoothed_targets(label: usize, classes: usize, smoothing: f64) -> Vec<f64> {
    let y = |class: usize| if class == label { 1.0 } else { 0.0 };
    (0..classes).map(|class| y(class) * (1.0 - smoothing) + smoothing / classes as f64).collect()
}

/// The mean over the labels of the [`binary_cross_entropy`] of each, of a sample that has any number of them.
/// Keras's `binary_crossentropy` of several sigmoids takes this mean over its last axis.
pub fn label_cross_entropy(logits: &[f64], targets: &[f64]) -> f64 {
    let one = |(&z, &y): (&f64, &f64)| binary_cross_entropy(z, y);
    logits.iter().zip(targets).map(one).sum::<f64>() / logits.len() as f64
}

/// ∂/∂z of [`label_cross_entropy`]: of K labels each has a K-th of its own cross-entropy's.
pub fn label_cross_entropy_gradient(logits: &[f64], targets: &[f64]) -> Vec<f64> {
    let one = |(&z, &y): (&f64, &f64)| binary_cross_entropy_gradient(z, y) / logits.len() as f64;
    logits.iter().zip(targets).map(one).collect()
}

/// The targets of labels that a sample has or not, with label smoothing s: y·(1 − s) + s/2 of each.
pub fn smoothed_label_targets(labels: &[bool], smoothing: f64) -> Vec<f64> {
    labels.iter().map(|&has| smoothed_targets(usize::from(has), 2, smoothing)[1]).collect()
}
