//! What goes forward through a network, and what comes back for its parameters.

/// An image, or any activation, of height H, width W and C channels; a vector is an image of 1×1×C.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// H, in pixels.
    pub height: usize,
    /// W, in pixels.
    pub width: usize,
    /// C.
    pub channels: usize,
    /// The values in H, W, C order: `values[(y·W + x)·C + c]`.
    pub values: Vec<f64>,
}

impl Image {
    /// An image of zeros.
    pub fn zeros(height: usize, width: usize, channels: usize) -> Image {
        Image { height, width, channels, values: vec![0.0; height * width * channels] }
    }

    /// Where pixel (y, x), channel c stands in `values`.
    pub fn index(&self, y: usize, x: usize, c: usize) -> usize {
        (y * self.width + x) * self.channels + c
    }
}

/// The gradient of a layer's parameters; both empty for a layer without any.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LayerGradient {
    /// ∂L/∂kernel, in the kernel's own layout; of a batch normalization, ∂L/∂γ.
    pub kernel: Vec<f64>,
    /// ∂L/∂bias; of a batch normalization, ∂L/∂β.
    pub bias: Vec<f64>,
}
