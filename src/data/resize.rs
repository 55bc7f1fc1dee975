//! From a decoded picture to the network's input: nearest-neighbour resizing as Pillow does it, and bytes to
//! floats.

use super::decode::Rgb8;

/// Returns the source index of every output position along one axis, as Pillow's `NEAREST` picks them:
///
/// ```text
/// s = input / output        x₀ = s / 2        xᵢ₊₁ = xᵢ + s        indexᵢ = trunc(xᵢ)
/// ```
///
/// The position is accumulated in f64. The closed form (i + ½)·s rounds differently, and where x should be a
/// whole number it can pick another pixel: so for 128 pixels brought to 150. For an output that is a power of
/// two, as the documented 128 is, every sum is exact and both agree.
pub fn nearest_indices(input: usize, output: usize) -> Vec<usize> {
    let step = input as f64 / output as f64;
    let mut position = 0.5 * step;
    (0..output)
        .map(|_| {
            let index = position as usize;
            position += step;
            index.min(input.saturating_sub(1))
        })
        .collect()
}

/// Returns the picture brought to `width` × `height` pixels, each the nearest of the original; the aspect is
/// not kept.
pub fn resize_nearest(image: &Rgb8, width: usize, height: usize) -> Rgb8 {
    if (image.width, image.height) == (width, height) {
        return image.clone();
    }
    let columns = nearest_indices(image.width, width);
    let mut pixels = Vec::with_capacity(width * height * 3);
    for row in nearest_indices(image.height, height) {
        let row = &image.pixels[row * image.width * 3..][..image.width * 3];
        for &column in &columns {
            pixels.extend_from_slice(&row[column * 3..column * 3 + 3]);
        }
    }
    Rgb8 { width, height, pixels }
}

/// The factor of a byte.
pub(super) const RESCALE: f32 = 1.0 / 255.0;

/// Returns a byte as the network sees it: x · (1/255) in f32, a product as in Keras's `rescale=1./255`, not a
/// quotient; for some bytes the two differ in the last bit.
pub fn scale(byte: u8) -> f32 {
    f32::from(byte) * RESCALE
}
