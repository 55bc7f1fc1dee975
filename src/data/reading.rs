//! The reading of files into the pixels that a network sees, as far as a user may choose it. A model sees its
//! images as it was trained to, so this is written into its weights file; by default all is as in Keras.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The way in which image files are read. The default turns no photo and stretches no values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reading {
    /// True if photos are turned upright, as their [EXIF orientation](super::decode::ImageInfo::orientation)
    /// says. The orientation that TIFF has of its own is applied in any case.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub upright: bool,
    /// The samples of more than 8 bits that become black and white.
    #[serde(skip_serializing_if = "SampleRange::is_full")]
    pub range: SampleRange,
    /// The bits that are kept of a picture of 16. A weights file that does not tell them is from when there
    /// were 8.
    #[serde(skip_serializing_if = "BitDepth::is_default")]
    pub bit_depth: BitDepth,
    /// What becomes of pictures of another aspect than the network's.
    #[serde(skip_serializing_if = "Resize::is_default")]
    pub resize: Resize,
    /// What becomes of pictures of another size than the network's.
    #[serde(skip_serializing_if = "Interpolation::is_default")]
    pub interpolation: Interpolation,
}

/// The bits of a sample that reach the network, of pictures that have 16; others have 8 in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum BitDepth {
    /// 256 levels, as Keras and Pillow read most files.
    #[default]
    Eight,
    /// All 65,536 levels.
    Sixteen,
}

impl BitDepth {
    /// Both.
    pub const ALL: [BitDepth; 2] = [BitDepth::Eight, BitDepth::Sixteen];

    /// Returns whether it is the default.
    pub fn is_default(&self) -> bool {
        *self == BitDepth::default()
    }

    /// Returns the number of bits, as flags and files have it.
    pub fn name(self) -> &'static str {
        match self {
            BitDepth::Eight => "8",
            BitDepth::Sixteen => "16",
        }
    }
}

impl From<BitDepth> for u8 {
    fn from(depth: BitDepth) -> u8 {
        match depth {
            BitDepth::Eight => 8,
            BitDepth::Sixteen => 16,
        }
    }
}

impl TryFrom<u8> for BitDepth {
    type Error = String;

    fn try_from(bits: u8) -> Result<BitDepth, String> {
        let found = BitDepth::ALL.into_iter().find(|depth| u8::from(*depth) == bits);
        found.ok_or_else(|| format!("a bit depth of {bits}; it is 8 or 16"))
    }
}

/// What becomes of a picture of another aspect; [`framed`](super::framing::framed) has the rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Resize {
    /// Its aspect is not kept.
    #[default]
    Squash,
    /// It is fitted in, with black around.
    Letterbox,
    /// Its middle part is taken.
    Crop,
}

/// The pixels of a resized picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interpolation {
    /// The nearest of the original.
    #[default]
    Nearest,
    /// Weighted means of those around, which reduce without skipping.
    Bilinear,
}

impl Resize {
    /// All of them.
    pub const ALL: [Resize; 3] = [Resize::Squash, Resize::Letterbox, Resize::Crop];

    /// Returns whether it is the default.
    pub fn is_default(&self) -> bool {
        *self == Resize::default()
    }

    /// Returns the name that flags and files have for it.
    pub fn name(self) -> &'static str {
        match self {
            Resize::Squash => "squash",
            Resize::Letterbox => "letterbox",
            Resize::Crop => "crop",
        }
    }
}

impl Interpolation {
    /// All of them.
    pub const ALL: [Interpolation; 2] = [Interpolation::Nearest, Interpolation::Bilinear];

    /// Returns whether it is the default.
    pub fn is_default(&self) -> bool {
        *self == Interpolation::default()
    }

    /// Returns the name that flags and files have for it.
    pub fn name(self) -> &'static str {
        match self {
            Interpolation::Nearest => "nearest",
            Interpolation::Bilinear => "bilinear",
        }
    }
}

impl Reading {
    /// Returns whether it is the default.
    pub fn is_default(&self) -> bool {
        *self == Reading::default()
    }

    /// Returns how pictures are brought to the network's size, as a weights file says it: `nearest`, or
    /// `bilinear, letterbox, 16 bits`. A version that knows only the first refuses the others.
    pub fn resize_name(&self) -> String {
        let resize = (!self.resize.is_default()).then(|| self.resize.name());
        let depth = (!self.bit_depth.is_default()).then_some("16 bits");
        let parts = [Some(self.interpolation.name()), resize, depth];
        parts.into_iter().flatten().collect::<Vec<&str>>().join(", ")
    }

    /// Returns a phrase on what differs from the default:
    /// `photos turned upright; 16-bit values from 0 to 4080 stretched; all 16 bits kept`.
    pub fn description(&self) -> Option<String> {
        let upright = self.upright.then(|| "photos turned upright".to_string());
        let SampleRange { min, max } = self.range;
        let range = (!self.range.is_full()).then(|| format!("16-bit values from {min} to {max} stretched"));
        let depth = (!self.bit_depth.is_default()).then(|| "all 16 bits kept".to_string());
        let resize = match self.resize {
            Resize::Squash => None,
            Resize::Letterbox => Some("letterbox, black around what has another aspect".to_string()),
            Resize::Crop => Some("the middle cropped from what has another aspect".to_string()),
        };
        let bilinear = (!self.interpolation.is_default()).then(|| "bilinear resizing".to_string());
        let parts: Vec<String> = upright.into_iter().chain(range).chain(depth).chain(resize).chain(bilinear).collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

/// The samples that become black and white in pictures of more than 8 bits; what is beyond them is clipped.
/// Pictures of 8 bits are left as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "[u16; 2]", into = "[u16; 2]")]
pub struct SampleRange {
    min: u16,
    max: u16,
}

impl SampleRange {
    /// All that 16 bits can hold: 0 to 65,535.
    pub const FULL: SampleRange = SampleRange { min: 0, max: u16::MAX };

    /// Returns the range from `min` to `max`, or none if that is empty.
    pub fn new(min: u16, max: u16) -> Option<SampleRange> {
        (min < max).then_some(SampleRange { min, max })
    }

    /// Returns whether it is [`SampleRange::FULL`].
    pub fn is_full(&self) -> bool {
        *self == SampleRange::FULL
    }

    /// Returns the smallest and the largest sample.
    pub fn ends(&self) -> [u16; 2] {
        [self.min, self.max]
    }

    /// Returns a sample as a byte: 255 · (v − min) / (max − min), clipped to 0…255 and rounded to the
    /// nearest, halves up.
    ///
    /// Of the full range that is v / 257, the exact scaling of 0…65535 to 0…255. (Pillow clips 16-bit grey at
    /// 255 instead, which turns most such pictures white; here we choose otherwise.)
    pub(crate) fn to_byte(self, sample: u16) -> u8 {
        let [above, span] = [sample.clamp(self.min, self.max), self.max].map(|end| u32::from(end - self.min));
        ((above * 255 + span / 2) / span) as u8
    }

    /// Returns a sample stretched to 16 bits: 65535 · (v − min) / (max − min), clipped to 0…65535 and rounded
    /// to the nearest, halves up. Of the full range that is v.
    pub(crate) fn stretched(self, sample: u16) -> u16 {
        let [above, span] = [sample.clamp(self.min, self.max), self.max].map(|end| u32::from(end - self.min));
        ((above * 65535 + span / 2) / span) as u16
    }
}

impl Default for SampleRange {
    fn default() -> SampleRange {
        SampleRange::FULL
    }
}

/// Writes it as `--range` takes it: `0,4080`.
impl fmt::Display for SampleRange {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "{},{}", self.min, self.max)
    }
}

impl From<SampleRange> for [u16; 2] {
    fn from(range: SampleRange) -> [u16; 2] {
        range.ends()
    }
}

impl TryFrom<[u16; 2]> for SampleRange {
    type Error = String;

    fn try_from([min, max]: [u16; 2]) -> Result<SampleRange, String> {
        SampleRange::new(min, max).ok_or_else(|| format!("the range from {min} to {max} is empty"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_full_range_divides_every_sample_by_257_and_rounds() {
        for sample in 0..=u16::MAX {
            let expected = (f64::from(sample) / 257.0).round() as u8;
            assert_eq!(SampleRange::FULL.to_byte(sample), expected, "{sample}");
            assert_eq!(SampleRange::FULL.stretched(sample), sample);
        }
    }

    #[test]
    fn a_range_is_stretched_to_all_bytes_and_clipped_beyond() {
        for (min, max) in [(0, 4080), (100, 101), (1000, 5095), (0, 1), (65_534, 65_535), (3, 258)] {
            let range = SampleRange::new(min, max).unwrap();
            for sample in (0..=u16::MAX).step_by(7).chain([min, max, min.saturating_sub(1), max.saturating_add(1)]) {
                let share = (f64::from(sample) - f64::from(min)) / f64::from(max - min);
                let expected = (255.0 * share.clamp(0.0, 1.0)).round() as u8;
                assert_eq!(range.to_byte(sample), expected, "{sample} in {range}");
                let expected = (65535.0 * share.clamp(0.0, 1.0)).round() as u16;
                assert_eq!(range.stretched(sample), expected, "{sample} in {range}, to 16 bits");
            }
        }
        // 12 bits: the step from one level to the next is 16 samples.
        let twelve = SampleRange::new(0, 4080).unwrap();
        assert_eq!(
            [0, 7, 8, 16, 2040, 4079, 4080, 4095].map(|sample| twelve.to_byte(sample)),
            [0, 0, 1, 1, 128, 255, 255, 255]
        );
    }

    #[test]
    fn an_empty_range_is_none_wherever_it_comes_from() {
        assert_eq!((SampleRange::new(5, 5), SampleRange::new(6, 5)), (None, None));
        assert!(serde_json::from_str::<Reading>(r#"{"range":[7,7]}"#).is_err());
        assert!(serde_json::from_str::<Reading>(r#"{"range":[0,70000]}"#).is_err());
    }

    #[test]
    fn only_what_is_not_the_default_is_written_and_told() {
        let json = |reading: &Reading| serde_json::to_string(reading).unwrap();
        let (plain, range) = (Reading::default(), SampleRange::new(0, 4080).unwrap());
        assert_eq!((json(&plain).as_str(), plain.description()), ("{}", None));
        let both = Reading { upright: true, range, ..plain };
        let framed = Reading { resize: Resize::Crop, interpolation: Interpolation::Bilinear, ..plain };
        assert_eq!(json(&framed), r#"{"resize":"crop","interpolation":"bilinear"}"#);
        assert_eq!((plain.resize_name(), framed.resize_name()), ("nearest".into(), "bilinear, crop".into()));
        assert_eq!(json(&both), r#"{"upright":true,"range":[0,4080]}"#);
        assert_eq!(both.description().unwrap(), "photos turned upright; 16-bit values from 0 to 4080 stretched");
        let deep = Reading { bit_depth: BitDepth::Sixteen, ..framed };
        assert_eq!(json(&deep), r#"{"bit_depth":16,"resize":"crop","interpolation":"bilinear"}"#);
        assert_eq!(deep.resize_name(), "bilinear, crop, 16 bits");
        assert!(serde_json::from_str::<Reading>(r#"{"bit_depth":12}"#).is_err());
        for reading in [plain, both, framed, deep, Reading { range, ..plain }] {
            assert_eq!(serde_json::from_str::<Reading>(&json(&reading)).unwrap(), reading);
        }
    }
}
