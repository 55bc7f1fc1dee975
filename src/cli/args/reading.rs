//! The arguments for reading images, which `train`, `pack`, `samples` and `inspect` share.

use super::values::Named;
use clap::Args;
use glassnet::data::reading::{BitDepth, Interpolation, Reading, Resize, SampleRange};
use serde::{Serialize, Serializer};
use std::fmt;

/// `--upright`.
#[derive(Args, Clone, Copy, Debug, Default, Serialize)]
pub struct UprightArgs {
    /// Turn photos upright, as their EXIF says
    ///
    /// Without it a photo is read as its pixels lie in the file, as Keras does. train writes it into the
    /// weights, so that predict and evaluate do the same. TIFF's own orientation is always applied.
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub upright: bool,
}

/// `--upright`, `--range`, `--resize` and `--interpolation`.
#[derive(Args, Clone, Copy, Debug, Default, Serialize)]
pub struct ReadingArgs {
    /// `--upright`.
    #[command(flatten)]
    #[serde(flatten)]
    pub upright: UprightArgs,
    /// Values of 16-bit images to stretch to black and white
    ///
    /// MIN,MAX are two of 0 to 65535, as in 0,4095 for 12 bits: MIN becomes 0, MAX 1, and what lies beyond is
    /// clipped. auto takes the smallest and the largest value of the images that train (samples and pack: of
    /// all images). train writes the range into the weights, so that predict and evaluate do the same. 8-bit
    /// images stay as they are.
    #[arg(long, value_name = "auto|MIN,MAX", value_parser = range(), hide_possible_values = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<RangeChoice>,
    /// What becomes of images of another aspect
    ///
    /// squash does not keep it, as in Keras; letterbox fits the image in, with black around; crop takes its
    /// middle part. train writes it into the weights, so that predict and evaluate do the same.
    #[arg(long, value_name = "HOW", default_value = "squash", value_parser = resize(), hide_short_help = true)]
    #[serde(skip_serializing_if = "Resize::is_default")]
    pub resize: Resize,
    /// How images are brought to the network's size
    ///
    /// nearest takes single pixels, as in Keras; bilinear takes weighted means, so that reducing skips
    /// nothing. The bytes are Pillow's. It is written into the weights, too.
    #[arg(long, value_name = "HOW", default_value = "nearest", value_parser = interpolation(), hide_short_help = true)]
    #[serde(skip_serializing_if = "Interpolation::is_default")]
    pub interpolation: Interpolation,
}

impl ReadingArgs {
    /// The reading, as far as it is known before an image is looked at: with `--range auto`, that without a
    /// range.
    pub fn known(&self) -> Reading {
        let range = match self.range {
            Some(RangeChoice::Of(range)) => range,
            Some(RangeChoice::Auto) | None => SampleRange::FULL,
        };
        let ReadingArgs { upright, resize, interpolation, .. } = *self;
        Reading { upright: upright.upright, range, resize, interpolation, ..Reading::default() }
    }
}

/// The flags that ask for a reading, but for its bit depth.
impl From<Reading> for ReadingArgs {
    fn from(Reading { upright, range, resize, interpolation, .. }: Reading) -> ReadingArgs {
        let range = (!range.is_full()).then_some(RangeChoice::Of(range));
        ReadingArgs { upright: UprightArgs { upright }, range, resize, interpolation }
    }
}

/// `--range`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeChoice {
    /// What the images use.
    Auto,
    /// From here to there.
    Of(SampleRange),
}

/// As the flag takes it.
impl fmt::Display for RangeChoice {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            RangeChoice::Auto => formatter.write_str("auto"),
            RangeChoice::Of(range) => range.fmt(formatter),
        }
    }
}

/// As the flag takes it.
impl Serialize for RangeChoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// `--bit-depth`.
pub fn bit_depth() -> Named<BitDepth> {
    Named::new(BitDepth::ALL.map(BitDepth::name), |text| {
        let found = BitDepth::ALL.into_iter().find(|depth| depth.name() == text);
        found.ok_or_else(|| "it must be 8 or 16".to_string())
    })
}

/// `--resize`.
fn resize() -> Named<Resize> {
    Named::new(Resize::ALL.map(Resize::name), |text| {
        let found = Resize::ALL.into_iter().find(|resize| resize.name() == text);
        found.ok_or_else(|| "it must be squash, letterbox or crop".to_string())
    })
}

/// `--interpolation`.
fn interpolation() -> Named<Interpolation> {
    Named::new(Interpolation::ALL.map(Interpolation::name), |text| {
        let found = Interpolation::ALL.into_iter().find(|kind| kind.name() == text);
        found.ok_or_else(|| "it must be nearest or bilinear".to_string())
    })
}

/// `--range`: shells complete the one value that has a name.
fn range() -> Named<RangeChoice> {
    Named::new(["auto"], parse_range)
}

fn parse_range(text: &str) -> Result<RangeChoice, String> {
    if text == "auto" {
        return Ok(RangeChoice::Auto);
    }
    let ends = text.split_once(',').and_then(|(min, max)| Some([min.trim().parse().ok()?, max.trim().parse().ok()?]));
    let range = ends.and_then(|[min, max]| SampleRange::new(min, max));
    range.map(RangeChoice::Of).ok_or_else(|| {
        "it must be auto, or two whole numbers from 0 to 65535, the smaller first, such as 0,4095".to_string()
    })
}
