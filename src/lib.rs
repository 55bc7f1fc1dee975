//! glassnet: a from-scratch CNN engine that you can see through.
//!
//! The program trains a convolutional image classifier from a folder or a zip of images, a folder for each
//! class; the library trains one from arrays, too. Convolution, pooling, dense layers, dropout, sigmoid and
//! softmax with their cross-entropies, the whole backward pass, Adam and SGD are written here; no framework
//! lies underneath.
//!
//! ```
//! use glassnet::{network::Network, plan::predict, spec::ModelSpec};
//! use ndarray::Array4;
//!
//! let network = Network::new(&ModelSpec::documented())?;
//! let parameters = network.initial_parameters(0);
//! let images = Array4::zeros((2, 128, 128, 3));
//! let probabilities = predict(&network, &parameters, images.view())?;
//! assert_eq!(probabilities, [0.5, 0.5]); // black images, and biases that are still zero
//! # Ok::<(), glassnet::Error>(())
//! ```
//!
//! # Where to start
//!
//! The folder `docs` is a course, from one neuron to the Winograd kernel, readable without Rust.
//!
//! The folder `examples` trains from arrays and from a folder, shows a loop by hand, answers from many
//! threads, and looks at every layer's gradient. The feature `cli`, on by default, is the program with
//! what it alone needs: [`report`], its pictures and pages, [`lecture`], [`gradcheck`], [`explain`],
//! [`bench`](mod@bench), [`profile`] and [`data::audit`]. The feature `exchange`, which `cli` includes, is
//! [`exchange`](mod@exchange).
//!
//! To **learn** what backpropagation computes, read [`reference`](mod@reference): the whole network in plain
//! `f64` loops, with an example to check by hand. To **use** the engine, start at [`network`] and
//! [`training`]. To **see how it is fast**, start at [`kernels`].
//!
//! # Notation
//!
//! | letter | meaning |
//! |---|---|
//! | N | images in a batch |
//! | H, W, C | height, width and channels of an image; tensors are N H W C, channels last |
//! | F | filters of a convolution: the channels of its output |
//! | K | kernel height · kernel width · C: the length of the patch under the kernel; of a [`head`], the number of classes |
//! | P | output height · output width: the positions of the kernel |
//! | I, U | inputs and units of a dense layer; the logits of a batch are `[N×U]`: U = 1 for two classes, U = K for K |
//! | L | the loss, one number |
//! | z, p, y | logit; probability σ(z), or softmax(z) of K logits; label: 1 for the class that it is, else 0 |
//!
//! Kernels are `[kernel height, kernel width, C, F]`, which in memory is the matrix `[K×F]`; dense kernels
//! are `[I×U]`. A gradient has the shape of what it is the gradient of, and is called `grad_…`.
//!
//! # The house, in the order the data flows
//!
//! | room | what happens there |
//! |---|---|
//! | [`data`] | a folder, a zip or a pack becomes named bytes, classes, a split, pixels, and batches `[N, H, W, C]` |
//! | [`spec`] → [`network`] | a list of layers becomes a checked network |
//! | [`parameters`] | its weights: one buffer, and a table of what stands where |
//! | [`plan`] | how it runs: steps, and the memory they write to; forward and backward; observers that look in |
//! | [`layers`] | what each layer is, and how a batch is cut among threads |
//! | [`kernels`] | the arithmetic, one image or block at a time |
//! | [`head`] | the network's last word: loss and gradient of its logits, probabilities, decision |
//! | [`optim`] | Adam and SGD: from gradients to new weights; schedules of the learning rate |
//! | [`training`] | the loop: batch, forward, loss, backward, step, report; and where a run stands: all that it needs to go on |
//! | [`metrics`] | accuracy; of two classes sensitivity, specificity, ROC, calibration, and how sure they are; of more precision, recall, F1, top-k |
//! | [`report`] | Keras's lines, CSV files, pictures, the page of an evaluation |
//! | [`lecture`] | a training to stand still in, to go back in and to change, on a page |
//! | [`distributed`] | several processes that share each step, with the bits of one |
//! | [`checkpoint`] | weights files, and in them the state of a run |
//! | [`exchange`] | models in the formats of other programs, written and read |
//! | [`snapshot`] | all that one training step was, kept, compared and saved |
//! | [`gradcheck`] | gradients against differences, by every algorithm; and planted mistakes |
//! | [`explain`] | one training step, down to the chain rule of a single weight |
//! | [`bench`](mod@bench) | how fast it is: convolutions, training steps, the machine's limits |
//! | [`profile`] | where a training run's time goes, and what could be won |
//! | [`geometry`] | sizes and padding of convolution and pooling, computed and checked once |
//! | [`classes`] | the classes' names in order, and the label of an image, or its labels |
//! | [`random`] | every random number, keyed by what it is for |
//! | [`spans`] | who works on what, and when, for whoever records it |
//! | [`files`] | regular files read within a bound, and written whole or not at all |
//! | [`npy`] | the head of numpy's arrays |
//! | [`error`] | what can go wrong, in sentences |
//!
//! # Where each formula stands
//!
//! | formula | plainly | in the engine |
//! |---|---|---|
//! | convolution, forward | [`reference::conv2d_forward`] | [`kernels::conv::im2col`], faster [`kernels::conv::direct`], [`kernels::conv::winograd`] |
//! | convolution, gradients | [`reference::conv2d_backward`] | [`kernels::conv::im2col`], faster the two above and [`kernels::conv::sparse`] |
//! | which of these a layer takes | | [`kernels::conv::registry`] |
//! | convolution, output size and padding | | [`geometry`] |
//! | depthwise convolution and its gradients | [`reference::depthwise_conv2d_forward`], [`reference::depthwise_conv2d_backward`] | [`kernels::depthwise`] |
//! | max-pooling and its gradient | [`reference::max_pool_forward`], [`reference::max_pool_backward`] | [`kernels::pool`], behind ReLU [`kernels::relu_pool`] |
//! | average-pooling, by windows and over all pixels | [`reference::average_pool_forward`], [`reference::global_average_pool_forward`] | [`kernels::average_pool`] |
//! | batch normalization and its gradients | [`reference::batch_normalization_forward`], [`reference::batch_normalization_backward`] | [`kernels::batch_norm`], [`layers::batch_normalization`] |
//! | the same folded into the weights before it | | [`network::Network::folded`] |
//! | dense and its gradients | [`reference::dense_forward`], [`reference::dense_backward`] | [`kernels::dense`] |
//! | ReLU, leaky ReLU | [`reference::relu_forward`], [`reference::relu_backward`], [`reference::leaky_relu_forward`] | [`kernels::elementwise`] |
//! | dropout | [`reference::dropout`] | [`layers::dropout`] |
//! | sigmoid, binary cross-entropy, ∂L/∂z | [`reference::binary_cross_entropy`], [`reference::binary_cross_entropy_gradient`] | [`head`] |
//! | softmax, categorical cross-entropy, ∂L/∂z | [`reference::categorical_cross_entropy`], [`reference::categorical_cross_entropy_gradient`] | [`head`], [`kernels::softmax`] |
//! | a sigmoid for each of several labels, ∂L/∂z | [`reference::label_cross_entropy`], [`reference::label_cross_entropy_gradient`] | [`head::Head::of_labels`] |
//! | class weights, label smoothing | [`reference::weighted_step`], [`reference::smoothed_targets`] | [`head::ClassWeights`], [`head::Targets`] |
//! | Adam, SGD, weight decay | [`reference::Adam`], [`reference::Sgd`] | [`optim`], [`kernels::adam`], [`kernels::sgd`] |
//! | clipping of gradients | [`reference::clip_by_norm`], [`reference::clip_by_global_norm`], [`reference::clip_by_value`] | [`optim::Clipping`] |
//! | learning rate schedules | | [`optim::Schedule`] |
//! | Glorot's initial weights | | [`parameters::Initialization`] |
//! | nearest and bilinear resize, letterbox and crop, grey | | [`data::resample`], [`data::framing`] |
//! | ×1/255, ×1/65535 | | [`data::sample`] |
//! | flips, shifts, turns, zooms, brightness | | [`data::augment`] |
//! | metrics | | [`metrics`] |
//!
//! # The chain of trust
//!
//! Every number is tied to the definition of the derivative by a chain of tests: central finite differences →
//! [`reference`](mod@reference) (`tests/reference_gradients.rs`) → the engine
//! (`tests/engine_vs_reference.rs`) → Keras (`tests/keras_fixture.rs`). The error of a tensor is max|a − b| /
//! max|b|. Fused blocks (`tests/fused_blocks.rs`) and the number of threads (`tests/determinism.rs`) change
//! no bit, nor does stopping and going on (`tests/resume.rs`), and a training step allocates nothing
//! (`tests/allocations.rs`).
//!
//! # The floors
//!
//! Imports run one way: a room uses rooms that stand before it here, never one behind it, and
//! `tests/imports` holds them to it. Nor do files of one room use each other in a circle.
//!
//! | floor | rooms, in order |
//! |---|---|
//! | ground | [`error`], [`files`], [`random`], [`geometry`], [`classes`], [`npy`], [`spans`], [`distributed`] |
//! | arithmetic | [`reference`](mod@reference), which imports nothing; [`kernels`] |
//! | model | [`parameters`], [`spec`], [`layers`], [`head`], [`network`], [`optim`] |
//! | engine | [`plan`], [`data`], [`metrics`], [`training`], [`checkpoint`], [`snapshot`], [`exchange`] |
//! | tools | [`gradcheck`], [`explain`], [`bench`](mod@bench), [`profile`] |
//! | faces | [`report`], [`lecture`] |
//! | door | the binary's `cli` |

#![deny(missing_docs)]

#[cfg(feature = "cli")]
pub mod bench;
pub mod checkpoint;
pub mod classes;
#[cfg(doctest)]
mod course;
pub mod data;
pub mod distributed;
pub mod error;
#[cfg(feature = "exchange")]
pub mod exchange;
#[cfg(feature = "cli")]
pub mod explain;
pub mod files;
pub mod geometry;
#[cfg(feature = "cli")]
pub mod gradcheck;
pub mod head;
pub mod kernels;
pub mod layers;
#[cfg(feature = "cli")]
pub mod lecture;
pub mod metrics;
pub mod network;
pub mod npy;
pub mod optim;
pub mod parameters;
pub mod plan;
#[cfg(feature = "cli")]
pub mod profile;
pub mod random;
pub mod reference;
#[cfg(feature = "cli")]
pub mod report;
pub mod snapshot;
pub mod spans;
pub mod spec;
pub mod training;

pub use error::{Error, Result};
