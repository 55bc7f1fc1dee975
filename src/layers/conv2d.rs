//! A convolution layer: its sizes, and where its weights stand. [`conv_block`](super::conv_block) runs it.

use crate::geometry::ConvGeometry;
use crate::parameters::TensorId;

/// A convolution layer.
#[derive(Clone, Debug)]
pub struct Conv2d {
    /// Its sizes.
    pub geometry: ConvGeometry,
    /// Where its kernel stands, `[kernel height, kernel width, C, F]`.
    pub kernel: TensorId,
    /// Where its bias stands, `[F]`.
    pub bias: TensorId,
}
