//! A training loop by hand: forward, loss, its gradient, backward, Adam.
//!
//! ```sh
//! cargo run --release --example custom_loop
//! ```

use glassnet::classes::Label;
use glassnet::head::Targets;
use glassnet::layers::sink::GradientWriter;
use glassnet::network::Network;
use glassnet::optim::{Optimizer, OptimizerSettings};
use glassnet::parameters::Parameters;
use glassnet::plan::{DropoutMasks, Mode, Plan, PlanOptions};
use glassnet::spec::ModelSpec;
use ndarray::Array4;

fn main() -> glassnet::Result<()> {
    let network = Network::new(&ModelSpec::documented().with_image_size(32))?;
    let mut parameters = network.initial_parameters(0);
    let mut gradients = Parameters::zeros(network.table());
    let mut adam = Optimizer::new(network.table(), OptimizerSettings::default());

    // Eight images: a bright disc in the middle, or a dark one.
    let labels: Vec<Label> = (0..8).map(|image| Label::new(image % 2)).collect();
    let images = Array4::from_shape_fn((8, 32, 32, 3), |(image, y, x, _)| {
        let is_inside = (y as f32 - 15.5).hypot(x as f32 - 15.5) < 6.0 + image as f32 / 2.0;
        if is_inside == (labels[image] == Label::POSITIVE) { 0.8 } else { 0.2 }
    });

    let plan = Plan::new(&network, 8, PlanOptions { training: true, ..PlanOptions::default() });
    let mut workspace = plan.workspace();
    let head = network.head();
    let mut grad_logits = [0.0; 8];
    let mut losses = Vec::new();
    for step in 0..20 {
        let mode = Mode::Training(DropoutMasks::Drawn { seed: 0, step });
        let logits = plan.forward(&parameters, images.view(), mode, &mut workspace)?;
        losses.push(head.loss(logits, Targets::new(&labels)));
        head.gradient(logits, Targets::new(&labels), &mut grad_logits);
        let mut sink = GradientWriter::new(&parameters, &mut gradients);
        plan.backward(images.view(), &grad_logits, &mut sink, &mut workspace)?;
        adam.step(&mut parameters, &mut gradients);
        // The moving statistics of batch normalizations; this network has none, and it does nothing.
        plan.update_running(&mut parameters, &mut workspace)?;
        println!("step {:2}: loss {:.6}", step + 1, losses[step as usize]);
    }
    assert!(losses[19] < losses[0] / 2.0, "it did not learn");
    Ok(())
}
