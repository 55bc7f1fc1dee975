//! Batch normalization over a batch of images or vectors: pieces of pixels run in parallel. Its twin is
//! [`reference::batch_normalization_forward`].
//!
//! S. Ioffe, C. Szegedy, *Batch Normalization: Accelerating Deep Network Training by Reducing Internal
//! Covariate Shift*, 2015; variance and moving statistics as in Keras: the biased variance, for the moving
//! one too, and `moving·momentum + batch·(1 − momentum)`.
//!
//! A training pass normalizes by the batch's own mean and variance, which it saves: the backward pass needs
//! them, and so does what keeps the moving ones. Those are weights that no optimizer moves, and a pass only
//! reads weights, so they are moved by [`Plan::update_running`](crate::plan::Plan::update_running) after the
//! step. All other passes normalize by the moving ones, and so do those of a frozen layer.
//!
//! **In parallel**: the sums over pixels are taken in slots, each over those of a fixed run of the batch's
//! images in order, and these are added in order. Where ranks share a batch, its mean and variance are those
//! of the whole one.

use super::builder::Builder;
use super::operation::{Backward, Forward, Mode, Operation, Work, WorkLen};
use super::saved::{Saved, SavedLen};
use super::scratch::ScratchPool;
use super::sink::Sink;
use super::slots::{SLOTS_FLOATS, add_slots, most_slots, per_slot, slots_of_all};
use crate::distributed::Share;
use crate::geometry::Shape;
use crate::kernels::batch_norm::{self, GradSums};
use crate::kernels::conv::ScratchLen;
use crate::parameters::{Parameters, TensorId};
use crate::reference;
use crate::spans::{Activity, task};
use rayon::prelude::*;

/// Values in one piece of work that no sum is taken of: 64 KiB of each operand, in whole pixels.
const CHUNK_FLOATS: usize = 16 * 1024;

/// A batch normalization layer.
#[derive(Clone, Debug)]
pub struct BatchNormalization {
    /// C, the channels of an image, or the values of a vector.
    pub channels: usize,
    /// Pixels of an image; 1 of a vector.
    pub pixels: usize,
    /// The part of the moving statistics that a step keeps.
    pub momentum: f64,
    /// ε, which is added to the variance.
    pub epsilon: f32,
    /// True if it normalizes by the moving statistics while training too, and leaves them as they are.
    pub is_frozen: bool,
    /// The number of γ, `[C]`.
    pub gamma: TensorId,
    /// The number of β, `[C]`.
    pub beta: TensorId,
    /// The number of the moving mean, `[C]`.
    pub moving_mean: TensorId,
    /// The number of the moving variance, `[C]`.
    pub moving_variance: TensorId,
}

impl BatchNormalization {
    /// Batch normalization of the channels of an image, or the values of a vector.
    ///
    /// # Errors
    /// A sentence, where the momentum is not in [0, 1), or ε not positive.
    pub fn new(builder: &mut Builder, momentum: f64, epsilon: f64) -> Result<BatchNormalization, String> {
        if !(0.0..1.0).contains(&momentum) {
            return Err(format!("a momentum of {momentum}; it must be at least 0 and below 1 (Keras's is 0.99)"));
        }
        if !(epsilon as f32 > 0.0 && (epsilon as f32).is_finite()) {
            return Err(format!("an epsilon of {epsilon}; it must be above 0 (Keras's is 0.001)"));
        }
        let [height, width, channels] = builder.input().sizes();
        let [gamma, beta, moving_mean, moving_variance] = builder.normalization(channels);
        let epsilon = epsilon as f32;
        Ok(BatchNormalization {
            channels,
            pixels: height * width,
            momentum,
            epsilon,
            is_frozen: false,
            gamma,
            beta,
            moving_mean,
            moving_variance,
        })
    }

    /// Floats of the pixels of one slot.
    fn run_len(&self, share: Share) -> usize {
        self.run(share.whole()) * self.pixels * self.channels
    }

    /// Sums in slots of `width·C` floats, which `sum` fills from the run of pixels that it is given by its
    /// number and with C floats to work in; and writes the sums over all slots to `totals`.
    fn sum(
        &self,
        share: Share,
        input: &[f32],
        slots: &mut [f32],
        scratch: &ScratchPool,
        totals: &mut [f32],
        sum: impl Fn(usize, &[f32], &mut [f32], &mut [f32]) + Sync,
    ) {
        let (run_len, width) = (self.run_len(share), totals.len());
        let slots = &mut slots[..input.len().div_ceil(run_len) * width];
        slots.par_chunks_exact_mut(width).zip(input.par_chunks(run_len)).enumerate().for_each(
            |(slot, (sums, pixels))| {
                sums.fill(0.0);
                task(Activity::Values, "", || {
                    scratch.with(|scratch| sum(slot, pixels, sums, &mut scratch.floats[..self.channels]));
                });
            },
        );
        add_slots(&slots_of_all(share, slots, width, self.run(share.whole())), width, 0, totals);
    }

    /// Writes the mean of each channel and its variance to `moments` `[2·C]`.
    fn take_moments(&self, share: Share, input: &[f32], slots: &mut [f32], scratch: &ScratchPool, moments: &mut [f32]) {
        let count = (share.whole() * self.pixels) as f32;
        let (mean, variance) = moments.split_at_mut(self.channels);
        self.sum(share, input, slots, scratch, mean, |_, pixels, sums, run| batch_norm::add_values(pixels, sums, run));
        mean.iter_mut().for_each(|sum| *sum /= count);
        let mean = &*mean;
        self.sum(share, input, slots, scratch, variance, |_, pixels, sums, run| {
            batch_norm::add_squares(pixels, mean, sums, run);
        });
        variance.iter_mut().for_each(|sum| *sum /= count);
    }

    /// Floats of the pixels in a piece of work that no sum is taken of.
    fn chunk_len(&self) -> usize {
        (CHUNK_FLOATS / self.channels).max(1) * self.channels
    }

    /// Writes the output by these statistics. `scale` are C floats to work in.
    fn normalize(
        &self,
        parameters: &Parameters,
        [mean, variance]: [&[f32]; 2],
        input: &[f32],
        scale: &mut [f32],
        output: &mut [f32],
    ) {
        batch_norm::scale(parameters.tensor(self.gamma), variance, self.epsilon, scale);
        let (scale, beta) = (&*scale, parameters.tensor(self.beta));
        output.par_chunks_mut(self.chunk_len()).zip(input.par_chunks(self.chunk_len())).for_each(|(output, input)| {
            task(Activity::Values, "", || batch_norm::normalize(input, mean, scale, beta, output));
        });
    }

    /// Writes ∂L/∂β and ∂L/∂γ to `sums` `[2·C]`, and ∂L/∂input if that is wanted. Knows no sink, and so is
    /// compiled once.
    fn gradients(
        &self,
        parameters: &Parameters,
        moments: &[f32],
        Seen { share, input, grad_output }: Seen,
        grad_input: Option<&mut [f32]>,
        sums: &mut [f32],
        Work { partials, scratch, .. }: Work,
    ) {
        let (channels, run_len) = (self.channels, self.run_len(share));
        let (mean, variance) = moments.split_at(channels);
        let (by_channel, slots) = partials.split_at_mut(3 * channels);
        self.sum(share, input, slots, scratch, sums, |slot, pixels, sums, run| {
            let (beta, gamma) = sums.split_at_mut(channels);
            let grad_output = &grad_output[slot * run_len..][..pixels.len()];
            batch_norm::add_values(grad_output, beta, run);
            batch_norm::add_products(pixels, mean, grad_output, gamma, run);
        });
        let count = (share.whole() * self.pixels) as f32;
        let (scale, rest) = by_channel.split_at_mut(channels);
        let (mean_grad, slope) = rest.split_at_mut(channels);
        batch_norm::scale(parameters.tensor(self.gamma), variance, self.epsilon, scale);
        let (beta, gamma) = sums.split_at_mut(channels);
        for c in 0..channels {
            mean_grad[c] = beta[c] / count;
            slope[c] = gamma[c] / (count * (variance[c] + self.epsilon));
            gamma[c] /= (variance[c] + self.epsilon).sqrt();
        }
        if let Some(grad_input) = grad_input {
            let sums = GradSums { mean, scale, mean_grad, slope };
            self.write_grad_input(Seen { share, input, grad_output }, sums, grad_input);
        }
    }

    /// Writes ∂L/∂input of a frozen layer, if it is wanted: its statistics are constants. `work` are 2·C
    /// floats.
    fn frozen_grad_input(&self, parameters: &Parameters, seen: Seen, grad_input: Option<&mut [f32]>, work: &mut [f32]) {
        let Some(grad_input) = grad_input else { return };
        let (scale, zeros) = work[..2 * self.channels].split_at_mut(self.channels);
        let [mean, variance] = [self.moving_mean, self.moving_variance].map(|tensor| parameters.tensor(tensor));
        batch_norm::scale(parameters.tensor(self.gamma), variance, self.epsilon, scale);
        zeros.fill(0.0);
        let (scale, zeros) = (&*scale, &*zeros);
        self.write_grad_input(seen, GradSums { mean, scale, mean_grad: zeros, slope: zeros }, grad_input);
    }

    /// Writes ∂L/∂input, piece by piece.
    fn write_grad_input(&self, Seen { input, grad_output, .. }: Seen, sums: GradSums, grad_input: &mut [f32]) {
        let pixels = input.par_chunks(self.chunk_len()).zip(grad_output.par_chunks(self.chunk_len()));
        grad_input.par_chunks_mut(self.chunk_len()).zip(pixels).for_each(|(grad_input, (input, grad_output))| {
            task(Activity::Values, "", || batch_norm::grad_input(input, grad_output, sums, grad_input));
        });
    }
}

/// What the backward pass reads, but for what was saved.
#[derive(Clone, Copy)]
struct Seen<'a> {
    share: Share<'a>,
    input: &'a [f32],
    grad_output: &'a [f32],
}

impl Operation for BatchNormalization {
    const NAME: &'static str = "batch_normalization";

    fn output(&self, input: Shape) -> Shape {
        input
    }

    fn saves(&self, _: usize, training: bool) -> SavedLen {
        if training && !self.is_frozen { SavedLen::Moments(2 * self.channels) } else { SavedLen::Nothing }
    }

    fn work_len(&self, batch: usize, training: bool) -> WorkLen {
        let (partials, scratch) = match training {
            // Five values of each channel, and two sums of each in every slot.
            true => ((5 + 2 * most_slots(batch, SLOTS_FLOATS)) * self.channels, self.channels),
            false => (self.channels, 0),
        };
        WorkLen { partials, packed: 0, scratch: ScratchLen::from_floats(scratch) }
    }

    /// There are not more slots than where sums are large: pixels are many, and adding them up is short work.
    fn run(&self, batch: usize) -> usize {
        if self.is_frozen { 1 } else { per_slot(batch, SLOTS_FLOATS) }
    }

    /// `input` → `output`, both `[N, …, C]`; while training also the batch's mean and variance.
    fn forward(&self, Forward { share, parameters, mode, input, output, saved, work }: Forward) {
        let (scale, slots) = work.partials.split_at_mut(self.channels);
        let statistics = match (mode, saved) {
            (Mode::Training(_), Saved::Moments(moments)) => {
                self.take_moments(share, input, slots, work.scratch, moments);
                let (mean, variance) = moments.split_at(self.channels);
                [mean, variance]
            }
            _ => [self.moving_mean, self.moving_variance].map(|tensor| parameters.tensor(tensor)),
        };
        self.normalize(parameters, statistics, input, scale, output);
    }

    /// `grad_output` → `grad_input`, both `[N, …, C]`, and ∂L/∂γ, ∂L/∂β for the sink.
    fn backward(&self, pass: Backward, sink: &mut impl Sink) {
        let Backward { share, input, saved, grad_output, grad_input, work: Work { partials, packed, scratch }, .. } =
            pass;
        if self.is_frozen {
            self.frozen_grad_input(sink.parameters(), Seen { share, input, grad_output }, grad_input, partials);
            return;
        }
        let Saved::Moments(moments) = saved else { unreachable!("a batch normalization saves its moments") };
        let (sums, partials) = partials.split_at_mut(2 * self.channels);
        let seen = Seen { share, input, grad_output };
        self.gradients(sink.parameters(), moments, seen, grad_input, sums, Work { partials, packed, scratch });
        let (beta, gamma) = sums.split_at(self.channels);
        sink.whole(self.gamma, |gradient| gradient.copy_from_slice(gamma));
        sink.whole(self.beta, |gradient| gradient.copy_from_slice(beta));
    }

    /// `moving = moving·momentum + batch·(1 − momentum)`, mean and variance alike.
    fn update_running(&self, saved: &Saved, parameters: &mut Parameters) {
        if self.is_frozen {
            return;
        }
        let Saved::Moments(moments) = saved else { unreachable!("a batch normalization saves its moments") };
        let (mean, variance) = moments.split_at(self.channels);
        // As in Keras, 1 − momentum is formed in f64 and rounded once.
        let (kept, taken) = (self.momentum as f32, (1.0 - self.momentum) as f32);
        for (tensor, batch) in [(self.moving_mean, mean), (self.moving_variance, variance)] {
            for (moving, batch) in parameters.tensor_mut(tensor).iter_mut().zip(batch) {
                *moving = *moving * kept + batch * taken;
            }
        }
    }

    fn twin(&self, parameters: &Parameters) -> reference::Layer {
        reference::Layer::BatchNormalization {
            gamma: parameters.wide(self.gamma),
            beta: parameters.wide(self.beta),
            moving: reference::Moments {
                mean: parameters.wide(self.moving_mean),
                variance: parameters.wide(self.moving_variance),
            },
            momentum: self.momentum,
            epsilon: f64::from(self.epsilon),
            frozen: self.is_frozen,
        }
    }
}
