//! Batch normalization: each channel is shifted and scaled to mean 0 and variance 1, over all pixels of all
//! images of the batch, and then to a mean and a deviation that are learned.
//!
//! It is the one layer in which the images of a batch meet: every value moves the mean and the variance, and
//! through them every other value of its channel. (S. Ioffe, C. Szegedy, *Batch Normalization: Accelerating
//! Deep Network Training by Reducing Internal Covariate Shift*, 2015.)

use super::tensors::{Image, LayerGradient};

/// Mean and variance of each channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    /// μ.
    pub mean: Vec<f64>,
    /// σ², the mean of the squared deviations: the biased one.
    pub variance: Vec<f64>,
}

/// `mean[c] = Σ input[·, c] / m` and `variance[c] = Σ (input[·, c] − mean[c])² / m`, over the m pixels of all
/// images.
pub fn moments(inputs: &[Image]) -> Moments {
    let channels = inputs[0].channels;
    let mean_of = |value: &dyn Fn(f64, usize) -> f64| -> Vec<f64> {
        let pixels = inputs.iter().flat_map(|image| image.values.chunks_exact(channels));
        let (mut sums, mut count) = (vec![0.0; channels], 0.0);
        for pixel in pixels {
            count += 1.0;
            for (c, x) in pixel.iter().enumerate() {
                sums[c] += value(*x, c);
            }
        }
        sums.iter().map(|sum| sum / count).collect()
    };
    let mean = mean_of(&|x, _| x);
    let variance = mean_of(&|x, c| (x - mean[c]).powi(2));
    Moments { mean, variance }
}

/// `output = γ·x̂ + β` with `x̂ = (input − μ) / √(σ² + ε)`, by channel: in training with the
/// [moments] of the batch, in prediction with the moving ones.
pub fn batch_normalization_forward(
    inputs: &[Image],
    moments: &Moments,
    gamma: &[f64],
    beta: &[f64],
    epsilon: f64,
) -> Vec<Image> {
    let normalize = |image: &Image| {
        let value = |(position, x): (usize, &f64)| {
            let c = position % image.channels;
            gamma[c] * (x - moments.mean[c]) / (moments.variance[c] + epsilon).sqrt() + beta[c]
        };
        Image { values: image.values.iter().enumerate().map(value).collect(), ..*image }
    };
    inputs.iter().map(normalize).collect()
}

/// With g = ∂L/∂output and sums over the m pixels of all images, adds `∂L/∂γ = Σ g·x̂` and `∂L/∂β = Σ g` to
/// `gradient`, and returns
///
/// `∂L/∂input = γ / √(σ² + ε) · (g − Σ g / m − x̂ · Σ g·x̂ / m)`.
///
/// The first of the three is the value's own way to the loss, the second the way through the mean, the third
/// that through the variance.
pub fn batch_normalization_backward(
    inputs: &[Image],
    gamma: &[f64],
    epsilon: f64,
    grad_outputs: &[Image],
    gradient: &mut LayerGradient,
) -> Vec<Image> {
    let Moments { mean, variance } = moments(inputs);
    let channels = inputs[0].channels;
    let pixels = inputs.iter().map(|image| image.values.len()).sum::<usize>() / channels;
    let deviation = |c: usize| (variance[c] + epsilon).sqrt();
    let normalized = |x: f64, c: usize| (x - mean[c]) / deviation(c);
    let (mut sum_g, mut sum_gx) = (vec![0.0; channels], vec![0.0; channels]);
    for (image, grad_output) in inputs.iter().zip(grad_outputs) {
        for (position, (x, g)) in image.values.iter().zip(&grad_output.values).enumerate() {
            let c = position % channels;
            sum_g[c] += g;
            sum_gx[c] += g * normalized(*x, c);
        }
    }
    for c in 0..channels {
        gradient.kernel[c] += sum_gx[c];
        gradient.bias[c] += sum_g[c];
    }
    let m = pixels as f64;
    let grad_input = |(image, grad_output): (&Image, &Image)| {
        let value = |(position, (x, g)): (usize, (&f64, &f64))| {
            let c = position % channels;
            gamma[c] / deviation(c) * (g - sum_g[c] / m - normalized(*x, c) * sum_gx[c] / m)
        };
        Image { values: image.values.iter().zip(&grad_output.values).enumerate().map(value).collect(), ..*image }
    };
    inputs.iter().zip(grad_outputs).map(grad_input).collect()
}

/// The moving moments after a step: `moving·momentum + batch·(1 − momentum)`, mean and variance alike.
pub fn moving_moments(moving: &Moments, batch: &Moments, momentum: f64) -> Moments {
    let blend = |moving: &[f64], batch: &[f64]| {
        moving.iter().zip(batch).map(|(moving, batch)| moving * momentum + batch * (1.0 - momentum)).collect()
    };
    Moments { mean: blend(&moving.mean, &batch.mean), variance: blend(&moving.variance, &batch.variance) }
}
