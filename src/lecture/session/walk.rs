//! The way through a training: to where a step begins, and a step on, fast or looked into.

use super::checkpoints::{Checkpoint, Now};
use super::steps::Session;
use super::taken::TakenStep;
use crate::Result;
use crate::data::batches::Batch;
use crate::head::Targets;
use crate::parameters::Parameters;
use crate::plan::{DropoutMasks, Mode};
use crate::snapshot::{Snapshot, StepBatch, Values, accumulator_names};

impl Session<'_> {
    /// Brings the weights to where they stood before this step, or as near before as is known.
    pub(super) fn stand_before(&mut self, step: u64) {
        let (now, wanted) = (self.now.optimizer.steps(), step - 1);
        if now == wanted {
            return;
        }
        match (self.kept_state(step), self.checkpoints.before(wanted)) {
            (Some(state), _) => self.now = self.restored(&state),
            (None, Some(state)) if now > wanted || state.taken > now => self.now = self.restored(state),
            _ => {}
        }
    }

    pub(super) fn restored(&self, state: &Checkpoint) -> Now {
        let (parameters, optimizer) = state.restored(self.network, self.optimizer);
        Now { parameters, optimizer }
    }

    /// Returns the state before a step from a kept step: that before it, or, where nothing was edited,
    /// itself.
    pub(super) fn kept_state(&self, step: u64) -> Option<Checkpoint> {
        let (snapshot, when) = match (self.kept.get(&(step - 1)), self.kept.get(&step)) {
            (Some(before), _) => (&before.snapshot, "after"),
            (None, Some(itself)) if !self.edits.are_at(step) => (&itself.snapshot, "before"),
            _ => return None,
        };
        let table = self.network.table();
        let filled = |prefix: &str| {
            let mut parameters = Parameters::zeros(table);
            for (id, entry) in table.entries().iter().enumerate() {
                match snapshot.tensor(&format!("{when}/{prefix}{}", entry.name)).map(|tensor| &tensor.values) {
                    Some(Values::F32(values)) => parameters.tensor_mut(id).copy_from_slice(values),
                    // Accumulators are of trainable tensors alone; the others' stay zero.
                    _ if !prefix.is_empty() && !entry.is_trainable() => {}
                    _ => return None,
                }
            }
            Some(parameters)
        };
        let accumulators = accumulator_names(self.optimizer.rule).iter();
        let accumulators: Option<Vec<Parameters>> = accumulators.map(|prefix| filled(prefix)).collect();
        Some(Checkpoint { parameters: filled("")?, accumulators: accumulators?, taken: step - 1 })
    }

    /// Applies the edits of the step that comes next, and sets its learning rate.
    pub(super) fn begin_step(&mut self) {
        let taken = self.now.optimizer.steps();
        let entries = self.network.table().entries();
        for (weight, value) in self.edits.weights(taken + 1) {
            if let Some(id) = entries.iter().position(|entry| entry.name == weight.tensor) {
                self.now.parameters.tensor_mut(id)[weight.element] = value;
            }
        }
        let scheduled = || self.rates.of_step(taken, self.batches.epoch(taken) as usize);
        let rate = self.edits.learning_rate(taken + 1).unwrap_or_else(scheduled);
        self.now.optimizer.set_learning_rate(rate);
    }

    /// Takes the next step as training does.
    pub(super) fn train(&mut self) -> Result<()> {
        self.begin_step();
        let Now { parameters, optimizer } = &mut self.now;
        let taken = optimizer.steps();
        let Batch { images, labels, .. } = self.batches.of_step(taken)?;
        let images = images.view();
        let masks = DropoutMasks::Drawn { seed: self.settings.seed, step: taken };
        let logits = self.fast.forward(parameters, images, Mode::Training(masks), &mut self.workspace)?;
        let smoothing = self.settings.label_smoothing;
        let targets = Targets { weights: &self.class_weights, smoothing, ..Targets::new(labels) };
        let head = self.network.head();
        self.curve.record(taken + 1, head.loss(logits, targets));
        let grad_logits = &mut self.grad_logits[..logits.values().len()];
        head.gradient(logits, targets, grad_logits);
        let mut update = optimizer.begin_step(parameters, &mut self.gradients, self.settings.fuse);
        self.fast.backward(images, grad_logits, &mut update, &mut self.workspace)?;
        update.finish();
        self.fast.update_running(parameters, &mut self.workspace)?;
        self.keep_checkpoint();
        Ok(())
    }

    /// Takes the next step, layer by layer, and keeps all that it was.
    pub(super) fn take(&mut self) -> Result<TakenStep> {
        self.begin_step();
        let Now { parameters, optimizer } = &mut self.now;
        let taken = optimizer.steps();
        let Batch { images, labels, indices, .. } = self.batches.of_step(taken)?;
        let smoothing = self.settings.label_smoothing;
        let targets = Targets { weights: &self.class_weights, smoothing, ..Targets::new(labels) };
        let masks = DropoutMasks::Drawn { seed: self.settings.seed, step: taken };
        let (images, indices) = (images.view(), indices.clone());
        let snapshot = Snapshot::take(&self.looking, parameters, optimizer, StepBatch { images, targets, masks })?;
        let logits = self.fast.forward(parameters, images, Mode::Training(masks), &mut self.workspace)?;
        let loss_after = self.network.head().loss(logits, targets);
        self.curve.record(taken + 1, snapshot.loss());
        self.keep_checkpoint();
        self.looked_into += 1;
        let (step, epoch, id) = (taken + 1, self.batches.epoch(taken), self.looked_into);
        Ok(TakenStep { step, epoch, id, indices, snapshot, loss_after })
    }

    pub(super) fn keep_checkpoint(&mut self) {
        if self.checkpoints.wants(self.now.optimizer.steps()) {
            self.checkpoints.add(Checkpoint::new(&self.now.parameters, &self.now.optimizer));
        }
    }
}
