//! A budget of memory that many threads share: each waits until there is enough for its work.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

/// A budget in bytes. What a thread acquires is its own until it drops the [`Permit`].
///
/// Whoever holds a permit must not wait for anything that may itself wait for the same budget; then somebody
/// can always go on.
#[derive(Debug)]
pub struct MemoryBudget {
    total: AtomicU64,
    in_use: Mutex<u64>,
    freed: Condvar,
}

/// The right to use some bytes of a [`MemoryBudget`]'s budget.
#[derive(Debug)]
pub struct Permit<'a> {
    budget: &'a MemoryBudget,
    bytes: u64,
}

impl MemoryBudget {
    /// Creates a budget that is all free.
    pub const fn new(budget: u64) -> MemoryBudget {
        MemoryBudget { total: AtomicU64::new(budget), in_use: Mutex::new(0), freed: Condvar::new() }
    }

    /// Sets another total, for those who have not acquired anything yet.
    pub fn set_total(&self, bytes: u64) {
        self.total.store(bytes, Ordering::Relaxed);
    }

    /// Waits until `bytes` of the budget are free, or, for more than the whole budget, until all of it is.
    pub fn acquire(&self, bytes: u64) -> Permit<'_> {
        let total = self.total.load(Ordering::Relaxed);
        let bytes = bytes.min(total);
        let in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        let mut in_use = self
            .freed
            .wait_while(in_use, |in_use| bytes > total.saturating_sub(*in_use))
            .unwrap_or_else(PoisonError::into_inner);
        *in_use += bytes;
        Permit { budget: self, bytes }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        *self.budget.in_use.lock().unwrap_or_else(PoisonError::into_inner) -= self.bytes;
        self.budget.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permits_never_add_up_to_more_than_the_budget_and_all_are_given() {
        let budget = MemoryBudget::new(10);
        let (inside, most, done) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for thread in 0..8u64 {
                let (budget, inside, most, done) = (&budget, &inside, &most, &done);
                scope.spawn(move || {
                    for round in 0..50 {
                        // 1 to 12 bytes: some ask for more than there is, and take all.
                        let bytes = 1 + (7 * thread + 5 * round) % 12;
                        let permit = budget.acquire(bytes);
                        let now = inside.fetch_add(bytes.min(10), Ordering::SeqCst) + bytes.min(10);
                        most.fetch_max(now, Ordering::SeqCst);
                        std::thread::yield_now();
                        inside.fetch_sub(bytes.min(10), Ordering::SeqCst);
                        drop(permit);
                        done.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(done.load(Ordering::SeqCst), 400);
        let most = most.load(Ordering::SeqCst);
        assert!((1..=10).contains(&most), "{most}");
    }

    #[test]
    fn a_panic_inside_gives_its_bytes_back() {
        let budget = MemoryBudget::new(10);
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _permit = budget.acquire(10);
            std::panic::resume_unwind(Box::new("as if a decoder had failed"));
        }));
        assert!(caught.is_err());
        drop(budget.acquire(10));
    }
}
