//! The machine that the program runs on: its processor, its memory and what of it may be used, its threads.

pub mod limits;
pub mod memory;
pub mod pool;
mod processor;

pub use processor::*;
