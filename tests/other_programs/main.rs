//! Models of other programs: what real Keras and PyTorch saved is read and answers as there, what is written
//! is read back with every bit, and what does not fit is refused by name.
//!
//! `fixtures/models.zip` holds their files, and what they answered; `fixtures/make_model_fixtures.py` made
//! it.

#[path = "../common/mod.rs"]
mod common;
mod keras;
mod pytorch;
mod refused;

use glassnet::exchange::{
    Format, Given, Imported, keras as keras_files, onnx as onnx_files, pytorch as pytorch_files, read_model_file,
};
use glassnet::plan::predict;
use glassnet::reference;
use ndarray::{Array4, Axis};
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A file of the fixtures.
fn fixture(name: &str) -> Vec<u8> {
    let zip = Cursor::new(include_bytes!("../fixtures/models.zip"));
    let mut zip = zip::ZipArchive::new(zip).expect("the recorded zip is one");
    let mut bytes = Vec::new();
    let mut file = zip.by_name(name).unwrap_or_else(|error| panic!("{name}: {error}"));
    file.read_to_end(&mut bytes).expect("the recorded zip is whole");
    bytes
}

/// The answers of a program to the images of [`images`].
fn answers(of: &str) -> Vec<f64> {
    let answers: serde_json::Value = serde_json::from_slice(&fixture("answers.json")).unwrap();
    answers[of].as_array().unwrap().iter().map(|answer| answer.as_f64().unwrap()).collect()
}

/// The images that the script shows the models, from 0 to 1.
fn images(size: [usize; 3]) -> Array4<f32> {
    let [height, width, channels] = size;
    Array4::from_shape_fn((2, height, width, channels), |(n, y, x, c)| {
        ((n * 37 + y * 11 + x * 7 + c * 5 + y * x % 13 * 9) % 256) as f32 / 255.0
    })
}

/// Writes bytes to a file of no telling name, in a folder that lives as long as the guard.
fn file_of(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// Reads bytes as what they are.
fn read(bytes: &[u8], given: &Given) -> glassnet::Result<Imported> {
    let (_folder, path) = file_of(bytes);
    match Format::of(&path)? {
        Format::Keras => keras_files::from_zip(&path, read_model_file(&path)?, given),
        Format::KerasHdf5 => keras_files::from_hdf5(&path, read_model_file(&path)?, given),
        Format::Onnx => onnx_files::read(&path),
        Format::Pytorch => pytorch_files::from_pickle(&path, given),
        Format::Safetensors => pytorch_files::from_safetensors(&path, given),
        other => panic!("{other:?}"),
    }
}

/// Reads bytes that are refused, and returns the sentence without the file's name.
fn refusal(bytes: &[u8], given: &Given) -> String {
    let error = read(bytes, given).err().expect("it is refused").to_string();
    error.split_once(": ").unwrap().1.to_string()
}

/// Checks that a model answers as the program did, in the engine and in the textbook.
#[track_caller]
fn assert_answers(model: &Imported, wanted: &[f64]) {
    let images = images(model.network.spec().input);
    let engine = predict(&model.network, &model.parameters, images.view()).unwrap();
    assert_eq!(engine.len(), wanted.len());
    for (ours, theirs) in engine.iter().zip(wanted) {
        assert!((f64::from(*ours) - theirs).abs() < 1e-6, "{engine:?} and {wanted:?}");
    }
    let twin = model.network.twin(&model.parameters);
    let head = model.network.head();
    for (image, wanted) in images.axis_iter(Axis(0)).zip(wanted.chunks_exact(head.units())) {
        let (height, width, channels) = image.dim();
        let values = image.iter().map(|&value| f64::from(value)).collect();
        let image = reference::Image { height, width, channels, values };
        let logits = reference::forward(&twin, &image, &[]).pop().unwrap().values;
        let logits: Vec<f32> = logits.iter().map(|&z| z as f32).collect();
        for (ours, theirs) in head.probabilities(&logits).zip(wanted) {
            assert!((f64::from(ours) - theirs).abs() < 1e-6, "{logits:?} and {wanted:?}");
        }
    }
}

/// The path that messages of tests name.
fn nowhere() -> &'static Path {
    Path::new("x")
}
