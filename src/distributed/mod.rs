//! A training step shared by several processes, the ranks of a job, with the bits of one.
//!
//! Sums of floats depend on their order, so a training on many machines usually ends with other numbers than
//! on one. Here every sum over a batch has one order, that of one process, however many ranks there are:
//!
//! - A rank has a [`Share`] of the batch: some of its images, one behind the other. Layers that work image by
//!   image, which are nearly all of the work, need nothing from other ranks.
//! - Sums over images are taken in **slots** ([`layers::slots`](crate::layers::slots)), each of a fixed run
//!   of the batch, and every slot lies in one share. A share of each slot's numbers goes to each rank, which
//!   adds them in the order of the slots; then all ranks get all sums, and each takes the optimizer's step on
//!   all small tensors.
//! - A **large dense kernel** is sent in no step: 97 % of the documented network's weights are one. Each rank
//!   owns some of its rows, with their moments. The columns of the input that belong to them come from all
//!   images, partial outputs go back and are added in the order of the rows, and the rows' gradient is a sum
//!   over the whole batch in the order of its images (A. Krizhevsky, *One weird trick for parallelizing
//!   convolutional neural networks*, 2014; there the order of sums is not kept).
//! - Dropout masks, changes of images and shuffles are drawn by an image's place in the whole batch or set.
//! - Loss and metrics come from the logits of the whole batch, which every rank has.
//!
//! So all ranks have the same numbers at the end of every step, but for the rows of large kernels that others
//! own, which are [gathered](Ranks::gather_ranges) when somebody wants to see or save them.
//!
//! Numbers travel by a [`Transport`]: between threads of one process ([`InProcess`]), and with the feature
//! `mpi` between processes that MPI has started. [`Echo`] brings them back, to measure one rank by itself.

mod cuts;
mod echo;
mod in_process;
#[cfg(feature = "mpi")]
pub mod mpi;
mod ranks;
mod share;
mod sums;
mod traffic;
mod transport;

pub use cuts::cuts;
pub use echo::Echo;
pub use in_process::InProcess;
pub use ranks::{Ranks, Stopping};
pub use share::{Peers, Share};
pub use traffic::Traffic;
pub use transport::Transport;
