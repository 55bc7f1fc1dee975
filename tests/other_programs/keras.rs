//! Keras's files.

use super::common::every_layer::networks_of_every_layer;
use super::{answers, assert_answers, fixture, images, keras_files, nowhere, read, refusal};
use glassnet::checkpoint::{self, Checkpoint, ModelCard, RESCALE, TrainingFacts};
use glassnet::classes::{Classes, Label};
use glassnet::data::reading::{Reading, Resize};
use glassnet::exchange::keras::{PixelInput, Training, check_layers, from_zip, to_bytes};
use glassnet::exchange::{Given, Imported, PixelRange, PixelScale};
use glassnet::geometry::Padding;
use glassnet::network::Network;
use glassnet::optim::{Clipping, Optimizer, OptimizerSettings, Rule, Schedule};
use glassnet::parameters::Parameters;
use glassnet::plan::predict;
use glassnet::random::{Purpose, Stream};
use glassnet::spec::{LayerSpec, ModelSpec};
use glassnet::training::{StepRow, TrainingState};
use proptest::prelude::*;
use serde_json::Value;
use std::io::{Cursor, Read};

fn bits(parameters: &Parameters) -> Vec<u32> {
    parameters.as_slice().iter().map(|weight| weight.to_bits()).collect()
}

/// Weights of every size and sign, variances above 0.
fn drawn(network: &Network, seed: u64) -> Parameters {
    let mut parameters = network.initial_parameters(seed);
    let mut stream = Stream::new(seed, Purpose::Test, 0, 0);
    for id in 0..network.table().entries().len() {
        parameters.tensor_mut(id).iter_mut().for_each(|weight| *weight += stream.uniform_f64(0.0, 0.5) as f32);
    }
    parameters
}

fn checkpoint(network: &Network, parameters: Parameters) -> Checkpoint {
    let count = network.head().classes();
    let classes = Classes::new((0..count).map(|class| format!("class \"{class}\" ä"))).unwrap();
    let reading = Reading { resize: Resize::Letterbox, ..Reading::default() };
    let training = TrainingFacts { epochs: 2, seed: 3, images: 4, val_loss: Some(0.5), val_accuracy: None };
    let (spec, version) = (network.spec().clone(), "0.0.0".to_string());
    let resize = reading.resize_name();
    let card = ModelCard { version, spec, classes, rescale: RESCALE, resize, reading, threshold: 0.25, training };
    Checkpoint { card, network: network.clone(), parameters }
}

fn tiny() -> Network {
    let spec = "input = [6, 5, 3]
        layers = [
            { type = 'conv2d', filters = 4, kernel = 3 }, { type = 'relu' }, { type = 'flatten' },
            { type = 'dropout', rate = 0.5 }, { type = 'dense', units = 1 },
        ]";
    Network::new(&toml::from_str(spec).unwrap()).unwrap()
}

fn given_none() -> Given<'static> {
    Given::default()
}

#[test]
fn models_that_keras_saved_answer_as_they_did_there() {
    for name in ["sequential.keras", "sequential.h5"] {
        let model = read(&fixture(name), &given_none()).unwrap();
        assert_answers(&model, &answers("sequential"));
        assert_eq!(model.card, None);
    }
    for name in ["functional.keras", "functional.h5"] {
        let model = read(&fixture(name), &given_none()).unwrap();
        assert_answers(&model, &answers("functional"));
        let notes = model.notes.join("\n");
        assert!(notes.contains("left out, as they do nothing but in training: 'random_flip' (RandomFlip)"), "{notes}");
        assert!(notes.contains("it sees pixels from -1 to 1; that is folded into the weights"), "{notes}");
    }
}

#[test]
fn a_border_that_a_layer_makes_is_the_next_layers_padding_and_a_layer_again_when_written() {
    let model = read(&fixture("bordered.keras"), &given_none()).unwrap();
    assert_answers(&model, &answers("bordered"));
    let paddings: Vec<Padding> =
        model.network.spec().layers.clone().iter_mut().filter_map(|layer| layer.padding_mut().copied()).collect();
    let one = Padding::pixels([1, 1], [1, 1]);
    assert_eq!(paddings, [one, Padding::pixels([0, 1], [1, 0]), one]);
    let written = to_bytes(&checkpoint(&model.network, model.parameters.clone()), None, PixelInput::Unit).unwrap();
    let classes = |bytes: &[u8]| {
        let config = json(bytes, "config.json");
        let layers = config["config"]["layers"].as_array().unwrap().clone();
        layers.iter().map(|layer| layer["class_name"].as_str().unwrap().to_string()).collect::<Vec<_>>()
    };
    let ours = classes(&written);
    assert_eq!(ours.iter().filter(|class| *class == "ZeroPadding2D").count(), 3);
    let read_again = from_zip(nowhere(), written, &given_none()).unwrap();
    assert_eq!(read_again.network.spec(), model.network.spec());
    assert_eq!(bits(&read_again.parameters), bits(&model.parameters));

    let averaged = "input = [6, 5, 3]
        layers = [
            { type = 'average_pool', window = 2, padding = 1 }, { type = 'flatten' }, { type = 'dense', units = 1 },
        ]";
    let averaged = Network::new(&toml::from_str(averaged).unwrap()).unwrap();
    let error = to_bytes(&checkpoint(&averaged, drawn(&averaged, 1)), None, PixelInput::Unit).unwrap_err();
    assert!(error.starts_with("its layer 'average_pooling2d' leaves out a border of so many pixels"), "{error}");
}

#[test]
fn all_files_of_a_model_have_the_same_weights_to_the_bit() {
    let whole = read(&fixture("sequential.keras"), &given_none()).unwrap();
    let old = read(&fixture("sequential.h5"), &given_none()).unwrap();
    let spec = whole.network.spec().clone();
    let alone = read(&fixture("sequential.weights.h5"), &Given { model: Some(&spec), ..given_none() }).unwrap();
    assert_eq!(old.network.spec(), &spec);
    assert_eq!(bits(&old.parameters), bits(&whole.parameters));
    assert_eq!(bits(&alone.parameters), bits(&whole.parameters));
    let notes = whole.notes.join("\n");
    assert!(notes.starts_with("saved by Keras 3."), "{notes}");
    assert!(notes.contains("its optimizer's state after 6 steps is left behind"), "{notes}");
}

#[test]
fn weights_alone_need_the_layers_that_they_are_of() {
    let bytes = fixture("sequential.weights.h5");
    assert!(refusal(&bytes, &given_none()).contains("it holds weights without their layers; give these too"));
    let spec = read(&fixture("sequential.keras"), &given_none()).unwrap().network.spec().clone();
    let refused = |spec: &ModelSpec| refusal(&bytes, &Given { model: Some(spec), ..given_none() });
    let mut fewer = spec.clone();
    fewer.layers.truncate(fewer.layers.len() - 3);
    assert!(refused(&fewer).contains("it has weights of a layer 'dense_1', for which the model given has none"));
    let mut wider = spec.clone();
    for layer in &mut wider.layers {
        if let LayerSpec::Dense { units: units @ 5, .. } = layer {
            *units = 6;
        }
    }
    let error = refused(&wider);
    assert!(error.contains("its tensor 'layers/dense/vars/0' is [12, 5], and [12, 6] is needed"), "{error}");
    let whole = Given { model: Some(&spec), ..given_none() };
    assert!(refusal(&fixture("sequential.keras"), &whole).contains("it has its layers with it, and others are given"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_model_that_goes_to_keras_and_back_has_the_same_layers_card_and_bits(
        network in networks_of_every_layer(), seed: u32, as_bytes: bool,
    ) {
        prop_assume!(check_layers(&network).is_ok());
        let model = checkpoint(&network, drawn(&network, seed.into()));
        let input = if as_bytes { PixelInput::Bytes } else { PixelInput::Unit };
        let bytes = to_bytes(&model, None, input).unwrap();
        let Imported { network: read, parameters, card, .. } = from_zip(nowhere(), bytes, &given_none()).unwrap();
        prop_assert_eq!(format!("{:?}", read.layers()), format!("{:?}", network.layers()));
        prop_assert_eq!(bits(&parameters), bits(&model.parameters));
        prop_assert_eq!(card, Some(model.card));
    }
}

/// The entries of a `.keras` file.
fn entry(bytes: &[u8], name: &str) -> Vec<u8> {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut entry = Vec::new();
    zip.by_name(name).unwrap().read_to_end(&mut entry).unwrap();
    entry
}

fn json(bytes: &[u8], name: &str) -> Value {
    serde_json::from_slice(&entry(bytes, name)).unwrap()
}

#[test]
fn the_same_model_has_the_same_bytes_and_one_before_its_first_step_takes_no_room_for_moments() {
    let model = checkpoint(&tiny(), drawn(&tiny(), 1));
    let bytes = to_bytes(&model, None, PixelInput::Unit).unwrap();
    assert_eq!(to_bytes(&model, None, PixelInput::Unit).unwrap(), bytes);
    let mut zip = zip::ZipArchive::new(Cursor::new(&bytes)).unwrap();
    let weights = zip.by_name("model.weights.h5").unwrap();
    assert!(weights.compressed_size() * 2 < weights.size());
}

#[test]
fn a_training_goes_along_with_its_optimizer_loss_and_state() {
    let network = tiny();
    let settings = OptimizerSettings {
        learning_rate: 0.25,
        rule: Rule::Sgd { momentum: 0.5, nesterov: true },
        weight_decay: 0.125,
        clipping: Clipping::GlobalNorm(2.0),
    };
    let velocity = drawn(&network, 7);
    let optimizer = Optimizer::resumed(network.table(), settings, vec![velocity.clone()], 35);
    let training =
        Training { optimizer, schedule: Schedule::Constant, initial_learning_rate: 0.25, label_smoothing: 0.1 };
    let model = checkpoint(&network, drawn(&network, 1));
    let bytes = to_bytes(&model, Some(&training), PixelInput::Unit).unwrap();
    let compiled = &json(&bytes, "config.json")["compile_config"];
    let optimizer = &compiled["optimizer"];
    assert_eq!(optimizer["class_name"], "SGD");
    for (key, value) in [("learning_rate", 0.25), ("momentum", 0.5), ("weight_decay", 0.125), ("global_clipnorm", 2.0)]
    {
        assert_eq!(optimizer["config"][key], value, "{key}");
    }
    assert_eq!(
        (&optimizer["config"]["nesterov"], &optimizer["config"]["clipnorm"]),
        (&Value::Bool(true), &Value::Null)
    );
    assert_eq!(compiled["loss"]["class_name"], "BinaryCrossentropy");
    assert_eq!(compiled["loss"]["config"]["label_smoothing"], 0.1);
    let file = hdf5_pure::File::from_bytes(entry(&bytes, "model.weights.h5")).unwrap();
    assert_eq!(file.dataset("optimizer/vars/0").unwrap().read_i64().unwrap(), [35]);
    assert_eq!(file.dataset("optimizer/vars/1").unwrap().read_f32().unwrap(), [0.25]);
    for id in 0..4 {
        let kept = file.dataset(&format!("optimizer/vars/{}", id + 2)).unwrap().read_f32().unwrap();
        assert_eq!(kept, velocity.tensor(id));
    }
    let notes = from_zip(nowhere(), bytes, &given_none()).unwrap().notes.join("\n");
    assert!(notes.contains("its optimizer's state after 35 steps is left behind"), "{notes}");
}

#[test]
fn a_schedule_goes_along_and_takes_the_place_of_the_learning_rate() {
    let network = tiny();
    let compiled = |schedule: Schedule| {
        let optimizer = Optimizer::new(network.table(), OptimizerSettings::default());
        let training = Training { optimizer, schedule, initial_learning_rate: 0.5, label_smoothing: 0.0 };
        let model = checkpoint(&network, drawn(&network, 1));
        let bytes = to_bytes(&model, Some(&training), PixelInput::Unit).unwrap();
        let file = hdf5_pure::File::from_bytes(entry(&bytes, "model.weights.h5")).unwrap();
        let variables = file.group("optimizer/vars").unwrap().datasets().unwrap().len();
        (json(&bytes, "config.json")["compile_config"]["optimizer"]["config"]["learning_rate"].clone(), variables)
    };
    let (rate, variables) = compiled(Schedule::Constant);
    // The steps, the rate, and two moments of four tensors.
    assert_eq!((rate.as_f64(), variables), (Some(1e-3), 10));
    let (rate, variables) = compiled(Schedule::Cosine { decay_steps: 9, alpha: 0.25, warmup: Some((4, 0.75)) });
    assert_eq!((rate["class_name"].as_str(), variables), (Some("CosineDecay"), 9));
    assert_eq!((&rate["config"]["warmup_steps"], &rate["config"]["warmup_target"]), (&4.into(), &0.75.into()));
    let (rate, _) = compiled(Schedule::Piecewise(vec![(5, 0.25), (8, 0.125)]));
    assert_eq!(rate["config"]["values"], serde_json::json!([0.5, 0.25, 0.125]));
    let (rate, _) = compiled(Schedule::Staircase { decay_steps: 3, decay_rate: 0.5 });
    assert_eq!((&rate["class_name"], &rate["config"]["staircase"]), (&"ExponentialDecay".into(), &true.into()));
}

#[test]
fn the_state_of_a_run_is_found_in_its_file_and_none_in_one_of_weights() {
    let network = tiny();
    let model = checkpoint(&network, drawn(&network, 1));
    let mut state = TrainingState::new(model.parameters.clone(), OptimizerSettings::default());
    let mut gradients = drawn(&network, 2);
    for step in 1..=3 {
        let mut weights = state.parameters.clone();
        state.optimizer.step(&mut weights, &mut gradients);
        state.parameters = weights;
        state.steps.push(StepRow { step, epoch: 0, batch_size: 4, loss: 0.7, accuracy: 0.5 });
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.safetensors");
    let config = "[settings]\nlearning_rate = 0.002\nlabel_smoothing = 0.2\nbatch_size = 4\nseed = 1\n";
    checkpoint::run::save(&path, &model.card, &state, config).unwrap();
    let training = Training::of_run(&path, &network).unwrap().unwrap();
    assert_eq!((training.optimizer.steps(), training.label_smoothing), (3, 0.2));
    assert_eq!(training.optimizer.settings().learning_rate, 0.002);
    assert_eq!(bits(&training.optimizer.accumulators()[1]), bits(&state.optimizer.accumulators()[1]));
    checkpoint::save(&path, &model.card, &state.parameters).unwrap();
    assert!(Training::of_run(&path, &network).unwrap().is_none());
    assert_eq!(state.only_answers, Vec::<Option<Label>>::new());
}

#[test]
fn pixels_of_another_range_that_the_user_tells_of_are_folded_in() {
    let model = checkpoint(&tiny(), drawn(&tiny(), 1));
    let bytes = to_bytes(&model, None, PixelInput::Unit).unwrap();
    let pixels = Some(PixelScale::All(PixelRange { black: -1.0, white: 1.0 }));
    let folded = from_zip(nowhere(), bytes, &Given { pixels, ..given_none() }).unwrap();
    let images = images([6, 5, 3]);
    let theirs = predict(&model.network, &model.parameters, images.mapv(|x| 2.0 * x - 1.0).view()).unwrap();
    let ours = predict(&folded.network, &folded.parameters, images.view()).unwrap();
    assert!(ours.iter().zip(&theirs).all(|(ours, theirs)| (ours - theirs).abs() < 1e-6), "{ours:?} and {theirs:?}");
}

#[test]
fn a_model_that_takes_images_of_any_size_needs_one() {
    let spec = "input = [6, 5, 3]
        layers = [{ type = 'conv2d', filters = 2, kernel = 3 }, { type = 'global_average_pool' }, { type = 'dense', units = 1 }]";
    let network = Network::new(&toml::from_str(spec).unwrap()).unwrap();
    let bytes = to_bytes(&checkpoint(&network, drawn(&network, 1)), None, PixelInput::Unit).unwrap();
    let mut config = json(&bytes, "config.json");
    config["config"]["layers"][0]["config"]["batch_shape"] = serde_json::json!([null, null, null, 3]);
    let bytes = super::refused::with_entry(&bytes, "config.json", config.to_string().as_bytes());
    assert!(refusal(&bytes, &given_none()).contains("it takes images of any size, and a network here has one"));
    let read = keras_files::from_zip(nowhere(), bytes, &Given { image_size: Some([9, 8]), ..given_none() }).unwrap();
    assert_eq!(read.network.spec().input, [9, 8, 3]);
}
