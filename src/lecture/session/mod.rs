//! A training session, of which every step can be looked into, in any order.
//!
//! A [`Position`] is a step and a phase of it: images → each layer forward → loss → each layer backward →
//! update. A step is taken once, and its phases are views of what was [kept](TakenStep). The steps are those
//! of [`train`](crate::training::train) with the same settings, bit for bit: the same batches in the same
//! order, masks, class weights and learning rates.
//!
//! Going back is going forward again: runs have the same bits, so a checkpoint every
//! [`CHECKPOINT_EVERY`] steps and a few fast steps from there are the past. Where checkpoints take more
//! memory than they may, those of long ago are thinned out.
//!
//! An [`Edit`] of a weight or of the learning rate belongs to the step at which it was made: that step is
//! taken anew, with it. Going back before an edit undoes it, and the future is the original one again.

mod batches;
mod checkpoints;
mod curve;
mod edits;
mod phases;
mod steps;
mod taken;
mod walk;

pub use checkpoints::CHECKPOINT_EVERY;
pub use curve::Curve;
pub use edits::{Edit, EditAt};
pub use phases::{Phase, Phases, Position};
pub use steps::{MOST_AHEAD, Session, SessionSettings};
pub use taken::{TakenStep, least_bytes};
