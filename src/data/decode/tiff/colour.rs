//! The meaning of a TIFF's samples: its tag `PhotometricInterpretation`, and the tags that go with it (TIFF
//! 6.0).
//!
//! Results are those of Pillow 13.0, but for samples of 16 bits, which are scaled here and clipped there, and
//! for samples of which nobody knows what is white: those of 32 bits, signed or not, have it at 255, as in
//! Pillow, and are refused beyond; floating point has it at 1.

use tiff::decoder::ifd::Value;
use tiff::decoder::{Decoder, DecodingResult};
use tiff::tags::{CompressionMethod, Tag};

use super::super::faults::{damaged, not_read};
use super::super::format::Format;
use super::super::picture::{Picture, Samples, rgb_of_inks};
use super::faults::undecodable;
use super::masked::Masked;

/// The tags of a conversion from YCbCr that is not the usual one.
const YCBCR_COEFFICIENTS: Tag = Tag::Unknown(529);
const REFERENCE_BLACK_WHITE: Tag = Tag::Unknown(532);

/// The meaning of samples beyond the colour (section 18): alpha by which the colour was multiplied.
const ASSOCIATED_ALPHA: u16 = 1;

/// The components of colours.
#[derive(Debug)]
pub enum Colour {
    /// Grey, of which 0 is black, or white.
    Grey {
        /// True if 0 is white.
        is_inverted: bool,
        /// True if the second sample is alpha by which the first was multiplied.
        is_premultiplied: bool,
    },
    /// Red, green and blue.
    Rgb {
        /// True if the fourth sample is alpha by which the others were multiplied.
        is_premultiplied: bool,
    },
    /// Places in a palette: all red values, all green ones, all blue ones, of 16 bits.
    Palette(Vec<u16>),
    /// Inks.
    Cmyk,
    /// Luma and two differences of colour.
    YCbCr(Converter),
}

/// The library whose steps turn YCbCr to RGB where Pillow reads a file: they round otherwise.
#[derive(Clone, Copy, Debug)]
pub enum Converter {
    /// Pillow itself, of what is not compressed.
    Pillow,
    /// The library libtiff, of what is.
    Libtiff,
    /// The library libjpeg, of pieces that are JPEGs of all three.
    Libjpeg,
}

impl Colour {
    /// Returns the meaning of the first page's samples, whose tag has this value.
    ///
    /// # Errors
    /// A sentence, if it is none that is read.
    pub fn new(photometric: u16, method: CompressionMethod, decoder: &mut Decoder<Masked>) -> Result<Colour, String> {
        let extra = decoder.find_tag_unsigned_vec::<u16>(Tag::ExtraSamples).map_err(undecodable)?.unwrap_or_default();
        let is_premultiplied = extra.first() == Some(&ASSOCIATED_ALPHA);
        let samples = decoder.find_tag_unsigned::<u16>(Tag::SamplesPerPixel).map_err(undecodable)?.unwrap_or(1);
        let (colour, least, pixel) = match photometric {
            0 | 1 => (Colour::Grey { is_inverted: photometric == 0, is_premultiplied }, 1, "grey"),
            2 => (Colour::Rgb { is_premultiplied }, 3, "RGB"),
            3 => {
                let palette = decoder.find_tag_unsigned_vec::<u16>(Tag::ColorMap).map_err(undecodable)?;
                (Colour::Palette(palette.unwrap_or_default()), 1, "palette")
            }
            5 => (Colour::Cmyk, 4, "CMYK"),
            6 => (Colour::new_ycbcr(method, decoder)?, 3, "YCbCr"),
            4 => return Err(not_read("a TIFF that is a mask of transparency")),
            8..=10 => return Err(not_read("a TIFF of L*a*b* colours")),
            32803 | 34892 => return Err(not_read("a camera's raw file")),
            32844 | 32845 => return Err(not_read("a TIFF of logarithmic brightness")),
            _ => return Err(not_read("a TIFF of unknown colours")),
        };
        let plain = usize::from(samples).saturating_sub(extra.len());
        let most = if least == 1 { 2 } else { 8 };
        match usize::from(samples) >= least && (least > 1 || samples == 1 || plain == 1) && samples <= most {
            true => Ok(colour),
            false => Err(not_read(&format!("a TIFF of {samples} samples for each {pixel} pixel"))),
        }
    }

    /// Returns YCbCr, if it is stored and converted as usual.
    fn new_ycbcr(method: CompressionMethod, decoder: &mut Decoder<Masked>) -> Result<Colour, String> {
        let subsampling = decoder.find_tag_unsigned_vec::<u16>(Tag::ChromaSubsampling).map_err(undecodable)?;
        // The decoder of JPEGs brings colour to full size; 2 and 2 stand for a tag that is not there.
        if method != CompressionMethod::ModernJPEG && subsampling.is_none_or(|factors| factors != [1, 1]) {
            return Err(not_read("a TIFF of YCbCr colours of less than full size (chroma subsampling)"));
        }
        let mut numbers = |tag| decoder.find_tag(tag).map(|value| value.map(numbers_of)).map_err(undecodable);
        let is_near = |found: Option<Vec<f64>>, usual: &[f64]| {
            found.is_none_or(|found| {
                found.len() == usual.len() && found.iter().zip(usual).all(|(a, b)| (a - b).abs() < 1e-3)
            })
        };
        let is_usual = is_near(numbers(YCBCR_COEFFICIENTS)?, &[0.299, 0.587, 0.114])
            && is_near(numbers(REFERENCE_BLACK_WHITE)?, &[0.0, 255.0, 128.0, 255.0, 128.0, 255.0]);
        let planar = decoder.find_tag_unsigned::<u16>(Tag::PlanarConfiguration).map_err(undecodable)?;
        let converter = match method {
            CompressionMethod::None => Converter::Pillow,
            CompressionMethod::ModernJPEG if planar != Some(2) => Converter::Libjpeg,
            _ => Converter::Libtiff,
        };
        if is_usual {
            Ok(Colour::YCbCr(converter))
        } else {
            Err(not_read("a TIFF of YCbCr colours of another kind than JPEG's"))
        }
    }

    /// Returns the picture in grey or RGB, perhaps with alpha, of stored samples with so many bits; and the
    /// name of its mode.
    ///
    /// # Errors
    /// A sentence, if samples and colours do not fit.
    pub fn interpret(self, picture: Picture, bits: u8) -> Result<(Picture, &'static str), String> {
        let Picture { width, height, channels, samples } = picture;
        let picture = |channels, samples| Picture { width, height, channels, samples };
        Ok(match (self, samples) {
            (Colour::Grey { is_inverted, is_premultiplied }, samples) => {
                let mut samples = full_range(samples, bits);
                if is_inverted {
                    invert(&mut samples, channels);
                }
                if is_premultiplied && channels == 2 {
                    unmultiply(&mut samples, channels);
                }
                let mode = mode(&samples, bits, ["grey", "grey with alpha"][channels - 1]);
                (picture(channels, samples), mode)
            }
            (Colour::Rgb { is_premultiplied }, samples) => {
                let mut samples = full_range(samples, bits);
                if is_premultiplied && channels > 3 {
                    unmultiply(&mut samples, channels);
                }
                let mode = mode(&samples, bits, if channels > 3 { "RGB with alpha" } else { "RGB" });
                (picture(channels, samples), mode)
            }
            (Colour::Palette(palette), Samples::Bits8(places)) if bits <= 8 => {
                (picture(3, Samples::Bits8(look_up(&palette, &places, channels, bits)?)), "palette")
            }
            (Colour::Cmyk, Samples::Bits8(inks)) if bits == 8 => (
                picture(
                    3,
                    Samples::Bits8(three(&inks, channels, |inks| rgb_of_inks([0, 1, 2, 3].map(|ink| inks[ink])))),
                ),
                "CMYK",
            ),
            (Colour::Cmyk, Samples::Bits16(inks)) => {
                let eight = |inks: &[u16]| rgb_of_inks([0, 1, 2, 3].map(|ink| (inks[ink] >> 8) as u8));
                (picture(3, Samples::Bits8(three(&inks, channels, eight))), "CMYK")
            }
            (Colour::YCbCr(converter), Samples::Bits8(luma)) if bits == 8 => {
                let rgb = |pixel: &[u8]| converter.rgb(pixel);
                (picture(3, Samples::Bits8(three(&luma, channels, rgb))), "YCbCr")
            }
            (colour, _) => {
                let colours = match colour {
                    Colour::Palette(_) => "palette",
                    Colour::Cmyk => "CMYK",
                    _ => "YCbCr",
                };
                return Err(not_read(&format!("a {colours} TIFF of {bits} bits for each sample")));
            }
        })
    }
}

/// Returns the numbers of a tag, NaN where it holds something else.
fn numbers_of(value: Value) -> Vec<f64> {
    match value {
        Value::List(values) => values.into_iter().flat_map(numbers_of).collect(),
        Value::Rational(above, below) => vec![f64::from(above) / f64::from(below)],
        Value::Float(value) => vec![f64::from(value)],
        Value::Double(value) => vec![value],
        other => vec![other.into_u32().map_or(f64::NAN, f64::from)],
    }
}

/// Returns the samples in one of the depths that pictures have.
///
/// # Errors
/// A sentence, if they are of a kind that has no white, and go beyond what can be taken for it.
pub fn plain(read: DecodingResult, bits: u8) -> Result<Samples, String> {
    match read {
        DecodingResult::U8(samples) => Ok(Samples::Bits8(samples)),
        DecodingResult::U16(samples) => Ok(Samples::Bits16(samples)),
        DecodingResult::U32(samples) => eight_bits(&samples, &format!("{bits}-bit")),
        DecodingResult::U64(samples) => eight_bits(&samples, &format!("{bits}-bit")),
        // Of fewer bits, several are in a byte.
        DecodingResult::I8(_) if bits < 8 => Err(not_read("a TIFF of signed samples of less than 8 bits")),
        DecodingResult::I8(samples) => eight_bits(&samples, "signed 8-bit"),
        DecodingResult::I16(samples) => eight_bits(&samples, "signed 16-bit"),
        DecodingResult::I32(samples) => eight_bits(&samples, "signed 32-bit"),
        DecodingResult::I64(samples) => eight_bits(&samples, "signed 64-bit"),
        DecodingResult::F16(samples) => floats(samples.into_iter().map(f32::from).collect()),
        DecodingResult::F32(samples) => floats(samples),
        DecodingResult::F64(samples) => floats(samples.into_iter().map(|sample| sample as f32).collect()),
    }
}

/// Returns the bytes of samples that may have more bits, where they need none of these.
fn eight_bits<T: Copy + Ord + std::fmt::Display>(samples: &[T], kind: &str) -> Result<Samples, String>
where
    u8: TryFrom<T>,
{
    let bytes: Option<Vec<u8>> = samples.iter().map(|&sample| u8::try_from(sample).ok()).collect();
    bytes.map(Samples::Bits8).ok_or_else(|| {
        let (least, most) = (samples.iter().min(), samples.iter().max());
        let range = least.zip(most).map(|(least, most)| format!("{least} to {most}")).unwrap_or_default();
        format!(
            "its {kind} samples go from {range}, and nothing tells which of these are black and white; save it again with 0 to 255, as \
             8-bit, or with 0 to 65535, as 16-bit"
        )
    })
}

/// Returns floating-point samples, where 1 can be white.
fn floats(samples: Vec<f32>) -> Result<Samples, String> {
    let range = samples
        .iter()
        .fold((f32::INFINITY, f32::NEG_INFINITY), |(least, most), &sample| (least.min(sample), most.max(sample)));
    if samples.iter().all(|sample| (0.0..=1.0).contains(sample)) {
        return Ok(Samples::Float(samples));
    }
    Err(match range {
        (least, most) if least.is_finite() && most.is_finite() => format!(
            "its floating-point samples go from {least} to {most}, and 0 to 1, from black to white, is what is read here; scale them, or \
             save it again as 8-bit"
        ),
        _ => "its floating-point samples are not all numbers; save it again as 8-bit".to_string(),
    })
}

/// Brings samples of fewer than eight bits to eight, from black to white: ⌊255 x / (2^bits − 1)⌉.
fn full_range(samples: Samples, bits: u8) -> Samples {
    match samples {
        Samples::Bits8(mut samples) if bits < 8 => {
            let white = (1u16 << bits) - 1;
            samples.iter_mut().for_each(|sample| *sample = ((u16::from(*sample) * 255 + white / 2) / white) as u8);
            Samples::Bits8(samples)
        }
        other => other,
    }
}

/// Turns white to black in the first of each pixel's samples.
fn invert(samples: &mut Samples, channels: usize) {
    match samples {
        Samples::Bits8(samples) => samples.iter_mut().step_by(channels).for_each(|sample| *sample = !*sample),
        Samples::Bits16(samples) => samples.iter_mut().step_by(channels).for_each(|sample| *sample = !*sample),
        Samples::Float(samples) => samples.iter_mut().step_by(channels).for_each(|sample| *sample = 1.0 - *sample),
    }
}

/// Divides colours by the alpha that they were multiplied by: ⌊255 x / α⌋, and 0 where α is 0.
fn unmultiply(samples: &mut Samples, channels: usize) {
    let colours = if channels == 2 { 1 } else { 3 };
    match samples {
        Samples::Bits8(samples) => {
            for pixel in samples.chunks_exact_mut(channels) {
                let alpha = u16::from(pixel[colours]);
                for sample in &mut pixel[..colours] {
                    *sample = (u16::from(*sample) * 255).checked_div(alpha).unwrap_or(0).min(255) as u8;
                }
            }
        }
        Samples::Bits16(samples) => {
            for pixel in samples.chunks_exact_mut(channels) {
                let alpha = u32::from(pixel[colours]);
                for sample in &mut pixel[..colours] {
                    *sample = (u32::from(*sample) * 65_535).checked_div(alpha).unwrap_or(0).min(65_535) as u16;
                }
            }
        }
        Samples::Float(samples) => {
            for pixel in samples.chunks_exact_mut(channels) {
                let alpha = pixel[colours];
                for sample in &mut pixel[..colours] {
                    *sample = if alpha == 0.0 { 0.0 } else { (*sample / alpha).min(1.0) };
                }
            }
        }
    }
}

/// Returns the colours at these places of a palette, of which the upper eight bits count, as in Pillow.
fn look_up(palette: &[u16], places: &[u8], channels: usize, bits: u8) -> Result<Vec<u8>, String> {
    let length = 1usize << bits;
    let [red, green, blue] = [0, 1, 2].map(|part| palette.get(part * length..(part + 1) * length));
    let (Some(red), Some(green), Some(blue)) = (red, green, blue) else { return Err(damaged(Format::Tiff)) };
    Ok(three(places, channels, |pixel: &[u8]| {
        let place = usize::from(pixel[0]);
        [red, green, blue].map(|part| (part[place] >> 8) as u8)
    }))
}

/// Returns three bytes for each pixel.
fn three<T>(samples: &[T], channels: usize, rgb: impl Fn(&[T]) -> [u8; 3]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(samples.len() / channels * 3);
    bytes.extend(samples.chunks_exact(channels).flat_map(rgb));
    bytes
}

impl Converter {
    /// Returns the colour of luma and differences.
    pub fn rgb(self, pixel: &[u8]) -> [u8; 3] {
        let [y, cb, cr] = [0, 1, 2].map(|sample| i32::from(pixel[sample]));
        let (cb, cr) = (cb - 128, cr - 128);
        // 0.344136, in 65536ths; libjpeg rounds what is rounded before.
        let green_of_cb = match self {
            Converter::Pillow => {
                // Weights in 64ths.
                let part = |weight: f64, sample: i32| (weight * f64::from(sample) * 64.0 + 0.5) as i32;
                let red = y + (part(1.402, cr) >> 6);
                let green = y + ((part(-0.34414, cb) + part(-0.71414, cr)) >> 6);
                let blue = y + (part(1.772, cb) >> 6);
                return [red, green, blue].map(|value| value.clamp(0, 255) as u8);
            }
            Converter::Libtiff => 22_553,
            Converter::Libjpeg => 22_554,
        };
        const HALF: i32 = 1 << 15;
        // 1.402, 0.714136 and 1.772.
        let red = y + ((91_881 * cr + HALF) >> 16);
        let green = y + ((HALF - green_of_cb * cb - 46_802 * cr) >> 16);
        let blue = y + ((116_130 * cb + HALF) >> 16);
        [red, green, blue].map(|value| value.clamp(0, 255) as u8)
    }
}

/// Returns the name of a mode of so many bits.
fn mode(samples: &Samples, bits: u8, name: &'static str) -> &'static str {
    match (samples, name) {
        (Samples::Float(_), _) => "floating point",
        (_, name) if bits <= 8 => name,
        (Samples::Bits16(_), "grey") => "16-bit grey",
        (Samples::Bits16(_), "grey with alpha") => "16-bit grey with alpha",
        (Samples::Bits16(_), "RGB") => "16-bit RGB",
        (Samples::Bits16(_), "RGB with alpha") => "16-bit RGB with alpha",
        (_, "grey") => "32-bit grey",
        _ => "32-bit colour",
    }
}
