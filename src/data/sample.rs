//! The samples of a picture: bytes, or numbers of 16 bits; and what they are as floats.
//!
//! Keras's loader reads every file as bytes. A picture of 16 bits keeps them here if its
//! [`Reading`](super::reading::Reading) says so: nothing between the file and the floats rounds it to 256
//! levels.

use std::sync::Arc;

/// The factor of a byte.
const RESCALE: f32 = 1.0 / 255.0;

/// The factor of a sample of 16 bits.
const RESCALE_16: f32 = 1.0 / 65535.0;

/// Returns a byte as the network sees it: x · (1/255) in f32, a product as in Keras's `rescale=1./255`, not a
/// quotient; for some bytes the two differ in the last bit.
pub fn scale(byte: u8) -> f32 {
    f32::from(byte) * RESCALE
}

/// The bits behind the point of a weight that a byte is multiplied with.
const PRECISION_BITS: u32 = 22;

/// A sample of a picture. What 8 and 16 bits differ in is how Pillow takes their weighted means: those of
/// bytes in integers, with weights of 22 bits behind the point (its `Resample.c`, `8bpc`), those of 16 bits
/// in f64 (`16bpc`).
pub trait Sample: Copy + Default + PartialEq + Into<u32> + Into<f32> + 'static {
    /// The factor that makes floats in [0, 1] of it.
    const RESCALE: f32;

    /// A share of a weighted mean, as the mean takes it.
    type Weight: Copy;

    /// Returns a share of a mean as a weight.
    fn weight(share: f64) -> Self::Weight;

    /// Returns the weighted mean of some samples, whose weights add up to 1.
    fn mean(terms: impl Iterator<Item = (Self, Self::Weight)>) -> Self;

    /// Returns a number that is a sample.
    fn from_level(level: u32) -> Self;
}

impl Sample for u8 {
    const RESCALE: f32 = RESCALE;

    type Weight = i32;

    fn weight(share: f64) -> i32 {
        (0.5 + share * f64::from(1 << PRECISION_BITS)) as i32
    }

    fn mean(terms: impl Iterator<Item = (u8, i32)>) -> u8 {
        let sum: i64 = terms.map(|(sample, weight)| i64::from(sample) * i64::from(weight)).sum();
        ((sum + (1 << (PRECISION_BITS - 1))) >> PRECISION_BITS).clamp(0, 255) as u8
    }

    fn from_level(level: u32) -> u8 {
        level as u8
    }
}

impl Sample for u16 {
    const RESCALE: f32 = RESCALE_16;

    type Weight = f64;

    fn weight(share: f64) -> f64 {
        share
    }

    fn mean(terms: impl Iterator<Item = (u16, f64)>) -> u16 {
        let sum = terms.fold(0.0, |sum, (sample, weight)| sum + f64::from(sample) * weight);
        (sum + 0.5).floor().clamp(0.0, 65535.0) as u16
    }

    fn from_level(level: u32) -> u16 {
        level as u16
    }
}

/// The samples of a picture of the network's size, in the order H W C.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PictureSamples {
    /// 0…255.
    Bits8(Arc<[u8]>),
    /// 0…65535.
    Bits16(Arc<[u16]>),
}

impl PictureSamples {
    /// Returns how many there are.
    #[allow(clippy::len_without_is_empty)] // a picture is not
    pub fn len(&self) -> usize {
        match self {
            PictureSamples::Bits8(samples) => samples.len(),
            PictureSamples::Bits16(samples) => samples.len(),
        }
    }

    /// Returns the bytes of memory that they take.
    pub fn bytes(&self) -> usize {
        match self {
            PictureSamples::Bits8(samples) => samples.len(),
            PictureSamples::Bits16(samples) => 2 * samples.len(),
        }
    }
}
