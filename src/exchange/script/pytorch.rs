//! The script for PyTorch.
//!
//! PyTorch has channels first and no "same" padding where a stride is not 1, so what is padded stands there
//! as a layer of its own, with the rows and columns on each side.

use super::python::{MAIN, ScriptFiles, classes, flag, text};
use crate::checkpoint::Checkpoint;
use crate::geometry::{PoolGeometry, Shape, Window};
use crate::layers::{Layer, LayerKind};
use crate::spec::LayerSpec;

/// Returns a script that rebuilds a model in PyTorch.
pub fn pytorch_script(model: &Checkpoint, files: ScriptFiles) -> String {
    let [height, width, channels] = model.card.spec.input;
    let lines: String = model
        .card
        .spec
        .layers
        .iter()
        .zip(model.network.layers())
        .flat_map(|(spec, layer)| entries(spec, layer))
        .map(|(name, constructor)| format!("        ({}, {constructor}),\n", text(&name)))
        .collect();
    let loss = match model.network.head().units() {
        _ if model.network.head().has_several_labels() => {
            "nn.functional.binary_cross_entropy_with_logits(z, labels.float())"
        }
        1 => "nn.functional.binary_cross_entropy_with_logits(z, labels[:, None].float())",
        _ => "nn.functional.cross_entropy(z, labels)",
    };
    let ScriptFiles { script, weights, known } = files;
    format!(
        r#""""A model that glassnet trained, in PyTorch.

    python {script}        compares it with what glassnet computed, and exits with 1 where they differ

From your own code: model = build(); load(model); model.eval(). It takes images [N, {channels}, {height}, {width}] from 0 to 1 and
gives logits.
"""

import os
import sys
from collections import OrderedDict

import numpy as np
import torch
from torch import nn

HERE = os.path.dirname(os.path.abspath(__file__))
WEIGHTS = os.path.join(HERE, {weights})
KNOWN = os.path.join(HERE, {known})
CLASSES = {classes}
TOLERANCE = 1e-4


class FlattenChannelsLast(nn.Module):
    """An image as a vector in the order height, width, channels, in which the weights behind it are."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1)


class AveragePool(nn.Module):
    """The mean of each window; what lies outside the image is not counted."""

    def __init__(self, size, stride, pads):
        super().__init__()
        self.size, self.stride, self.pads = size, stride, pads

    def forward(self, x):
        inside = nn.functional.pad(torch.ones_like(x[:1, :1]), self.pads)
        mean = lambda x: nn.functional.avg_pool2d(x, self.size, self.stride)
        return mean(nn.functional.pad(x, self.pads)) / mean(inside)


def build(dropout=True):
    """Returns the layers with fresh weights; without dropout for the comparison."""
    drop = 1.0 if dropout else 0.0
    return nn.Sequential(OrderedDict([
{lines}    ]))


# The axes of a kernel here, by the axes that it has there.
AXES = {{nn.Conv2d: (3, 2, 0, 1), nn.Linear: (1, 0)}}


def tensors(model):
    """Yields glassnet's name of each tensor, the tensor, and the axes of it."""
    for name, layer in model.named_children():
        norm = isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d))
        if getattr(layer, "weight", None) is not None:
            yield f"{{name}}/{{'gamma' if norm else 'kernel'}}", layer.weight, None if norm else AXES[type(layer)]
        if getattr(layer, "bias", None) is not None:
            yield f"{{name}}/{{'beta' if norm else 'bias'}}", layer.bias, None
        if norm:
            yield f"{{name}}/moving_mean", layer.running_mean, None
            yield f"{{name}}/moving_variance", layer.running_var, None


def load(model, path=WEIGHTS):
    """Fills the model with the weights of an npz file."""
    with np.load(path) as weights, torch.no_grad():
        for name, tensor, axes in tensors(model):
            values = torch.from_numpy(weights[name])
            # A depthwise kernel is [height, width, channels, filters of each] there, and [all filters, 1, height, width] here.
            tensor.copy_((values if axes is None else values.permute(axes)).reshape(tensor.shape))


def compare():
    """Yields the name of a tensor, what PyTorch computes, and what glassnet did."""
    with np.load(KNOWN) as known:
        known = dict(known)
    model = build(dropout=False)
    load(model)
    images = torch.from_numpy(known["images"]).permute(0, 3, 1, 2)
    labels = torch.from_numpy(known["labels"])
    with torch.no_grad():
        yield "logits", model.eval()(images).numpy(), known["logits"]
    z = model.train()(images)
    loss = {loss}
    loss.backward()
    yield "loss", loss.detach().numpy(), known["loss"]
    for name, tensor, axes in tensors(model):
        if tensor.grad is None:
            continue
        ours = torch.from_numpy(known[f"gradient/{{name}}"])
        ours = (ours if axes is None else ours.permute(axes)).reshape(tensor.shape)
        yield f"gradient/{{name}}", tensor.grad.numpy(), ours.numpy()
{MAIN}"#,
        weights = text(weights),
        known = text(known),
        classes = classes(&model.card),
    )
}

/// The names and constructors of what stands for a layer.
fn entries(spec: &LayerSpec, layer: &Layer) -> Vec<(String, String)> {
    let name = layer.name.clone();
    let padded = |value: &str, pads: [usize; 4], constructor: String| {
        let pad =
            (pads != [0; 4]).then(|| (format!("{name}_pad"), format!("nn.ConstantPad2d({}, {value})", tuple(pads))));
        pad.into_iter().chain([(name.clone(), constructor)]).collect()
    };
    match &layer.kind {
        LayerKind::Conv2d(conv) => {
            let geometry = &conv.geometry;
            let pads = pads(geometry.into());
            let (stride, dilation) = (tuple(geometry.stride), tuple(geometry.dilation));
            let (inputs, filters, kernel) = (geometry.input[2], geometry.filters, tuple(geometry.kernel));
            let bias = flag(conv.bias.is_some());
            padded(
                "0.0",
                pads,
                format!("nn.Conv2d({inputs}, {filters}, {kernel}, stride={stride}, dilation={dilation}, bias={bias})"),
            )
        }
        LayerKind::DepthwiseConv2d(conv) => {
            let geometry = &conv.geometry;
            let pads = pads(geometry.into());
            let (stride, dilation) = (tuple(geometry.stride), tuple(geometry.dilation));
            let (inputs, filters, kernel) = (geometry.input[2], geometry.channels(), tuple(geometry.kernel));
            let bias = flag(conv.bias.is_some());
            let constructor = format!(
                "nn.Conv2d({inputs}, {filters}, {kernel}, stride={stride}, dilation={dilation}, groups={inputs}, bias={bias})"
            );
            padded("0.0", pads, constructor)
        }
        LayerKind::MaxPool(pool) => {
            let PoolGeometry { window, stride, .. } = pool.geometry;
            padded(
                "-torch.inf",
                pads((&pool.geometry).into()),
                format!("nn.MaxPool2d({}, {})", tuple(window), tuple(stride)),
            )
        }
        LayerKind::AveragePool(pool) => {
            let PoolGeometry { window, stride, .. } = pool.geometry;
            let pads = tuple(pads((&pool.geometry).into()));
            vec![(name, format!("AveragePool({}, {}, {pads})", tuple(window), tuple(stride)))]
        }
        LayerKind::GlobalAveragePool(_) => {
            vec![(name.clone(), "nn.AdaptiveAvgPool2d(1)".into()), (format!("{name}_flatten"), "nn.Flatten()".into())]
        }
        LayerKind::Relu(_) => vec![(name, "nn.ReLU()".into())],
        LayerKind::LeakyRelu(relu) => vec![(name, format!("nn.LeakyReLU({:?})", relu.negative_slope))],
        LayerKind::Flatten(_) => match layer.input {
            Shape::Image(_) => vec![(name, "FlattenChannelsLast()".into())],
            Shape::Vector(_) => vec![],
        },
        LayerKind::Dense(dense) => {
            let bias = flag(dense.bias.is_some());
            vec![(name, format!("nn.Linear({}, {}, bias={bias})", layer.input.len(), layer.output.len()))]
        }
        LayerKind::Dropout(_) => {
            let LayerSpec::Dropout { rate } = spec else { unreachable!("the spec of a dropout layer") };
            vec![(name, format!("nn.Dropout({rate:?} * drop)"))]
        }
        LayerKind::BatchNormalization(normalization) => {
            let axes = if let Shape::Image(_) = layer.input { "2d" } else { "1d" };
            let (channels, epsilon, kept) = (normalization.channels, normalization.epsilon, normalization.momentum);
            vec![(name, format!("nn.BatchNorm{axes}({channels}, eps={epsilon:?}, momentum=1 - {kept:?})"))]
        }
    }
}

/// The columns to the left and to the right, and the rows above and below, as PyTorch has them.
fn pads(Window { before: [above, left], after: [below, right], .. }: Window) -> [usize; 4] {
    [left, right, above, below]
}

fn tuple<const N: usize>(numbers: [usize; N]) -> String {
    format!("({})", numbers.map(|number| number.to_string()).join(", "))
}
