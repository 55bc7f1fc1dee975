//! Writing `.keras` files.

use super::compile::{Variable, compile_config, variables};
use super::config::{Written, layers, sequential};
use super::training::Training;
use super::{CARD, CONFIG, METADATA, WEIGHTS};
use crate::checkpoint::Checkpoint;
use crate::optim::{Optimizer, OptimizerSettings, Schedule};
use hdf5_pure::{AttrValue, FileBuilder};
use serde_json::json;
use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// The version of Keras whose files these are like; 3.0 and later read them.
const KERAS_VERSION: &str = "3.15.1";

/// The pixels that a model takes in Keras.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PixelInput {
    /// From 0 to 1: whoever feeds the model scales them, as a generator with `rescale=1/255` does.
    #[default]
    Unit,
    /// From 0 to 255: the model begins with a layer `Rescaling(1/255)`.
    Bytes,
}

/// Returns the bytes of a `.keras` file of a model, compiled to go on with a training; without one, with Adam
/// before its first step. The same model has the same bytes: no time stands in them.
///
/// # Errors
/// A sentence that names a layer which Keras does not have, or of the library that writes HDF5 or zips, where
/// it fails.
pub fn to_bytes(model: &Checkpoint, training: Option<&Training>, input: PixelInput) -> Result<Vec<u8>, String> {
    let fresh;
    let training = match training {
        Some(training) => training,
        None => {
            let settings = OptimizerSettings::default();
            fresh = Training {
                optimizer: Optimizer::new(model.network.table(), settings),
                schedule: Schedule::Constant,
                initial_learning_rate: settings.learning_rate,
                label_smoothing: 0.0,
            };
            &fresh
        }
    };
    let layers = layers(&model.network, input == PixelInput::Bytes)?;
    let mut config = sequential(model.network.spec().input, &model.network.spec().frozen, &layers);
    config["compile_config"] = compile_config(&model.network, training);
    let metadata = json!({ "keras_version": KERAS_VERSION, CARD: model.card });
    let weights = weights(model, &layers, training).map_err(|error| format!("the HDF5 cannot be written: {error}"))?;
    // Weights do not shrink, but moments before the first step are all 0.
    let method = match training.optimizer.steps() {
        0 => CompressionMethod::Deflated,
        _ => CompressionMethod::Stored,
    };
    zip_of([
        (METADATA, metadata.to_string().as_bytes(), CompressionMethod::Stored),
        (CONFIG, config.to_string().as_bytes(), CompressionMethod::Stored),
        (WEIGHTS, &weights, method),
    ])
    .map_err(|error| format!("the zip cannot be written: {error}"))
}

/// Returns the HDF5 of the tensors: each layer's, by class and order, and the optimizer's.
fn weights(model: &Checkpoint, layers: &[Written], training: &Training) -> Result<Vec<u8>, hdf5_pure::Error> {
    let mut file = FileBuilder::new();
    let mut all = file.create_group("layers");
    for layer in layers {
        let mut group = all.create_group(&layer.name);
        let mut own = group.create_group("vars");
        own.set_attr("name", AttrValue::VarLenString(layer.name.clone()));
        let ours = model.network.layers().iter().find(|ours| ours.name == layer.name);
        for (number, id) in ours.map_or(0..0, |ours| ours.tensors.clone()).enumerate() {
            let entry = &model.parameters.table().entries()[id];
            let dataset = own.create_dataset(&number.to_string());
            dataset.with_f32_data(model.parameters.tensor(id)).with_shape(&sizes(&entry.shape));
        }
        group.add_group(own.finish());
        all.add_group(group.finish());
    }
    file.add_group(all.finish());
    let mut optimizer = file.create_group("optimizer");
    let mut own = optimizer.create_group("vars");
    for (number, variable) in variables(training).iter().enumerate() {
        let dataset = own.create_dataset(&number.to_string());
        match variable {
            Variable::Steps(steps) => dataset.with_i64_data(&[*steps]).with_shape(&[]),
            Variable::Rate(rate) => dataset.with_f32_data(&[*rate]).with_shape(&[]),
            Variable::Moment(shape, values) => dataset.with_f32_data(values).with_shape(&sizes(shape)),
        };
    }
    optimizer.add_group(own.finish());
    file.add_group(optimizer.finish());
    let mut own = file.create_group("vars");
    own.set_attr("name", AttrValue::VarLenString("sequential".into()));
    file.add_group(own.finish());
    file.finish()
}

fn sizes(shape: &[usize]) -> Vec<u64> {
    shape.iter().map(|&size| size as u64).collect()
}

/// Returns a zip of these entries.
fn zip_of(entries: [(&str, &[u8], CompressionMethod); 3]) -> zip::result::ZipResult<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes, method) in entries {
        zip.start_file(name, SimpleFileOptions::default().compression_method(method).compression_level(None))?;
        zip.write_all(bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}
