//! An image to be shown in a picture.

use crate::{Error, Result};
use image::{ImageBuffer, Rgb};

/// An image to be shown, with the label that belongs under it. Nothing is copied.
#[derive(Clone, Copy, Debug)]
pub struct LabelledImage<'a> {
    /// The label: a file name as a rule. Too long a label is shortened in its middle.
    pub label: &'a str,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// RGB, 8 bits each, row by row: 3·width·height bytes.
    pub pixels: &'a [u8],
}

impl<'a> LabelledImage<'a> {
    /// Returns the pixels as a buffer of `image`, without a copy.
    ///
    /// # Errors
    /// [`Error::Image`] when the image is empty, or when its sizes do not agree with the number of bytes.
    pub(super) fn buffer(&self) -> Result<ImageBuffer<Rgb<u8>, &'a [u8]>> {
        let &LabelledImage { label, width, height, pixels } = self;
        let mismatch = || Error::Image {
            file: label.to_string(),
            reason: format!("{width}×{height} RGB pixels do not fit {} bytes", pixels.len()),
        };
        let wanted = 3 * u128::from(width) * u128::from(height);
        if wanted == 0 || wanted != pixels.len() as u128 {
            return Err(mismatch());
        }
        ImageBuffer::from_raw(width, height, pixels).ok_or_else(mismatch)
    }
}

/// The longest side that an image is shown with, in pixels, with some to spare.
pub const LONGEST_SHOWN: u32 = 640;

/// Makes an RGB image no longer than `longest_shown` pixels, its aspect kept; for those who keep many until
/// they are drawn. Returns its new width and height.
///
/// # Errors
/// [`Error::Image`] when the image is empty or its bytes do not fit its size.
pub fn shrink(label: &str, width: u32, height: u32, pixels: &mut Vec<u8>, longest_shown: u32) -> Result<(u32, u32)> {
    let longest = width.max(height);
    if longest <= longest_shown {
        return Ok((width, height));
    }
    let scaled = |length: u32| (u64::from(length) * u64::from(longest_shown) / u64::from(longest)).max(1) as u32;
    let (new_width, new_height) = (scaled(width), scaled(height));
    let image = LabelledImage { label, width, height, pixels };
    let small = image::imageops::thumbnail(&image.buffer()?, new_width, new_height);
    *pixels = small.into_raw();
    Ok((new_width, new_height))
}

#[cfg(test)]
mod tests {
    use super::super::testing::plain;
    use super::*;

    #[test]
    fn shrinking_keeps_the_aspect_and_leaves_small_images_alone() {
        let mut pixels = plain(1280, 10, [9, 8, 7]);
        assert_eq!(shrink("wide", 1280, 10, &mut pixels, 640).unwrap(), (640, 5));
        assert_eq!(pixels, plain(640, 5, [9, 8, 7]));
        let mut pixels = plain(3, 640, [1, 2, 3]);
        assert_eq!(shrink("small", 3, 640, &mut pixels, 640).unwrap(), (3, 640));
        assert_eq!(pixels.len(), 3 * 3 * 640);
    }

    #[test]
    fn an_image_whose_bytes_do_not_fit_its_size_is_named() {
        let image = LabelledImage { label: "a.png", width: 2, height: 2, pixels: &[0; 11] };
        let error = image.buffer().unwrap_err();
        assert_eq!(error.to_string(), "a.png cannot be read as an image: 2×2 RGB pixels do not fit 11 bytes");
        assert!(LabelledImage { width: 0, pixels: &[], ..image }.buffer().is_err());
        assert!(LabelledImage { width: u32::MAX, height: u32::MAX, ..image }.buffer().is_err());
    }
}
