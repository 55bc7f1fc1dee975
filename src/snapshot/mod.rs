//! A snapshot: all that one training step was.
//!
//! Images and labels, the output and the gradient of every layer, the cells that max-pooling chose, the
//! factors of dropout, the statistics of batch normalization, and weights and the optimizer's accumulators
//! before the step and after it. [`Snapshot::take`] takes a step and keeps what the plan's
//! [observer](crate::plan::observer) is told. What looks into a run is a view of a snapshot.
//!
//! | tensors | hold | shape |
//! |---|---|---|
//! | `images`, `labels`, `loss`, `learning_rate` | what went in, L, and the rate in force | `[N, H, W, C]`, `[N]`, `[1]`, `[1]` |
//! | `output/LAYER`, `grad_output/LAYER` | a layer's output, and ∂L/∂output | `[N, …]` |
//! | `grad_images` | ∂L/∂images | `[N, H, W, C]` |
//! | `argmax/LAYER` | the cell of each window's maximum, dy·window width + dx | `[N, …]`, as the output |
//! | `factors/LAYER` | what dropout multiplied by: 0 or 1/(1 − rate) | `[N, …]` |
//! | `moments/LAYER` | the batch's mean of each channel, and its variances | `[2, C]` |
//! | `before/TENSOR`, `after/TENSOR` | weights, as `conv2d/kernel`; accumulators, as `adam/m/conv2d/kernel` | the tensor's own |
//! | `gradient/TENSOR`, `clipped/TENSOR` | ∂L/∂weights as they came, and if they are clipped, as they were used | the tensor's own |
//!
//! **What a fused step keeps to itself.** A convolution, its ReLU and its max-pool that run as one step have
//! one output, the pool's: no memory ever holds what is between. A snapshot of such a plan lacks `output/…`
//! and `grad_output/…` of the convolution and the ReLU. A plan made with `fuse: false` gives them all, and
//! whatever both have is the same, bit for bit ([`Snapshot::common_difference`]).
//!
//! ```
//! use glassnet::network::Network;
//! use glassnet::optim::{Optimizer, OptimizerSettings};
//! use glassnet::plan::{DropoutMasks, Plan, PlanOptions};
//! use glassnet::snapshot::{Snapshot, StepBatch};
//! use glassnet::{classes::Label, head::Targets, spec::ModelSpec};
//!
//! let network = Network::new(&ModelSpec::documented().with_image_size(32))?;
//! let options = PlanOptions { fuse: false, training: true, input_gradient: true, ..PlanOptions::default() };
//! let plan = Plan::new(&network, 2, options);
//! let images = ndarray::Array4::from_elem((2, 32, 32, 3), 0.5);
//! let labels = [Label::NEGATIVE, Label::POSITIVE];
//! let masks = DropoutMasks::Drawn { seed: 0, step: 0 };
//! let batch = StepBatch { images: images.view(), targets: Targets::new(&labels), masks };
//! let step = || {
//!     let mut parameters = network.initial_parameters(0);
//!     let mut adam = Optimizer::new(network.table(), OptimizerSettings::default());
//!     Snapshot::take(&plan, &mut parameters, &mut adam, batch)
//! };
//! let snapshot = step()?;
//! assert_eq!(snapshot.output("conv2d").unwrap().len(), 2 * 30 * 30 * 32);
//! assert_eq!(snapshot.difference(&step()?), None);
//! # Ok::<(), glassnet::Error>(())
//! ```

mod difference;
mod file;
mod layout;
mod recorder;
mod take;
mod tensor;

pub use difference::Difference;
pub use layout::accumulator_names;
pub use take::StepBatch;
pub use tensor::{SnapshotTensor, Values};

use crate::classes::Label;
use crate::kernels::conv::registry::ConvPolicy;
use crate::spec::ModelSpec;
use serde::{Deserialize, Serialize};

/// How a step was taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepFacts {
    /// The version of glassnet that took it.
    pub version: String,
    /// The number of the step, from 1, by which Adam corrects its moments.
    pub step: u64,
    /// The convolution algorithm.
    pub conv: ConvPolicy,
    /// Whether convolution, ReLU and max-pool ran as one.
    pub fused: bool,
    /// The set of vector instructions.
    pub instruction_set: String,
    /// The network.
    pub spec: ModelSpec,
}

/// All that one training step was.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    facts: StepFacts,
    /// In the order of the names.
    tensors: Vec<SnapshotTensor>,
}

impl Snapshot {
    /// Puts tensors into their order.
    fn new(facts: StepFacts, mut tensors: Vec<SnapshotTensor>) -> Snapshot {
        tensors.sort_by(|a, b| a.name.cmp(&b.name));
        Snapshot { facts, tensors }
    }

    /// Returns how the step was taken.
    pub fn facts(&self) -> &StepFacts {
        &self.facts
    }

    /// Returns all tensors, in the order of their names.
    pub fn tensors(&self) -> &[SnapshotTensor] {
        &self.tensors
    }

    /// Returns a tensor by its name.
    pub fn tensor(&self, name: &str) -> Option<&SnapshotTensor> {
        let place = self.tensors.binary_search_by(|tensor| tensor.name.as_str().cmp(name)).ok()?;
        Some(&self.tensors[place])
    }

    /// Returns the floats of a tensor, if it is there and holds such.
    pub fn floats(&self, name: &str) -> Option<&[f32]> {
        match &self.tensor(name)?.values {
            Values::F32(values) => Some(values),
            _ => None,
        }
    }

    /// Returns a tensor that is one number in `f64`.
    fn number(&self, name: &str) -> f64 {
        match self.tensor(name).map(|tensor| &tensor.values) {
            Some(Values::F64(values)) => values.first().copied().unwrap_or(f64::NAN),
            _ => f64::NAN,
        }
    }

    /// Returns the images `[N, H, W, C]`.
    pub fn images(&self) -> &[f32] {
        self.floats("images").unwrap_or_default()
    }

    /// Returns the class of each image.
    pub fn labels(&self) -> Vec<Label> {
        match self.tensor("labels").map(|tensor| &tensor.values) {
            Some(Values::U32(labels)) => labels.iter().map(|&label| Label::new(label as usize)).collect(),
            _ => Vec::new(),
        }
    }

    /// Returns L, the loss of the batch before the step.
    pub fn loss(&self) -> f64 {
        self.number("loss")
    }

    /// Returns the learning rate of the step.
    pub fn learning_rate(&self) -> f64 {
        self.number("learning_rate")
    }

    /// Returns the output of a layer, `[N, …]`, unless it stayed within a fused step.
    pub fn output(&self, layer: &str) -> Option<&[f32]> {
        self.floats(&format!("output/{layer}"))
    }

    /// Returns ∂L/∂output of a layer, `[N, …]`, unless it stayed within a fused step.
    pub fn grad_output(&self, layer: &str) -> Option<&[f32]> {
        self.floats(&format!("grad_output/{layer}"))
    }

    /// Returns ∂L/∂images `[N, H, W, C]`, if the plan computed it.
    pub fn grad_images(&self) -> Option<&[f32]> {
        self.floats("grad_images")
    }

    /// Returns the cell of each maximum of a max-pool in its window, dy·window width + dx.
    pub fn argmax(&self, layer: &str) -> Option<&[u16]> {
        match &self.tensor(&format!("argmax/{layer}"))?.values {
            Values::U16(values) => Some(values),
            _ => None,
        }
    }

    /// Returns the factors of a dropout layer, `[N, …]`: 0 for a dropped value, 1/(1 − rate) for a kept one.
    pub fn factors(&self, layer: &str) -> Option<&[f32]> {
        self.floats(&format!("factors/{layer}"))
    }

    /// Returns ∂L/∂weights of a tensor such as `conv2d/kernel`, as the backward pass gave it.
    pub fn gradient(&self, tensor: &str) -> Option<&[f32]> {
        self.floats(&format!("gradient/{tensor}"))
    }

    /// Returns a tensor of weights, or of the optimizer, as it was before the step.
    pub fn before(&self, tensor: &str) -> Option<&[f32]> {
        self.floats(&format!("before/{tensor}"))
    }

    /// Returns a tensor of weights, or of the optimizer, as it was after the step.
    pub fn after(&self, tensor: &str) -> Option<&[f32]> {
        self.floats(&format!("after/{tensor}"))
    }
}
