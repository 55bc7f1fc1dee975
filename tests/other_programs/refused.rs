//! Models that do not fit, and files that are none: a sentence each, with the name of what is amiss.

use super::keras_files::{PixelInput, to_bytes};
use super::{fixture, refusal};
use glassnet::exchange::Given;
use glassnet::network::Network;
use serde_json::{Value, json};
use std::io::{Cursor, Read, Write};
use zip::write::SimpleFileOptions;

/// A `.keras` file with an entry of other content; or with another entry.
pub fn with_entry(bytes: &[u8], name: &str, content: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).unwrap();
        let own = entry.name().unwrap().into_owned();
        if own != name {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            writer.start_file(own, SimpleFileOptions::default()).unwrap();
            writer.write_all(&bytes).unwrap();
        }
    }
    writer.start_file(name, SimpleFileOptions::default()).unwrap();
    writer.write_all(content).unwrap();
    writer.finish().unwrap().into_inner()
}

fn keras_file() -> Vec<u8> {
    let spec = "input = [6, 5, 3]
        layers = [{ type = 'conv2d', filters = 2, kernel = 3 }, { type = 'flatten' }, { type = 'dense', units = 1 }]";
    let network = Network::new(&toml::from_str(spec).unwrap()).unwrap();
    let parameters = network.initial_parameters(1);
    let classes = glassnet::classes::Classes::new(["a", "b"]).unwrap();
    let imported = glassnet::exchange::Imported { network, parameters, card: None, notes: Vec::new() };
    to_bytes(&imported.into_checkpoint(Some(classes)).unwrap(), None, PixelInput::Unit).unwrap()
}

/// What is said of the file when its layers are changed.
fn refused(change: impl FnOnce(&mut Vec<Value>)) -> String {
    let bytes = keras_file();
    let mut zip = zip::ZipArchive::new(Cursor::new(&bytes)).unwrap();
    let mut config: Value = serde_json::from_reader(zip.by_name("config.json").unwrap()).unwrap();
    change(config["config"]["layers"].as_array_mut().unwrap());
    refusal(&with_entry(&bytes, "config.json", config.to_string().as_bytes()), &Given::default())
}

#[test]
fn layers_that_there_are_none_of_here_are_refused_by_name_and_class() {
    let layer = |class: &str, config: Value| json!({"class_name": class, "config": config});
    let behind_the_convolution = |new: Value| refused(|layers| layers.insert(2, new));
    for (class, config, wanted) in [
        ("LSTM", json!({"name": "memory"}), "its layer 'memory', of the class LSTM, has no counterpart here"),
        ("ReLU", json!({"name": "six", "max_value": 6.0}), "its layer 'six', of the class ReLU, has a largest value"),
        (
            "Activation",
            json!({"name": "a", "activation": "gelu"}),
            "its layer 'a', of the class Activation, has the activation 'gelu'",
        ),
        (
            "Activation",
            json!({"name": "s", "activation": "sigmoid"}),
            "its layer 'flatten', of the class Flatten, comes behind a sigmoid",
        ),
        (
            "BatchNormalization",
            json!({"name": "n", "axis": 1}),
            "its layer 'n', of the class BatchNormalization, normalizes another axis",
        ),
        (
            "Rescaling",
            json!({"name": "r", "scale": 2.0}),
            "its layer 'r', of the class Rescaling, scales what other layers made",
        ),
        ("Dense", json!({"name": "d", "units": 3}), "its layer 'd', of the class Dense, gets an image"),
        (
            "Conv2D",
            json!({"name": "g", "filters": 2, "kernel_size": 1, "groups": 2}),
            "its layer 'g', of the class Conv2D, has groups",
        ),
        (
            "MaxPooling2D",
            json!({"name": "m", "data_format": "channels_first"}),
            "its layer 'm', of the class MaxPooling2D, has channels first",
        ),
    ] {
        let error = behind_the_convolution(layer(class, config));
        assert!(error.starts_with(wanted), "{error}");
    }
    let activation =
        |index: usize, activation: &str| refused(|layers| layers[index]["config"]["activation"] = activation.into());
    assert!(activation(3, "softmax").starts_with("it ends with a softmax over one unit, which is always 1"));
    let several = refused(|layers| layers[3]["config"]["units"] = 65.into());
    assert!(
        several.starts_with("it ends with 65 sigmoids, one for each of several labels, and 64 are the most"),
        "{several}"
    );
    let vector = refused(|layers| layers[0]["config"]["batch_shape"] = json!([null, 7]));
    assert!(vector.contains("its layer 'input_layer', of the class InputLayer, takes inputs of 1 axes"), "{vector}");
}

#[test]
fn tensors_that_do_not_fit_are_refused_with_both_shapes() {
    let error = refused(|layers| layers[1]["config"]["kernel_size"] = json!([2, 3]));
    assert!(error.contains("its tensor 'layers/conv2d/vars/0' is [3, 3, 3, 2], and [2, 3, 3, 2] is needed"), "{error}");
    let error = refused(|layers| layers[1]["config"]["filters"] = 2_000_000_000u64.into());
    assert!(error.starts_with("no network can be built of its layers"), "{error}");
    let error = refused(|layers| {
        layers[3]["config"]["units"] = 20_000_000.into();
        layers[3]["config"]["activation"] = "softmax".into();
    });
    assert!(error.contains("its tensor 'layers/dense/vars/0' is [24, 1], and [24, 20000000] is needed"), "{error}");
}

#[test]
fn stores_of_another_kind_and_broken_files_are_told_apart() {
    let none = Given::default();
    let whole = keras_file();
    assert!(
        refusal(&with_entry(&whole, "model.weights.json", b"{}"), &none)
            .contains("its tensors are in several files, shards")
    );
    assert!(refusal(&with_entry(&whole, "config.json", b"{"), &none).contains("its config.json is no JSON"));
    let custom = br#"{"class_name": "MyModel", "config": {}}"#;
    assert!(refusal(&with_entry(&whole, "config.json", custom), &none).contains("its model is of the class 'MyModel'"));
    assert!(refusal(&with_entry(&whole, "model.weights.h5", b"none"), &none).contains("its HDF5 cannot be read"));
    assert!(refusal(&whole[..whole.len() - 40], &none).contains("it is not a whole zip"));
    assert!(refusal(b"", &none).contains("it is empty"));
    assert!(refusal(b"{\"config\": {}}", &none).contains("it is JSON; where a model's tensors are in several files"));
    assert!(refusal(b"GIF89a and so on", &none).contains("it is of no format that is known here"));
    assert!(refusal(b"\x80\x04\x95abc", &none).contains("it is a pickle, but none that torch.save wrote"));
    let cut = fixture("sequential.h5");
    assert!(refusal(&cut[..cut.len() / 2], &none).contains("its HDF5 cannot be read"));
}
