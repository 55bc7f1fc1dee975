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
pub mod timings;

use crate::kernels::conv::{DEAD, ScratchLen};
use crate::kernels::elementwise;
use crate::kernels::geometry::PoolGeometry;
use crate::kernels::registry::ConvChoice;
use crate::layers::conv_block::{BlockBackward, ConvBlock};
use crate::layers::dropout::{self, DropoutMasks};
use crate::layers::scratch::ScratchPool;
use crate::layers::update::Update;
use crate::layers::{Layer, LayerKind, activation};
use crate::loss::probability;
use crate::network::Network;
use crate::optim::Adam;
use crate::parameters::{AlignedBuffer, Parameters};
use crate::{Error, Result};
use ndarray::ArrayView4;
use std::ops::Range;
use std::time::Instant;
use timings::{StepClock, StepTimings};

/// How a plan is made.
#[derive(Clone, Copy, Debug)]
pub struct PlanOptions {
    /// The convolution algorithm.
    pub conv: ConvChoice,
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
        PlanOptions { conv: ConvChoice::Auto, fuse: true, training: false, input_gradient: false }
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

/// A piece of the network that runs as one: some consecutive layers.
#[derive(Clone, Debug)]
pub struct Step {
    /// The layers it covers. A flatten only renames what reaches the next layer, and is covered by that one.
    pub layers: Range<usize>,
    /// How it runs, where it is a convolution with its followers.
    pub block: Option<ConvBlock>,
}

impl Step {
    /// The layer that computes, where it is not a block.
    fn layer(&self) -> usize {
        self.layers.end - 1
    }

    /// The convolution at layer `index` with those followers that run in the same step, and the layer behind them.
    fn conv_block(layers: &[Layer], index: usize, options: &PlanOptions) -> Option<(ConvBlock, usize)> {
        let LayerKind::Conv2d(conv) = &layers[index].kind else { return None };
        let (relu, pool) = Step::followers(layers, index);
        let behind = index + 1 + usize::from(relu);
        let algorithms = ConvBlock::algorithms(options.conv, conv, pool.as_ref(), options.training);
        let conv = conv.clone();
        if !options.fuse {
            return Some((ConvBlock { conv, relu: false, pool: None, algorithms }, index + 1));
        }
        let pool = pool.filter(ConvBlock::can_fuse);
        Some((ConvBlock { conv, relu, pool, algorithms }, behind + usize::from(pool.is_some())))
    }

    /// Whether a ReLU follows the layer at `index`, and the max-pool that comes then or at once, if one does.
    fn followers(layers: &[Layer], index: usize) -> (bool, Option<PoolGeometry>) {
        let relu = matches!(layers.get(index + 1), Some(Layer { kind: LayerKind::Relu, .. }));
        let pool = match layers.get(index + 1 + usize::from(relu)) {
            Some(Layer { kind: LayerKind::MaxPool(pool), .. }) => Some(pool.geometry),
            _ => None,
        };
        (relu, pool)
    }

    /// Whether most of the gradient that reaches the convolution at `index` is zero.
    fn gradient_is_sparse(layers: &[Layer], index: usize) -> bool {
        ConvBlock::gradient_is_sparse(Step::followers(layers, index).1.as_ref())
    }
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

/// What a running network writes, sized by [`Plan::workspace`] for that plan and the current thread pool.
pub struct Workspace {
    /// Each step's output, `[batch, …]`.
    outputs: Vec<AlignedBuffer>,
    /// The places of the maxima where a max-pool is a step of its own; empty for other steps.
    argmax: Vec<Vec<u16>>,
    /// Those of the blocks with a max-pool; empty for other steps, and without training.
    places: Vec<Vec<u8>>,
    /// Each dropout's factors; empty for other steps.
    factors: Vec<AlignedBuffer>,
    /// The gradient of a step's output and of its input, in turn.
    gradients: [AlignedBuffer; 2],
    /// Partial sums of the step at work.
    partials: AlignedBuffer,
    /// The kernel of the convolution at work, packed.
    packed: AlignedBuffer,
    /// Scratch of the convolution at work.
    scratch: ScratchPool,
    /// Images in the batch that went forward last, if that was for training.
    trained: Option<usize>,
    /// Whether that batch has gone backward too.
    backward_done: bool,
    /// How long the steps of the last passes took.
    timings: StepTimings,
    /// For each step what [`Workspace::live_gradients`] tells, if someone wants to know.
    live_gradients: Option<Vec<usize>>,
}

impl Workspace {
    /// How long each step of the last forward and of the last backward pass took. It is always measured: a pass reads the
    /// clock once a step.
    pub fn timings(&self) -> &StepTimings {
        &self.timings
    }

    /// From the next backward pass on, counts what [`Workspace::live_gradients`] tells. Only then does it cost anything.
    pub fn count_live_gradients(&mut self) {
        self.live_gradients = Some(vec![0; self.outputs.len()]);
    }

    /// For each step that is a convolution with a max-pool: how many values of the convolution's own output got a gradient other
    /// than 0 in the last backward pass. 0 for all other steps; nothing before [`Workspace::count_live_gradients`].
    pub fn live_gradients(&self) -> Option<&[usize]> {
        self.live_gradients.as_deref()
    }
}

/// How many values each part of a [`Workspace`] has.
struct WorkspaceSizes {
    outputs: Vec<usize>,
    argmax: Vec<usize>,
    places: Vec<usize>,
    factors: Vec<usize>,
    gradient: usize,
    partials: usize,
    packed: usize,
    /// For each thread.
    scratch: ScratchLen,
}

impl WorkspaceSizes {
    /// Bytes of all parts. They are counted before any is allocated and may be more than any machine has, so the sum saturates.
    fn bytes(&self) -> usize {
        let total = |lens: &mut dyn Iterator<Item = &usize>| lens.fold(0usize, |sum, &len| sum.saturating_add(len));
        let scratch = self.scratch.floats.saturating_add(self.scratch.words.saturating_mul(2));
        let scratch = scratch.saturating_mul(rayon::current_num_threads());
        let others = [self.gradient, self.gradient, self.partials, self.packed, scratch];
        let words = total(&mut self.outputs.iter().chain(&self.factors).chain(&others));
        let halves = total(&mut self.argmax.iter());
        let bytes = total(&mut self.places.iter());
        words.saturating_mul(4).saturating_add(halves.saturating_mul(2)).saturating_add(bytes)
    }
}

impl<'n> Plan<'n> {
    /// Compiles a network for batches of up to `batch` images.
    pub fn new(network: &'n Network, batch: usize, options: PlanOptions) -> Plan<'n> {
        let layers = network.layers();
        let (mut steps, mut first) = (Vec::new(), 0);
        while let Some(computes) =
            (first..layers.len()).find(|&index| !matches!(layers[index].kind, LayerKind::Flatten))
        {
            let (block, end) = match Step::conv_block(layers, computes, &options) {
                Some((block, end)) => (Some(block), end),
                None => (None, computes + 1),
            };
            steps.push(Step { layers: first..end, block });
            first = end;
        }
        let has_weights = |step: &Step| layers[step.layers.clone()].iter().any(|layer| layer.weights().is_some());
        let first_with_weights = steps.iter().position(has_weights).unwrap_or(steps.len());
        let first_backward = if options.input_gradient { 0 } else { first_with_weights };
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
        let sizes = self.workspace_sizes();
        let floats = |lens: &[usize]| lens.iter().map(|&len| AlignedBuffer::zeros(len)).collect();
        Workspace {
            outputs: floats(&sizes.outputs),
            argmax: sizes.argmax.iter().map(|&len| vec![0; len]).collect(),
            places: sizes.places.iter().map(|&len| vec![0; len]).collect(),
            factors: floats(&sizes.factors),
            gradients: [AlignedBuffer::zeros(sizes.gradient), AlignedBuffer::zeros(sizes.gradient)],
            partials: AlignedBuffer::zeros(sizes.partials),
            packed: AlignedBuffer::zeros(sizes.packed),
            scratch: ScratchPool::new(sizes.scratch),
            trained: None,
            backward_done: false,
            timings: StepTimings::new(self.steps.len()),
            live_gradients: None,
        }
    }

    /// How many bytes [`Plan::workspace`] will take in the current thread pool.
    pub fn workspace_bytes(&self) -> usize {
        self.workspace_sizes().bytes()
    }

    fn workspace_sizes(&self) -> WorkspaceSizes {
        let layers = self.network.layers();
        let training = self.options.training;
        let input_len = |step: &Step| layers[step.layers.start].input.len();
        let output_len = |step: &Step| layers[step.layer()].output.len();
        let lens = |len: &dyn Fn(&Step) -> usize| self.steps.iter().map(|step| self.batch * len(step)).collect();
        let (mut partials, mut packed, mut scratch) = (0, 0, ScratchLen::default());
        for step in &self.steps {
            match (&step.block, &layers[step.layer()].kind) {
                (Some(block), _) => {
                    partials = partials.max(if training { block.slots_len(self.batch) } else { 0 });
                    packed = packed.max(block.packed_len(training));
                    scratch = scratch.max(block.scratch_len(training));
                }
                (None, LayerKind::Dense(dense)) => {
                    partials = partials.max(dense.partials_len(self.batch, training));
                    if training {
                        scratch = scratch.max(dense.scratch_len());
                    }
                }
                _ => {}
            }
        }
        // The backward pass holds the gradients of the outputs of its steps, and of the inputs of all but its last.
        let backward = self.steps.iter().enumerate().skip(self.first_backward);
        let gradient = backward.map(|(index, step)| {
            let input = if self.goes_on(index) { input_len(step) } else { 0 };
            input.max(output_len(step))
        });
        WorkspaceSizes {
            outputs: lens(&output_len),
            argmax: lens(&|step| match &layers[step.layer()].kind {
                LayerKind::MaxPool(_) if step.block.is_none() => output_len(step),
                _ => 0,
            }),
            places: lens(&|step| match &step.block {
                Some(block) if training && block.pool.is_some() => output_len(step),
                _ => 0,
            }),
            factors: lens(&|step| match &layers[step.layer()].kind {
                LayerKind::Dropout(_) if training => output_len(step),
                _ => 0,
            }),
            gradient: if training { self.batch * gradient.max().unwrap_or(0) } else { 0 },
            partials,
            packed,
            scratch,
        }
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

    /// Runs the gradient of the loss by the logits back through all steps and writes the gradient of every parameter to
    /// `gradients`. `images`, `parameters` and `workspace` are those of the forward pass before, which was for training.
    ///
    /// # Errors
    /// As [`Plan::forward`]; and where the forward pass before was not for training, or of another batch size.
    ///
    /// # Panics
    /// If the parameters are another network's, or the workspace another plan's.
    pub fn backward(
        &self,
        parameters: &Parameters,
        images: ArrayView4<f32>,
        grad_logits: &[f32],
        gradients: &mut Parameters,
        workspace: &mut Workspace,
    ) -> Result<()> {
        let images = self.check_backward(&images, grad_logits, workspace)?;
        self.run_backward(images, grad_logits, Update::Write { parameters, gradients }, workspace);
        Ok(())
    }

    /// [`Plan::backward`], and the optimizer's step. Fused, the largest gradients are applied as they come: their places in
    /// `gradients` are then not written. The weights come out the same.
    ///
    /// # Errors
    /// As [`Plan::backward`]; no step is then taken.
    ///
    /// # Panics
    /// As [`Plan::backward`].
    pub fn backward_and_step(
        &self,
        parameters: &mut Parameters,
        images: ArrayView4<f32>,
        grad_logits: &[f32],
        gradients: &mut Parameters,
        adam: &mut Adam,
        workspace: &mut Workspace,
    ) -> Result<()> {
        let images = self.check_backward(&images, grad_logits, workspace)?;
        let step = adam.begin_step();
        let applied = |layer: &&Layer| self.options.fuse && layer.applied_tensor().is_some();
        if self.options.fuse {
            let (parameters, gradients) = (&mut *parameters, &mut *gradients);
            let update = Update::Apply { parameters, gradients, moments: adam.moments_mut(), step };
            self.run_backward(images, grad_logits, update, workspace);
        } else {
            let update = Update::Write { parameters, gradients };
            self.run_backward(images, grad_logits, update, workspace);
        }
        let start = Instant::now();
        let applied = self.network.layers().iter().filter(applied).filter_map(Layer::applied_tensor);
        adam.finish_step(step, parameters, gradients, applied);
        workspace.timings.optimizer = start.elapsed();
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

    fn run_backward(&self, images: &[f32], grad_logits: &[f32], mut update: Update, workspace: &mut Workspace) {
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
                let (parameters, gradients) = update.weights_and_gradients();
                block.backward(parameters, saved, wanted, gradients, buffers, scratch);
                std::mem::swap(grad_output, grad_input);
                continue;
            }
            match &layer.kind {
                LayerKind::Conv2d(_) => unreachable!("a convolution's step has a block"),
                LayerKind::Dense(dense) => {
                    let wanted = go_on.then_some(grad_input_values);
                    dense.backward(input, grad_output_values, wanted, &mut update, partials.as_mut_slice(), scratch);
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
