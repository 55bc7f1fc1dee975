//! The memory in which a plan runs.

use super::compile::Plan;
use super::described;
use crate::layers::operation::WorkLen;
use crate::layers::saved::{Saved, SavedLen};
use crate::layers::scratch::ScratchPool;
use crate::parameters::AlignedBuffer;

/// What a running network writes, sized by [`Plan::workspace`] for that plan and the current thread pool.
pub struct Workspace {
    /// Each step's output, `[batch, …]`.
    pub(super) outputs: Vec<AlignedBuffer>,
    /// What each step saves besides.
    pub(super) saved: Vec<Saved>,
    /// The gradient of a step's output and of its input, in turn.
    pub(super) gradients: [AlignedBuffer; 2],
    /// Partial sums of the step at work.
    pub(super) partials: AlignedBuffer,
    /// The kernel of the step at work, packed.
    pub(super) packed: AlignedBuffer,
    /// Scratch of the step at work.
    pub(super) scratch: ScratchPool,
    /// Images in the batch that went forward last, if that was for training.
    pub(super) trained: Option<usize>,
    /// Whether that batch has gone backward too.
    pub(super) backward_done: bool,
    /// Whether that batch has entered into the moving statistics.
    pub(super) running_updated: bool,
}

impl Workspace {
    /// Memory of these sizes, for use in the current thread pool.
    fn new(sizes: &WorkspaceSizes) -> Workspace {
        Workspace {
            outputs: sizes.outputs.iter().map(|&len| AlignedBuffer::zeros(len)).collect(),
            saved: sizes.saved.iter().map(|len| len.allocate()).collect(),
            gradients: [AlignedBuffer::zeros(sizes.gradient), AlignedBuffer::zeros(sizes.gradient)],
            partials: AlignedBuffer::zeros(sizes.work.partials),
            packed: AlignedBuffer::zeros(sizes.work.packed),
            scratch: ScratchPool::new(sizes.work.scratch),
            trained: None,
            backward_done: false,
            running_updated: false,
        }
    }
}

impl Plan<'_> {
    /// The memory that this plan needs, for use in the current thread pool.
    pub fn workspace(&self) -> Workspace {
        let sizes = WorkspaceSizes::of(self);
        described::log(self, sizes.bytes());
        Workspace::new(&sizes)
    }

    /// How many bytes [`Plan::workspace`] will take in the current thread pool.
    pub fn workspace_bytes(&self) -> usize {
        WorkspaceSizes::of(self).bytes()
    }
}

impl Plan<'_> {
    /// What the memory of [`Plan::workspace`] is for, and bytes, in the current thread pool.
    pub fn workspace_purposes(&self) -> Vec<(&'static str, usize)> {
        let WorkspaceSizes { outputs, saved, gradient, work } = WorkspaceSizes::of(self);
        let floats = |len: usize| len * size_of::<f32>();
        vec![
            ("outputs of the network's steps", floats(outputs.iter().sum())),
            ("places of maxima, dropout factors, moments", saved.iter().map(|len| len.bytes()).sum()),
            ("gradients on their way back", floats(2 * gradient)),
            ("partial sums", floats(work.partials)),
            ("kernels packed for a pass", floats(work.packed)),
            (
                "scratch of the threads",
                rayon::current_num_threads() * floats(work.scratch.floats + 2 * work.scratch.words),
            ),
        ]
    }
}

/// How much each part of a [`Workspace`] holds.
struct WorkspaceSizes {
    outputs: Vec<usize>,
    saved: Vec<SavedLen>,
    gradient: usize,
    work: WorkLen,
}

impl WorkspaceSizes {
    fn of(plan: &Plan) -> WorkspaceSizes {
        let (batch, training) = (plan.batch(), plan.options().training);
        // The backward pass holds the gradients of the outputs of its steps, and of the inputs of all but its
        // last.
        let backward = plan.steps().iter().enumerate().skip(plan.first_backward());
        let gradient = backward.map(|(index, step)| {
            let input = if plan.goes_on(index) { step.input.len() } else { 0 };
            input.max(step.output.len())
        });
        let work = plan.steps().iter().map(|step| step.operation.work_len(batch, training));
        WorkspaceSizes {
            outputs: plan.steps().iter().map(|step| batch * step.output.len()).collect(),
            saved: plan.steps().iter().map(|step| step.operation.saves(batch, training)).collect(),
            gradient: if training { batch * gradient.max().unwrap_or(0) } else { 0 },
            work: work.fold(WorkLen::default(), WorkLen::max),
        }
    }

    /// Bytes of all parts. They are counted before any is allocated and may be more than any machine has, so
    /// the sum saturates.
    fn bytes(&self) -> usize {
        let WorkLen { partials, packed, scratch } = self.work;
        let scratch = scratch.floats.saturating_add(scratch.words.saturating_mul(2));
        let scratch = scratch.saturating_mul(rayon::current_num_threads());
        let others = [self.gradient, self.gradient, partials, packed, scratch];
        let floats = self.outputs.iter().chain(&others).fold(0usize, |sum, &len| sum.saturating_add(len));
        let saved = self.saved.iter().fold(0usize, |sum, len| sum.saturating_add(len.bytes()));
        floats.saturating_mul(size_of::<f32>()).saturating_add(saved)
    }
}
