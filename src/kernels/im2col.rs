//! im2col: the patches under the kernel as the rows of a matrix; and col2im, its adjoint.
//!
//! A convolution multiplies every patch of K numbers with every filter. Written out as a matrix of patches, P rows by K
//! columns, it is one matrix product. Each row is copied in the order ky, kx, c, the order of the kernel's own rows, so for
//! a fixed ky it is one run of contiguous floats of the image.
//!
//! The two functions are adjoint, ⟨im2col x, y⟩ = ⟨x, col2im y⟩, which is why the gradient of the one is the other.
//! Source of the idea: K. Chellapilla, S. Puri, P. Simard, *High Performance Convolutional Neural Networks for Document
//! Processing*, 2006.

use super::geometry::ConvGeometry;
use std::ops::Range;

/// Writes the patches of the output rows `rows` to `columns`, `[rows·output width × K]`; padding is zeros.
///
/// `input` is one image `[H, W, C]`.
pub fn im2col(geometry: &ConvGeometry, input: &[f32], rows: Range<usize>, columns: &mut [f32]) {
    for_each_run(geometry, rows, columns.len(), |run| {
        let target = &mut columns[run.column.clone()];
        let inside = run.skip..run.skip + run.image.len();
        target[..inside.start].fill(0.0);
        target[inside.end..].fill(0.0);
        target[inside].copy_from_slice(&input[run.image]);
    });
}

/// Adds each patch to the pixels that it was copied from: `grad_input[H, W, C] += col2im(columns)`.
pub fn col2im_add(geometry: &ConvGeometry, columns: &[f32], rows: Range<usize>, grad_input: &mut [f32]) {
    for_each_run(geometry, rows, columns.len(), |run| {
        let source = &columns[run.column.start + run.skip..][..run.image.len()];
        for (target, g) in grad_input[run.image].iter_mut().zip(source) {
            *target += g;
        }
    });
}

/// One kernel row of one patch: `kernel width · C` floats of the matrix, and those of the image that they stand for.
struct Run {
    /// Where it stands in the matrix.
    column: Range<usize>,
    /// Its part inside the image; empty where the kernel row lies in the padding.
    image: Range<usize>,
    /// Floats of the run to the left of the image.
    skip: usize,
}

/// Visits all runs of the output rows `rows`, in the order of the matrix.
#[inline(always)]
fn for_each_run(geometry: &ConvGeometry, rows: Range<usize>, columns_len: usize, mut visit: impl FnMut(Run)) {
    let [height, width, channels] = geometry.input;
    let run_len = geometry.kernel[1] * channels;
    debug_assert_eq!(columns_len, rows.len() * geometry.output[1] * geometry.patch_len());
    let mut start = 0;
    for y in rows {
        for x in 0..geometry.output[1] {
            // Kernel columns [first, last) lie inside the image; they start at image column x·stride + first − padding.
            let left = x * geometry.stride[1];
            let first = geometry.padding[1].saturating_sub(left).min(geometry.kernel[1]);
            let last = (width + geometry.padding[1]).saturating_sub(left).clamp(first, geometry.kernel[1]);
            for ky in 0..geometry.kernel[0] {
                let row = (y * geometry.stride[0] + ky).checked_sub(geometry.padding[0]).filter(|row| *row < height);
                let image = match row {
                    Some(row) if first < last => {
                        let from = (row * width + left + first - geometry.padding[1]) * channels;
                        from..from + (last - first) * channels
                    }
                    _ => 0..0,
                };
                visit(Run { column: start..start + run_len, image, skip: first * channels });
                start += run_len;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::geometry::Padding;
    use super::*;
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

    #[test]
    fn im2col_and_col2im_are_adjoint() {
        for (index, (kernel, stride, padding)) in [
            ([3, 3], [1, 1], Padding::Valid),
            ([3, 2], [2, 1], Padding::Same),
            ([5, 7], [3, 2], Padding::Same),
            ([1, 1], [2, 3], Padding::Valid),
        ]
        .into_iter()
        .enumerate()
        {
            let geometry = ConvGeometry::new([7, 8, 3], kernel, stride, padding, 1).unwrap();
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
