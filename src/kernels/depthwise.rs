//! Depthwise convolution: each channel of an image by itself, with M filters of its own.
//!
//! `output[y, x, c·M + m] = bias[c·M + m] + Σ_{ky, kx} input[y·s + ky·d − padding, x·s + kx·d − padding, c] ·
//! kernel[ky, kx, c, m]`. There is no sum over channels, so no matrix product either: every pixel under the
//! kernel is multiplied with a row of the kernel, channel by channel. With one filter a channel, which is
//! usual, both rows are as long, and a register of channels stays where it is while the kernel's cells go by.
//!
//! A. G. Howard et al., *MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications*,
//! 2017, section 3.1.

use super::elementwise::add;
use super::simd::{SimdOp, dispatch, load, multiply_add};
use crate::geometry::DepthwiseGeometry;

/// Writes output row `y`, `[output width, C·M]`.
pub fn forward_row(
    geometry: &DepthwiseGeometry,
    input: &[f32],
    kernel: &[f32],
    bias: &[f32],
    y: usize,
    output: &mut [f32],
) {
    dispatch(ForwardRow { geometry, input, kernel, bias, y, output });
}

/// Writes ∂L/∂input: for each pixel Σ ∂L/∂output · kernel over the products that it was in.
pub fn grad_input(geometry: &DepthwiseGeometry, grad_output: &[f32], kernel: &[f32], grad_input: &mut [f32]) {
    dispatch(GradInput { geometry, grad_output, kernel, grad_input });
}

/// **Adds** ∂L/∂kernel and ∂L/∂bias to `sums`, shaped as the kernel, and `grad_bias` `[C·M]`. A row of
/// positions is summed by itself before it is added to the rest, in `row_sums` `[C·M]`.
pub fn grad_weights(
    geometry: &DepthwiseGeometry,
    input: &[f32],
    grad_output: &[f32],
    sums: &mut [f32],
    grad_bias: &mut [f32],
    row_sums: &mut [f32],
) {
    dispatch(GradWeights { geometry, input, grad_output, sums, grad_bias, row_sums });
}

struct ForwardRow<'a> {
    geometry: &'a DepthwiseGeometry,
    input: &'a [f32],
    kernel: &'a [f32],
    bias: &'a [f32],
    y: usize,
    output: &'a mut [f32],
}

impl SimdOp for ForwardRow<'_> {
    #[inline(always)]
    fn run<const LANES: usize, const FUSED: bool>(self) {
        let ForwardRow { geometry, input, kernel, bias, y, output } = self;
        let (channels, multiplier) = (geometry.channels(), geometry.multiplier);
        let rows = geometry.cells_inside(0, y);
        for (x, output) in output.chunks_exact_mut(channels).enumerate() {
            let columns = geometry.cells_inside(1, x);
            let cells = rows.clone().flat_map(|ky| columns.clone().map(move |kx| [ky, kx]));
            let cells =
                cells.map(|[ky, kx]| (geometry.pixel([y, x], [ky, kx]), (ky * geometry.kernel[1] + kx) * channels));
            if multiplier == 1 {
                let mut from = 0;
                while from + LANES <= channels {
                    let sum = sum_of_cells::<LANES, FUSED>([input, kernel, bias], cells.clone(), from);
                    output[from..from + LANES].copy_from_slice(&sum);
                    from += LANES;
                }
                for (from, output) in (from..).zip(&mut output[from..]) {
                    *output = sum_of_cells::<1, FUSED>([input, kernel, bias], cells.clone(), from)[0];
                }
                continue;
            }
            output.copy_from_slice(bias);
            for (pixel, cell) in cells {
                let filters = kernel[cell..].chunks_exact(multiplier).zip(output.chunks_exact_mut(multiplier));
                for (value, (weights, sums)) in input[pixel..].iter().zip(filters) {
                    for (sum, weight) in sums.iter_mut().zip(weights) {
                        *sum += value * weight;
                    }
                }
            }
        }
    }
}

/// Returns the sums of the channels from `from` on over the kernel's cells, given by where the pixel and the
/// kernel's row begin.
#[inline(always)]
fn sum_of_cells<const LANES: usize, const FUSED: bool>(
    [input, kernel, bias]: [&[f32]; 3],
    cells: impl Iterator<Item = (usize, usize)>,
    from: usize,
) -> [f32; LANES] {
    let mut sum = load::<LANES>(bias, from);
    for (pixel, cell) in cells {
        sum = multiply_add::<LANES, FUSED>(load(input, pixel + from), load(kernel, cell + from), sum);
    }
    sum
}

struct GradInput<'a> {
    geometry: &'a DepthwiseGeometry,
    grad_output: &'a [f32],
    kernel: &'a [f32],
    grad_input: &'a mut [f32],
}

impl SimdOp for GradInput<'_> {
    #[inline(always)]
    fn run<const LANES: usize, const FUSED: bool>(self) {
        let GradInput { geometry, grad_output, kernel, grad_input } = self;
        let (channels, multiplier) = (geometry.channels(), geometry.multiplier);
        grad_input.fill(0.0);
        for (position, grad_output) in grad_output.chunks_exact(channels).enumerate() {
            let [y, x] = [position / geometry.output[1], position % geometry.output[1]];
            for ky in geometry.cells_inside(0, y) {
                for kx in geometry.cells_inside(1, x) {
                    let weights = &kernel[(ky * geometry.kernel[1] + kx) * channels..][..channels];
                    let pixel = &mut grad_input[geometry.pixel([y, x], [ky, kx])..][..geometry.input[2]];
                    if multiplier == 1 {
                        for ((sum, g), weight) in pixel.iter_mut().zip(grad_output).zip(weights) {
                            *sum += g * weight;
                        }
                    } else {
                        let filters = grad_output.chunks_exact(multiplier).zip(weights.chunks_exact(multiplier));
                        for (sum, (g, weights)) in pixel.iter_mut().zip(filters) {
                            *sum += g.iter().zip(weights).map(|(g, weight)| g * weight).sum::<f32>();
                        }
                    }
                }
            }
        }
    }
}

struct GradWeights<'a> {
    geometry: &'a DepthwiseGeometry,
    input: &'a [f32],
    grad_output: &'a [f32],
    sums: &'a mut [f32],
    grad_bias: &'a mut [f32],
    row_sums: &'a mut [f32],
}

impl SimdOp for GradWeights<'_> {
    #[inline(always)]
    fn run<const LANES: usize, const FUSED: bool>(self) {
        let GradWeights { geometry, input, grad_output, sums, grad_bias, row_sums } = self;
        let (channels, multiplier) = (geometry.channels(), geometry.multiplier);
        for (y, grad_row) in grad_output.chunks_exact(geometry.output[1] * channels).enumerate() {
            row_sums.fill(0.0);
            for grad_output in grad_row.chunks_exact(channels) {
                add(grad_output, row_sums);
            }
            add(row_sums, grad_bias);
            for ky in geometry.cells_inside(0, y) {
                for kx in 0..geometry.kernel[1] {
                    row_sums.fill(0.0);
                    for x in geometry.positions_inside(1, kx) {
                        let grad_output = &grad_row[x * channels..][..channels];
                        let pixel = &input[geometry.pixel([y, x], [ky, kx])..][..geometry.input[2]];
                        if multiplier == 1 {
                            for ((sum, g), value) in row_sums.iter_mut().zip(grad_output).zip(pixel) {
                                *sum += g * value;
                            }
                        } else {
                            let filters =
                                row_sums.chunks_exact_mut(multiplier).zip(grad_output.chunks_exact(multiplier));
                            for ((sums, g), value) in filters.zip(pixel) {
                                for (sum, g) in sums.iter_mut().zip(g) {
                                    *sum += g * value;
                                }
                            }
                        }
                    }
                    add(row_sums, &mut sums[(ky * geometry.kernel[1] + kx) * channels..][..channels]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::{Padding, Sliding};
    use crate::kernels::simd::{InstructionSet, dispatch_to};
    use crate::random::{Purpose, Stream};

    #[test]
    fn channels_keep_to_themselves_and_stand_filter_by_filter() {
        // Two pixels of two channels under a kernel of 1×2, two filters a channel.
        let sliding = Sliding { size: [1, 2], stride: [1, 1], dilation: [1, 1], padding: Padding::Valid };
        let geometry = DepthwiseGeometry::new([1, 2, 2], sliding, 2).unwrap();
        let (input, kernel) = ([1., 10., 2., 20.], [1., 2., 3., 4., 5., 6., 7., 8.]);
        let mut output = [f32::NAN; 4];
        forward_row(&geometry, &input, &kernel, &[0.5, 0.0, 0.0, 0.0], 0, &mut output);
        assert_eq!(output, [1. + 10. + 0.5, 2. + 12., 30. + 140., 40. + 160.]);
        let mut back = [f32::NAN; 4];
        grad_input(&geometry, &[1., 0., 0., 2.], &kernel, &mut back);
        assert_eq!(back, [1., 8., 5., 16.]);
        let (mut sums, mut grad_bias, mut row_sums) = ([0.0; 8], [0.0; 4], [f32::NAN; 4]);
        grad_weights(&geometry, &input, &[1., 0., 0., 2.], &mut sums, &mut grad_bias, &mut row_sums);
        assert_eq!((sums, grad_bias), ([1., 0., 0., 20., 2., 0., 0., 40.], [1., 0., 0., 2.]));
    }

    #[test]
    fn every_instruction_set_gives_the_same_sums_up_to_rounding() {
        let sliding = Sliding { size: [3, 3], stride: [2, 1], dilation: [1, 2], padding: Padding::Same };
        let geometry = DepthwiseGeometry::new([9, 8, 37], sliding, 1).unwrap();
        let mut stream = Stream::new(0, Purpose::Test, 0, 0);
        let mut draw = |len: usize| (0..len).map(|_| stream.unit_f32() - 0.5).collect::<Vec<f32>>();
        let (input, kernel, bias) = (draw(geometry.input_len()), draw(geometry.kernel_len()), draw(37));
        let row = |set: InstructionSet| {
            let mut output = vec![f32::NAN; geometry.output[1] * 37];
            let (geometry, input, kernel, bias) = (&geometry, &input[..], &kernel[..], &bias[..]);
            dispatch_to(set, ForwardRow { geometry, input, kernel, bias, y: 2, output: &mut output });
            output
        };
        let expected = row(InstructionSet::Portable);
        for set in InstructionSet::tested() {
            let largest = row(set).iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(largest <= 1e-6, "{}: {largest}", set.name());
        }
    }
}
