//! JPEG (ITU-T T.81), to the same bytes as libjpeg-turbo, and so as Pillow and Keras, gives.
//!
//! Before anything is decoded, the file's own data must show that the whole picture is there ([`blocks`]): a
//! decoder fills what is missing with grey, which would train on half a picture. The end marker says little:
//! files whole but for it are read, and a half one with it is damaged.

mod blocks;
mod file;
mod huffman;

use std::borrow::Cow;

use libjpeg_turbo_rs::{ColorSpace, DecodeLimits, Decoder, JpegError, PixelFormat};

use super::faults::{CUT_SHORT, damaged, not_read};
use super::format::Format;
use super::limits::{MAX_PIXELS, MAX_SIDE, Need, check_size};
use super::picture::{Decoded, Picture, Samples, rgb_of_inks};
use file::File;

/// Decodes a JPEG.
///
/// # Errors
/// A sentence, if the file is cut short, damaged, of a kind that is not read, or beyond the limits.
pub fn decode(bytes: &[u8]) -> Result<Decoded, String> {
    let jpeg = Jpeg::from_bytes(bytes)?;
    let [width, height] = jpeg.size();
    let (channels, mode) = match jpeg.components() {
        1 => (1, "grey"),
        4 => (3, "CMYK"),
        _ => (3, "RGB"),
    };
    let decoded = u64::from(width) * u64::from(height) * jpeg.components() as u64;
    let permit = Need { width, height, decoded, sample_bytes: 1, besides: jpeg.working_bytes() }.acquire()?;
    let mut samples = jpeg.samples(Colours::Plain)?;
    if jpeg.components() == 4 {
        inks_to_rgb(&mut samples);
    }
    let (width, height) = (width as usize, height as usize);
    let picture = Picture { width, height, channels, samples: Samples::Bits8(samples) };
    Ok(Decoded { picture, mode, has_more_pictures: false, permit })
}

/// The meaning of the samples of a decoded JPEG.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// Grey, RGB, or four inks.
    Plain,
    /// The components themselves, whatever they mean, all of full size.
    AsStored,
}

/// A JPEG whose markers are read, and of which nothing is decoded yet.
pub struct Jpeg<'a> {
    bytes: &'a [u8],
    file: File,
}

impl Jpeg<'_> {
    /// Returns the JPEG of these bytes.
    ///
    /// # Errors
    /// A sentence, if it is damaged before its last scan, of a kind that is not read, or beyond the limits.
    pub fn from_bytes(bytes: &[u8]) -> Result<Jpeg<'_>, String> {
        let file = File::from_bytes(bytes)?;
        check_size(file.width, file.height)?;
        Ok(Jpeg { bytes, file })
    }

    /// Returns the columns and rows.
    pub fn size(&self) -> [u32; 2] {
        [self.file.width, self.file.height]
    }

    /// Samples of a pixel: 1, 3 or 4.
    pub fn components(&self) -> usize {
        self.file.components.len()
    }

    /// Returns whether the file itself says what its colours are.
    #[cfg(feature = "dicom")]
    pub fn tells_colours(&self) -> bool {
        self.file.is_jfif || self.file.is_adobe
    }

    /// Returns the bytes that decoding takes beside the picture: samples of all blocks, planes that are
    /// enlarged, of a progressive file the coefficients, two bytes each, and what is known of each block; and
    /// the file once more.
    pub fn working_bytes(&self) -> u64 {
        let file = &self.file;
        let groups: u64 = file.groups().map(u64::from).iter().product();
        let blocks: u64 =
            file.components.iter().map(|component| u64::from(component.factors.iter().product::<u32>())).sum();
        let samples = groups * blocks * 64;
        let kept = if file.is_progressive { samples * 2 + samples / 64 } else { 0 };
        // Red, green and blue are brought to the picture's size as planes; brightness and differences, row by
        // row.
        let largest = file.largest_factors();
        let smaller =
            file.components.iter().filter(|component| !file.is_jfif && component.factors != largest).count() as u64;
        let enlarged = u64::from(file.width) * u64::from(file.height) * smaller;
        (samples + kept + enlarged).max(blocks::working_bytes(file)) + self.bytes.len() as u64
    }

    /// Decodes it to samples in the order H W C, [`components`](Self::components) of each pixel.
    ///
    /// # Errors
    /// A sentence, if it is cut short, damaged, or of a kind that is not read.
    pub fn samples(&self, colours: Colours) -> Result<Vec<u8>, String> {
        let Jpeg { bytes, file } = self;
        let end = blocks::check(file, bytes)?;
        let limits = DecodeLimits {
            max_width: MAX_SIDE as usize,
            max_height: MAX_SIDE as usize,
            max_pixels: MAX_PIXELS,
            ..DecodeLimits::default()
        };
        // Where there are several scans, the decoder wants the end marker.
        let whole = match file.end {
            None if file.scans.len() > 1 => Cow::Owned([&bytes[..end], &[0xFF, 0xD9]].concat()),
            _ => Cow::Borrowed(*bytes),
        };
        let mut decoder = Decoder::new_with_limits(&whole, limits).map_err(undecodable)?;
        match (self.components(), decoder.jpeg_color_space(), colours) {
            (1, ..) => decoder.set_output_format(PixelFormat::Grayscale),
            (4, ColorSpace::Ycck, Colours::AsStored) => return Err(not_read("a JPEG of YCCK colours within a TIFF")),
            (4, ..) => decoder.set_output_format(PixelFormat::Cmyk),
            (_, ColorSpace::YCbCr, Colours::AsStored) => decoder.set_output_colorspace(ColorSpace::YCbCr),
            _ => decoder.set_output_format(PixelFormat::Rgb),
        }
        // As in Pillow; it changes nothing in a file whose every bit came.
        decoder.set_block_smoothing(true);
        let samples = decoder.decode_image().map_err(undecodable)?.into_vec();
        match samples.len() == file.width as usize * file.height as usize * self.components() {
            true => Ok(samples),
            false => Err(damaged(Format::Jpeg)),
        }
    }
}

/// Turns four inks a pixel, stored inverted as Adobe's programs do, to red, green and blue in their place.
fn inks_to_rgb(samples: &mut Vec<u8>) {
    let pixels = samples.len() / 4;
    for pixel in 0..pixels {
        let inks = [0, 1, 2, 3].map(|ink| 255 - samples[4 * pixel + ink]);
        samples[3 * pixel..][..3].copy_from_slice(&rgb_of_inks(inks));
    }
    samples.truncate(3 * pixels);
}

/// Words an error of the decoder.
fn undecodable(error: JpegError) -> String {
    log::debug!("decoding a JPEG: {error}");
    match error {
        JpegError::UnexpectedEof => CUT_SHORT.to_string(),
        JpegError::Unsupported(_) => not_read("a JPEG whose colours are stored in a rare way"),
        _ => damaged(Format::Jpeg),
    }
}
