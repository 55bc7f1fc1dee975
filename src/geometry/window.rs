//! What slides over an image, a convolution's kernel or a pool's window, as other programs tell of it.

use super::{ConvGeometry, DepthwiseGeometry, PoolGeometry};

/// A kernel or a window that slides over an image, with the border that it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its cells.
    pub size: [usize; 2],
    /// Its steps.
    pub stride: [usize; 2],
    /// Pixels from a cell to the next.
    pub dilation: [usize; 2],
    /// Rows above the image, and columns to the left of it.
    pub before: [usize; 2],
    /// Rows below it and columns to the right that it covers: none beyond, whatever a spec asks for.
    pub after: [usize; 2],
}

impl Window {
    fn new(input: [usize; 3], output: [usize; 2], window: Window) -> Window {
        let after = [0, 1].map(|axis| {
            let reach = (window.size[axis] - 1) * window.dilation[axis] + 1;
            let covered = (output[axis] - 1) * window.stride[axis] + reach;
            covered.saturating_sub(input[axis] + window.before[axis])
        });
        Window { after, ..window }
    }
}

impl From<&ConvGeometry> for Window {
    fn from(geometry: &ConvGeometry) -> Window {
        let ConvGeometry { input, kernel: size, stride, dilation, padding: before, output, .. } = *geometry;
        Window::new(input, output, Window { size, stride, dilation, before, after: [0, 0] })
    }
}

impl From<&DepthwiseGeometry> for Window {
    fn from(geometry: &DepthwiseGeometry) -> Window {
        let DepthwiseGeometry { input, kernel: size, stride, dilation, padding: before, output, .. } = *geometry;
        Window::new(input, output, Window { size, stride, dilation, before, after: [0, 0] })
    }
}

impl From<&PoolGeometry> for Window {
    fn from(geometry: &PoolGeometry) -> Window {
        let PoolGeometry { input, window: size, stride, padding: before, output } = *geometry;
        Window::new(input, output, Window { size, stride, dilation: [1, 1], before, after: [0, 0] })
    }
}
