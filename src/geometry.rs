//! Shapes between layers, and sizes and padding of convolution and pooling: computed and checked once, when a
//! network is built.

mod depthwise;
mod padding;
mod window;

pub use depthwise::DepthwiseGeometry;
pub use padding::Padding;
pub use window::Window;

use std::fmt;
use std::ops::Range;

/// A network's largest tensor may have this many floats (8 GiB), and a size in a spec may be this large:
/// beyond them is a mistake in the spec, found before memory is asked for.
const MAX_TENSOR_FLOATS: usize = 1 << 31;

/// The shape of one sample between two layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// H, W, C.
    Image([usize; 3]),
    /// A number of values.
    Vector(usize),
}

impl Shape {
    /// Returns the floats of one sample.
    pub fn len(self) -> usize {
        match self {
            Shape::Image(sizes) => sizes.iter().product(),
            Shape::Vector(len) => len,
        }
    }

    /// Returns H, W and C; a vector is one pixel.
    pub fn sizes(self) -> [usize; 3] {
        match self {
            Shape::Image(sizes) => sizes,
            Shape::Vector(len) => [1, 1, len],
        }
    }

    /// Returns whether a sample has no floats; never so in a network that was built.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let text = match self {
            Shape::Image([height, width, channels]) => format!("{height}×{width}×{channels}"),
            Shape::Vector(len) => len.to_string(),
        };
        formatter.pad(&text)
    }
}

/// The sizes of a convolution. P = output height × output width is the number of output positions, K = kernel
/// height × kernel width × C the length of the patch under the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvGeometry {
    /// H, W, C of one input image.
    pub input: [usize; 3],
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Steps of the kernel, down and across.
    pub stride: [usize; 2],
    /// Pixels from a cell of the kernel to the next, down and across.
    pub dilation: [usize; 2],
    /// Rows of zeros above and columns of zeros to the left of the image. Below and to the right there are as
    /// many as the output needs.
    pub padding: [usize; 2],
    /// Height and width of the output.
    pub output: [usize; 2],
    /// F, the number of filters: the output's channels.
    pub filters: usize,
}

impl ConvGeometry {
    /// Computes the output size of a convolution whose kernel is not dilated.
    ///
    /// # Errors
    /// A sentence, if a size is zero or the kernel does not fit into the image.
    pub fn new(
        input: [usize; 3],
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: Padding,
        filters: usize,
    ) -> Result<ConvGeometry, String> {
        ConvGeometry::dilated(input, Sliding { size: kernel, stride, dilation: [1, 1], padding }, filters)
    }

    /// Computes the output size.
    ///
    /// # Errors
    /// A sentence, if a size is zero or the kernel does not fit into the image.
    pub fn dilated(input: [usize; 3], kernel: Sliding, filters: usize) -> Result<ConvGeometry, String> {
        if filters == 0 {
            return Err("0 filters; it needs at least 1".into());
        }
        let (padding, output) = kernel.slide("kernel", input)?;
        let Sliding { size: kernel, stride, dilation, .. } = kernel;
        Ok(ConvGeometry { input, kernel, stride, dilation, padding, output, filters })
    }

    /// Returns whether there are pixels between the kernel's cells.
    #[inline]
    pub fn is_dilated(&self) -> bool {
        self.dilation != [1, 1]
    }

    /// Returns K = kernel height · kernel width · C.
    pub fn patch_len(&self) -> usize {
        self.kernel[0] * self.kernel[1] * self.input[2]
    }

    /// Returns the floats of a kernel row, kernel width · C. Unless the kernel is dilated, a run of that
    /// length in the image is contiguous.
    #[inline]
    pub(crate) fn run_len(&self) -> usize {
        self.kernel[1] * self.input[2]
    }

    /// Returns the floats of an image row, W·C.
    #[inline]
    pub fn row_len(&self) -> usize {
        self.input[1] * self.input[2]
    }

    /// Returns the floats from a patch to its right neighbour, stride · C.
    #[inline]
    pub(crate) fn step_len(&self) -> usize {
        self.stride[1] * self.input[2]
    }

    /// Returns P = output height · output width.
    pub fn positions(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// Returns the floats of one input image, H·W·C.
    pub fn input_len(&self) -> usize {
        self.input.iter().product()
    }

    /// Returns the floats of one output image, P·F.
    pub fn output_len(&self) -> usize {
        self.positions() * self.filters
    }

    /// Returns the floats of the kernel, K·F.
    pub fn kernel_len(&self) -> usize {
        self.patch_len() * self.filters
    }

    /// Returns the multiply-adds of one pass over one image, P·K·F, products with padding counted in.
    pub fn multiply_adds(&self) -> usize {
        self.positions() * self.kernel_len()
    }
}

/// The sizes of a pool. Without padding, a window that would reach over the edge is left out; with it, what
/// lies outside has no part in the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolGeometry {
    /// H, W, C of one input image.
    pub input: [usize; 3],
    /// Height and width of the window.
    pub window: [usize; 2],
    /// Steps of the window, down and across.
    pub stride: [usize; 2],
    /// Rows above the image that the first windows cover, and columns to the left of it.
    pub padding: [usize; 2],
    /// Height and width of the output: ⌊(in − window)/stride⌋ + 1, or more with [padding](Padding).
    pub output: [usize; 2],
}

/// The most cells that a pooling window may have: its argmax is kept in 16 bits.
pub const MAX_WINDOW_CELLS: usize = 1 << 16;

impl PoolGeometry {
    /// Computes the output size.
    ///
    /// # Errors
    /// A sentence, if a size is zero, the window does not fit into the image or has over [`MAX_WINDOW_CELLS`]
    /// cells.
    pub fn new(
        input: [usize; 3],
        window: [usize; 2],
        stride: [usize; 2],
        padding: Padding,
    ) -> Result<PoolGeometry, String> {
        let sliding = Sliding { size: window, stride, dilation: [1, 1], padding };
        let (padding, output) = sliding.slide("window", input)?;
        if window[0].saturating_mul(window[1]) > MAX_WINDOW_CELLS {
            return Err(format!(
                "a window of {}×{} cells; at most {MAX_WINDOW_CELLS} are possible",
                window[0], window[1]
            ));
        }
        Ok(PoolGeometry { input, window, stride, padding, output })
    }

    /// Returns the cells of a window.
    #[inline]
    pub fn cells(&self) -> usize {
        self.window[0] * self.window[1]
    }

    /// Returns whether windows lie side by side, all of them wholly inside the image.
    pub fn tiles(&self) -> bool {
        let reach = self.covered();
        self.stride == self.window && self.padding == [0, 0] && reach[0] <= self.input[0] && reach[1] <= self.input[1]
    }

    /// Returns the rows and columns of a window at output position (y, x) that lie inside the image: none of
    /// them is empty.
    #[inline]
    pub fn inside(&self, position: [usize; 2]) -> [Range<usize>; 2] {
        [0, 1].map(|axis| {
            let start = position[axis] * self.stride[axis];
            let before = self.padding[axis].saturating_sub(start);
            before..self.window[axis].min(self.input[axis] + self.padding[axis] - start)
        })
    }

    /// Returns the rows and columns of the input that windows cover, where they [tile](PoolGeometry::tiles)
    /// it: none behind them has a part in the output.
    #[inline]
    pub(crate) fn covered(&self) -> [usize; 2] {
        [self.output[0] * self.window[0], self.output[1] * self.window[1]]
    }

    /// Returns the floats of one input image.
    pub fn input_len(&self) -> usize {
        self.input.iter().product()
    }

    /// Returns the shape of one output image.
    pub fn output_shape(&self) -> Shape {
        Shape::Image([self.output[0], self.output[1], self.input[2]])
    }

    /// Returns the floats of one output image.
    pub fn output_len(&self) -> usize {
        self.output_shape().len()
    }
}

/// How a kernel or a window slides over an image: each down and across.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sliding {
    /// Its cells.
    pub size: [usize; 2],
    /// Its steps.
    pub stride: [usize; 2],
    /// Pixels from a cell to the next.
    pub dilation: [usize; 2],
    /// The border of the image.
    pub padding: Padding,
}

impl Sliding {
    /// Returns the rows above the image and the columns to the left of it, and the size of the output.
    ///
    /// # Errors
    /// A sentence, in which it is called `what`.
    pub(crate) fn slide(&self, what: &str, input: [usize; 3]) -> Result<([usize; 2], [usize; 2]), String> {
        match [self.axis(input, 0), self.axis(input, 1)] {
            [Some(vertical), Some(horizontal)] => Ok(([vertical.0, horizontal.0], [vertical.1, horizontal.1])),
            _ => Err(self.explain_misfit(what, input)),
        }
    }

    /// Returns the padding before the image and the size of the output along one axis.
    fn axis(&self, input: [usize; 3], axis: usize) -> Option<(usize, usize)> {
        let [input, size, stride, dilation] = [input[axis], self.size[axis], self.stride[axis], self.dilation[axis]];
        if input == 0 || size == 0 || stride == 0 || dilation == 0 {
            return None;
        }
        self.padding.along(axis, input, self.reach(axis), stride)
    }

    /// Returns the pixels from its first cell to its last, both counted, which has at least one.
    pub(crate) fn reach(&self, axis: usize) -> usize {
        (self.size[axis] - 1).saturating_mul(self.dilation[axis]).saturating_add(1)
    }

    /// Explains why it cannot slide over the input.
    fn explain_misfit(&self, what: &str, input: [usize; 3]) -> String {
        let Sliding { size, stride, dilation, .. } = *self;
        let pair = |[down, across]: [usize; 2]| format!("{down}×{across}");
        for (name, pixels) in [("stride", stride), ("dilation", dilation)] {
            if pixels.contains(&0) && !size.contains(&0) {
                return format!("a {what} with {name} {}; it needs at least 1×1", pair(pixels));
            }
        }
        if size.contains(&0) {
            return format!("a {what} of {}; it needs at least 1×1", pair(size));
        }
        let dilated = if dilation == [1, 1] { String::new() } else { format!(" and dilation {}", pair(dilation)) };
        if let Padding::Pixels { before, after } = self.padding
            && (0..2).any(|axis| before[axis].max(after[axis]) >= self.reach(axis))
        {
            return format!(
                "a padding of {} pixels before and {} after, where a {what} of {}{dilated} would see nothing of the \
                 image; pad by fewer pixels than it reaches over",
                pair(before),
                pair(after),
                pair(size)
            );
        }
        format!(
            "a {what} of {} with stride {}{dilated} does not fit an input of {}×{}×{} (height × width × channels); use \
             larger images or a smaller {what}",
            pair(size),
            pair(stride),
            input[0],
            input[1],
            input[2]
        )
    }
}

/// Refuses, in a sentence, a tensor of these sizes where it would be too large.
///
/// # Errors
/// The sentence.
pub(crate) fn check_floats(sizes: &[usize]) -> Result<(), String> {
    let floats = sizes.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
    match floats {
        Some(floats) if floats <= MAX_TENSOR_FLOATS => Ok(()),
        _ => {
            let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
            Err(format!(
                "it would have {} floats, and {MAX_TENSOR_FLOATS} is the most; make it smaller",
                sizes.join("×")
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_model_has_the_documented_sizes() {
        let conv = |input, filters| ConvGeometry::new(input, [3, 3], [1, 1], Padding::Valid, filters).unwrap();
        let pool = |input| PoolGeometry::new(input, [2, 2], [2, 2], Padding::Valid).unwrap().output;
        assert_eq!(conv([128, 128, 3], 32).output, [126, 126]);
        assert_eq!(pool([126, 126, 32]), [63, 63]);
        assert_eq!(conv([63, 63, 32], 64).output, [61, 61]);
        assert_eq!(pool([61, 61, 64]), [30, 30]);
        assert_eq!(conv([30, 30, 64], 128).output, [28, 28]);
        assert_eq!(pool([28, 28, 128]), [14, 14]);
    }

    #[test]
    fn same_padding_puts_the_odd_row_below() {
        let geometry = ConvGeometry::new([5, 6, 1], [2, 3], [1, 2], Padding::Same, 1).unwrap();
        assert_eq!(geometry.output, [5, 3]);
        // Down: (5 − 1)·1 + 2 − 5 = 1 row, none of it above. Across: (3 − 1)·2 + 3 − 6 = 1 column, none to
        // the left.
        assert_eq!(geometry.padding, [0, 0]);
        assert_eq!(ConvGeometry::new([5, 5, 1], [3, 3], [1, 1], Padding::Same, 1).unwrap().padding, [1, 1]);
    }

    #[test]
    fn a_dilated_kernel_reaches_over_the_pixels_between_its_cells() {
        let sliding = |padding| Sliding { size: [3, 2], stride: [1, 2], dilation: [2, 3], padding };
        let geometry = ConvGeometry::dilated([6, 7, 1], sliding(Padding::Valid), 1).unwrap();
        // It covers 5 rows and 4 columns.
        assert_eq!((geometry.output, geometry.padding), ([2, 2], [0, 0]));
        let geometry = ConvGeometry::dilated([6, 7, 1], sliding(Padding::Same), 1).unwrap();
        // Down: 5 + 5 − 6 = 4 rows. Across: (4 − 1)·2 + 4 − 7 = 3 columns, one of them to the left.
        assert_eq!((geometry.output, geometry.padding), ([6, 4], [2, 1]));
        let error = ConvGeometry::dilated([4, 7, 1], sliding(Padding::Valid), 1).unwrap_err();
        assert!(error.starts_with("a kernel of 3×2 with stride 1×2 and dilation 2×3 does not fit"), "{error}");
    }

    #[test]
    fn a_padded_window_has_a_part_inside_the_image_at_every_position() {
        let geometry = PoolGeometry::new([5, 4, 1], [3, 2], [2, 3], Padding::Same).unwrap();
        assert_eq!((geometry.output, geometry.padding), ([3, 2], [1, 0]));
        assert_eq!([0, 1, 2].map(|y| geometry.inside([y, 0])[0].clone()), [1..3, 0..3, 0..2]);
        assert_eq!([0, 1].map(|x| geometry.inside([0, x])[1].clone()), [0..2, 0..1]);
        assert!(!geometry.tiles() && !PoolGeometry::new([5, 4, 1], [2, 2], [2, 2], Padding::Same).unwrap().tiles());
        assert!(PoolGeometry::new([6, 4, 1], [2, 2], [2, 2], Padding::Same).unwrap().tiles());
    }

    #[test]
    fn sizes_that_cannot_work_are_told_in_a_sentence() {
        let error = ConvGeometry::new([2, 9, 3], [3, 3], [1, 1], Padding::Valid, 8).unwrap_err();
        assert_eq!(
            error,
            "a kernel of 3×3 with stride 1×1 does not fit an input of 2×9×3 (height × width × channels); use larger images or a smaller kernel"
        );
        let error = ConvGeometry::new([9, 9, 3], [3, 3], [0, 1], Padding::Same, 8).unwrap_err();
        assert_eq!(error, "a kernel with stride 0×1; it needs at least 1×1");
        let error = ConvGeometry::new([9, 9, 3], [3, 2], [1, 1], Padding::pixels([1, 2], [1, 1]), 8).unwrap_err();
        assert_eq!(
            error,
            "a padding of 1×2 pixels before and 1×1 after, where a kernel of 3×2 would see nothing of the image; pad by \
             fewer pixels than it reaches over"
        );
        let error = PoolGeometry::new([9, 9, 3], [2, 0], [2, 2], Padding::Valid).unwrap_err();
        assert_eq!(error, "a window of 2×0; it needs at least 1×1");
        assert!(ConvGeometry::new([9, 9, 3], [3, 3], [1, 1], Padding::Same, 0).is_err());
        assert!(PoolGeometry::new([1, 1, 8], [2, 2], [2, 2], Padding::Valid).is_err());
        assert!(PoolGeometry::new([300, 300, 1], [300, 300], [1, 1], Padding::Valid).is_err());
    }
}
