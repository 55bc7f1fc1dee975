//! All of a moment that a page needs: a header in JSON, and the bytes of tensors.
//!
//! Of the batch's images one is in focus, and the tensors are of it alone; weights, gradients and moments are
//! those of the whole step. What does not fit in the budget is left out, the largest first: the page computes
//! what a layer's output or gradient was from what it has, and of a tensor of weights that is left out the
//! header tells the weights with the largest gradients.

use super::cell::Cell;
use super::focus::Focus;
use super::moment::{Moment, sizes};
use super::weight::Weight;
use super::{promised, ulps};
use crate::geometry::Shape;
use crate::layers::LayerKind;
use crate::optim::Rule;
use crate::reference::{Image, Layer, LayerGradient, layer_backward, no_gradient};
use crate::snapshot::Values;
use rayon::prelude::*;
use serde_json::{Map, Value, json};

/// Terms of a sum that are told one by one.
const LARGEST: usize = 12;

/// What is asked of a bundle.
#[derive(Clone, Debug)]
pub struct BundleOptions {
    /// Where a reader begins.
    pub focus: Focus,
    /// The most bytes of tensors.
    pub budget: usize,
    /// Whether each image's share of every weight's gradient is told, as far as it fits. They take a backward
    /// pass of the textbook.
    pub shares: bool,
}

/// A header and bytes.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// The header.
    pub header: Value,
    /// The tensors, little-endian, where the header says.
    pub bytes: Vec<u8>,
}

impl Bundle {
    /// Gathers what a page needs.
    pub fn new(moment: &Moment, options: &BundleOptions) -> Bundle {
        let mut tensors = Tensors { budget: options.budget, ..Tensors::default() };
        for candidate in candidates(moment, options.focus.image) {
            tensors.add(candidate);
        }
        if options.shares && moment.count() > 1 {
            tensors.add_shares(moment);
        }
        for candidate in inner(moment, options.focus.image) {
            tensors.add(candidate);
        }
        tensors.alias_views(moment);
        let header = header(moment, options, &tensors);
        Bundle { header, bytes: tensors.bytes }
    }

    /// Returns both in one piece: the header's length as four bytes, little-endian; the header, with blanks
    /// to a multiple of four bytes; the tensors.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut header = self.header.to_string().into_bytes();
        header.resize(header.len().next_multiple_of(4), b' ');
        let mut all = (header.len() as u32).to_le_bytes().to_vec();
        all.extend(header);
        all.extend(&self.bytes);
        all
    }
}

/// A tensor that may go in.
struct Candidate {
    name: String,
    shape: Vec<usize>,
    kind: &'static str,
    bytes: Vec<u8>,
}

impl Candidate {
    fn floats(name: String, shape: Vec<usize>, values: &[f32]) -> Candidate {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Candidate { name, shape, kind: "f32", bytes }
    }
}

/// The tensors that went in.
#[derive(Default)]
struct Tensors {
    budget: usize,
    entries: Map<String, Value>,
    bytes: Vec<u8>,
}

impl Tensors {
    fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// Adds a tensor, if it fits.
    fn add(&mut self, Candidate { name, shape, kind, bytes }: Candidate) -> bool {
        // Every offset is a multiple of four, which a view of floats needs.
        let padded = bytes.len().next_multiple_of(4);
        if self.bytes.len() + padded > self.budget {
            return false;
        }
        let length: usize = shape.iter().product();
        self.entries
            .insert(name, json!({ "shape": shape, "type": kind, "offset": self.bytes.len(), "length": length }));
        self.bytes.extend(bytes);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        true
    }

    /// Adds every image's share of a tensor's gradient, the smallest tensors first, for all images or none.
    fn add_shares(&mut self, moment: &Moment) {
        let entries = moment.network.table().entries().iter().enumerate().filter(|(_, entry)| entry.is_trainable());
        let mut tensors: Vec<(usize, usize)> = entries.map(|(id, entry)| (entry.range.len(), id)).collect();
        tensors.sort_unstable();
        let room = |tensors: &Tensors, len: usize| tensors.bytes.len() + 4 * len * moment.count() <= tensors.budget;
        let mut reserved = 0;
        let fitting: Vec<usize> = tensors
            .into_iter()
            .filter(|(len, _)| {
                let fits = room(self, reserved + len);
                reserved += if fits { *len } else { 0 };
                fits
            })
            .map(|(_, id)| id)
            .collect();
        let layers: Vec<usize> = (0..moment.layers().len())
            .filter(|&layer| moment.layers()[layer].tensors.clone().any(|id| fitting.contains(&id)))
            .collect();
        for layer in layers {
            let shares: Vec<LayerGradient> =
                (0..moment.count()).into_par_iter().map(|image| moment.layer_share(layer, image)).collect();
            for (part, id) in moment.layers()[layer].tensors.clone().take(2).enumerate() {
                let entry = &moment.network.table().entries()[id];
                if !fitting.contains(&id) || !entry.is_trainable() {
                    continue;
                }
                for (image, share) in shares.iter().enumerate() {
                    let values = if part == 0 { &share.kernel } else { &share.bias };
                    let values: Vec<f32> = values.iter().map(|&value| value as f32).collect();
                    self.add(Candidate::floats(format!("share/{image}/{}", entry.name), entry.shape.clone(), &values));
                }
            }
        }
    }

    /// Lets the layers that only rename what reaches them point to it.
    fn alias_views(&mut self, moment: &Moment) {
        for (index, layer) in moment.layers().iter().enumerate().filter(|(_, layer)| layer.kind.is_view()) {
            for what in ["output", "grad_output"] {
                let before = match (index, what) {
                    (0, "output") => "images".to_string(),
                    (0, _) => "grad_images".to_string(),
                    _ => format!("{what}/{}", moment.layers()[index - 1].name),
                };
                let Some(entry) = self.entries.get(&before) else { continue };
                let mut entry = entry.clone();
                entry["shape"] = json!([layer.output.len()]);
                self.entries.insert(format!("{what}/{}", layer.name), entry);
            }
        }
    }
}

/// What stands between two layers within a block of convolution, ReLU and max-pool: the page computes it.
fn is_inner(moment: &Moment, layer: usize) -> bool {
    let layers = moment.layers();
    let kind = |index: usize| layers.get(index).map(|layer| &layer.kind);
    let pooled = |index: usize| matches!(kind(index), Some(LayerKind::MaxPool(_)));
    match kind(layer) {
        Some(LayerKind::Conv2d(_) | LayerKind::DepthwiseConv2d(_)) => {
            pooled(layer + 1) || (matches!(kind(layer + 1), Some(LayerKind::Relu(_))) && pooled(layer + 2))
        }
        Some(LayerKind::Relu(_)) => pooled(layer + 1) && layer > 0,
        _ => false,
    }
}

/// Whether the images of a batch meet in this layer, if there is one.
fn couples_images(moment: &Moment, layer: usize) -> bool {
    matches!(moment.layers().get(layer).map(|layer| &layer.kind), Some(LayerKind::BatchNormalization(_)))
}

/// The shape of a layer's output, of one image.
fn shape_of(moment: &Moment, layer: usize) -> Vec<usize> {
    match moment.layers()[layer].output {
        Shape::Image(sizes) => sizes.to_vec(),
        Shape::Vector(len) => vec![len],
    }
}

/// A layer's output and gradient, of the image in focus.
fn of_layer(moment: &Moment, layer: usize, focus: usize) -> [Candidate; 2] {
    let name = &moment.layers()[layer].name;
    let shape = shape_of(moment, layer);
    [
        Candidate::floats(format!("output/{name}"), shape.clone(), moment.output(layer, focus)),
        Candidate::floats(format!("grad_output/{name}"), shape, moment.grad_output(layer, focus)),
    ]
}

/// The tensors that a page needs, the most needed first; of equals the smallest.
fn candidates(moment: &Moment, focus: usize) -> Vec<Candidate> {
    let input = moment.network.spec().input.to_vec();
    let mut first = vec![
        Candidate::floats("images".into(), input.clone(), moment.input(0, focus)),
        Candidate::floats("grad_images".into(), input, moment.grad_input(0, focus)),
    ];
    let (mut needed, mut rest) = (Vec::<Candidate>::new(), Vec::new());
    for (index, layer) in moment.layers().iter().enumerate() {
        let (name, len) = (&layer.name, layer.output.len());
        if let Some(argmax) = moment.snapshot.argmax(name) {
            let bytes = argmax[focus * len..][..len].iter().flat_map(|cell| cell.to_le_bytes()).collect();
            first.push(Candidate {
                name: format!("argmax/{name}"),
                shape: shape_of(moment, index),
                kind: "u16",
                bytes,
            });
        }
        if let Some(factors) = moment.snapshot.factors(name) {
            let factors = moment.part(factors, focus);
            first.push(Candidate::floats(format!("factors/{name}"), shape_of(moment, index), factors));
        }
        if let Some(moments) = moment.snapshot.floats(&format!("moments/{name}")) {
            first.push(Candidate::floats(format!("moments/{name}"), vec![2, moments.len() / 2], moments));
        }
        // No page can take a batch normalization back from one image, or run a convolution without its
        // kernel.
        let [output, grad_output] = of_layer(moment, index, focus);
        let is_told = !layer.kind.is_view() && !is_inner(moment, index);
        rest.extend(is_told.then_some(output));
        match couples_images(moment, index + 1) {
            true => needed.push(grad_output),
            false => rest.extend(is_told.then_some(grad_output)),
        }
        if !matches!(layer.kind, LayerKind::Dense(_)) {
            for entry in &moment.network.table().entries()[layer.tensors.clone()] {
                let (name, shape) = (format!("before/{}", entry.name), entry.shape.clone());
                needed
                    .extend(moment.snapshot.floats(&name).map(|values| Candidate::floats(name.clone(), shape, values)));
            }
        }
    }
    let is_weights = |name: &str| ["before/", "gradient/", "clipped/"].iter().any(|prefix| name.starts_with(prefix));
    for tensor in moment.snapshot.tensors().iter().filter(|tensor| is_weights(&tensor.name)) {
        if let Values::F32(values) = &tensor.values
            && !needed.iter().any(|candidate| candidate.name == tensor.name)
        {
            rest.push(Candidate::floats(tensor.name.clone(), tensor.shape.clone(), values));
        }
    }
    let mut last = Vec::new();
    for entry in moment.network.table().entries() {
        let name = format!("after/{}", entry.name);
        if let Some(values) = moment.snapshot.floats(&name) {
            last.push(Candidate::floats(name, entry.shape.clone(), values));
        }
    }
    for group in [&mut needed, &mut rest, &mut last] {
        group.sort_by_key(|candidate| candidate.bytes.len());
    }
    first.into_iter().chain(needed).chain(rest).chain(last).collect()
}

/// What the page can compute by itself, and is spared if there is room.
fn inner(moment: &Moment, focus: usize) -> Vec<Candidate> {
    let layers = (0..moment.layers().len()).filter(|&layer| is_inner(moment, layer));
    let mut all: Vec<Candidate> = layers.flat_map(|layer| of_layer(moment, layer, focus)).collect();
    all.sort_by_key(|candidate| candidate.bytes.len());
    all
}

fn header(moment: &Moment, options: &BundleOptions, tensors: &Tensors) -> Value {
    let facts = moment.snapshot.facts();
    let Focus { image: focus, weight, layer, cell } = &options.focus;
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
        "learning_rate": moment.learning_rate(),
        "optimizer": optimizer(moment),
        "selection": {
            "layer": moment.layers()[*layer].name,
            "place": [cell.y, cell.x, cell.channel],
            "weight": { "tensor": weight.tensor, "index": weight.index },
        },
        "shares": { weight.to_string(): moment.shares(weight) },
        "excerpts": excerpts(moment, weight, tensors),
        "dot_excerpts": dot_excerpts(moment, *focus, tensors),
        "tensors": tensors.entries,
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
    let shape = |shape: Shape| match shape {
        Shape::Image(sizes) => json!(sizes),
        Shape::Vector(len) => json!([len]),
    };
    let layers = moment.layers().iter().zip(&moment.twin);
    let told = layers.map(|(layer, twin)| {
        let entries = &moment.network.table().entries()[layer.tensors.clone()];
        let mut told = json!({
            "name": layer.name,
            "kind": kind(&layer.kind),
            "input": shape(layer.input),
            "output": shape(layer.output),
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
                told["multiplier"] = json!(sizes(layer.output)[2] / sizes(layer.input)[2]);
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
    if places.len() > LARGEST {
        places.select_nth_unstable_by(LARGEST, by_size);
        places.truncate(LARGEST);
    }
    places.sort_by(by_size);
    places
}

impl Moment<'_> {
    /// Returns an image's share of the gradients of a layer's weights: what the image's own terms add up to.
    fn layer_share(&self, layer: usize, image: usize) -> LayerGradient {
        let mut gradient = no_gradient(&self.twin[layer]);
        let [input, output] = [self.layers()[layer].input, self.layers()[layer].output].map(sizes);
        let wide = |values: &[f32], [height, width, channels]: [usize; 3]| {
            let values = values.iter().map(|&value| f64::from(value)).collect();
            Image { height, width, channels, values }
        };
        match &self.twin[layer] {
            // Its own backward pass takes the batch together; its terms do not.
            Layer::BatchNormalization { .. } => {
                let names: Vec<&str> = self.network.table().entries()[self.layers()[layer].tensors.clone()]
                    .iter()
                    .map(|entry| entry.name.as_str())
                    .collect();
                let sums = |name: &str, len: usize| {
                    (0..len).map(|element| self.chain(&Weight::at(self.network, name, element), image).sum()).collect()
                };
                gradient.kernel = sums(names[0], output[2]);
                gradient.bias = sums(names[1], output[2]);
            }
            twin => {
                let inputs = [wide(self.input(layer, image), input)];
                let grads = [wide(self.grad_output(layer, image), output)];
                layer_backward(twin, &inputs, &grads, &[None], &mut gradient);
            }
        }
        gradient
    }
}
