//! Max-pooling: the largest value of each window goes on, and the gradient comes back to where it stood.

use super::pool_shape::{PoolShape, windows};
use super::tensors::Image;

/// For every output cell of a max-pool, in order: where the *first* largest value of its window stands in the
/// input, and by how much it beats the runner-up.
pub fn window_maxima(input: &Image, shape: &PoolShape) -> Vec<(usize, f64)> {
    let maximum = |cells: Vec<usize>| {
        let mut best = cells[0];
        let mut runner_up = f64::NEG_INFINITY;
        for &here in &cells[1..] {
            if input.values[here] > input.values[best] {
                runner_up = input.values[best];
                best = here;
            } else {
                runner_up = runner_up.max(input.values[here]);
            }
        }
        (best, input.values[best] - runner_up)
    };
    windows(input, shape).into_iter().map(maximum).collect()
}

/// `output[y, x, c] = max over the window of input[y·s + dy − padding, x·s + dx − padding, c]`.
pub fn max_pool_forward(input: &Image, shape: &PoolShape) -> Image {
    let mut output = Image::zeros(shape.output[0], shape.output[1], input.channels);
    for (value, (best, _)) in output.values.iter_mut().zip(window_maxima(input, shape)) {
        *value = input.values[best];
    }
    output
}

/// Only the first maximum of a window moved the output, so it alone gets the window's gradient.
pub fn max_pool_backward(input: &Image, shape: &PoolShape, grad_output: &Image) -> Image {
    let mut grad_input = Image::zeros(input.height, input.width, input.channels);
    for (g, (best, _)) in grad_output.values.iter().zip(window_maxima(input, shape)) {
        grad_input.values[best] += g;
    }
    grad_input
}
