//! The network of the lessons.

use crate::Result;
use crate::network::Network;
use crate::parameters::Parameters;
use crate::random::{Purpose, Stream};
use crate::spec::ModelSpec;

/// The network of the lessons: a layer of every kind that can be wrong, for images of 14×14 pixels.
///
/// # Errors
/// None: it fits together.
pub(super) fn network() -> Result<Network> {
    let spec: ModelSpec = toml::from_str(
        "input = [14, 14, 1]
         layers = [
             { type = 'conv2d', filters = 4, kernel = 3, padding = 'same' },
             { type = 'relu' },
             { type = 'max_pool', window = 2 },
             { type = 'conv2d', filters = 6, kernel = 3 },
             { type = 'batch_normalization', momentum = 0.9 },
             { type = 'leaky_relu', negative_slope = 0.2 },
             { type = 'flatten' },
             { type = 'dense', units = 8 },
             { type = 'relu' },
             { type = 'dropout', rate = 0.5 },
             { type = 'dense', units = 3 },
         ]",
    )
    .expect("the network of the lessons is written rightly");
    Network::new(&spec)
}

/// Weights that no mistake hides behind: kernels as they are initially, all others off their beginning.
pub(super) fn weights(network: &Network, seed: u64) -> Parameters {
    let mut parameters = network.initial_parameters(seed);
    for (id, entry) in network.table().entries().iter().enumerate() {
        if entry.is_trainable() && !entry.name.ends_with("/kernel") {
            let mut stream = Stream::new(seed, Purpose::Gradcheck, 3, id as u64);
            parameters.tensor_mut(id).iter_mut().for_each(|value| *value += stream.uniform_f64(-0.3, 0.3) as f32);
        }
    }
    parameters
}
