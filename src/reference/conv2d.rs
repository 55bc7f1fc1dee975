//! Convolution. Forward and backward walk the same products: backward turns each of them around.

use super::tensors::{Image, LayerGradient};

/// A convolution's numbers that are not weights.
#[derive(Clone, Debug)]
pub struct ConvShape {
    /// Kernel height and width.
    pub kernel: [usize; 2],
    /// Steps of the kernel over the image, down and across.
    pub stride: [usize; 2],
    /// Pixels from a cell of the kernel to the next, down and across; 1 where it is not dilated.
    pub dilation: [usize; 2],
    /// Rows of zeros above, columns of zeros to the left of the image.
    pub padding: [usize; 2],
    /// Height and width of the output; zeros are assumed as far below and to the right as this needs.
    pub output: [usize; 2],
    /// F, the number of filters.
    pub filters: usize,
}

/// Visits every pixel under the kernel at every output position: `visit(position, pixel, cell)`, where the
/// position is y·width + x of the output, the pixel the index of its first channel in the image, and the cell
/// ky·kernel width + kx. Padding holds zeros, which add nothing, so it is passed over.
pub(super) fn for_each_pixel(input: &Image, shape: &ConvShape, mut visit: impl FnMut(usize, usize, usize)) {
    let [output_height, output_width] = shape.output;
    for y in 0..output_height {
        for x in 0..output_width {
            for ky in 0..shape.kernel[0] {
                for kx in 0..shape.kernel[1] {
                    // Which input pixel lies under kernel cell (ky, kx) when the kernel stands at output (y,
                    // x)?
                    let row = y * shape.stride[0] + ky * shape.dilation[0];
                    let column = x * shape.stride[1] + kx * shape.dilation[1];
                    let inside = (shape.padding[0]..shape.padding[0] + input.height).contains(&row)
                        && (shape.padding[1]..shape.padding[1] + input.width).contains(&column);
                    if !inside {
                        continue;
                    }
                    let pixel = input.index(row - shape.padding[0], column - shape.padding[1], 0);
                    visit(y * output_width + x, pixel, ky * shape.kernel[1] + kx);
                }
            }
        }
    }
}

/// Visits every product of a convolution: `visit(output position, input position, kernel position)`, each an
/// index into that tensor's values.
fn for_each_product(input: &Image, shape: &ConvShape, mut visit: impl FnMut(usize, usize, usize)) {
    for_each_pixel(input, shape, |position, pixel, cell| {
        for c in 0..input.channels {
            for f in 0..shape.filters {
                visit(position * shape.filters + f, pixel + c, (cell * input.channels + c) * shape.filters + f);
            }
        }
    });
}

/// `output[y, x, f] = bias[f] + Σ_{ky, kx, c} input[y·stride + ky − padding, x·stride + kx − padding, c] · kernel[ky, kx, c, f]`,
/// where pixels outside the image are 0, and ky and kx count times the dilation. The kernel is not flipped,
/// so strictly this is a cross-correlation.
pub fn conv2d_forward(input: &Image, shape: &ConvShape, kernel: &[f64], bias: &[f64]) -> Image {
    let mut output = Image::zeros(shape.output[0], shape.output[1], shape.filters);
    for (position, value) in output.values.iter_mut().enumerate() {
        *value = bias[position % shape.filters];
    }
    for_each_product(input, shape, |to, from, weight| output.values[to] += input.values[from] * kernel[weight]);
    output
}

/// With g = ∂L/∂output, adds to `gradient` `∂L/∂bias[f] = Σ_{y, x} g[y, x, f]` and
/// `∂L/∂kernel[ky, kx, c, f] = Σ_{y, x} g[y, x, f]` · (the input under kernel cell ky, kx), and returns
/// ∂L/∂input: for each pixel, Σ g · kernel over the products it was in.
pub fn conv2d_backward(
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
