//! ONNX files: run by another engine, rten, they answer as the textbook does; read again they are the model
//! that was written, to the last bit; and what is no chain of our layers is refused by the name of its node.

mod common;

use common::every_layer::{networks_of_every_layer, predicted};
use common::networks::Batch;
use common::{assert_close, assert_same_bits, random_parameters};
use glassnet::checkpoint::{Checkpoint, ModelCard, RESCALE, TrainingFacts};
use glassnet::classes::Classes;
use glassnet::data::reading::{BitDepth, Reading};
use glassnet::data::sample::scale;
use glassnet::exchange::onnx::{OnnxInput, from_bytes, to_bytes};
use glassnet::network::Network;
use glassnet::plan::predict;
use glassnet::random::{Purpose, Stream};
use glassnet::reference::{sigmoid, softmax};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use rten::Model;
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, Tensor};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// The error allowed, of the largest probability: rten computes in f32, too, and its softmax is one of its
/// own.
const TOLERANCE: f64 = 1e-5;

/// A network with these weights as a model that sees images in the default way.
fn model(network: &Network, seed: u64, reading: Reading) -> Checkpoint {
    let card = ModelCard {
        version: "1.2.3".into(),
        spec: network.spec().clone(),
        classes: Classes::new((0..network.head().classes()).map(|class| format!("class {class}"))).unwrap(),
        rescale: RESCALE,
        resize: reading.resize_name(),
        reading,
        threshold: 0.25,
        training: TrainingFacts { epochs: 3, seed, images: 9, val_loss: Some(0.5), val_accuracy: None },
    };
    Checkpoint { card, network: network.clone(), parameters: random_parameters(network, seed) }
}

/// What rten answers.
fn answers(bytes: Vec<u8>, input: rten::Value) -> Vec<f32> {
    let model = Model::load(bytes).expect("rten reads the file");
    let output: Tensor<f32> = model.run_one(input.into(), None).expect("rten runs it").try_into().expect("floats");
    output.to_vec()
}

/// Logits as probabilities.
fn probabilities(logits: &[f64], units: usize) -> Vec<f64> {
    logits.chunks(units).flat_map(|row| if let [z] = row { vec![sigmoid(*z)] } else { softmax(row) }).collect()
}

#[test]
fn another_engine_answers_as_the_textbook_and_what_is_read_again_has_the_same_bits() {
    let mut runner = TestRunner::new(Config {
        cases: 120,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..Config::default()
    });
    let seen = RefCell::new(BTreeSet::new());
    runner
        .run(&(networks_of_every_layer(), 1..4usize, any::<u32>()), |(network, count, seed)| {
            let model = model(&network, u64::from(seed), Reading::default());
            let batch = Batch::draw(&network, count, u64::from(seed));
            let [height, width, channels] = network.spec().input;
            let bytes = to_bytes(&model, OnnxInput::Floats);
            let images = NdTensor::from_data([count, height, width, channels], batch.images.clone());
            let input: NdTensor<f32, 4> = images.permuted([0, 3, 1, 2]).to_tensor();
            let expected = probabilities(&predicted(&network, &model.parameters, &batch), network.head().units());
            assert_close("rten", &answers(bytes.clone(), input.into()), &expected, TOLERANCE);

            let read = from_bytes(&bytes).unwrap();
            assert_eq!(read.notes, [""; 0]);
            let read = read.into_checkpoint(None).unwrap();
            assert_eq!(read.card, model.card);
            assert_same_bits("weights", read.parameters.as_slice(), model.parameters.as_slice());
            seen.borrow_mut().extend(network.layers().iter().map(|layer| {
                layer
                    .name
                    .split("2d")
                    .next()
                    .unwrap()
                    .trim_end_matches(|c: char| c == '_' || c.is_numeric())
                    .to_string()
            }));
            Ok(())
        })
        .unwrap();
    let all = "average_pooling batch_normalization conv dense depthwise_conv dropout flatten global_average_pooling leaky_re_lu \
               max_pooling re_lu";
    assert_eq!(seen.into_inner().into_iter().collect::<Vec<_>>().join(" "), all);
}

#[test]
fn without_the_card_the_layers_and_the_weights_are_the_same_but_for_what_a_graph_does_not_tell() {
    let layers = "
        input = [9, 8, 3]
        layers = [
            { type = 'conv2d', filters = 4, kernel = 3, padding = 'same', stride = 2, use_bias = false },
            { type = 'batch_normalization', momentum = 0.9 }, { type = 'relu' },
            { type = 'depthwise_conv2d', kernel = [3, 2], depth_multiplier = 2, padding = [[0, 2], [1, 1]] },
            { type = 'leaky_relu', negative_slope = 0.1 },
            { type = 'average_pool', window = 3, stride = 2, padding = 'same' },
            { type = 'flatten' }, { type = 'dense', units = 5 }, { type = 'batch_normalization', momentum = 0.9 },
            { type = 'relu' }, { type = 'dense', units = 3 },
        ]";
    let network = Network::new(&toml::from_str(layers).unwrap()).unwrap();
    let model = model(&network, 7, Reading::default());
    let bytes = to_bytes(&model, OnnxInput::Floats);
    // The card's key is another, so that no card is found.
    let place = bytes.windows(10).rposition(|window| window == b"\x0a\x08glassnet").unwrap();
    let mut stranger = bytes.clone();
    stranger[place + 2] = b'G';
    let read = from_bytes(&stranger).unwrap();
    assert_eq!(read.notes, ["it does not say how pictures are scaled, and numbers from 0 to 1 were taken to go in"]);
    let read = read.into_checkpoint(None).unwrap();
    assert_eq!(read.card.spec, model.card.spec);
    assert_eq!(read.card.classes.names().collect::<Vec<_>>(), ["0", "1", "2"]);
    assert_same_bits("weights", read.parameters.as_slice(), model.parameters.as_slice());
}

#[test]
fn a_sigmoid_of_each_of_several_outputs_is_one_of_labels_that_an_image_may_have_together() {
    let layers = "
        input = [9, 8, 3]
        several_labels = true
        layers = [
            { type = 'conv2d', filters = 4, kernel = 3 }, { type = 'relu' }, { type = 'flatten' },
            { type = 'dense', units = 3 },
        ]";
    let network = Network::new(&toml::from_str(layers).unwrap()).unwrap();
    let (model, batch) = (model(&network, 7, Reading::default()), Batch::draw(&network, 3, 7));
    let bytes = to_bytes(&model, OnnxInput::Floats);
    let images = NdTensor::from_data([3, 9, 8, 3], batch.images.clone());
    let input: NdTensor<f32, 4> = images.permuted([0, 3, 1, 2]).to_tensor();
    let logits = predicted(&network, &model.parameters, &batch);
    let expected: Vec<f64> = logits.into_iter().map(sigmoid).collect();
    assert_close("rten", &answers(bytes.clone(), input.into()), &expected, TOLERANCE);
    assert_eq!(from_bytes(&bytes).unwrap().into_checkpoint(None).unwrap().card, model.card);
    let place = bytes.windows(10).rposition(|window| window == b"\x0a\x08glassnet").unwrap();
    let mut stranger = bytes.clone();
    stranger[place + 2] = b'G';
    let read = from_bytes(&stranger).unwrap();
    assert_eq!(read.notes[0], "it ends with 3 sigmoids, so an image may have several of its labels, or none");
    assert_eq!(read.into_checkpoint(None).unwrap().card.spec, model.card.spec);
}

#[test]
fn bytes_go_in_as_they_are_and_the_graph_scales_them() {
    let layers = "
        input = [6, 7, 3]
        layers = [
            { type = 'conv2d', filters = 4, kernel = 3 }, { type = 'relu' }, { type = 'flatten' },
            { type = 'dense', units = 1 },
        ]";
    let network = Network::new(&toml::from_str(layers).unwrap()).unwrap();
    let model_of = |reading| model(&network, 3, reading);
    let eight = model_of(Reading::default());
    let mut stream = Stream::new(1, Purpose::Test, 0, 0);
    let pixels: Vec<u8> = (0..2 * 6 * 7 * 3).map(|_| stream.below(256) as u8).collect();
    let images =
        ndarray::Array4::from_shape_vec((2, 6, 7, 3), pixels.iter().map(|&byte| scale(byte)).collect()).unwrap();
    let expected: Vec<f64> =
        predict(&network, &eight.parameters, images.view()).unwrap().iter().map(|&p| p.into()).collect();
    let bytes = to_bytes(&eight, OnnxInput::Samples);
    let input = NdTensor::from_data([2, 6, 7, 3], pixels);
    assert_close("rten", &answers(bytes.clone(), input.into()), &expected, TOLERANCE);
    assert_eq!(from_bytes(&bytes).unwrap().card.unwrap(), eight.card);

    let sixteen = model_of(Reading { bit_depth: BitDepth::Sixteen, ..Reading::default() });
    let bytes = to_bytes(&sixteen, OnnxInput::Samples);
    let read = from_bytes(&bytes).unwrap();
    assert_eq!(read.card.unwrap(), sixteen.card);
    assert_same_bits("weights", read.parameters.as_slice(), sixteen.parameters.as_slice());
}

/// A file of a small network, in which a text is another of the same length.
fn with(text: &str, other: &str) -> String {
    let layers = "
        input = [6, 6, 3]
        layers = [
            { type = 'conv2d', filters = 4, kernel = 3 }, { type = 'relu' }, { type = 'max_pool', window = 2 },
            { type = 'flatten' }, { type = 'dense', units = 2 },
        ]";
    let network = Network::new(&toml::from_str(layers).unwrap()).unwrap();
    let mut bytes = to_bytes(&model(&network, 3, Reading::default()), OnnxInput::Floats);
    let places: Vec<usize> = bytes
        .windows(text.len())
        .enumerate()
        .filter(|(_, window)| *window == text.as_bytes())
        .map(|(place, _)| place)
        .collect();
    assert!(!places.is_empty() && text.len() == other.len(), "{text:?} and {other:?}");
    bytes[places[0]..][..text.len()].copy_from_slice(other.as_bytes());
    from_bytes(&bytes).err().unwrap_or_default()
}

#[test]
fn the_first_node_that_is_no_layer_is_named() {
    // Behind the tag of a node's operator and its length.
    assert_eq!(
        with("\x22\x04Relu", "\x22\x04Tanh"),
        "its node 're_lu/Relu' (Tanh) is none of the layers that a network here can have"
    );
    assert_eq!(
        with("\x22\x04Conv", "\x22\x04Conw"),
        "its node 'conv2d/Conv' (Conw) is none of the layers that a network here can have"
    );
    // The second input of the flatten node is what the convolution gives.
    let branch = with("\x0a\x05re_lu", "\x0a\x05conv2");
    assert!(branch.contains("no constant") || branch.contains("ends at"), "{branch}");
}
