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

use super::Outcome;
use super::faults::{CUT_SHORT, damaged, not_read};
use super::format::Format;
use super::limits::{MAX_PIXELS, MAX_SIDE, Need, check_size};
use super::picture::{Decoded, Picture, Samples};
use file::File;

/// Decodes a JPEG.
///
/// # Errors
/// A sentence, if the file is cut short, damaged, of a kind that is not read, or beyond the limits.
pub fn decode(bytes: &[u8]) -> Outcome<Decoded> {
    let file = File::of(bytes)?;
    let (width, height) = (file.width, file.height);
    check_size(width, height)?;
    let (format, channels, mode) = match file.components.len() {
        1 => (PixelFormat::Grayscale, 1, "grey"),
        4 => (PixelFormat::Cmyk, 4, "CMYK"),
        _ => (PixelFormat::Rgb, 3, "RGB"),
    };
    let decoded = u64::from(width) * u64::from(height) * channels;
    let besides = working_bytes(&file) + bytes.len() as u64;
    let pass = Need { width, height, decoded, is_rgb8: channels != 1, besides }.enter()?;
    let end = blocks::check(&file, bytes)?;

    let limits = DecodeLimits {
        max_width: MAX_SIDE as usize,
        max_height: MAX_SIDE as usize,
        max_pixels: MAX_PIXELS,
        ..DecodeLimits::default()
    };
    // Where there are several scans, the decoder wants the end marker.
    let whole = match file.end {
        None if file.scans.len() > 1 => Cow::Owned([&bytes[..end], &[0xFF, 0xD9]].concat()),
        _ => Cow::Borrowed(bytes),
    };
    let mut decoder = Decoder::new_with_limits(&whole, limits).map_err(undecodable)?;
    decoder.set_output_format(format);
    // As in Pillow; it changes nothing in a file whose every bit came.
    decoder.set_block_smoothing(true);
    let is_inks = matches!(decoder.jpeg_color_space(), ColorSpace::Cmyk | ColorSpace::Ycck);
    debug_assert_eq!(is_inks, channels == 4);
    let mut samples = decoder.decode_image().map_err(undecodable)?.into_vec();
    let channels = if channels == 4 {
        inks_to_rgb(&mut samples);
        3
    } else {
        channels as usize
    };
    let (width, height) = (width as usize, height as usize);
    if samples.len() != width * height * channels {
        return Err(damaged(Format::Jpeg));
    }
    let picture = Picture { width, height, channels, samples: Samples::Bits8(samples) };
    Ok(Decoded { picture, mode, has_more_pictures: false, pass })
}

/// Bytes that decoding takes beside the picture: samples of all blocks, planes that are enlarged, and of a
/// progressive file the coefficients, two bytes each, and what is known of each block.
fn working_bytes(file: &File) -> u64 {
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
    (samples + kept + enlarged).max(blocks::working_bytes(file))
}

/// Four inks a pixel, stored inverted as Adobe's programs do, to red, green and blue in their place: x·k /
/// 255 for each of the three, rounded as Pillow does.
fn inks_to_rgb(samples: &mut Vec<u8>) {
    let pixels = samples.len() / 4;
    for pixel in 0..pixels {
        let black = u32::from(samples[4 * pixel + 3]);
        for colour in 0..3 {
            let ink = 255 - u32::from(samples[4 * pixel + colour]);
            let product = ink * black + 128;
            samples[3 * pixel + colour] = (black - (((product >> 8) + product) >> 8)) as u8;
        }
    }
    samples.truncate(3 * pixels);
}

/// What the decoder said, in our words.
fn undecodable(error: JpegError) -> String {
    log::debug!("decoding a JPEG: {error}");
    match error {
        JpegError::UnexpectedEof => CUT_SHORT.to_string(),
        JpegError::Unsupported(_) => not_read("a JPEG whose colours are stored in a rare way"),
        _ => damaged(Format::Jpeg),
    }
}
