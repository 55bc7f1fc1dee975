//! Sums over a batch, in slots: each slot sums a fixed run of the batch in order, and the slots are then
//! added in order. So the sum does not depend on which thread does what.

use crate::distributed::Share;
use crate::spans::{Activity, task};
use rayon::prelude::*;
use std::borrow::Cow;

/// The most partial sums of a weight gradient: so many threads can help.
pub const MAX_SLOTS: usize = 64;

/// The most where the sums of a slot are large: more of them would not stay in the caches.
pub const LARGE_SLOTS: usize = 16;

/// Floats that slots may take before there are fewer of them than [`MAX_SLOTS`]: 4 MiB, which a second-level
/// cache and its neighbour hold.
pub const SLOTS_FLOATS: usize = 1024 * 1024;

/// The most images that a slot sums: so a batch of N images can be shared by at least N/16 ranks
/// ([`distributed`](crate::distributed)).
const MAX_RUN: usize = 16;

/// Sums that one thread adds up over the slots in one piece of work: 16 KiB of each slot.
pub(super) const REDUCE_FLOATS: usize = 4096;

/// Returns how many of a batch's `count` images one slot of `slot_len` floats sums. The last slot may have
/// fewer. It depends on the sizes alone, so the sums are the same for any number of threads and ranks; and it
/// is a power of two, so that the runs of all layers end where the longest ones do, and a batch can be cut
/// there.
pub(crate) fn per_slot(count: usize, slot_len: usize) -> usize {
    count.div_ceil(limit(slot_len)).next_power_of_two().min(MAX_RUN)
}

/// Returns the most slots of `slot_len` floats that up to `count` images fill. Fewer of them may fill more
/// slots than all do: of 65 images there are two in a slot, and of 64 one.
pub(super) fn most_slots(count: usize, slot_len: usize) -> usize {
    count.min(limit(slot_len).max(count.div_ceil(MAX_RUN)))
}

/// Returns how many slots of `slot_len` floats there are at the most.
fn limit(slot_len: usize) -> usize {
    (SLOTS_FLOATS / slot_len.max(1)).clamp(LARGE_SLOTS, MAX_SLOTS)
}

/// The slots of a whole batch, of which a rank has `own`: as they are where it has all, else their sums in
/// order, which are as one slot. Each sums a run of `run` images.
pub(super) fn slots_of_all<'a>(share: Share, own: &'a [f32], slot_len: usize, run: usize) -> Cow<'a, [f32]> {
    match share.peers() {
        None => Cow::Borrowed(own),
        Some(peers) => Cow::Owned(peers.sum_slots(own, slot_len, run)),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_sums_have_many_slots_and_large_ones_stay_in_the_cache() {
        let slots = |count: usize, slot_len| count.div_ceil(per_slot(count, slot_len));
        assert_eq!([1, 16, 64, 128].map(|count| slots(count, 320)), [1, 16, 64, 64]);
        assert_eq!([1, 16, 64, 128].map(|count| slots(count, 1 << 17)), [1, 16, 16, 16]);
        // 56 would fit, and of 128 images four are in each of 32.
        assert_eq!((slots(128, 18_496), slots(1000, 18_496)), (32, 63));
        assert_eq!(slots(0, 320), 0);
        for slot_len in [1, 320, 18_496, 1 << 17] {
            let most = (1..=200).map(|count| slots(count, slot_len)).max();
            assert_eq!(most, Some(most_slots(200, slot_len)));
            assert!((1..=65).all(|count| slots(count, slot_len) <= most_slots(65, slot_len)));
        }
        assert!(slots(65, 320) < slots(64, 320));
        // Of a large batch every 16 images are one.
        assert_eq!([1 << 17, 320].map(|len| slots(4096, len)), [256; 2]);
        assert_eq!(most_slots(4096, 1 << 17), 256);
    }
}
