//! Inverted dropout: while training, each value is dropped with probability `rate`, and those kept are divided by
//! 1 − rate, so that the expected value stays and prediction needs no correction.
//!
//! N. Srivastava et al., *Dropout: A Simple Way to Prevent Neural Networks from Overfitting*, 2014. The factors, 0 or
//! 1/(1 − rate), are drawn once in the forward pass and kept: the backward pass multiplies by the very same ones.

use crate::random::{Purpose, Stream};
use rayon::prelude::*;

/// Where a training step's dropout masks come from.
#[derive(Clone, Copy, Debug)]
pub enum DropoutMasks<'a> {
    /// Drawn for this step (from 0) of the run with this seed.
    Drawn {
        /// The run's seed.
        seed: u64,
        /// The step in all.
        step: u64,
    },
    /// Given: for each dropout layer in order, `[N, len]`, 1 for a kept value and 0 for a dropped one.
    Given(&'a [&'a [f32]]),
}

/// Writes the factors of one layer for a batch, `[N, len]`. `layer` is the layer's number, which keys the draw.
///
/// # Panics
/// If masks are given but none, or one of another size, for the `ordinal`-th dropout layer.
pub fn fill_factors(masks: DropoutMasks, rate: f32, layer: usize, ordinal: usize, len: usize, factors: &mut [f32]) {
    let kept = 1.0 / (1.0 - rate);
    match masks {
        DropoutMasks::Drawn { seed, step } => {
            factors.par_chunks_exact_mut(len).enumerate().for_each(|(sample, factors)| {
                let index = ((layer as u64) << 32) | sample as u64;
                let mut stream = Stream::new(seed, Purpose::Dropout, step, index);
                for factor in factors {
                    *factor = if stream.unit_f32() < rate { 0.0 } else { kept };
                }
            });
        }
        DropoutMasks::Given(masks) => {
            let mask = masks[ordinal];
            assert_eq!(mask.len(), factors.len(), "a dropout mask has one value for each of the batch's");
            for (factor, keep) in factors.iter_mut().zip(mask) {
                *factor = keep * kept;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    #[test]
    fn drawn_factors_keep_the_mean_and_repeat_for_the_same_step_only() {
        let draw = |step| {
            let mut factors = vec![f32::NAN; 40_000];
            fill_factors(DropoutMasks::Drawn { seed: 1, step }, 0.25, 2, 0, 100, &mut factors);
            factors
        };
        let factors = draw(0);
        assert!(factors.iter().all(|&factor| factor == 0.0 || factor == 1.0 / 0.75));
        let mean = factors.iter().sum::<f32>() / factors.len() as f32;
        assert_abs_diff_eq!(mean, 1.0, epsilon = 0.02);
        assert_eq!(factors, draw(0));
        assert_ne!(factors, draw(1));
        assert_ne!(factors[..100], factors[100..200], "samples have masks of their own");
    }

    #[test]
    fn a_rate_of_zero_drops_nothing() {
        let mut factors = [f32::NAN; 8];
        fill_factors(DropoutMasks::Drawn { seed: 0, step: 0 }, 0.0, 0, 0, 4, &mut factors);
        assert_eq!(factors, [1.0; 8]);
    }
}
