//! GIF (CompuServe, GIF89a), by the crate `gif`: the first picture on its screen, by Pillow's rules.
//!
//! Transparency is dropped: a transparent pixel has the colour that the palette gives it. What the first
//! picture leaves of the screen has the transparent colour if there is one, else the palette's first.

use gif::{ColorOutput, DecodeOptions, DecodingError};

use super::faults::{CUT_SHORT, damaged, is_end_of_file, too_much_memory};
use super::format::Format;
use super::limits::{Need, check_size};
use super::picture::{Decoded, Picture, Samples};

/// Decodes a GIF's first picture.
///
/// # Errors
/// A sentence, if the file is damaged or beyond the limits.
pub fn decode(bytes: &[u8]) -> Result<Decoded, String> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    let mut decoder = options.read_info(bytes).map_err(undecodable)?;
    let screen = [decoder.width(), decoder.height()].map(usize::from);
    let global: Option<Vec<u8>> = decoder.global_palette().map(<[u8]>::to_vec);
    let Some(frame) = decoder.next_frame_info().map_err(undecodable)? else { return Err(damaged(Format::Gif)) };
    let [left, top, columns, rows] = [frame.left, frame.top, frame.width, frame.height].map(usize::from);
    let transparent = frame.transparent;
    let palette = palette(frame.palette.as_deref().or(global.as_deref()).unwrap_or_default());
    check_size(columns as u32, rows as u32)?;
    // A picture that does not fit makes the screen larger.
    let (width, height) = (screen[0].max(left + columns), screen[1].max(top + rows));
    check_size(width as u32, height as u32)?;
    let pixels = (width * height) as u64;
    let (width_u32, height_u32) = (width as u32, height as u32);
    // The palette indices, and the colours beside them.
    let need = Need { width: width_u32, height: height_u32, decoded: 3 * pixels, sample_bytes: 1, besides: pixels };
    let permit = need.acquire()?;

    let mut indices = vec![0; columns * rows];
    decoder.read_into_buffer(&mut indices).map_err(undecodable)?;
    let has_more_pictures = matches!(decoder.next_frame_info(), Ok(Some(_)));

    let around = palette[usize::from(transparent.unwrap_or(0))];
    let mut samples = around.repeat(width * height);
    for (row, indices) in indices.chunks_exact(columns).enumerate() {
        let start = ((top + row) * width + left) * 3;
        for (pixel, &index) in samples[start..start + columns * 3].chunks_exact_mut(3).zip(indices) {
            pixel.copy_from_slice(&palette[usize::from(index)]);
        }
    }
    let picture = Picture { width, height, channels: 3, samples: Samples::Bits8(samples) };
    Ok(Decoded { picture, mode: "palette", has_more_pictures, permit })
}

/// Returns the 256 colours of a palette, black where it is shorter.
fn palette(colours: &[u8]) -> [[u8; 3]; 256] {
    let mut palette = [[0; 3]; 256];
    palette.iter_mut().zip(colours.chunks_exact(3)).for_each(|(colour, given)| colour.copy_from_slice(given));
    palette
}

/// Words an error of the decoder.
fn undecodable(error: DecodingError) -> String {
    log::debug!("decoding a GIF: {error}");
    match &error {
        DecodingError::UnexpectedEof => CUT_SHORT.to_string(),
        DecodingError::OutOfMemory | DecodingError::MemoryLimit => too_much_memory(Format::Gif),
        _ if is_end_of_file(&error) => CUT_SHORT.to_string(),
        _ => damaged(Format::Gif),
    }
}
