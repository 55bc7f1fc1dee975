//! A rank that nobody answers: what it would send is counted, and it receives nothing but zeros.

use super::transport::Transport;
use crate::Result;

/// One rank of a job whose others do not exist. It does the same work as in a real job, on other numbers, so
/// its time and its traffic can be measured on one machine.
pub struct Unheard {
    rank: usize,
    count: usize,
}

impl Unheard {
    /// Rank `rank` of `count`.
    ///
    /// # Panics
    /// If there is no such rank.
    pub fn new(rank: usize, count: usize) -> Unheard {
        assert!(rank < count, "rank {rank} of {count}");
        Unheard { rank, count }
    }
}

impl Transport for Unheard {
    fn rank(&self) -> usize {
        self.rank
    }

    fn count(&self) -> usize {
        self.count
    }

    fn exchange(&self, _: &[&[u8]], _: &mut [&mut [u8]]) -> Result<()> {
        Ok(())
    }
}
