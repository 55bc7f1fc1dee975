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
    /// True if the kernel is turned by 180°, with its channels and filters exchanged.
    pub turned: bool,
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
            turned: false,
        }
    }

    /// Describes the gradient of the input, of a convolution at stride 1.
    pub fn grad_input(geometry: &ConvGeometry) -> Correlation {
        debug_assert_eq!(geometry.stride, [1, 1]);
        let [height, width, channels] = geometry.input;
        let before = |axis: usize| geometry.kernel[axis] as isize - 1 - geometry.padding[axis] as isize;
        Correlation {
            input: [geometry.output[0], geometry.output[1], geometry.filters],
            before: [before(0), before(1)],
            kernel: geometry.kernel,
            stride: [1, 1],
            output: [height, width],
            filters: channels,
            turned: true,
        }
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
        if self.turned {
            let last_cell = self.kernel[0] * self.kernel[1] - 1;
            let kernel = &kernel[(last_cell - cell) * all_filters * all_channels..];
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
    fn a_frame_holds_every_patch_of_either_pass() {
        let geometry = ConvGeometry::new([5, 6, 3], [2, 3], [1, 1], Padding::Same, 4).unwrap();
        let forward = Correlation::forward(&geometry).frame();
        assert_eq!(forward, Frame { image: [5, 6, 3], size: [6, 8], before: [0, 1] });
        let back = Correlation::grad_input(&geometry).frame();
        assert_eq!(back, Frame { image: [5, 6, 4], size: [6, 8], before: [1, 1] });
    }
}
