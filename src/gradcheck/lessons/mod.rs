//! Planted mistakes: a game, and a lesson on what a gradient check sees and what it cannot see.
//!
//! Each mistake is one line of the textbook, written wrongly in `lessons/mistakes.rs`. The check of
//! [`check_lesson`] finds it by the tensors whose gradients are off: going back from the loss, the first
//! of them stands right before the layer that is wrong. It is looked at on *one-hot* images first, black
//! but for one pixel: there each kernel's gradient is a few products.
//!
//! Nothing outside of this folder can reach a mistake: training and the engine stand before `gradcheck`
//! in the order of [imports](crate#the-floors).

mod checking;
mod digits;
mod lesson;
mod mistakes;
mod network;
mod training;

pub use checking::{Checked, check_lesson};
pub use lesson::Lesson;
pub use mistakes::{LESSONS, all, find};
pub use training::{EPOCHS, EpochLoss, train};

#[cfg(test)]
mod tests;
