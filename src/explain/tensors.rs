//! The tensors of a bundle: as many as fit.

use super::moment::Moment;
use super::weight::Weight;
use crate::geometry::Shape;
use crate::reference::{Image, Layer, LayerGradient, layer_backward, no_gradient};
use rayon::prelude::*;
use serde_json::{Map, Value, json};

/// The sizes of a sample, as many as it has.
pub(super) fn lengths(shape: Shape) -> Vec<usize> {
    match shape {
        Shape::Image(sizes) => sizes.to_vec(),
        Shape::Vector(len) => vec![len],
    }
}

/// A tensor that may go in.
pub(super) struct Candidate<'a> {
    pub name: String,
    pub shape: Vec<usize>,
    pub contents: Contents<'a>,
}

/// The values of a tensor that may go in; they are copied if it does.
pub(super) enum Contents<'a> {
    Floats(&'a [f32]),
    Cells(&'a [u16]),
}

impl<'a> Candidate<'a> {
    pub fn floats(name: String, shape: Vec<usize>, values: &'a [f32]) -> Candidate<'a> {
        Candidate { name, shape, contents: Contents::Floats(values) }
    }
}

impl Contents<'_> {
    /// The number of bytes.
    pub fn len(&self) -> usize {
        match self {
            Contents::Floats(values) => size_of_val(*values),
            Contents::Cells(cells) => size_of_val(*cells),
        }
    }
}

/// The tensors that went in.
pub(super) struct Tensors {
    budget: usize,
    entries: Map<String, Value>,
    bytes: Vec<u8>,
}

impl Tensors {
    /// None yet, of so many bytes at the most.
    pub fn new(budget: usize) -> Tensors {
        Tensors { budget, entries: Map::new(), bytes: Vec::new() }
    }

    /// For each tensor by its name where it stands, and what it is.
    pub fn entries(&self) -> &Map<String, Value> {
        &self.entries
    }

    /// The bytes of all.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// Adds a tensor, if it fits.
    pub fn add(&mut self, Candidate { name, shape, contents }: Candidate) {
        // Every offset is a multiple of four, which a view of floats needs.
        let offset = self.bytes.len();
        let end = (offset + contents.len()).next_multiple_of(4);
        if end > self.budget {
            return;
        }
        let kind = match contents {
            Contents::Floats(values) => {
                self.bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
                "f32"
            }
            Contents::Cells(cells) => {
                self.bytes.extend(cells.iter().flat_map(|cell| cell.to_le_bytes()));
                "u16"
            }
        };
        self.bytes.resize(end, 0);
        let length: usize = shape.iter().product();
        self.entries.insert(name, json!({ "shape": shape, "type": kind, "offset": offset, "length": length }));
    }

    /// Adds every image's share of a tensor's gradient, the smallest tensors first, for all images or none.
    pub fn add_shares(&mut self, moment: &Moment) {
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
    pub fn alias_views(&mut self, moment: &Moment) {
        for (index, layer) in moment.layers().iter().enumerate().filter(|(_, layer)| layer.kind.is_view()) {
            for what in ["output", "grad_output"] {
                let before = match (index, what) {
                    (0, "output") => "images".to_string(),
                    (0, _) => "grad_images".to_string(),
                    _ => format!("{what}/{}", moment.layers()[index - 1].name),
                };
                let Some(entry) = self.entries.get(&before) else { continue };
                let mut entry = entry.clone();
                entry["shape"] = json!(lengths(layer.output));
                self.entries.insert(format!("{what}/{}", layer.name), entry);
            }
        }
    }
}

impl Moment<'_> {
    /// Returns an image's share of the gradients of a layer's weights: what the image's own terms add up to.
    fn layer_share(&self, layer: usize, image: usize) -> LayerGradient {
        let mut gradient = no_gradient(&self.twin[layer]);
        let [input, output] = [self.layers()[layer].input, self.layers()[layer].output].map(Shape::sizes);
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
