//! The gradient check: two links of the [chain of trust](crate#the-chain-of-trust), for any network, weights
//! and images.
//!
//! 1. The [textbook](crate::reference)'s gradient against the definition of the derivative: central
//!    differences, in `f64`, at coordinates drawn from every tensor ([`check`]).
//! 2. The engine, in `f32`, by every algorithm, against that gradient ([`check_engine`]).
//!
//! A tensor's error is the largest difference divided by the tensor's largest element: that is judged. The
//! worst element's own error is told beside it.
//!
//! | file | what |
//! |---|---|
//! | `problem` | the loss of a batch as a function of every weight and pixel |
//! | `base` | that loss at a point and near it, computed from the layer on that a change is in |
//! | `conv` | the textbook's convolution at speed, to the bit |
//! | `kinks` | corners of ReLU and max-pooling, told by identity |
//! | `differences` | the first link, and the sweep over h |
//! | `engine` | the second |
//! | [`lessons`] | planted mistakes to find |

mod base;
mod conv;
mod differences;
mod engine;
mod kinks;
pub mod lessons;
mod problem;

pub use base::Base;
pub use differences::{
    COORDINATES, Coordinate, FIRST_STEP, MOST_HALVINGS, MOST_SET_ASIDE, SetAside, SweepPoint, TOLERANCE, TensorCheck,
    Verdict, check, sweep,
};
pub use engine::{EngineCheck, EngineTensor, OtherSide, TOLERANCE as ENGINE_TOLERANCE, check_engine, engine_step};
pub use kinks::{Crossing, Kind};
pub use problem::{Gradient, Part, Place, Problem, Tensor};
