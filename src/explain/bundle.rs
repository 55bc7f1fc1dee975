//! All of a moment that a page needs: a header in JSON, and the bytes of tensors.
//!
//! Of the batch's images one is in focus, and the tensors are of it alone; weights, gradients and moments are
//! those of the whole step. What does not fit in the budget is left out, the largest first: the page computes
//! what a layer's output or gradient was from what it has, and of a tensor of weights that is left out the
//! header tells the weights with the largest gradients.

use super::focus::Focus;
use super::header::header;
use super::moment::Moment;
use super::tensors::{Candidate, Contents, Tensors, lengths};
use crate::layers::LayerKind;
use crate::snapshot::Values;
use serde_json::Value;

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
        let mut tensors = Tensors::new(options.budget);
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
        let header = header(moment, &options.focus, &tensors);
        Bundle { header, bytes: tensors.into_bytes() }
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

/// A layer's output and gradient, of the image in focus.
fn of_layer<'a>(moment: &Moment<'a>, layer: usize, focus: usize) -> [Candidate<'a>; 2] {
    let name = &moment.layers()[layer].name;
    let shape = lengths(moment.layers()[layer].output);
    [
        Candidate::floats(format!("output/{name}"), shape.clone(), moment.output(layer, focus)),
        Candidate::floats(format!("grad_output/{name}"), shape, moment.grad_output(layer, focus)),
    ]
}

/// The tensors that a page needs, the most needed first; of equals the smallest.
fn candidates<'a>(moment: &Moment<'a>, focus: usize) -> Vec<Candidate<'a>> {
    let input = moment.network.spec().input.to_vec();
    let mut first = vec![
        Candidate::floats("images".into(), input.clone(), moment.input(0, focus)),
        Candidate::floats("grad_images".into(), input, moment.grad_input(0, focus)),
    ];
    let (mut needed, mut rest) = (Vec::<Candidate>::new(), Vec::new());
    for (index, layer) in moment.layers().iter().enumerate() {
        let (name, len) = (&layer.name, layer.output.len());
        if let Some(argmax) = moment.snapshot.argmax(name) {
            let contents = Contents::Cells(&argmax[focus * len..][..len]);
            first.push(Candidate { name: format!("argmax/{name}"), shape: lengths(layer.output), contents });
        }
        if let Some(factors) = moment.snapshot.factors(name) {
            let factors = moment.part(factors, focus);
            first.push(Candidate::floats(format!("factors/{name}"), lengths(layer.output), factors));
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
        group.sort_by_key(|candidate| candidate.contents.len());
    }
    first.into_iter().chain(needed).chain(rest).chain(last).collect()
}

/// What the page can compute by itself, and is spared if there is room.
fn inner<'a>(moment: &Moment<'a>, focus: usize) -> Vec<Candidate<'a>> {
    let layers = (0..moment.layers().len()).filter(|&layer| is_inner(moment, layer));
    let mut all: Vec<Candidate> = layers.flat_map(|layer| of_layer(moment, layer, focus)).collect();
    all.sort_by_key(|candidate| candidate.contents.len());
    all
}
