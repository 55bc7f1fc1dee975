//! The two textures: value noise, which is smooth, and speckle, which is what ultrasound makes of fine
//! structure.

use super::extent::Extent;
use crate::random::Stream;

/// Spread (σ) of the scanner's resolution cell along the beam, that is downwards, in pixels: grains near the
/// pixel's size.
const CELL_AXIAL: f64 = 0.8;
/// Spread (σ) of the resolution cell across the beam in pixels; a beam is wider than its pulse is long.
const CELL_LATERAL: f64 = 1.3;
/// Pictures of the same spot that the scanner averages ("compounding"): the grain fades with their number,
/// here to 2.2 dB, so that lesions stand out.
const LOOKS: usize = 4;
/// The receiver's noise, relative to the mean echo power (−20 dB): it keeps the logarithm of a dark grain
/// finite.
const NOISE_FLOOR: f64 = 0.01;

/// Returns a ramp from 0 (at `x ≤ 0`) to 1 (at `x ≥ 1`) with level ends: `3t² − 2t³`, where t is x cut to [0,
/// 1].
pub fn smoothstep(x: f64) -> f64 {
    let t = x.clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Smooth noise in [−1, 1]: random values on the points of a square lattice, blended in between.
pub struct ValueNoise {
    columns: usize,
    rows: usize,
    values: Vec<f64>,
}

impl ValueNoise {
    /// √(⅓·(26/35)²): the mean square of a number uniform on [−1, 1], and what blending with [`smoothstep`]
    /// leaves of it along either axis, ∫(1 − s)² + s² = 26/35.
    pub const ROOT_MEAN_SQUARE: f64 = 0.429;

    /// Draws noise on a lattice that covers `[0, width] × [0, height]`, in units of the lattice.
    pub fn draw(stream: &mut Stream, width: f64, height: f64) -> ValueNoise {
        let (columns, rows) = (width.ceil() as usize + 1, height.ceil() as usize + 1);
        let values = (0..columns * rows).map(|_| stream.uniform_f64(-1.0, 1.0)).collect();
        ValueNoise { columns, rows, values }
    }

    /// Returns the noise at a point: the four corners of its square, weighted by [`smoothstep`] along either
    /// axis. Outside of the lattice it is as on the border.
    pub fn at(&self, x: f64, y: f64) -> f64 {
        let x = x.clamp(0.0, (self.columns - 1) as f64);
        let y = y.clamp(0.0, (self.rows - 1) as f64);
        let (left, top) = (x.floor() as usize, y.floor() as usize);
        let (right, bottom) = ((left + 1).min(self.columns - 1), (top + 1).min(self.rows - 1));
        let (across, down) = (smoothstep(x - left as f64), smoothstep(y - top as f64));
        let value = |column: usize, row: usize| self.values[row * self.columns + column];
        let upper = value(left, top) + across * (value(right, top) - value(left, top));
        let lower = value(left, bottom) + across * (value(right, bottom) - value(left, bottom));
        upper + down * (lower - upper)
    }
}

/// Draws speckle of evenly reflecting tissue, in decibels, row by row: `10·log₁₀(power + noise floor)`.
///
/// A scanner cannot resolve the fine structure of tissue. What it shows is the sum of all echoes within one
/// resolution cell, whose phases are random: a complex number with normal real and imaginary part, here white
/// noise smoothed to the size of the cell. The power is its squared magnitude, averaged over [`LOOKS`]
/// independent pictures, with mean 1. (J. W. Goodman, *Some fundamental properties of speckle*, 1976.)
pub fn speckle(stream: &mut Stream, extent: Extent) -> Vec<f64> {
    let mut power = vec![NOISE_FLOOR; extent.width * extent.height];
    for _part in 0..2 * LOOKS {
        let amplitude = smooth_noise(stream, extent);
        for (power, a) in power.iter_mut().zip(amplitude) {
            *power += a * a / (2 * LOOKS) as f64;
        }
    }
    power.into_iter().map(|p| 10.0 * libm::log10(p)).collect()
}

/// Draws white noise smoothed to the resolution cell, with mean 0 and variance 1.
fn smooth_noise(stream: &mut Stream, extent: Extent) -> Vec<f64> {
    let Extent { width, height } = extent;
    // Uniform on ±√3 has variance 1; the smoothing makes it near enough normal, as a sum of many.
    let bound = 3f64.sqrt();
    let white: Vec<f64> = (0..width * height).map(|_| stream.uniform_f64(-bound, bound)).collect();
    // The noise is taken round the border to the opposite side, so that it is no weaker there.
    let (lateral, axial) = (cell_weights(CELL_LATERAL), cell_weights(CELL_AXIAL));
    let mut across = vec![0.0; white.len()];
    for (line, smooth) in white.chunks_exact(width).zip(across.chunks_exact_mut(width)) {
        for (column, smooth) in smooth.iter_mut().enumerate() {
            *smooth = lateral.iter().enumerate().map(|(k, weight)| weight * line[(column + k) % width]).sum();
        }
    }
    let mut both = vec![0.0; white.len()];
    for (row, smooth) in both.chunks_exact_mut(width).enumerate() {
        for (k, weight) in axial.iter().enumerate() {
            let line = &across[(row + k) % height * width..][..width];
            smooth.iter_mut().zip(line).for_each(|(smooth, value)| *smooth += weight * value);
        }
    }
    both
}

/// Returns a Gaussian `exp(−k²/2σ²)` for |k| ≤ 3σ, scaled so that the squares sum to 1: white noise keeps its
/// variance.
fn cell_weights(sigma: f64) -> Vec<f64> {
    let reach = (3.0 * sigma).ceil() as i32;
    let gaussian: Vec<f64> =
        (-reach..=reach).map(f64::from).map(|k| libm::exp(-k * k / (2.0 * sigma * sigma))).collect();
    let norm = gaussian.iter().map(|g| g * g).sum::<f64>().sqrt();
    gaussian.into_iter().map(|g| g / norm).collect()
}

#[cfg(test)]
mod tests {
    use std::f64::consts::{LN_10, PI};

    use super::*;
    use crate::random::Purpose;

    #[test]
    fn value_noise_takes_its_lattice_values_and_stays_between_them() {
        let noise = ValueNoise::draw(&mut Stream::new(1, Purpose::Test, 0, 0), 3.0, 2.0);
        assert_eq!(noise.at(2.0, 1.0), noise.values[noise.columns + 2]);
        assert_eq!(noise.at(-5.0, 9.0), noise.values[2 * noise.columns]);
        for step in 0..100 {
            let value = noise.at(f64::from(step) * 0.03, f64::from(step) * 0.02);
            assert!((-1.0..=1.0).contains(&value), "{value} at step {step}");
        }
    }

    #[test]
    fn value_noise_has_the_root_mean_square_that_it_claims() {
        let noise = ValueNoise::draw(&mut Stream::new(4, Purpose::Test, 0, 0), 100.0, 100.0);
        let samples: Vec<f64> =
            (0..1_000_000).map(|i| noise.at(f64::from(i % 1000) / 10.0, f64::from(i / 1000) / 10.0)).collect();
        let root_mean_square = (samples.iter().map(|s| s * s).sum::<f64>() / samples.len() as f64).sqrt();
        assert!((root_mean_square / ValueNoise::ROOT_MEAN_SQUARE - 1.0).abs() < 0.02, "{root_mean_square}");
    }

    #[test]
    fn speckle_has_the_spread_that_theory_gives() {
        // The power of n looks is a gamma variable of shape n, whose logarithm has the variance ψ₁(n) = π²/6
        // − Σ 1/k², k < n. Smoothed uniform noise is a little flatter than normal, which takes 5 % of the
        // spread; the noise floor takes 1 %.
        let trigamma = PI * PI / 6.0 - (1..LOOKS).map(|k| 1.0 / (k * k) as f64).sum::<f64>();
        let theory = 10.0 / LN_10 * trigamma.sqrt();
        let speckle = speckle(&mut Stream::new(2, Purpose::Test, 0, 0), Extent { width: 300, height: 300 });
        let mean = speckle.iter().sum::<f64>() / speckle.len() as f64;
        let deviation = (speckle.iter().map(|s| (s - mean) * (s - mean)).sum::<f64>() / speckle.len() as f64).sqrt();
        assert!((0.92..0.96).contains(&(deviation / theory)), "{deviation} dB, in theory {theory} dB");
    }
}
