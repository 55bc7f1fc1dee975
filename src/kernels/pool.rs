//! Max-pooling of one image, with the argmax of each window kept for the way back.
//!
//! `output[y, x, c] = max over dy, dx of input[y·s + dy − padding, x·s + dx − padding, c]`; what lies outside
//! the image counts as −∞, so it is passed over. The gradient of an output cell goes to the *first* maximum
//! of its window in reading order, as in Keras on a CPU. Windows may overlap (stride < window): then an input
//! cell sums the gradients of every window whose maximum it is.

use super::simd::{ChannelWork, Lanes, SimdOp, dispatch, load, over_channels};
use crate::geometry::PoolGeometry;
use std::ops::Range;

/// Writes the maxima to `output`, `[output height, output width, C]`, and to `argmax`, of the same shape, the
/// cell of each in its window: dy·window width + dx.
///
/// A NaN in the first cell of a window stays, and any other is passed over, as no comparison with it holds.
pub fn forward(geometry: &PoolGeometry, input: &[f32], output: &mut [f32], argmax: &mut [u16]) {
    dispatch(Forward { geometry, input, output, argmax });
}

/// Writes ∂L/∂input: each output cell's gradient, added at the argmax of its window.
pub fn backward(geometry: &PoolGeometry, grad_output: &[f32], argmax: &[u16], grad_input: &mut [f32]) {
    dispatch(Backward { geometry, grad_output, argmax, grad_input });
}

struct Forward<'a> {
    geometry: &'a PoolGeometry,
    input: &'a [f32],
    output: &'a mut [f32],
    argmax: &'a mut [u16],
}

impl SimdOp for Forward<'_> {
    #[inline(always)]
    fn run<const LANES: usize, const FUSED: bool>(self) {
        let Forward { geometry, input, output, argmax } = self;
        let channels = geometry.input[2];
        let windows = output.chunks_exact_mut(channels).zip(argmax.chunks_exact_mut(channels)).enumerate();
        for (window, (output, argmax)) in windows {
            let position = [window / geometry.output[1], window % geometry.output[1]];
            over_channels::<LANES>(channels, &mut Maxima { geometry, input, position, output, argmax });
        }
    }
}

/// One window.
struct Maxima<'a> {
    geometry: &'a PoolGeometry,
    input: &'a [f32],
    position: [usize; 2],
    output: &'a mut [f32],
    argmax: &'a mut [u16],
}

impl ChannelWork for Maxima<'_> {
    #[inline(always)]
    fn block<const WIDTH: usize>(&mut self, first: usize) {
        let Maxima { geometry, input, position, .. } = *self;
        let [rows, columns] = geometry.inside(position);
        let cell = |cell| load(input, cell_start(geometry, position, cell) + first);
        let (best, cells) = first_maxima::<WIDTH>(rows, columns, geometry.window[1], cell);
        self.output[first..][..WIDTH].copy_from_slice(&best);
        self.argmax[first..][..WIDTH].copy_from_slice(&cells.map(|cell| cell as u16));
    }
}

/// Returns the maxima of a window's cells for some channels, and where each stands first, in reading order:
/// dy · `width` + dx. `cell` gives the channels of a cell. A NaN in the first cell stays.
#[inline(always)]
pub(super) fn first_maxima<const WIDTH: usize>(
    rows: Range<usize>,
    columns: Range<usize>,
    width: usize,
    cell: impl Fn([usize; 2]) -> Lanes<WIDTH>,
) -> (Lanes<WIDTH>, [u32; WIDTH]) {
    let mut best = cell([rows.start, columns.start]);
    let mut cells = [(rows.start * width + columns.start) as u32; WIDTH];
    for dy in rows {
        for dx in columns.clone() {
            let candidate = cell([dy, dx]);
            let number = (dy * width + dx) as u32;
            for lane in 0..WIDTH {
                let better = candidate[lane] > best[lane];
                best[lane] = if better { candidate[lane] } else { best[lane] };
                cells[lane] = if better { number } else { cells[lane] };
            }
        }
    }
    (best, cells)
}

struct Backward<'a> {
    geometry: &'a PoolGeometry,
    grad_output: &'a [f32],
    argmax: &'a [u16],
    grad_input: &'a mut [f32],
}

impl SimdOp for Backward<'_> {
    #[inline(always)]
    fn run<const LANES: usize, const FUSED: bool>(self) {
        let Backward { geometry, grad_output, argmax, grad_input } = self;
        let channels = geometry.input[2];
        grad_input.fill(0.0);
        for (window, (g, argmax)) in grad_output.chunks_exact(channels).zip(argmax.chunks_exact(channels)).enumerate() {
            let position = [window / geometry.output[1], window % geometry.output[1]];
            let [rows, columns] = geometry.inside(position);
            for dy in rows {
                for dx in columns.clone() {
                    let number = (dy * geometry.window[1] + dx) as u16;
                    let target = &mut grad_input[cell_start(geometry, position, [dy, dx])..][..channels];
                    for ((sum, g), &cell) in target.iter_mut().zip(g).zip(argmax) {
                        *sum += if cell == number { *g } else { 0.0 };
                    }
                }
            }
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
