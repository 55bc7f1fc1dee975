//! Fused or layer by layer, the same bits: losses, logits, every gradient, and the weights after some steps
//! of Adam, whether they are taken behind the backward pass or within it. And a gradient that comes back
//! through a max-pool gives the same bits as the same one written out.

mod common;

use common::networks::{Batch, networks, padding};
use common::{assert_same_bits, random_parameters, values};
use glassnet::geometry::{ConvGeometry, Padding, PoolGeometry};
use glassnet::head::Targets;
use glassnet::kernels::conv::registry::{CONV_ALGORITHMS, ConvPolicy};
use glassnet::kernels::conv::{ConvAlgorithm, GradOutput, Pass, Scratch, Weights};
use glassnet::kernels::relu_pool;
use glassnet::kernels::relu_pool::{DEAD, PooledGradient};
use glassnet::layers::sink::GradientWriter;
use glassnet::network::Network;
use glassnet::optim::{self, Optimizer, OptimizerSettings};
use glassnet::parameters::{Parameters, TensorEntry, TensorId};
use glassnet::plan::{DropoutMasks, Mode, Plan, PlanOptions};
use glassnet::random::{Purpose, Stream};
use glassnet::spec::{LayerSpec, ModelSpec};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

/// Training steps: enough that moments and weights of one enter into the next.
const STEPS: usize = 3;

/// The same cases in every run; `PROPTEST_CASES=3000 cargo test` draws that many fresh ones instead.
fn config(cases: u32) -> Config {
    let config = Config { failure_persistence: None, ..Config::default() };
    match std::env::var("PROPTEST_CASES") {
        Ok(_) => config,
        Err(_) => Config { cases, rng_seed: RngSeed::Fixed(1), ..config },
    }
}

/// How a training step takes Adam's.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Steps {
    /// `Plan::backward` into a writer, then `Adam::step`.
    Behind,
    /// `Plan::backward` into a pending step.
    Within,
}

/// All that some steps of training leave, named.
struct Trained(Vec<(String, Vec<f32>)>);

impl Trained {
    fn new(network: &Network, parameters: &Parameters, batch: &Batch, options: PlanOptions, steps: Steps) -> Trained {
        let mut parameters = parameters.clone();
        let (images, masks) = (batch.images(network), batch.masks());
        let plan = Plan::new(network, batch.labels.len(), options);
        let mut workspace = plan.workspace();
        let mut adam = Optimizer::new(network.table(), OptimizerSettings::default());
        let mut gradients = Parameters::zeros(network.table());
        let mut grad_logits = vec![f32::NAN; batch.labels.len() * network.head().units()];
        let mut left = Vec::new();
        for step in 0..STEPS {
            let mut keep = |what: &str, values: &[f32]| left.push((format!("{what} of step {step}"), values.to_vec()));
            let inference = plan.forward(&parameters, images, Mode::Inference, &mut workspace).unwrap();
            keep("the logits without dropout", inference.values());
            let mode = Mode::Training(DropoutMasks::Given(&masks));
            let logits = plan.forward(&parameters, images, mode, &mut workspace).unwrap();
            keep("the logits", logits.values());
            network.head().gradient(logits, Targets::new(&batch.labels), &mut grad_logits);

            gradients.as_mut_slice().fill(f32::NAN);
            let mut writer = GradientWriter::new(&parameters, &mut gradients);
            plan.backward(images, &grad_logits, &mut writer, &mut workspace).unwrap();
            for (id, entry) in network.table().entries().iter().enumerate() {
                keep(&format!("{}'s gradient", entry.name), gradients.tensor(id));
            }
            if options.input_gradient {
                keep("the images' gradient", plan.input_gradient(&workspace).unwrap().as_slice().unwrap());
            }
            match steps {
                Steps::Behind => adam.step(&mut parameters, &mut gradients),
                Steps::Within => {
                    let expected = gradients.clone();
                    gradients.as_mut_slice().fill(f32::NAN);
                    let mut update = adam.begin_step(&mut parameters, &mut gradients, options.fuse);
                    plan.backward(images, &grad_logits, &mut update, &mut workspace).unwrap();
                    update.finish();
                    check_written(network, &options, &gradients, &expected);
                    if options.input_gradient {
                        let gradient = plan.input_gradient(&workspace).unwrap();
                        keep("the images' gradient", gradient.as_slice().unwrap());
                        // The other kind of step has it once.
                        let again = left.pop().unwrap();
                        assert_same_bits(&again.0, &again.1, &left[left.len() - 1].1);
                    }
                }
            }
            assert_eq!(adam.steps(), step as u64 + 1);
            let tensors = network.table().entries().iter().enumerate();
            left.extend(
                tensors.map(|(id, entry)| (format!("{} after {step}", entry.name), parameters.tensor(id).into())),
            );
        }
        Trained(left)
    }

    fn assert_same_bits(&self, other: &Trained, what: &str) {
        assert_eq!(self.0.len(), other.0.len());
        for ((name, values), (_, expected)) in self.0.iter().zip(&other.0) {
            assert_same_bits(&format!("{what}: {name}"), values, expected);
        }
    }
}

/// The tensors that a step moves while the backward pass runs: large dense kernels.
fn moved_at_once(network: &Network) -> Vec<TensorId> {
    let tensors = network.table().entries().iter().enumerate();
    let large_dense =
        |entry: &TensorEntry| entry.name.starts_with("dense") && entry.range.len() >= optim::AT_ONCE_FLOATS;
    tensors.filter(|(_, entry)| large_dense(entry)).map(|(id, _)| id).collect()
}

/// A step within the backward pass writes the gradients that a backward pass alone writes, but for those that
/// it has applied where they arose: their places hold what they held, which was NaN.
fn check_written(network: &Network, options: &PlanOptions, gradients: &Parameters, expected: &Parameters) {
    let applied = moved_at_once(network);
    for (id, entry) in network.table().entries().iter().enumerate() {
        if options.fuse && applied.contains(&id) {
            assert!(gradients.tensor(id).iter().all(|g| g.is_nan()), "{} has been written to", entry.name);
        } else {
            assert_same_bits(&entry.name, gradients.tensor(id), expected.tensor(id));
        }
    }
}

/// For every choice of algorithms: layer by layer with Adam's steps behind the backward pass, against the
/// other ways.
fn check_every_choice(network: &Network, batch: &Batch, seed: u64, input_gradient: bool) {
    let parameters = random_parameters(network, seed);
    for conv in ConvPolicy::ALL {
        let train = |fuse: bool, steps: Steps| {
            let options = PlanOptions { conv, fuse, training: true, input_gradient };
            Trained::new(network, &parameters, batch, options, steps)
        };
        let singly = train(false, Steps::Behind);
        for (fuse, steps) in [(false, Steps::Within), (true, Steps::Behind), (true, Steps::Within)] {
            let what = format!("{conv}, fused {fuse}, steps {steps:?}, of {:?}", network.spec());
            train(fuse, steps).assert_same_bits(&singly, &what);
        }
    }
}

proptest! {
    #![proptest_config(config(100))]

    #[test]
    fn fused_networks_train_to_the_same_bits_as_their_layers_singly(
        network in networks(),
        count in 1..5usize,
        seed in any::<u32>().prop_map(u64::from),
        input_gradient: bool,
    ) {
        check_every_choice(&network, &Batch::draw(&network, count, seed), seed, input_gradient);
    }
}

#[test]
fn the_documented_network_trains_to_the_same_bits_fused_and_layer_by_layer() {
    // At 64×64 the first block has several bands, and 20 images are more than there are slots for partial
    // sums.
    let network = Network::new(&ModelSpec::documented().with_image_size(64)).unwrap();
    assert!(!moved_at_once(&network).is_empty(), "no gradient is applied at once");
    let batch = Batch::draw(&network, 20, 1);
    check_every_choice(&network, &batch, 1, false);
}

#[test]
fn large_dense_layers_train_to_the_same_bits_with_adams_step_within_and_behind() {
    // Two layers of more than 64Ki weights behind each other, with neither inputs nor units a multiple of any
    // block, and more samples than a kernel takes at once; before them nothing, and behind them a small one.
    let layers = vec![
        LayerSpec::Flatten {},
        LayerSpec::Dense { units: 93, use_bias: true },
        LayerSpec::Relu {},
        LayerSpec::Dense { units: 707, use_bias: true },
        LayerSpec::Dropout { rate: 0.25 },
        LayerSpec::Dense { units: 1, use_bias: true },
    ];
    let network = Network::new(&ModelSpec::new([17, 15, 3], layers)).unwrap();
    assert_eq!(
        moved_at_once(&network).len(),
        2,
        "both large layers' gradients are applied at once, the small one's is not"
    );
    for input_gradient in [false, true] {
        check_every_choice(&network, &Batch::draw(&network, 70, 2), 2, input_gradient);
    }
}

/// Convolutions with a max-pool behind them whose windows lie side by side.
fn pooled_convolutions() -> impl Strategy<Value = (ConvGeometry, PoolGeometry)> {
    let input = (1..16usize, 1..16usize, 1..6usize);
    (input, [1..5usize, 1..5usize], [1..4usize, 1..4usize], padding(), 1..20usize, [1..5usize, 1..5usize])
        .prop_filter_map(
            "the kernel or the window does not fit",
            |((height, width, channels), kernel, stride, padding, filters, window)| {
                let conv = ConvGeometry::new([height, width, channels], kernel, stride, padding, filters).ok()?;
                let pool = PoolGeometry::new([conv.output[0], conv.output[1], filters], window, window, Padding::Valid)
                    .ok()?;
                Some((conv, pool))
            },
        )
}

/// What a gradient's pass of an algorithm makes of a gradient: the input's, or the kernel's sums and the
/// bias's.
fn gradients(
    algorithm: &dyn ConvAlgorithm,
    pass: Pass,
    conv: &ConvGeometry,
    pool: &PoolGeometry,
    grad_output: GradOutput,
    seed: u64,
) -> Vec<f32> {
    let (input, kernel) = (values(conv.input_len(), seed, 0), values(conv.kernel_len(), seed, 1));
    let len = algorithm.scratch_len(conv, pass, Some(pool));
    let (mut floats, mut words) = (vec![f32::NAN; len.floats], vec![u64::MAX; len.words]);
    let memory = Scratch { floats: &mut floats, words: &mut words };
    if pass == Pass::GradInput {
        let mut packed = vec![f32::NAN; algorithm.packed_len(conv, pass)];
        algorithm.pack(conv, pass, &kernel, &mut packed);
        let weights = Weights { kernel: &kernel, packed: &packed, bias: &[] };
        let mut grad_input = vec![f32::NAN; conv.input_len()];
        algorithm.grad_input(conv, grad_output, weights, &mut grad_input, memory);
        return grad_input;
    }
    let (mut sums, mut bias) = (vec![0.0; algorithm.sums_len(conv)], vec![0.0; conv.filters]);
    algorithm.grad_weights(conv, &input, grad_output, &mut sums, &mut bias, memory);
    [sums, bias].concat()
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn a_pooled_gradient_gives_the_same_bits_as_the_same_one_written_out(
        (conv, pool) in pooled_convolutions(),
        seed: u64,
    ) {
        let upstream = values(pool.output_len(), seed, 2);
        let mut stream = Stream::new(seed, Purpose::Test, 1, 0);
        let cells = pool.window[0] * pool.window[1];
        // One in four windows is dead.
        let mut place = || if stream.below(4) == 0 { DEAD } else { stream.below(cells as u32) as u8 };
        let argmax: Vec<u8> = (0..pool.output_len()).map(|_| place()).collect();
        let pooled = PooledGradient { pool, values: &upstream, argmax: &argmax };
        let mut expanded = vec![f32::NAN; conv.output_len()];
        relu_pool::unpool(&pooled, &mut expanded);
        let mut compared = 0;
        for algorithm in CONV_ALGORITHMS {
            for pass in [Pass::GradInput, Pass::GradWeights] {
                if !algorithm.takes_pooled(pass) || !algorithm.supports(&conv, pass) {
                    continue;
                }
                let from_pooled = gradients(*algorithm, pass, &conv, &pool, GradOutput::Pooled(pooled), seed);
                let from_dense = gradients(*algorithm, pass, &conv, &pool, GradOutput::Dense(&expanded), seed);
                let what = format!("{} {}, {conv:?}, {pool:?}", algorithm.name(), pass.name());
                assert_same_bits(&what, &from_pooled, &from_dense);
                compared += 1;
            }
        }
        prop_assert!(compared >= 3);
    }
}
