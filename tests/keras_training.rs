//! Every optimizer, clipping and schedule, and label smoothing, as Keras's `fit` has them: the training loop
//! reproduces the epochs recorded by `tests/fixtures/make_keras_training_fixture.py`, with the learning rate
//! of every step.

mod common;

use common::networks::{way_name, ways_to_train};
use common::{assert_close, wide};
use glassnet::classes::Label;
use glassnet::data::arrays::ArraySet;
use glassnet::data::batches::Loader;
use glassnet::data::sample::scale;
use glassnet::network::Network;
use glassnet::parameters::Parameters;
use glassnet::plan::PlanOptions;
use glassnet::spec::ModelSpec;
use glassnet::training::{EpochRecord, LearningRates, TrainSettings, TrainingState, train};
use ndarray::Array4;
use safetensors::SafeTensors;
use serde_json::Value;
use std::collections::BTreeMap;

/// The error allowed, of each tensor's largest element.
const TOLERANCE: f64 = 1e-5;
/// The error allowed of what the training moved the weights by, which is as large as they are.
const UPDATE_TOLERANCE: f64 = 3e-5;

fn recorded() -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/keras_training.safetensors", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn tensor(file: &SafeTensors, name: &str) -> Vec<f32> {
    let view = file.tensor(name).unwrap_or_else(|error| panic!("{name}: {error}"));
    view.data().chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
}

/// What the script wrote of all cases.
fn facts() -> Value {
    let (_, metadata) = SafeTensors::read_metadata(&recorded()).unwrap();
    serde_json::from_str(&metadata.metadata().as_ref().unwrap()["fixture"]).unwrap()
}

/// The settings of each case, and its number of classes.
fn cases() -> BTreeMap<String, (TrainSettings, usize)> {
    let facts = facts();
    let of = |(name, case): (&String, &Value)| {
        let settings = serde_json::from_value(case["settings"].clone()).unwrap();
        (name.clone(), (settings, case["classes"].as_u64().unwrap() as usize))
    };
    facts["cases"].as_object().unwrap().iter().map(of).collect()
}

fn network(classes: usize) -> Network {
    let layers = "
        input = [9, 9, 3]
        layers = [
            { type = 'conv2d', filters = 4, kernel = 3 }, { type = 'relu' }, { type = 'max_pool', window = 2 },
            { type = 'flatten' }, { type = 'dense', units = 6 }, { type = 'relu' }, { type = 'dense', units = UNITS },
        ]";
    let units = if classes == 2 { 1 } else { classes };
    Network::new(&toml::from_str::<ModelSpec>(&layers.replace("UNITS", &units.to_string())).unwrap()).unwrap()
}

fn loader(file: &SafeTensors, classes: usize, part: &str) -> Loader {
    let labels = tensor(file, &format!("{classes}/{part}/labels"));
    let labels = labels.iter().map(|&label| Label::new(label as usize)).collect();
    let view = file.tensor(&format!("{classes}/{part}/images")).unwrap();
    let shape: [usize; 4] = view.shape().try_into().unwrap();
    let values = view.data().iter().copied().map(scale).collect();
    let batch_size = facts()["batch_size"].as_u64().unwrap() as usize;
    Loader::from_arrays(ArraySet::new(Array4::from_shape_vec(shape, values).unwrap(), labels).unwrap(), batch_size)
        .unwrap()
}

/// Trains from a case's first weights.
fn fit(case: &str, classes: usize, settings: &TrainSettings) -> TrainingState {
    let bytes = recorded();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let network = network(classes);
    let mut parameters = Parameters::zeros(network.table());
    for (id, entry) in network.table().entries().iter().enumerate() {
        parameters.tensor_mut(id).copy_from_slice(&tensor(&file, &format!("{case}/init/{}", entry.name)));
    }
    let [training, validation] = ["training", "validation"].map(|part| loader(&file, classes, part));
    let mut state = TrainingState::new(parameters, settings.optimizer().unwrap());
    train(&network, &mut state, &training, Some(&validation), settings, |_, _| Ok(())).unwrap();
    state
}

/// The error of a training against a recorded case, in parts of what is allowed: the largest of what an epoch
/// reports and of what the weights moved by.
fn error(case: &str, state: &TrainingState) -> f64 {
    let bytes = recorded();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let column = |of: fn(&EpochRecord) -> f64| state.history.iter().map(|record| of(record) as f32).collect();
    let columns: [(&str, Vec<f32>); 4] = [
        ("loss", column(|record| record.loss)),
        ("accuracy", column(|record| record.accuracy)),
        ("val_loss", column(|record| record.val_loss.unwrap())),
        ("val_accuracy", column(|record| record.val_accuracy.unwrap())),
    ];
    let reported = columns
        .map(|(name, column)| common::error(&column, &wide(&tensor(&file, &format!("{case}/{name}")))) / TOLERANCE);
    let entries = state.parameters.table().entries().iter().enumerate();
    let moved = entries.map(|(id, entry)| {
        let [init, after] = ["init", "after"].map(|when| tensor(&file, &format!("{case}/{when}/{}", entry.name)));
        let moved = |values: &[f32]| -> Vec<f32> { values.iter().zip(&init).map(|(w, w0)| w - w0).collect() };
        common::error(&moved(state.parameters.tensor(id)), &wide(&moved(&after))) / UPDATE_TOLERANCE
    });
    // A NaN is the largest.
    reported.into_iter().chain(moved).fold(0.0, |largest, error| if error <= largest { largest } else { error })
}

#[test]
fn every_case_ends_where_it_ends_in_keras_by_every_algorithm_fused_or_not() {
    assert_eq!(cases().len(), 19);
    for (case, (settings, classes)) in cases() {
        for PlanOptions { conv, fuse, .. } in ways_to_train() {
            let state = fit(&case, classes, &TrainSettings { conv, fuse, ..settings.clone() });
            let error = error(&case, &state);
            let way = way_name(&PlanOptions { conv, fuse, ..PlanOptions::default() });
            assert!(error <= 1.0, "{case}, {way}: {error} times what is allowed");
        }
    }
}

#[test]
fn every_step_has_the_learning_rate_that_it_has_in_keras() {
    let bytes = recorded();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    for (case, (settings, classes)) in cases() {
        let state = fit(&case, classes, &settings);
        let rates = LearningRates::new(&settings, &state.history).unwrap();
        let found: Vec<f32> =
            state.steps.iter().map(|row| rates.of_step(row.step as u64 - 1, row.epoch) as f32).collect();
        assert_close(&case, &found, &wide(&tensor(&file, &format!("{case}/learning_rate"))), 1e-6);
    }
}

#[test]
fn no_case_ends_where_another_setting_would_end() {
    let plain = |settings: &TrainSettings| TrainSettings {
        epochs: settings.epochs,
        shuffle: false,
        learning_rate: settings.learning_rate,
        optimizer: settings.optimizer,
        ..TrainSettings::default()
    };
    let changed = cases().into_iter().filter(|(_, (settings, _))| plain(settings) != *settings);
    let mut count = 0;
    for (case, (settings, classes)) in changed {
        // Each setting by itself; those that cannot do without another go with it.
        let alone: [fn(&mut TrainSettings, &TrainSettings); 8] = [
            |settings, plain| settings.weight_decay = plain.weight_decay,
            |settings, plain| (settings.momentum, settings.nesterov) = (plain.momentum, plain.nesterov),
            |settings, plain| settings.nesterov = plain.nesterov,
            |settings, plain| settings.clip_norm = plain.clip_norm,
            |settings, plain| settings.global_clip_norm = plain.global_clip_norm,
            |settings, plain| settings.clip_value = plain.clip_value,
            |settings, plain| settings.label_smoothing = plain.label_smoothing,
            |settings, plain| {
                let TrainSettings { epochs, shuffle, learning_rate, optimizer, weight_decay, .. } = *settings;
                *settings = TrainSettings { epochs, shuffle, learning_rate, optimizer, weight_decay, ..plain.clone() };
            },
        ];
        for change in alone {
            let mut other = settings.clone();
            change(&mut other, &plain(&settings));
            if other != settings {
                let error = error(&case, &fit(&case, classes, &other));
                assert!(error > 20.0, "{case}: {error} times what is allowed, with {other:?}");
                count += 1;
            }
        }
    }
    assert!(count >= 20, "{count} changes");
}
