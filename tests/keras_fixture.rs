//! The last link of the chain of trust: small networks of the documented model's kinds of layers, one with a
//! sigmoid, one with a softmax of three classes and one with a sigmoid for each of three labels, one of all
//! other kinds, and one without biases, recorded in real Keras by `tests/fixtures/make_keras_fixture.py`.
//! Logits, loss, every gradient and three Adam steps agree to 1e-5.

mod common;

use common::networks::{way_name, ways_to_train};
use common::{assert_close, wide};
use glassnet::classes::{Label, LabelSet};
use glassnet::head::Targets;
use glassnet::layers::sink::GradientWriter;
use glassnet::network::Network;
use glassnet::optim::{AdamConstants, Clipping, Optimizer, OptimizerSettings, Rule};
use glassnet::parameters::{Parameters, TensorEntry};
use glassnet::plan::{DropoutMasks, Mode, Plan, PlanOptions};
use glassnet::spec::ModelSpec;
use ndarray::ArrayView4;
use safetensors::SafeTensors;

/// The error allowed, of each tensor's largest element.
const TOLERANCE: f64 = 1e-5;
/// The error allowed of what Adam moved the weights by. That is a thousandth of the weights, so it sees what
/// TOLERANCE on the weights would not; and where a gradient is nearly zero, its sign, which rounding may
/// turn, moves a weight as far as any.
const UPDATE_TOLERANCE: f64 = 1e-3;

fn tensor(file: &SafeTensors, name: &str) -> Vec<f32> {
    let view = file.tensor(name).unwrap_or_else(|error| panic!("{name}: {error}"));
    view.data().chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
}

/// A recorded network.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fixture {
    /// The documented model's kinds of layers. One unit: sigmoid and binary cross-entropy.
    Small,
    /// The same with three units: softmax and categorical cross-entropy.
    Softmax,
    /// The same for images that may have several labels: a sigmoid and a binary cross-entropy of each.
    Labels,
    /// All other kinds of layers, and three units.
    Layers,
    /// Layers without a bias, each with a batch normalization right behind it.
    Unbiased,
}

/// The network of a fixture; its numbers are those of the script.
fn network(fixture: Fixture) -> Network {
    let documented = "
        input = [17, 15, 3]
        layers = [
            { type = 'conv2d', filters = 8, kernel = 3 }, { type = 'relu' }, { type = 'max_pool', window = 2 },
            { type = 'conv2d', filters = 12, kernel = 3 }, { type = 'relu' }, { type = 'max_pool', window = 2 },
            { type = 'flatten' }, { type = 'dense', units = 16 }, { type = 'relu' }, { type = 'dropout', rate = 0.5 },
            { type = 'dense', units = UNITS },
        ]";
    let other = "
        input = [13, 10, 1]
        layers = [
            { type = 'conv2d', filters = 6, kernel = [3, 2], stride = [2, 1], padding = 'same' },
            { type = 'leaky_relu' }, { type = 'batch_normalization' },
            { type = 'max_pool', window = [3, 2], stride = 2, padding = 'same' },
            { type = 'depthwise_conv2d', kernel = [3, 2], padding = 'same', depth_multiplier = 2 }, { type = 'relu' },
            { type = 'conv2d', filters = 5, kernel = [2, 3], padding = 'same', dilation = 2 },
            { type = 'leaky_relu', negative_slope = 0.1 },
            { type = 'average_pool', window = [3, 2], stride = [2, 1], padding = 'same' },
            { type = 'depthwise_conv2d', kernel = [2, 3], stride = 2, padding = 'same' }, { type = 'relu' },
            { type = 'global_average_pool' }, { type = 'batch_normalization', momentum = 0.9, epsilon = 0.01 },
            { type = 'dense', units = 8 }, { type = 'leaky_relu' }, { type = 'dropout', rate = 0.5 },
            { type = 'dense', units = UNITS },
        ]";
    let unbiased = "
        input = [11, 12, 2]
        layers = [
            { type = 'depthwise_conv2d', kernel = 3, padding = 'same', depth_multiplier = 2, use_bias = false },
            { type = 'batch_normalization' }, { type = 'relu' },
            { type = 'conv2d', filters = 6, kernel = 3, stride = 2, padding = 'same', use_bias = false },
            { type = 'batch_normalization' }, { type = 'relu' },
            { type = 'conv2d', filters = 8, kernel = 1, use_bias = false },
            { type = 'batch_normalization' }, { type = 'relu' }, { type = 'max_pool', window = 2 },
            { type = 'flatten' }, { type = 'dense', units = 10, use_bias = false },
            { type = 'batch_normalization' }, { type = 'relu' }, { type = 'dropout', rate = 0.5 },
            { type = 'dense', units = UNITS, use_bias = false },
        ]";
    let (layers, units) = match fixture {
        Fixture::Small => (documented, "1"),
        Fixture::Softmax | Fixture::Labels => (documented, "3"),
        Fixture::Layers => (other, "3"),
        Fixture::Unbiased => (unbiased, "3"),
    };
    let spec = toml::from_str::<ModelSpec>(&layers.replace("UNITS", units)).unwrap();
    Network::new(&ModelSpec { several_labels: fixture == Fixture::Labels, ..spec }).unwrap()
}

/// Compares those tensors of which `compared` is true.
fn assert_parameters_close(
    file: &SafeTensors,
    prefix: &str,
    parameters: &Parameters,
    compared: fn(&TensorEntry) -> bool,
) {
    for (id, entry) in parameters.table().entries().iter().enumerate().filter(|(_, entry)| compared(entry)) {
        let name = format!("{prefix}/{}", entry.name);
        assert_close(&name, parameters.tensor(id), &wide(&tensor(file, &name)), TOLERANCE);
    }
}

/// Compares how far the weights have come since `init`.
fn assert_updates_close(file: &SafeTensors, prefix: &str, parameters: &Parameters) {
    for (id, entry) in parameters.table().entries().iter().enumerate() {
        let init = wide(&tensor(file, &format!("init/{}", entry.name)));
        let moved = |values: &[f32]| values.iter().zip(&init).map(|(&w, w0)| f64::from(w) - w0).collect::<Vec<f64>>();
        let ours: Vec<f32> = moved(parameters.tensor(id)).iter().map(|&x| x as f32).collect();
        let keras = moved(&tensor(file, &format!("{prefix}/{}", entry.name)));
        assert_close(&format!("{prefix} − init, {}", entry.name), &ours, &keras, UPDATE_TOLERANCE);
    }
}

fn recorded(fixture: Fixture) -> Vec<u8> {
    let name = match fixture {
        Fixture::Small => "keras_small",
        Fixture::Softmax => "keras_softmax",
        Fixture::Labels => "keras_labels",
        Fixture::Layers => "keras_layers",
        Fixture::Unbiased => "keras_unbiased",
    };
    std::fs::read(format!("{}/tests/fixtures/{name}.safetensors", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Adam's steps are taken within the backward pass, or behind it.
fn reproduce(fixture: Fixture, options: PlanOptions, step_within: bool) {
    let bytes = recorded(fixture);
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let network = network(fixture);
    let mut parameters = Parameters::zeros(network.table());
    for (id, entry) in network.table().entries().iter().enumerate() {
        parameters.tensor_mut(id).copy_from_slice(&tensor(&file, &format!("init/{}", entry.name)));
    }
    let (images, head) = (tensor(&file, "input"), network.head());
    let told = tensor(&file, "labels");
    let (labels, sets): (Vec<Label>, Vec<LabelSet>) = match head.has_several_labels() {
        true => {
            let there = |row: &[f32]| {
                let has = row.iter().enumerate().filter(|(_, has)| **has == 1.0);
                has.map(|(label, _)| Label::new(label)).collect::<LabelSet>()
            };
            told.chunks(head.units()).map(|row| (Label::new(0), there(row))).unzip()
        }
        false => (told.iter().map(|&label| Label::new(label as usize)).collect(), Vec::new()),
    };
    let targets = Targets { sets: &sets, ..Targets::new(&labels) };
    let [height, width, channels] = network.spec().input;
    let images = ArrayView4::from_shape([labels.len(), height, width, channels], &images).unwrap();
    let plan = Plan::new(&network, labels.len(), options);
    let mut workspace = plan.workspace();
    let mut adam = Optimizer::new(network.table(), OptimizerSettings::default());
    let mut gradients = Parameters::zeros(network.table());
    let mut grad_logits = vec![f32::NAN; labels.len() * head.units()];

    let logits = plan.forward(&parameters, images, Mode::Inference, &mut workspace).unwrap();
    assert_close("logits/inference", logits.values(), &wide(&tensor(&file, "logits/inference")), TOLERANCE);
    let loss = head.loss(logits, targets) as f32;
    assert_close("loss/inference", &[loss], &wide(&tensor(&file, "loss/inference")), TOLERANCE);

    for step in 1..=3 {
        let mask = tensor(&file, &format!("mask/{step}"));
        let masks: [&[f32]; 1] = [&mask];
        let mode = Mode::Training(DropoutMasks::Given(&masks));
        let logits = plan.forward(&parameters, images, mode, &mut workspace).unwrap();
        if step == 1 {
            assert_close("logits/training", logits.values(), &wide(&tensor(&file, "logits/training")), TOLERANCE);
        }
        let loss = head.loss(logits, targets) as f32;
        let name = format!("loss/{step}");
        assert_close(&name, &[loss], &wide(&tensor(&file, &name)), TOLERANCE);

        head.gradient(logits, targets, &mut grad_logits);
        gradients.as_mut_slice().fill(f32::NAN);
        if step_within {
            // The network is small: no gradient is applied without being written.
            let mut update = adam.begin_step(&mut parameters, &mut gradients, options.fuse);
            plan.backward(images, &grad_logits, &mut update, &mut workspace).unwrap();
            update.finish();
        } else {
            let mut writer = GradientWriter::new(&parameters, &mut gradients);
            plan.backward(images, &grad_logits, &mut writer, &mut workspace).unwrap();
            adam.step(&mut parameters, &mut gradients);
        }
        plan.update_running(&mut parameters, &mut workspace).unwrap();
        if step == 1 {
            assert_parameters_close(&file, "grad", &gradients, TensorEntry::is_trainable);
            let grad_images = plan.input_gradient(&workspace).unwrap();
            assert_close("grad/input", grad_images.as_slice().unwrap(), &wide(&tensor(&file, "grad/input")), TOLERANCE);
        }
        if step != 2 {
            assert_parameters_close(&file, &format!("after{step}"), &parameters, |_| true);
            assert_updates_close(&file, &format!("after{step}"), &parameters);
        }
    }
}

#[test]
fn adams_defaults_are_those_of_keras() {
    let (_, metadata) = SafeTensors::read_metadata(&recorded(Fixture::Small)).unwrap();
    let fixture: serde_json::Value = serde_json::from_str(&metadata.metadata().as_ref().unwrap()["fixture"]).unwrap();
    let keras = |key: &str| fixture["adam"][key].as_f64().unwrap() as f32;
    let OptimizerSettings { learning_rate, rule, weight_decay, clipping } = OptimizerSettings::default();
    let Rule::Adam(AdamConstants { beta_1, beta_2, epsilon }) = rule else { panic!("{rule:?}") };
    assert_eq!(clipping, Clipping::None, "Keras clips no gradient unless it is asked to");
    assert_eq!(weight_decay, 0.0, "Keras's Adam has none unless it is asked for");
    assert_eq!(
        [learning_rate, beta_1, beta_2, epsilon].map(|setting| setting as f32),
        [keras("learning_rate"), keras("beta_1"), keras("beta_2"), keras("epsilon")]
    );
}

#[test]
fn every_algorithm_fused_or_not_reproduces_what_keras_recorded() {
    for options in ways_to_train() {
        for step_within in [true, false] {
            for fixture in [Fixture::Small, Fixture::Softmax, Fixture::Labels, Fixture::Layers, Fixture::Unbiased] {
                let way = way_name(&options);
                println!("{fixture:?}, {way}, Adam's step within the backward pass: {step_within}");
                reproduce(fixture, options, step_within);
            }
        }
    }
}
