//! Who works on what, and when: the record that a [profile](crate::profile) is made of.
//!
//! Every piece of parallel work in the engine, and the longer ones of serial work, stand in a [`task`] or in
//! a [`serial`]. These only run what they are given, unless the thread they run on has been
//! [armed](Recorder::arm): then they note begin and end in that thread's own buffer, which is allocated
//! before. Nothing is shared but one flag, so recording neither waits nor orders anything. A piece never
//! contains another, nor waits for one; so the spans of a thread do not overlap.
//!
//! Threads are armed a pool at a time: other pools of the process are not recorded, and pay a branch.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// What a piece of work does; its phase tells for which layer, and in which direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Activity {
    /// A convolution's output.
    Convolution,
    /// ∂L/∂input of a convolution.
    InputGradient,
    /// ∂L/∂kernel and ∂L/∂bias of a convolution.
    WeightsGradient,
    /// ReLU, and the maximum of each window, of a band of a convolution's output.
    Finishing,
    /// The gradient before ReLU and max-pool, from that behind them.
    Expanding,
    /// A kernel in the order in which an algorithm reads it.
    Packing,
    /// Partial sums of a weight's gradient, added and brought into the kernel's order.
    Adding,
    /// An image in the order in which an algorithm reads it.
    Framing,
    /// Weighted sums of a dense layer.
    Products,
    /// Both gradients of a dense layer and, where that is done at once, the optimizer's step.
    DenseGradients,
    /// Pieces of a gradient joined.
    Joining,
    /// What is computed value by value, or window by window: activations, pools, dropout, normalization.
    Values,
    /// A depthwise convolution.
    Depthwise,
    /// The gradients of a depthwise convolution.
    DepthwiseGradients,
    /// The loss and the gradient of the logits.
    Loss,
    /// The optimizer's step.
    Moving,
    /// Norms of gradients, and gradients shortened.
    Clipping,
    /// Pictures read, decoded and resized.
    Decoding,
    /// Pictures changed at random and written into a batch.
    Filling,
}

impl Activity {
    /// The name for people.
    pub fn name(self) -> &'static str {
        match self {
            Activity::Convolution => "convolution",
            Activity::InputGradient => "input's gradient",
            Activity::WeightsGradient => "weights' gradient",
            Activity::Finishing => "ReLU and max-pool",
            Activity::Expanding => "ReLU and max-pool undone",
            Activity::Packing => "kernel packed",
            Activity::Adding => "partial sums added",
            Activity::Framing => "image framed",
            Activity::Products => "weighted sums",
            Activity::DenseGradients => "gradients and step",
            Activity::Joining => "pieces joined",
            Activity::Values => "value by value",
            Activity::Depthwise => "depthwise convolution",
            Activity::DepthwiseGradients => "depthwise gradients",
            Activity::Loss => "loss",
            Activity::Moving => "optimizer's step",
            Activity::Clipping => "gradients clipped",
            Activity::Decoding => "pictures decoded",
            Activity::Filling => "batch filled",
        }
    }
}

/// A piece of work that was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// What was done.
    pub activity: Activity,
    /// By which algorithm; empty where there is one alone.
    pub algorithm: &'static str,
    /// Whether it could not be cut into pieces for several threads.
    pub serial: bool,
    /// Its begin.
    pub start: Instant,
    /// Its end.
    pub end: Instant,
}

/// What one thread did.
#[derive(Clone, Debug, Default)]
pub struct ThreadSpans {
    /// In the order of time.
    pub spans: Vec<Span>,
    /// Those for which the buffer had no room.
    pub dropped: u64,
}

/// Where a thread writes.
struct Buffer {
    recording: Arc<AtomicBool>,
    record: ThreadSpans,
}

thread_local! {
    /// Whether this thread has a buffer: all that is looked at where nobody records.
    static ARMED: Cell<bool> = const { Cell::new(false) };
    static BUFFER: RefCell<Option<Buffer>> = const { RefCell::new(None) };
}

/// Runs a piece of parallel work.
#[inline]
pub fn task<R>(activity: Activity, algorithm: &'static str, work: impl FnOnce() -> R) -> R {
    if ARMED.get() { noted(activity, algorithm, false, work) } else { work() }
}

/// Runs work that cannot be cut into pieces, while other threads wait.
#[inline]
pub fn serial<R>(activity: Activity, work: impl FnOnce() -> R) -> R {
    if ARMED.get() { noted(activity, "", true, work) } else { work() }
}

/// Runs a piece of work on a thread that has a buffer.
fn noted<R>(activity: Activity, algorithm: &'static str, serial: bool, work: impl FnOnce() -> R) -> R {
    let recording = BUFFER.with_borrow(|buffer| match buffer {
        Some(buffer) => buffer.recording.load(Ordering::Relaxed),
        None => false,
    });
    if !recording {
        return work();
    }
    let start = Instant::now();
    let result = work();
    let span = Span { activity, algorithm, serial, start, end: Instant::now() };
    BUFFER.with_borrow_mut(|buffer| {
        let Some(Buffer { record, .. }) = buffer else { return };
        match record.spans.len() < record.spans.capacity() {
            true => record.spans.push(span),
            false => record.dropped += 1,
        }
    });
    result
}

/// Records what the threads of a pool do.
#[derive(Debug)]
pub struct Recorder {
    recording: Arc<AtomicBool>,
}

impl Recorder {
    /// Gives every thread of the current pool a buffer for `room` spans; they do not record yet. There can be
    /// one recorder of a pool at a time.
    pub fn arm(room: usize) -> Recorder {
        let recording = Arc::new(AtomicBool::new(false));
        rayon::broadcast(|_| {
            let record = ThreadSpans { spans: Vec::with_capacity(room), dropped: 0 };
            BUFFER.set(Some(Buffer { recording: Arc::clone(&recording), record }));
            ARMED.set(true);
        });
        Recorder { recording }
    }

    /// Begins to record what begins from now on, or ends that.
    pub fn record(&self, recording: bool) {
        self.recording.store(recording, Ordering::Relaxed);
    }

    /// Ends the recording, and returns what each thread of the current pool did, which is the pool that was
    /// armed.
    pub fn disarm(self) -> Vec<ThreadSpans> {
        self.record(false);
        rayon::broadcast(|_| {
            ARMED.set(false);
            BUFFER.take().map(|buffer| buffer.record).unwrap_or_default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rayon::prelude::*;

    fn pool() -> rayon::ThreadPool {
        rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap()
    }

    #[test]
    fn spans_are_noted_while_recording_and_in_order_of_time() {
        let threads = pool().install(|| {
            let run = |count: usize| {
                (0..count).into_par_iter().for_each(|_| {
                    task(Activity::Convolution, "direct", || std::hint::black_box(()));
                });
            };
            run(3);
            let recorder = Recorder::arm(100);
            run(5);
            recorder.record(true);
            run(7);
            assert_eq!(serial(Activity::Loss, || 4), 4);
            recorder.record(false);
            run(9);
            let threads = recorder.disarm();
            run(11);
            threads
        });
        assert_eq!(threads.len(), 2);
        let of = |activity| threads.iter().flat_map(|t| &t.spans).filter(|s| s.activity == activity).count();
        assert_eq!((of(Activity::Convolution), of(Activity::Loss)), (7, 1));
        for thread in &threads {
            assert_eq!(thread.dropped, 0);
            assert!(thread.spans.is_sorted_by(|a, b| a.start <= a.end && a.end <= b.start));
            assert!(thread.spans.iter().all(|span| span.serial == (span.activity == Activity::Loss)));
        }
    }

    #[test]
    fn what_has_no_room_is_counted() {
        let threads = pool().install(|| {
            let recorder = Recorder::arm(2);
            recorder.record(true);
            (0..10).for_each(|_| serial(Activity::Loss, || ()));
            recorder.disarm()
        });
        let (kept, dropped): (usize, u64) =
            threads.iter().fold((0, 0), |sum, thread| (sum.0 + thread.spans.len(), sum.1 + thread.dropped));
        assert!(kept >= 2 && kept as u64 + dropped == 10, "{kept} kept, {dropped} dropped");
    }
}
