//! How long each step of a plan takes: an observer that reads the clock.

use super::compile::Plan;
use super::observer::{Observer, StepGradient, StepOutput};
use std::time::{Duration, Instant};

/// The durations of the last passes that it observed, by the plan's steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepTimings {
    /// Of the last forward pass, for training or not.
    pub forward: Vec<Duration>,
    /// Of the last backward pass; zero for the steps before [`Plan::first_backward`].
    pub backward: Vec<Duration>,
    since: Instant,
}

impl StepTimings {
    /// For the passes of this plan.
    pub fn new(plan: &Plan) -> StepTimings {
        let none = vec![Duration::ZERO; plan.steps().len()];
        StepTimings { forward: none.clone(), backward: none, since: Instant::now() }
    }

    /// The time since a step or a pass was last told of.
    fn lap(&mut self) -> Duration {
        let now = Instant::now();
        let lap = now - self.since;
        self.since = now;
        lap
    }
}

impl Observer for StepTimings {
    fn forward_begins(&mut self) {
        self.since = Instant::now();
    }

    fn output(&mut self, step: StepOutput) {
        self.forward[step.index] = self.lap();
    }

    fn backward_begins(&mut self) {
        self.since = Instant::now();
    }

    fn gradient(&mut self, step: StepGradient) {
        self.backward[step.forward.index] = self.lap();
    }
}
