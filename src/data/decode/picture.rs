//! A picture as a decoder gives it, and the one step from there to RGB of 8 or 16 bits.

use image::DynamicImage;

use super::super::memory_budget::Permit;
use super::orientation::Orientation;
use crate::data::reading::{BitDepth, Reading, SampleRange};

/// A picture of red, green and blue in samples of one type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rgb<T> {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `height · width · 3` samples, in the order H W C.
    pub pixels: Vec<T>,
}

/// A picture of 8-bit red, green and blue.
pub type Rgb8 = Rgb<u8>;

/// A picture as its [`Reading`] has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RgbPicture {
    /// 8 bits, as most files have.
    Bits8(Rgb8),
    /// All bits of a picture that has 16.
    Bits16(Rgb<u16>),
}

impl RgbPicture {
    /// Returns columns and rows.
    pub fn size(&self) -> [usize; 2] {
        match self {
            RgbPicture::Bits8(picture) => [picture.width, picture.height],
            RgbPicture::Bits16(picture) => [picture.width, picture.height],
        }
    }

    /// Returns the picture in 8 bits, as a screen shows it.
    pub fn into_rgb8(self) -> Rgb8 {
        match self {
            RgbPicture::Bits8(picture) => picture,
            RgbPicture::Bits16(Rgb { width, height, pixels }) => {
                let pixels = pixels.into_iter().map(|sample| SampleRange::FULL.to_byte(sample)).collect();
                Rgb { width, height, pixels }
            }
        }
    }
}

/// The ways in which colours are stored, as [`ImageInfo`](super::ImageInfo) has them.
const MODES: [&str; 14] = [
    "grey",
    "grey with alpha",
    "RGB",
    "RGB with alpha",
    "palette",
    "CMYK",
    "YCbCr",
    "16-bit grey",
    "16-bit grey with alpha",
    "16-bit RGB",
    "16-bit RGB with alpha",
    "32-bit grey",
    "32-bit colour",
    "floating point",
];

/// Returns the way of this name in which colours are stored, if there is one.
pub fn mode_named(name: &str) -> Option<&'static str> {
    MODES.into_iter().find(|known| *known == name)
}

/// The result of a format's decoder.
#[derive(Debug)]
pub struct Decoded {
    /// The picture.
    pub picture: Picture,
    /// The way colours are stored, as in [`ImageInfo`](super::ImageInfo).
    pub mode: &'static str,
    /// True if the file holds further pictures.
    pub has_more_pictures: bool,
    /// The right to the memory of the picture, and of the same as RGB beside it.
    pub permit: Permit<'static>,
}

/// A picture in the samples of its file.
#[derive(Debug)]
pub struct Picture {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Samples of a pixel: grey (1), grey and alpha (2), RGB (3), RGB and alpha or what else there is beside
    /// it (4 and more).
    pub channels: usize,
    /// `height · width · channels` samples, in the order H W C.
    pub samples: Samples,
}

/// Samples of some depth.
#[derive(Debug)]
pub enum Samples {
    /// 0…255.
    Bits8(Vec<u8>),
    /// 0…65535.
    Bits16(Vec<u16>),
    /// Floating point, [0, 1].
    Float(Vec<f32>),
}

/// Returns the colour of four inks, the last of them black, as Pillow converts it: (255 − ink) · (255 −
/// black) / 255, by steps of eight bits.
pub fn rgb_of_inks(inks: [u8; 4]) -> [u8; 3] {
    let [.., black] = inks;
    let white = 255 - i32::from(black);
    [0, 1, 2].map(|ink| {
        let product = i32::from(inks[ink]) * white + 128;
        (white - (((product >> 8) + product) >> 8)).clamp(0, 255) as u8
    })
}

impl Picture {
    /// Returns the picture that the crate `image` has decoded.
    pub fn from_image(image: DynamicImage) -> Picture {
        let (width, height) = (image.width() as usize, image.height() as usize);
        let channels = usize::from(image.color().channel_count());
        let samples = match image {
            DynamicImage::ImageLuma8(image) => Samples::Bits8(image.into_raw()),
            DynamicImage::ImageLumaA8(image) => Samples::Bits8(image.into_raw()),
            DynamicImage::ImageRgb8(image) => Samples::Bits8(image.into_raw()),
            DynamicImage::ImageRgba8(image) => Samples::Bits8(image.into_raw()),
            DynamicImage::ImageLuma16(image) => Samples::Bits16(image.into_raw()),
            DynamicImage::ImageLumaA16(image) => Samples::Bits16(image.into_raw()),
            DynamicImage::ImageRgb16(image) => Samples::Bits16(image.into_raw()),
            DynamicImage::ImageRgba16(image) => Samples::Bits16(image.into_raw()),
            DynamicImage::ImageRgb32F(image) => Samples::Float(image.into_raw()),
            DynamicImage::ImageRgba32F(image) => Samples::Float(image.into_raw()),
            other => {
                return Picture { width, height, channels: 3, samples: Samples::Bits8(other.into_rgb8().into_raw()) };
            }
        };
        Picture { width, height, channels, samples }
    }

    /// Returns the smallest and the largest sample of a picture of 16 bits, alpha aside.
    pub fn extremes(&self) -> Option<[u16; 2]> {
        let Samples::Bits16(samples) = &self.samples else { return None };
        // Grey and RGB, each perhaps with alpha behind.
        let colours = if self.channels < 3 { 1 } else { 3 };
        let ends = |[min, max]: [u16; 2], &sample: &u16| [min.min(sample), max.max(sample)];
        let pixels = samples.chunks_exact(self.channels);
        Some(pixels.flat_map(|pixel| &pixel[..colours]).fold([u16::MAX, 0], ends))
    }

    /// Returns the picture as it is seen, of one that is stored in this orientation.
    pub fn upright(self, orientation: Orientation) -> Picture {
        if orientation.is_upright() {
            return self;
        }
        let Picture { width, height, channels, samples } = self;
        let size = [width, height];
        let (samples, [width, height]) = match samples {
            Samples::Bits8(stored) => {
                let (samples, size) = orientation.upright(&stored, size, channels);
                (Samples::Bits8(samples), size)
            }
            Samples::Bits16(stored) => {
                let (samples, size) = orientation.upright(&stored, size, channels);
                (Samples::Bits16(samples), size)
            }
            Samples::Float(stored) => {
                let (samples, size) = orientation.upright(&stored, size, channels);
                (Samples::Float(samples), size)
            }
        };
        Picture { width, height, channels, samples }
    }

    /// Returns the picture as RGB: grey repeated, alpha dropped, samples of 16 bits stretched by the range
    /// and, unless they are kept, brought to eight.
    pub fn into_rgb(self, reading: Reading) -> RgbPicture {
        let Picture { width, height, channels, samples } = self;
        let range = reading.range;
        let pixels = match samples {
            Samples::Bits8(samples) if channels == 3 => samples,
            Samples::Bits8(samples) => three_channels(&samples, channels, |byte| byte),
            Samples::Bits16(samples) if reading.bit_depth == BitDepth::Sixteen => {
                let pixels = match channels {
                    3 if range.is_full() => samples,
                    _ => three_channels(&samples, channels, |sample| range.stretched(sample)),
                };
                return RgbPicture::Bits16(Rgb { width, height, pixels });
            }
            Samples::Bits16(samples) => three_channels(&samples, channels, |sample| range.to_byte(sample)),
            Samples::Float(samples) => three_channels(&samples, channels, eight_bits_of_float),
        };
        RgbPicture::Bits8(Rgb { width, height, pixels })
    }
}

/// Returns three samples for each pixel of `channels` samples: grey (1, or 2 with alpha) repeated, colour (3
/// or more) kept.
fn three_channels<T: Copy, U>(samples: &[T], channels: usize, converted: impl Fn(T) -> U) -> Vec<U> {
    let pick = if channels < 3 { [0, 0, 0] } else { [0, 1, 2] };
    let mut pixels = Vec::with_capacity(samples.len() / channels * 3);
    pixels.extend(samples.chunks_exact(channels).flat_map(|pixel| pick.map(|channel| converted(pixel[channel]))));
    pixels
}

/// Returns 255 x rounded to the nearest, of x clamped to [0, 1]; NaN is 0.
fn eight_bits_of_float(sample: f32) -> u8 {
    (sample.clamp(0.0, 1.0) * 255.0).round() as u8
}
