//! The script for Keras 3 on TensorFlow.

use super::python::{MAIN, ScriptFiles, classes, flag, text};
use crate::checkpoint::Checkpoint;
use crate::exchange::keras::without_border;
use crate::geometry::Padding;
use crate::spec::{LayerSpec, Size};

/// Returns a script that rebuilds a model in Keras.
///
/// # Errors
/// A sentence that names a layer which Keras does not have.
pub fn keras_script(model: &Checkpoint, files: ScriptFiles) -> Result<String, String> {
    let [height, width, channels] = model.card.spec.input;
    let mut lines = String::new();
    let mut before = None;
    for (spec, layer) in model.card.spec.layers.iter().zip(model.network.layers()) {
        let (alone, border) = without_border(&layer.name, *spec, before)?;
        if let Some([[above, below], [left, right]]) = border {
            lines += &format!("        layers.ZeroPadding2D((({above}, {below}), ({left}, {right}))),\n");
        }
        lines += &format!("        {},\n", constructor(&alone, &text(&layer.name)));
        before = Some(spec);
    }
    let loss = match model.network.head().units() {
        _ if model.network.head().has_several_labels() => {
            "keras.losses.BinaryCrossentropy(from_logits=True)(labels.astype(\"float32\"), z)"
        }
        1 => "keras.losses.BinaryCrossentropy(from_logits=True)(labels[:, None].astype(\"float32\"), z)",
        _ => "keras.losses.SparseCategoricalCrossentropy(from_logits=True)(labels, z)",
    };
    let ScriptFiles { script, weights, known } = files;
    Ok(format!(
        r#""""A model that glassnet trained, in Keras.

    python {script}        compares it with what glassnet computed, and exits with 1 where they differ

From your own code: model = build(); load(model). It takes images [N, {height}, {width}, {channels}] from 0 to 1 and gives logits.
"""

import os
import sys

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import layers

HERE = os.path.dirname(os.path.abspath(__file__))
WEIGHTS = os.path.join(HERE, {weights})
KNOWN = os.path.join(HERE, {known})
CLASSES = {classes}
TOLERANCE = 1e-4


def build(dropout=True):
    """Returns the layers with fresh weights; without dropout for the comparison."""
    drop = 1.0 if dropout else 0.0
    return keras.Sequential([
        keras.Input(({height}, {width}, {channels})),
{lines}    ])


def load(model, path=WEIGHTS):
    """Fills the model with the weights of an npz file."""
    with np.load(path) as weights:
        for layer in model.layers:
            for variable in layer.weights:
                variable.assign(weights[f"{{layer.name}}/{{variable.name}}"])


def compare():
    """Yields the name of a tensor, what Keras computes, and what glassnet did."""
    with np.load(KNOWN) as known:
        known = dict(known)
    model = build(dropout=False)
    load(model)
    images, labels = known["images"], known["labels"]
    yield "logits", model(images, training=False).numpy(), known["logits"]
    with tf.GradientTape() as tape:
        z = model(images, training=True)
        loss = {loss}
    yield "loss", loss.numpy(), known["loss"]
    names = [f"{{layer.name}}/{{variable.name}}" for layer in model.layers for variable in layer.trainable_weights]
    gradients = tape.gradient(loss, [variable.value for variable in model.trainable_weights])
    for name, gradient in zip(names, gradients):
        yield f"gradient/{{name}}", gradient.numpy(), known[f"gradient/{{name}}"]
{MAIN}"#,
        weights = text(weights),
        known = text(known),
        classes = classes(&model.card),
    ))
}

/// The call that makes a layer.
fn constructor(spec: &LayerSpec, name: &str) -> String {
    match *spec {
        LayerSpec::Conv2d { filters, kernel, stride, padding, dilation, use_bias } => {
            let window = window([("strides", stride), ("dilation_rate", dilation)], padding);
            format!("layers.Conv2D({filters}, {}{window}{}, name={name})", pair(kernel), bias(use_bias))
        }
        LayerSpec::DepthwiseConv2d { kernel, stride, padding, dilation, depth_multiplier, use_bias } => {
            let window = window([("strides", stride), ("dilation_rate", dilation)], padding);
            let multiplier = format!(", depth_multiplier={depth_multiplier}");
            format!("layers.DepthwiseConv2D({}{window}{multiplier}{}, name={name})", pair(kernel), bias(use_bias))
        }
        LayerSpec::MaxPool { window: size, stride, padding } => {
            let strides = window([("strides", stride.unwrap_or(size)), ("", Size::Square(1))], padding);
            format!("layers.MaxPooling2D({}{strides}, name={name})", pair(size))
        }
        LayerSpec::AveragePool { window: size, stride, padding } => {
            let strides = window([("strides", stride.unwrap_or(size)), ("", Size::Square(1))], padding);
            format!("layers.AveragePooling2D({}{strides}, name={name})", pair(size))
        }
        LayerSpec::GlobalAveragePool {} => format!("layers.GlobalAveragePooling2D(name={name})"),
        LayerSpec::Relu {} => format!("layers.ReLU(name={name})"),
        LayerSpec::LeakyRelu { negative_slope } => {
            format!("layers.LeakyReLU(negative_slope={negative_slope:?}, name={name})")
        }
        LayerSpec::Flatten {} => format!("layers.Flatten(name={name})"),
        LayerSpec::Dense { units, use_bias } => format!("layers.Dense({units}{}, name={name})", bias(use_bias)),
        LayerSpec::Dropout { rate } => format!("layers.Dropout({rate:?} * drop, name={name})"),
        LayerSpec::BatchNormalization { momentum, epsilon } => {
            format!("layers.BatchNormalization(momentum={momentum:?}, epsilon={epsilon:?}, name={name})")
        }
    }
}

fn pair(size: Size) -> String {
    let [height, width] = size.both();
    format!("({height}, {width})")
}

/// The arguments of what slides, where they are not the default, but for the stride, which a pool has another
/// one of. A border of pixels is another layer's.
fn window(sizes: [(&str, Size); 2], padding: Padding) -> String {
    let sizes = sizes.into_iter().filter(|(name, size)| *name == "strides" || size.both() != [1, 1]);
    let sizes: String = sizes.map(|(name, size)| format!(", {name}={}", pair(size))).collect();
    match padding {
        Padding::Valid | Padding::Pixels { .. } => sizes,
        Padding::Same => format!("{sizes}, padding=\"same\""),
    }
}

fn bias(use_bias: bool) -> String {
    if use_bias { String::new() } else { format!(", use_bias={}", flag(false)) }
}
