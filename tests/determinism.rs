//! Same seed, same bits: for any number of threads, and in a batch as well as in a smaller one.

use glassnet::layers::dropout::DropoutMasks;
use glassnet::loss::binary_cross_entropy_gradient;
use glassnet::network::Network;
use glassnet::optim::{Adam, AdamSettings};
use glassnet::parameters::Parameters;
use glassnet::plan::{Mode, Plan, PlanOptions, predict};
use glassnet::random::{Purpose, Stream};
use glassnet::spec::ModelSpec;
use ndarray::{Array4, s};

/// The documented layers at 64×64: a convolution of two bands, a dense layer of three blocks, all kinds of passes.
fn network() -> Network {
    Network::new(&ModelSpec::documented().with_image_size(64)).unwrap()
}

fn images(count: usize) -> Array4<f32> {
    let mut stream = Stream::new(0, Purpose::Test, 0, 0);
    Array4::from_shape_simple_fn((count, 64, 64, 3), || stream.unit_f32())
}

/// The bits of weights, gradients and logits after three training steps of 20 images (more than there are slots for
/// partial sums), in a pool of this many threads.
fn bits_after_three_steps(threads: usize) -> Vec<u32> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let network = network();
        let images = images(20);
        let labels: Vec<f32> = (0..20).map(|sample| f32::from(sample % 3 == 0)).collect();
        let mut parameters = network.initial_parameters(1);
        let mut gradients = Parameters::zeros(network.table());
        let mut adam = Adam::new(network.table(), AdamSettings::default());
        let plan = Plan::new(&network, 20, PlanOptions { training: true, ..PlanOptions::default() });
        let mut workspace = plan.workspace();
        let mut grad_logits = vec![0.0; 20];
        let mut logits = Vec::new();
        for step in 0..3 {
            let mode = Mode::Training(DropoutMasks::Drawn { seed: 1, step });
            logits = plan.forward(&parameters, images.view(), mode, &mut workspace).unwrap().to_vec();
            binary_cross_entropy_gradient(&logits, &labels, &mut grad_logits);
            plan.backward(&parameters, images.view(), &grad_logits, &mut gradients, &mut workspace).unwrap();
            adam.step(&mut parameters, &gradients);
        }
        [parameters.as_slice(), gradients.as_slice(), &logits].concat().iter().map(|value| value.to_bits()).collect()
    })
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let one = bits_after_three_steps(1);
    for threads in [2, 3, 8] {
        assert!(one == bits_after_three_steps(threads), "{threads} threads give other bits than one");
    }
}

#[test]
fn an_image_gets_the_same_answer_alone_and_in_any_batch() {
    let network = network();
    let parameters = network.initial_parameters(2);
    let images = images(5);
    let together = predict(&network, &parameters, images.view()).unwrap();
    for (sample, together) in together.iter().enumerate() {
        let alone = predict(&network, &parameters, images.slice(s![sample..sample + 1, .., .., ..])).unwrap();
        assert_eq!(together.to_bits(), alone[0].to_bits(), "image {sample}");
    }
}
