//! A rank whose messages come back to it, as there are no others.

use super::transport::Transport;
use crate::Result;

/// One rank of a job whose others do not exist: what it sends it receives, as often as there is room for. So
/// it does the work of a real job, on numbers of the same kind, and its time and its traffic can be measured
/// on one machine.
pub struct Echo {
    rank: usize,
    count: usize,
}

impl Echo {
    /// Rank `rank` of `count`.
    ///
    /// # Panics
    /// If there is no such rank.
    pub fn new(rank: usize, count: usize) -> Echo {
        assert!(rank < count, "rank {rank} of {count}");
        Echo { rank, count }
    }
}

impl Transport for Echo {
    fn rank(&self) -> usize {
        self.rank
    }

    fn count(&self) -> usize {
        self.count
    }

    fn exchange(&self, outgoing: &[&[u8]], incoming: &mut [&mut [u8]]) -> Result<()> {
        let any = outgoing.iter().find(|part| !part.is_empty());
        for (own, part) in outgoing.iter().zip(incoming) {
            // What goes to one rank only may be nothing, where much comes from it.
            let Some(own) = Some(own).filter(|own| !own.is_empty()).or(any) else { continue };
            part.chunks_mut(own.len()).for_each(|part| part.copy_from_slice(&own[..part.len()]));
        }
        Ok(())
    }
}
