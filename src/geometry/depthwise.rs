//! The sizes of a depthwise convolution.

use super::{Shape, Sliding};
use std::ops::Range;

/// The sizes of a depthwise convolution: each channel of the input is convolved by itself, with as many
/// filters as the multiplier says. The output's channel c·M + m is that of the input's channel c and its
/// filter m.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DepthwiseGeometry {
    /// H, W, C of one input image.
    pub input: [usize; 3],
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Steps of the kernel, down and across.
    pub stride: [usize; 2],
    /// Pixels from a cell of the kernel to the next, down and across.
    pub dilation: [usize; 2],
    /// Rows of zeros above and columns of zeros to the left of the image.
    pub padding: [usize; 2],
    /// Height and width of the output.
    pub output: [usize; 2],
    /// M, the filters of each channel.
    pub multiplier: usize,
}

impl DepthwiseGeometry {
    /// Computes the output size.
    ///
    /// # Errors
    /// A sentence, if a size is zero or the kernel does not fit into the image.
    pub fn new(input: [usize; 3], kernel: Sliding, multiplier: usize) -> Result<DepthwiseGeometry, String> {
        if multiplier == 0 {
            return Err("a depth_multiplier of 0; it needs at least 1".into());
        }
        let (padding, output) = kernel.slide("kernel", input)?;
        let Sliding { size: kernel, stride, dilation, .. } = kernel;
        Ok(DepthwiseGeometry { input, kernel, stride, dilation, padding, output, multiplier })
    }

    /// Returns C·M, the channels of the output.
    #[inline]
    pub fn channels(&self) -> usize {
        self.input[2] * self.multiplier
    }

    /// Returns the floats of the kernel, `[kernel height, kernel width, C, M]`.
    pub fn kernel_len(&self) -> usize {
        self.kernel[0] * self.kernel[1] * self.channels()
    }

    /// Returns the floats of one input image.
    pub fn input_len(&self) -> usize {
        self.input.iter().product()
    }

    /// Returns the shape of one output image.
    pub fn output_shape(&self) -> Shape {
        Shape::Image([self.output[0], self.output[1], self.channels()])
    }

    /// Returns the floats of one output image.
    pub fn output_len(&self) -> usize {
        self.output_shape().len()
    }

    /// Returns the multiply-adds of one pass over one image, products with padding counted in.
    pub fn multiply_adds(&self) -> usize {
        self.output[0] * self.output[1] * self.kernel_len()
    }

    /// Returns the rows of the kernel (axis 0), or its columns (axis 1), that lie inside the image where the
    /// kernel stands at this output position along the axis. There may be none.
    #[inline]
    pub(crate) fn cells_inside(&self, axis: usize, position: usize) -> Range<usize> {
        let (dilation, start) = (self.dilation[axis], position * self.stride[axis]);
        let first = self.padding[axis].saturating_sub(start).div_ceil(dilation);
        let end = (self.input[axis] + self.padding[axis]).saturating_sub(start).div_ceil(dilation);
        let end = end.min(self.kernel[axis]);
        first.min(end)..end
    }

    /// Returns the output positions along an axis where this cell of the kernel lies inside the image.
    #[inline]
    pub(crate) fn positions_inside(&self, axis: usize, cell: usize) -> Range<usize> {
        let (stride, start) = (self.stride[axis], cell * self.dilation[axis]);
        let first = self.padding[axis].saturating_sub(start).div_ceil(stride);
        let end = (self.input[axis] + self.padding[axis]).saturating_sub(start).div_ceil(stride);
        let end = end.min(self.output[axis]);
        first.min(end)..end
    }

    /// Returns where the pixel under a cell of the kernel starts in the input, when the kernel stands at
    /// output position (y, x) and the cell lies inside the image.
    #[inline]
    pub(crate) fn pixel(&self, [y, x]: [usize; 2], [ky, kx]: [usize; 2]) -> usize {
        let row = y * self.stride[0] + ky * self.dilation[0] - self.padding[0];
        let column = x * self.stride[1] + kx * self.dilation[1] - self.padding[1];
        (row * self.input[1] + column) * self.input[2]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Padding;

    #[test]
    fn a_cell_is_inside_at_a_position_if_the_position_is_inside_for_the_cell() {
        for (input, size, stride, dilation, padding) in [
            (7, 3, 1, 1, Padding::Same),
            (8, 3, 2, 1, Padding::Same),
            (9, 4, 1, 2, Padding::Same),
            // The kernel's two cells lie above and below the image.
            (3, 2, 1, 5, Padding::Same),
            (9, 3, 2, 2, Padding::Valid),
        ] {
            let sliding = Sliding { size: [size; 2], stride: [stride; 2], dilation: [dilation; 2], padding };
            let geometry = DepthwiseGeometry::new([input, input, 1], sliding, 1).unwrap();
            for cell in 0..size {
                for position in 0..geometry.output[0] {
                    let row = (position * stride + cell * dilation).checked_sub(geometry.padding[0]);
                    let inside = row.is_some_and(|row| row < input);
                    assert_eq!(geometry.cells_inside(0, position).contains(&cell), inside, "{geometry:?}");
                    assert_eq!(geometry.positions_inside(0, cell).contains(&position), inside, "{geometry:?}");
                }
            }
        }
    }
}
