//! Max-pooling of one image, with the argmax of each window kept for the way back.
//!
//! `output[y, x, c] = max over dy, dx of input[y·s + dy − padding, x·s + dx − padding, c]`; what lies outside
//! the image counts as −∞, so it is passed over. The gradient of an output cell goes to the *first* maximum
//! of its window in reading order, as in Keras on a CPU. Windows may overlap (stride < window): then an input
//! cell sums the gradients of every window whose maximum it is.

use crate::geometry::PoolGeometry;

/// Writes the maxima to `output`, `[output height, output width, C]`, and to `argmax`, of the same shape, the
/// cell of each in its window: dy·window width + dx.
///
/// A NaN in the first cell of a window stays, and any other is passed over, as no comparison with it holds.
pub fn forward(geometry: &PoolGeometry, input: &[f32], output: &mut [f32], argmax: &mut [u16]) {
    let (channels, width) = (geometry.input[2], geometry.output[1]);
    for (window, (output, argmax)) in
        output.chunks_exact_mut(channels).zip(argmax.chunks_exact_mut(channels)).enumerate()
    {
        let position = [window / width, window % width];
        let [rows, columns] = geometry.inside(position);
        let first = [rows.start, columns.start];
        let from = cell_start(geometry, position, first);
        output.copy_from_slice(&input[from..from + channels]);
        argmax.fill((first[0] * geometry.window[1] + first[1]) as u16);
        for dy in rows {
            for dx in columns.clone() {
                let (cell, from) = (dy * geometry.window[1] + dx, cell_start(geometry, position, [dy, dx]));
                let candidates = &input[from..from + channels];
                for ((best, argmax), &candidate) in output.iter_mut().zip(argmax.iter_mut()).zip(candidates) {
                    if candidate > *best {
                        *best = candidate;
                        *argmax = cell as u16;
                    }
                }
            }
        }
    }
}

/// Writes ∂L/∂input: each output cell's gradient, added at the argmax of its window.
pub fn backward(geometry: &PoolGeometry, grad_output: &[f32], argmax: &[u16], grad_input: &mut [f32]) {
    let (channels, width) = (geometry.input[2], geometry.output[1]);
    grad_input.fill(0.0);
    for (window, (grad_output, argmax)) in
        grad_output.chunks_exact(channels).zip(argmax.chunks_exact(channels)).enumerate()
    {
        let position = [window / width, window % width];
        for (c, (g, &cell)) in grad_output.iter().zip(argmax).enumerate() {
            let cell = [usize::from(cell) / geometry.window[1], usize::from(cell) % geometry.window[1]];
            grad_input[cell_start(geometry, position, cell) + c] += g;
        }
    }
}

/// Returns where the pixel under a cell of the window at output position (y, x) starts in the input.
#[inline(always)]
pub(super) fn cell_start(geometry: &PoolGeometry, [y, x]: [usize; 2], [dy, dx]: [usize; 2]) -> usize {
    let row = y * geometry.stride[0] + dy - geometry.padding[0];
    let column = x * geometry.stride[1] + dx - geometry.padding[1];
    (row * geometry.input[1] + column) * geometry.input[2]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Padding;

    #[test]
    fn max_pool_sends_the_gradient_to_the_first_maximum() {
        let geometry = PoolGeometry::new([2, 5, 1], [2, 2], [2, 2], Padding::Valid).unwrap();
        // The second window is a tie of all four cells; the fifth column belongs to no window.
        let input = [1., 4., 7., 7., 9., 3., 2., 7., 7., 9.];
        let (mut output, mut argmax) = ([f32::NAN; 2], [9; 2]);
        forward(&geometry, &input, &mut output, &mut argmax);
        assert_eq!((output, argmax), ([4., 7.], [1, 0]));
        let mut grad_input = [f32::NAN; 10];
        backward(&geometry, &[10., 20.], &argmax, &mut grad_input);
        assert_eq!(grad_input, [0., 10., 20., 0., 0., 0., 0., 0., 0., 0.]);
    }

    #[test]
    fn a_cell_that_wins_overlapping_windows_gathers_all_their_gradients() {
        let geometry = PoolGeometry::new([1, 3, 1], [1, 2], [1, 1], Padding::Valid).unwrap();
        let (mut output, mut argmax) = ([f32::NAN; 2], [9; 2]);
        forward(&geometry, &[1., 5., 2.], &mut output, &mut argmax);
        assert_eq!((output, argmax), ([5., 5.], [1, 0]));
        let mut grad_input = [f32::NAN; 3];
        backward(&geometry, &[3., 4.], &argmax, &mut grad_input);
        assert_eq!(grad_input, [0., 7., 0.]);
    }

    #[test]
    fn what_lies_outside_the_image_is_less_than_anything() {
        // Windows of 2×3 over 3×4, padded by a column on either side and a row below: 2×2 of them.
        let geometry = PoolGeometry::new([3, 4, 1], [2, 3], [2, 2], Padding::Same).unwrap();
        let input = [-1., -2., -3., -4., -5., -6., -7., -8., -9., -7., -5., -3.];
        let (mut output, mut argmax) = ([f32::NAN; 4], [9; 4]);
        forward(&geometry, &input, &mut output, &mut argmax);
        assert_eq!(geometry.padding, [0, 0]);
        assert_eq!((output, argmax), ([-1., -3., -5., -3.], [0, 0, 2, 1]));
        let mut grad_input = [f32::NAN; 12];
        backward(&geometry, &[1., 2., 3., 4.], &argmax, &mut grad_input);
        assert_eq!(grad_input, [1., 0., 2., 0., 0., 0., 0., 0., 0., 0., 3., 4.]);
    }
}
