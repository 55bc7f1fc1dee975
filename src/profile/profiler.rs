//! The observer that profiles: it notes when each phase ends, and has the threads note what they do.
//!
//! ```text
//! step      1 … 5      6   7   8   9  10  11  …              then, where the hardware counts
//!           warm up    on off off  on  on off …  pairs       counted, not timed
//! ```
//!
//! Of the steps after the warm-up, every pair has one that is recorded and one that is not, in turn first, so
//! that a drift of the machine meets both alike. What the profiler itself does between two steps belongs to
//! neither.

use super::counters::{CounterSet, Counts};
use super::phases::{PhaseKind, Phases};
use crate::parameters::Parameters;
use crate::plan::Plan;
use crate::plan::observer::{Observer, StepGradient, StepOutput};
use crate::spans::{Recorder, ThreadSpans};
use crate::training::watch::Watch;
use std::time::{Duration, Instant};

/// Steps before the first that counts: the caches, the branch predictors and the clock's speed settle.
pub const WARM_UP: usize = 5;

/// Steps in which the hardware counts, and nothing is timed.
const COUNTED: usize = 5;

/// A step that was recorded: its begin, and for each phase its end, in order.
#[derive(Clone, Debug)]
pub struct RecordedStep {
    /// Its begin: the last one was over, and the batch was asked for.
    pub start: Instant,
    /// The number of each phase, and its end.
    pub phases: Vec<(usize, Instant)>,
}

/// What the profiler does with the step at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    WarmUp,
    Recorded,
    Unrecorded,
    Counted,
    Over,
}

/// Profiles the steps of a plan; it hangs on the plan's passes, or on a training.
pub struct Profiler {
    phases: Phases,
    /// Images in the steps that count; the last of an epoch may have fewer, and is passed over.
    batch: usize,
    /// Steps to be recorded.
    wanted: usize,
    /// Steps of the full batch that were taken.
    taken: usize,
    role: Role,
    recorder: Option<Recorder>,
    /// The step at work, whose memory was the last one's.
    current: RecordedStep,
    recorded: Vec<RecordedStep>,
    begun: Instant,
    is_full: bool,
    /// How long the recorded steps took from their images on, and the others beside them.
    durations: [Vec<Duration>; 2],
    counters: Result<CounterSet, String>,
    counts: Vec<Counts>,
}

/// What a profiler has found.
pub struct Recording {
    /// The recorded steps in order.
    pub steps: Vec<RecordedStep>,
    /// What each thread did.
    pub threads: Vec<ThreadSpans>,
    /// How long the recorded steps took from their images on, and the unrecorded one beside each.
    pub durations: [Vec<Duration>; 2],
    /// For each phase what the hardware counted in a step, or why it did not.
    pub counts: Result<Vec<Counts>, String>,
}

impl Profiler {
    /// Profiles `steps` steps on batches of `batch` images of this plan. The current pool is the one that
    /// will run it.
    pub fn new(plan: &Plan, batch: usize, steps: usize) -> Profiler {
        let phases = Phases::new(plan);
        let (threads, kinds) = (rayon::current_num_threads(), phases.kinds().len());
        // More pieces than a plan cuts a step into, for each thread somewhat more than its part.
        let pieces = plan.steps().len() * (256 + 32 * batch);
        let room = steps.saturating_mul(pieces) / threads + pieces;
        let now = Instant::now();
        let empty = || RecordedStep { start: now, phases: Vec::with_capacity(kinds) };
        Profiler {
            batch,
            wanted: steps,
            taken: 0,
            role: Role::WarmUp,
            recorder: Some(Recorder::arm(room)),
            current: empty(),
            recorded: Vec::with_capacity(steps),
            begun: now,
            is_full: false,
            durations: [Vec::with_capacity(steps), Vec::with_capacity(steps)],
            counters: CounterSet::open(),
            counts: vec![Counts::default(); kinds],
            phases,
        }
    }

    /// Full steps that it takes, for who has to see to it that there are so many.
    pub fn steps_needed(steps: usize) -> usize {
        WARM_UP + 2 * steps + COUNTED + 1
    }

    /// Whether it has all it wants.
    pub fn is_done(&self) -> bool {
        self.role == Role::Over
    }

    /// The phases of its steps.
    pub fn phases(&self) -> &Phases {
        &self.phases
    }

    /// Ends the recording, in the pool that it began in.
    pub fn finish(mut self) -> Recording {
        let threads = self.recorder.take().map(Recorder::disarm).unwrap_or_default();
        let counts = self.counters.map(|_| {
            let mean = |counts: &Counts| counts.divided_by(COUNTED as f64);
            self.counts.iter().map(mean).collect()
        });
        Recording { steps: self.recorded, threads, durations: self.durations, counts }
    }

    /// The role of the full step that comes next.
    fn next_role(&self) -> Role {
        let Some(measured) = self.taken.checked_sub(WARM_UP) else { return Role::WarmUp };
        let (pair, second) = (measured / 2, measured % 2 == 1);
        match measured {
            _ if pair < self.wanted && second == (pair % 2 == 1) => Role::Recorded,
            _ if pair < self.wanted => Role::Unrecorded,
            _ if self.counters.is_ok() && measured < 2 * self.wanted + COUNTED => Role::Counted,
            _ => Role::Over,
        }
    }

    fn set_recording(&self, recording: bool) {
        if let Some(recorder) = &self.recorder {
            recorder.record(recording);
        }
    }

    /// Ends the phase at work.
    fn phase_ends(&mut self, kind: PhaseKind) {
        match self.role {
            Role::Recorded => {
                let phase = self.phases.index(kind);
                self.current.phases.push((phase, Instant::now()));
            }
            Role::Counted if self.is_full => {
                if let Ok(counters) = &mut self.counters {
                    let phase = self.phases.index(kind);
                    self.counts[phase].add(counters.lap());
                }
            }
            _ => {}
        }
    }

    /// Ends the step at work, and keeps it if it was a full one to be recorded.
    fn close(&mut self) {
        if !self.is_full {
            return;
        }
        if self.role == Role::Recorded {
            self.phase_ends(PhaseKind::Between);
            let empty =
                RecordedStep { start: self.current.start, phases: Vec::with_capacity(self.current.phases.len()) };
            self.recorded.push(std::mem::replace(&mut self.current, empty));
        }
        self.is_full = false;
        self.taken += 1;
    }

    /// The batch for the next step is asked for, and the last step is over.
    pub fn wants_batch(&mut self) {
        self.close();
        self.role = self.next_role();
        self.current.phases.clear();
        self.set_recording(self.role == Role::Recorded);
        if let (Role::Counted, Ok(counters)) = (self.role, &mut self.counters) {
            // What was counted before belongs to no step that is counted.
            counters.lap();
        }
        self.current.start = Instant::now();
    }

    /// The batch is there, of so many images.
    pub fn has_batch(&mut self, images: usize) {
        self.is_full = images == self.batch;
        self.phase_ends(PhaseKind::Images);
        self.begun = Instant::now();
    }

    /// The step is taken.
    pub fn has_stepped(&mut self) {
        let taken = self.begun.elapsed();
        let kind = match self.role {
            Role::Recorded => 0,
            Role::Unrecorded => 1,
            _ => return,
        };
        if self.is_full {
            self.durations[kind].push(taken);
        }
    }
}

impl Observer for Profiler {
    fn output(&mut self, step: StepOutput) {
        self.phase_ends(PhaseKind::Forward(step.index));
    }

    fn backward_begins(&mut self) {
        self.phase_ends(PhaseKind::Loss);
    }

    fn gradient(&mut self, step: StepGradient) {
        self.phase_ends(PhaseKind::Backward(step.forward.index));
    }
}

impl Watch for Profiler {
    const LOOKS: bool = false;

    fn batch_wanted(&mut self) {
        self.wants_batch();
    }

    fn step_begins(&mut self, _epoch: usize, _step: usize, images: &[usize]) {
        self.has_batch(images.len());
    }

    fn updated(&mut self, _weights: &Parameters, _used: &Parameters) {
        self.phase_ends(PhaseKind::Optimizer);
    }

    fn step_ends(&mut self) {
        self.phase_ends(PhaseKind::Statistics);
        self.has_stepped();
    }

    fn epoch_ends(&mut self, _epoch: usize) {
        // What comes now is no part of any step.
        self.set_recording(false);
        self.is_full = false;
        self.role = Role::WarmUp;
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::network::Network;
    use crate::plan::PlanOptions;
    use crate::spec::ModelSpec;
    use perf_event::events::Software;
    use std::hint::black_box;

    #[test]
    fn what_the_hardware_counts_is_of_the_steps_that_are_counted_alone() {
        let network = Network::new(&ModelSpec::documented().with_image_size(32)).unwrap();
        let plan = Plan::new(&network, 2, PlanOptions { training: true, ..PlanOptions::default() });
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let counts = pool.install(|| {
            // Page faults, which the kernel counts without any help from the processor.
            let counters = CounterSet::of([Software::PAGE_FAULTS; 3]);
            let mut profiler = Profiler { counters, ..Profiler::new(&plan, 2, 1) };
            while !profiler.is_done() {
                profiler.wants_batch();
                if profiler.role == Role::WarmUp {
                    black_box(vec![1u8; 16 << 20]);
                }
                profiler.has_batch(2);
                profiler.has_stepped();
            }
            profiler.finish().counts
        });
        match counts {
            Ok(counts) => assert!(counts.iter().all(|counts| counts.cycles < 1000.0), "{counts:?}"),
            Err(reason) => println!("skipped: {reason}"),
        }
    }
}
