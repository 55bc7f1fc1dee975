//! Layers: what each is called, what goes in and out, where its weights stand, and how a batch is cut among threads.
//!
//! A [`Layer`] is a description. It owns no weights ([`Parameters`](crate::parameters::Parameters) does), keeps nothing
//! between the passes (a [`Workspace`](crate::plan::Workspace) does), and has no loop over pixels
//! ([`kernels`](crate::kernels) do). What is left is the work of this folder: for each pass, which parts of which buffers
//! belong together, and which parts may run at the same time.
//!
//! **Every grid of parallel work depends on the data alone**, never on the number of threads, and every output has one
//! writer with a fixed order of summation. So the same seed gives the same bits on 1, 2 or 8 threads.

pub mod activation;
pub mod conv2d;
pub mod conv_block;
pub mod dense;
pub mod dropout;
pub mod max_pool;
pub mod scratch;
pub mod sink;

use crate::geometry::{ConvGeometry, PoolGeometry};
use crate::parameters::{Initialization, ParameterTable, Role, TensorId};
use crate::spec::LayerSpec;
use crate::{Error, Result};
use conv2d::Conv2d;
use dense::Dense;
use max_pool::MaxPool;
use std::fmt;
use std::ops::Range;

/// The shape of one sample between two layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// H, W, C.
    Image([usize; 3]),
    /// A number of values.
    Vector(usize),
}

impl Shape {
    /// Floats in one sample.
    pub fn len(self) -> usize {
        match self {
            Shape::Image(sizes) => sizes.iter().product(),
            Shape::Vector(len) => len,
        }
    }

    /// Whether a sample has no floats; never so in a network that was built.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let text = match self {
            Shape::Image([height, width, channels]) => format!("{height}×{width}×{channels}"),
            Shape::Vector(len) => len.to_string(),
        };
        formatter.pad(&text)
    }
}

/// One layer of a network, checked.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Keras's name: `conv2d`, `conv2d_1`, `max_pooling2d`, …
    pub name: String,
    /// The shape of a sample that goes in.
    pub input: Shape,
    /// The shape of a sample that comes out.
    pub output: Shape,
    /// The numbers of its tensors in the table; a kernel comes before its bias.
    pub tensors: Range<TensorId>,
    /// What it does.
    pub kind: LayerKind,
}

/// What a layer does, with its sizes and the places of its weights.
#[derive(Clone, Debug)]
pub enum LayerKind {
    /// Convolution.
    Conv2d(Conv2d),
    /// Max-pooling.
    MaxPool(MaxPool),
    /// max(x, 0).
    Relu,
    /// The same floats, called a vector.
    Flatten,
    /// Weighted sums.
    Dense(Dense),
    /// Inverted dropout with this rate.
    Dropout(f32),
}

/// A network's largest tensor may have this many floats (8 GiB), and a size in a spec may be this large: beyond them is a
/// mistake in the spec, found before memory is asked for.
const MAX_TENSOR_FLOATS: usize = 1 << 31;

impl Layer {
    /// Checks a layer against the shape that reaches it and enters its weights in the table.
    ///
    /// # Errors
    /// [`Error::Layer`], where the layer cannot take that shape.
    pub fn new(name: String, spec: &LayerSpec, input: Shape, table: &mut ParameterTable) -> Result<Layer> {
        let fail = |reason: String| Error::layer(name.clone(), reason);
        let image = |what: &str| match input {
            Shape::Image(sizes) => Ok(sizes),
            Shape::Vector(len) => Err(fail(format!(
                "{what} needs an image, but a vector of {len} values reaches it; put it before 'flatten'"
            ))),
        };
        let first_tensor = table.entries().len();
        let (output, kind) = match *spec {
            LayerSpec::Conv2d { filters, kernel, stride, padding } => {
                let [height, width, channels] = image("a convolution")?;
                for size in [kernel.both(), stride.both(), [filters, filters]].concat() {
                    check_floats(&[size]).map_err(fail)?;
                }
                let geometry =
                    ConvGeometry::new([height, width, channels], kernel.both(), stride.both(), padding, filters)
                        .map_err(fail)?;
                let shape = vec![geometry.kernel[0], geometry.kernel[1], channels, filters];
                check_floats(&shape).map_err(fail)?;
                check_floats(&[geometry.output[0], geometry.output[1], filters]).map_err(fail)?;
                let (kernel, bias) = weights(table, &name, shape);
                let output = Shape::Image([geometry.output[0], geometry.output[1], filters]);
                (output, LayerKind::Conv2d(Conv2d { geometry, kernel, bias }))
            }
            LayerSpec::MaxPool { window, stride } => {
                let sizes = image("max-pooling")?;
                let (window, stride) = (window.both(), stride.unwrap_or(window).both());
                let geometry = PoolGeometry::new(sizes, window, stride).map_err(fail)?;
                let output = Shape::Image([geometry.output[0], geometry.output[1], sizes[2]]);
                (output, LayerKind::MaxPool(MaxPool { geometry }))
            }
            LayerSpec::Relu {} => (input, LayerKind::Relu),
            LayerSpec::Flatten {} => (Shape::Vector(input.len()), LayerKind::Flatten),
            LayerSpec::Dense { units } => {
                let Shape::Vector(inputs) = input else {
                    return Err(fail(format!(
                        "a dense layer needs a vector, but an image of {input} reaches it; put 'flatten' before it"
                    )));
                };
                if units == 0 {
                    return Err(fail("0 units; it needs at least 1".into()));
                }
                check_floats(&[inputs, units]).map_err(fail)?;
                let (kernel, bias) = weights(table, &name, vec![inputs, units]);
                (Shape::Vector(units), LayerKind::Dense(Dense { inputs, units, kernel, bias }))
            }
            LayerSpec::Dropout { rate } => {
                if !(0.0..1.0).contains(&(rate as f32)) {
                    return Err(fail(format!("a dropout rate of {rate}; it must be at least 0 and below 1")));
                }
                (input, LayerKind::Dropout(rate as f32))
            }
        };
        Ok(Layer { name, input, output, tensors: first_tensor..table.entries().len(), kind })
    }

    /// What Keras calls a layer of this kind; the second and later ones get `_1`, `_2`, … behind it.
    pub fn base_name(spec: &LayerSpec) -> &'static str {
        match spec {
            LayerSpec::Conv2d { .. } => "conv2d",
            LayerSpec::MaxPool { .. } => "max_pooling2d",
            LayerSpec::Relu {} => "re_lu",
            LayerSpec::Flatten {} => "flatten",
            LayerSpec::Dense { .. } => "dense",
            LayerSpec::Dropout { .. } => "dropout",
        }
    }

    /// Multiply-adds of a forward pass over one sample: P·K·F or inputs·units, and 0 for layers without weights.
    pub fn multiply_adds(&self) -> usize {
        match &self.kind {
            LayerKind::Conv2d(conv) => conv.geometry.multiply_adds(),
            LayerKind::Dense(dense) => dense.inputs * dense.units,
            _ => 0,
        }
    }
}

/// Enters a layer's kernel and bias (one value for each of the kernel's last size) in the table.
fn weights(table: &mut ParameterTable, name: &str, shape: Vec<usize>) -> (TensorId, TensorId) {
    let outputs = shape[shape.len() - 1];
    // As in Keras, unless told otherwise there, biases decay too.
    let role = Role::Trainable { decays: true };
    let kernel = table.push(format!("{name}/kernel"), shape, role, Initialization::GlorotUniform);
    (kernel, table.push(format!("{name}/bias"), vec![outputs], role, Initialization::Zeros))
}

/// A sentence, where a tensor of these sizes would be too large.
pub(crate) fn check_floats(sizes: &[usize]) -> std::result::Result<(), String> {
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
