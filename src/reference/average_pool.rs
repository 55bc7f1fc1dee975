//! Average-pooling: the mean of each window goes on, and the gradient comes back in equal shares. Over the
//! whole image it is a window as large as that.

use super::pool_shape::{PoolShape, windows};
use super::tensors::Image;

/// `output[y, x, c]` = the mean over the window of `input[y·s + dy − padding, x·s + dx − padding, c]`, where
/// cells outside the image are not counted.
pub fn average_pool_forward(input: &Image, shape: &PoolShape) -> Image {
    let mut output = Image::zeros(shape.output[0], shape.output[1], input.channels);
    for (value, cells) in output.values.iter_mut().zip(windows(input, shape)) {
        *value = cells.iter().map(|&cell| input.values[cell]).sum::<f64>() / cells.len() as f64;
    }
    output
}

/// Each of n cells moved its window's mean by 1/n of itself, so it gets 1/n of the window's gradient.
pub fn average_pool_backward(input: &Image, shape: &PoolShape, grad_output: &Image) -> Image {
    let mut grad_input = Image::zeros(input.height, input.width, input.channels);
    for (g, cells) in grad_output.values.iter().zip(windows(input, shape)) {
        for &cell in &cells {
            grad_input.values[cell] += g / cells.len() as f64;
        }
    }
    grad_input
}

/// `output[c]` = the mean over all pixels of `input[y, x, c]`, as a vector.
pub fn global_average_pool_forward(input: &Image) -> Image {
    average_pool_forward(input, &whole(input))
}

/// Every pixel gets an equal share of its channel's gradient.
pub fn global_average_pool_backward(input: &Image, grad_output: &Image) -> Image {
    average_pool_backward(input, &whole(input), grad_output)
}

/// The one window that covers the image.
fn whole(input: &Image) -> PoolShape {
    PoolShape { window: [input.height, input.width], stride: [1, 1], padding: [0, 0], output: [1, 1] }
}
