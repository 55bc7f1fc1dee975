//! Average-pooling of one image, by windows or over all of it.
//!
//! `output[y, x, c]` is the mean of the window's cells that lie inside the image: padding is not counted, as
//! in Keras. So each of these cells gets the output's gradient divided by their number. Windows may overlap.

use super::elementwise::add;
use super::pool::cell_start;
use crate::geometry::PoolGeometry;

/// Writes the means to `output`, `[output height, output width, C]`.
pub fn forward(geometry: &PoolGeometry, input: &[f32], output: &mut [f32]) {
    let (channels, width) = (geometry.input[2], geometry.output[1]);
    for (window, output) in output.chunks_exact_mut(channels).enumerate() {
        let position = [window / width, window % width];
        let [rows, columns] = geometry.inside(position);
        let count = (rows.len() * columns.len()) as f32;
        output.fill(0.0);
        for dy in rows {
            for dx in columns.clone() {
                let from = cell_start(geometry, position, [dy, dx]);
                add(&input[from..from + channels], output);
            }
        }
        output.iter_mut().for_each(|sum| *sum /= count);
    }
}

/// Writes ∂L/∂input: each output cell's gradient, shared out among its window's cells.
pub fn backward(geometry: &PoolGeometry, grad_output: &[f32], grad_input: &mut [f32]) {
    let (channels, width) = (geometry.input[2], geometry.output[1]);
    grad_input.fill(0.0);
    for (window, grad_output) in grad_output.chunks_exact(channels).enumerate() {
        let position = [window / width, window % width];
        let [rows, columns] = geometry.inside(position);
        let share = 1.0 / (rows.len() * columns.len()) as f32;
        for dy in rows {
            for dx in columns.clone() {
                let from = cell_start(geometry, position, [dy, dx]);
                for (sum, g) in grad_input[from..from + channels].iter_mut().zip(grad_output) {
                    *sum += share * g;
                }
            }
        }
    }
}

/// Pixels that are summed by themselves before they are added to the rest: short sums round less than one
/// over all pixels.
const RUN: usize = 64;

/// Writes the mean over all pixels of `input` `[H, W, C]` to `output` `[C]`. `run` are C floats to work in.
pub fn global_forward(input: &[f32], output: &mut [f32], run: &mut [f32]) {
    let channels = output.len();
    output.fill(0.0);
    for pixels in input.chunks(RUN * channels) {
        run.fill(0.0);
        pixels.chunks_exact(channels).for_each(|pixel| add(pixel, run));
        add(run, output);
    }
    let count = (input.len() / channels) as f32;
    output.iter_mut().for_each(|sum| *sum /= count);
}

/// Writes ∂L/∂input: `grad_output` `[C]` divided by the number of pixels, at every pixel of `grad_input` `[H,
/// W, C]`.
pub fn global_backward(grad_output: &[f32], grad_input: &mut [f32]) {
    let channels = grad_output.len();
    let share = 1.0 / (grad_input.len() / channels) as f32;
    for pixel in grad_input.chunks_exact_mut(channels) {
        for (grad, g) in pixel.iter_mut().zip(grad_output) {
            *grad = share * g;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Padding;

    #[test]
    fn padding_is_not_counted_in_a_mean_nor_in_its_gradient() {
        // Windows of 2×2 over 2×3 at a stride of 2, padded by a column to the right.
        let geometry = PoolGeometry::new([2, 3, 1], [2, 2], [2, 2], Padding::Same).unwrap();
        let mut output = [f32::NAN; 2];
        forward(&geometry, &[1., 2., 5., 3., 6., 7.], &mut output);
        assert_eq!(output, [3.0, 6.0]);
        let mut grad_input = [f32::NAN; 6];
        backward(&geometry, &[8., 10.], &mut grad_input);
        assert_eq!(grad_input, [2., 2., 5., 2., 2., 5.]);
    }

    #[test]
    fn the_mean_of_all_pixels_is_by_channel_and_its_gradient_goes_to_each_of_them() {
        let (mut output, mut run) = ([f32::NAN; 2], [f32::NAN; 2]);
        global_forward(&[1., 10., 2., 20., 6., 60.], &mut output, &mut run);
        assert_eq!(output, [3.0, 30.0]);
        let mut grad_input = [f32::NAN; 6];
        global_backward(&[3., 6.], &mut grad_input);
        assert_eq!(grad_input, [1., 2., 1., 2., 1., 2.]);
    }
}
