//! How a network's layers are made, one after the other: each is handed the shape that the one before it
//! gives, and enters its tensors in the table.

use super::operation::Operation;
use super::{Layer, LayerKind, Shape};
use crate::parameters::{Initialization, ParameterTable, Role, TensorId};
use crate::{Error, Result};
use std::collections::HashMap;

/// A network's largest tensor may have this many floats (8 GiB), and a size in a spec may be this large:
/// beyond them is a mistake in the spec, found before memory is asked for.
const MAX_TENSOR_FLOATS: usize = 1 << 31;

/// Where the next layer of a network is made.
pub struct Builder {
    input: Shape,
    index: usize,
    /// For each kind of layer, how many there are.
    made: HashMap<&'static str, usize>,
    /// Of the layer at work.
    name: String,
    ordinal: usize,
    table: ParameterTable,
}

impl Builder {
    /// No layer yet, and samples of this shape.
    pub fn new(input: Shape) -> Builder {
        let (made, table) = (HashMap::new(), ParameterTable::default());
        Builder { input, index: 0, made, name: String::new(), ordinal: 0, table }
    }

    /// Makes the next layer by `new`, whose errors are sentences.
    pub(super) fn add<L: Operation>(
        &mut self,
        kind: fn(L) -> LayerKind,
        new: impl FnOnce(&mut Builder) -> std::result::Result<L, String>,
    ) -> Result<Layer> {
        let made = self.made.entry(L::NAME).or_default();
        self.ordinal = *made;
        *made += 1;
        self.name = if self.ordinal == 0 { L::NAME.to_string() } else { format!("{}_{}", L::NAME, self.ordinal) };
        let (input, first_tensor) = (self.input, self.table.entries().len());
        let layer = new(self).map_err(|reason| Error::layer(&self.name, reason))?;
        self.input = layer.output(input);
        self.index += 1;
        let (name, tensors) = (self.name.clone(), first_tensor..self.table.entries().len());
        Ok(Layer { name, input, output: self.input, tensors, kind: kind(layer) })
    }

    /// The shape of a sample that reaches the layer at work; behind the last one, what the network gives.
    pub fn input(&self) -> Shape {
        self.input
    }

    /// H, W, C of the image that reaches the layer at work, which a message calls `what`.
    ///
    /// # Errors
    /// A sentence, where it is no image.
    pub fn image(&self, what: &str) -> std::result::Result<[usize; 3], String> {
        match self.input {
            Shape::Image(sizes) => Ok(sizes),
            Shape::Vector(len) => {
                Err(format!("{what} needs an image, but a vector of {len} values reaches it; put it before 'flatten'"))
            }
        }
    }

    /// The number of the layer at work in the network.
    pub fn index(&self) -> usize {
        self.index
    }

    /// How many layers of its kind stand before the layer at work.
    pub fn ordinal(&self) -> usize {
        self.ordinal
    }

    /// Enters a kernel of this shape in the table, and a bias: a value for each of the kernel's last size.
    pub fn kernel_and_bias(&mut self, shape: Vec<usize>) -> [TensorId; 2] {
        let outputs = shape[shape.len() - 1];
        // As in Keras, unless told otherwise there, biases decay too.
        let role = Role::Trainable { decays: true };
        let kernel = self.table.push(format!("{}/kernel", self.name), shape, role, Initialization::GlorotUniform);
        [kernel, self.table.push(format!("{}/bias", self.name), vec![outputs], role, Initialization::Zeros)]
    }

    /// The tensors of all layers.
    pub fn into_table(self) -> ParameterTable {
        self.table
    }
}

/// Refuses, in a sentence, a tensor of these sizes where it would be too large.
///
/// # Errors
/// The sentence.
pub fn check_floats(sizes: &[usize]) -> std::result::Result<(), String> {
    let floats = sizes.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
    match floats {
        Some(floats) if floats <= MAX_TENSOR_FLOATS => Ok(()),
        _ => {
            let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
            Err(format!(
                "it would have {} floats, and {MAX_TENSOR_FLOATS} is the most; make it smaller",
                sizes.join("×")
            ))
        }
    }
}
