//! How long each step of a plan took.

use std::time::{Duration, Instant};

/// The durations of a workspace's last passes, by the plan's steps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepTimings {
    /// Of the last forward pass, for training or not.
    pub forward: Vec<Duration>,
    /// Of the last backward pass; zero for the steps before [`Plan::first_backward`](super::Plan::first_backward).
    pub backward: Vec<Duration>,
}

impl StepTimings {
    /// Room for this many steps, so that a pass allocates nothing.
    pub(super) fn new(steps: usize) -> StepTimings {
        StepTimings { forward: vec![Duration::ZERO; steps], backward: vec![Duration::ZERO; steps] }
    }
}

/// Reads the clock where one step ends and the next begins.
pub(super) struct StepClock<'a> {
    durations: &'a mut [Duration],
    at_work: Option<usize>,
    since: Instant,
}

impl<'a> StepClock<'a> {
    /// A pass begins; its steps' durations will go here.
    pub(super) fn start(durations: &'a mut [Duration]) -> StepClock<'a> {
        durations.fill(Duration::ZERO);
        StepClock { durations, at_work: None, since: Instant::now() }
    }

    /// Step `index` begins, and the one before it is done.
    pub(super) fn enter(&mut self, index: usize) {
        self.finish_step();
        self.at_work = Some(index);
    }

    /// The last step is done.
    pub(super) fn stop(mut self) {
        self.finish_step();
    }

    fn finish_step(&mut self) {
        let now = Instant::now();
        if let Some(index) = self.at_work {
            self.durations[index] = now - self.since;
        }
        self.since = now;
    }
}
