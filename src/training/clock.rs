//! The time that an epoch and its steps take.

use std::time::{Duration, Instant};

/// Measures an epoch. The first step, which warms up, does not count for the mean of a step, as in Keras;
/// validation does not either.
pub(super) struct Clock {
    start: Instant,
    last_step: Instant,
    first_step: Duration,
    later_steps: Duration,
    steps: u32,
}

impl Clock {
    pub(super) fn start() -> Clock {
        let now = Instant::now();
        Clock { start: now, last_step: now, first_step: Duration::ZERO, later_steps: Duration::ZERO, steps: 0 }
    }

    pub(super) fn step_done(&mut self) {
        let now = Instant::now();
        let took = now - self.last_step;
        match self.steps {
            0 => self.first_step = took,
            _ => self.later_steps += took,
        }
        self.last_step = now;
        self.steps += 1;
    }

    pub(super) fn mean_step(&self) -> Duration {
        match self.steps {
            0 | 1 => self.first_step,
            steps => self.later_steps / (steps - 1),
        }
    }

    pub(super) fn total(&self) -> Duration {
        self.start.elapsed()
    }
}
