//! From a decoded picture to the network's input: nearest-neighbour resizing as Pillow does it, and bytes to
//! floats. [`framing`](super::framing) has what else a user may choose.

use super::decode::Rgb8;
use super::resample::{PictureBox, Pixels, nearest, nearest_in_box};

/// Returns the source index of every output position along one axis, as Pillow's `NEAREST` picks them:
///
/// ```text
/// s = input / output        x₀ = s / 2        xᵢ₊₁ = xᵢ + s        indexᵢ = trunc(xᵢ)
/// ```
pub fn nearest_indices(input: usize, output: usize) -> Vec<usize> {
    nearest_in_box(input, [0.0, input as f32], output)
}

/// Returns the picture brought to `width` × `height` pixels, each the nearest of the original; the aspect is
/// not kept.
pub fn resize_nearest(image: &Rgb8, width: usize, height: usize) -> Rgb8 {
    if (image.width, image.height) == (width, height) {
        return image.clone();
    }
    let picture = Pixels { width: image.width, height: image.height, channels: 3, bytes: image.pixels.clone() };
    let pixels = nearest(&picture, PictureBox::whole(&picture), width, height).bytes;
    Rgb8 { width, height, pixels }
}

/// The factor of a byte.
pub(super) const RESCALE: f32 = 1.0 / 255.0;

/// Returns a byte as the network sees it: x · (1/255) in f32, a product as in Keras's `rescale=1./255`, not a
/// quotient; for some bytes the two differ in the last bit.
pub fn scale(byte: u8) -> f32 {
    f32::from(byte) * RESCALE
}
