//! The arithmetic: functions over slices and a geometry, single-threaded, one image or one block of rows at a time.
//!
//! A kernel knows nothing of layers, parameters or threads; [`layers`](crate::layers) cuts the work and calls it. Forward
//! and backward of a thing stand in one file. Kernels trust their callers: sizes were checked when the network was built,
//! so they assert in debug builds at most, save where `unsafe` rests on a length (in [`gemm`] and [`simd`], the files that have any).
//!
//! | file | what |
//! |---|---|
//! | [`geometry`] | sizes of convolution and pooling, computed and checked once |
//! | [`gemm`] | matrix products, the safe face of `matrixmultiply` |
//! | [`simd`] | vector instructions, chosen when the program runs |
//! | [`tile`] | the register tile, the innermost product of the faster convolutions |
//! | [`im2col`] | patches as rows of a matrix, and its adjoint col2im |
//! | [`conv`] | what a convolution algorithm is: three passes |
//! | [`conv_im2col`] | the three passes of a convolution as matrix products |
//! | [`conv_direct`] | the same without the matrices |
//! | [`conv_sparse`] | the gradients behind a max-pool, from the non-zeros alone |
//! | [`sparse_lists`] | those non-zeros, gathered |
//! | [`frame`] | an image among zeros |
//! | [`conv_winograd`] | 3×3 convolutions with fewer products, forward and back to the input |
//! | [`winograd`] | its transforms, and where they come from |
//! | [`winograd_problem`] | what either pass of it computes |
//! | [`winograd_steps`] | its steps on tiles |
//! | [`input_rows`] | the rows that are at work, of an image or of a pooled gradient |
//! | [`registry`] | all algorithms, and the rule that chooses one |
//! | [`max_pool`] | max-pooling with argmax |
//! | [`relu_pool`] | ReLU and max-pooling of a band of rows, fused |
//! | [`adam`] | the optimizer's step on some weights |
//! | [`dense`] | a block of rows of a dense layer's weights |
//! | [`elementwise`] | ReLU, and multiplication by a mask |

pub mod adam;
pub mod conv;
pub mod conv_direct;
mod conv_direct_taps;
mod conv_direct_weights;
pub mod conv_im2col;
pub mod conv_sparse;
pub mod conv_winograd;
pub mod dense;
pub mod elementwise;
pub mod frame;
pub mod gemm;
pub mod geometry;
pub mod im2col;
pub mod input_rows;
pub mod max_pool;
pub mod registry;
pub mod relu_pool;
pub mod simd;
pub mod sparse_lists;
pub mod tile;
pub mod winograd;
pub mod winograd_problem;
pub mod winograd_steps;
