//! Max-pooling: the largest value of each window goes on, and the gradient comes back to where it stood.

use super::tensors::Image;

/// For every output cell of a max-pool, in order: where the *first* largest value of its window stands in the
/// input, and by how much it beats the runner-up.
pub(super) fn window_maxima(input: &Image, window: [usize; 2], stride: [usize; 2]) -> (Image, Vec<(usize, f64)>) {
    // Floor: a window that would hang over the edge is not taken.
    let height = (input.height - window[0]) / stride[0] + 1;
    let width = (input.width - window[1]) / stride[1] + 1;
    let mut maxima = Vec::new();
    for y in 0..height {
        for x in 0..width {
            for c in 0..input.channels {
                let mut best = input.index(y * stride[0], x * stride[1], c);
                let mut runner_up = f64::NEG_INFINITY;
                for dy in 0..window[0] {
                    for dx in 0..window[1] {
                        let here = input.index(y * stride[0] + dy, x * stride[1] + dx, c);
                        if input.values[here] > input.values[best] {
                            runner_up = input.values[best];
                            best = here;
                        } else if here != best {
                            runner_up = runner_up.max(input.values[here]);
                        }
                    }
                }
                maxima.push((best, input.values[best] - runner_up));
            }
        }
    }
    (Image::zeros(height, width, input.channels), maxima)
}

/// `output[y, x, c] = max over the window of input[y·s + dy, x·s + dx, c]`.
pub fn max_pool_forward(input: &Image, window: [usize; 2], stride: [usize; 2]) -> Image {
    let (mut output, maxima) = window_maxima(input, window, stride);
    for (value, (best, _)) in output.values.iter_mut().zip(maxima) {
        *value = input.values[best];
    }
    output
}

/// Only the first maximum of a window moved the output, so it alone gets the window's gradient.
pub fn max_pool_backward(input: &Image, window: [usize; 2], stride: [usize; 2], grad_output: &Image) -> Image {
    let mut grad_input = Image::zeros(input.height, input.width, input.channels);
    let (_, maxima) = window_maxima(input, window, stride);
    for (g, (best, _)) in grad_output.values.iter().zip(maxima) {
        grad_input.values[best] += g;
    }
    grad_input
}
