//! Class weights and weight decay as Keras's `fit` and `AdamW` have them: the training loop reproduces three
//! epochs recorded by `tests/fixtures/make_keras_fit_fixture.py`, with a last batch that is smaller than the
//! others. Two classes are read from files and told apart by a sigmoid, three come from arrays and are told
//! apart by a softmax, with and without batch normalization.

mod common;

use common::networks::{way_name, ways_to_train};
use common::{assert_close, wide};
use glassnet::classes::Label;
use glassnet::data::arrays::ArraySet;
use glassnet::data::batches::Loader;
use glassnet::data::catalog::Catalog;
use glassnet::data::images::{CACHE_BUDGET_BYTES, ImageSet};
use glassnet::data::sample::scale;
use glassnet::data::source::Source;
use glassnet::data::split::Split;
use glassnet::head::ClassWeights;
use glassnet::network::Network;
use glassnet::optim::AdamConstants;
use glassnet::parameters::Parameters;
use glassnet::plan::PlanOptions;
use glassnet::spec::ModelSpec;
use glassnet::training::{ClassWeighting, EpochRecord, TrainSettings, TrainingState, train};
use image::{ImageFormat, RgbImage};
use ndarray::Array4;
use safetensors::SafeTensors;
use serde_json::{Value, json};
use std::io::Cursor;
use std::sync::Arc;

const SIDE: u32 = 9;

/// The error allowed, of each tensor's largest element.
const TOLERANCE: f64 = 1e-5;
/// The error allowed of what the training moved the weights by, which is as large as they are.
const UPDATE_TOLERANCE: f64 = 3e-5;

/// A recorded `fit`.
#[derive(Clone, Copy)]
enum Fixture {
    /// Of two classes.
    Two,
    /// Of three.
    Three,
    /// Of three, with batch normalization.
    Normalized,
}

fn recorded(fixture: Fixture) -> Vec<u8> {
    let name = match fixture {
        Fixture::Two => "keras_fit",
        Fixture::Three => "keras_fit_softmax",
        Fixture::Normalized => "keras_fit_normalized",
    };
    std::fs::read(format!("{}/tests/fixtures/{name}.safetensors", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn tensor(file: &SafeTensors, name: &str) -> Vec<f32> {
    let view = file.tensor(name).unwrap_or_else(|error| panic!("{name}: {error}"));
    view.data().chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
}

/// What the script set.
fn recorded_settings(fixture: Fixture) -> Value {
    let (_, metadata) = SafeTensors::read_metadata(&recorded(fixture)).unwrap();
    serde_json::from_str(&metadata.metadata().as_ref().unwrap()["fixture"]).unwrap()
}

fn network(fixture: Fixture) -> Network {
    let (units, normalization) = match fixture {
        Fixture::Two => ("1", ""),
        Fixture::Three => ("3", ""),
        Fixture::Normalized => ("3", "{ type = 'batch_normalization', momentum = 0.8 },"),
    };
    let layers = "
        input = [9, 9, 3]
        layers = [
            { type = 'conv2d', filters = 4, kernel = 3 }, { type = 'relu' }, NORMALIZATION { type = 'max_pool', window = 2 },
            { type = 'flatten' }, { type = 'dense', units = 6 }, { type = 'relu' }, { type = 'dense', units = UNITS },
        ]";
    let layers = layers.replace("UNITS", units).replace("NORMALIZATION", normalization);
    Network::new(&toml::from_str::<ModelSpec>(&layers).unwrap()).unwrap()
}

/// A part of the recorded images.
fn loader(fixture: Fixture, file: &SafeTensors, part: &str, batch_size: usize) -> Loader {
    match fixture {
        Fixture::Two => loader_of_files(file, part, batch_size),
        Fixture::Three | Fixture::Normalized => loader_of_arrays(file, part, batch_size),
    }
}

fn loader_of_arrays(file: &SafeTensors, part: &str, batch_size: usize) -> Loader {
    let labels = tensor(file, &format!("{part}/labels")).iter().map(|&label| Label::new(label as usize)).collect();
    let view = file.tensor(&format!("{part}/images")).unwrap();
    let shape: [usize; 4] = view.shape().try_into().unwrap();
    let values = view.data().iter().copied().map(scale).collect();
    Loader::from_arrays(ArraySet::new(Array4::from_shape_vec(shape, values).unwrap(), labels).unwrap(), batch_size)
        .unwrap()
}

/// The images as PNG files that are read as any are.
fn loader_of_files(file: &SafeTensors, part: &str, batch_size: usize) -> Loader {
    let labels = tensor(file, &format!("{part}/labels"));
    let images = file.tensor(&format!("{part}/images")).unwrap().data().to_vec();
    let file_of = |(index, (pixels, &label)): (usize, (&[u8], &f32))| {
        let mut bytes = Cursor::new(Vec::new());
        let picture = RgbImage::from_raw(SIDE, SIDE, pixels.to_vec()).unwrap();
        picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
        (format!("{}/{index:02}.png", if label > 0.5 { "b" } else { "a" }), bytes.into_inner())
    };
    let pixels = images.chunks_exact((SIDE * SIDE * 3) as usize);
    let source = Arc::new(Source::from_memory(part, pixels.zip(&labels).enumerate().map(file_of).collect()).unwrap());
    let items = Split::new(&Catalog::from_source(&source).unwrap(), 0.0).unwrap().training;
    let found: Vec<f32> = items.iter().map(|item| item.label.index() as f32).collect();
    assert_eq!(found, labels, "the order of the images is that of the script");
    Loader::new(Arc::new(ImageSet::new(source, items, SIDE as usize, CACHE_BUDGET_BYTES).unwrap()), batch_size).unwrap()
}

/// Trains as the script did, but for these two settings; what was measured and the weights at the end.
fn fit(
    fixture: Fixture,
    options: &PlanOptions,
    class_weight: ClassWeighting,
    weight_decay: f64,
) -> (Vec<EpochRecord>, Parameters) {
    let bytes = recorded(fixture);
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let recorded = recorded_settings(fixture);
    let number = |name: &str| recorded[name].as_u64().unwrap() as usize;
    let of_optimizer = |name: &str| recorded["optimizer"][name].as_f64().unwrap();
    let adam = AdamConstants::default();
    let defaults = [("beta_1", adam.beta_1), ("beta_2", adam.beta_2), ("epsilon", adam.epsilon)];
    defaults.iter().for_each(|(name, value)| assert_eq!(of_optimizer(name), *value, "{name}"));
    let settings = TrainSettings {
        epochs: number("epochs"),
        learning_rate: of_optimizer("learning_rate"),
        weight_decay,
        class_weight,
        shuffle: false,
        conv: options.conv,
        fuse: options.fuse,
        ..TrainSettings::default()
    };
    let network = network(fixture);
    let mut parameters = Parameters::zeros(network.table());
    for (id, entry) in network.table().entries().iter().enumerate() {
        parameters.tensor_mut(id).copy_from_slice(&tensor(&file, &format!("init/{}", entry.name)));
    }
    let [training, validation] =
        ["training", "validation"].map(|part| loader(fixture, &file, part, number("batch_size")));
    let mut state = TrainingState::new(parameters, settings.optimizer().unwrap());
    train(&network, &mut state, &training, Some(&validation), &settings, |_, _| Ok(())).unwrap();
    (state.history, state.parameters)
}

/// The columns that Keras's `fit` reports, by their names there.
fn columns(history: &[EpochRecord]) -> [(&'static str, Vec<f32>); 4] {
    let column = |of: fn(&EpochRecord) -> f64| history.iter().map(|record| of(record) as f32).collect();
    [
        ("loss", column(|record| record.loss)),
        ("accuracy", column(|record| record.accuracy)),
        ("val_loss", column(|record| record.val_loss.unwrap())),
        ("val_accuracy", column(|record| record.val_accuracy.unwrap())),
    ]
}

fn reproduce(fixture: Fixture) {
    let bytes = recorded(fixture);
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let recorded = recorded_settings(fixture);
    let labels = tensor(&file, "training/labels");
    let classes = network(fixture).head().classes();
    let count = |class: usize| labels.iter().filter(|&&label| label as usize == class).count();
    let weights = ClassWeights::balanced(&(0..classes).map(count).collect::<Vec<usize>>());
    assert_eq!(json!(weights), recorded["class_weight"]);
    assert_ne!(labels.len() % recorded["batch_size"].as_u64().unwrap() as usize, 0, "the last batch is smaller");
    let weight_decay = recorded["optimizer"]["weight_decay"].as_f64().unwrap();
    for options in ways_to_train() {
        let way = way_name(&options);
        let (history, parameters) = fit(fixture, &options, ClassWeighting::Balanced, weight_decay);
        for (name, column) in columns(&history) {
            assert_close(&format!("{name}, {way}"), &column, &wide(&tensor(&file, name)), TOLERANCE);
        }
        for (id, entry) in parameters.table().entries().iter().enumerate() {
            let [init, after] = ["init", "after"].map(|when| tensor(&file, &format!("{when}/{}", entry.name)));
            let moved = |values: &[f32]| -> Vec<f32> { values.iter().zip(&init).map(|(w, w0)| w - w0).collect() };
            let what = format!("after − init, {}, {way}", entry.name);
            assert_close(&what, &moved(parameters.tensor(id)), &wide(&moved(&after)), UPDATE_TOLERANCE);
        }
    }
}

#[test]
fn class_weights_and_weight_decay_do_what_they_do_in_keras() {
    reproduce(Fixture::Two);
}

#[test]
fn three_classes_and_their_weights_do_what_they_do_in_keras() {
    reproduce(Fixture::Three);
}

#[test]
fn batch_normalization_trains_by_the_batch_and_validates_by_its_moving_statistics_as_in_keras() {
    reproduce(Fixture::Normalized);
}

fn differ_without_either(fixture: Fixture) {
    let bytes = recorded(fixture);
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let settings = recorded_settings(fixture);
    let weights = serde_json::from_value(settings["class_weight"].clone()).unwrap();
    let (weighted, decay) = (ClassWeighting::Each(weights), settings["optimizer"]["weight_decay"].as_f64());
    for (class_weight, weight_decay) in [(ClassWeighting::None, decay.unwrap()), (weighted, 0.0)] {
        let (history, parameters) = fit(fixture, &PlanOptions::default(), class_weight, weight_decay);
        let [(_, losses), ..] = columns(&history);
        let recorded = wide(&tensor(&file, "loss"));
        assert!(common::error(&losses, &recorded) > 1000.0 * TOLERANCE, "{losses:?} {recorded:?}");
        for (id, entry) in parameters.table().entries().iter().enumerate() {
            let after = wide(&tensor(&file, &format!("after/{}", entry.name)));
            assert!(common::error(parameters.tensor(id), &after) > 100.0 * UPDATE_TOLERANCE, "{}", entry.name);
        }
    }
}

#[test]
fn the_recorded_losses_and_weights_are_not_those_of_a_run_without_either() {
    differ_without_either(Fixture::Two);
    differ_without_either(Fixture::Three);
}
