//! A gate that lets so much work in at once that its memory stays within a budget, however many threads there
//! are.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

/// A gate with a budget in bytes. What a thread asks for is its own until it drops the [`Pass`].
///
/// Whoever holds a pass must not wait for anything that may itself wait at the same gate; then somebody can
/// always go on.
#[derive(Debug)]
pub struct Gate {
    budget: AtomicU64,
    in_use: Mutex<u64>,
    freed: Condvar,
}

/// The right to use some bytes of a [`Gate`]'s budget.
#[derive(Debug)]
pub struct Pass<'a> {
    gate: &'a Gate,
    bytes: u64,
}

impl Gate {
    /// Returns a gate with all of its budget free.
    pub const fn new(budget: u64) -> Gate {
        Gate { budget: AtomicU64::new(budget), in_use: Mutex::new(0), freed: Condvar::new() }
    }

    /// Gives the gate another budget, for those who have not entered yet.
    pub fn set_budget(&self, budget: u64) {
        self.budget.store(budget, Ordering::Relaxed);
    }

    /// Waits until `bytes` of the budget are free, or, for more than the whole budget, until nobody else is
    /// in.
    pub fn enter(&self, bytes: u64) -> Pass<'_> {
        let budget = self.budget.load(Ordering::Relaxed);
        let bytes = bytes.min(budget);
        let in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        let mut in_use = self
            .freed
            .wait_while(in_use, |in_use| bytes > budget.saturating_sub(*in_use))
            .unwrap_or_else(PoisonError::into_inner);
        *in_use += bytes;
        Pass { gate: self, bytes }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        *self.gate.in_use.lock().unwrap_or_else(PoisonError::into_inner) -= self.bytes;
        self.gate.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_are_in_never_need_more_than_the_budget_and_all_come_in() {
        let gate = Gate::new(10);
        let (inside, most, done) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for thread in 0..8u64 {
                let (gate, inside, most, done) = (&gate, &inside, &most, &done);
                scope.spawn(move || {
                    for round in 0..50 {
                        // 1 to 12 bytes: some ask for more than there is, and take all.
                        let bytes = 1 + (7 * thread + 5 * round) % 12;
                        let pass = gate.enter(bytes);
                        let now = inside.fetch_add(bytes.min(10), Ordering::SeqCst) + bytes.min(10);
                        most.fetch_max(now, Ordering::SeqCst);
                        std::thread::yield_now();
                        inside.fetch_sub(bytes.min(10), Ordering::SeqCst);
                        drop(pass);
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
        let gate = Gate::new(10);
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _pass = gate.enter(10);
            std::panic::resume_unwind(Box::new("as if a decoder had failed"));
        }));
        assert!(caught.is_err());
        drop(gate.enter(10));
    }
}
