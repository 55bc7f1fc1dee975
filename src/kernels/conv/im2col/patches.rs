//! im2col: the patches under the kernel as the rows of a matrix; and col2im, its adjoint.
//!
//! A convolution multiplies every patch of K numbers with every filter. With the patches written out as a
//! matrix, P rows by K columns, it is one matrix product. Each row is copied in the order ky, kx, c, the
//! order of the kernel's own rows, so for a fixed ky it is one run of contiguous floats of the image; of a
//! dilated kernel it is a run for each kx.
//!
//! The two functions are adjoint, ⟨im2col x, y⟩ = ⟨x, col2im y⟩, which is why the gradient of the one is the
//! other. Source of the idea: K. Chellapilla, S. Puri, P. Simard, *High Performance Convolutional Neural
//! Networks for Document Processing*, 2006.
//!
//! Nearly all patches lie wholly inside the image. `Walk` visits them, a row of them at a time, without a
//! condition for padding. Only patches at the edge are clipped, run by run.

use crate::geometry::ConvGeometry;
use crate::kernels::conv::frame::clip;
use crate::kernels::elementwise::add;
use std::ops::Range;

/// Writes the patches of the output rows `rows` to `columns`, `[rows·output width × K]`; padding is zeros.
///
/// `input` is one image `[H, W, C]`.
pub fn im2col(geometry: &ConvGeometry, input: &[f32], rows: Range<usize>, columns: &mut [f32]) {
    let (k, width, walk) = (geometry.patch_len(), geometry.output[1], Walk::new(geometry));
    debug_assert_eq!(columns.len(), rows.len() * width * k);
    for (y, patches) in rows.zip(columns.chunks_exact_mut(width * k)) {
        let inside = inside(geometry, y);
        for x in (0..inside.start).chain(inside.end..width) {
            for (number, run) in patches[x * k..(x + 1) * k].chunks_exact_mut(walk.run_len).enumerate() {
                let (skip, image) = run_at_the_edge(geometry, walk, [y, x], number);
                run.fill(0.0);
                run[skip..skip + image.len()].copy_from_slice(&input[image]);
            }
        }
        if !inside.is_empty() {
            let corner = corner(geometry, [y, inside.start]);
            walk.copy(&input[corner..], &mut patches[inside.start * k..inside.end * k]);
        }
    }
}

/// Adds each patch to the pixels that it was copied from: `grad_input[H, W, C] += col2im(columns)`.
pub(crate) fn col2im_add(geometry: &ConvGeometry, columns: &[f32], rows: Range<usize>, grad_input: &mut [f32]) {
    let (k, width, walk) = (geometry.patch_len(), geometry.output[1], Walk::new(geometry));
    debug_assert_eq!(columns.len(), rows.len() * width * k);
    for (y, patches) in rows.zip(columns.chunks_exact(width * k)) {
        let inside = inside(geometry, y);
        for x in (0..inside.start).chain(inside.end..width) {
            for (number, run) in patches[x * k..(x + 1) * k].chunks_exact(walk.run_len).enumerate() {
                let (skip, image) = run_at_the_edge(geometry, walk, [y, x], number);
                add(&run[skip..skip + image.len()], &mut grad_input[image]);
            }
        }
        if !inside.is_empty() {
            let corner = corner(geometry, [y, inside.start]);
            walk.add(&patches[inside.start * k..inside.end * k], &mut grad_input[corner..]);
        }
    }
}

/// A walk through neighbouring patches of an output row, all wholly inside the image. All lengths are in
/// floats.
#[derive(Clone, Copy)]
struct Walk {
    /// The number of runs in a patch: for each of the kernel's rows one, or where the kernel is dilated
    /// across, as many as it is wide.
    runs: [usize; 2],
    /// The length of a run: kernel width · C, or C.
    run_len: usize,
    /// The distances from a run to the one below and to the one on the right in the image.
    run_steps: [usize; 2],
    /// The distance from a patch to the next in the image.
    step: usize,
}

impl Walk {
    fn new(geometry: &ConvGeometry) -> Walk {
        let [height, width] = geometry.kernel;
        let channels = geometry.input[2];
        let (runs_across, run_len) = if geometry.dilation[1] == 1 { (1, width * channels) } else { (width, channels) };
        Walk {
            runs: [height, runs_across],
            run_len,
            run_steps: [geometry.dilation[0] * geometry.row_len(), geometry.dilation[1] * channels],
            step: geometry.step_len(),
        }
    }

    /// Visits all runs of so many patches in the order of the matrix: the range of each in the matrix and in
    /// the image, both counted from the first patch's first float.
    #[inline(always)]
    fn for_each_run(self, patches: usize, mut visit: impl FnMut(Range<usize>, Range<usize>)) {
        let mut column = 0;
        for patch in 0..patches {
            let mut image = patch * self.step;
            for _ in 0..self.runs[0] {
                let mut run = image;
                for _ in 0..self.runs[1] {
                    visit(column..column + self.run_len, run..run + self.run_len);
                    column += self.run_len;
                    run += self.run_steps[1];
                }
                image += self.run_steps[0];
            }
        }
    }

    /// Returns how many patches `columns` holds.
    fn patches(self, columns: &[f32]) -> usize {
        columns.len() / (self.runs[0] * self.runs[1] * self.run_len)
    }

    /// Copies patches to the matrix. The loop is a function of its own, as is that of [`Walk::add`]: inside a
    /// larger one there are not registers enough for all that it counts, and short runs take half as long
    /// again.
    #[inline(never)]
    fn copy(self, input: &[f32], columns: &mut [f32]) {
        self.for_each_run(self.patches(columns), |column, image| copy(&input[image], &mut columns[column]));
    }

    /// Adds patches of the matrix to the image.
    #[inline(never)]
    fn add(self, columns: &[f32], grad_input: &mut [f32]) {
        self.for_each_run(self.patches(columns), |column, image| add(&columns[column], &mut grad_input[image]));
    }
}

/// Half of the longest run that [`copy`] calls short. 8 floats are two registers of any machine. A short run
/// is then the row of a kernel 3 to 5 wide over three colours.
const HALF_RUN: usize = 8;

/// Copies `source` to `target`. For a short run the library takes longer to find out what to do than to do
/// it; here it is its first and its last floats, which may overlap.
#[inline(always)]
fn copy(source: &[f32], target: &mut [f32]) {
    if (HALF_RUN..=2 * HALF_RUN).contains(&source.len())
        && let (Some(first), Some(last)) = (source.first_chunk::<HALF_RUN>(), source.last_chunk::<HALF_RUN>())
    {
        target[..HALF_RUN].copy_from_slice(first);
        target[source.len() - HALF_RUN..].copy_from_slice(last);
    } else {
        target.copy_from_slice(source);
    }
}

/// Returns the positions of output row `y` whose patches lie wholly inside the image.
fn inside(geometry: &ConvGeometry, y: usize) -> Range<usize> {
    let along = |axis: usize| {
        let (padding, stride) = (geometry.padding[axis], geometry.stride[axis]);
        // The last one begins at the image's end less a kernel.
        let reach = (geometry.kernel[axis] - 1) * geometry.dilation[axis] + 1;
        let last = (geometry.input[axis] + padding).checked_sub(reach).map(|last| last / stride);
        padding.div_ceil(stride)..last.map_or(0, |last| last + 1).min(geometry.output[axis])
    };
    let (rows, columns) = (along(0), along(1));
    if rows.contains(&y) && !columns.is_empty() { columns } else { 0..0 }
}

/// Returns where the patch at output position (y, x), wholly inside the image, begins in it.
fn corner(geometry: &ConvGeometry, [y, x]: [usize; 2]) -> usize {
    let [_, width, channels] = geometry.input;
    let (top, left) = (y * geometry.stride[0] - geometry.padding[0], x * geometry.stride[1] - geometry.padding[1]);
    (top * width + left) * channels
}

/// Clips a run of any patch: returns how many of its floats lie to the left of the image, and the part of the
/// image that it covers, empty where the run lies in the padding.
fn run_at_the_edge(geometry: &ConvGeometry, walk: Walk, [y, x]: [usize; 2], run: usize) -> (usize, Range<usize>) {
    let [height, width, channels] = geometry.input;
    let [down, across] = [run / walk.runs[1] * geometry.dilation[0], run % walk.runs[1] * geometry.dilation[1]];
    let top = (y * geometry.stride[0] + down) as isize - geometry.padding[0] as isize;
    let left = (x * geometry.stride[1] + across) as isize - geometry.padding[1] as isize;
    let pixels = (walk.run_len / channels) as isize;
    let (rows, columns) = (clip(top..top + 1, height), clip(left..left + pixels, width));
    if rows.is_empty() || columns.is_empty() {
        return (0, 0..0);
    }
    let skipped = (columns.start as isize - left) as usize;
    let from = (rows.start * width + columns.start) * channels;
    (skipped * channels, from..from + columns.len() * channels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::{Padding, Sliding};
    use crate::random::{Purpose, Stream};

    #[test]
    fn patches_of_a_small_image_are_as_written_by_hand() {
        let geometry = ConvGeometry::new([2, 3, 1], [2, 2], [1, 1], Padding::Same, 1).unwrap();
        let mut columns = [f32::NAN; 6 * 4];
        im2col(&geometry, &[1., 2., 3., 4., 5., 6.], 0..2, &mut columns);
        let expected = [
            [1., 2., 4., 5.],
            [2., 3., 5., 6.],
            [3., 0., 6., 0.],
            [4., 5., 0., 0.],
            [5., 6., 0., 0.],
            [6., 0., 0., 0.],
        ];
        assert_eq!(columns, expected.concat()[..]);
    }

    /// Kernels, strides, dilations and paddings: short runs and long ones, patches inside and at every edge.
    const SLIDINGS: [Sliding; 9] = [
        sliding([3, 3], [1, 1], [1, 1], Padding::Valid),
        sliding([3, 4], [1, 1], [1, 1], Padding::Same),
        sliding([3, 2], [2, 1], [1, 1], Padding::Same),
        sliding([5, 7], [3, 2], [1, 1], Padding::Same),
        sliding([1, 1], [2, 3], [1, 1], Padding::Valid),
        sliding([7, 8], [1, 1], [1, 1], Padding::Same),
        sliding([3, 2], [1, 1], [2, 3], Padding::Valid),
        sliding([3, 3], [2, 1], [2, 1], Padding::Same),
        sliding([2, 3], [1, 2], [5, 4], Padding::Same),
    ];

    const fn sliding(size: [usize; 2], stride: [usize; 2], dilation: [usize; 2], padding: Padding) -> Sliding {
        Sliding { size, stride, dilation, padding }
    }

    fn geometries() -> impl Iterator<Item = ConvGeometry> {
        SLIDINGS.into_iter().map(|kernel| ConvGeometry::dilated([7, 8, 3], kernel, 1).unwrap())
    }

    #[test]
    fn every_float_of_a_band_is_the_pixel_under_the_kernel() {
        for geometry in geometries() {
            let ConvGeometry { kernel, stride, dilation, .. } = geometry;
            let image: Vec<f32> = (1..=geometry.input_len()).map(|i| i as f32).collect();
            let pixel = |y: usize, x: usize, c: usize| {
                let (y, x) = (y.checked_sub(geometry.padding[0])?, x.checked_sub(geometry.padding[1])?);
                (y < 7 && x < 8).then(|| image[(y * 8 + x) * 3 + c])
            };
            let (rows, mut expected) = (geometry.output[0] / 2..geometry.output[0], Vec::new());
            for y in rows.clone() {
                for x in 0..geometry.output[1] {
                    for tap in 0..geometry.patch_len() {
                        let (ky, kx, c) = (tap / (kernel[1] * 3), tap / 3 % kernel[1], tap % 3);
                        let (row, column) = (y * stride[0] + ky * dilation[0], x * stride[1] + kx * dilation[1]);
                        expected.push(pixel(row, column, c).unwrap_or(0.0));
                    }
                }
            }
            let mut columns = vec![f32::NAN; expected.len()];
            im2col(&geometry, &image, rows, &mut columns);
            assert_eq!(columns, expected, "{geometry:?}");
        }
    }

    #[test]
    fn im2col_and_col2im_are_adjoint() {
        for (index, geometry) in geometries().enumerate() {
            let mut stream = Stream::new(1, Purpose::Test, 0, index as u64);
            let mut draw = |len: usize| (0..len).map(|_| stream.unit_f32() - 0.5).collect::<Vec<f32>>();
            let (x, y) = (draw(geometry.input_len()), draw(geometry.positions() * geometry.patch_len()));
            let mut columns = vec![f32::NAN; y.len()];
            im2col(&geometry, &x, 0..geometry.output[0], &mut columns);
            let mut image = vec![0.0; x.len()];
            col2im_add(&geometry, &y, 0..geometry.output[0], &mut image);
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
            let (left, right) = (dot(&columns, &y), dot(&x, &image));
            assert!((left - right).abs() <= 1e-5 * left.abs().max(1.0), "{left} against {right}");
        }
    }
}
