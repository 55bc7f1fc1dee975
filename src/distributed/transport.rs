//! The way in which numbers travel between ranks.

use crate::Result;

/// Connects the ranks of a job. All of them call the same methods in the same order.
pub trait Transport: Send + Sync {
    /// The number of this rank, from 0.
    fn rank(&self) -> usize;

    /// How many ranks there are.
    fn count(&self) -> usize;

    /// How a person knows a rank: its number, and where it runs if that is known.
    fn name(&self, rank: usize) -> String {
        format!("rank {rank}")
    }

    /// Sends each rank its part of `outgoing`, and fills each part of `incoming` with what that rank sends.
    /// Both have a part for each rank; those of this rank itself, and empty ones, go nowhere. Both sides know
    /// the lengths.
    ///
    /// # Errors
    /// [`Error::Rank`](crate::Error::Rank), where a rank is gone.
    fn exchange(&self, outgoing: &[&[u8]], incoming: &mut [&mut [u8]]) -> Result<()>;
}
