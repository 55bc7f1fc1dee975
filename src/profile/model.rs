//! What a profile found: one data model, which the terminal's table, the page and the trace are views of.
//!
//! Times are milliseconds, means over the recorded steps. *Thread time* is summed over all threads: a step
//! that takes 10 ms on two threads has 20 ms of it, and every bit of that is some row's work or idle for some
//! cause. Divided by the number of threads it is in milliseconds of the step, which all tables show.

use serde::{Deserialize, Serialize};

/// A profile as a whole, `profile.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// The machine and its roofs.
    pub machine: Machine,
    /// What was profiled.
    pub subject: Subject,
    /// A training run's steps, and then batches that are predicted.
    pub passes: Vec<PassProfile>,
    /// The memory of the training run.
    pub memory: Memory,
}

/// The machine on which it ran.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name, where it tells one.
    pub processor: Option<String>,
    /// The vector instructions of the kernels, `avx512` and the like.
    pub instruction_set: String,
    /// Threads that worked.
    pub threads: usize,
    /// The roofs, measured just before the first step.
    pub before: Roofs,
    /// The roofs again, measured after the last: where they differ, the machine had something else to do.
    pub after: Roofs,
}

/// The most that all threads together can do.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Roofs {
    /// 10⁹ f32 operations a second, on registers alone; a multiply-add is two.
    pub gflops: f64,
    /// 10⁹ bytes a second from and to the second-level caches.
    pub l2_gb_per_s: f64,
    /// 10⁹ bytes a second from and to memory.
    pub memory_gb_per_s: f64,
}

impl Machine {
    /// The roofs to measure against: the better of before and after, as what disturbs a measurement only
    /// makes it slower.
    pub fn roofs(&self) -> Roofs {
        let Machine { before, after, .. } = self;
        Roofs {
            gflops: before.gflops.max(after.gflops),
            l2_gb_per_s: before.l2_gb_per_s.max(after.l2_gb_per_s),
            memory_gb_per_s: before.memory_gb_per_s.max(after.memory_gb_per_s),
        }
    }

    /// How much each roof has changed from before to after, as a share of before: arithmetic, second-level
    /// cache, memory.
    pub fn drift(&self) -> [f64; 3] {
        let change = |before: f64, after: f64| (after - before) / before;
        let Machine { before, after, .. } = self;
        [
            change(before.gflops, after.gflops),
            change(before.l2_gb_per_s, after.l2_gb_per_s),
            change(before.memory_gb_per_s, after.memory_gb_per_s),
        ]
    }
}

/// What was profiled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// The data, as they were named.
    pub data: String,
    /// Images that train.
    pub images: usize,
    /// The file of the model; none of the documented one.
    pub model: Option<String>,
    /// Height, width and channels of an image.
    pub input: [usize; 3],
    /// Weights of the network.
    pub parameters: usize,
    /// Images in a step.
    pub batch_size: usize,
    /// The convolution algorithm that was asked for.
    pub conv: String,
    /// Whether convolution, ReLU and max-pooling run as one.
    pub fuse: bool,
}

/// Where the time of one kind of step went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PassProfile {
    /// `training step` or `inference`.
    pub name: String,
    /// Recorded steps.
    pub steps: usize,
    /// A step, from one step's end to the next one's: the mean, of which all below are parts.
    pub step_ms: f64,
    /// The fastest step.
    pub fastest_ms: f64,
    /// The usual step.
    pub median_ms: f64,
    /// The phases of a step, in the order in which they come.
    pub phases: Vec<Phase>,
    /// The work, by phase and algorithm; first what would be won most by standing on its roof.
    pub rows: Vec<Row>,
    /// The time in which threads had nothing to do, by phase and cause; the largest first.
    pub idle: Vec<Idle>,
    /// Whether the distance between the step and its roofs is explained.
    pub distance: Distance,
    /// What recording cost.
    pub cost: Cost,
    /// What the hardware counted.
    pub counters: Counters,
    /// Some of the recorded steps, span by span.
    pub timeline: Vec<TimelineStep>,
}

impl PassProfile {
    /// Estimates how many milliseconds a step would take on `threads` threads of such a machine, from its
    /// pieces as they were recorded on `recorded` threads.
    ///
    /// A row of n pieces takes ⌈n / threads⌉ times as long as one of them; a serial one as long as it is; and
    /// one on memory's roof at least as long as there, as more threads bring no more memory. Handing out
    /// pieces is taken as it was. That cores share caches and a clock is not in it.
    pub fn estimate(&self, recorded: usize, threads: usize) -> f64 {
        let of_row = |row: &Row| {
            let thread_ms = row.ms * recorded as f64;
            let rounds = (row.spans / threads as f64).ceil().max(1.0);
            match row.serial {
                true => thread_ms,
                false => {
                    let at_least = if row.roof == Roof::Memory { row.floor_ms } else { 0.0 };
                    (thread_ms / row.spans.max(1.0) * rounds).max(at_least)
                }
            }
        };
        let handing = self.idle.iter().filter(|idle| matches!(idle.cause, Cause::Handing | Cause::Between));
        self.rows.iter().map(of_row).sum::<f64>() + handing.map(|idle| idle.ms).sum::<f64>()
    }
}

/// A phase of a step: a piece of the network in one direction, or what comes between.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Phase {
    /// `images`, `forward`, `loss`, `backward`, `optimizer`, `statistics` or `between`.
    pub direction: String,
    /// The layers it covers, such as `conv2d+re_lu+max_pooling2d`; none of a phase that is no layer's.
    pub layers: Option<String>,
    /// How long it takes.
    pub ms: f64,
    /// Thread time in which work was done in it, divided by the threads.
    pub work_ms: f64,
    /// Thread time without, divided by the threads.
    pub idle_ms: f64,
}

/// What a row's time is measured against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Roof {
    /// Arithmetic on registers.
    Registers,
    /// Bytes from and to the second-level caches, which hold all that it reads and writes.
    L2,
    /// Bytes from and to memory.
    Memory,
    /// None: nobody knows its operations and bytes, and it would best not be there at all.
    Nothing,
}

/// Work of one kind in one phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The number of its phase.
    pub phase: usize,
    /// What is done: `convolution`, `weights' gradient`, `ReLU and max-pool`, `decoding`.
    pub what: String,
    /// By which algorithm, such as `winograd2x2`; empty where there is only one way.
    pub how: String,
    /// Pieces of it in a step, one thread each.
    pub spans: f64,
    /// Whether one thread does it all, and the others wait.
    pub serial: bool,
    /// Thread time divided by the threads.
    pub ms: f64,
    /// Its share of all thread time.
    pub share: f64,
    /// 10⁹ operations of the direct algorithm, 2·N·P·K·F, however few are executed; 0 where it has none.
    pub direct_gflop: f64,
    /// 10⁹ operations that are executed: fewer where an algorithm saves products.
    pub executed_gflop: f64,
    /// 10⁶ bytes that must move at least: what it reads and writes, once each.
    pub megabytes: f64,
    /// The roof that it is nearest to.
    pub roof: Roof,
    /// The time on that roof, with all threads at work.
    pub floor_ms: f64,
    /// The time to be won if it stood there: `ms − floor_ms`, 0 where it is faster.
    pub to_win_ms: f64,
    /// The convolution, as `bench conv` takes it; none of what is no convolution.
    pub descriptor: Option<String>,
    /// The command that runs it alone.
    pub replay: Option<String>,
    /// Why this algorithm and no other.
    pub why: Vec<String>,
}

impl Row {
    /// 10⁹ executed operations a second, over all threads.
    pub fn executed_gflops(&self) -> f64 {
        self.executed_gflop / (self.ms / 1e3)
    }

    /// 10⁹ operations of the direct algorithm a second, over all threads: may pass the roof.
    pub fn direct_gflops(&self) -> f64 {
        self.direct_gflop / (self.ms / 1e3)
    }

    /// Executed operations a byte, the roofline's abscissa.
    pub fn intensity(&self) -> f64 {
        self.executed_gflop * 1e3 / self.megabytes
    }
}

/// Why a thread has nothing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// The step waits for its images.
    Images,
    /// Other threads still work in this phase, and there is no piece left for this one.
    Others,
    /// One thread does what cannot be cut into pieces.
    Serial,
    /// No thread is at work: pieces are being handed out, or their ends waited for.
    Handing,
    /// Between the phases.
    Between,
}

impl Cause {
    /// All causes.
    pub const ALL: [Cause; 5] = [Cause::Images, Cause::Others, Cause::Serial, Cause::Handing, Cause::Between];
}

/// Time without work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Idle {
    /// The number of the phase.
    pub phase: usize,
    /// Why.
    pub cause: Cause,
    /// Thread time divided by the threads.
    pub ms: f64,
    /// Its share of all thread time.
    pub share: f64,
}

/// The distance between a step and its roofs, and what it consists of.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Distance {
    /// The step if every row stood on its roof and no thread ever waited.
    pub floor_ms: f64,
    /// How far the step is from that.
    pub distance_ms: f64,
    /// Of which: work that is slower than its roof allows.
    pub work_ms: f64,
    /// Of which: work that has no roof.
    pub unroofed_ms: f64,
    /// Of which: idle threads that wait for images, or while others work.
    pub idle_ms: f64,
    /// What is left: time in which no thread was at work, within the phases or between them.
    pub unexplained_ms: f64,
    /// The share of the distance that is explained.
    pub explained: f64,
}

/// What recording cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Spans that a step left.
    pub spans: f64,
    /// Spans for which there was no room.
    pub dropped: u64,
    /// What a span costs, measured by itself.
    pub span_ns: f64,
    /// The spans' cost as a share of the step's thread time.
    pub calculated: f64,
    /// Pairs of steps, one recorded and one not, in turn.
    pub pairs: usize,
    /// Recorded step ÷ the unrecorded one beside it, less 1: the median.
    pub measured: f64,
    /// Between these it lies, with 95 % confidence.
    pub interval: [f64; 2],
}

/// What the hardware counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Counters {
    /// Counts a step, of each phase.
    Counted(Vec<PhaseCounts>),
    /// Why there are none, in a sentence.
    Unavailable(String),
}

/// Counts of a phase, a step, over all threads.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhaseCounts {
    /// The number of the phase.
    pub phase: usize,
    /// Instructions.
    pub instructions: f64,
    /// Cycles.
    pub cycles: f64,
    /// Bytes that came from memory: misses of the last cache, 64 bytes each.
    pub memory_bytes: f64,
}

/// A recorded step, span by span.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimelineStep {
    /// Its number in the recording.
    pub step: usize,
    /// Its begin, in microseconds since the recording's.
    pub start_us: f64,
    /// Its end.
    pub end_us: f64,
    /// Its phases in order.
    pub phases: Vec<TimelinePhase>,
    /// Its work, by thread and begin.
    pub spans: Vec<TimelineSpan>,
}

/// A phase of a recorded step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimelinePhase {
    /// The number of the phase.
    pub phase: usize,
    /// Its begin, in microseconds since the recording's.
    pub start_us: f64,
    /// Its end.
    pub end_us: f64,
}

/// A piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimelineSpan {
    /// The number of the thread, from 0.
    pub thread: usize,
    /// The number of its row.
    pub row: usize,
    /// Its begin, in microseconds since the recording's.
    pub start_us: f64,
    /// Its end.
    pub end_us: f64,
}

/// The memory of the training run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// What it is for, and bytes; the largest first.
    pub purposes: Vec<Purpose>,
    /// The most that the process held in all, where the system tells.
    pub peak_bytes: Option<u64>,
}

/// Memory for one purpose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Purpose {
    /// `weights`, `Adam's moments`, `outputs kept for the backward pass`, `decoded images`, …
    pub purpose: String,
    /// Bytes.
    pub bytes: u64,
}
