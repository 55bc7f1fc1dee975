//! A convolution's forward pass once more, for the many times that a check needs it: the textbook's terms
//! in the textbook's order, and so its bits, a run of filters at a time and without the products of 0.

use crate::reference::{ConvShape, Image, Layer, layer_forward};

/// Does the same as [`layer_forward`].
pub(super) fn layer_forward_quickly(layer: &Layer, inputs: &[Image], factors: &[Option<&Vec<f64>>]) -> Vec<Image> {
    match layer {
        Layer::Conv2d { shape, kernel, bias } => {
            inputs.iter().map(|input| conv2d_forward(input, shape, kernel, bias)).collect()
        }
        _ => layer_forward(layer, inputs, factors),
    }
}

/// Does the same as [`reference::conv2d_forward`](crate::reference::conv2d_forward).
fn conv2d_forward(input: &Image, shape: &ConvShape, kernel: &[f64], bias: &[f64]) -> Image {
    let (filters, channels) = (shape.filters, input.channels);
    let mut output = Image::zeros(shape.output[0], shape.output[1], filters);
    for (position, sums) in output.values.chunks_exact_mut(filters).enumerate() {
        let [y, x] = [position / shape.output[1], position % shape.output[1]];
        sums.copy_from_slice(bias);
        for ky in 0..shape.kernel[0] {
            for kx in 0..shape.kernel[1] {
                let row = (y * shape.stride[0] + ky * shape.dilation[0]).wrapping_sub(shape.padding[0]);
                let column = (x * shape.stride[1] + kx * shape.dilation[1]).wrapping_sub(shape.padding[1]);
                // What lies above the image or to the left of it wraps around, beyond every image.
                if row >= input.height || column >= input.width {
                    continue;
                }
                let pixel = &input.values[input.index(row, column, 0)..][..channels];
                let cell = &kernel[(ky * shape.kernel[1] + kx) * channels * filters..][..channels * filters];
                for (value, weights) in pixel.iter().zip(cell.chunks_exact(filters)) {
                    if *value != 0.0 {
                        sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += value * weight);
                    }
                }
            }
        }
    }
    output
}
