//! The arithmetic: functions over slices and a geometry, single-threaded, one image or one block of rows at a
//! time.
//!
//! A kernel knows nothing of layers, parameters or threads. [`layers`](crate::layers) cuts the work and calls
//! it. Forward and backward of an operation stand in one file. Kernels trust their callers: sizes were
//! checked when the network was built ([`geometry`](crate::geometry)). They assert in debug builds at most,
//! except where `unsafe` rests on a length; [`gemm`] and [`simd`] are the only files with `unsafe`.
//!
//! | room | what |
//! |---|---|
//! | [`conv`] | convolution: the trait, four families of algorithms, and the rule that chooses one |
//! | [`depthwise`] | convolution of each channel by itself |
//! | [`pool`] | max-pooling with argmax |
//! | [`average_pool`] | average-pooling, by windows or over the whole image |
//! | [`relu_pool`] | ReLU and max-pooling of a band of rows, fused |
//! | [`batch_norm`] | sums over pixels, and what they make of each |
//! | [`dense`] | a block of rows of a dense layer's weights |
//! | [`elementwise`] | ReLU, leaky ReLU, and multiplication by a mask |
//! | [`softmax`] | the softmax of a row of logits, and its log-sum-exp |
//! | [`adam`], [`sgd`] | the optimizers' steps on some weights |
//! | [`tile`] | the register tile: the innermost product of convolutions and dense layers |
//! | [`simd`] | vector instructions, chosen when the program runs |
//! | [`gemm`] | matrix products, the safe face of `matrixmultiply` |

pub mod adam;
pub mod average_pool;
pub mod batch_norm;
pub mod conv;
pub mod dense;
pub mod depthwise;
pub mod elementwise;
pub mod gemm;
pub mod pool;
pub mod relu_pool;
pub mod sgd;
pub mod simd;
pub mod softmax;
pub mod tile;
