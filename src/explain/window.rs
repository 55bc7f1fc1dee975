//! What lies under a kernel or a window: positions to pixels, and back.

use crate::reference::{ConvShape, Layer, PoolShape};

/// A kernel or a window that slides over an image.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    /// Height and width of the image.
    pub input: [usize; 2],
    /// Height and width of the kernel.
    pub size: [usize; 2],
    pub stride: [usize; 2],
    pub dilation: [usize; 2],
    /// Rows above the image, columns to the left of it.
    pub padding: [usize; 2],
    /// Height and width of the output.
    pub output: [usize; 2],
}

impl Window {
    /// The kernel or window of a layer, if it has one.
    pub fn of(layer: &Layer, [height, width]: [usize; 2]) -> Option<Window> {
        let input = [height, width];
        match layer {
            Layer::Conv2d { shape, .. } | Layer::DepthwiseConv2d { shape, .. } => {
                let &ConvShape { kernel: size, stride, dilation, padding, output, .. } = shape;
                Some(Window { input, size, stride, dilation, padding, output })
            }
            Layer::MaxPool(shape) | Layer::AveragePool(shape) => {
                let &PoolShape { window: size, stride, padding, output } = shape;
                Some(Window { input, size, stride, dilation: [1, 1], padding, output })
            }
            _ => None,
        }
    }

    /// The pixel under a cell of the kernel when it stands at `position`, or none in the padding.
    pub fn pixel(&self, position: [usize; 2], cell: [usize; 2]) -> Option<[usize; 2]> {
        let along = |axis: usize| {
            let place = position[axis] * self.stride[axis] + cell[axis] * self.dilation[axis];
            place.checked_sub(self.padding[axis]).filter(|place| *place < self.input[axis])
        };
        Some([along(0)?, along(1)?])
    }

    /// The cells of the kernel, row by row.
    pub fn cells(&self) -> impl Iterator<Item = [usize; 2]> + use<> {
        let [height, width] = self.size;
        (0..height * width).map(move |cell| [cell / width, cell % width])
    }

    /// The positions of the output, row by row.
    pub fn positions(&self) -> impl Iterator<Item = [usize; 2]> + use<> {
        let [height, width] = self.output;
        (0..height * width).map(move |position| [position / width, position % width])
    }

    /// The positions at which the kernel covers a pixel, each with the cell that lies on it.
    pub fn covering(&self, pixel: [usize; 2]) -> impl Iterator<Item = ([usize; 2], [usize; 2])> + use<> {
        let window = *self;
        self.cells().filter_map(move |cell| {
            let along = |axis: usize| {
                let from_edge = (pixel[axis] + window.padding[axis]).checked_sub(cell[axis] * window.dilation[axis])?;
                let position = from_edge / window.stride[axis];
                let fits = from_edge % window.stride[axis] == 0 && position < window.output[axis];
                fits.then_some(position)
            };
            Some(([along(0)?, along(1)?], cell))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_position_covers_a_pixel_where_the_pixel_lies_under_it(
            input in prop::array::uniform2(1usize..9), size in prop::array::uniform2(1usize..4),
            stride in prop::array::uniform2(1usize..4), dilation in prop::array::uniform2(1usize..3),
            padding in prop::array::uniform2(0usize..3), output in prop::array::uniform2(1usize..6),
        ) {
            let window = Window { input, size, stride, dilation, padding, output };
            let mut seen = Vec::new();
            for position in window.positions() {
                for cell in window.cells() {
                    seen.extend(window.pixel(position, cell).map(|pixel| (pixel, position, cell)));
                }
            }
            let mut found = Vec::new();
            for pixel in (0..input[0] * input[1]).map(|pixel| [pixel / input[1], pixel % input[1]]) {
                found.extend(window.covering(pixel).map(|(position, cell)| (pixel, position, cell)));
            }
            seen.sort();
            found.sort();
            prop_assert_eq!(seen, found);
        }
    }
}
