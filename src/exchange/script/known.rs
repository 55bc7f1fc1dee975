//! What the engine computes on a few images: logits, and the loss and the gradients of a training step.

use crate::Result;
use crate::checkpoint::Checkpoint;
use crate::classes::{Label, LabelSet};
use crate::exchange::npz::NpzWriter;
use crate::head::Targets;
use crate::layers::sink::GradientWriter;
use crate::network::Network;
use crate::parameters::Parameters;
use crate::plan::{DropoutMasks, Mode, Plan, PlanOptions};
use ndarray::ArrayView4;

/// Returns an npz file with `images` `[N, H, W, C]`, their `labels`, the `logits` `[N, U]` of a prediction,
/// and of a training step without dropout the `loss` and `gradient/NAME` of each tensor that learns.
///
/// A label is the class that the model thinks least of: where it is sure, the gradient of the right class is
/// next to nothing, and would compare rounding with rounding. Where an image may have several labels, there
/// is a row of 0 and 1 for each, `[N, U]`: the opposite of the model's answers.
///
/// # Errors
/// As [`Plan::forward`].
pub fn known_step(model: &Checkpoint, images: ArrayView4<f32>) -> Result<Vec<u8>> {
    let (count, height, width, channels) = images.dim();
    let network = Network::new(&model.card.spec.clone().with_dropout(0.0))?;
    let (head, options) = (network.head(), PlanOptions { training: true, ..PlanOptions::default() });
    let plan = Plan::new(&network, count, options);
    let mut workspace = plan.workspace();
    let logits = plan.forward(&model.parameters, images, Mode::Inference, &mut workspace)?;
    let answers = logits.values().to_vec();
    let least = |row: &[f32]| {
        let smallest = row.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(class, _)| class);
        Label::new(if let [logit] = row { usize::from(*logit <= 0.0) } else { smallest })
    };
    let opposite = |row: &[f32]| -> LabelSet {
        let unlikely = row.iter().enumerate().filter(|(_, logit)| **logit <= 0.0);
        unlikely.map(|(label, _)| Label::new(label)).collect()
    };
    let labels: Vec<Label> = logits.rows().map(least).collect();
    let sets: Vec<LabelSet> = logits.rows().filter(|_| head.has_several_labels()).map(opposite).collect();
    let mode = Mode::Training(DropoutMasks::Drawn { seed: 0, step: 0 });
    let logits = plan.forward(&model.parameters, images, mode, &mut workspace)?;
    let targets = Targets { sets: &sets, ..Targets::new(&labels) };
    let loss = head.loss(logits, targets);
    let mut grad_logits = vec![0.0; count * head.units()];
    head.gradient(logits, targets, &mut grad_logits);
    let mut gradients = Parameters::zeros(network.table());
    let mut sink = GradientWriter::new(&model.parameters, &mut gradients);
    plan.backward(images, &grad_logits, &mut sink, &mut workspace)?;

    let mut npz = NpzWriter::new();
    let pixels: Vec<f32> = images.iter().copied().collect();
    npz.floats("images", &[count, height, width, channels], &pixels);
    match head.has_several_labels() {
        true => {
            let has = |set: &LabelSet, label: usize| i64::from(set.has(Label::new(label)));
            let rows = sets.iter().flat_map(|set| (0..head.units()).map(move |label| has(set, label)));
            npz.ints("labels", &[count, head.units()], &rows.collect::<Vec<_>>());
        }
        false => npz.ints("labels", &[count], &labels.iter().map(|label| label.index() as i64).collect::<Vec<_>>()),
    }
    npz.floats("logits", &[count, head.units()], &answers);
    npz.floats("loss", &[], &[loss as f32]);
    for (id, entry) in gradients.table().entries().iter().enumerate().filter(|(_, entry)| entry.is_trainable()) {
        npz.floats(&format!("gradient/{}", entry.name), &entry.shape, gradients.tensor(id));
    }
    Ok(npz.into_bytes())
}
