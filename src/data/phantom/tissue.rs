//! The background: liver, the gain that is left over depth, and vessels. Both classes have the same.

use super::extent::Extent;
use super::texture::{ValueNoise, smoothstep};
use crate::random::Stream;

/// Sizes of the liver's patches, as shares of the image's [side](Extent::side), each with its peak strength
/// in decibels: broad unevenness and a finer one, both weaker than the speckle.
const PATCHES: [(f64, f64); 2] = [(0.45, 1.5), (0.12, 1.2)];
/// Gain from the top to the bottom of the image in decibels, lowest and highest: what the scanner's
/// compensation for attenuation left over or overdid.
const GAIN_OVER_DEPTH: (f64, f64) = (-4.0, 4.0);
/// Vessels in an image, fewest and most: dark structures that are no lesion, in every image.
const VESSELS: (u32, u32) = (2, 4);
/// Half the length of a vessel as a share of the side, shortest and longest: from a stump to one across the
/// image.
const VESSEL_HALF_LENGTH: (f64, f64) = (0.12, 0.5);
/// Half the width of a vessel as a share of the side, thinnest and widest: 2 to 11 pixels.
const VESSEL_HALF_WIDTH: (f64, f64) = (0.02, 0.05);
/// Bend of a vessel: how far its ends leave the straight line, as a share of its half length, at most:
/// curved, not coiled.
const VESSEL_BEND: f64 = 0.3;
/// Echo of blood relative to liver, in decibels: vessels are nearly black.
const VESSEL_ECHO: f64 = -11.0;

/// The background of one image.
pub struct Tissue {
    extent: Extent,
    patches: [ValueNoise; 2],
    gain_over_depth: f64,
    vessels: Vec<Vessel>,
}

impl Tissue {
    /// Draws liver and vessels.
    pub fn draw(stream: &mut Stream, extent: Extent) -> Tissue {
        let (width, height) = (extent.width as f64, extent.height as f64);
        let patches = PATCHES.map(|(size, _)| {
            let cell = size * extent.side();
            ValueNoise::draw(stream, width / cell, height / cell)
        });
        let gain_over_depth = stream.uniform_f64(GAIN_OVER_DEPTH.0, GAIN_OVER_DEPTH.1);
        let count = VESSELS.0 + stream.below(VESSELS.1 - VESSELS.0 + 1);
        let vessels = (0..count).map(|_| Vessel::draw(stream, extent)).collect();
        Tissue { extent, patches, gain_over_depth, vessels }
    }

    /// Returns the echo of the liver in decibels at pixel (x, y):
    /// `Σ strength·noise(x/size, y/size) + gain·y/height`.
    pub fn liver(&self, x: f64, y: f64) -> f64 {
        let texture: f64 = (self.patches.iter().zip(PATCHES))
            .map(|(noise, (size, strength))| {
                let cell = size * self.extent.side();
                strength * noise.at(x / cell, y / cell)
            })
            .sum();
        texture + self.gain_over_depth * y / self.extent.height as f64
    }

    /// Returns what the vessels add at pixel (x, y), in decibels: the deepest of them, so that crossings are
    /// no darker.
    pub fn vessels(&self, x: f64, y: f64) -> f64 {
        self.vessels.iter().map(|vessel| VESSEL_ECHO * vessel.cover(x, y)).fold(0.0, f64::min)
    }
}

/// A bent tube that tapers towards both ends: an ellipse whose long axis is a parabola.
struct Vessel {
    /// Centre in pixels.
    centre: (f64, f64),
    /// Cosine and sine of the axis's direction.
    direction: (f64, f64),
    /// Half axes in pixels.
    half_length: f64,
    half_width: f64,
    /// Sideways shift of the ends, as a share of the half length.
    bend: f64,
}

impl Vessel {
    fn draw(stream: &mut Stream, extent: Extent) -> Vessel {
        let centre = (stream.unit_f64() * extent.width as f64, stream.unit_f64() * extent.height as f64);
        let angle = stream.uniform_f64(0.0, std::f64::consts::PI);
        Vessel {
            centre,
            direction: (libm::cos(angle), libm::sin(angle)),
            half_length: stream.uniform_f64(VESSEL_HALF_LENGTH.0, VESSEL_HALF_LENGTH.1) * extent.side(),
            half_width: stream.uniform_f64(VESSEL_HALF_WIDTH.0, VESSEL_HALF_WIDTH.1) * extent.side(),
            bend: stream.uniform_f64(-VESSEL_BEND, VESSEL_BEND),
        }
    }

    /// Returns 1 inside, 0 outside, with a soft wall: the ellipse `(u/half length)² + (v/half width)² = q²`,
    /// u along the axis and v across it, covers where q is under about 1.
    fn cover(&self, x: f64, y: f64) -> f64 {
        let (dx, dy) = (x - self.centre.0, y - self.centre.1);
        let (cosine, sine) = self.direction;
        let u = (dx * cosine + dy * sine) / self.half_length;
        let v = (dy * cosine - dx * sine - self.bend * self.half_length * u * u) / self.half_width;
        let q = (u * u + v * v).sqrt();
        smoothstep(1.5 - q)
    }
}
