//! Max-pooling of one image, with the argmax of each window kept for the way back.
//!
//! `output[y, x, c] = max over dy, dx of input[y·s + dy, x·s + dx, c]`; the gradient of an output cell goes
//! to the *first* maximum of its window in reading order, as in Keras on a CPU. Windows may overlap (stride <
//! window): then an input cell sums the gradients of every window whose maximum it is.

use crate::geometry::PoolGeometry;

/// Writes the maxima to `output`, `[output height, output width, C]`, and to `argmax`, of the same shape, the
/// cell of each in its window: dy·window width + dx.
///
/// A NaN in the first cell of a window stays, and any other is passed over, as no comparison with it holds.
pub fn forward(geometry: &PoolGeometry, input: &[f32], output: &mut [f32], argmax: &mut [u16]) {
    let channels = geometry.input[2];
    for (window, (output, argmax)) in
        output.chunks_exact_mut(channels).zip(argmax.chunks_exact_mut(channels)).enumerate()
    {
        let corner = corner(geometry, window);
        output.copy_from_slice(&input[corner..corner + channels]);
        argmax.fill(0);
        for cell in 1..geometry.cells() {
            let from = corner + offset(geometry, cell);
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

/// Writes ∂L/∂input: each output cell's gradient, added at the argmax of its window.
pub fn backward(geometry: &PoolGeometry, grad_output: &[f32], argmax: &[u16], grad_input: &mut [f32]) {
    let channels = geometry.input[2];
    grad_input.fill(0.0);
    for (window, (grad_output, argmax)) in
        grad_output.chunks_exact(channels).zip(argmax.chunks_exact(channels)).enumerate()
    {
        let corner = corner(geometry, window);
        for (c, (g, &cell)) in grad_output.iter().zip(argmax).enumerate() {
            grad_input[corner + offset(geometry, usize::from(cell)) + c] += g;
        }
    }
}

/// Returns where window `y·output width + x` starts in the input.
fn corner(geometry: &PoolGeometry, window: usize) -> usize {
    let (y, x) = (window / geometry.output[1], window % geometry.output[1]);
    (y * geometry.stride[0] * geometry.input[1] + x * geometry.stride[1]) * geometry.input[2]
}

/// Returns the offset of a window's cell from the window's corner, in the input.
fn offset(geometry: &PoolGeometry, cell: usize) -> usize {
    let (dy, dx) = (cell / geometry.window[1], cell % geometry.window[1]);
    (dy * geometry.input[1] + dx) * geometry.input[2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn max_pool_sends_the_gradient_to_the_first_maximum() {
        let geometry = PoolGeometry::new([2, 5, 1], [2, 2], [2, 2]).unwrap();
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
        let geometry = PoolGeometry::new([1, 3, 1], [1, 2], [1, 1]).unwrap();
        let (mut output, mut argmax) = ([f32::NAN; 2], [9; 2]);
        forward(&geometry, &[1., 5., 2.], &mut output, &mut argmax);
        assert_eq!((output, argmax), ([5., 5.], [1, 0]));
        let mut grad_input = [f32::NAN; 3];
        backward(&geometry, &[3., 4.], &argmax, &mut grad_input);
        assert_eq!(grad_input, [0., 7., 0.]);
    }
}
