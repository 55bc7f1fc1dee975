//! A pass of a convolution as one cross-correlation.
//!
//! Two of the three passes are the same sum, so an algorithm that can do one can do the other:
//!
//! ```text
//! forward   Y[y, x, f]  = Σ X[y·s + ky − before, x·s + kx − before, c] · W[ky, kx, c, f]
//! input     dX[y, x, c] = Σ dY[y + ky − before, x + kx − before, f] · W[kh−1−ky, kw−1−kx, c, f]       s = 1
//! ```
//!
//! A kernel is not dilated here. At stride 1 the gradient of the input reads ∂L/∂output, framed by kernel − 1
//! − padding zeros, and the kernel turned by 180° with its channels and filters exchanged. (V. Dumoulin, F.
//! Visin, *A Guide to Convolution Arithmetic for Deep Learning*, 2016, section 4, draws it.)
//!
//! At a larger stride the pixels fall into s·s **phases** by the remainder of their place, padding counted
//! in. A pixel of remainder r meets the kernel's cells r, r + s, r + 2s, … alone. So each phase is a
//! correlation at stride 1 of ∂L/∂output with those cells:
//!
//! ```text
//! y + padding = q·s + r        dX[y] = Σ over j of dY[q − j] · W[r + s·j]
//! ```

use super::Pass;
use super::frame::Frame;
use crate::geometry::ConvGeometry;
use crate::kernels::simd::LINE_FLOATS;
use crate::kernels::tile::PANEL;
use std::ops::Range;

/// The sizes of a cross-correlation, and how it reads the kernel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Correlation {
    /// H, W, C of what is read.
    pub input: [usize; 3],
    /// Rows of zeros above what is read, and columns of zeros to the left. Negative where the first ones are
    /// skipped.
    pub before: [isize; 2],
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Steps of the kernel, down and across.
    pub stride: [usize; 2],
    /// Height and width of what is written.
    pub output: [usize; 2],
    /// Channels of what is written.
    pub filters: usize,
    /// For a gradient of the input the cells of the kernel that it reads, with channels and filters
    /// exchanged; else it reads the kernel as it lies.
    pub turned: Option<TurnedCells>,
}

/// Every `step`-th cell of a kernel, from the last to the `first`: turned by 180°.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TurnedCells {
    first: [usize; 2],
    step: [usize; 2],
    /// The kernel's own width.
    width: usize,
}

impl Correlation {
    /// Describes a pass. The weights' gradient reads the input as the forward pass does.
    pub fn new(geometry: &ConvGeometry, pass: Pass) -> Correlation {
        match pass {
            Pass::Forward | Pass::GradWeights => Correlation::forward(geometry),
            Pass::GradInput => Correlation::grad_input(geometry),
        }
    }

    /// Describes the forward pass.
    pub fn forward(geometry: &ConvGeometry) -> Correlation {
        Correlation {
            input: geometry.input,
            before: geometry.padding.map(|padding| padding as isize),
            kernel: geometry.kernel,
            stride: geometry.stride,
            output: geometry.output,
            filters: geometry.filters,
            turned: None,
        }
    }

    /// Describes the gradient of the input, of a convolution at stride 1.
    pub fn grad_input(geometry: &ConvGeometry) -> Correlation {
        debug_assert_eq!(geometry.stride, [1, 1]);
        Correlation::grad_input_phase(geometry, [0, 0]).0
    }

    /// Describes the gradient of those pixels of the input whose place, padding counted in, leaves these
    /// remainders by the stride, and tells the first of them. The kernel or the output may be empty.
    pub fn grad_input_phase(geometry: &ConvGeometry, remainder: [usize; 2]) -> (Correlation, [usize; 2]) {
        let ConvGeometry { input, kernel, stride, padding, output, filters, .. } = *geometry;
        // The cells of the phase, the place q of its first pixel, and its pixels.
        let cells = [0, 1].map(|axis| kernel[axis].saturating_sub(remainder[axis]).div_ceil(stride[axis]));
        let place = [0, 1].map(|axis| padding[axis].saturating_sub(remainder[axis]).div_ceil(stride[axis]));
        let first = [0, 1].map(|axis| place[axis] * stride[axis] + remainder[axis] - padding[axis]);
        let pixels = [0, 1].map(|axis| input[axis].saturating_sub(first[axis]).div_ceil(stride[axis]));
        let correlation = Correlation {
            input: [output[0], output[1], filters],
            before: [0, 1].map(|axis| cells[axis] as isize - 1 - place[axis] as isize),
            kernel: cells,
            stride: [1, 1],
            output: pixels,
            filters: input[2],
            turned: Some(TurnedCells { first: remainder, step: stride, width: kernel[1] }),
        };
        (correlation, first)
    }

    /// Returns the frame in which the kernel never leaves what is read. A kernel's padding is less than its
    /// size, or else some position would see zeros alone; so `before` is not negative.
    pub fn frame(&self) -> Frame {
        debug_assert!(self.before.iter().all(|&before| before >= 0));
        let before = self.before.map(|before| before as usize);
        let size = |axis: usize| {
            let reach = (self.output[axis] - 1) * self.stride[axis] + self.kernel[axis];
            reach.max(before[axis] + self.input[axis])
        };
        Frame { image: self.input, size: [size(0), size(1)], before }
    }

    /// Returns the floats of a kernel row of a patch, kernel width · C.
    pub(crate) fn run_len(&self) -> usize {
        self.kernel[1] * self.input[2]
    }

    /// Returns the floats of a patch, K = kernel height · kernel width · C.
    pub fn patch_len(&self) -> usize {
        self.kernel[0] * self.run_len()
    }

    /// Returns the panels of [`PANEL`] filters.
    pub(crate) fn panels(&self) -> usize {
        self.filters.div_ceil(PANEL)
    }

    /// Copies what the kernel holds for one of its cells, ky·kernel width + kx, and a panel of filters: for
    /// each of `channels` to the `row` of one of `rows`. Filters beyond the last are left as they are.
    #[inline(always)]
    pub(crate) fn gather<R>(
        &self,
        kernel: &[f32],
        cell: usize,
        channels: Range<usize>,
        panel: usize,
        rows: &mut [R],
        row: impl Fn(&mut R) -> &mut [f32; PANEL],
    ) {
        let (all_channels, all_filters) = (self.input[2], self.filters);
        let filters = panel * PANEL..all_filters.min((panel + 1) * PANEL);
        if let Some(TurnedCells { first, step, width }) = self.turned {
            let place = [cell / self.kernel[1], cell % self.kernel[1]];
            let [y, x] = [0, 1].map(|axis| first[axis] + step[axis] * (self.kernel[axis] - 1 - place[axis]));
            let kernel = &kernel[(y * width + x) * all_filters * all_channels..];
            // A cache line at a time, since a line of the turned kernel holds one filter's channels.
            for (rows, first) in rows.chunks_mut(LINE_FLOATS).zip(channels.clone().step_by(LINE_FLOATS)) {
                let channels = first..channels.end.min(first + LINE_FLOATS);
                for (f, filter) in filters.clone().enumerate() {
                    let values = &kernel[filter * all_channels..][channels.clone()];
                    for (target, value) in rows.iter_mut().zip(values) {
                        row(target)[f] = *value;
                    }
                }
            }
        } else {
            for (target, channel) in rows.iter_mut().zip(channels) {
                let values = &kernel[(cell * all_channels + channel) * all_filters..][filters.clone()];
                row(target)[..values.len()].copy_from_slice(values);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Padding;

    #[test]
    fn a_kernel_is_gathered_as_it_lies_or_turned_with_channels_and_filters_exchanged() {
        let (channels, filters) = (35, 18);
        let geometry = ConvGeometry::new([5, 6, channels], [2, 3], [1, 1], Padding::Same, filters).unwrap();
        let kernel: Vec<f32> = (0..geometry.kernel_len()).map(|i| i as f32).collect();
        let value = |cell: usize, channel: usize, filter: usize| kernel[(cell * channels + channel) * filters + filter];
        for cell in 0..6 {
            let mut rows = vec![[f32::NAN; PANEL]; channels];
            Correlation::forward(&geometry).gather(&kernel, cell, 0..channels, 0, &mut rows, |row| row);
            for (channel, row) in rows.iter().enumerate() {
                assert!((0..filters).all(|filter| row[filter] == value(cell, channel, filter)));
                assert!(row[filters..].iter().all(|value| value.is_nan()), "filters that there are not");
            }
            // The second panel of the 35 channels, which are the filters here, for all but the first filter.
            let mut rows = vec![[f32::NAN; PANEL]; filters - 1];
            Correlation::grad_input(&geometry).gather(&kernel, cell, 1..filters, 1, &mut rows, |row| row);
            for (filter, row) in (1..).zip(&rows) {
                assert!((0..3).all(|channel| row[channel] == value(5 - cell, PANEL + channel, filter)));
                assert!(row[3..].iter().all(|value| value.is_nan()), "channels that there are not");
            }
        }
    }

    #[test]
    fn the_phases_of_a_strided_gradient_share_out_its_pixels_and_the_kernels_cells() {
        for (size, kernel, stride, padding) in [
            ([7, 10], [3, 5], [2, 3], Padding::Same),
            ([9, 11], [4, 3], [3, 2], Padding::Valid),
            ([8, 8], [1, 2], [2, 4], Padding::Same),
        ] {
            let geometry = ConvGeometry::new([size[0], size[1], 1], kernel, stride, padding, 1).unwrap();
            let values: Vec<f32> = (0..geometry.kernel_len()).map(|i| i as f32).collect();
            let (mut pixels, mut cells) = (vec![0; size[0] * size[1]], Vec::new());
            for phase in 0..stride[0] * stride[1] {
                let remainder = [phase / stride[1], phase % stride[1]];
                let (correlation, first) = Correlation::grad_input_phase(&geometry, remainder);
                for pixel in 0..correlation.output.iter().product() {
                    let place = [pixel / correlation.output[1], pixel % correlation.output[1]];
                    let [row, column] = [0, 1].map(|axis| first[axis] + place[axis] * stride[axis]);
                    pixels[row * size[1] + column] += 1;
                }
                for cell in 0..correlation.kernel.iter().product() {
                    let mut rows = [[f32::NAN; PANEL]];
                    correlation.gather(&values, cell, 0..1, 0, &mut rows, |row| row);
                    cells.push(rows[0][0]);
                }
            }
            assert!(pixels.iter().all(|&count| count == 1), "{geometry:?}: {pixels:?}");
            cells.sort_by(f32::total_cmp);
            assert_eq!(cells, values, "{geometry:?}");
        }
    }

    #[test]
    fn a_frame_holds_every_patch_of_either_pass() {
        let geometry = ConvGeometry::new([5, 6, 3], [2, 3], [1, 1], Padding::Same, 4).unwrap();
        let forward = Correlation::forward(&geometry).frame();
        assert_eq!(forward, Frame { image: [5, 6, 3], size: [6, 8], before: [0, 1] });
        let back = Correlation::grad_input(&geometry).frame();
        assert_eq!(back, Frame { image: [5, 6, 4], size: [6, 8], before: [1, 1] });
    }
}
