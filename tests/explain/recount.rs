//! Every number of the page once more: from the snapshot, by plain loops of its own.

use super::common::networks::Batch;
use glassnet::explain::{Focus, ulps};
use glassnet::geometry::Shape;
use glassnet::layers::{Layer, LayerKind};
use glassnet::network::Network;
use glassnet::optim::{OptimizerSettings, Rule};
use glassnet::reference::{self, binary_cross_entropy, categorical_cross_entropy, sigmoid, smoothed_targets, softmax};
use glassnet::snapshot::{Snapshot, Values};

/// Two factors, and the order in which they come.
type Factors = Vec<[f64; 2]>;

/// A snapshot, asked for numbers by their names.
pub struct Recount<'a> {
    network: &'a Network,
    batch: &'a Batch,
    snapshot: &'a Snapshot,
    optimizer: OptimizerSettings,
    /// The image that the page is about.
    image: usize,
}

impl<'a> Recount<'a> {
    pub fn new(
        network: &'a Network,
        batch: &'a Batch,
        snapshot: &'a Snapshot,
        optimizer: OptimizerSettings,
        focus: &Focus,
    ) -> Recount<'a> {
        Recount { network, batch, snapshot, optimizer, image: focus.image }
    }

    /// Returns the value of the number with this name, and the size of what it was added up from.
    pub fn value(&self, of: &str) -> (f64, f64) {
        let (first, rest) = of.split_once('/').unwrap_or((of, ""));
        let exact = |value: f64| (value, 0.0);
        match first {
            "values" => exact(self.layer(rest).1.output.len() as f64),
            "weights" => {
                let entries = &self.network.table().entries()[self.layer(rest).1.tensors.clone()];
                exact(entries.iter().map(|entry| entry.range.len()).sum::<usize>() as f64)
            }
            "zeros" => {
                let gradients = self.of_image(&format!("grad_output/{rest}"), self.image);
                exact(gradients.iter().filter(|g| **g == 0.0).count() as f64)
            }
            "causes" => {
                let (layer, cause) = rest.split_once('/').unwrap();
                let (index, _) = self.layer(layer);
                let gradients = self.of_image(&format!("grad_output/{layer}"), self.image);
                let zeros = (0..gradients.len()).filter(|&cell| gradients[cell] == 0.0);
                exact(zeros.filter(|&cell| self.cause(index, cell) == cause).count() as f64)
            }
            "loss" if rest.is_empty() => (self.losses().iter().sum::<f64>() / self.count() as f64, 1.0),
            "loss" => (self.losses()[rest.parse::<usize>().unwrap()], 1.0),
            "loss_promised" => (self.promised(), self.promised_size()),
            "loss_promised_after" => {
                (self.losses().iter().sum::<f64>() / self.count() as f64 + self.promised(), 1.0 + self.promised_size())
            }
            "loss_after" => (self.loss_after(), 1e4), // f32 logits beside f64: 1e-5
            "logit" | "probability" | "grad_logit" => {
                let (image, place) = indexed(rest);
                let image = image.parse().unwrap();
                (self.at_head(first, image, place[0]), 1e3) // to f32's 1e-6
            }
            "dot" => {
                let (cell, what) = rest.split_once("]/").unwrap();
                let cell = format!("{cell}]");
                let (layer, place) = indexed(&cell);
                self.dot(layer, &place, what)
            }
            "output" => {
                let (layer, place) = indexed(rest);
                exact(f64::from(self.cell(&format!("output/{layer}"), &place)))
            }
            "patches" => {
                let (cell, what) = rest.split_once("]/").unwrap();
                let cell = format!("{cell}]");
                let (layer, place) = indexed(&cell);
                self.patches(layer, &place, what)
            }
            "chain" => {
                let (weight, rest) = rest.split_once("]/").unwrap();
                let (image, what) = rest.split_once('/').unwrap();
                self.chain(&format!("{weight}]"), image.parse().unwrap(), what)
            }
            "share" => {
                let (image, weight) = rest.split_once('/').unwrap();
                self.share(weight, image.parse().unwrap())
            }
            "shares" => {
                let (weight, what) = rest.split_once(']').unwrap();
                let shares = (0..self.count()).map(|image| self.share(&format!("{weight}]"), image));
                let (sum, size) = shares.fold((0.0, 0.0), |(a, b), (c, d)| (a + c, b + d));
                match what {
                    "" => (sum, size),
                    "/ulps" => self.ulps(sum, f64::from(self.weight("gradient", &format!("{weight}]")))),
                    _ => panic!("{of}"),
                }
            }
            "gradient" | "before" | "after" => exact(f64::from(self.weight(first, rest))),
            "update" => {
                let (weight, what) = rest.split_once("]/").unwrap();
                self.update(&format!("{weight}]"), what)
            }
            _ => panic!("an unknown number {of}"),
        }
    }

    fn count(&self) -> usize {
        self.batch.labels.len()
    }

    fn layer(&self, name: &str) -> (usize, &Layer) {
        let layers = self.network.layers().iter().enumerate();
        layers.into_iter().find(|(_, layer)| layer.name == name).unwrap()
    }

    /// The floats of one image in a tensor of all.
    fn of_image(&self, name: &str, image: usize) -> &[f32] {
        let floats = self.snapshot.floats(name).unwrap_or_else(|| panic!("no {name}"));
        let len = floats.len() / self.count();
        &floats[image * len..][..len]
    }

    fn input_name(&self, layer: usize) -> String {
        match layer {
            0 => "images".into(),
            _ => format!("output/{}", self.network.layers()[layer - 1].name),
        }
    }

    fn cell(&self, name: &str, place: &[usize]) -> f32 {
        let layer = self.layer(name.split_once('/').unwrap().1).1;
        self.of_image(name, self.image)[flat(layer.output, place)]
    }

    fn weight(&self, what: &str, weight: &str) -> f32 {
        let (tensor, place) = indexed(weight);
        let entries = self.network.table().entries();
        let shape = &entries.iter().find(|entry| entry.name == tensor).unwrap().shape;
        let element = place.iter().zip(shape).fold(0, |element, (place, size)| element * size + place);
        self.snapshot.floats(&format!("{what}/{tensor}")).unwrap()[element]
    }

    fn losses(&self) -> Vec<f64> {
        let targets = self.batch.targets();
        let weights = targets.weights.as_slice();
        let last = self.network.layers().last().unwrap();
        let loss = |image: usize| {
            let z: Vec<f64> =
                self.of_image(&format!("output/{}", last.name), image).iter().map(|&z| z.into()).collect();
            let label = self.batch.labels[image].index();
            let y = smoothed_targets(label, z.len().max(2), targets.smoothing);
            let loss = if z.len() == 1 { binary_cross_entropy(z[0], y[1]) } else { categorical_cross_entropy(&z, &y) };
            loss * weights.get(label).copied().unwrap_or(1.0)
        };
        (0..self.count()).map(loss).collect()
    }

    fn at_head(&self, what: &str, image: usize, unit: usize) -> f64 {
        let last = &self.network.layers().last().unwrap().name;
        let z: Vec<f64> = self.of_image(&format!("output/{last}"), image).iter().map(|&z| z.into()).collect();
        let p = if z.len() == 1 { vec![sigmoid(z[0])] } else { softmax(&z) };
        match what {
            "logit" => z[unit],
            "probability" => p[unit],
            _ => {
                let targets = self.batch.targets();
                let label = self.batch.labels[image].index();
                let y = smoothed_targets(label, z.len().max(2), targets.smoothing);
                let y = if z.len() == 1 { y[1] } else { y[unit] };
                let weight = targets.weights.as_slice().get(label).copied().unwrap_or(1.0);
                weight * (p[unit] - y) / self.count() as f64
            }
        }
    }

    fn moved(&self) -> impl Iterator<Item = f64> {
        let names = self.network.table().entries().iter().filter(|entry| entry.is_trainable()).map(|entry| &entry.name);
        names.flat_map(|name| {
            let [g, before, after] =
                ["gradient", "before", "after"].map(|what| self.snapshot.floats(&format!("{what}/{name}")).unwrap());
            (0..g.len()).map(|place| f64::from(g[place]) * (f64::from(after[place]) - f64::from(before[place])))
        })
    }

    fn promised(&self) -> f64 {
        self.moved().sum()
    }

    fn promised_size(&self) -> f64 {
        self.moved().map(f64::abs).sum()
    }

    /// The textbook's loss with the weights after the step.
    fn loss_after(&self) -> f64 {
        let mut parameters = self.network.initial_parameters(0);
        for (id, entry) in self.network.table().entries().iter().enumerate() {
            parameters.tensor_mut(id).copy_from_slice(self.snapshot.after(&entry.name).unwrap());
        }
        let layers = self.network.twin(&parameters);
        let [height, width, channels] = self.network.spec().input;
        let wide = |values: &[f32]| values.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
        let images: Vec<reference::Image> = (0..self.count())
            .map(|image| reference::Image { height, width, channels, values: wide(self.of_image("images", image)) })
            .collect();
        let dropouts = self.network.layers().iter().filter(|layer| matches!(layer.kind, LayerKind::Dropout(_)));
        let names: Vec<String> = dropouts.map(|layer| format!("factors/{}", layer.name)).collect();
        let factors: Vec<Vec<Vec<f64>>> = (0..self.count())
            .map(|image| names.iter().map(|name| wide(self.of_image(name, image))).collect())
            .collect();
        let labels: Vec<usize> = self.batch.labels.iter().map(|label| label.index()).collect();
        let targets = self.batch.targets();
        let weights = match targets.weights.as_slice() {
            [] => vec![1.0; self.network.head().classes()],
            weights => weights.to_vec(),
        };
        reference::weighted_step(&layers, &images, &labels, &weights, targets.smoothing, &factors).loss
    }

    /// The number of ulps between a sum and the engine's value: it is compared by its size alone, as a sum
    /// that is rounded another way may lie one further.
    fn ulps(&self, sum: f64, engine: f64) -> (f64, f64) {
        (f64::from(ulps(sum as f32, engine as f32).unwrap()), 1.1e9)
    }

    /// A sum of products by the names of its parts.
    fn sum(&self, mut factors: Factors, bias: Option<f64>, engine: Option<f32>, what: &str) -> (f64, f64) {
        let product = |factors: &[f64; 2]| factors[0] * factors[1];
        let zeros = factors.iter().filter(|factors| product(factors) == 0.0).count();
        factors.retain(|factors| product(factors) != 0.0);
        factors.sort_by(|a, b| product(b).abs().total_cmp(&product(a).abs()));
        let size = factors.iter().map(|factors| product(factors).abs()).sum::<f64>() + bias.unwrap_or(0.0).abs();
        let all: f64 = factors.iter().map(product).sum();
        let (name, place) = if what.contains('[') { indexed(what) } else { (what, vec![]) };
        let value = match name {
            "first" => factors[place[0]][0],
            "second" => factors[place[0]][1],
            "product" => product(&factors[place[0]]),
            "running" => factors[..=place[0]].iter().map(product).sum(),
            "rest" => factors[12..].iter().map(product).sum(),
            "rest_count" => (factors.len() - 12) as f64,
            "zero_count" => zeros as f64,
            "bias" => bias.unwrap(),
            "sum" => all + bias.unwrap_or(0.0),
            "engine" => f64::from(engine.unwrap()),
            "ulps" => return self.ulps(all + bias.unwrap_or(0.0), f64::from(engine.unwrap())),
            _ => panic!("an unknown part {what}"),
        };
        (value, size)
    }

    fn dot(&self, name: &str, place: &[usize], what: &str) -> (f64, f64) {
        let (index, layer) = self.layer(name);
        let input = self.of_image(&self.input_name(index), self.image);
        let &[y, x, f] = place else { panic!("{place:?}") };
        let kernel = format!("{name}/kernel");
        let weights = |name: &str| self.snapshot.before(name);
        let kernel = weights(&kernel).or_else(|| weights(&format!("{name}/depthwise_kernel")));
        let kernel = kernel.unwrap_or_else(|| panic!("{name} has no kernel"));
        let mut factors = Factors::new();
        match &layer.kind {
            LayerKind::Dense(_) => {
                let units = layer.output.len();
                factors.extend((0..input.len()).map(|i| [f64::from(input[i]), f64::from(kernel[i * units + f])]));
            }
            _ => {
                let (window, channels, filters) = sliding(layer);
                let multiplier = filters / channels;
                for ky in 0..window.size[0] {
                    for kx in 0..window.size[1] {
                        let Some(pixel) = window.under(y, x, ky, kx) else { continue };
                        let cell = ky * window.size[1] + kx;
                        match layer.kind {
                            LayerKind::Conv2d(_) => factors.extend((0..channels).map(|c| {
                                [input[pixel * channels + c].into(), kernel[(cell * channels + c) * filters + f].into()]
                            })),
                            _ => {
                                let c = f / multiplier;
                                factors.push([input[pixel * channels + c].into(), kernel[cell * filters + f].into()]);
                            }
                        }
                    }
                }
            }
        }
        let bias = weights(&format!("{name}/bias")).map_or(0.0, |bias| f64::from(bias[f]));
        let engine = self.of_image(&format!("output/{name}"), self.image)[flat(layer.output, place)];
        self.sum(factors, Some(bias), Some(engine), what)
    }

    fn patches(&self, name: &str, place: &[usize], what: &str) -> (f64, f64) {
        let (index, layer) = self.layer(name);
        let &[py, px, c] = place else { panic!("{place:?}") };
        let (window, channels, filters) = sliding(layer);
        let gradients = self.of_image(&format!("grad_output/{name}"), self.image);
        let kernel = self.snapshot.before(&format!("{name}/kernel"));
        let kernel = kernel.or_else(|| self.snapshot.before(&format!("{name}/depthwise_kernel"))).unwrap();
        let multiplier = filters / channels;
        let mut parts: Vec<([usize; 2], f64, f64)> = Vec::new();
        for y in 0..window.output[0] {
            for x in 0..window.output[1] {
                for ky in 0..window.size[0] {
                    for kx in 0..window.size[1] {
                        if window.under(y, x, ky, kx) != Some(py * window.input[1] + px) {
                            continue;
                        }
                        let cell = ky * window.size[1] + kx;
                        let term = |f: usize| {
                            let weight = match layer.kind {
                                LayerKind::Conv2d(_) => kernel[(cell * channels + c) * filters + f],
                                _ if f / multiplier == c => kernel[cell * filters + f],
                                _ => 0.0,
                            };
                            f64::from(gradients[(y * window.output[1] + x) * filters + f]) * f64::from(weight)
                        };
                        let (part, size) = (0..filters).map(term).fold((0.0, 0.0), |(a, b), t| (a + t, b + t.abs()));
                        parts.push(([ky, kx], part, size));
                    }
                }
            }
        }
        // In the order of the kernel's cells.
        parts.sort_by_key(|(cell, ..)| *cell);
        let (sum, size) = parts.iter().fold((0.0, 0.0), |(a, b), (_, part, size)| (a + part, b + size));
        let before = match index {
            0 => "grad_images".into(),
            _ => format!("grad_output/{}", self.network.layers()[index - 1].name),
        };
        let engine = f64::from(self.of_image(&before, self.image)[flat(layer.input, place)]);
        let (name, place) = if what.contains('[') { indexed(what) } else { (what, vec![]) };
        match name {
            "count" => (parts.len() as f64, 0.0),
            "part" => (parts[place[0]].1, size),
            "sum" => (sum, size),
            "engine" => (engine, 0.0),
            "ulps" => self.ulps(sum, engine),
            _ => panic!("an unknown part {what}"),
        }
    }

    /// Input, gradient and the flat place in the output, of every use of a weight; no input in the padding.
    fn uses(&self, weight: &str, image: usize) -> (usize, Vec<(Option<f64>, f64, usize)>) {
        let (tensor, place) = indexed(weight);
        let (name, part) = tensor.split_once('/').unwrap();
        let (index, layer) = self.layer(name);
        let input = self.of_image(&self.input_name(index), image);
        let gradients = self.of_image(&format!("grad_output/{name}"), image);
        let channels_out = match layer.output {
            Shape::Image([_, _, channels]) => channels,
            Shape::Vector(len) => len,
        };
        let mut uses = Vec::new();
        let mut add = |input: Option<f64>, element: usize| uses.push((input, f64::from(gradients[element]), element));
        match (&layer.kind, part) {
            (LayerKind::Dense(_), "kernel") => add(Some(input[place[0]].into()), place[1]),
            (LayerKind::Conv2d(_) | LayerKind::DepthwiseConv2d(_), part) if part != "bias" => {
                let (window, channels, filters) = sliding(layer);
                let filter = match layer.kind {
                    LayerKind::Conv2d(_) => place[3],
                    _ => place[2] * (filters / channels) + place[3],
                };
                for y in 0..window.output[0] {
                    for x in 0..window.output[1] {
                        let pixel = window.under(y, x, place[0], place[1]);
                        let value = pixel.map(|pixel| f64::from(input[pixel * channels + place[2]]));
                        add(value, (y * window.output[1] + x) * filters + filter);
                    }
                }
            }
            (LayerKind::BatchNormalization(_), "gamma") => {
                let moments = self.snapshot.floats(&format!("moments/{name}")).unwrap();
                let (mean, variance) = (f64::from(moments[place[0]]), f64::from(moments[channels_out + place[0]]));
                let reference::Layer::BatchNormalization { epsilon, .. } =
                    layer.twin(&self.network.initial_parameters(0))
                else {
                    unreachable!()
                };
                for element in (place[0]..input.len()).step_by(channels_out) {
                    add(Some((f64::from(input[element]) - mean) / (variance + epsilon).sqrt()), element);
                }
            }
            _ => (place[0]..gradients.len()).step_by(channels_out).for_each(|element| add(Some(1.0), element)),
        }
        (index, uses)
    }

    fn share(&self, weight: &str, image: usize) -> (f64, f64) {
        let (_, uses) = self.uses(weight, image);
        let products = uses.iter().map(|(input, gradient, _)| input.unwrap_or(0.0) * gradient);
        products.fold((0.0, 0.0), |(a, b), product| (a + product, b + product.abs()))
    }

    fn chain(&self, weight: &str, image: usize, what: &str) -> (f64, f64) {
        let (index, uses) = self.uses(weight, image);
        if what == "count" {
            return (uses.len() as f64, 0.0);
        }
        if let Some(cause) = what.strip_prefix("zeros/") {
            let is_cause = |(input, gradient, element): &&(Option<f64>, f64, usize)| match input {
                _ if *gradient == 0.0 => self.cause(index, *element) == cause,
                None => cause == "padding",
                Some(input) => *input == 0.0 && cause == "input",
            };
            return (uses.iter().filter(is_cause).count() as f64, 0.0);
        }
        let factors = uses.iter().map(|(input, gradient, _)| [input.unwrap_or(0.0), *gradient]).collect();
        self.sum(factors, None, None, what)
    }

    /// The cause of a zero, found forward: the cell is followed until something stops its gradient.
    fn cause(&self, layer: usize, cell: usize) -> &'static str {
        let Some(next) = self.network.layers().get(layer + 1) else { return "behind" };
        let arrives = || self.of_image(&format!("grad_output/{}", next.name), self.image)[cell] != 0.0;
        match &next.kind {
            LayerKind::Relu(_) | LayerKind::LeakyRelu(_) if arrives() => "relu",
            LayerKind::Dropout(_) if arrives() => "dropout",
            LayerKind::Relu(_) | LayerKind::LeakyRelu(_) | LayerKind::Dropout(_) | LayerKind::Flatten(_) => {
                self.cause(layer + 1, cell)
            }
            LayerKind::MaxPool(pool) => {
                let input = self.of_image(&self.input_name(layer + 1), self.image);
                let (geometry, channels) = (&pool.geometry, pool.geometry.input[2]);
                for y in 0..geometry.output[0] {
                    for x in 0..geometry.output[1] {
                        let [rows, columns] = geometry.inside([y, x]);
                        let top = |axis: usize, place: usize| place * geometry.stride[axis];
                        let cells = rows.flat_map(|dy| columns.clone().map(move |dx| (dy, dx)));
                        let cells = cells.map(|(dy, dx)| {
                            let row = top(0, y) + dy - geometry.padding[0];
                            let column = top(1, x) + dx - geometry.padding[1];
                            (row * geometry.input[1] + column) * channels + cell % channels
                        });
                        // The first of the largest.
                        let taken = cells.reduce(|best, next| if input[next] > input[best] { next } else { best });
                        if taken == Some(cell) {
                            return self.cause(layer + 1, (y * geometry.output[1] + x) * channels + cell % channels);
                        }
                    }
                }
                "pool"
            }
            _ => "behind",
        }
    }

    fn update(&self, weight: &str, what: &str) -> (f64, f64) {
        let optional = |name: &str| {
            let tensor = weight.split_once('[').unwrap().0;
            self.snapshot.floats(&format!("{name}/{tensor}")).map(|_| f64::from(self.weight(name, weight)))
        };
        let g = optional("clipped").unwrap_or_else(|| optional("gradient").unwrap());
        let w = optional("before").unwrap();
        let OptimizerSettings { rule, weight_decay, .. } = self.optimizer;
        let Values::F64(rate) = &self.snapshot.tensor("learning_rate").unwrap().values else { panic!("no rate") };
        let learning_rate = rate[0];
        let (t, decay) = (self.snapshot.facts().step as i32, learning_rate * weight_decay * w);
        let value = match (rule, what) {
            (_, "used") => g,
            (_, "t") => f64::from(t),
            (_, "decay") => decay,
            (_, "learning_rate") => learning_rate,
            (Rule::Adam(constants), what) => {
                let m = optional("before/adam/m").unwrap();
                let v = optional("before/adam/v").unwrap();
                let (b1, b2) = (constants.beta_1, constants.beta_2);
                let (new_m, new_v) = (b1 * m + (1.0 - b1) * g, b2 * v + (1.0 - b2) * g * g);
                let alpha = learning_rate * (1.0 - b2.powi(t)).sqrt() / (1.0 - b1.powi(t));
                let computed = w - decay - alpha * new_m / (new_v.sqrt() + constants.epsilon);
                match what {
                    "m" => m,
                    "v" => v,
                    "beta_1" => b1,
                    "beta_2" => b2,
                    "new_m" => new_m,
                    "new_v" => new_v,
                    "alpha" => alpha,
                    "computed" => computed,
                    "ulps" => return self.ulps(computed, optional("after").unwrap()),
                    _ => panic!("an unknown part {what}"),
                }
            }
            (Rule::Sgd { momentum, nesterov }, what) => {
                let velocity = optional("before/sgd/velocity").unwrap_or(0.0);
                let new = momentum * velocity - learning_rate * g;
                let moved = if nesterov { momentum * new - learning_rate * g } else { new };
                match what {
                    "velocity" => velocity,
                    "new_velocity" => new,
                    "computed" => w - decay + moved,
                    "ulps" => return self.ulps(w - decay + moved, optional("after").unwrap()),
                    _ => panic!("an unknown part {what}"),
                }
            }
        };
        (value, w.abs() + value.abs())
    }
}

/// A kernel and what it slides over.
struct Slide {
    input: [usize; 2],
    size: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    padding: [usize; 2],
    output: [usize; 2],
}

impl Slide {
    /// The pixel under a cell of the kernel, row by row.
    fn under(&self, y: usize, x: usize, ky: usize, kx: usize) -> Option<usize> {
        let row = (y * self.stride[0] + ky * self.dilation[0]).checked_sub(self.padding[0])?;
        let column = (x * self.stride[1] + kx * self.dilation[1]).checked_sub(self.padding[1])?;
        (row < self.input[0] && column < self.input[1]).then_some(row * self.input[1] + column)
    }
}

/// How a convolution slides, its channels and its filters.
fn sliding(layer: &Layer) -> (Slide, usize, usize) {
    let (Shape::Image([height, width, channels]), Shape::Image([_, _, filters])) = (layer.input, layer.output) else {
        panic!("{} is of vectors", layer.name)
    };
    let (size, stride, dilation, padding, output) = match &layer.kind {
        LayerKind::Conv2d(conv) => {
            let g = &conv.geometry;
            (g.kernel, g.stride, g.dilation, g.padding, g.output)
        }
        LayerKind::DepthwiseConv2d(conv) => {
            let g = &conv.geometry;
            (g.kernel, g.stride, g.dilation, g.padding, g.output)
        }
        _ => panic!("{} is no convolution", layer.name),
    };
    (Slide { input: [height, width], size, stride, dilation, padding, output }, channels, filters)
}

fn flat(shape: Shape, place: &[usize]) -> usize {
    match shape {
        Shape::Image([_, width, channels]) => (place[0] * width + place[1]) * channels + place[2],
        Shape::Vector(_) => place[2],
    }
}

/// A name and the place behind it, as `conv2d[1,2,3]`.
fn indexed(text: &str) -> (&str, Vec<usize>) {
    let (name, place) = text.strip_suffix(']').unwrap().split_once('[').unwrap();
    (name, place.split(',').map(|number| number.parse().unwrap()).collect())
}
