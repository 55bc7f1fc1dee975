//! How a network's layers are made, one after the other: each is handed the shape that the one before it
//! gives, and enters its tensors in the table.

use crate::geometry::Shape;
use crate::parameters::{Initialization, ParameterTable, Role, Statistic, TensorId};
use std::collections::HashMap;
use std::ops::Range;

/// Where the next layer of a network is made.
pub struct Builder {
    input: Shape,
    index: usize,
    /// For each kind of layer, how many there are.
    made: HashMap<&'static str, usize>,
    /// Of the layer at work.
    name: String,
    ordinal: usize,
    first_tensor: TensorId,
    table: ParameterTable,
}

impl Builder {
    /// No layer yet, and samples of this shape.
    pub fn new(input: Shape) -> Builder {
        let (made, table) = (HashMap::new(), ParameterTable::default());
        Builder { input, index: 0, made, name: String::new(), ordinal: 0, first_tensor: 0, table }
    }

    /// Begins the next layer, one of those that Keras calls `kind`, and names it.
    pub(super) fn begin(&mut self, kind: &'static str) {
        let made = self.made.entry(kind).or_default();
        self.ordinal = *made;
        *made += 1;
        self.name = if self.ordinal == 0 { kind.to_string() } else { format!("{kind}_{}", self.ordinal) };
        self.first_tensor = self.table.entries().len();
    }

    /// Ends the layer at work, which gives samples of the shape `output`. Returns its name, what reaches it,
    /// and its tensors.
    pub(super) fn end(&mut self, output: Shape) -> (String, Shape, Range<TensorId>) {
        let input = std::mem::replace(&mut self.input, output);
        self.index += 1;
        (std::mem::take(&mut self.name), input, self.first_tensor..self.table.entries().len())
    }

    /// The name of the layer at work.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The shape of a sample that reaches the layer at work; behind the last one, what the network gives.
    pub fn input(&self) -> Shape {
        self.input
    }

    /// H, W, C of the image that reaches the layer at work, which a message calls `what`.
    ///
    /// # Errors
    /// A sentence, where it is no image.
    pub fn image(&self, what: &str) -> Result<[usize; 3], String> {
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
    pub(crate) fn ordinal(&self) -> usize {
        self.ordinal
    }

    /// Enters a kernel of this shape in the table, and behind it a bias of `outputs` values if it has one.
    pub(crate) fn kernel_and_bias(
        &mut self,
        shape: Vec<usize>,
        outputs: usize,
        use_bias: bool,
    ) -> (TensorId, Option<TensorId>) {
        // As in Keras, unless told otherwise there, biases decay too.
        let role = Role::Trainable { decays: true };
        let kernel = self.table.push(format!("{}/kernel", self.name), shape, role, Initialization::GlorotUniform);
        let mut bias = || self.table.push(format!("{}/bias", self.name), vec![outputs], role, Initialization::Zeros);
        (kernel, use_bias.then(&mut bias))
    }

    /// Enters what a batch normalization of so many channels has: gamma and beta, which are learned, and the
    /// moving mean and variance, which it keeps itself.
    pub(crate) fn normalization(&mut self, channels: usize) -> [TensorId; 4] {
        let learned = Role::Trainable { decays: true };
        [
            ("gamma", learned, Initialization::Ones),
            ("beta", learned, Initialization::Zeros),
            ("moving_mean", Role::Running(Statistic::Mean), Initialization::Zeros),
            ("moving_variance", Role::Running(Statistic::Variance), Initialization::Ones),
        ]
        .map(|(tensor, role, initialization)| {
            self.table.push(format!("{}/{tensor}", self.name), vec![channels], role, initialization)
        })
    }

    /// The tensors of all layers.
    pub(crate) fn into_table(self) -> ParameterTable {
        self.table
    }
}
