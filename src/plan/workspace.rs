//! The memory in which a plan runs.

use super::Plan;
use super::step::Step;
use super::timings::StepTimings;
use crate::kernels::conv::ScratchLen;
use crate::layers::LayerKind;
use crate::layers::scratch::ScratchPool;
use crate::parameters::AlignedBuffer;

/// What a running network writes, sized by [`Plan::workspace`] for that plan and the current thread pool.
pub struct Workspace {
    /// Each step's output, `[batch, …]`.
    pub(super) outputs: Vec<AlignedBuffer>,
    /// The places of the maxima where a max-pool is a step of its own; empty for other steps.
    pub(super) argmax: Vec<Vec<u16>>,
    /// Those of the blocks with a max-pool; empty for other steps, and without training.
    pub(super) places: Vec<Vec<u8>>,
    /// Each dropout's factors; empty for other steps.
    pub(super) factors: Vec<AlignedBuffer>,
    /// The gradient of a step's output and of its input, in turn.
    pub(super) gradients: [AlignedBuffer; 2],
    /// Partial sums of the step at work.
    pub(super) partials: AlignedBuffer,
    /// The kernel of the convolution at work, packed.
    pub(super) packed: AlignedBuffer,
    /// Scratch of the convolution at work.
    pub(super) scratch: ScratchPool,
    /// Images in the batch that went forward last, if that was for training.
    pub(super) trained: Option<usize>,
    /// Whether that batch has gone backward too.
    pub(super) backward_done: bool,
    /// How long the steps of the last passes took.
    pub(super) timings: StepTimings,
    /// For each step what [`Workspace::live_gradients`] tells, if someone wants to know.
    pub(super) live_gradients: Option<Vec<usize>>,
}

impl Workspace {
    /// The memory that `plan` needs, for use in the current thread pool.
    pub(super) fn new(plan: &Plan) -> Workspace {
        let sizes = WorkspaceSizes::of(plan);
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
            timings: StepTimings::new(plan.steps.len()),
            live_gradients: None,
        }
    }

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
pub(super) struct WorkspaceSizes {
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
    pub(super) fn of(plan: &Plan) -> WorkspaceSizes {
        let layers = plan.network.layers();
        let training = plan.options.training;
        let input_len = |step: &Step| layers[step.layers.start].input.len();
        let output_len = |step: &Step| layers[step.layer()].output.len();
        let lens = |len: &dyn Fn(&Step) -> usize| plan.steps.iter().map(|step| plan.batch * len(step)).collect();
        let (mut partials, mut packed, mut scratch) = (0, 0, ScratchLen::default());
        for step in &plan.steps {
            match (&step.block, &layers[step.layer()].kind) {
                (Some(block), _) => {
                    partials = partials.max(if training { block.slots_len(plan.batch) } else { 0 });
                    packed = packed.max(block.packed_len(training));
                    scratch = scratch.max(block.scratch_len(training));
                }
                (None, LayerKind::Dense(dense)) => {
                    partials = partials.max(dense.partials_len(plan.batch, training));
                    if training {
                        scratch = scratch.max(dense.scratch_len());
                    }
                }
                _ => {}
            }
        }
        // The backward pass holds the gradients of the outputs of its steps, and of the inputs of all but its last.
        let backward = plan.steps.iter().enumerate().skip(plan.first_backward);
        let gradient = backward.map(|(index, step)| {
            let input = if plan.goes_on(index) { input_len(step) } else { 0 };
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
            gradient: if training { plan.batch * gradient.max().unwrap_or(0) } else { 0 },
            partials,
            packed,
            scratch,
        }
    }

    /// Bytes of all parts. They are counted before any is allocated and may be more than any machine has, so the sum saturates.
    pub(super) fn bytes(&self) -> usize {
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
