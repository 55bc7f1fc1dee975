//! Looks into one training step: how large each layer's output and gradient are.
//!
//! ```sh
//! cargo run --release --example layer_gradient
//! ```

use glassnet::classes::Label;
use glassnet::head::Targets;
use glassnet::layers::sink::GradientWriter;
use glassnet::network::Network;
use glassnet::parameters::Parameters;
use glassnet::plan::observer::{Observer, StepGradient, StepOutput};
use glassnet::plan::{DropoutMasks, Mode, Plan, PlanOptions};
use glassnet::spec::ModelSpec;
use ndarray::Array4;

/// Prints the norms of all that it is told.
struct Norms<'a>(&'a Network);

impl Norms<'_> {
    fn print(&self, what: &str, output: &StepOutput, values: &[f32]) {
        let names: Vec<&str> = output.step.layers.clone().map(|layer| self.0.layers()[layer].name.as_str()).collect();
        let norm = values.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
        println!("{what:<14} {:<16} {norm:.6}", names.join("+"));
    }
}

impl Observer for Norms<'_> {
    fn output(&mut self, step: StepOutput) {
        self.print("output", &step, step.output);
    }

    fn gradient(&mut self, step: StepGradient) {
        self.print("∂L/∂output", &step.forward, step.grad_output);
    }
}

fn main() -> glassnet::Result<()> {
    let network = Network::new(&ModelSpec::documented().with_image_size(32))?;
    let parameters = network.initial_parameters(0);
    let images = Array4::from_shape_fn((2, 32, 32, 3), |(n, y, x, c)| ((n + y * x + c) % 7) as f32 / 7.0);

    // A plan that runs each layer by itself shows each.
    let plan = Plan::new(&network, 2, PlanOptions { training: true, fuse: false, ..PlanOptions::default() });
    let (mut workspace, mut norms) = (plan.workspace(), Norms(&network));
    let mode = Mode::Training(DropoutMasks::Drawn { seed: 0, step: 0 });
    let logits = plan.forward_observed(&parameters, images.view(), mode, &mut workspace, &mut norms)?;
    let mut grad_logits = [0.0; 2];
    network.head().gradient(logits, Targets::new(&[Label::NEGATIVE, Label::POSITIVE]), &mut grad_logits);
    let mut gradients = Parameters::zeros(network.table());
    let mut sink = GradientWriter::new(&parameters, &mut gradients);
    plan.backward_observed(images.view(), &grad_logits, &mut sink, &mut workspace, &mut norms)
}
