//! Inverted dropout: while training, each value is dropped with probability `rate`, and those kept are
//! divided by 1 − rate, so that the expected value stays and prediction needs no correction.
//!
//! N. Srivastava et al., *Dropout: A Simple Way to Prevent Neural Networks from Overfitting*, 2014. The
//! factors, 0 or 1/(1 − rate), are drawn once in the forward pass and kept: the backward pass multiplies by
//! the very same ones. The twin is [`reference::dropout`].

use super::builder::Builder;
use super::operation::{Backward, DropoutMasks, Forward, Mode, Operation};
use super::saved::{Saved, SavedLen};
use super::sink::Sink;
use crate::geometry::Shape;
use crate::kernels::elementwise;
use crate::parameters::Parameters;
use crate::random::{Purpose, Stream};
use crate::reference;
use rayon::prelude::*;

/// A dropout layer.
#[derive(Clone, Debug)]
pub struct Dropout {
    /// The probability that a value is dropped, in [0, 1).
    pub rate: f32,
    /// The layer's number in the network, which keys its draws.
    pub layer: usize,
    /// How many dropout layers stand before it.
    pub ordinal: usize,
    /// Values of a sample.
    pub len: usize,
}

impl Dropout {
    /// Dropout with this rate.
    ///
    /// # Errors
    /// A sentence, where the rate is no probability below 1.
    pub fn new(builder: &Builder, rate: f64) -> Result<Dropout, String> {
        if !(0.0..1.0).contains(&(rate as f32)) {
            return Err(format!("a dropout rate of {rate}; it must be at least 0 and below 1"));
        }
        let (layer, ordinal) = (builder.index(), builder.ordinal());
        Ok(Dropout { rate: rate as f32, layer, ordinal, len: builder.input().len() })
    }

    /// Writes the factors for a batch, `[N, len]`.
    ///
    /// # Panics
    /// If masks are given but none, or one of another size, for this layer.
    fn fill_factors(&self, masks: DropoutMasks, factors: &mut [f32]) {
        let kept = 1.0 / (1.0 - self.rate);
        match masks {
            DropoutMasks::Drawn { seed, step } => {
                factors.par_chunks_exact_mut(self.len).enumerate().for_each(|(sample, factors)| {
                    let index = ((self.layer as u64) << 32) | sample as u64;
                    let mut stream = Stream::new(seed, Purpose::Dropout, step, index);
                    for factor in factors {
                        *factor = if stream.unit_f32() < self.rate { 0.0 } else { kept };
                    }
                });
            }
            DropoutMasks::Given(masks) => {
                let mask = masks[self.ordinal];
                assert_eq!(mask.len(), factors.len(), "a dropout mask has one value for each of the batch's");
                for (factor, keep) in factors.iter_mut().zip(mask) {
                    *factor = keep * kept;
                }
            }
        }
    }
}

impl Operation for Dropout {
    const NAME: &'static str = "dropout";

    fn output(&self, input: Shape) -> Shape {
        input
    }

    fn saves(&self, batch: usize, training: bool) -> SavedLen {
        if training { SavedLen::Factors(batch * self.len) } else { SavedLen::Nothing }
    }

    /// `output = input · factor` while training, else the input.
    fn forward(&self, Forward { mode, input, output, saved, .. }: Forward) {
        match (mode, saved) {
            (Mode::Training(masks), Saved::Factors(factors)) => {
                let factors = &mut factors[..output.len()];
                self.fill_factors(masks, factors);
                elementwise::multiply(input, factors, output);
            }
            _ => output.copy_from_slice(input),
        }
    }

    /// `grad_input = grad_output · factor`.
    fn backward(&self, Backward { saved, grad_output, grad_input, .. }: Backward, _: &mut impl Sink) {
        let Saved::Factors(factors) = saved else { unreachable!("a dropout saves its factors") };
        let Some(grad_input) = grad_input else { return };
        elementwise::multiply(grad_output, &factors[..grad_output.len()], grad_input);
    }

    fn twin(&self, _: &Parameters) -> reference::Layer {
        reference::Layer::Dropout
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
            let dropout = Dropout { rate: 0.25, layer: 2, ordinal: 0, len: 100 };
            dropout.fill_factors(DropoutMasks::Drawn { seed: 1, step }, &mut factors);
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
        let dropout = Dropout { rate: 0.0, layer: 0, ordinal: 0, len: 4 };
        dropout.fill_factors(DropoutMasks::Drawn { seed: 0, step: 0 }, &mut factors);
        assert_eq!(factors, [1.0; 8]);
    }
}
