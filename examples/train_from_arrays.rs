//! Trains on arrays: grey images of 12 × 16 with upright or lying stripes, in a network made for them.
//!
//! ```sh
//! cargo run --release --example train_from_arrays
//! ```

use glassnet::classes::Label;
use glassnet::data::arrays::ArraySet;
use glassnet::data::batches::Loader;
use glassnet::network::Network;
use glassnet::random::{Purpose, Stream};
use glassnet::spec::ModelSpec;
use glassnet::training::{TrainSettings, TrainingState, train};
use ndarray::Array4;

const MODEL: &str = r#"
    input = [12, 16, 1]
    layers = [
        { type = "conv2d", filters = 4, kernel = 3 },
        { type = "relu" },
        { type = "max_pool", window = 2 },
        { type = "flatten" },
        { type = "dense", units = 1 },
    ]
"#;

/// Images with stripes two pixels wide, in noise; label 1 stands for lying ones.
fn stripes(count: usize, seed: u64) -> glassnet::Result<ArraySet> {
    let labels: Vec<Label> = (0..count).map(|image| Label::new(image % 2)).collect();
    let mut noise = Stream::new(seed, Purpose::Phantom, 0, 0);
    let images = Array4::from_shape_fn((count, 12, 16, 1), |(image, y, x, _)| {
        let stripe = if labels[image] == Label::POSITIVE { y / 2 % 2 } else { x / 2 % 2 };
        0.3 * stripe as f32 + 0.7 * noise.unit_f32()
    });
    ArraySet::new(images, labels)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let spec: ModelSpec = toml::from_str(MODEL)?;
    let network = Network::new(&spec)?;
    let settings = TrainSettings { epochs: 20, ..TrainSettings::default() };
    let mut state = TrainingState::new(network.initial_parameters(settings.seed), settings.optimizer()?);
    let training = Loader::from_arrays(stripes(200, 1)?, 16)?;
    let validation = Loader::from_arrays(stripes(100, 2)?, 16)?;
    let answers = train(&network, &mut state, &training, Some(&validation), &settings, |_, _| Ok(()))?;
    for epoch in &state.history {
        println!(
            "epoch {:2}: loss {:.4}, val_loss {:.4}",
            epoch.epoch + 1,
            epoch.loss,
            epoch.val_loss.unwrap_or(f64::NAN)
        );
    }
    let accuracy = answers.map_or(f64::NAN, |answers| answers.accuracy);
    println!("{:.0} % of the validation images are told right", 100.0 * accuracy);
    assert!(accuracy > 0.9, "it did not learn");
    Ok(())
}
