//! A from-scratch CNN engine that you can see through.

pub mod checkpoint;
pub mod data;
pub mod error;
pub mod kernels;
pub mod layers;
pub mod loss;
pub mod metrics;
pub mod network;
pub mod optim;
pub mod parameters;
pub mod plan;
pub mod random;
pub mod reference;
pub mod report;
pub mod spec;
pub mod train;

pub use error::{Error, Result};
