//! The gradient check itself: that it passes what is right, on networks of every kind of layer drawn at
//! random, and fails what is not; and what it does at corners.

mod common;

use common::every_layer::networks_of_every_layer;
use common::networks::{Batch, networks};
use common::random_parameters;
use glassnet::gradcheck::{
    Base, COORDINATES, FIRST_STEP, Gradient, Kind, Place, Problem, Verdict, check, check_engine, engine_step, sweep,
};
use glassnet::kernels::conv::registry::ConvPolicy;
use glassnet::layers::LayerKind;
use glassnet::network::Network;
use glassnet::parameters::Parameters;
use glassnet::plan::DropoutMasks;
use glassnet::reference as textbook;
use glassnet::snapshot::StepBatch;
use glassnet::spec::ModelSpec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

/// The same cases in every run; `PROPTEST_CASES=3000 cargo test` draws that many fresh ones instead.
fn config(cases: u32) -> Config {
    let config = Config { failure_persistence: None, ..Config::default() };
    match std::env::var("PROPTEST_CASES") {
        Ok(_) => config,
        Err(_) => Config { cases, rng_seed: RngSeed::Fixed(1), ..config },
    }
}

fn step_of<'a>(network: &Network, batch: &'a Batch, masks: &'a [&'a [f32]]) -> StepBatch<'a> {
    let targets = glassnet::head::Targets::new(&batch.labels);
    StepBatch { images: batch.images(network), targets, masks: DropoutMasks::Given(masks) }
}

/// The problem of a step of the engine.
fn problem(network: &Network, parameters: &Parameters, batch: &Batch) -> Problem {
    let masks = batch.masks();
    let step = engine_step(network, parameters, step_of(network, batch, &masks), ConvPolicy::Auto, false).unwrap();
    Problem::new(network, parameters, &step)
}

fn any_network() -> impl Strategy<Value = Network> {
    prop_oneof![networks(), networks_of_every_layer()]
}

proptest! {
    #![proptest_config(config(40))]

    #[test]
    fn the_textbooks_gradient_passes_whatever_the_network(network in any_network(), seed: u32) {
        let (parameters, batch) = (random_parameters(&network, seed.into()), Batch::draw(&network, 3, seed.into()));
        let problem = problem(&network, &parameters, &batch);
        let base = Base::new(&problem);
        let gradient = base.gradient();
        let expected = textbook::step(&problem.layers, &problem.images, &problem.labels, &problem.factors);
        prop_assert_eq!(&gradient.weights, &expected.gradients);
        prop_assert_eq!(&gradient.images, &expected.grad_inputs);
        let checks = check(&base, &gradient, COORDINATES, seed.into(), || ());
        prop_assert_eq!(checks.len(), problem.tensors.len());
        for check in &checks {
            let name = &check.tensor.name;
            prop_assert_eq!(check.verdict(), Verdict::Agrees, "{}: {} {:?}", name, check.error(), check.set_aside);
            prop_assert!(check.counted() >= COORDINATES.min(check.tensor.len()).saturating_sub(check.ties.len()));
        }
    }

    #[test]
    fn a_gradient_with_one_wrong_element_in_every_tensor_fails_in_each(network in networks(), seed: u32) {
        let (parameters, batch) = (random_parameters(&network, seed.into()), Batch::draw(&network, 2, seed.into()));
        let problem = problem(&network, &parameters, &batch);
        let base = Base::new(&problem);
        let mut gradient = base.gradient();
        // The largest of each is among those that are compared.
        let spoil = |values: &mut Vec<f64>| {
            let largest = (0..values.len()).max_by(|&a, &b| values[a].abs().total_cmp(&values[b].abs()));
            if let Some(largest) = largest {
                // It stays the largest.
                values[largest] = if values[largest] == 0.0 { 1e-3 } else { 1.01 * values[largest] };
            }
        };
        for layer in &mut gradient.weights {
            spoil(&mut layer.kernel);
            spoil(&mut layer.bias);
        }
        spoil(&mut gradient.images[0].values);
        for check in check(&base, &gradient, COORDINATES, seed.into(), || ()) {
            let right = check.verdict() == Verdict::Agrees;
            let first = check.tensor.place == Place::Images && !check.checked.iter().any(|c| c.difference().abs() > 1e-4);
            prop_assert!(!right || first, "{}: {}", check.tensor.name, check.error());
        }
    }

    #[test]
    fn the_loss_near_a_point_is_that_of_the_whole_network_to_the_bit(network in any_network(), seed: u32) {
        let (parameters, batch) = (random_parameters(&network, seed.into()), Batch::draw(&network, 2, seed.into()));
        let problem = problem(&network, &parameters, &batch);
        let base = Base::new(&problem);
        for tensor in &problem.tensors {
            let element = seed as usize % tensor.len();
            let value = problem.value(tensor.place, element) + 0.125;
            let mut changed = problem.clone();
            match tensor.place {
                Place::Images => {
                    let len = changed.images[0].values.len();
                    changed.images[element / len].values[element % len] = value;
                }
                Place::Weights { layer, part } => {
                    let (kernel, bias) = weights(&mut changed.layers[layer]);
                    match part {
                        glassnet::gradcheck::Part::Kernel => kernel[element] = value,
                        glassnet::gradcheck::Part::Bias => bias[element] = value,
                    }
                }
            }
            let whole = Base::new(&changed).loss.loss;
            prop_assert_eq!(base.loss_beyond(tensor.place, element, value), whole, "{}", tensor.element(element));
            if let Ok(loss) = base.loss_at(tensor.place, element, value) {
                prop_assert_eq!(loss, whole, "{}", tensor.element(element));
            }
        }
    }

    #[test]
    fn the_engine_passes_by_every_algorithm(network in any_network(), seed: u32) {
        let (parameters, batch) = (random_parameters(&network, seed.into()), Batch::draw(&network, 4, seed.into()));
        let problem = problem(&network, &parameters, &batch);
        let base = Base::new(&problem);
        let (gradient, masks) = (base.gradient(), batch.masks());
        for conv in ConvPolicy::ALL {
            let step = step_of(&network, &batch, &masks);
            let found = check_engine(&base, &gradient, &network, &parameters, step, conv).unwrap();
            prop_assert_eq!(&found.fused_difference, &None);
            prop_assert_eq!(found.tensors.len(), network.layers().len() + problem.tensors.len());
            // Sums that cancel lose digits by right: of these there are some among those that are drawn.
            let worst = found.worst().unwrap();
            prop_assert!(worst.error <= 3e-3, "{conv}: {worst:?} {:?}", network.spec());
        }
    }
}

fn weights(layer: &mut textbook::Layer) -> (&mut Vec<f64>, &mut Vec<f64>) {
    match layer {
        textbook::Layer::Conv2d { kernel, bias, .. }
        | textbook::Layer::DepthwiseConv2d { kernel, bias, .. }
        | textbook::Layer::Dense { kernel, bias } => (kernel, bias),
        textbook::Layer::BatchNormalization { gamma, beta, .. } => (gamma, beta),
        _ => panic!("it has no weights"),
    }
}

/// A convolution of one filter, ReLU, a pool and a dense unit, on one image.
fn by_hand(image: [f32; 16], bias: f32) -> (Network, Parameters, Batch) {
    let spec: ModelSpec = toml::from_str(
        "input = [4, 4, 1]
         layers = [{ type = 'conv2d', filters = 1, kernel = 1 }, { type = 'relu' }, { type = 'max_pool', window = 2 },
                   { type = 'flatten' }, { type = 'dense', units = 1 }]",
    )
    .unwrap();
    let network = Network::new(&spec).unwrap();
    let mut parameters = network.initial_parameters(0);
    for (tensor, values) in [(0, &[1.0][..]), (1, &[bias]), (2, &[0.5, -1.0, 0.25, 2.0]), (3, &[0.1])] {
        parameters.tensor_mut(tensor).copy_from_slice(values);
    }
    let mut batch = Batch::draw(&network, 1, 0);
    batch.images = image.to_vec();
    (network, parameters, batch)
}

const IMAGE: [f32; 16] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75];

#[test]
fn a_value_at_exactly_0_and_two_equal_maxima_are_exact_ties_of_their_layer() {
    // The pixel of 0.1 with the bias −0.1 stands on ReLU's corner.
    let (network, parameters, batch) = by_hand(IMAGE, -0.1);
    let problem = problem(&network, &parameters, &batch);
    let base = Base::new(&problem);
    let crossing = base.loss_at(Place::Images, 0, 0.1f32 as f64 + 1e-9).unwrap_err();
    assert_eq!((problem.names[crossing.layer].as_str(), crossing.kind, crossing.tie), ("re_lu", Kind::Side, true));
    let checks = check(&base, &base.gradient(), 16, 0, || ());
    assert_eq!((checks[0].ties.len(), checks[0].ties[0].element, checks[0].checked.len()), (1, 0, 15));
    // The bias moves that pixel with all others, so it has no coordinate left.
    let bias = checks.iter().find(|check| check.tensor.name == "conv2d/bias").unwrap();
    assert_eq!((bias.verdict(), bias.ties.len()), (Verdict::TooFew, 1));

    let mut equal = IMAGE;
    equal[0] = 0.6;
    let (network, parameters, batch) = by_hand(equal, 0.0);
    let problem = self::problem(&network, &parameters, &batch);
    let base = Base::new(&problem);
    let crossing = base.loss_at(Place::Images, 5, 0.6f32 as f64 + 1e-9).unwrap_err();
    let name = problem.names[crossing.layer].as_str();
    assert_eq!((name, crossing.kind, crossing.tie), ("max_pooling2d", Kind::Argmax, true));
    // The first of both stays the maximum where the other falls.
    assert!(base.loss_at(Place::Images, 5, 0.6f32 as f64 - 1e-9).is_ok());
}

#[test]
fn h_is_halved_where_a_corner_is_near_and_the_coordinate_set_aside_where_it_is_too_near() {
    // So far from ReLU's corner is the first pixel.
    let distance = |distance: f64| {
        let mut image = IMAGE;
        image[0] = (0.1f32 as f64 + distance) as f32;
        image
    };
    let far = distance(FIRST_STEP / 4.0);
    let (network, parameters, batch) = by_hand(far, -0.1);
    let problem = problem(&network, &parameters, &batch);
    let base = Base::new(&problem);
    let checks = check(&base, &base.gradient(), 16, 0, || ());
    let first = checks[0].checked.iter().find(|coordinate| coordinate.element == 0).unwrap();
    assert!(first.step < FIRST_STEP && first.step > FIRST_STEP / 20.0, "{first:?}");
    assert!(checks[0].checked.iter().filter(|other| other.element != 0).all(|other| other.step == FIRST_STEP));

    // A corner nearer than f32 can say: the bias, in f64, is off by less than the last h.
    let (network, parameters, batch) = by_hand(IMAGE, -0.1);
    let mut near = self::problem(&network, &parameters, &batch);
    weights(&mut near.layers[0]).1[0] += 1e-10;
    let base = Base::new(&near);
    let checks = check(&base, &base.gradient(), 16, 0, || ());
    assert_eq!((checks[0].set_aside.len(), checks[0].ties.len()), (1, 0));
    assert_eq!(checks[0].verdict(), Verdict::Agrees, "one in sixteen may be set aside");
    let bias = checks.iter().find(|check| check.tensor.name == "conv2d/bias").unwrap();
    assert_eq!((bias.verdict(), bias.set_aside.len()), (Verdict::TooFew, 1), "one in one may not");
}

#[test]
fn a_sweep_has_the_least_error_between_the_largest_and_the_smallest_h() {
    let network = Network::new(&ModelSpec::documented().with_image_size(24)).unwrap();
    let (parameters, batch) = (random_parameters(&network, 5), Batch::draw(&network, 2, 5));
    let problem = problem(&network, &parameters, &batch);
    let base = Base::new(&problem);
    let gradient: Gradient = base.gradient();
    let tensor = problem.tensors.iter().find(|tensor| tensor.name == "dense_1/kernel").unwrap();
    let all = gradient.of(tensor.place);
    let element = (0..all.len()).max_by(|&a, &b| all[a].abs().total_cmp(&all[b].abs())).unwrap();
    let points = sweep(&base, tensor, element);
    let errors: Vec<f64> =
        points.iter().map(|point| (point.numeric - all[element]).abs() / all[element].abs()).collect();
    assert_eq!(points.len(), 12);
    assert!((points[0].step, points[11].step) == (1e-1, 1e-12));
    let least = (0..12).min_by(|&a, &b| errors[a].total_cmp(&errors[b])).unwrap();
    assert!((2..10).contains(&least), "{errors:?}");
    assert!(errors[least] < 1e-3 * errors[0] && errors[least] < 1e-3 * errors[11], "{errors:?}");
    assert!(points[least].is_smooth);
}

#[test]
fn an_engine_with_a_wrong_weight_in_one_layer_fails_there() {
    let network = Network::new(&ModelSpec::documented().with_image_size(24)).unwrap();
    let (parameters, batch) = (random_parameters(&network, 4), Batch::draw(&network, 2, 4));
    let problem = problem(&network, &parameters, &batch);
    let base = Base::new(&problem);
    let (gradient, masks) = (base.gradient(), batch.masks());
    let with = |parameters: &Parameters| {
        let step = step_of(&network, &batch, &masks);
        check_engine(&base, &gradient, &network, parameters, step, ConvPolicy::Auto).unwrap()
    };
    assert!(with(&parameters).passes(), "{:?}", with(&parameters).worst());
    let mut wrong = parameters.clone();
    wrong.tensor_mut(2)[7] += 0.01;
    let found = with(&wrong);
    assert!(!found.passes());
    let first = found.tensors.iter().find(|tensor| tensor.error > 1e-4).unwrap();
    assert_eq!(first.name, "output/conv2d_1");
    assert!(network.layers().iter().any(|layer| matches!(layer.kind, LayerKind::Dropout(_))));
}
