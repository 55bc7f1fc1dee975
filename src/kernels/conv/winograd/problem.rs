//! What a pass of a 3×3 convolution at stride 1 computes, so that both passes to which Winograd's filtering applies are one.
//!
//! The gradient of the input is a convolution too: of ∂L/∂output, framed by kernel − 1 − padding zeros, with the kernel turned by
//! 180° and channels and filters exchanged.

use crate::geometry::ConvGeometry;
use crate::kernels::conv::Pass;
use crate::kernels::tile::PANEL;

/// A 3×3 convolution at stride 1.
#[derive(Clone, Copy, Debug)]
pub struct Problem {
    /// Height, width, channels of what is read.
    pub input: [usize; 3],
    /// Height and width of what is written.
    pub output: [usize; 2],
    /// Its channels.
    pub filters: usize,
    /// Rows and columns of zeros above and to the left.
    pub before: [isize; 2],
}

impl Problem {
    /// What a pass computes.
    pub fn new(geometry: &ConvGeometry, pass: Pass) -> Problem {
        let [height, width, channels] = geometry.input;
        let padding = geometry.padding.map(|padding| padding as isize);
        match pass {
            Pass::GradInput => Problem {
                input: [geometry.output[0], geometry.output[1], geometry.filters],
                output: [height, width],
                filters: channels,
                before: padding.map(|padding| 2 - padding),
            },
            _ => Problem { input: geometry.input, output: geometry.output, filters: geometry.filters, before: padding },
        }
    }

    /// Blocks of filters.
    pub fn blocks(&self) -> usize {
        self.filters.div_ceil(PANEL)
    }
}
