//! One model, answered for from many threads: network and weights are shared, each thread has a workspace.
//!
//! ```sh
//! cargo run --release --example predict_from_threads
//! ```

use std::thread;

use glassnet::network::Network;
use glassnet::plan::{Mode, Plan, PlanOptions};
use glassnet::spec::ModelSpec;
use ndarray::Array4;

fn main() -> glassnet::Result<()> {
    // Of a run, `glassnet::checkpoint::load` gives both.
    let network = Network::new(&ModelSpec::documented())?;
    let parameters = network.initial_parameters(0);
    let plan = Plan::new(&network, 1, PlanOptions::default());

    let answer = |request: usize| -> glassnet::Result<f32> {
        let image = Array4::from_shape_fn((1, 128, 128, 3), |(_, y, x, _)| ((x + request * y) % 251) as f32 / 250.0);
        let mut workspace = plan.workspace();
        let logits = plan.forward(&parameters, image.view(), Mode::Inference, &mut workspace)?;
        Ok(network.head().probabilities(logits.values()).next().expect("one unit gives one probability"))
    };
    let answers: Vec<glassnet::Result<f32>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|request| scope.spawn(move || answer(request))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no thread panics")).collect()
    });
    for (request, probability) in answers.into_iter().enumerate() {
        let probability = probability?;
        println!("request {request}: {probability:.6}");
        assert_eq!(probability, answer(request)?, "one thread alone answers the same");
    }
    Ok(())
}
