//! Class weights and weight decay as Keras's `fit` and `AdamW` have them: the training loop reproduces three
//! epochs recorded by `tests/fixtures/make_keras_fit_fixture.py`, with a last batch that is smaller than the
//! others.

mod common;

use common::networks::{way_name, ways_to_train};
use common::{assert_close, wide};
use glassnet::data::batches::Loader;
use glassnet::data::catalog::Catalog;
use glassnet::data::images::{CACHE_BUDGET_BYTES, ImageSet};
use glassnet::data::source::Source;
use glassnet::data::split::Split;
use glassnet::head::ClassWeights;
use glassnet::network::Network;
use glassnet::optim::AdamSettings;
use glassnet::parameters::Parameters;
use glassnet::plan::PlanOptions;
use glassnet::spec::ModelSpec;
use glassnet::training::{ClassWeighting, EpochRecord, TrainSettings, TrainingState, train};
use image::{ImageFormat, RgbImage};
use safetensors::SafeTensors;
use serde_json::{Value, json};
use std::io::Cursor;
use std::sync::Arc;

const SIDE: u32 = 9;

/// The error allowed, of each tensor's largest element.
const TOLERANCE: f64 = 1e-5;
/// The error allowed of what the training moved the weights by, which is as large as they are.
const UPDATE_TOLERANCE: f64 = 3e-5;

fn fixture() -> Vec<u8> {
    std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/keras_fit.safetensors")).unwrap()
}

fn tensor(file: &SafeTensors, name: &str) -> Vec<f32> {
    let view = file.tensor(name).unwrap_or_else(|error| panic!("{name}: {error}"));
    view.data().chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
}

/// What the script set.
fn recorded_settings() -> Value {
    let (_, metadata) = SafeTensors::read_metadata(&fixture()).unwrap();
    serde_json::from_str(&metadata.metadata().as_ref().unwrap()["fixture"]).unwrap()
}

fn network() -> Network {
    let layers = "
        input = [9, 9, 3]
        layers = [
            { type = 'conv2d', filters = 4, kernel = 3 }, { type = 'relu' }, { type = 'max_pool', window = 2 },
            { type = 'flatten' }, { type = 'dense', units = 6 }, { type = 'relu' }, { type = 'dense', units = 1 },
        ]";
    Network::new(&toml::from_str::<ModelSpec>(layers).unwrap()).unwrap()
}

/// A part of the recorded images, as a set of PNG files that is read as any is.
fn loader(file: &SafeTensors, part: &str, batch_size: usize) -> Loader {
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
    let items = Split::new(&Catalog::of(&source).unwrap(), 0.0).unwrap().training;
    let found: Vec<f32> = items.iter().map(|item| item.label.index() as f32).collect();
    assert_eq!(found, labels, "the order of the images is that of the script");
    Loader::new(Arc::new(ImageSet::new(source, items, SIDE as usize, CACHE_BUDGET_BYTES).unwrap()), batch_size).unwrap()
}

/// Trains as the script did, but for these two settings; what was measured and the weights at the end.
fn fit(options: &PlanOptions, class_weight: ClassWeighting, weight_decay: f64) -> (Vec<EpochRecord>, Parameters) {
    let bytes = fixture();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let recorded = recorded_settings();
    let number = |name: &str| recorded[name].as_u64().unwrap() as usize;
    let of_optimizer = |name: &str| recorded["optimizer"][name].as_f64().unwrap();
    let adam = AdamSettings::default();
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
    let network = network();
    let mut parameters = Parameters::zeros(network.table());
    for (id, entry) in network.table().entries().iter().enumerate() {
        parameters.tensor_mut(id).copy_from_slice(&tensor(&file, &format!("init/{}", entry.name)));
    }
    let [training, validation] = ["training", "validation"].map(|part| loader(&file, part, number("batch_size")));
    let mut state = TrainingState::new(parameters, settings.adam());
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

#[test]
fn class_weights_and_weight_decay_do_what_they_do_in_keras() {
    let bytes = fixture();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let recorded = recorded_settings();
    let labels = tensor(&file, "training/labels");
    let positives = labels.iter().filter(|label| **label > 0.5).count();
    let weights = ClassWeights::balanced(&[labels.len() - positives, positives]);
    assert_eq!(json!(weights), recorded["class_weight"]);
    assert_ne!(labels.len() % recorded["batch_size"].as_u64().unwrap() as usize, 0, "the last batch is smaller");
    let weight_decay = recorded["optimizer"]["weight_decay"].as_f64().unwrap();
    for options in ways_to_train() {
        let way = way_name(&options);
        let (history, parameters) = fit(&options, ClassWeighting::Balanced, weight_decay);
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
fn the_recorded_losses_and_weights_are_not_those_of_a_run_without_either() {
    let bytes = fixture();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let [negative, positive] = [0, 1].map(|class| recorded_settings()["class_weight"][class].as_f64().unwrap());
    let (weighted, decay) = (
        ClassWeighting::Each(ClassWeights::new([negative, positive])),
        recorded_settings()["optimizer"]["weight_decay"].as_f64(),
    );
    for (class_weight, weight_decay) in [(ClassWeighting::None, decay.unwrap()), (weighted, 0.0)] {
        let (history, parameters) = fit(&PlanOptions::default(), class_weight, weight_decay);
        let [(_, losses), ..] = columns(&history);
        let recorded = wide(&tensor(&file, "loss"));
        assert!(common::error(&losses, &recorded) > 1000.0 * TOLERANCE, "{losses:?} {recorded:?}");
        for (id, entry) in parameters.table().entries().iter().enumerate() {
            let after = wide(&tensor(&file, &format!("after/{}", entry.name)));
            assert!(common::error(parameters.tensor(id), &after) > 100.0 * UPDATE_TOLERANCE, "{}", entry.name);
        }
    }
}
