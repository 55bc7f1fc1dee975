//! Batch normalization of some pixels `[pixels, C]`, by channel.
//!
//! With x̂ = (x − μ) / √(σ² + ε), the output is γ·x̂ + β. The sums over pixels that μ, σ² and the gradients
//! need are taken here over runs of 64 pixels, each by itself before it is added to the rest: short sums
//! round less than long ones. Deviations are taken from the mean itself, since Σx² − m·μ² would cancel where
//! the mean is large. All loops go along the channels, so they are the same for an image and a vector.

use super::elementwise::add;
use super::simd::{SimdOp, dispatch};

/// Pixels that are summed by themselves.
const RUN: usize = 64;

/// **Adds** Σ x to `sums` `[C]`. `run` are C floats to work in, as below.
pub fn add_values(input: &[f32], sums: &mut [f32], run: &mut [f32]) {
    dispatch(AddValues { input, sums, run });
}

/// **Adds** Σ (x − mean)² to `sums` `[C]`.
pub fn add_squares(input: &[f32], mean: &[f32], sums: &mut [f32], run: &mut [f32]) {
    dispatch(AddSquares { input, mean, sums, run });
}

/// **Adds** Σ g·(x − mean) to `sums` `[C]`.
pub fn add_products(input: &[f32], mean: &[f32], grad_output: &[f32], sums: &mut [f32], run: &mut [f32]) {
    dispatch(AddProducts { input, mean, grad_output, sums, run });
}

/// Writes `scale = γ / √(variance + ε)`.
pub fn scale(gamma: &[f32], variance: &[f32], epsilon: f32, scale: &mut [f32]) {
    for ((scale, gamma), variance) in scale.iter_mut().zip(gamma).zip(variance) {
        *scale = gamma / (variance + epsilon).sqrt();
    }
}

/// Writes `output = (input − mean)·scale + beta`.
pub fn normalize(input: &[f32], mean: &[f32], scale: &[f32], beta: &[f32], output: &mut [f32]) {
    dispatch(Normalize { input, mean, scale, beta, output });
}

/// What a pixel's gradient needs of all pixels, by channel.
#[derive(Clone, Copy)]
pub struct GradSums<'a> {
    /// μ of the batch.
    pub mean: &'a [f32],
    /// γ / √(σ² + ε).
    pub scale: &'a [f32],
    /// Σ g / m.
    pub mean_grad: &'a [f32],
    /// Σ g·(x − μ) / (m·(σ² + ε)).
    pub slope: &'a [f32],
}

/// Writes `grad_input = scale·(g − mean_grad − (x − mean)·slope)`.
pub fn grad_input(input: &[f32], grad_output: &[f32], sums: GradSums, grad_input: &mut [f32]) {
    dispatch(GradInput { input, grad_output, sums, grad_input });
}

/// Adds to `sums` what `add_pixel` adds to `run` for each pixel, given its number and its values.
#[inline(always)]
fn add_runs(input: &[f32], sums: &mut [f32], run: &mut [f32], mut add_pixel: impl FnMut(usize, &[f32], &mut [f32])) {
    let channels = sums.len();
    for (first, pixels) in (0..).step_by(RUN).zip(input.chunks(RUN * channels)) {
        run.fill(0.0);
        for (pixel, values) in (first..).zip(pixels.chunks_exact(channels)) {
            add_pixel(pixel, values, run);
        }
        add(run, sums);
    }
}

struct AddValues<'a> {
    input: &'a [f32],
    sums: &'a mut [f32],
    run: &'a mut [f32],
}

impl SimdOp for AddValues<'_> {
    #[inline(always)]
    fn run<const LANES: usize, const FUSED: bool>(self) {
        add_runs(self.input, self.sums, self.run, |_, values, run| add(values, run));
    }
}

struct AddSquares<'a> {
    input: &'a [f32],
    mean: &'a [f32],
    sums: &'a mut [f32],
    run: &'a mut [f32],
}

impl SimdOp for AddSquares<'_> {
    #[inline(always)]
    fn run<const LANES: usize, const FUSED: bool>(self) {
        add_runs(self.input, self.sums, self.run, |_, values, run| {
            for ((sum, x), mean) in run.iter_mut().zip(values).zip(self.mean) {
                *sum += (x - mean) * (x - mean);
            }
        });
    }
}

struct AddProducts<'a> {
    input: &'a [f32],
    mean: &'a [f32],
    grad_output: &'a [f32],
    sums: &'a mut [f32],
    run: &'a mut [f32],
}

impl SimdOp for AddProducts<'_> {
    #[inline(always)]
    fn run<const LANES: usize, const FUSED: bool>(self) {
        let channels = self.sums.len();
        add_runs(self.input, self.sums, self.run, |pixel, values, run| {
            let grad_output = &self.grad_output[pixel * channels..][..channels];
            for (((sum, x), mean), g) in run.iter_mut().zip(values).zip(self.mean).zip(grad_output) {
                *sum += g * (x - mean);
            }
        });
    }
}

struct Normalize<'a> {
    input: &'a [f32],
    mean: &'a [f32],
    scale: &'a [f32],
    beta: &'a [f32],
    output: &'a mut [f32],
}

impl SimdOp for Normalize<'_> {
    #[inline(always)]
    fn run<const LANES: usize, const FUSED: bool>(self) {
        let channels = self.mean.len();
        for (output, pixel) in self.output.chunks_exact_mut(channels).zip(self.input.chunks_exact(channels)) {
            let by_channel = self.mean.iter().zip(self.scale).zip(self.beta);
            for ((output, x), ((mean, scale), beta)) in output.iter_mut().zip(pixel).zip(by_channel) {
                *output = (x - mean) * scale + beta;
            }
        }
    }
}

struct GradInput<'a> {
    input: &'a [f32],
    grad_output: &'a [f32],
    sums: GradSums<'a>,
    grad_input: &'a mut [f32],
}

impl SimdOp for GradInput<'_> {
    #[inline(always)]
    fn run<const LANES: usize, const FUSED: bool>(self) {
        let GradSums { mean, scale, mean_grad, slope } = self.sums;
        let channels = mean.len();
        let pixels = self.input.chunks_exact(channels).zip(self.grad_output.chunks_exact(channels));
        for (grad_input, (pixel, grad_output)) in self.grad_input.chunks_exact_mut(channels).zip(pixels) {
            let by_channel = mean.iter().zip(scale).zip(mean_grad.iter().zip(slope));
            let values = pixel.iter().zip(grad_output).zip(by_channel);
            for (grad_input, ((x, g), ((mean, scale), (mean_grad, slope)))) in grad_input.iter_mut().zip(values) {
                *grad_input = scale * (g - mean_grad - (x - mean) * slope);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_channels_are_brought_to_their_means_and_deviations() {
        // Channel 0 has mean 2 and variance 1, channel 1 mean −4 and variance 4.
        let input = [1.0, -6.0, 3.0, -2.0, 1.0, -2.0, 3.0, -6.0];
        let (mut mean, mut variance, mut run) = ([0.0; 2], [0.0; 2], [f32::NAN; 2]);
        add_values(&input, &mut mean, &mut run);
        mean.iter_mut().for_each(|sum| *sum /= 4.0);
        add_squares(&input, &mean, &mut variance, &mut run);
        variance.iter_mut().for_each(|sum| *sum /= 4.0);
        assert_eq!((mean, variance), ([2.0, -4.0], [1.0, 4.0]));
        let (mut factors, mut output) = ([f32::NAN; 2], [f32::NAN; 8]);
        scale(&[3.0, 4.0], &variance, 0.0, &mut factors);
        normalize(&input, &mean, &factors, &[10.0, 20.0], &mut output);
        assert_eq!(output, [7.0, 16.0, 13.0, 24.0, 7.0, 24.0, 13.0, 16.0]);
        let mut products = [0.0; 2];
        add_products(&input, &mean, &[1.0; 8], &mut products, &mut run);
        assert_eq!(products, [0.0, 0.0]);
        // A gradient that is the same everywhere moves nothing: the mean goes with it.
        let sums = GradSums { mean: &mean, scale: &factors, mean_grad: &[1.0, 1.0], slope: &products };
        let mut back = [f32::NAN; 8];
        grad_input(&input, &[1.0; 8], sums, &mut back);
        assert_eq!(back, [0.0; 8]);
    }

    #[test]
    fn a_variance_far_smaller_than_the_mean_is_not_lost() {
        // 1,000 ± ½, over more pixels than a run holds.
        let input: Vec<f32> = (0..1000).map(|i| if i % 2 == 0 { 999.5 } else { 1000.5 }).collect();
        let (mut mean, mut variance, mut run) = ([0.0], [0.0], [f32::NAN]);
        add_values(&input, &mut mean, &mut run);
        mean[0] /= 1000.0;
        add_squares(&input, &mean, &mut variance, &mut run);
        assert_eq!((mean[0], variance[0] / 1000.0), (1000.0, 0.25));
    }
}
