//! The page of `explain`, of networks drawn at random: every number that stands on it is computed anew, from
//! the snapshot alone and by code of its own; and what the bundle holds is what the snapshot does.

#[path = "../common/mod.rs"]
mod common;
mod page;
mod recount;

use common::every_layer::networks_of_every_layer;
use common::networks::{Batch, networks};
use common::random_parameters;
use glassnet::explain::{Bundle, BundleOptions, Cell, Focus, Moment, Weight};
use glassnet::geometry::Shape;
use glassnet::layers::LayerKind;
use glassnet::network::Network;
use glassnet::optim::{AdamConstants, Clipping, Optimizer, OptimizerSettings, Rule};
use glassnet::plan::{DropoutMasks, Plan, PlanOptions};
use glassnet::report::explanation::{ExplanationPage, explanation_page};
use glassnet::snapshot::{Snapshot, StepBatch};
use page::numbers;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use recount::Recount;

/// The same cases in every run; `PROPTEST_CASES=3000 cargo test` draws that many fresh ones instead.
fn config(cases: u32) -> Config {
    let config = Config { failure_persistence: None, ..Config::default() };
    match std::env::var("PROPTEST_CASES") {
        Ok(_) => config,
        Err(_) => Config { cases, rng_seed: RngSeed::Fixed(1), ..config },
    }
}

/// An optimizer of each kind, clipped or not.
fn optimizer(seed: u64) -> OptimizerSettings {
    let rule = match seed % 3 {
        0 => Rule::Adam(AdamConstants::default()),
        1 => Rule::Sgd { momentum: 0.9, nesterov: true },
        _ => Rule::Sgd { momentum: 0.0, nesterov: false },
    };
    let clipping = if seed.is_multiple_of(2) { Clipping::None } else { Clipping::GlobalNorm(0.1) };
    OptimizerSettings { rule, clipping, weight_decay: 0.01, learning_rate: 0.01 }
}

/// The second of two steps, and the batch it was taken on.
fn second_step(network: &Network, seed: u64) -> (Batch, Snapshot) {
    let batch = Batch::draw(network, 1 + (seed % 3) as usize, seed);
    let mut parameters = random_parameters(network, seed);
    let mut optimizer = Optimizer::new(network.table(), optimizer(seed));
    let options = PlanOptions { fuse: false, training: true, input_gradient: true, ..PlanOptions::default() };
    let plan = Plan::new(network, batch.labels.len(), options);
    let mut step = |step, optimizer: &mut Optimizer| {
        let masks = DropoutMasks::Drawn { seed, step };
        let batch = StepBatch { images: batch.images(network), targets: batch.targets(), masks };
        Snapshot::take(&plan, &mut parameters, optimizer, batch).unwrap()
    };
    step(0, &mut optimizer);
    // As a schedule does, or a reader of a lecture: the step tells its own rate.
    optimizer.set_learning_rate(0.02);
    let second = step(1, &mut optimizer);
    (batch, second)
}

fn moment<'a>(network: &'a Network, batch: &Batch, snapshot: &'a Snapshot, seed: u64) -> Moment<'a> {
    let names = (0..batch.labels.len()).map(|image| format!("image {image}.png")).collect();
    let classes = (0..network.head().classes()).map(|class| format!("class {class}")).collect();
    let targets = batch.targets();
    Moment::new(network, snapshot, optimizer(seed), [names, classes], (targets.weights.clone(), targets.smoothing))
        .unwrap()
}

/// A weight drawn of all that an optimizer moves.
fn drawn_weight(network: &Network, seed: u64) -> Weight {
    let tensors: Vec<_> = network.table().entries().iter().filter(|entry| entry.is_trainable()).collect();
    let entry = tensors[seed as usize % tensors.len()];
    Weight::at(network, &entry.name, (seed / 7) as usize % entry.range.len())
}

/// Whether two numbers are the same up to the rounding of sums in another order; `scale` is the size of what
/// was added up.
fn close(a: f64, b: f64, scale: f64) -> bool {
    (a - b).abs() <= 1e-9 * scale.max(a.abs()).max(1e-12)
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn every_number_on_the_page_is_what_it_says(
        network in prop_oneof![networks(), networks_of_every_layer()], seed in 0u64..10_000
    ) {
        let (batch, snapshot) = second_step(&network, seed);
        let moment = moment(&network, &batch, &snapshot, seed);
        let image = seed as usize % batch.labels.len();
        let weight = (seed % 2 == 0).then(|| drawn_weight(&network, seed));
        let focus = Focus::new(&moment, image, weight).unwrap();
        let options = BundleOptions { focus: focus.clone(), budget: 1 << 20, shares: true };
        let bundle = Bundle::new(&moment, &options);
        let html = explanation_page(&ExplanationPage {
            moment: &moment,
            bundle: &bundle,
            focus: &focus,
            facts: &[("model", "drawn".into())],
            pictures: &[],
        });
        let recount = Recount::new(&network, &batch, &snapshot, optimizer(seed), &focus);
        let page = numbers(&html);
        prop_assert!(page.len() > 20, "only {} numbers", page.len());
        for (of, value, shown) in page {
            let (expected, scale) = recount.value(&of);
            prop_assert!(close(value, expected, scale), "{of} is {value} on the page, and {expected} recounted");
            prop_assert!(page::tells(&shown, value), "{of}: {shown} is shown of {value}");
        }
    }

    #[test]
    fn the_terms_of_every_weight_and_the_patches_of_every_pixel_add_up_to_the_gradient(
        network in prop_oneof![networks(), networks_of_every_layer()], seed in 0u64..10_000
    ) {
        let (batch, snapshot) = second_step(&network, seed);
        let moment = moment(&network, &batch, &snapshot, seed);
        let weight = drawn_weight(&network, seed);
        let gradient = f64::from(snapshot.gradient(&weight.tensor).unwrap()[weight.element]);
        let terms: Vec<f64> = (0..batch.labels.len())
            .flat_map(|image| moment.chain(&weight, image).terms)
            .map(|term| term.product())
            .collect();
        let size: f64 = terms.iter().map(|term| term.abs()).sum();
        let sum: f64 = terms.iter().sum();
        prop_assert!((sum - gradient).abs() <= 1e-5 * size + 1e-9, "{weight}: {sum} of {size}, the engine has {gradient}");

        for (index, layer) in network.layers().iter().enumerate() {
            let Shape::Image([height, width, channels]) = layer.input else { continue };
            let cell = Cell { y: seed as usize % height, x: (seed / 3) as usize % width, channel: (seed / 5) as usize % channels };
            let Some(patches) = moment.patches(index, 0, cell) else { continue };
            let sum: f64 = patches.iter().map(|patch| patch.sum).sum();
            let gradients = moment.grad_input(index, 0);
            let engine = f64::from(gradients[cell.element(layer.input.sizes())]);
            let size = gradients.iter().map(|g| f64::from(g.abs())).fold(0.0, f64::max);
            prop_assert!((sum - engine).abs() <= 1e-4 * size + 1e-9, "{} {cell:?}: {sum}, the engine has {engine}", layer.name);
        }
    }

    #[test]
    fn a_bundle_holds_the_bits_of_the_snapshot_within_its_budget(
        network in prop_oneof![networks(), networks_of_every_layer()], seed in 0u64..10_000, budget in 1000usize..60_000
    ) {
        let (batch, snapshot) = second_step(&network, seed);
        let moment = moment(&network, &batch, &snapshot, seed);
        let image = seed as usize % batch.labels.len();
        let focus = Focus::new(&moment, image, None).unwrap();
        let bundle = Bundle::new(&moment, &BundleOptions { focus, budget, shares: true });
        prop_assert!(bundle.bytes.len() <= budget);
        let header = &bundle.header;
        for (name, entry) in header["tensors"].as_object().unwrap() {
            let number = |key: &str| entry[key].as_u64().unwrap() as usize;
            let (offset, length) = (number("offset"), number("length"));
            if entry["type"] != "f32" || name.starts_with("share/") {
                continue;
            }
            let floats: Vec<f32> = bundle.bytes[offset..][..4 * length]
                .chunks_exact(4)
                .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
                .collect();
            let whole = snapshot.floats(name).unwrap();
            let of_weights = ["before/", "after/", "gradient/", "clipped/", "moments/"];
            let expected = match of_weights.iter().any(|prefix| name.starts_with(prefix)) {
                true => whole,
                false => &whole[image * length..][..length],
            };
            prop_assert!(floats.iter().zip(expected).all(|(a, b)| a.to_bits() == b.to_bits()), "{name}");
            prop_assert_eq!(floats.len(), expected.len());
        }
        // What is left out of the weights stands in the excerpts.
        for entry in network.table().entries().iter().filter(|entry| entry.is_trainable()) {
            let carried = header["tensors"].get(format!("before/{}", entry.name)).is_some()
                && header["tensors"].get(format!("gradient/{}", entry.name)).is_some();
            prop_assert_eq!(carried, header["excerpts"].get(&entry.name).is_none(), "{}", &entry.name);
        }
        let all = bundle.to_bytes();
        let length = u32::from_le_bytes(all[..4].try_into().unwrap()) as usize;
        prop_assert_eq!(length % 4, 0);
        let read: serde_json::Value = serde_json::from_slice(&all[4..4 + length]).unwrap();
        prop_assert_eq!(&read["tensors"], &header["tensors"]);
        prop_assert_eq!(&all[4 + length..], &bundle.bytes[..]);
    }
}

#[test]
fn a_zero_gradient_has_the_first_reason_that_it_meets_on_its_way_back() {
    // One filter that copies the pixel, ReLU, a pool over the row of four: −1 2 | 3 −4.
    let spec = "input = [1, 4, 1]\nlayers = [{ type = 'conv2d', filters = 1, kernel = 1 }, { type = 'relu' }, \
                { type = 'max_pool', window = [1, 2] }, { type = 'flatten' }, { type = 'dense', units = 1 }]";
    let network = Network::new(&toml::from_str(spec).unwrap()).unwrap();
    let mut parameters = network.initial_parameters(0);
    parameters.view_mut("conv2d/kernel").unwrap().fill(1.0);
    parameters.view_mut("dense/kernel").unwrap().fill(1.0);
    let images = ndarray::Array4::from_shape_vec((1, 1, 4, 1), vec![-1.0, 2.0, -3.0, -4.0]).unwrap();
    let labels = [glassnet::classes::Label::POSITIVE];
    let options = PlanOptions { fuse: false, training: true, input_gradient: true, ..PlanOptions::default() };
    let plan = Plan::new(&network, 1, options);
    let mut adam = Optimizer::new(network.table(), OptimizerSettings::default());
    let batch = StepBatch {
        images: images.view(),
        targets: glassnet::head::Targets::new(&labels),
        masks: DropoutMasks::Drawn { seed: 0, step: 0 },
    };
    let snapshot = Snapshot::take(&plan, &mut parameters, &mut adam, batch).unwrap();
    let names = [vec!["one".to_string()], vec!["no".to_string(), "yes".to_string()]];
    let weights = glassnet::head::ClassWeights::NONE;
    let moment = Moment::new(&network, &snapshot, OptimizerSettings::default(), names, (weights, 0.0)).unwrap();
    use glassnet::explain::ZeroCause::{Pool, Relu};
    // 2 passes. Of the second window all are shut: its first cell is taken, and the ReLU lets nothing
    // through.
    assert_eq!([0, 2, 3].map(|cell| moment.cause_of_zero(0, 0, cell)), [Pool, Relu, Pool]);
    assert_eq!(moment.grad_output(0, 0).iter().filter(|g| **g != 0.0).count(), 1);
    let chain = moment.chain(&Weight::parse(&network, "conv2d/kernel[0,0,0,0]").unwrap(), 0);
    assert_eq!((chain.zeros.pool, chain.zeros.relu, chain.largest().len()), (2, 1, 1));
    assert!(matches!(network.layers()[2].kind, LayerKind::MaxPool(_)));
}
