//! The lesion: what both classes share, and the one number that tells them apart.

use std::f64::consts::TAU;

use super::extent::Extent;
use super::texture::{ValueNoise, smoothstep};
use crate::random::Stream;

/// Place of the centre, as a share of width and of height, lowest and highest: a crop is made around its
/// lesion.
const CENTRE: (f64, f64) = (0.42, 0.58);
/// Mean radius √(a·b) as a share of the image's [side](Extent::side), smallest and largest: it fills 20 to 30
/// %.
const RADIUS: (f64, f64) = (0.25, 0.31);
/// Ratio of the half axes a/b, lowest and highest: from lying to standing, as likely.
const ELONGATION: (f64, f64) = (0.8, 1.25);
/// The difference of the inside from liver in decibels (root mean square), least and most: well above the
/// speckle's 2.2 dB. Whether an even lesion is darker or brighter is drawn. This sets how fast a network
/// learns: chosen with Keras.
const STRENGTH: (f64, f64) = (6.25, 7.25);
/// Width of the soft edge in radii, the same for both classes: else its blur would tell them apart.
const EDGE: f64 = 0.18;

/// Harmonics of an irregular outline, lowest and highest: below 3 they only shift and stretch, above 9 they
/// are grain.
const HARMONICS: (usize, usize) = (3, 9);
/// Amplitude of one harmonic at grade 1, in radii, at most: bulges and notches, but the outline stays one
/// piece.
const ROUGHNESS: f64 = 0.09;
/// Size of the patches inside a mottled lesion, in radii: the finer, the more of them and the sooner a
/// network that sees with 3×3 kernels finds them. Chosen with Keras.
const MOTTLE_SIZE: f64 = 0.16;
/// The distance from the centre up to which patches are drawn, in radii: farther than the outline can reach,
/// 1 + 7·ROUGHNESS.
const MOTTLE_REACH: f64 = 2.0;
/// Distance of the bright crest of the rim, and of the dark trough of the halo, from the outline, in radii: a
/// line, not a ring, at 3 to 8 pixels.
const RIM_DISTANCE: f64 = 0.12;
/// Height of rim and depth of halo at grade 1, in decibels: visible beside the mottle, and no stronger, for
/// it adds to the contrast of the whole picture.
const RIM: f64 = 5.0;

/// The two kinds of lesion. Their names are the names of the folders, and sort as the discriminants do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Class {
    /// Smooth outline, even inside.
    Benign = 0,
    /// Irregular outline, mottled inside, with a bright rim and a dark halo.
    Malignant = 1,
}

impl Class {
    /// Returns the folder's name: `benign` or `malignant`.
    pub fn name(self) -> &'static str {
        match self {
            Class::Benign => "benign",
            Class::Malignant => "malignant",
        }
    }

    /// Returns the lowest and highest grade of a lesion. The ranges leave a gap: after the rule is told, a
    /// person sees the class.
    fn grades(self) -> (f64, f64) {
        match self {
            Class::Benign => (0.0, 0.1),
            Class::Malignant => (0.7, 1.0),
        }
    }
}

/// A lesion, laid out on the pixels of its image.
pub struct Lesion {
    /// Centre in pixels.
    centre: (f64, f64),
    /// Half axes in pixels.
    half_axes: (f64, f64),
    /// Cosine and sine of the first half axis's direction.
    direction: (f64, f64),
    /// The difference of the inside from liver in decibels (root mean square).
    strength: f64,
    /// 1 if it is brighter, −1 if it is darker, as far as it is even.
    sign: f64,
    /// Amplitude at grade 1 and phase of each harmonic from the lowest on.
    harmonics: Vec<(f64, f64)>,
    /// The patches, laid out in units of MOTTLE_SIZE.
    mottle: ValueNoise,
    /// 0 for the smoothest and most even lesion, 1 for the most irregular one.
    grade: f64,
}

/// The effect of a lesion on one pixel.
pub struct Spot {
    /// Share of the pixel that is lesion, in [0, 1].
    pub cover: f64,
    /// Echo that it adds, in decibels.
    pub echo: f64,
}

impl Lesion {
    /// Draws everything from the same distributions and, last, the grade from the range of its class.
    pub fn draw(stream: &mut Stream, extent: Extent, class: Class) -> Lesion {
        let mut between = |(low, high): (f64, f64)| stream.uniform_f64(low, high);
        let centre = (between(CENTRE) * extent.width as f64, between(CENTRE) * extent.height as f64);
        let radius = between(RADIUS) * extent.side();
        let stretch = between(ELONGATION).sqrt();
        let angle = between((0.0, TAU));
        let sign = if between((-1.0, 1.0)) < 0.0 { -1.0 } else { 1.0 };
        let strength = between(STRENGTH);
        let harmonics = (HARMONICS.0..=HARMONICS.1).map(|_| (between((0.0, ROUGHNESS)), between((0.0, TAU)))).collect();
        Lesion {
            centre,
            half_axes: (radius * stretch, radius / stretch),
            direction: (libm::cos(angle), libm::sin(angle)),
            strength,
            sign,
            harmonics,
            mottle: ValueNoise::draw(stream, 2.0 * MOTTLE_REACH / MOTTLE_SIZE, 2.0 * MOTTLE_REACH / MOTTLE_SIZE),
            grade: stream.uniform_f64(class.grades().0, class.grades().1),
        }
    }

    /// Returns the lesion at pixel (x, y). With (u, v) the pixel in units of the half axes and q = √(u² + v²)
    /// / outline:
    ///
    /// ```text
    ///   cover = smoothstep from 0 at q = 1 + EDGE/2 to 1 at q = 1 − EDGE/2
    ///   echo  = cover·strength·(±√(1 − grade²) + grade·mottle(u, v)) + grade·RIM·rim(q)
    /// ```
    ///
    /// where the mottle has mean 0 and mean square 1. So the grade moves one and the same strength from
    /// evenness to mottle, and the contrast of the whole picture tells little of the class.
    pub fn at(&self, x: f64, y: f64) -> Spot {
        let (dx, dy) = (x - self.centre.0, y - self.centre.1);
        let (cosine, sine) = self.direction;
        let u = (dx * cosine + dy * sine) / self.half_axes.0;
        let v = (dy * cosine - dx * sine) / self.half_axes.1;
        let q = (u * u + v * v).sqrt() / self.outline(libm::atan2(v, u));
        let cover = smoothstep((1.0 - q) / EDGE + 0.5);
        let patch = |radii: f64| (radii + MOTTLE_REACH) / MOTTLE_SIZE;
        let mottle = self.mottle.at(patch(u), patch(v)) / ValueNoise::ROOT_MEAN_SQUARE;
        let even = self.sign * (1.0 - self.grade * self.grade).sqrt();
        let echo = cover * self.strength * (even + self.grade * mottle) + self.grade * RIM * rim(q);
        Spot { cover, echo }
    }

    /// Returns the radius of the outline in direction `angle`, where 1 is the ellipse:
    /// `(1 + Σ aₖ cos(kθ + φₖ)) / √(1 + ½ Σ aₖ²)`. The divisor makes the area that of the ellipse whatever
    /// the grade, for the area is ½∫r²dθ.
    fn outline(&self, angle: f64) -> f64 {
        let (mut radius, mut squares) = (1.0, 0.0);
        for (k, (amplitude, phase)) in (HARMONICS.0..).zip(&self.harmonics) {
            let amplitude = self.grade * amplitude;
            radius += amplitude * libm::cos(k as f64 * angle + phase);
            squares += amplitude * amplitude;
        }
        radius / (1.0 + 0.5 * squares).sqrt()
    }
}

/// Returns rim and halo as one wave across the outline: `−d·exp(½(1 − d²))` with `d = (q − 1)/RIM_DISTANCE`.
/// Its crest of +1 lies inside at d = −1 and its trough of −1 outside at d = 1, so that together they add
/// little to the brightness.
fn rim(q: f64) -> f64 {
    let d = (q - 1.0) / RIM_DISTANCE;
    -d * libm::exp(0.5 * (1.0 - d * d))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    #[test]
    fn the_area_of_a_lesion_does_not_depend_on_its_grade() {
        for index in 0..20 {
            let extent = Extent { width: 200, height: 200 };
            let mut lesion = Lesion::draw(&mut Stream::new(3, Purpose::Test, 0, index), extent, Class::Malignant);
            let mut area = |grade| {
                lesion.grade = grade;
                (0..200 * 200).map(|i| lesion.at(f64::from(i % 200), f64::from(i / 200)).cover).sum::<f64>()
            };
            let (smooth, irregular) = (area(0.0), area(1.0));
            assert!((smooth / irregular - 1.0).abs() < 0.02, "{smooth} and {irregular} pixels");
        }
    }

    #[test]
    fn the_rim_is_brightest_inside_and_the_halo_darkest_outside() {
        assert_eq!(rim(1.0), 0.0);
        assert!((rim(1.0 - RIM_DISTANCE) - 1.0).abs() < 1e-12);
        assert!((rim(1.0 + RIM_DISTANCE) + 1.0).abs() < 1e-12);
        assert!((50..200).map(|q| rim(f64::from(q) / 100.0)).all(|r| (-1.0..=1.0).contains(&r)));
    }
}
