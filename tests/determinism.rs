//! Same seed, same bits: for any number of threads, by every algorithm, fused or not, and in a batch as well
//! as in a smaller one.

mod common;

use common::assert_same_bits;
use common::networks::{way_name, ways_to_train};
use glassnet::classes::Label;
use glassnet::head::Targets;
use glassnet::kernels::conv::registry::ConvPolicy;
use glassnet::layers::sink::GradientWriter;
use glassnet::network::Network;
use glassnet::optim::{Optimizer, OptimizerSettings};
use glassnet::parameters::Parameters;
use glassnet::plan::{DropoutMasks, Mode, Plan, PlanOptions, predict};
use glassnet::random::{Purpose, Stream};
use glassnet::spec::ModelSpec;
use ndarray::{Array4, s};

/// The documented layers at 64×64: a convolution of two bands, a dense layer of three blocks, all kinds of
/// passes.
fn network() -> Network {
    Network::new(&ModelSpec::documented().with_image_size(64)).unwrap()
}

/// The kinds of layers that the documented network has not, on images of one channel that are not square.
fn other_layers() -> Network {
    let layers = "
        input = [37, 30, 1]
        layers = [
            { type = 'conv2d', filters = 24, kernel = 3, padding = 'same', dilation = 2 }, { type = 'batch_normalization' },
            { type = 'relu' }, { type = 'max_pool', window = 3, stride = 2, padding = 'same' },
            { type = 'depthwise_conv2d', kernel = 3, stride = [2, 1], depth_multiplier = 2 }, { type = 'leaky_relu' },
            { type = 'depthwise_conv2d', kernel = 3, padding = 'same' }, { type = 'batch_normalization' },
            { type = 'average_pool', window = 2 }, { type = 'global_average_pool' },
            { type = 'dense', units = 9 }, { type = 'batch_normalization' }, { type = 'relu' }, { type = 'dropout', rate = 0.3 },
            { type = 'dense', units = 1 },
        ]";
    Network::new(&toml::from_str(layers).unwrap()).unwrap()
}

fn images(network: &Network, count: usize) -> Array4<f32> {
    let mut stream = Stream::new(0, Purpose::Test, 0, 0);
    let [height, width, channels] = network.spec().input;
    Array4::from_shape_simple_fn((count, height, width, channels), || stream.unit_f32())
}

/// Weights, logits and gradients (0 where one is used up and not written) after two training steps of 20
/// images (more than there are slots for partial sums), in a pool of this many threads.
fn after_two_steps(network: &Network, threads: usize, options: PlanOptions) -> Vec<f32> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let images = images(network, 20);
        let labels: Vec<Label> = (0..20).map(|sample| Label::new(usize::from(sample % 3 == 0))).collect();
        let mut parameters = network.initial_parameters(1);
        let mut gradients = Parameters::zeros(network.table());
        let mut adam = Optimizer::new(network.table(), OptimizerSettings::default());
        let plan = Plan::new(network, 20, options);
        let mut workspace = plan.workspace();
        let mut grad_logits = vec![0.0; 20];
        let mut logits = Vec::new();
        for step in 0..2 {
            let mode = Mode::Training(DropoutMasks::Drawn { seed: 1, step });
            let answers = plan.forward(&parameters, images.view(), mode, &mut workspace).unwrap();
            network.head().gradient(answers, Targets::new(&labels), &mut grad_logits);
            logits = answers.values().to_vec();
            let mut update = adam.begin_step(&mut parameters, &mut gradients, options.fuse);
            plan.backward(images.view(), &grad_logits, &mut update, &mut workspace).unwrap();
            update.finish();
            plan.update_running(&mut parameters, &mut workspace).unwrap();
        }
        let grad_images = plan.input_gradient(&workspace).unwrap();
        [parameters.as_slice(), gradients.as_slice(), &logits, grad_images.as_slice().unwrap()].concat()
    })
}

#[test]
fn any_number_of_threads_gives_the_same_bits_by_every_algorithm_fused_or_not() {
    for network in [network(), other_layers()] {
        for options in ways_to_train() {
            let one = after_two_steps(&network, 1, options);
            assert!(one.iter().all(|value| value.is_finite()));
            for threads in [2, 3, 8] {
                let what = format!("{}, {threads} threads against one", way_name(&options));
                assert_same_bits(&what, &after_two_steps(&network, threads, options), &one);
            }
        }
    }
}

#[test]
fn a_batch_has_the_same_gradients_in_a_plan_for_one_image_more() {
    let small = Network::new(&ModelSpec::documented().with_image_size(24)).unwrap();
    for network in [small, other_layers()] {
        // Of 64 images each can have a slot for itself, and of 65 two share one: so fewer need more room.
        let (count, options) = (64, PlanOptions { training: true, ..PlanOptions::default() });
        let gradients = |most: usize| {
            let images = images(&network, count);
            let labels: Vec<Label> = (0..count).map(|sample| Label::new(usize::from(sample % 3 == 0))).collect();
            let parameters = network.initial_parameters(1);
            let mut gradients = Parameters::zeros(network.table());
            let plan = Plan::new(&network, most, options);
            let (mut workspace, mut grad_logits) = (plan.workspace(), vec![0.0; count]);
            let mode = Mode::Training(DropoutMasks::Drawn { seed: 1, step: 0 });
            let answers = plan.forward(&parameters, images.view(), mode, &mut workspace).unwrap();
            network.head().gradient(answers, Targets::new(&labels), &mut grad_logits);
            let mut writer = GradientWriter::new(&parameters, &mut gradients);
            plan.backward(images.view(), &grad_logits, &mut writer, &mut workspace).unwrap();
            gradients.as_slice().to_vec()
        };
        assert_same_bits("gradients", &gradients(count + 1), &gradients(count));
    }
}

#[test]
fn an_image_gets_the_same_answer_alone_and_in_any_batch_by_every_algorithm_fused_or_not() {
    for network in [network(), other_layers()] {
        answers_do_not_depend_on_the_batch(&network);
    }
}

fn answers_do_not_depend_on_the_batch(network: &Network) {
    let parameters = network.initial_parameters(2);
    let images = images(network, 5);
    for conv in ConvPolicy::ALL {
        for fuse in [true, false] {
            let options = PlanOptions { conv, fuse, ..PlanOptions::default() };
            let logits = |first: usize, count: usize| {
                let plan = Plan::new(network, count, options);
                let images = images.slice(s![first..first + count, .., .., ..]);
                plan.forward(&parameters, images, Mode::Inference, &mut plan.workspace()).unwrap().values().to_vec()
            };
            let together = logits(0, 5);
            for (image, together) in together.iter().enumerate() {
                let what = format!("{}, image {image}", way_name(&options));
                assert_same_bits(&what, &logits(image, 1), &[*together]);
            }
        }
    }
}

#[test]
fn predict_answers_what_a_plan_does() {
    let network = network();
    let parameters = network.initial_parameters(3);
    let images = images(&network, 2);
    let plan = Plan::new(&network, 2, PlanOptions::default());
    let mut workspace = plan.workspace();
    let logits = plan.forward(&parameters, images.view(), Mode::Inference, &mut workspace).unwrap();
    let probabilities: Vec<f32> = logits.rows().flat_map(|row| network.head().probabilities(row)).collect();
    assert_same_bits("predict", &predict(&network, &parameters, images.view()).unwrap(), &probabilities);
}
