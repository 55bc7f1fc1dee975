//! How a network runs: the layer list compiled into steps, and the memory they need.
//!
//! A [`Plan`] is made once for a batch size. It decides which layers each [`Step`] covers and by which algorithm, and
//! sizes a [`Workspace`]: everything that is written while the network runs, owned by the caller. Network, plan and weights
//! are only read, so several threads may use the same ones, each with a workspace of its own; and a training step allocates
//! nothing here.
//!
//! ```text
//! forward    images ─▶ step 0 ─▶ outputs[0] ─▶ step 1 ─▶ outputs[1] ─▶ … ─▶ logits
//! backward   ∂L/∂images ◀─ step 0 ◀─ … ◀─ ∂L/∂outputs[0] ◀─ step 1 ◀─ … ◀─ ∂L/∂logits
//!                             ╰▶ ∂L/∂weights            ╰▶ ∂L/∂weights
//! ```
//!
//! Backward needs what forward saw: a step's input is the output of the step before it, and stays in the workspace.

mod described;
mod step;
pub mod timings;
mod workspace;

pub use step::Step;
pub use workspace::Workspace;

use crate::kernels::conv::DEAD;
use crate::kernels::conv::registry::ConvPolicy;
use crate::kernels::elementwise;
use crate::layers::conv_block::BlockBackward;
use crate::layers::dropout::{self, DropoutMasks};
use crate::layers::sink::Sink;
use crate::layers::{Layer, LayerKind, activation};
use crate::loss::probability;
use crate::network::Network;
use crate::parameters::{Parameters, TensorEntry};
use crate::{Error, Result};
use ndarray::ArrayView4;
use timings::StepClock;
use workspace::WorkspaceSizes;

/// How a plan is made.
#[derive(Clone, Copy, Debug)]
pub struct PlanOptions {
    /// The convolution algorithm.
    pub conv: ConvPolicy,
    /// Whether a convolution, the ReLU behind it and the max-pool behind that run as one step; without, each layer is a step of
    /// its own, and the numbers are the same.
    pub fuse: bool,
    /// Whether there will be backward passes; without, the workspace has no memory for them.
    pub training: bool,
    /// Whether the backward pass goes on to the images' own gradient, which training does not need.
    pub input_gradient: bool,
}

impl Default for PlanOptions {
    /// The fastest, for prediction.
    fn default() -> PlanOptions {
        PlanOptions { conv: ConvPolicy::Auto, fuse: true, training: false, input_gradient: false }
    }
}

/// What a forward pass is for.
#[derive(Clone, Copy, Debug)]
pub enum Mode<'a> {
    /// Prediction: dropout is off.
    Inference,
    /// Training: dropout is on, with these masks.
    Training(DropoutMasks<'a>),
}

/// A network compiled for batches of up to a fixed size.
#[derive(Clone, Debug)]
pub struct Plan<'n> {
    network: &'n Network,
    batch: usize,
    options: PlanOptions,
    steps: Vec<Step>,
    /// The first step whose backward pass anyone needs.
    first_backward: usize,
}

impl<'n> Plan<'n> {
    /// Compiles a network for batches of up to `batch` images.
    pub fn new(network: &'n Network, batch: usize, options: PlanOptions) -> Plan<'n> {
        let layers = network.layers();
        let steps = Step::cover(layers, &options);
        let entries = network.table().entries();
        let learns = |layer: &Layer| entries[layer.tensors.clone()].iter().any(TensorEntry::is_trainable);
        let first_to_learn = steps.iter().position(|step| layers[step.layers.clone()].iter().any(learns));
        let first_backward = if options.input_gradient { 0 } else { first_to_learn.unwrap_or(steps.len()) };
        Plan { network, batch, options, steps, first_backward }
    }

    /// The network that it runs.
    pub fn network(&self) -> &'n Network {
        self.network
    }

    /// How it was made.
    pub fn options(&self) -> &PlanOptions {
        &self.options
    }

    /// The steps in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The first step that has a backward pass: nobody needs the gradients of those before it.
    pub fn first_backward(&self) -> usize {
        self.first_backward
    }

    /// The memory that this plan needs, for use in the current thread pool.
    pub fn workspace(&self) -> Workspace {
        described::log(self);
        Workspace::new(self)
    }

    /// How many bytes [`Plan::workspace`] will take in the current thread pool.
    pub fn workspace_bytes(&self) -> usize {
        WorkspaceSizes::of(self).bytes()
    }

    /// Whether the backward pass of step `index` computes the gradient of its input.
    fn goes_on(&self, index: usize) -> bool {
        index > self.first_backward || self.options.input_gradient
    }

    /// Runs the batch `images` `[N, H, W, C]` through all steps and returns the N logits.
    ///
    /// # Errors
    /// Where the images are not of the network's input size, are not one contiguous block, or are more than the plan is for;
    /// or a training pass is asked of a plan made for inference.
    ///
    /// # Panics
    /// If the parameters are another network's, the workspace another plan's, or masks are given that do not fit.
    pub fn forward<'w>(
        &self,
        parameters: &Parameters,
        images: ArrayView4<f32>,
        mode: Mode,
        workspace: &'w mut Workspace,
    ) -> Result<&'w [f32]> {
        let images = self.check_images(&images)?;
        let batch = self.batch_of(images);
        workspace.trained = match mode {
            Mode::Inference => None,
            Mode::Training(_) if self.options.training => Some(batch),
            Mode::Training(_) => return Err(Error::setting("plan", "it was made for inference and cannot train")),
        };
        workspace.backward_done = false;
        let Workspace { outputs, argmax, places, factors, partials, packed, scratch, timings, .. } = workspace;
        let mut dropout_layers = 0;
        let mut clock = StepClock::start(&mut timings.forward);
        for (index, step) in self.steps.iter().enumerate() {
            clock.enter(index);
            let layer = &self.network.layers()[step.layer()];
            let (before, rest) = outputs.split_at_mut(index);
            let input_len = self.network.layers()[step.layers.start].input.len();
            let input = before.last().map_or(images, |output| &output.as_slice()[..batch * input_len]);
            let values = batch * layer.output.len();
            let output = &mut rest[0].as_mut_slice()[..values];
            if let Some(block) = &step.block {
                let places = if workspace.trained.is_some() { &mut places[index][..] } else { &mut [] };
                let places_len = values.min(places.len());
                block.forward(parameters, input, output, &mut places[..places_len], packed.as_mut_slice(), scratch);
                continue;
            }
            match &layer.kind {
                LayerKind::Conv2d(_) => unreachable!("a convolution's step has a block"),
                LayerKind::MaxPool(pool) => pool.forward(input, output, &mut argmax[index][..values]),
                LayerKind::Dense(dense) => dense.forward(parameters, input, output, partials.as_mut_slice()),
                LayerKind::Relu => activation::forward(input, output),
                LayerKind::Dropout(rate) => match mode {
                    Mode::Inference => output.copy_from_slice(input),
                    Mode::Training(masks) => {
                        let factors = &mut factors[index].as_mut_slice()[..values];
                        let len = layer.output.len();
                        dropout::fill_factors(masks, *rate, step.layer(), dropout_layers, len, factors);
                        elementwise::multiply(input, factors, output);
                        dropout_layers += 1;
                    }
                },
                LayerKind::Flatten => unreachable!("a flatten is covered by the step behind it"),
            }
        }
        clock.stop();
        Ok(&outputs[outputs.len() - 1].as_slice()[..batch])
    }

    /// Runs the gradient of the loss by the logits back through all steps, and gives `sink` the gradient of every parameter.
    /// `images`, `workspace` and the sink's parameters are those of the forward pass before, which was for training.
    ///
    /// # Errors
    /// As [`Plan::forward`]; and where the forward pass before was not for training, or of another batch size. The sink has then
    /// been told nothing.
    ///
    /// # Panics
    /// If the parameters are another network's, or the workspace another plan's.
    pub fn backward(
        &self,
        images: ArrayView4<f32>,
        grad_logits: &[f32],
        sink: &mut impl Sink,
        workspace: &mut Workspace,
    ) -> Result<()> {
        let images = self.check_backward(&images, grad_logits, workspace)?;
        self.run_backward(images, grad_logits, sink, workspace);
        Ok(())
    }

    /// The images, if a backward pass can run.
    fn check_backward<'a>(
        &self,
        images: &'a ArrayView4<f32>,
        grad_logits: &[f32],
        workspace: &Workspace,
    ) -> Result<&'a [f32]> {
        let images = self.check_images(images)?;
        let batch = self.batch_of(images);
        if workspace.trained != Some(batch) || grad_logits.len() != batch {
            return Err(Error::setting(
                "backward",
                format!("it needs a training forward pass and logits of the same {batch} images before it"),
            ));
        }
        Ok(images)
    }

    fn run_backward(&self, images: &[f32], grad_logits: &[f32], sink: &mut impl Sink, workspace: &mut Workspace) {
        let batch = grad_logits.len();
        workspace.backward_done = true;
        let Workspace { outputs, argmax, places, factors, partials, packed, scratch, timings, live_gradients, .. } =
            workspace;
        let [grad_output, grad_input] = &mut workspace.gradients;
        grad_output.as_mut_slice()[..batch].copy_from_slice(grad_logits);
        let mut clock = StepClock::start(&mut timings.backward);
        for (index, step) in self.steps.iter().enumerate().skip(self.first_backward).rev() {
            clock.enter(index);
            let layer = &self.network.layers()[step.layer()];
            let values = batch * layer.output.len();
            let inputs = batch * self.network.layers()[step.layers.start].input.len();
            let input = match index {
                0 => images,
                _ => &outputs[index - 1].as_slice()[..inputs],
            };
            let output = &outputs[index].as_slice()[..values];
            let grad_output_values = &grad_output.as_slice()[..values];
            let go_on = self.goes_on(index);
            let grad_input_values = &mut grad_input.as_mut_slice()[..if go_on { inputs } else { 0 }];
            if let Some(block) = &step.block {
                let places = &places[index][..values.min(places[index].len())];
                if let Some(counts) = live_gradients {
                    let live = |(&place, &g): (&u8, &f32)| place != DEAD && g != 0.0;
                    counts[index] = places.iter().zip(grad_output_values).filter(|&pair| live(pair)).count();
                }
                let saved = BlockBackward { input, output, places, grad_output: grad_output_values };
                let wanted = go_on.then_some(grad_input_values);
                let buffers = [partials.as_mut_slice(), packed.as_mut_slice()];
                block.backward(saved, wanted, sink, buffers, scratch);
                std::mem::swap(grad_output, grad_input);
                continue;
            }
            match &layer.kind {
                LayerKind::Conv2d(_) => unreachable!("a convolution's step has a block"),
                LayerKind::Dense(dense) => {
                    let wanted = go_on.then_some(grad_input_values);
                    dense.backward(input, grad_output_values, wanted, sink, partials.as_mut_slice(), scratch);
                }
                LayerKind::MaxPool(pool) => {
                    pool.backward(grad_output_values, &argmax[index][..values], grad_input_values);
                }
                LayerKind::Relu => {
                    activation::backward(output, grad_output_values, grad_input_values);
                }
                LayerKind::Dropout(_) => {
                    let factors = &factors[index].as_slice()[..values];
                    elementwise::multiply(grad_output_values, factors, grad_input_values);
                }
                LayerKind::Flatten => unreachable!("a flatten is covered by the step behind it"),
            }
            std::mem::swap(grad_output, grad_input);
        }
        clock.stop();
    }

    /// ∂L/∂images of the last backward pass, `[N, H, W, C]`.
    ///
    /// # Errors
    /// Where the plan was made without `input_gradient`, or no training pass has run.
    pub fn input_gradient<'w>(&self, workspace: &'w Workspace) -> Result<ArrayView4<'w, f32>> {
        let Some(batch) = workspace.trained.filter(|_| self.options.input_gradient && workspace.backward_done) else {
            return Err(Error::setting("input_gradient", "the plan was made without it, or has not run backward"));
        };
        let [height, width, channels] = self.network.spec().input;
        let shape = [batch, height, width, channels];
        let values = &workspace.gradients[0].as_slice()[..shape.iter().product()];
        Ok(ArrayView4::from_shape(shape, values).expect("a gradient holds its images' shape"))
    }

    /// The images as one slice, if they are what this plan is for.
    fn check_images<'a>(&self, images: &'a ArrayView4<f32>) -> Result<&'a [f32]> {
        let [height, width, channels] = self.network.spec().input;
        let found = images.shape();
        if found[1..] != [height, width, channels] || found[0] == 0 || found[0] > self.batch {
            return Err(Error::layer(
                "input",
                format!(
                    "a batch of shape {found:?}, but the plan is for 1 to {} images of {height}×{width}×{channels}",
                    self.batch
                ),
            ));
        }
        images.as_slice().ok_or_else(|| {
            Error::layer("input", "the batch is not one block in N, H, W, C order; use as_standard_layout() before")
        })
    }

    fn batch_of(&self, images: &[f32]) -> usize {
        images.len() / self.network.spec().input.iter().product::<usize>()
    }
}

/// The probability of class 1 for each image of `images` `[N, H, W, C]`; dropout is off.
///
/// A convenience for a batch now and then. To answer many batches, make a [`Plan`] and keep its workspace.
///
/// # Errors
/// As [`Plan::forward`].
pub fn predict(network: &Network, parameters: &Parameters, images: ArrayView4<f32>) -> Result<Vec<f32>> {
    let plan = Plan::new(network, images.dim().0, PlanOptions::default());
    let mut workspace = plan.workspace();
    let logits = plan.forward(parameters, images, Mode::Inference, &mut workspace)?;
    Ok(logits.iter().map(|&z| probability(z)).collect())
}
