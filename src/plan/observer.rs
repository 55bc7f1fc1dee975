//! Looking into a pass while it runs.
//!
//! An observer is told of each step's output and gradient as they come.
//! [`Plan::forward`](super::Plan::forward) and [`Plan::backward`](super::Plan::backward) have the observer
//! `()`, which does nothing: the passes are compiled for each observer, so looking costs nothing where nobody
//! looks. To see each layer by itself, make the plan with `fuse: false`. The numbers are the same.

use super::step::Step;
use crate::layers::saved::Saved;

/// Told of what the steps of a pass compute. Each method does nothing unless the observer has one of its own.
pub trait Observer {
    /// A forward pass begins.
    fn forward_begins(&mut self) {}

    /// A step has run forward.
    fn output(&mut self, _: StepOutput) {}

    /// A backward pass begins.
    fn backward_begins(&mut self) {}

    /// A step has run backward. The sink has been given the gradients of its tensors.
    fn gradient(&mut self, _: StepGradient) {}
}

/// Nobody looks.
impl Observer for () {}

/// A step that has run forward over a batch.
#[derive(Clone, Copy)]
pub struct StepOutput<'a> {
    /// The step's number in the plan.
    pub index: usize,
    /// The step.
    pub step: &'a Step,
    /// What went in, `[N, …]`.
    pub input: &'a [f32],
    /// What came out, `[N, …]`.
    pub output: &'a [f32],
    /// What else it keeps for the backward pass. The batch may be smaller than what it is made for.
    pub saved: &'a Saved,
}

/// A step that has run backward over a batch.
#[derive(Clone, Copy)]
pub struct StepGradient<'a> {
    /// What it had computed forward.
    pub forward: StepOutput<'a>,
    /// ∂L/∂output.
    pub grad_output: &'a [f32],
    /// ∂L/∂input, if anyone needed it.
    pub grad_input: Option<&'a [f32]>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::sink::GradientWriter;
    use crate::network::Network;
    use crate::parameters::Parameters;
    use crate::plan::{DropoutMasks, Mode, Plan, PlanOptions};
    use crate::spec::ModelSpec;
    use ndarray::Array4;

    /// Keeps all that it is told.
    #[derive(Default)]
    struct Notes {
        order: Vec<String>,
        outputs: Vec<Vec<f32>>,
        grad_outputs: Vec<Vec<f32>>,
        grad_inputs: Vec<Vec<f32>>,
    }

    impl Observer for Notes {
        fn forward_begins(&mut self) {
            self.order.push("forward".into());
        }

        fn output(&mut self, step: StepOutput) {
            assert_eq!(step.output.len(), 2 * step.step.output.len());
            self.order.push(format!("{:?}", step.step.layers));
            self.outputs.push(step.output.to_vec());
        }

        fn backward_begins(&mut self) {
            self.order.push("backward".into());
        }

        fn gradient(&mut self, step: StepGradient) {
            assert_eq!(step.forward.output, self.outputs[step.forward.index]);
            self.order.push(format!("{:?}", step.forward.step.layers));
            self.grad_outputs.push(step.grad_output.to_vec());
            self.grad_inputs.extend(step.grad_input.map(<[f32]>::to_vec));
        }
    }

    #[test]
    fn an_observer_sees_every_layer_once_in_either_direction_and_changes_nothing() {
        let network = Network::new(&ModelSpec::documented().with_image_size(32)).unwrap();
        let parameters = network.initial_parameters(3);
        let images = Array4::from_shape_fn((2, 32, 32, 3), |(n, y, x, c)| ((n + 3 * y + 5 * x + 7 * c) % 11) as f32);
        let options = PlanOptions { fuse: false, training: true, input_gradient: true, ..PlanOptions::default() };
        let plan = Plan::new(&network, 3, options);
        let mode = Mode::Training(DropoutMasks::Drawn { seed: 0, step: 0 });
        let (mut notes, mut workspace, grad_logits) = (Notes::default(), plan.workspace(), [0.5, -0.25]);

        let logits = plan.forward_observed(&parameters, images.view(), mode, &mut workspace, &mut notes).unwrap();
        let logits = logits.values().to_vec();
        let mut gradients = Parameters::zeros(network.table());
        let mut writer = GradientWriter::new(&parameters, &mut gradients);
        plan.backward_observed(images.view(), &grad_logits, &mut writer, &mut workspace, &mut notes).unwrap();

        let steps: Vec<String> = plan.steps().iter().map(|step| format!("{:?}", step.layers)).collect();
        let back = steps.iter().rev().cloned();
        let order: Vec<String> =
            ["forward".into()].into_iter().chain(steps.clone()).chain(["backward".into()]).chain(back).collect();
        assert_eq!(notes.order, order);
        assert_eq!(notes.outputs.last().unwrap(), &logits);
        assert_eq!(notes.grad_outputs[0], grad_logits);
        assert_eq!(notes.grad_outputs[1..], notes.grad_inputs[..steps.len() - 1]);
        let grad_images = plan.input_gradient(&workspace).unwrap();
        assert_eq!(notes.grad_inputs.last().unwrap(), grad_images.as_slice().unwrap());

        let mut alone = plan.workspace();
        assert_eq!(plan.forward(&parameters, images.view(), mode, &mut alone).unwrap().values(), logits);
        let mut gradients_alone = Parameters::zeros(network.table());
        let mut writer = GradientWriter::new(&parameters, &mut gradients_alone);
        plan.backward(images.view(), &grad_logits, &mut writer, &mut alone).unwrap();
        assert!(gradients_alone.as_slice() == gradients.as_slice());
    }
}
