//! Shapes between layers, and sizes and padding of convolution and pooling: computed and checked once, when a
//! network is built.

use serde::{Deserialize, Serialize};
use std::fmt;

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

/// The border of an image where a kernel reaches over its edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Padding {
    /// No border: the kernel stays inside the image. Output size ⌊(in − kernel)/stride⌋ + 1.
    #[default]
    Valid,
    /// Zeros, so many that the output has size ⌈in/stride⌉. Where the number of rows is odd, the extra one is
    /// below, as in TensorFlow.
    Same,
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
    /// Rows of zeros above and columns of zeros to the left of the image. Below and to the right there are as
    /// many as the output needs.
    pub padding: [usize; 2],
    /// Height and width of the output.
    pub output: [usize; 2],
    /// F, the number of filters: the output's channels.
    pub filters: usize,
}

impl ConvGeometry {
    /// Computes the output size.
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
        if filters == 0 {
            return Err("0 filters; it needs at least 1".into());
        }
        let vertical = Axis::new(input[0], kernel[0], stride[0], padding);
        let horizontal = Axis::new(input[1], kernel[1], stride[1], padding);
        let (Some(vertical), Some(horizontal)) = (vertical, horizontal) else {
            return Err(explain_misfit("kernel", kernel, stride, input));
        };
        Ok(ConvGeometry {
            input,
            kernel,
            stride,
            padding: [vertical.before, horizontal.before],
            output: [vertical.output, horizontal.output],
            filters,
        })
    }

    /// Returns K = kernel height · kernel width · C.
    pub fn patch_len(&self) -> usize {
        self.kernel[0] * self.kernel[1] * self.input[2]
    }

    /// Returns the floats of a kernel row, kernel width · C: a run of that length in the image is contiguous.
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

/// The sizes of a max-pool. A window that would reach over the edge is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolGeometry {
    /// H, W, C of one input image.
    pub input: [usize; 3],
    /// Height and width of the window.
    pub window: [usize; 2],
    /// Steps of the window, down and across.
    pub stride: [usize; 2],
    /// Height and width of the output: ⌊(in − window)/stride⌋ + 1.
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
    pub fn new(input: [usize; 3], window: [usize; 2], stride: [usize; 2]) -> Result<PoolGeometry, String> {
        let vertical = Axis::new(input[0], window[0], stride[0], Padding::Valid);
        let horizontal = Axis::new(input[1], window[1], stride[1], Padding::Valid);
        let (Some(vertical), Some(horizontal)) = (vertical, horizontal) else {
            return Err(explain_misfit("window", window, stride, input));
        };
        if window[0] * window[1] > MAX_WINDOW_CELLS {
            return Err(format!(
                "a window of {}×{} cells; at most {MAX_WINDOW_CELLS} are possible",
                window[0], window[1]
            ));
        }
        Ok(PoolGeometry { input, window, stride, output: [vertical.output, horizontal.output] })
    }

    /// Returns the cells of a window.
    #[inline]
    pub fn cells(&self) -> usize {
        self.window[0] * self.window[1]
    }

    /// Returns the rows and columns of the input that windows cover, where these do not overlap: none behind
    /// them has a part in the output.
    #[inline]
    pub(crate) fn covered(&self) -> [usize; 2] {
        [self.output[0] * self.window[0], self.output[1] * self.window[1]]
    }

    /// Returns the floats of one input image.
    pub fn input_len(&self) -> usize {
        self.input.iter().product()
    }

    /// Returns the floats of one output image.
    pub fn output_len(&self) -> usize {
        self.output[0] * self.output[1] * self.input[2]
    }
}

/// One axis of a sliding window.
struct Axis {
    output: usize,
    before: usize,
}

impl Axis {
    fn new(input: usize, window: usize, stride: usize, padding: Padding) -> Option<Axis> {
        if input == 0 || window == 0 || stride == 0 {
            return None;
        }
        match padding {
            Padding::Valid => Some(Axis { output: input.checked_sub(window)? / stride + 1, before: 0 }),
            Padding::Same => {
                let output = input.div_ceil(stride);
                let needed = ((output - 1) * stride + window).saturating_sub(input);
                Some(Axis { output, before: needed / 2 })
            }
        }
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

/// Explains why a kernel or a window cannot slide over the input.
fn explain_misfit(what: &str, size: [usize; 2], stride: [usize; 2], input: [usize; 3]) -> String {
    if size.contains(&0) {
        return format!("a {what} of {}×{}; it needs at least 1×1", size[0], size[1]);
    }
    if stride.contains(&0) {
        return format!("a {what} with stride {}×{}; it needs at least 1×1", stride[0], stride[1]);
    }
    format!(
        "a {what} of {}×{} with stride {}×{} does not fit an input of {}×{}×{} (height × width × channels); use larger images or a \
         smaller {what}",
        size[0], size[1], stride[0], stride[1], input[0], input[1], input[2]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_model_has_the_documented_sizes() {
        let conv = |input, filters| ConvGeometry::new(input, [3, 3], [1, 1], Padding::Valid, filters).unwrap();
        let pool = |input| PoolGeometry::new(input, [2, 2], [2, 2]).unwrap().output;
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
    fn sizes_that_cannot_work_are_told_in_a_sentence() {
        let error = ConvGeometry::new([2, 9, 3], [3, 3], [1, 1], Padding::Valid, 8).unwrap_err();
        assert_eq!(
            error,
            "a kernel of 3×3 with stride 1×1 does not fit an input of 2×9×3 (height × width × channels); use larger images or a smaller kernel"
        );
        let error = ConvGeometry::new([9, 9, 3], [3, 3], [0, 1], Padding::Same, 8).unwrap_err();
        assert_eq!(error, "a kernel with stride 0×1; it needs at least 1×1");
        let error = PoolGeometry::new([9, 9, 3], [2, 0], [2, 2]).unwrap_err();
        assert_eq!(error, "a window of 2×0; it needs at least 1×1");
        assert!(ConvGeometry::new([9, 9, 3], [3, 3], [1, 1], Padding::Same, 0).is_err());
        assert!(PoolGeometry::new([1, 1, 8], [2, 2], [2, 2]).is_err());
        assert!(PoolGeometry::new([300, 300, 1], [300, 300], [1, 1]).is_err());
    }
}
