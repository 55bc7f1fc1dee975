//! A training that is watched: the same bits, figures as computed by hand, dead units counted right, and the
//! first tensor that is not finite named with its images.

mod common;

use common::every_layer::networks_of_every_layer;
use common::networks::networks;
use common::{assert_same_bits, random_parameters, values};
use glassnet::classes::Label;
use glassnet::data::arrays::ArraySet;
use glassnet::data::batches::Loader;
use glassnet::error::{FirstNotFinite, TensorName};
use glassnet::network::Network;
use glassnet::parameters::Parameters;
use glassnet::spec::ModelSpec;
use glassnet::training::watch::histogram::SAMPLES;
use glassnet::training::watch::{PartOfEpoch, WatchRow, Watcher};
use glassnet::training::{Event, OptimizerName, TrainSettings, TrainingState, train, train_watched};
use glassnet::{Error, Result};
use ndarray::Array4;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

fn network(layers: &str) -> Network {
    Network::new(&toml::from_str::<ModelSpec>(layers).unwrap()).unwrap()
}

/// A loader of these images, whose classes are 0, 1, … in turn.
fn loader(network: &Network, images: Vec<f32>, batch_size: usize) -> Loader {
    let [height, width, channels] = network.spec().input;
    let count = images.len() / (height * width * channels);
    let images = Array4::from_shape_vec([count, height, width, channels], images).unwrap();
    let labels = (0..count).map(|image| Label::new(image % network.head().classes())).collect();
    Loader::from_arrays(ArraySet::new(images, labels).unwrap(), batch_size).unwrap()
}

fn images(network: &Network, count: usize, seed: u64) -> Vec<f32> {
    values(count * network.spec().input.iter().product::<usize>(), seed, 7).iter().map(|x| x + 0.5).collect()
}

/// Settings of each optimizer and each clipping, fused or not.
fn settings(seed: u64) -> TrainSettings {
    let sgd = seed.is_multiple_of(2);
    TrainSettings {
        epochs: 2,
        seed,
        learning_rate: 0.01,
        optimizer: if sgd { OptimizerName::Sgd } else { OptimizerName::Adam },
        momentum: if sgd { 0.9 } else { 0.0 },
        weight_decay: 0.01,
        clip_norm: (seed % 4 == 1).then_some(0.05),
        global_clip_norm: (seed % 4 == 2).then_some(0.05),
        clip_value: (seed % 4 == 3).then_some(0.01),
        fuse: seed % 8 < 4,
        ..TrainSettings::default()
    }
}

fn start(parameters: Parameters, settings: &TrainSettings) -> TrainingState {
    TrainingState::new(parameters, settings.optimizer().unwrap())
}

/// Trains and watches to the end; a training that fails leaves what it came to, and its error.
fn watched(
    network: &Network,
    parameters: Parameters,
    images: &Loader,
    settings: &TrainSettings,
) -> (TrainingState, Vec<WatchRow>, Result<()>) {
    let clips = settings.clip_norm.or(settings.global_clip_norm).or(settings.clip_value).is_some();
    let (mut state, mut watcher) = (start(parameters, settings), Watcher::new(network, clips));
    let ended = train_watched(network, &mut state, images, None, settings, &mut watcher, |_, _, _| Ok(()));
    (state, watcher.rows().to_vec(), ended.map(|_| ()))
}

fn row<'a>(rows: &'a [WatchRow], epoch: usize, layer: &str, tensor: &str) -> &'a WatchRow {
    let found = rows.iter().find(|row| (row.epoch, row.layer.as_str(), row.tensor.as_str()) == (epoch, layer, tensor));
    found.unwrap_or_else(|| panic!("no {tensor} of {layer} in epoch {epoch}"))
}

/// The same cases in every run; `PROPTEST_CASES=3000 cargo test` draws that many fresh ones instead.
fn config(cases: u32) -> Config {
    let config = Config { failure_persistence: None, ..Config::default() };
    match std::env::var("PROPTEST_CASES") {
        Ok(_) => config,
        Err(_) => Config { cases, rng_seed: RngSeed::Fixed(1), ..config },
    }
}

proptest! {
    #![proptest_config(config(40))]

    #[test]
    fn watching_changes_no_bit(network in prop_oneof![networks(), networks_of_every_layer()], seed: u16) {
        let images = loader(&network, images(&network, 7, seed.into()), 3);
        let (settings, parameters) = (settings(seed.into()), random_parameters(&network, seed.into()));
        let mut alone = start(parameters.clone(), &settings);
        train(&network, &mut alone, &images, None, &settings, |_, _| Ok(())).unwrap();
        let (state, rows, ended) = watched(&network, parameters, &images, &settings);
        ended.unwrap();
        assert_same_bits("weights", state.parameters.as_slice(), alone.parameters.as_slice());
        for (a, b) in state.optimizer.accumulators().iter().zip(alone.optimizer.accumulators()) {
            assert_same_bits("accumulators", a.as_slice(), b.as_slice());
        }
        prop_assert_eq!(&state.steps, &alone.steps);
        prop_assert_eq!(state.history.len(), alone.history.len());
        for (a, b) in state.history.iter().zip(&alone.history) {
            prop_assert_eq!((a.loss.to_bits(), a.accuracy), (b.loss.to_bits(), b.accuracy));
        }
        // Every tensor of weights has rows in every epoch; of moving statistics no gradient and no update.
        for entry in network.table().entries() {
            let (layer, tensor) = entry.name.split_once('/').unwrap();
            for epoch in 0..2 {
                let weights = row(&rows, epoch, layer, tensor);
                prop_assert_eq!((weights.steps, weights.values), (3, 3 * entry.range.len() as u64));
                let has = |what: &str| rows.iter().any(|row| row.layer == layer && row.tensor == format!("{what}_{tensor}"));
                prop_assert_eq!((has("grad"), has("update")), (entry.is_trainable(), entry.is_trainable()), "{}", &entry.name);
            }
        }
        let clips = settings.clip_norm.or(settings.global_clip_norm).or(settings.clip_value).is_some();
        prop_assert_eq!(row(&rows, 0, "all", "grad").clipped_norm.is_some(), clips);
    }
}

#[test]
fn the_norms_of_a_step_are_those_computed_by_hand() {
    let network =
        network("input = [1, 2, 1]\nlayers = [{ type = 'flatten' }, { type = 'dense', units = 1, use_bias = false }]");
    let mut parameters = Parameters::zeros(network.table());
    // w = (0.6, −0.8) and x = (3, 4), so ‖w‖ = 1 and z = −1.4.
    parameters.tensor_mut(0).copy_from_slice(&[0.6, -0.8]);
    let images = loader(&network, vec![3.0, 4.0], 1);
    let settings = TrainSettings {
        epochs: 1,
        optimizer: OptimizerName::Sgd,
        learning_rate: 0.25,
        clip_norm: Some(0.5),
        ..TrainSettings::default()
    };
    let (state, rows, ended) = watched(&network, parameters, &images, &settings);
    ended.unwrap();
    // The label is 0, so ∂L/∂z = σ(z), and ∂L/∂w = σ(z)·x, whose norm is 5 σ(z) > 0.5 and is clipped to it.
    let sigma = 1.0 / (1.0 + 1.4f64.exp());
    let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-6, "{a} for {b}");
    let output = row(&rows, 0, "dense", "output");
    near(output.norm, 1.4);
    near(output.mean, -1.4);
    assert_eq!((output.positive, output.zeros, output.values), (0.0, 0.0, 1));
    near(row(&rows, 0, "dense", "grad_output").norm, sigma);
    near(row(&rows, 0, "dense", "kernel").norm, 1.0);
    let gradient = row(&rows, 0, "dense", "grad_kernel");
    near(gradient.norm, 5.0 * sigma);
    near(gradient.largest, 4.0 * sigma);
    near(gradient.rms, 5.0 * sigma / 2f64.sqrt());
    near(gradient.clipped_norm.unwrap(), 0.5);
    let update = row(&rows, 0, "dense", "update_kernel");
    near(update.norm, 0.125);
    near(update.ratio.unwrap(), 0.125);
    near(f64::from(state.parameters.tensor(0)[0]), 0.6 - 0.125 * 0.6);
    let (all, updates) = (row(&rows, 0, "all", "grad"), row(&rows, 0, "all", "update"));
    assert_eq!((all.norm, all.clipped_norm), (gradient.norm, gradient.clipped_norm));
    assert_eq!((updates.norm, updates.ratio), (update.norm, update.ratio));
}

#[test]
fn a_mean_over_the_steps_and_a_largest_are_told_and_weights_of_0_have_no_ratio() {
    let network = network("input = [1, 1, 1]\nlayers = [{ type = 'flatten' }, { type = 'dense', units = 1 }]");
    let images = loader(&network, vec![1.0, 3.0, 0.0], 1);
    let settings = TrainSettings { epochs: 1, shuffle: false, learning_rate: 0.0, ..TrainSettings::default() };
    let (_, rows, ended) = watched(&network, Parameters::zeros(network.table()), &images, &settings);
    ended.unwrap();
    // z = 0 throughout, so ∂L/∂z = ±½ and the kernel's gradients are ½, −3/2 and 0.
    let gradient = row(&rows, 0, "dense", "grad_kernel");
    assert!((gradient.norm - 2.0 / 3.0).abs() < 1e-6 && (gradient.norm_max - 1.5).abs() < 1e-6, "{gradient:?}");
    assert!((gradient.zeros - 1.0 / 3.0).abs() < 1e-12 && (gradient.positive - 1.0 / 3.0).abs() < 1e-12);
    assert_eq!(gradient.histogram.counts().iter().sum::<u64>(), 2);
    assert_eq!(row(&rows, 0, "dense", "update_kernel").ratio, None);
}

/// Four convolution filters and a ReLU, then a hidden layer of 5 with one.
const WITH_RELUS: &str = "
    input = [6, 6, 1]
    layers = [
        { type = 'conv2d', filters = 4, kernel = 3 }, { type = 'relu' }, { type = 'max_pool', window = 2 },
        { type = 'flatten' }, { type = 'dense', units = 5 }, { type = 'relu' }, { type = 'dense', units = 1 },
    ]";

#[test]
fn units_with_a_bias_of_minus_100_are_dead_and_no_others() {
    let network = network(WITH_RELUS);
    let mut parameters = network.initial_parameters(1);
    for (tensor, unit) in [("conv2d/bias", 2), ("dense/bias", 0), ("dense/bias", 3)] {
        parameters.view_mut(tensor).unwrap()[unit] = -100.0;
    }
    for (tensor, unit) in [
        ("conv2d/bias", 0),
        ("conv2d/bias", 1),
        ("conv2d/bias", 3),
        ("dense/bias", 1),
        ("dense/bias", 2),
        ("dense/bias", 4),
    ] {
        parameters.view_mut(tensor).unwrap()[unit] = 1.0;
    }
    let images = loader(&network, images(&network, 8, 1), 4);
    for fuse in [true, false] {
        let settings = TrainSettings { epochs: 2, fuse, ..TrainSettings::default() };
        let (_, rows, ended) = watched(&network, parameters.clone(), &images, &settings);
        ended.unwrap();
        for epoch in 0..2 {
            let [first, second] = ["re_lu", "re_lu_1"].map(|layer| row(&rows, epoch, layer, "output"));
            assert_eq!((first.units, first.dead.as_deref()), (Some(4), Some(&[2][..])));
            assert_eq!((second.units, second.dead.as_deref()), (Some(5), Some(&[0, 3][..])));
            assert!(first.zeros >= 0.25 && second.zeros >= 0.4);
        }
        assert_eq!(row(&rows, 0, "max_pooling2d", "output").units, None);
    }
}

#[test]
fn an_epoch_that_was_interrupted_goes_on_with_the_same_figures() {
    let network = network(WITH_RELUS);
    let images = loader(&network, images(&network, 10, 2), 3);
    let settings = TrainSettings { epochs: 3, clip_norm: Some(0.1), ..TrainSettings::default() };
    let (_, whole, _) = watched(&network, network.initial_parameters(2), &images, &settings);
    for stop in [1, 3, 4, 6, 11] {
        let mut state = start(network.initial_parameters(2), &settings);
        let mut before = Watcher::new(&network, true);
        let report = |event: Event, state: &TrainingState, _: &Watcher| match event {
            Event::Step(_) if state.steps.len() == stop => Err(Error::Interrupted),
            _ => Ok(()),
        };
        train_watched(&network, &mut state, &images, None, &settings, &mut before, report).unwrap_err();
        let text = toml::to_string(&before.part().unwrap()).unwrap();
        let mut after = Watcher::new(&network, true);
        after.go_on_from(before.rows().to_vec());
        let part: PartOfEpoch = toml::from_str(&text).unwrap();
        assert_eq!((part.epoch, part.step), (state.history.len(), stop));
        assert!(!Watcher::new(&network_of_one(), true).go_on_within(part.clone()), "of another network");
        assert!(after.go_on_within(part));
        train_watched(&network, &mut state, &images, None, &settings, &mut after, |_, _, _| Ok(())).unwrap();
        assert!(after.rows() == whole, "stopped after step {stop}");
    }
}

fn network_of_one() -> Network {
    network("input = [1, 1, 1]\nlayers = [{ type = 'flatten' }, { type = 'dense', units = 1 }]")
}

/// What an error tells of the first tensor that was not finite.
#[track_caller]
fn first(ended: Result<()>) -> FirstNotFinite {
    match ended.unwrap_err() {
        Error::NotFinite { first, .. } | Error::WeightsNotFinite { first, .. } => *first.unwrap(),
        error => panic!("{error}"),
    }
}

fn not_watched(network: &Network, parameters: Parameters, images: &Loader, settings: &TrainSettings) -> Result<()> {
    let mut state = start(parameters, settings);
    train(network, &mut state, images, None, settings, |_, _| Ok(())).map(|_| ())
}

#[test]
fn an_image_that_holds_nan_is_named_though_a_relu_hides_it_from_the_loss() {
    let straight = network("input = [6, 6, 1]\nlayers = [{ type = 'flatten' }, { type = 'dense', units = 1 }]");
    for network in [network(WITH_RELUS), straight] {
        let mut pixels = images(&network, 8, 3);
        pixels[36 * 5 + 14] = f32::NAN;
        let loader = loader(&network, pixels, 4);
        let settings = TrainSettings { epochs: 2, shuffle: false, ..TrainSettings::default() };
        let (_, _, ended) = watched(&network, network.initial_parameters(0), &loader, &settings);
        let seen = first(ended);
        assert_eq!((&seen.tensor, seen.value.is_nan()), (&TensorName::Pixels, true));
        assert_eq!((seen.epoch, seen.step, seen.batch, &seen.images[..]), (1, 2, 4, &["image 5".to_string()][..]));
        let alone = first(not_watched(&network, network.initial_parameters(0), &loader, &settings));
        assert_eq!((alone.tensor, alone.images), (TensorName::Pixels, seen.images));
    }
}

#[test]
fn weights_that_overflow_are_told_by_the_first_output_and_its_images() {
    let network = network(
        "input = [1, 2, 1]\nlayers = [{ type = 'flatten' }, { type = 'dense', units = 2 }, { type = 'dense', units = 1 }]",
    );
    let mut parameters = network.initial_parameters(0);
    parameters.view_mut("dense/kernel").unwrap().fill(1e38);
    // 10 · 1e38 is beyond f32 in the second image only.
    let images = loader(&network, vec![0.1, 0.1, 10.0, 10.0, 0.2, 0.0], 3);
    let settings = TrainSettings { epochs: 1, shuffle: false, ..TrainSettings::default() };
    let seen = first(watched(&network, parameters.clone(), &images, &settings).2);
    let expected = (TensorName::Output("dense".into()), vec!["image 1".to_string()]);
    assert_eq!((seen.epoch, seen.step, seen.batch), (1, 1, 3));
    assert_eq!((seen.tensor.clone(), seen.images.clone()), expected);
    assert_eq!(first(not_watched(&network, parameters, &images, &settings)), seen);
}

#[test]
fn a_gradient_that_overflows_is_seen_by_a_watch_in_its_own_step_and_without_one_in_the_weights() {
    // Logits of 0, and a gradient of ½ · 3e38 · 4 by the first kernel.
    let network = network(
        "input = [1, 1, 1]\nlayers = [{ type = 'flatten' }, { type = 'dense', units = 1, use_bias = false }, { type = 'dense', units = 1, use_bias = false }]",
    );
    let mut parameters = Parameters::zeros(network.table());
    parameters.view_mut("dense_1/kernel").unwrap().fill(3e38);
    let images = loader(&network, vec![4.0, 4.0], 1);
    let settings =
        TrainSettings { epochs: 1, shuffle: false, optimizer: OptimizerName::Sgd, ..TrainSettings::default() };
    let seen = first(watched(&network, parameters.clone(), &images, &settings).2);
    assert_eq!(seen.tensor, TensorName::Gradient("dense/kernel".into()));
    assert_eq!((seen.epoch, seen.step, seen.batch, &seen.images[..]), (1, 1, 1, &["image 0".to_string()][..]));
    let alone = first(not_watched(&network, parameters, &images, &settings));
    assert_eq!((alone.tensor, alone.step), (TensorName::Weights("dense/kernel".into()), 1));
}

#[test]
fn a_validation_that_is_not_finite_names_its_own_image() {
    let network = network_of_one();
    let training = loader(&network, vec![0.5, 0.25], 2);
    let validation = loader(&network, vec![0.5, f32::INFINITY, 0.5], 2);
    let settings = TrainSettings { epochs: 1, ..TrainSettings::default() };
    let mut state = start(network.initial_parameters(0), &settings);
    let ended = train(&network, &mut state, &training, Some(&validation), &settings, |_, _| Ok(()));
    let seen = first(ended.map(|_| ()));
    assert_eq!((seen.tensor, seen.images), (TensorName::Pixels, vec!["image 1".to_string()]));
}

#[test]
fn histograms_of_long_tensors_are_sampled_and_their_other_figures_are_not() {
    let network = network("input = [160, 160, 1]\nlayers = [{ type = 'flatten' }, { type = 'dense', units = 1 }]");
    let images = loader(&network, images(&network, 2, 4), 2);
    let settings = TrainSettings { epochs: 1, ..TrainSettings::default() };
    let (_, rows, ended) = watched(&network, network.initial_parameters(0), &images, &settings);
    ended.unwrap();
    let kernel = row(&rows, 0, "dense", "kernel");
    let sampled: u64 = kernel.histogram.counts().iter().sum();
    assert_eq!(kernel.values, 160 * 160);
    assert!(sampled as usize <= SAMPLES && sampled as usize > SAMPLES / 3, "{sampled}");
}
