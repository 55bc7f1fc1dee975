//! A dense layer: each unit is a weighted sum of all inputs.

use super::tensors::{Image, LayerGradient};

/// `output[u] = bias[u] + Σ_i input[i] · kernel[i, u]`.
pub fn dense_forward(input: &Image, kernel: &[f64], bias: &[f64]) -> Image {
    let mut output = Image { height: 1, width: 1, channels: bias.len(), values: bias.to_vec() };
    for (i, x) in input.values.iter().enumerate() {
        for u in 0..bias.len() {
            output.values[u] += x * kernel[i * bias.len() + u];
        }
    }
    output
}

/// With g = ∂L/∂output, returns `∂L/∂input[i] = Σ_u g[u] · kernel[i, u]`, and adds
/// `∂L/∂kernel[i, u] = g[u] · input[i]` and `∂L/∂bias[u] = g[u]` to `gradient`.
pub fn dense_backward(input: &Image, kernel: &[f64], grad_output: &Image, gradient: &mut LayerGradient) -> Image {
    let units = grad_output.values.len();
    let mut grad_input = Image::zeros(input.height, input.width, input.channels);
    for (u, g) in grad_output.values.iter().enumerate() {
        gradient.bias[u] += g;
        for (i, x) in input.values.iter().enumerate() {
            grad_input.values[i] += g * kernel[i * units + u];
            gradient.kernel[i * units + u] += g * x;
        }
    }
    grad_input
}
