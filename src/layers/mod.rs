//! Layers: what each is called, what goes in and out, where its weights stand, and how a batch is cut among
//! threads.
//!
//! A [`Layer`] is a description. It owns no weights ([`Parameters`] does),
//! keeps nothing between the passes (a [`Workspace`](crate::plan::Workspace) does), and has no loop over
//! pixels ([`kernels`](crate::kernels) do). What is left is the work of this folder: for each pass, which
//! parts of which buffers belong together, and which parts may run at the same time. Each kind of layer is a
//! file, all of one shape, the [`Operation`]; [`LayerKind`] is the list of them.
//!
//! **Every grid of parallel work depends on the data alone**, never on the number of threads, and every
//! output has one writer with a fixed order of summation. So the same seed gives the same bits on 1, 2 or 8
//! threads.

pub mod builder;
pub mod conv2d;
pub mod dense;
pub mod dropout;
pub mod flatten;
pub mod max_pool;
pub mod operation;
pub mod relu;
pub mod saved;
pub mod scratch;
pub mod sink;

use crate::geometry::Shape;
use crate::parameters::{Parameters, TensorId};
use crate::reference;
use crate::spec::LayerSpec;
use crate::{Error, Result};
use builder::Builder;
use conv2d::Conv2d;
use dense::Dense;
use dropout::Dropout;
use flatten::Flatten;
use max_pool::MaxPool;
use operation::{Backward, Forward, Operation, WorkLen};
use relu::Relu;
use saved::SavedLen;
use sink::Sink;
use std::ops::Range;

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

/// What a layer does, with its sizes and the numbers of its tensors.
#[derive(Clone, Debug)]
pub enum LayerKind {
    /// Convolution.
    Conv2d(Conv2d),
    /// Max-pooling.
    MaxPool(MaxPool),
    /// max(x, 0).
    Relu(Relu),
    /// The same floats, called a vector.
    Flatten(Flatten),
    /// Weighted sums.
    Dense(Dense),
    /// Inverted dropout.
    Dropout(Dropout),
}

/// Calls a method of the layer that a [`LayerKind`] holds.
macro_rules! dispatch {
    ($kind:expr, $layer:ident => $call:expr) => {
        match $kind {
            LayerKind::Conv2d($layer) => $call,
            LayerKind::MaxPool($layer) => $call,
            LayerKind::Relu($layer) => $call,
            LayerKind::Flatten($layer) => $call,
            LayerKind::Dense($layer) => $call,
            LayerKind::Dropout($layer) => $call,
        }
    };
}

impl Layer {
    /// Checks a layer against the shape that reaches it and enters its tensors in the table.
    ///
    /// # Errors
    /// [`Error::Layer`], where the layer cannot take that shape.
    pub fn new(spec: &LayerSpec, builder: &mut Builder) -> Result<Layer> {
        match *spec {
            LayerSpec::Conv2d { filters, kernel, stride, padding } => {
                let (kernel, stride) = (kernel.both(), stride.both());
                add(builder, LayerKind::Conv2d, |builder| Conv2d::new(builder, filters, kernel, stride, padding))
            }
            LayerSpec::MaxPool { window, stride } => {
                let stride = stride.unwrap_or(window).both();
                add(builder, LayerKind::MaxPool, |builder| MaxPool::new(builder, window.both(), stride))
            }
            LayerSpec::Relu {} => add(builder, LayerKind::Relu, |_| Ok(Relu)),
            LayerSpec::Flatten {} => add(builder, LayerKind::Flatten, |_| Ok(Flatten)),
            LayerSpec::Dense { units } => add(builder, LayerKind::Dense, |builder| Dense::new(builder, units)),
            LayerSpec::Dropout { rate } => add(builder, LayerKind::Dropout, |builder| Dropout::new(builder, rate)),
        }
    }

    /// [`Operation::multiply_adds`].
    pub fn multiply_adds(&self) -> usize {
        dispatch!(&self.kind, layer => layer.multiply_adds())
    }

    /// [`Operation::twin`].
    pub fn twin(&self, parameters: &Parameters) -> reference::Layer {
        dispatch!(&self.kind, layer => layer.twin(parameters))
    }
}

/// Adds the layer that `new` makes, whose errors are sentences.
fn add<L: Operation>(
    builder: &mut Builder,
    kind: fn(L) -> LayerKind,
    new: impl FnOnce(&mut Builder) -> std::result::Result<L, String>,
) -> Result<Layer> {
    builder.begin(L::NAME);
    let layer = new(builder).map_err(|reason| Error::layer(builder.name(), reason))?;
    let output = layer.output(builder.input());
    let (name, input, tensors) = builder.end(output);
    Ok(Layer { name, input, output, tensors, kind: kind(layer) })
}

impl LayerKind {
    /// [`Operation::is_view`].
    pub(crate) fn is_view(&self) -> bool {
        dispatch!(self, layer => layer.is_view())
    }

    /// [`Operation::saves`].
    pub fn saves(&self, batch: usize, training: bool) -> SavedLen {
        dispatch!(self, layer => layer.saves(batch, training))
    }

    /// [`Operation::work_len`].
    pub(crate) fn work_len(&self, batch: usize, training: bool) -> WorkLen {
        dispatch!(self, layer => layer.work_len(batch, training))
    }

    /// [`Operation::forward`].
    pub fn forward(&self, pass: Forward) {
        dispatch!(self, layer => layer.forward(pass))
    }

    /// [`Operation::backward`].
    pub fn backward(&self, pass: Backward, sink: &mut impl Sink) {
        dispatch!(self, layer => layer.backward(pass, sink))
    }
}
