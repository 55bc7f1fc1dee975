//! A histogram of magnitudes with fixed bins: two to a decade, from 1e-12 to 1e4.
//!
//! The bins are the same for every tensor, run and epoch, so any two histograms can be compared. Gradients
//! that vanish or explode move by decades, which a logarithmic scale shows.

use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// The most values of a tensor that a step adds to a histogram. They are spread evenly over it.
pub const SAMPLES: usize = 1 << 14;

/// The exponent of ten at which the bins begin, and the one at which they end.
const DECADES: [i32; 2] = [-12, 4];

/// The bins: one for what is smaller, two for each decade, one for what is larger.
pub const BINS: usize = 2 * (DECADES[1] - DECADES[0]) as usize + 2;

/// How many values have a magnitude in each bin. Zeros and what is not finite are in none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histogram(Vec<u64>);

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram(vec![0; BINS])
    }
}

impl Histogram {
    /// A histogram of these counts, if they are one for each bin.
    pub fn from_counts(counts: Vec<u64>) -> Option<Histogram> {
        (counts.len() == BINS).then_some(Histogram(counts))
    }

    /// Returns the count of each bin.
    pub fn counts(&self) -> &[u64] {
        &self.0
    }

    /// Adds at most [`SAMPLES`] values of a tensor, the same ones for the same length.
    pub fn add(&mut self, values: &[f32]) {
        for value in values.iter().step_by(stride(values.len())) {
            let magnitude = value.abs();
            if magnitude > 0.0 && magnitude.is_finite() {
                self.0[bin(magnitude)] += 1;
            }
        }
    }
}

/// Returns the step from sample to sample. It has no divisor in common with the length, so that the samples
/// come from all channels: a multiple of their number would meet one channel only.
fn stride(len: usize) -> usize {
    (len.div_ceil(SAMPLES).max(1)..).find(|&stride| greatest_common_divisor(stride, len) <= 1).unwrap_or(1)
}

/// Returns the greatest common divisor, by Euclid.
fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// The lower bounds of all bins but the first, 1e-12, √10·1e-12, 1e-11 and so on to 1e4.
static BOUNDS: LazyLock<[f32; BINS - 1]> = LazyLock::new(|| {
    std::array::from_fn(|place| {
        let decade = 10f64.powi(DECADES[0] + place as i32 / 2);
        (if place % 2 == 0 { decade } else { decade * 10f64.sqrt() }) as f32
    })
});

/// Returns the bin of a magnitude, which is the number of lower bounds that are not above it.
fn bin(magnitude: f32) -> usize {
    BOUNDS.partition_point(|bound| *bound <= magnitude)
}

/// Returns the name of a bin, as a table has it: `below`, then its lower bound with one digit, where `3e-12`
/// stands for √10·1e-12.
pub fn bin_name(bin: usize) -> String {
    match bin.checked_sub(1) {
        None => "below".to_string(),
        Some(place) => format!("{}e{}", if place % 2 == 0 { 1 } else { 3 }, DECADES[0] + place as i32 / 2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_magnitude_is_in_the_bin_whose_bounds_are_around_it() {
        let mut histogram = Histogram::default();
        histogram.add(&[1e-3, -2e-3, 4e-3, 0.0, f32::NAN, f32::INFINITY, -1e-20, 2e4, 0.99e-3]);
        let found: Vec<(String, u64)> = histogram
            .counts()
            .iter()
            .copied()
            .enumerate()
            .filter(|(_, count)| *count > 0)
            .map(|(bin, count)| (bin_name(bin), count))
            .collect();
        let expected = [("below", 1), ("3e-4", 1), ("1e-3", 2), ("3e-3", 1), ("1e4", 1)];
        assert_eq!(found, expected.map(|(name, count)| (name.to_string(), count)));
        assert_eq!((bin_name(1), bin_name(BINS - 1), BINS), ("1e-12".into(), "1e4".into(), 34));
    }

    #[test]
    fn a_long_tensor_gives_few_samples_of_all_its_channels() {
        let channels = 32;
        let values: Vec<f32> = (0..SAMPLES * 64).map(|place| 10f32.powi((place % channels) as i32 / 8 - 6)).collect();
        let mut histogram = Histogram::default();
        histogram.add(&values);
        let counts: Vec<u64> = histogram.counts().iter().copied().filter(|count| *count > 0).collect();
        let all: u64 = counts.iter().sum();
        assert!(all as usize <= SAMPLES && all as usize > SAMPLES / 2, "{all}");
        assert_eq!(counts.len(), 4);
        assert!(counts.iter().all(|count| count.abs_diff(all / 4) <= 8), "{counts:?}");
    }
}
