//! What recording costs: measured in pairs of steps, and calculated from what a span costs by itself.

use super::model::Cost;
use crate::bench::median;
use crate::spans::{Activity, Recorder, ThreadSpans, serial};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Spans that the cost of one is measured with.
const CALIBRATION_SPANS: usize = 4096;

/// Nanoseconds that a span costs the thread that leaves it, in the current pool, which nobody may be
/// recording.
pub fn span_nanoseconds() -> f64 {
    let recorder = Recorder::arm(CALIBRATION_SPANS);
    let run = || {
        let start = Instant::now();
        (0..CALIBRATION_SPANS).for_each(|_| serial(Activity::Loss, || black_box(())));
        start.elapsed().as_nanos() as f64 / CALIBRATION_SPANS as f64
    };
    let without = run();
    recorder.record(true);
    let with = run();
    recorder.disarm();
    (with - without).max(0.0)
}

/// The cost of a recording, of steps with this mean thread time.
pub fn cost(threads: &[ThreadSpans], durations: &[Vec<Duration>; 2], step_thread_ns: f64, span_ns: f64) -> Cost {
    let [recorded, unrecorded] = durations;
    let mut ratios: Vec<f64> =
        recorded.iter().zip(unrecorded).map(|(on, off)| on.as_secs_f64() / off.as_secs_f64() - 1.0).collect();
    ratios.sort_by(f64::total_cmp);
    let all: usize = threads.iter().map(|thread| thread.spans.len()).sum();
    let spans = all as f64 / recorded.len().max(1) as f64;
    Cost {
        spans,
        dropped: threads.iter().map(|thread| thread.dropped).sum(),
        span_ns,
        calculated: spans * span_ns / step_thread_ns,
        pairs: ratios.len(),
        measured: median(&ratios),
        interval: median_interval(&ratios),
    }
}

/// The interval in which the median lies with 95 % confidence, whatever the distribution: between two of the
/// sorted values, as the number of values below the median is binomial with ½. All of them, where there are
/// too few for that. (W. J. Conover, *Practical Nonparametric Statistics*, 1999, section 3.2.)
fn median_interval(sorted: &[f64]) -> [f64; 2] {
    let count = sorted.len();
    let (Some(&first), Some(&last)) = (sorted.first(), sorted.last()) else { return [f64::NAN; 2] };
    // P(at most k of count below) summed up from k = 0, as long as both tails together stay within 5 %.
    let (mut probability, mut tail, mut rank) = (0.5f64.powi(count as i32), 0.0, 0);
    while tail + probability <= 0.025 && rank < count / 2 {
        tail += probability;
        probability *= (count - rank) as f64 / (rank + 1) as f64;
        rank += 1;
    }
    match rank {
        0 => [first, last],
        _ => [sorted[rank - 1], sorted[count - rank]],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_median_is_between_the_ranks_of_the_tables() {
        let sorted = |count: usize| (1..=count).map(|value| value as f64).collect::<Vec<_>>();
        // P(at most 5 of 20 below) = 0.021 and P(at most 6) = 0.058; P(at most 1 of 10) = 0.011 and P(at most
        // 2) = 0.055.
        assert_eq!(median_interval(&sorted(20)), [6.0, 15.0]);
        assert_eq!(median_interval(&sorted(10)), [2.0, 9.0]);
        assert_eq!(median_interval(&sorted(5)), [1.0, 5.0]);
        assert_eq!((median(&sorted(20)), median(&sorted(5))), (10.5, 3.0));
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn a_span_costs_something_and_less_than_a_microsecond_is_calculated_from_it() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let span_ns = pool.install(span_nanoseconds);
        assert!(span_ns.is_finite() && span_ns >= 0.0, "{span_ns}");
        let durations = [[11, 12, 10].map(Duration::from_millis).to_vec(), [10; 3].map(Duration::from_millis).to_vec()];
        let cost = cost(&[ThreadSpans::default()], &durations, 1e6, 50.0);
        assert!((cost.measured - 0.1).abs() < 1e-12 && cost.interval[0].abs() < 1e-12, "{cost:?}");
        assert_eq!((cost.spans, cost.pairs, cost.calculated), (0.0, 3, 0.0));
    }
}
