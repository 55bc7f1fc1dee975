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

pub mod average_pool;
pub mod batch_normalization;
pub mod builder;
pub mod conv2d;
pub mod dense;
pub mod depthwise_conv2d;
pub mod dropout;
pub mod flatten;
pub mod global_average_pool;
pub mod leaky_relu;
pub mod max_pool;
pub mod operation;
pub mod relu;
pub mod saved;
pub mod scratch;
pub mod sink;
pub mod slots;
mod value_by_value;

use crate::geometry::{Padding, Shape, Sliding};
use crate::parameters::{Parameters, TensorId};
use crate::reference;
use crate::spec::{LayerSpec, Size};
use crate::{Error, Result};
use average_pool::AveragePool;
use batch_normalization::BatchNormalization;
use builder::Builder;
use conv2d::Conv2d;
use dense::Dense;
use depthwise_conv2d::DepthwiseConv2d;
use dropout::Dropout;
use flatten::Flatten;
use global_average_pool::GlobalAveragePool;
use leaky_relu::LeakyRelu;
use max_pool::MaxPool;
use operation::{Backward, Forward, Operation, WorkLen};
use relu::Relu;
use saved::{Saved, SavedLen};
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
    /// Convolution of each channel by itself.
    DepthwiseConv2d(DepthwiseConv2d),
    /// Max-pooling.
    MaxPool(MaxPool),
    /// Average-pooling.
    AveragePool(AveragePool),
    /// The mean over all pixels, which makes a vector of an image.
    GlobalAveragePool(GlobalAveragePool),
    /// max(x, 0).
    Relu(Relu),
    /// x where it is positive, else a share of it.
    LeakyRelu(LeakyRelu),
    /// The same floats, called a vector.
    Flatten(Flatten),
    /// Weighted sums.
    Dense(Dense),
    /// Inverted dropout.
    Dropout(Dropout),
    /// Batch normalization.
    BatchNormalization(BatchNormalization),
}

/// Calls a method of the layer that a [`LayerKind`] holds.
macro_rules! dispatch {
    ($kind:expr, $layer:ident => $call:expr) => {
        match $kind {
            LayerKind::Conv2d($layer) => $call,
            LayerKind::DepthwiseConv2d($layer) => $call,
            LayerKind::MaxPool($layer) => $call,
            LayerKind::AveragePool($layer) => $call,
            LayerKind::GlobalAveragePool($layer) => $call,
            LayerKind::Relu($layer) => $call,
            LayerKind::LeakyRelu($layer) => $call,
            LayerKind::Flatten($layer) => $call,
            LayerKind::Dense($layer) => $call,
            LayerKind::Dropout($layer) => $call,
            LayerKind::BatchNormalization($layer) => $call,
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
            LayerSpec::Conv2d { filters, kernel, stride, padding, dilation, use_bias } => {
                let kernel = sliding([kernel, stride, dilation], padding);
                add(builder, LayerKind::Conv2d, |builder| Conv2d::new(builder, filters, kernel, use_bias))
            }
            LayerSpec::DepthwiseConv2d { kernel, stride, padding, dilation, depth_multiplier, use_bias } => {
                let kernel = sliding([kernel, stride, dilation], padding);
                let new = |builder: &mut Builder| DepthwiseConv2d::new(builder, kernel, depth_multiplier, use_bias);
                add(builder, LayerKind::DepthwiseConv2d, new)
            }
            LayerSpec::MaxPool { window, stride, padding } => {
                let stride = stride.unwrap_or(window).both();
                add(builder, LayerKind::MaxPool, |builder| MaxPool::new(builder, window.both(), stride, padding))
            }
            LayerSpec::AveragePool { window, stride, padding } => {
                let (window, stride) = (window.both(), stride.unwrap_or(window).both());
                add(builder, LayerKind::AveragePool, |builder| AveragePool::new(builder, window, stride, padding))
            }
            LayerSpec::GlobalAveragePool {} => {
                add(builder, LayerKind::GlobalAveragePool, |builder| GlobalAveragePool::new(builder))
            }
            LayerSpec::Relu {} => add(builder, LayerKind::Relu, |_| Ok(Relu)),
            LayerSpec::LeakyRelu { negative_slope } => {
                add(builder, LayerKind::LeakyRelu, |_| LeakyRelu::new(negative_slope))
            }
            LayerSpec::Flatten {} => add(builder, LayerKind::Flatten, |_| Ok(Flatten)),
            LayerSpec::Dense { units, use_bias } => {
                add(builder, LayerKind::Dense, |builder| Dense::new(builder, units, use_bias))
            }
            LayerSpec::Dropout { rate } => add(builder, LayerKind::Dropout, |builder| Dropout::new(builder, rate)),
            LayerSpec::BatchNormalization { momentum, epsilon } => {
                let new = |builder: &mut Builder| BatchNormalization::new(builder, momentum, epsilon);
                add(builder, LayerKind::BatchNormalization, new)
            }
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

/// How a kernel of such a size, stride and dilation slides.
fn sliding(sizes: [Size; 3], padding: Padding) -> Sliding {
    let [size, stride, dilation] = sizes.map(Size::both);
    Sliding { size, stride, dilation, padding }
}

/// Adds the layer that `new` makes, whose errors are sentences.
fn add<L: Operation>(
    builder: &mut Builder,
    kind: fn(L) -> LayerKind,
    new: impl FnOnce(&mut Builder) -> std::result::Result<L, String>,
) -> Result<Layer> {
    builder.begin(L::NAME);
    let layer = new(builder).map_err(|reason| Error::layer_at(builder.index(), builder.name(), reason))?;
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

    /// [`Operation::run`].
    pub(crate) fn run(&self, batch: usize) -> usize {
        dispatch!(self, layer => layer.run(batch))
    }

    /// [`Operation::forward`].
    pub fn forward(&self, pass: Forward) {
        dispatch!(self, layer => layer.forward(pass))
    }

    /// [`Operation::update_running`].
    pub(crate) fn update_running(&self, saved: &Saved, parameters: &mut Parameters) {
        dispatch!(self, layer => layer.update_running(saved, parameters))
    }

    /// [`Operation::backward`].
    pub fn backward(&self, pass: Backward, sink: &mut impl Sink) {
        dispatch!(self, layer => layer.backward(pass, sink))
    }
}
