//! Sums over a batch, in slots: each slot sums a fixed run of the batch in order, and the slots are then
//! added in order. So the sum does not depend on which thread does what.

use crate::spans::{Activity, task};
use rayon::prelude::*;

/// The most partial sums of a weight gradient. It bounds both the memory for them and how many threads can
/// help.
pub const MAX_SLOTS: usize = 16;

/// Sums that one thread adds up over the slots in one piece of work: 16 KiB of each slot.
pub(super) const REDUCE_FLOATS: usize = 4096;

/// Returns how many of `count` images, or pixels, one slot sums. The last slot may have fewer.
pub(super) fn per_slot(count: usize) -> usize {
    count.div_ceil(MAX_SLOTS).max(1)
}

/// `sums[i] = Σ over slots, in order, of slots[slot·slot_len + offset + i]`.
pub(super) fn add_slots(slots: &[f32], slot_len: usize, offset: usize, sums: &mut [f32]) {
    sums.par_chunks_mut(REDUCE_FLOATS).enumerate().for_each(|(chunk, sums)| {
        task(Activity::Adding, "", || {
            sums.fill(0.0);
            for slot in slots.chunks_exact(slot_len) {
                let part = &slot[offset + chunk * REDUCE_FLOATS..][..sums.len()];
                for (sum, g) in sums.iter_mut().zip(part) {
                    *sum += g;
                }
            }
        });
    });
}
