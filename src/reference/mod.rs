//! The textbook: the whole network, forward and backward, as plain loops in `f64`.
//!
//! Read this folder first. Nothing here is fast and nothing is clever: each layer is its formula, its
//! backward pass is the formula's derivative, and both stand side by side. Everything else in the crate is a
//! faster way to compute the same numbers, and is tested against it; it is tested against central finite
//! differences. It shares no code with the engine.
//!
//! | file | what, in the order to read it |
//! |---|---|
//! | `tensors` | what goes forward through a network, and what comes back for its parameters |
//! | `dense`, `elementwise`, `pool_shape`, `max_pool`, `average_pool`, `conv2d`, `depthwise_conv2d` | the layers, each forward and backward |
//! | `batch_normalization` | the one layer in which the images of a batch meet |
//! | `loss` | sigmoid and binary cross-entropy, softmax and categorical cross-entropy, a sigmoid for each label |
//! | `network` | all layers forward, and a training step backward through them |
//! | `adam`, `sgd` | from gradients to new weights |
//! | `clipping` | gradients held within a bound before |
//!
//! # How backpropagation reads here
//!
//! A network is a list of functions applied one after the other, and the loss L is one number at the end.
//! Going backward, every layer is handed ∂L/∂output, and owes two things: ∂L/∂input, which it hands to the
//! layer before it, and ∂L/∂(each of its own parameters), which it adds to the gradients. The chain rule is
//! all there is:
//!
//! ```text
//! ∂L/∂input = Σ over outputs  ∂L/∂output · ∂output/∂input
//! ```
//!
//! So each `backward` below walks the very loops of its `forward`, and where forward says
//! `output += input · weight`, backward says `grad_input += grad_output · weight` and
//! `grad_weight += grad_output · input`.
//!
//! # An example to check by hand
//!
//! One 4×4 image with one channel, one 3×3 filter with bias 1, ReLU, one 2×2 pooling window, a dense weight
//! 0.5 with bias −2:
//!
//! ```text
//! image        filter       conv + 1    ReLU    max   dense             sigmoid   loss for label 1
//! 1 2 0 1       1  0 -1      1   4      1  4     4    0.5·4 − 2 = 0     ½         −ln ½ = 0.6931
//! 0 1 3 1       0  1  0     -1   3      0  3
//! 2 1 0 0      -1  0  1
//! 1 0 1 2
//! ```
//!
//! Backward from ∂L/∂z = p − y = −½: the dense weight gets −½·4 = −2, its bias −½; the pooled cell gets
//! −½·0.5 = −¼, which goes to the one cell that was the maximum, row 0, column 1; ReLU lets it through, since
//! 4 > 0. So the filter's gradient is −¼ times the image patch under that cell, its bias gets −¼, and the
//! image gets −¼ times the filter, laid at that cell:
//!
//! ```text
//! ∂L/∂filter = −¼ · 2 0 1      ∂L/∂image = −¼ · 0  1  0 -1
//!                   1 3 1                       0  0  1  0
//!                   1 0 0                       0 -1  0  1
//!                                               0  0  0  0
//! ```
//!
//! Adam's first step moves every weight with a gradient by almost exactly the learning rate 0.001, against
//! the gradient's sign: the dense weight becomes 0.501. The tests in `reference/tests.rs` check each of these
//! numbers.
//!
//! # Layout
//!
//! An image is `[H, W, C]`, channels last; a filter bank is `[kernel height, kernel width, C, F]`; a dense
//! kernel is `[inputs, units]`. The letters are those of the [crate's notation](crate#notation).

mod adam;
mod average_pool;
mod batch_normalization;
mod clipping;
mod conv2d;
mod dense;
mod depthwise_conv2d;
mod elementwise;
mod loss;
mod max_pool;
mod network;
mod pool_shape;
mod sgd;
mod tensors;

pub use adam::Adam;
pub use average_pool::{
    average_pool_backward, average_pool_forward, global_average_pool_backward, global_average_pool_forward,
};
pub use batch_normalization::{
    Moments, batch_normalization_backward, batch_normalization_forward, moments, moving_moments,
};
pub use clipping::{clip_by_global_norm, clip_by_norm, clip_by_value};
pub use conv2d::{ConvShape, conv2d_backward, conv2d_forward};
pub use dense::{dense_backward, dense_forward};
pub use depthwise_conv2d::{depthwise_conv2d_backward, depthwise_conv2d_forward};
pub use elementwise::{dropout, leaky_relu_backward, leaky_relu_forward, relu_backward, relu_forward};
pub use loss::{
    binary_cross_entropy, binary_cross_entropy_gradient, categorical_cross_entropy, categorical_cross_entropy_gradient,
    label_cross_entropy, label_cross_entropy_gradient, sigmoid, smoothed_label_targets, smoothed_targets, softmax,
};
pub use max_pool::{max_pool_backward, max_pool_forward, window_maxima};
pub use network::{
    Layer, Loss, Step, forward, label_step, layer_backward, layer_factors, layer_forward, mean_label_loss, mean_loss,
    no_gradient, step, weighted_step,
};
pub use pool_shape::PoolShape;
pub use sgd::Sgd;
pub use tensors::{Image, LayerGradient};

#[cfg(test)]
mod tests;
