//! A training step of which all is kept.

use super::layout::accumulator_names;
use super::recorder::Recorder;
use super::tensor::{SnapshotTensor, Values};
use super::{Snapshot, StepFacts};
use crate::head::Targets;
use crate::kernels::simd::InstructionSet;
use crate::layers::sink::GradientWriter;
use crate::optim::{Clipping, Optimizer};
use crate::parameters::{Parameters, TensorEntry};
use crate::plan::{DropoutMasks, Mode, Plan};
use crate::{Error, Result};
use ndarray::ArrayView4;

/// What a training step is taken on.
#[derive(Clone, Copy)]
pub struct StepBatch<'a> {
    /// `[N, H, W, C]`.
    pub images: ArrayView4<'a, f32>,
    /// What the logits are compared with.
    pub targets: Targets<'a>,
    /// Where the masks of dropout come from.
    pub masks: DropoutMasks<'a>,
}

impl Snapshot {
    /// Takes a training step, which moves `parameters` and `optimizer` as one of the training loop does, to
    /// the same bits, and keeps all that it was. The plan is for training, and for ∂L/∂images it is made with
    /// `input_gradient`.
    ///
    /// # Errors
    /// As [`Plan::forward`], and [`Error::Setting`] of a network for images that may have several labels.
    ///
    /// # Panics
    /// If parameters, optimizer or plan are not of one network; if there is not a label for each image.
    pub fn take(
        plan: &Plan,
        parameters: &mut Parameters,
        optimizer: &mut Optimizer,
        StepBatch { images, targets, masks }: StepBatch,
    ) -> Result<Snapshot> {
        let (network, count) = (plan.network(), images.dim().0);
        let head = network.head();
        if head.has_several_labels() {
            let reason = "a step is kept with the class of each image, and here an image may have several labels";
            return Err(Error::setting("several_labels", reason));
        }
        let (mut recorder, mut workspace) = (Recorder::new(network, count), plan.workspace());
        let before = parameters.clone();

        let mode = Mode::Training(masks);
        let logits = plan.forward_observed(parameters, images, mode, &mut workspace, &mut recorder)?;
        let loss = head.loss(logits, targets);
        let logits = logits.values().to_vec();
        let mut grad_logits = vec![0.0; logits.len()];
        head.gradient(crate::head::Logits::new(&logits, head.units()), targets, &mut grad_logits);
        let mut gradients = Parameters::zeros(network.table());
        let mut writer = GradientWriter::new(parameters, &mut gradients);
        plan.backward_observed(images, &grad_logits, &mut writer, &mut workspace, &mut recorder)?;
        // No step runs for a flatten that stands last.
        let last = network.layers().iter().rev().take_while(|layer| layer.kind.is_view());
        for view in last {
            recorder.keep("output", view, &logits);
            recorder.keep("grad_output", view, &grad_logits);
        }

        let mut kept = Kept(recorder.tensors);
        kept.parameters("before/", &before, |_| true);
        kept.parameters("gradient/", &gradients, TensorEntry::is_trainable);
        kept.accumulators("before/", optimizer);
        let learning_rate = optimizer.settings().learning_rate;
        optimizer.step(parameters, &mut gradients);
        plan.update_running(parameters, &mut workspace)?;
        if optimizer.settings().clipping != Clipping::None {
            kept.parameters("clipped/", &gradients, TensorEntry::is_trainable);
        }
        kept.parameters("after/", parameters, |_| true);
        kept.accumulators("after/", optimizer);

        let labels = targets.labels.iter().map(|label| label.index() as u32).collect();
        kept.add("images", images.shape().to_vec(), Values::F32(images.iter().copied().collect()));
        kept.add("labels", vec![count], Values::U32(labels));
        kept.add("loss", vec![1], Values::F64(vec![loss]));
        kept.add("learning_rate", vec![1], Values::F64(vec![learning_rate]));
        let facts = StepFacts {
            version: env!("CARGO_PKG_VERSION").into(),
            step: optimizer.steps(),
            conv: plan.options().conv,
            fused: plan.options().fuse,
            instruction_set: InstructionSet::in_force().name().into(),
            spec: network.spec().clone(),
        };
        Ok(Snapshot::new(facts, kept.0))
    }
}

/// The tensors that are kept so far.
struct Kept(Vec<SnapshotTensor>);

impl Kept {
    fn add(&mut self, name: &str, shape: Vec<usize>, values: Values) {
        self.0.push(SnapshotTensor { name: name.into(), shape, values });
    }

    /// Keeps those tensors of a buffer that `kept` tells.
    fn parameters(&mut self, prefix: &str, parameters: &Parameters, kept: fn(&TensorEntry) -> bool) {
        for (id, entry) in parameters.table().entries().iter().enumerate().filter(|(_, entry)| kept(entry)) {
            let values = Values::F32(parameters.tensor(id).to_vec());
            self.add(&format!("{prefix}{}", entry.name), entry.shape.clone(), values);
        }
    }

    fn accumulators(&mut self, when: &str, optimizer: &Optimizer) {
        let names = accumulator_names(optimizer.settings().rule);
        for (name, accumulator) in names.iter().zip(optimizer.accumulators()) {
            self.parameters(&format!("{when}{name}"), accumulator, TensorEntry::is_trainable);
        }
    }
}
