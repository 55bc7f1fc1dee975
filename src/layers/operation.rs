//! The one shape that all layers have: what each is, what it needs, and what it does in either pass.

use super::saved::{Saved, SavedLen};
use super::scratch::ScratchPool;
use super::sink::Sink;
use crate::distributed::Share;
use crate::geometry::Shape;
use crate::kernels::conv::ScratchLen;
use crate::parameters::Parameters;
use crate::reference;

/// A layer of one kind, with its sizes and the numbers of its tensors.
pub trait Operation {
    /// Keras's name of such a layer; the second and later ones get `_1`, `_2`, … behind it.
    const NAME: &'static str;

    /// The shape of a sample that comes out where `input` goes in.
    fn output(&self, input: Shape) -> Shape;

    /// Multiply-adds of a forward pass over one sample; 0 for layers without weights.
    fn multiply_adds(&self) -> usize {
        0
    }

    /// Whether its output is its input under another shape. A plan then has no step for it.
    fn is_view(&self) -> bool {
        false
    }

    /// What it saves for its backward pass, in a batch of `batch`.
    fn saves(&self, _batch: usize, _training: bool) -> SavedLen {
        SavedLen::Nothing
    }

    /// The memory that its passes work in, for a batch of `batch`.
    fn work_len(&self, _batch: usize, _training: bool) -> WorkLen {
        WorkLen::default()
    }

    /// Writes the output of a batch, and what the backward pass needs besides.
    fn forward(&self, pass: Forward);

    /// Writes the gradient of the input, if it is wanted, and gives the sink the gradients of the layer's
    /// tensors.
    fn backward(&self, pass: Backward, sink: &mut impl Sink);

    /// The images of a batch of `batch` whose sums belong together, so that no cut between ranks may part
    /// them: a power of two.
    fn run(&self, _batch: usize) -> usize {
        1
    }

    /// Brings those weights up to date that no optimizer moves, by what a training pass saved.
    fn update_running(&self, _saved: &Saved, _parameters: &mut Parameters) {}

    /// The same layer in the textbook, with the weights that it has in `parameters`.
    fn twin(&self, parameters: &Parameters) -> reference::Layer;
}

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

/// What a forward pass is for.
#[derive(Clone, Copy, Debug)]
pub enum Mode<'a> {
    /// Prediction: dropout is off, and a batch normalization takes its moving statistics.
    Inference,
    /// Training: dropout is on, with these masks.
    Training(DropoutMasks<'a>),
}

/// A layer's forward pass over a batch, or this rank's share of one.
pub struct Forward<'a> {
    /// The share of the batch: N is how many images it has.
    pub share: Share<'a>,
    /// The weights of the network.
    pub parameters: &'a Parameters,
    /// What the pass is for.
    pub mode: Mode<'a>,
    /// `[N, …]`.
    pub input: &'a [f32],
    /// `[N, …]`, to be written.
    pub output: &'a mut [f32],
    /// What the layer [saves](Operation::saves), to be written. The batch may be smaller than what it is made
    /// for.
    pub saved: &'a mut Saved,
    /// Memory to work in.
    pub work: Work<'a>,
}

/// A layer's backward pass over a batch, or this rank's share of one: all that its forward pass saw and left,
/// and the gradient.
pub struct Backward<'a> {
    /// The share of the batch: N is how many images it has.
    pub share: Share<'a>,
    /// The input of the forward pass.
    pub input: &'a [f32],
    /// Its output.
    pub output: &'a [f32],
    /// What it saved.
    pub saved: &'a Saved,
    /// ∂L/∂output.
    pub grad_output: &'a [f32],
    /// ∂L/∂input, to be written, if it is wanted.
    pub grad_input: Option<&'a mut [f32]>,
    /// Memory to work in.
    pub work: Work<'a>,
}

/// Memory that a pass works in. What is in it when the pass begins does not matter.
pub struct Work<'a> {
    /// Partial sums.
    pub partials: &'a mut [f32],
    /// A kernel, packed.
    pub packed: &'a mut [f32],
    /// A piece for each thread.
    pub scratch: &'a ScratchPool,
}

/// The sizes of a [`Work`].
#[derive(Clone, Copy, Debug, Default)]
pub struct WorkLen {
    /// Floats of partial sums.
    pub partials: usize,
    /// Floats of a packed kernel.
    pub packed: usize,
    /// For each thread.
    pub scratch: ScratchLen,
}

impl WorkLen {
    /// Enough for either of two layers.
    pub fn max(self, other: WorkLen) -> WorkLen {
        WorkLen {
            partials: self.partials.max(other.partials),
            packed: self.packed.max(other.packed),
            scratch: self.scratch.max(other.scratch),
        }
    }
}
