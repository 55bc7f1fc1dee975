//! Sums over the slots of all ranks, in the order of the slots.

use super::share::Peers;
use std::ops::Range;

impl Peers<'_> {
    /// The sums over all slots in their order, `slot_len` floats, where this rank has `own` of them and each
    /// slot sums a run of `run` images.
    ///
    /// Every rank gets a share of the numbers of each slot and adds those up; then every rank gets all sums.
    pub fn sum_slots(&self, own: &[f32], slot_len: usize, run: usize) -> Vec<f32> {
        let ranks = self.ranks;
        let slots: Vec<usize> = self.counts().map(|count| count.div_ceil(run)).collect();
        let chunk = |rank: usize| rank * slot_len / ranks.count()..(rank + 1) * slot_len / ranks.count();
        let chunks: Vec<Range<usize>> = (0..ranks.count()).map(chunk).collect();
        let mine = chunks[ranks.rank()].len();
        let own_slots = || own.chunks_exact(slot_len).take(slots[ranks.rank()]);
        let part = |chunk: &Range<usize>| own_slots().flat_map(|slot| &slot[chunk.clone()]).copied().collect();
        let outgoing: Vec<Vec<f32>> = chunks.iter().map(part).collect();
        let lengths: Vec<usize> = slots.iter().map(|slots| slots * mine).collect();
        let incoming = ranks.all_to_all(&outgoing, &lengths);
        let mut sums = vec![0.0; mine];
        for slot in incoming.iter().flat_map(|slots| slots.chunks_exact(mine.max(1))) {
            for (sum, value) in sums.iter_mut().zip(slot) {
                *sum += value;
            }
        }
        ranks.all_gather(&sums, &chunks.iter().map(Range::len).collect::<Vec<_>>())
    }
}
