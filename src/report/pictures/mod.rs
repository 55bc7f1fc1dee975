//! The pictures of a run, written as PNG: learning curves, confusion matrix, samples of both classes, and predictions; and
//! those of an evaluation, for its page.
//!
//! Every picture is drawn on a page of given size: plotters draws shapes and letters, `image` scales the
//! photographs and encodes the file, and the letters come with the program (`font/`). A function here either writes
//! the whole file or returns an error that names it. The files are PNG whatever their names end with.

mod axes;
mod confusion;
mod curves;
mod evaluation;
mod grid;
mod page;
mod palette;
mod predictions;
mod reliability;
mod roc;
mod samples;
mod scores;
mod text;
mod unit_square;

pub use confusion::write_confusion;
pub use curves::write_curves;
pub use evaluation::{EvaluationPictures, THUMBNAIL_SIDE, evaluation_pictures, thumbnail};
pub use predictions::{AnnotatedImage, MOST_IMAGES, write_predictions};
pub use samples::{ClassSamples, write_samples};

use std::io::{self, Cursor};
use std::path::Path;

use image::{ImageBuffer, ImageError, ImageFormat, Rgb, RgbImage};

use crate::files::write_whole;
use crate::{Error, Result};

/// What every picture that could be taken for a finding says.
const DISCLAIMER: &str = "not for diagnosis";

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
    /// The pixels as a buffer of `image`, without a copy.
    ///
    /// # Errors
    /// [`Error::Image`] when the image is empty, or when its sizes do not agree with the number of bytes.
    fn buffer(&self) -> Result<ImageBuffer<Rgb<u8>, &'a [u8]>> {
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

/// Encodes a picture as PNG in memory and then writes the file, so that a failed encoding leaves no broken file behind.
fn save(path: &Path, picture: &RgbImage) -> Result<()> {
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).map_err(|error| match error {
        ImageError::IoError(error) => Error::io("encode", path)(error),
        error => Error::io("encode", path)(io::Error::other(error)),
    })?;
    write_whole(path, &png.into_inner())
}

/// The longest side that an image is shown with, in pixels, with some to spare.
const LONGEST_SHOWN: u32 = 640;

/// Makes an RGB image no larger than any picture here shows it, its aspect kept; for those who keep many until they are
/// drawn. Returns its new width and height.
///
/// # Errors
/// [`Error::Image`] when the image is empty or its bytes do not fit its size.
pub fn shrink(label: &str, width: u32, height: u32, pixels: &mut Vec<u8>) -> Result<(u32, u32)> {
    let longest = width.max(height);
    if longest <= LONGEST_SHOWN {
        return Ok((width, height));
    }
    let scaled = |length: u32| (u64::from(length) * u64::from(LONGEST_SHOWN) / u64::from(longest)).max(1) as u32;
    let (new_width, new_height) = (scaled(width), scaled(height));
    let image = LabelledImage { label, width, height, pixels };
    let small = image::imageops::thumbnail(&image.buffer()?, new_width, new_height);
    *pixels = small.into_raw();
    Ok((new_width, new_height))
}

/// What the tests of all pictures share.
#[cfg(test)]
mod testing {
    use super::*;

    /// Writes a picture into a folder of its own and reads it back.
    pub(super) fn written(write: impl FnOnce(&Path) -> Result<()>) -> RgbImage {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("picture.png");
        write(&path).unwrap();
        image::open(&path).unwrap().into_rgb8()
    }

    /// How many pixels have exactly this colour.
    pub(super) fn count(picture: &RgbImage, colour: [u8; 3]) -> usize {
        picture.pixels().filter(|pixel| pixel.0 == colour).count()
    }

    /// One colour all over.
    pub(super) fn plain(width: u32, height: u32, colour: [u8; 3]) -> Vec<u8> {
        colour.repeat((width * height) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shrinking_keeps_the_aspect_and_leaves_small_images_alone() {
        let mut pixels = testing::plain(1280, 10, [9, 8, 7]);
        assert_eq!(shrink("wide", 1280, 10, &mut pixels).unwrap(), (640, 5));
        assert_eq!(pixels, testing::plain(640, 5, [9, 8, 7]));
        let mut pixels = testing::plain(3, 640, [1, 2, 3]);
        assert_eq!(shrink("small", 3, 640, &mut pixels).unwrap(), (3, 640));
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

    #[test]
    fn a_picture_that_cannot_be_written_is_named() {
        let error = save(Path::new("no/such/folder/a.png"), &RgbImage::new(1, 1)).unwrap_err();
        assert!(error.to_string().starts_with("cannot write no/such/folder/a.png: "), "{error}");
    }
}
