//! A from-scratch CNN engine that you can see through.

pub mod error;
pub mod random;

pub use error::{Error, Result};
