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
use super::value_by_value;
use crate::geometry::Shape;
use crate::kernels::elementwise;
use crate::parameters::Parameters;
use crate::random::{Purpose, Stream};
use crate::reference;
use crate::spans::{Activity, task};
use rayon::prelude::*;

/// Words that are drawn together: those that the generator makes at once.
const WORDS: usize = 64;

/// Bits of a word that make a uniform number, as in [`Stream::unit_f32`].
const WORD_BITS: u32 = 24;

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

    /// Draws the factors of the sample at this place in the whole batch.
    fn draw(&self, seed: u64, step: u64, sample: usize, factors: &mut [f32]) {
        let kept = 1.0 / (1.0 - self.rate);
        // A uniform number is a word's top bits times 2⁻²⁴, so it is below the rate where they are below
        // this.
        let dropped = (f64::from(self.rate) * f64::from(1 << WORD_BITS)).ceil() as u32;
        let index = ((self.layer as u64) << 32) | sample as u64;
        let mut stream = Stream::new(seed, Purpose::Dropout, step, index);
        for factors in factors.chunks_mut(WORDS) {
            let mut words = [0; WORDS];
            stream.fill_u32(&mut words);
            for (factor, word) in factors.iter_mut().zip(words) {
                *factor = if word >> (32 - WORD_BITS) < dropped { 0.0 } else { kept };
            }
        }
    }

    /// Copies the factors of a sample from a mask.
    fn copy(&self, mask: &[f32], factors: &mut [f32]) {
        let kept = 1.0 / (1.0 - self.rate);
        for (factor, keep) in factors.iter_mut().zip(mask) {
            *factor = keep * kept;
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
    fn forward(&self, Forward { share, mode, input, output, saved, .. }: Forward) {
        match (mode, saved) {
            (Mode::Training(masks), Saved::Factors(factors)) => {
                if let DropoutMasks::Given(masks) = masks {
                    let len = masks[self.ordinal].len();
                    assert_eq!(len, output.len(), "a dropout mask has one value for each of the batch's");
                }
                let samples = output.par_chunks_exact_mut(self.len).zip(input.par_chunks_exact(self.len));
                let samples = samples.zip(factors.as_mut_slice().par_chunks_exact_mut(self.len)).enumerate();
                samples.for_each(|(sample, ((output, input), factors))| {
                    task(Activity::Values, "", || {
                        match masks {
                            DropoutMasks::Drawn { seed, step } => {
                                self.draw(seed, step, share.first() + sample, factors)
                            }
                            DropoutMasks::Given(masks) => self.copy(&masks[self.ordinal][sample * self.len..], factors),
                        }
                        elementwise::multiply(input, factors, output);
                    });
                });
            }
            _ => output.copy_from_slice(input),
        }
    }

    /// `grad_input = grad_output · factor`.
    fn backward(&self, Backward { saved, grad_output, grad_input, .. }: Backward, _: &mut impl Sink) {
        let Saved::Factors(factors) = saved else { unreachable!("a dropout saves its factors") };
        if let Some(grad_input) = grad_input {
            let factors = &factors[..grad_output.len()];
            value_by_value::backward(factors, grad_output, grad_input, |factors, grad_output, grad_input| {
                elementwise::multiply(grad_output, factors, grad_input);
            });
        }
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
        let draw = |step, sample| {
            let mut factors = vec![f32::NAN; 40_000];
            Dropout { rate: 0.25, layer: 2, ordinal: 0, len: factors.len() }.draw(1, step, sample, &mut factors);
            factors
        };
        let factors = draw(0, 0);
        assert!(factors.iter().all(|&factor| factor == 0.0 || factor == 1.0 / 0.75));
        let mean = factors.iter().sum::<f32>() / factors.len() as f32;
        assert_abs_diff_eq!(mean, 1.0, epsilon = 0.02);
        assert_eq!(factors, draw(0, 0));
        assert_ne!(factors, draw(1, 0));
        assert_ne!(factors, draw(0, 1), "samples have masks of their own");
    }

    #[test]
    fn a_value_is_dropped_where_its_uniform_number_is_below_the_rate() {
        for rate in [0.0, 1e-8, 0.1, 0.25, 0.5, 0.999] {
            let mut factors = [f32::NAN; 1000];
            Dropout { rate, layer: 3, ordinal: 0, len: 1000 }.draw(7, 5, 2, &mut factors);
            let mut stream = Stream::new(7, Purpose::Dropout, 5, (3 << 32) | 2);
            let kept = 1.0 / (1.0 - rate);
            let expected = [(); 1000].map(|()| if stream.unit_f32() < rate { 0.0 } else { kept });
            assert_eq!(factors, expected, "{rate}");
        }
    }
}
