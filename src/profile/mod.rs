//! Where the time of a training run goes: every millisecond of every thread, what it was for, and what could
//! be won.
//!
//! | file | what |
//! |---|---|
//! | [`crate::spans`] | the engine's own record: who worked on what, and when |
//! | `profiler` | the observer of a training, or of predictions, that has it kept, step by step |
//! | `phases` | the phases that a step consists of |
//! | `account` | all thread time: work by phase and algorithm, idle by cause |
//! | `figures` | what a row of work amounts to: operations, bytes, and its roof |
//! | `roofs` | the roofs of the machine |
//! | `cost` | what recording costs |
//! | `counters` | what the processor counted, where the kernel tells |
//! | `memory` | what the memory is for |
//! | `assemble`, `run` | all of it together |
//! | [`model`] | what a profile is, for its table, its page and its trace |
//!
//! A step is profiled as a training takes it: fused, with its images awaited, and with the update of its
//! weights. Its bits are those of a run that nobody looks into.

mod account;
mod assemble;
mod cost;
mod counters;
mod figures;
mod memory;
pub mod model;
mod phases;
mod profiler;
mod roofs;
mod run;

pub use run::{Profiled, profile};
