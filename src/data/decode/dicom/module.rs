//! The form in which a DICOM's pixels are stored (PS3.3, section C.7.6.3).

use super::super::faults::{damaged, not_read};
use super::super::format::Format;
use super::attributes::{
    Attributes, BITS_ALLOCATED, BITS_STORED, COLUMNS, HIGH_BIT, NUMBER_OF_FRAMES, PHOTOMETRIC, PIXEL_REPRESENTATION,
    PLANAR_CONFIGURATION, ROWS, SAMPLES_PER_PIXEL,
};
use super::syntax::Compression;

/// The meaning of samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Photometric {
    /// Grey, of which the least value is black, or white.
    Grey {
        /// True if it is white.
        is_inverted: bool,
    },
    /// Red, green and blue.
    Rgb,
    /// Luma and two differences of colour, all of full size unless they are a JPEG's.
    YCbCr,
    /// Places in tables of red, green and blue.
    Palette,
}

impl Photometric {
    /// Returns the samples of a pixel of the picture that is made of it.
    pub fn channels(self) -> usize {
        if matches!(self, Photometric::Grey { .. }) { 1 } else { 3 }
    }
}

/// The form of the pixels.
#[derive(Clone, Copy, Debug)]
pub struct PixelModule {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Pictures.
    pub frames: u64,
    /// Samples of a stored pixel.
    pub samples: usize,
    /// The meaning of them.
    pub photometric: Photometric,
    /// True if colours come one behind the other, each of all pixels.
    pub is_planar: bool,
    /// The bytes that a sample takes.
    pub sample_bytes: usize,
    /// Its bits that hold a value.
    stored: u32,
    /// Bits below these.
    shift: u32,
    /// True if the highest of them is a sign.
    pub is_signed: bool,
}

impl PixelModule {
    /// Returns the form that a file tells.
    ///
    /// # Errors
    /// A sentence, if it is none that is read.
    pub fn from_attributes(attributes: &Attributes, compression: Compression) -> Result<PixelModule, String> {
        let damaged = || damaged(Format::Dicom);
        let number = |tag| attributes.number(tag).ok_or_else(damaged);
        let [width, height] = [number(COLUMNS)?, number(ROWS)?].map(u32::from);
        let samples = usize::from(attributes.number(SAMPLES_PER_PIXEL).unwrap_or(1));
        let (photometric, fits) = match attributes.text(PHOTOMETRIC)? {
            Some("MONOCHROME1") => (Photometric::Grey { is_inverted: true }, samples == 1),
            Some("MONOCHROME2") => (Photometric::Grey { is_inverted: false }, samples == 1),
            Some("PALETTE COLOR") => (Photometric::Palette, samples == 1),
            Some("RGB") => (Photometric::Rgb, samples == 3),
            Some("YBR_FULL") => (Photometric::YCbCr, samples == 3),
            Some("YBR_FULL_422") if compression == Compression::Jpeg => (Photometric::YCbCr, samples == 3),
            Some("YBR_FULL_422") => {
                return Err(not_read("a DICOM of YCbCr colours of less than full size (chroma subsampling)"));
            }
            _ => return Err(not_read("a DICOM whose colours are stored in a rare way")),
        };
        let allocated = number(BITS_ALLOCATED)?;
        if !matches!(allocated, 8 | 16) {
            return Err(not_read(&format!("a DICOM of {allocated} bits a sample")));
        }
        let stored = attributes.number(BITS_STORED).unwrap_or(allocated);
        let high = attributes.number(HIGH_BIT).unwrap_or(stored.saturating_sub(1));
        if !fits || !(1..=allocated).contains(&stored) || !(stored - 1..allocated).contains(&high) {
            return Err(damaged());
        }
        if photometric == Photometric::YCbCr && stored > 8 {
            return Err(not_read("a DICOM of YCbCr colours of more than 8 bits"));
        }
        let frames = attributes.text(NUMBER_OF_FRAMES)?.map_or(Ok(1), str::parse).map_err(|_| damaged())?;
        Ok(PixelModule {
            width,
            height,
            frames,
            samples,
            photometric,
            is_planar: samples > 1 && attributes.number(PLANAR_CONFIGURATION) == Some(1),
            sample_bytes: usize::from(allocated / 8),
            stored: stored.into(),
            shift: (high + 1 - stored).into(),
            is_signed: attributes.number(PIXEL_REPRESENTATION) == Some(1),
        })
    }

    /// Returns the pixels of a frame.
    pub fn pixels(&self) -> usize {
        self.width as usize * self.height as usize
    }

    /// Returns the bytes of a frame.
    pub fn frame_bytes(&self) -> usize {
        self.pixels() * self.samples * self.sample_bytes
    }

    /// Returns whether the samples have more than 8 bits.
    pub fn is_deep(&self) -> bool {
        self.stored > 8
    }

    /// Returns the place of a sample's value among [`all_values`](Self::all_values), without what other bits
    /// hold.
    pub fn place(&self, raw: u16) -> usize {
        usize::from(raw >> self.shift) & ((1 << self.stored) - 1)
    }

    /// Returns the value of a sample.
    pub fn value(&self, raw: u16) -> i32 {
        self.value_at(self.place(raw))
    }

    /// Iterates over all values that a sample may have, by their places.
    pub fn all_values(&self) -> impl Iterator<Item = i32> {
        (0..1 << self.stored).map(|place| self.value_at(place))
    }

    /// Returns the least and the largest of them.
    pub fn ends(&self) -> [i32; 2] {
        let most = (1 << self.stored) - 1;
        if self.is_signed { [-(1 << (self.stored - 1)), most >> 1] } else { [0, most] }
    }

    /// Returns the levels of all values where these go from black to white as they are.
    pub fn full_range(&self) -> impl Iterator<Item = u16> {
        let [least, most] = self.ends().map(f64::from);
        let is_deep = self.is_deep();
        self.all_values().map(move |value| level((f64::from(value) - least) / (most - least), is_deep))
    }

    /// Returns the value at this place, whose highest bit may be a sign.
    fn value_at(&self, place: usize) -> i32 {
        let value = place as i32;
        if self.is_signed && value >> (self.stored - 1) == 1 { value - (1 << self.stored) } else { value }
    }
}

/// Returns the level of a brightness from 0 to 1, in 8 bits or in 16, rounded to the nearest, halves up.
pub fn level(brightness: f64, is_deep: bool) -> u16 {
    let white = if is_deep { f64::from(u16::MAX) } else { f64::from(u8::MAX) };
    (brightness.clamp(0.0, 1.0) * white + 0.5) as u16
}
