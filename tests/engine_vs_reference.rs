//! The second link of the chain of trust: the f32 engine against the textbook's f64, forward and every
//! gradient, on geometries drawn at random, and on some that are large enough for every parallel and blocked
//! path. Outputs are filled with NaN before, a network's by a step on images of NaN, so that a value nobody
//! wrote fails.

mod common;

use common::networks::{Batch, label_networks, networks, padding, way_name, ways_to_train};
use common::steps::{SPARE_IMAGES, TOLERANCE, check_network_step};
use common::{as_images, assert_close, random_parameters, values, wide};
use glassnet::classes::Label;
use glassnet::geometry::{ConvGeometry, Padding, PoolGeometry, Sliding};
use glassnet::head::ClassWeights;
use glassnet::kernels::conv::registry::CONV_ALGORITHMS;
use glassnet::kernels::conv::{ConvAlgorithm, GradOutput, Pass, Scratch, Weights};
use glassnet::kernels::dense::BLOCK_ROWS;
use glassnet::kernels::pool;
use glassnet::kernels::simd::InstructionSet;
use glassnet::layers::LayerKind;
use glassnet::layers::sink::GradientWriter;
use glassnet::layers::slots::MAX_SLOTS;
use glassnet::network::Network;
use glassnet::optim::{AT_ONCE_FLOATS, AdamConstants, Optimizer, OptimizerSettings};
use glassnet::parameters::{Parameters, TensorEntry};
use glassnet::plan::{DropoutMasks, Mode, Plan, PlanOptions, Step};
use glassnet::reference as textbook;
use glassnet::spec::{LayerSpec, ModelSpec, Size};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

/// The error allowed in weights after some steps of Adam, which divides each gradient by its own size: a
/// gradient near 0 that is off by its rounding moves its weight by another share of the learning rate.
const STEPS_TOLERANCE: f64 = 1e-4;
/// A network with a kink nearer than this is drawn again: f32 and f64 may rightly take different sides.
const SMALLEST_MARGIN: f64 = 1e-4;
/// A batch whose samples' gradients cancel to less than this share, or whose logits are all near 0, is drawn
/// again: how little is left of f32's 24 bits is then not the engine's doing.
const SMALLEST_REST: f64 = 0.1;
/// So many draws for a network, none of which will do, mean that the textbook or the drawing is broken.
const MOST_ATTEMPTS: u64 = 50;

/// The same cases in every run, so that a failure is the code's doing. `PROPTEST_CASES=30000 cargo test`
/// draws that many fresh ones instead; about one in a thousand networks then sums products that cancel
/// *within* a sample, or has hidden units that are all nearly off, which [`SMALLEST_REST`] does not see, and
/// misses the tolerance, by some algorithms or by all.
fn config(cases: u32) -> Config {
    let config = Config { failure_persistence: None, ..Config::default() };
    match std::env::var("PROPTEST_CASES") {
        Ok(_) => config,
        Err(_) => Config { cases, rng_seed: RngSeed::Fixed(1), ..config },
    }
}

fn conv_geometries() -> impl Strategy<Value = ConvGeometry> {
    let input = (1..16usize, 1..16usize, 1..6usize);
    let kernel = (1..6usize, 1..6usize);
    let stride = (1..4usize, 1..4usize);
    let dilation = prop_oneof![3 => Just((1, 1)), 1 => (1..4usize, 1..4usize)];
    (input, kernel, stride, dilation, padding(), 1..20usize).prop_filter_map(
        "the kernel does not fit",
        |((height, width, channels), kernel, stride, dilation, padding, filters)| {
            let [size, stride, dilation] = [kernel, stride, dilation].map(|(down, across)| [down, across]);
            ConvGeometry::dilated([height, width, channels], Sliding { size, stride, dilation, padding }, filters).ok()
        },
    )
}

/// Compares all three passes of an algorithm with the textbook's on one image.
fn check_conv_passes(algorithm: &dyn ConvAlgorithm, geometry: &ConvGeometry, seed: u64) {
    let input = values(geometry.input_len(), seed, 0);
    let kernel = values(geometry.kernel_len(), seed, 1);
    let bias = values(geometry.filters, seed, 2);
    // A gradient with a mean of its own: sums over positions then stay far from cancelling.
    let grad_output: Vec<f32> = values(geometry.output_len(), seed, 3).iter().map(|g| g + 0.25).collect();

    let [height, width, channels] = geometry.input;
    let shape = textbook::ConvShape {
        kernel: geometry.kernel,
        stride: geometry.stride,
        dilation: geometry.dilation,
        padding: geometry.padding,
        output: geometry.output,
        filters: geometry.filters,
    };
    let image = textbook::Image { height, width, channels, values: wide(&input) };
    let upstream = textbook::Image {
        height: geometry.output[0],
        width: geometry.output[1],
        channels: geometry.filters,
        values: wide(&grad_output),
    };
    let expected = textbook::conv2d_forward(&image, &shape, &wide(&kernel), &wide(&bias));
    let mut expected_weights = textbook::LayerGradient { kernel: vec![1.0; kernel.len()], bias: vec![2.0; bias.len()] };
    let expected_input = textbook::conv2d_backward(&image, &shape, &wide(&kernel), &upstream, &mut expected_weights);

    let what = |pass: &str| format!("{} {pass} on {geometry:?}", algorithm.name());
    for pass in Pass::ALL.into_iter().filter(|&pass| algorithm.supports(geometry, pass)) {
        let len = algorithm.scratch_len(geometry, pass, None);
        let (mut floats, mut words) = (vec![f32::NAN; len.floats], vec![u64::MAX; len.words]);
        let mut packed = vec![f32::NAN; algorithm.packed_len(geometry, pass)];
        algorithm.pack(geometry, pass, &kernel, &mut packed);
        let weights = Weights { kernel: &kernel, packed: &packed, bias: &bias };
        let gradient = GradOutput::Dense(&grad_output);
        match pass {
            Pass::Forward => {
                // In ranges of rows, each as short as it may be, in an order of their own.
                let mut output = vec![f32::NAN; geometry.output_len()];
                let step = algorithm.row_step(geometry);
                let row_len = geometry.output[1] * geometry.filters;
                for (band, output) in output.chunks_mut(step * row_len).enumerate().rev() {
                    let rows = band * step..band * step + output.len() / row_len;
                    let scratch = Scratch { floats: &mut floats, words: &mut words };
                    algorithm.forward(geometry, &input, weights, rows, output, scratch);
                }
                assert_close(&what("forward"), &output, &expected.values, TOLERANCE);
                // What a position gets does not depend on the range.
                let mut whole = vec![f32::NAN; geometry.output_len()];
                let scratch = Scratch { floats: &mut floats, words: &mut words };
                algorithm.forward(geometry, &input, weights, 0..geometry.output[0], &mut whole, scratch);
                assert_eq!(whole, output, "{}", what("forward"));
            }
            Pass::GradInput => {
                let mut grad_input = vec![f32::NAN; input.len()];
                let scratch = Scratch { floats: &mut floats, words: &mut words };
                algorithm.grad_input(geometry, gradient, weights, &mut grad_input, scratch);
                assert_close(&what("grad_input"), &grad_input, &expected_input.values, TOLERANCE);
            }
            Pass::GradWeights => {
                // The gradient is added to what stands there: 1 and 2 here, as in the textbook's above.
                let (mut sums, mut grad_bias) = (vec![1.0; algorithm.sums_len(geometry)], vec![2.0; bias.len()]);
                let scratch = Scratch { floats: &mut floats, words: &mut words };
                algorithm.grad_weights(geometry, &input, gradient, &mut sums, &mut grad_bias, scratch);
                let mut grad_kernel = vec![f32::NAN; kernel.len()];
                algorithm.unpack_sums(geometry, &sums, 0, &mut grad_kernel);
                assert_close(&what("grad_kernel"), &grad_kernel, &expected_weights.kernel, TOLERANCE);
                assert_close(&what("grad_bias"), &grad_bias, &expected_weights.bias, TOLERANCE);
            }
        }
    }
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn every_convolution_algorithm_agrees_with_the_textbook(geometry in conv_geometries(), seed: u64) {
        for algorithm in CONV_ALGORITHMS.iter() {
            check_conv_passes(*algorithm, &geometry, seed);
        }
    }

    #[test]
    fn max_pooling_agrees_with_the_textbook(
        (height, width, channels) in (1..14usize, 1..14usize, 1..20usize),
        window in [1..5usize, 1..5usize],
        stride in [1..5usize, 1..5usize],
        padding in padding(),
        seed: u64,
    ) {
        let Ok(geometry) = PoolGeometry::new([height, width, channels], window, stride, padding) else { return Ok(()) };
        // A few levels only, so that ties happen and the first maximum matters.
        let input: Vec<f32> = values(geometry.input_len(), seed, 0).iter().map(|x| (x * 6.0).round()).collect();
        let grad_output = values(geometry.output_len(), seed, 1);
        let image = textbook::Image { height, width, channels, values: wide(&input) };
        let PoolGeometry { padding, output, .. } = geometry;
        let shape = textbook::PoolShape { window, stride, padding, output };
        let upstream = textbook::Image {
            height: geometry.output[0], width: geometry.output[1], channels, values: wide(&grad_output),
        };

        let (mut output, mut argmax) = (vec![f32::NAN; geometry.output_len()], vec![u16::MAX; geometry.output_len()]);
        pool::forward(&geometry, &input, &mut output, &mut argmax);
        prop_assert_eq!(wide(&output), textbook::max_pool_forward(&image, &shape).values);
        let mut grad_input = vec![f32::NAN; input.len()];
        pool::backward(&geometry, &grad_output, &argmax, &mut grad_input);
        let expected = textbook::max_pool_backward(&image, &shape, &upstream);
        assert_close("grad_input", &grad_input, &expected.values, TOLERANCE);
    }
}

#[test]
fn the_documented_convolutions_agree_with_the_textbook_at_full_size() {
    for (input, filters) in [([128, 128, 3], 32), ([63, 63, 32], 64), ([30, 30, 64], 128)] {
        let geometry = ConvGeometry::new(input, [3, 3], [1, 1], Padding::Valid, filters).unwrap();
        for algorithm in CONV_ALGORITHMS.iter() {
            check_conv_passes(*algorithm, &geometry, 5);
        }
    }
}

#[test]
fn convolutions_of_several_bands_agree_with_the_textbook_with_strides_and_padding() {
    for (input, kernel, stride, padding, filters) in [
        // Bands of 10, 10, 10 and 1 rows of 25 positions
        ([61, 50, 24], [5, 4], [2, 2], Padding::Same, 9),
        // The same without padding: bands of 11, 11 and 7 rows of 24
        ([61, 50, 24], [5, 4], [2, 2], Padding::Valid, 9),
        // Bands of 5 rows of 33, whose patches share 5 of 7 rows of the image
        ([40, 33, 16], [7, 7], [2, 1], Padding::Same, 7),
        // A row alone is more than a band is meant to hold
        ([9, 200, 32], [5, 5], [1, 1], Padding::Same, 5),
    ] {
        let geometry = ConvGeometry::new(input, kernel, stride, padding, filters).unwrap();
        let patches = geometry.output[0] * geometry.output[1] * geometry.patch_len();
        let band = CONV_ALGORITHMS[0].scratch_len(&geometry, Pass::Forward, None).floats;
        assert!(2 * band < patches, "{geometry:?} has too few bands to test them");
        for algorithm in CONV_ALGORITHMS.iter() {
            check_conv_passes(*algorithm, &geometry, 6);
        }
    }
}

/// Compares a training step with the textbook's in every way to train, and notes in `seen` what ran.
fn check_every_way(
    network: &Network,
    parameters: &Parameters,
    batch: &Batch,
    expected: &textbook::Step,
    seen: &mut BTreeSet<String>,
) {
    for options in ways_to_train() {
        // A plan for more images than the batch has: the rest of the workspace must not matter.
        let plan = Plan::new(network, batch.labels.len() + SPARE_IMAGES, options);
        check_network_step(&plan, parameters, batch, expected, TOLERANCE);
        seen.extend(plan.steps().iter().flat_map(|step| describe(&plan, step)));
    }
}

/// What a step of a plan runs: an algorithm for each pass of a convolution, and which layers run together.
fn describe(plan: &Plan, step: &Step) -> Vec<String> {
    let Some(conv) = step.conv() else {
        let pool = matches!(step.operation, LayerKind::MaxPool(_));
        return if pool && plan.options().fuse { vec!["a pool that cannot be fused".into()] } else { vec![] };
    };
    let choice = plan.options().conv;
    let passes = Pass::ALL.map(|pass| format!("{choice}: {} {}", conv.algorithms.of(pass).name(), pass.name()));
    let mut seen = Vec::from(passes);
    if plan.options().fuse {
        let followers = [("ReLU", conv.relu), ("pool", conv.pool.is_some())];
        let followers = followers.iter().filter(|(_, there)| *there).map(|(name, _)| format!(" + {name}"));
        seen.push(format!("convolution{}", followers.collect::<String>()));
    }
    seen
}

/// All that drawn networks have to make the engine run, in the words of [`describe`].
const ALL_THAT_RUNS: [&str; 28] = [
    "a pool that cannot be fused",
    "auto: direct forward",
    "auto: direct grad_input",
    "auto: direct grad_weights",
    "auto: sparse grad_input",
    "auto: sparse grad_weights",
    "auto: winograd2x2 forward",
    "auto: winograd2x2 grad_input",
    "auto: winograd2x4 forward",
    "auto: winograd2x4 grad_input",
    "auto: winograd5x5 forward",
    "auto: winograd5x5 grad_input",
    "convolution",
    "convolution + ReLU",
    "convolution + ReLU + pool",
    "convolution + pool",
    "direct: direct forward",
    "direct: direct grad_input",
    "direct: direct grad_weights",
    "im2col: im2col forward",
    "im2col: im2col grad_input",
    "im2col: im2col grad_weights",
    "winograd2x2: winograd2x2 forward",
    "winograd2x2: winograd2x2 grad_input",
    "winograd: winograd forward",
    "winograd: winograd grad_input",
    "winograd: winograd5x5 forward",
    "winograd: winograd5x5 grad_input",
];

#[test]
fn whole_networks_agree_with_the_textbook_by_every_algorithm_fused_or_not() {
    let (cases, redrawn, seen) = (Cell::new(0), Cell::new(0), RefCell::default());
    for (networks, count) in [(networks().boxed(), 300), (label_networks().boxed(), 60)] {
        let mut runner = TestRunner::new(config(count));
        let outcome = runner.run(&(networks, 1..5usize, any::<u32>()), |(network, count, seed)| {
            cases.set(cases.get() + 1);
            let case = (0..MOST_ATTEMPTS).map(|attempt| {
                let seed = u64::from(seed) + (attempt << 32);
                let (parameters, batch) = (random_parameters(&network, seed), Batch::draw(&network, count, seed));
                let expected = batch.textbook_step(&network, &parameters);
                (parameters, batch, expected)
            });
            let (attempt, (parameters, batch, expected)) = case
                .enumerate()
                .find(|(_, (parameters, batch, expected))| {
                    expected.margin >= SMALLEST_MARGIN && batch.rest(&network, parameters, expected) >= SMALLEST_REST
                })
                .unwrap_or_else(|| {
                    panic!("a kink too near or sums that cancel in {MOST_ATTEMPTS} draws for {network:?}")
                });
            redrawn.set(redrawn.get() + attempt);
            check_every_way(&network, &parameters, &batch, &expected, &mut seen.borrow_mut());
            Ok(())
        });
        outcome.unwrap();
    }
    let (cases, redrawn) = (cases.get(), redrawn.get());
    println!("{redrawn} of {} cases drawn again", cases + redrawn);
    assert!(redrawn * 5 <= cases + redrawn, "{redrawn} of {} cases had a kink too near or cancelled", cases + redrawn);
    let seen = seen.into_inner();
    let missing: Vec<_> = ALL_THAT_RUNS.into_iter().filter(|&what| !seen.contains(what)).collect();
    assert!(missing.is_empty(), "no network was drawn that has {missing:?}");
}

#[test]
fn the_instruction_set_that_the_environment_names_is_in_force() {
    let named = InstructionSet::from_environment().unwrap_or_else(|sentence| panic!("{sentence}"));
    println!("{}", named.name());
    assert_eq!(InstructionSet::in_force(), named);
}

#[test]
fn networks_that_fill_several_of_every_block_agree_with_the_textbook() {
    // No ReLU and no pool, so there is no kink in a million activations to stay away from. The convolution's
    // kernel of more than 4,096 is added up over the slots in two pieces. The second is one for Winograd,
    // with two groups of tiles.
    let side = 40;
    for (kernel, channels, filters) in [(7, 6, 16), (3, 20, 24)] {
        let layers = vec![
            LayerSpec::Conv2d {
                filters,
                kernel: Size::Square(kernel),
                stride: Size::Square(1),
                padding: Padding::Same,
                dilation: Size::Square(1),
                use_bias: true,
            },
            LayerSpec::Flatten {},
            LayerSpec::Dense { units: 3, use_bias: true },
            LayerSpec::Dense { units: 1, use_bias: true },
        ];
        let network = Network::new(&ModelSpec::new([side, side, channels], layers)).unwrap();
        let count = MAX_SLOTS + 3;
        let inputs = side * side * filters;
        let blocks_fit = inputs.is_multiple_of(BLOCK_ROWS);
        assert!(inputs > 2 * BLOCK_ROWS && !blocks_fit, "the last of several blocks is a short one");
        let geometry = ConvGeometry::new([side, side, channels], [kernel; 2], [1, 1], Padding::Same, filters).unwrap();
        let band = CONV_ALGORITHMS[0].scratch_len(&geometry, Pass::Forward, None).floats;
        assert!(2 * band < side * side * geometry.patch_len(), "the patches take several bands");

        let parameters = random_parameters(&network, 4);
        let mut batch = Batch::draw(&network, count, 4);
        // Nearly all of one class, so that the samples' gradients have one sign and do not cancel.
        batch.labels = (0..count).map(|sample| Label::new(usize::from(sample != 7))).collect();
        let expected = batch.textbook_step(&network, &parameters);
        assert!(batch.rest(&network, &parameters, &expected) >= SMALLEST_REST);
        check_every_way(&network, &parameters, &batch, &expected, &mut BTreeSet::new());
    }
}

#[test]
fn adam_agrees_with_the_textbook_over_many_steps_with_and_without_weight_decay() {
    let network = Network::new(&ModelSpec::documented().with_image_size(32)).unwrap();
    for weight_decay in [0.0, 0.004, 5.0] {
        let mut weights = random_parameters(&network, 3);
        let settings = OptimizerSettings { weight_decay, ..OptimizerSettings::default() };
        let mut adam = Optimizer::new(network.table(), settings);
        let textbook_adam =
            textbook::Adam { learning_rate: 1e-3, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7, weight_decay };
        let mut expected = wide(weights.as_slice());
        let (mut m, mut v) = (vec![0.0; expected.len()], vec![0.0; expected.len()]);
        for t in 1..=20 {
            let mut gradients = Parameters::zeros(network.table());
            for id in 0..network.table().entries().len() {
                let tensor = gradients.tensor_mut(id);
                tensor.copy_from_slice(&values(tensor.len(), t as u64, id as u64));
            }
            adam.step(&mut weights, &mut gradients);
            textbook_adam.update(t, &mut expected, &wide(gradients.as_slice()), &mut m, &mut v);
            for entry in network.table().entries() {
                let range = entry.range.clone();
                let what = format!("{} with decay {weight_decay}", entry.name);
                assert_close(&what, &weights.as_slice()[range.clone()], &expected[range], TOLERANCE);
            }
        }
    }
}

#[test]
fn whole_steps_with_class_weights_and_weight_decay_end_at_the_textbooks_weights_fused_or_not() {
    // Large enough that the first dense layer's gradient is applied as it comes.
    let layers = vec![
        LayerSpec::Conv2d {
            filters: 8,
            kernel: Size::Square(3),
            stride: Size::Square(1),
            padding: Padding::Same,
            dilation: Size::Square(1),
            use_bias: true,
        },
        LayerSpec::Flatten {},
        LayerSpec::Dense { units: 40, use_bias: true },
        LayerSpec::Dense { units: 1, use_bias: true },
    ];
    let network = Network::new(&ModelSpec::new([16, 16, 2], layers)).unwrap();
    let large = |entry: &TensorEntry| entry.name.starts_with("dense") && entry.range.len() >= AT_ONCE_FLOATS;
    assert!(network.table().entries().iter().any(large), "a tensor is moved while the backward pass runs");
    let (settings, steps) =
        (OptimizerSettings { learning_rate: 0.01, weight_decay: 2.0, ..OptimizerSettings::default() }, 3);
    let OptimizerSettings { learning_rate, weight_decay, .. } = settings;
    let AdamConstants { beta_1, beta_2, epsilon } = AdamConstants::default();
    let textbook_adam = textbook::Adam { learning_rate, beta_1, beta_2, epsilon, weight_decay };
    let batch = Batch { class_weights: ClassWeights::new([2.5, 0.5]), ..Batch::draw(&network, 5, 8) };
    let start = random_parameters(&network, 8);

    // The reference's own loop: its weights, its gradients, its optimizer.
    let mut expected = network.twin(&start);
    let mut moments: Vec<[Vec<f64>; 4]> = Vec::new();
    for t in 1..=steps {
        let images = as_images(&batch.images, network.spec().input);
        let (labels, weights) = (batch.indices(), batch.class_weights.as_slice());
        let step = textbook::weighted_step(&expected, &images, &labels, weights, batch.smoothing, &vec![vec![]; 5]);
        moments.resize_with(expected.len(), Default::default);
        for ((layer, gradient), moments) in expected.iter_mut().zip(&step.gradients).zip(&mut moments) {
            let (textbook::Layer::Conv2d { kernel, bias, .. } | textbook::Layer::Dense { kernel, bias }) = layer else {
                continue;
            };
            let [kernel_m, kernel_v, bias_m, bias_v] = moments;
            for (moment, len) in [(&mut *kernel_m, kernel.len()), (&mut *kernel_v, kernel.len())] {
                moment.resize(len, 0.0);
            }
            for (moment, len) in [(&mut *bias_m, bias.len()), (&mut *bias_v, bias.len())] {
                moment.resize(len, 0.0);
            }
            textbook_adam.update(t, kernel, &gradient.kernel, kernel_m, kernel_v);
            textbook_adam.update(t, bias, &gradient.bias, bias_m, bias_v);
        }
    }

    for options in ways_to_train() {
        let plan = Plan::new(&network, 5, options);
        let (mut workspace, mut adam) = (plan.workspace(), Optimizer::new(network.table(), settings));
        let (mut parameters, mut gradients) = (start.clone(), Parameters::zeros(network.table()));
        let (images, mut grad_logits) = (batch.images(&network), [f32::NAN; 5]);
        for _ in 0..steps {
            let mode = Mode::Training(DropoutMasks::Given(&[]));
            let logits = plan.forward(&parameters, images, mode, &mut workspace).unwrap();
            network.head().gradient(logits, batch.targets(), &mut grad_logits);
            let mut update = adam.begin_step(&mut parameters, &mut gradients, options.fuse);
            plan.backward(images, &grad_logits, &mut update, &mut workspace).unwrap();
            update.finish();
        }
        for (layer, expected) in network.layers().iter().zip(&expected) {
            let (textbook::Layer::Conv2d { kernel, bias, .. } | textbook::Layer::Dense { kernel, bias }) = expected
            else {
                continue;
            };
            for (id, expected) in layer.tensors.clone().zip([kernel, bias]) {
                let what = format!("{}, {}", way_name(&options), network.table().entries()[id].name);
                assert_close(&what, parameters.tensor(id), expected, STEPS_TOLERANCE);
            }
        }
    }
}

#[test]
fn the_images_gradient_is_refused_until_the_batch_has_gone_backward() {
    let network = Network::new(&ModelSpec::documented().with_image_size(32)).unwrap();
    let parameters = random_parameters(&network, 1);
    let batch = Batch::draw(&network, 2, 1);
    let options = PlanOptions { training: true, input_gradient: true, ..PlanOptions::default() };
    let plan = Plan::new(&network, 2, options);
    let mut workspace = plan.workspace();
    let mut gradients = Parameters::zeros(network.table());
    for step in 0..2 {
        let mode = Mode::Training(DropoutMasks::Drawn { seed: 0, step });
        plan.forward(&parameters, batch.images(&network), mode, &mut workspace).unwrap();
        assert!(plan.input_gradient(&workspace).is_err(), "step {step}, forward only");
        let mut writer = GradientWriter::new(&parameters, &mut gradients);
        plan.backward(batch.images(&network), &[0.5, -0.5], &mut writer, &mut workspace).unwrap();
        assert!(plan.input_gradient(&workspace).is_ok(), "step {step}");
    }
}
