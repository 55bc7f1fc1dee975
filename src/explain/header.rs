//! The header of a bundle: what the step was, the network, and in numbers what has no room among the tensors.

use super::cell::Cell;
use super::focus::Focus;
use super::moment::Moment;
use super::tensors::{Tensors, lengths};
use super::weight::Weight;
use super::{LARGEST_TERMS, promised, ulps};
use crate::layers::LayerKind;
use crate::optim::Rule;
use crate::reference::Layer;
use rayon::prelude::*;
use serde_json::{Map, Value, json};

/// Tells all but the tensors' bytes.
pub(super) fn header(moment: &Moment, focus: &Focus, tensors: &Tensors) -> Value {
    let facts = moment.snapshot.facts();
    let Focus { image: focus, weight, layer, cell } = focus;
    let labels = moment.snapshot.labels();
    let image = |image: usize| {
        let logits = moment.logits(image);
        json!({
            "name": moment.names[image],
            "label": labels[image].index(),
            "logits": logits,
            "probabilities": moment.head().probabilities(logits).collect::<Vec<f32>>(),
            "loss": moment.loss_of(image),
        })
    };
    json!({
        "format": 1,
        "version": facts.version,
        "instruction_set": facts.instruction_set,
        "conv": facts.conv.to_string(),
        "step": facts.step,
        "network": { "input": moment.network.spec().input, "layers": layers(moment) },
        "classes": moment.classes,
        "images": (0..moment.count()).map(image).collect::<Vec<Value>>(),
        "focus": focus,
        "loss": moment.snapshot.loss(),
        "loss_promised": promised(moment.snapshot),
        "loss_after": moment.loss_after,
        "class_weights": moment.class_weights.as_slice(),
        "label_smoothing": moment.label_smoothing,
        "learning_rate": moment.snapshot.learning_rate(),
        "optimizer": optimizer(moment),
        "selection": {
            "layer": moment.layers()[*layer].name,
            "place": [cell.y, cell.x, cell.channel],
            "weight": { "tensor": weight.tensor, "index": weight.index },
        },
        "shares": { weight.to_string(): moment.shares(weight) },
        "excerpts": excerpts(moment, weight, tensors),
        "dot_excerpts": dot_excerpts(moment, *focus, tensors),
        "tensors": tensors.entries(),
    })
}

fn optimizer(moment: &Moment) -> Value {
    let decay = moment.optimizer.weight_decay;
    match moment.optimizer.rule {
        Rule::Adam(constants) => json!({
            "kind": "adam",
            "beta_1": constants.beta_1,
            "beta_2": constants.beta_2,
            "epsilon": constants.epsilon,
            "weight_decay": decay,
        }),
        Rule::Sgd { momentum, nesterov } => {
            json!({ "kind": "sgd", "momentum": momentum, "nesterov": nesterov, "weight_decay": decay })
        }
    }
}

fn layers(moment: &Moment) -> Vec<Value> {
    let layers = moment.layers().iter().zip(&moment.twin);
    let told = layers.map(|(layer, twin)| {
        let entries = &moment.network.table().entries()[layer.tensors.clone()];
        let mut told = json!({
            "name": layer.name,
            "kind": kind(&layer.kind),
            "input": lengths(layer.input),
            "output": lengths(layer.output),
            "tensors": entries.iter().map(|entry| entry.name.as_str()).collect::<Vec<&str>>(),
        });
        match twin {
            Layer::Conv2d { shape, .. } | Layer::DepthwiseConv2d { shape, .. } => {
                told["kernel"] = json!(shape.kernel);
                told["stride"] = json!(shape.stride);
                told["dilation"] = json!(shape.dilation);
                told["pad"] = json!(shape.padding);
            }
            Layer::MaxPool(shape) | Layer::AveragePool(shape) => {
                told["window"] = json!(shape.window);
                told["stride"] = json!(shape.stride);
                told["pad"] = json!(shape.padding);
            }
            Layer::LeakyRelu { negative_slope } => told["slope"] = json!(negative_slope),
            Layer::BatchNormalization { epsilon, momentum, .. } => {
                told["epsilon"] = json!(epsilon);
                told["momentum"] = json!(momentum);
            }
            Layer::GlobalAveragePool | Layer::Relu | Layer::Flatten | Layer::Dense { .. } | Layer::Dropout => {}
        }
        match &layer.kind {
            LayerKind::DepthwiseConv2d(_) => {
                told["multiplier"] = json!(layer.output.sizes()[2] / layer.input.sizes()[2]);
            }
            LayerKind::Dropout(dropout) => told["rate"] = json!(dropout.rate),
            _ => {}
        }
        told
    });
    told.collect()
}

/// A kind's name, as `model.toml` has it.
fn kind(kind: &LayerKind) -> &'static str {
    match kind {
        LayerKind::Conv2d(_) => "conv2d",
        LayerKind::DepthwiseConv2d(_) => "depthwise_conv2d",
        LayerKind::MaxPool(_) => "max_pool",
        LayerKind::AveragePool(_) => "average_pool",
        LayerKind::GlobalAveragePool(_) => "global_average_pool",
        LayerKind::Relu(_) => "relu",
        LayerKind::LeakyRelu(_) => "leaky_relu",
        LayerKind::Flatten(_) => "flatten",
        LayerKind::Dense(_) => "dense",
        LayerKind::Dropout(_) => "dropout",
        LayerKind::BatchNormalization(_) => "batch_normalization",
    }
}

/// Of every tensor that is not there in full: the weights with the largest gradients, and the chosen one.
fn excerpts(moment: &Moment, chosen: &Weight, tensors: &Tensors) -> Map<String, Value> {
    let mut all = Map::new();
    for entry in moment.network.table().entries().iter().filter(|entry| entry.is_trainable()) {
        let name = &entry.name;
        if ["before", "gradient"].iter().all(|what| tensors.has(&format!("{what}/{name}"))) {
            continue;
        }
        let gradient = moment.snapshot.gradient(name).unwrap_or(&[]);
        let mut elements = largest(gradient.len(), |element| f64::from(gradient[element]));
        if chosen.tensor == *name && !elements.contains(&chosen.element) {
            elements.push(chosen.element);
        }
        let weight = |element: usize| {
            let weight = Weight::at(moment.network, name, element);
            let at = |what: &str| moment.snapshot.floats(&format!("{what}/{name}")).map(|values| values[element]);
            json!({
                "index": weight.index,
                "before": at("before"),
                "gradient": at("gradient"),
                "m": at("before/adam/m"),
                "v": at("before/adam/v"),
                "velocity": at("before/sgd/velocity"),
                "after": at("after"),
                "shares": moment.shares(&weight),
            })
        };
        all.insert(name.clone(), elements.into_iter().map(weight).collect());
    }
    all
}

/// Of every dense layer whose kernel is not there: of each unit the largest terms of its sum.
fn dot_excerpts(moment: &Moment, focus: usize, tensors: &Tensors) -> Map<String, Value> {
    let mut all = Map::new();
    for (index, layer) in moment.layers().iter().enumerate() {
        let kernel = &moment.network.table().entries().get(layer.tensors.start).map(|entry| entry.name.as_str());
        if !matches!(layer.kind, LayerKind::Dense(_))
            || kernel.is_some_and(|name| tensors.has(&format!("before/{name}")))
        {
            continue;
        }
        let unit = |unit: usize| {
            let dot =
                moment.dot(index, focus, Cell { y: 0, x: 0, channel: unit }).expect("a dense layer sums products");
            let places = largest(dot.products.len(), |place| dot.products[place].value());
            let told: Vec<(usize, f32, f64)> = places
                .into_iter()
                .map(|place| (place, dot.products[place].input, dot.products[place].weight))
                .collect();
            let sum: f64 = told.iter().map(|(_, input, weight)| f64::from(*input) * weight).sum();
            let (all, not_zero) = (dot.sum(), dot.products.iter().filter(|product| product.value() != 0.0).count());
            let value = json!({
                "bias": dot.bias,
                "terms": told,
                "rest": all - dot.bias - sum,
                "rest_count": not_zero.saturating_sub(told.len()),
                "zero_count": dot.products.len() - not_zero,
                "sum": all,
                "ulps": ulps(all as f32, moment.output(index, focus)[unit]),
            });
            (unit.to_string(), value)
        };
        let units: Vec<(String, Value)> = (0..layer.output.len()).into_par_iter().map(unit).collect();
        all.insert(layer.name.clone(), Value::Object(units.into_iter().collect()));
    }
    all
}

/// The places of the largest values, the largest first; of equals the first.
fn largest(count: usize, value: impl Fn(usize) -> f64) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).filter(|&place| value(place) != 0.0).collect();
    let by_size = |a: &usize, b: &usize| value(*b).abs().total_cmp(&value(*a).abs()).then(a.cmp(b));
    if places.len() > LARGEST_TERMS {
        places.select_nth_unstable_by(LARGEST_TERMS, by_size);
        places.truncate(LARGEST_TERMS);
    }
    places.sort_by(by_size);
    places
}
