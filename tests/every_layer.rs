//! Every kind of layer: the f32 engine against the textbook's f64, on networks drawn at random, in training
//! and in prediction; and batch normalizations folded into the weights before them predict what they did.

mod common;

use common::every_layer::{networks_of_every_layer, predicted, sensitivity};
use common::networks::{Batch, ways_to_train};
use common::steps::{SPARE_IMAGES, check_network_step};
use common::{assert_close, random_parameters};
use glassnet::layers::slots::MAX_SLOTS;
use glassnet::network::Network;
use glassnet::parameters::Parameters;
use glassnet::plan::{Mode, Plan, PlanOptions, predict};
use glassnet::reference as textbook;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

/// The error allowed, of each tensor's largest element: three times that of networks without normalizations,
/// which divide by a deviation and so multiply what rounding has left.
const TOLERANCE: f64 = 3e-5;
/// A network with a kink nearer than this is drawn again: f32 and f64 may rightly take different sides.
const SMALLEST_MARGIN: f64 = 2e-5;
/// A case that a change of its weights and pixels by 2.4e-7 moves by more than this share is drawn again:
/// sums that cancel, or a channel of hardly any variance, which its normalization divides by.
const LARGEST_SENSITIVITY: f64 = 2e-6;
/// So many draws for a network, none of which will do, mean that the textbook or the drawing is broken.
const MOST_ATTEMPTS: u64 = 50;

/// The same cases in every run; `PROPTEST_CASES=3000 cargo test` draws that many fresh ones instead.
fn config(cases: u32) -> Config {
    let config = Config { failure_persistence: None, ..Config::default() };
    match std::env::var("PROPTEST_CASES") {
        Ok(_) => config,
        Err(_) => Config { cases, rng_seed: RngSeed::Fixed(1), ..config },
    }
}

/// Weights and a batch for a network, with the textbook's step, that rounding does not decide; and how many
/// draws were none.
fn draw(network: &Network, count: usize, seed: u64) -> (usize, Parameters, Batch, textbook::Step) {
    (0..MOST_ATTEMPTS)
        .map(|attempt| {
            let seed = seed + (attempt << 32);
            let (parameters, batch) = (random_parameters(network, seed), Batch::draw(network, count, seed));
            let step = batch.textbook_step(network, &parameters);
            (attempt as usize, parameters, batch, step)
        })
        .find(|(_, parameters, batch, step)| {
            step.margin >= SMALLEST_MARGIN && sensitivity(network, parameters, batch, step) <= LARGEST_SENSITIVITY
        })
        .unwrap_or_else(|| panic!("rounding decides {MOST_ATTEMPTS} draws for {:?}", network.spec()))
}

/// Compares the logits of a prediction with the textbook's, in every way, and of the folded network too.
fn check_prediction(network: &Network, parameters: &Parameters, batch: &Batch) {
    let expected = predicted(network, parameters, batch);
    let folded = network.folded(parameters).unwrap();
    for options in ways_to_train() {
        for training in [true, false] {
            let options = PlanOptions { training, ..options };
            let logits = |network: &Network, parameters: &Parameters| {
                let plan = Plan::new(network, batch.labels.len(), options);
                let mut workspace = plan.workspace();
                plan.forward(parameters, batch.images(network), Mode::Inference, &mut workspace)
                    .unwrap()
                    .values()
                    .to_vec()
            };
            assert_close(&format!("{options:?}"), &logits(network, parameters), &expected, TOLERANCE);
            if let Some((network, parameters)) = &folded {
                assert_close(&format!("folded, {options:?}"), &logits(network, parameters), &expected, TOLERANCE);
            }
        }
    }
}

#[test]
fn networks_of_every_layer_agree_with_the_textbook_by_every_algorithm_fused_or_not() {
    let (cases, redrawn, seen) = (Cell::new(0), Cell::new(0), RefCell::new(BTreeSet::new()));
    let mut runner = TestRunner::new(config(200));
    runner
        .run(&(networks_of_every_layer(), 5..9usize, any::<u32>()), |(network, count, seed)| {
            let (attempts, parameters, batch, expected) = draw(&network, count, u64::from(seed));
            cases.set(cases.get() + 1);
            redrawn.set(redrawn.get() + attempts);
            for options in ways_to_train() {
                let plan = Plan::new(&network, count + SPARE_IMAGES, options);
                check_network_step(&plan, &parameters, &batch, &expected, TOLERANCE);
            }
            check_prediction(&network, &parameters, &batch);
            let kinds = network.layers().iter().map(|layer| layer.name.trim_end_matches(char::is_numeric).to_string());
            seen.borrow_mut().extend(kinds.map(|kind| kind.trim_end_matches('_').to_string()));
            Ok(())
        })
        .unwrap();
    println!("{} of {} cases drawn again", redrawn.get(), cases.get() + redrawn.get());
    assert!(redrawn.get() <= 2 * cases.get(), "{} draws for {} cases", redrawn.get(), cases.get());
    let all = "average_pooling batch_normalization conv dense depthwise_conv dropout flatten global_average_pooling leaky_re_lu \
               max_pooling re_lu";
    let seen = seen.into_inner();
    let seen: Vec<&str> = seen.iter().map(|kind| kind.trim_end_matches("2d").trim_end_matches('2')).collect();
    assert_eq!(seen.join(" "), all);
}

/// A network whose batch fills all slots, with some to spare, and whose sums are of several runs and pieces.
fn large() -> Network {
    let layers = "
        input = [21, 18, 3]
        layers = [
            { type = 'conv2d', filters = 40, kernel = 3, padding = 'same', dilation = 2, use_bias = false },
            { type = 'batch_normalization' }, { type = 'leaky_relu' },
            { type = 'depthwise_conv2d', kernel = [5, 3], stride = [1, 2], padding = 'same' }, { type = 'leaky_relu' },
            { type = 'batch_normalization' },
            { type = 'depthwise_conv2d', kernel = 3, dilation = [2, 1], depth_multiplier = 2, use_bias = false },
            { type = 'batch_normalization' },
            { type = 'leaky_relu' }, { type = 'average_pool', window = 3, stride = 2, padding = 'same' },
            { type = 'global_average_pool' }, { type = 'dense', units = 5 },
        ]";
    Network::new(&toml::from_str(layers).unwrap()).unwrap()
}

#[test]
fn a_batch_that_fills_all_slots_agrees_with_the_textbook() {
    let (network, count) = (large(), MAX_SLOTS + 3);
    // Leaky ReLUs that bend so little that no kink matters would test little; these keep their 0.3, and one
    // activation of half a million near 0 is within the tolerance.
    let (parameters, batch) = (random_parameters(&network, 5), Batch::draw(&network, count, 5));
    let expected = batch.textbook_step(&network, &parameters);
    for options in ways_to_train() {
        check_network_step(
            &Plan::new(&network, count + SPARE_IMAGES, options),
            &parameters,
            &batch,
            &expected,
            TOLERANCE,
        );
    }
    check_prediction(&network, &parameters, &batch);
}

#[test]
fn what_is_folded_is_gone_and_predict_folds_it() {
    let network = large();
    let parameters = random_parameters(&network, 6);
    let (folded, weights) = network.folded(&parameters).unwrap().unwrap();
    let names: Vec<&str> = folded.table().entries().iter().map(|entry| entry.name.as_str()).collect();
    // The second stands behind an activation, and stays.
    assert_eq!(names.iter().filter(|name| name.ends_with("gamma")).count(), 1, "{names:?}");
    // What took one in has a bias, whether it had one or not.
    let biases = |network: &Network| network.table().entries().iter().filter(|e| e.name.ends_with("bias")).count();
    assert_eq!((biases(&network), biases(&folded)), (2, 4), "{names:?}");
    assert!(folded.folded(&weights).unwrap().is_none());
    let batch = Batch::draw(&network, 3, 6);
    let plan = Plan::new(&folded, 3, PlanOptions::default());
    let mut workspace = plan.workspace();
    let logits = plan.forward(&weights, batch.images(&folded), Mode::Inference, &mut workspace).unwrap();
    let probabilities: Vec<f32> = logits.rows().flat_map(|row| folded.head().probabilities(row)).collect();
    assert_eq!(predict(&network, &parameters, batch.images(&network)).unwrap(), probabilities);
}
