//! Measuring how fast the engine is: convolutions pass by pass, whole training steps phase by phase, and the
//! machine's own limits beside them. `glassnet bench` and the programs in `benches/` print what is measured
//! here.
//!
//! Work runs in the rayon pool that the caller is in. Times are wall clock, and a shared machine disturbs
//! them: the minimum is the run that was disturbed least, the median the usual one. What is compared is
//! measured in turn, so that a drift of the machine meets all of it.

pub mod conv;
pub mod conv_error;
pub mod conv_figures;
pub mod descriptor;
pub mod machine_peak;
pub mod nonzero_gradients;
pub mod phantom_batches;
pub mod ranks;
pub mod step;

use serde::Serialize;
use std::time::Duration;

/// Milliseconds that some work took, over several runs of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Milliseconds {
    /// The fastest run.
    pub min: f64,
    /// The run in the middle; of an even number, the mean of the two there.
    pub median: f64,
}

impl Milliseconds {
    /// Summarizes these runs.
    ///
    /// # Panics
    /// If there is none.
    pub fn from_runs(runs: &[Duration]) -> Milliseconds {
        assert!(!runs.is_empty(), "nothing was run");
        let mut sorted: Vec<f64> = runs.iter().map(|run| run.as_nanos() as f64 / 1e6).collect();
        sorted.sort_by(f64::total_cmp);
        Milliseconds { min: sorted[0], median: median(&sorted) }
    }
}

/// Returns the median of sorted values, of an even number the mean of the two in the middle; NaN of none.
pub(crate) fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => sorted[middle],
        _ => (sorted[middle - 1] + sorted[middle]) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_run_and_the_minimum_the_fastest() {
        let of = |runs: &[u64]| {
            let runs: Vec<Duration> = runs.iter().map(|&run| Duration::from_millis(run)).collect();
            let Milliseconds { min, median } = Milliseconds::from_runs(&runs);
            (min, median)
        };
        assert_eq!(of(&[7]), (7.0, 7.0));
        assert_eq!(of(&[9, 2, 5]), (2.0, 5.0));
        assert_eq!(of(&[9, 2, 5, 4]), (2.0, 4.5));
    }
}
