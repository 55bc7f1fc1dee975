//! Depthwise convolution: each channel is convolved by itself, with M filters of its own. It is a convolution
//! whose kernel would be zero wherever a channel met another's filter.

use super::conv2d::{ConvShape, for_each_pixel};
use super::tensors::{Image, LayerGradient};

/// Visits every product: `visit(output position, input position, kernel position)`, each an index into that
/// tensor's values. `shape.filters` are those of all channels together, C·M.
fn for_each_product(input: &Image, shape: &ConvShape, mut visit: impl FnMut(usize, usize, usize)) {
    let multiplier = shape.filters / input.channels;
    for_each_pixel(input, shape, |position, pixel, cell| {
        for c in 0..input.channels {
            for m in 0..multiplier {
                let filter = c * multiplier + m;
                visit(position * shape.filters + filter, pixel + c, cell * shape.filters + filter);
            }
        }
    });
}

/// `output[y, x, c·M + m] = bias[c·M + m] + Σ_{ky, kx} input[y·stride + ky − padding, x·stride + kx − padding, c] · kernel[ky, kx, c, m]`.
pub fn depthwise_conv2d_forward(input: &Image, shape: &ConvShape, kernel: &[f64], bias: &[f64]) -> Image {
    let mut output = Image::zeros(shape.output[0], shape.output[1], shape.filters);
    for (position, value) in output.values.iter_mut().enumerate() {
        *value = bias[position % shape.filters];
    }
    for_each_product(input, shape, |to, from, weight| output.values[to] += input.values[from] * kernel[weight]);
    output
}

/// With g = ∂L/∂output, adds ∂L/∂kernel and ∂L/∂bias to `gradient` and returns ∂L/∂input: the same products,
/// turned around, as in a convolution.
pub fn depthwise_conv2d_backward(
    input: &Image,
    shape: &ConvShape,
    kernel: &[f64],
    grad_output: &Image,
    gradient: &mut LayerGradient,
) -> Image {
    let mut grad_input = Image::zeros(input.height, input.width, input.channels);
    for (position, g) in grad_output.values.iter().enumerate() {
        gradient.bias[position % shape.filters] += g;
    }
    for_each_product(input, shape, |to, from, weight| {
        grad_input.values[from] += grad_output.values[to] * kernel[weight];
        gradient.kernel[weight] += grad_output.values[to] * input.values[from];
    });
    grad_input
}
