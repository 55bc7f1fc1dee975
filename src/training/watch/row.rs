//! What is left of an epoch of one tensor: a line of `watch.csv`.

use super::histogram::Histogram;
use super::tally::Tally;

/// The figures of a tensor over an epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct WatchRow {
    /// The epoch's index, from 0 as in `history.csv`.
    pub epoch: usize,
    /// The layer's name, or `all`.
    pub layer: String,
    /// The tensor, as the table of [`watch`](super) names it.
    pub tensor: String,
    /// The steps that were measured: all of the epoch, unless it ended early.
    pub steps: u64,
    /// The values that were measured, over all steps.
    pub values: u64,
    /// The mean over the steps of the Euclidean norm, and the largest of them.
    pub norm: f64,
    /// See `norm`.
    pub norm_max: f64,
    /// The mean of all values.
    pub mean: f64,
    /// The root of the mean square of all values. Unlike the norm it does not grow with the tensor.
    pub rms: f64,
    /// The largest magnitude.
    pub largest: f64,
    /// The share of values that are exactly 0.
    pub zeros: f64,
    /// The share of values above 0.
    pub positive: f64,
    /// Of gradients, where they are clipped: the mean over the steps of the norm as it was used.
    pub clipped_norm: Option<f64>,
    /// Of updates: the mean over the steps of ‖Δw‖ / ‖w‖, w as it was before, and the largest; none where all
    /// weights were 0 in all steps.
    pub ratio: Option<f64>,
    /// See `ratio`.
    pub ratio_max: Option<f64>,
    /// Of a ReLU's output: its units. A unit of an image is a channel.
    pub units: Option<usize>,
    /// Of a ReLU's output: the units, from 0, that were 0 in every place of every image of every step.
    pub dead: Option<Vec<usize>>,
    /// The magnitudes of some values of each step.
    pub histogram: Histogram,
}

impl WatchRow {
    /// The row of a tally of at least one step.
    pub(super) fn new(epoch: usize, layer: &str, tensor: &str, tally: &Tally) -> WatchRow {
        let (steps, values) = (tally.steps as f64, tally.values as f64);
        let has_units = !tally.active.is_empty();
        let dead = || (0..tally.active.len()).filter(|&unit| !tally.active[unit]).collect();
        let has_ratio = tally.ratio_steps > 0;
        WatchRow {
            epoch,
            layer: layer.to_string(),
            tensor: tensor.to_string(),
            steps: tally.steps,
            values: tally.values,
            norm: tally.norms / steps,
            norm_max: tally.norm_max,
            mean: tally.sum / values,
            rms: (tally.squares / values).sqrt(),
            largest: f64::from(tally.largest),
            zeros: tally.zeros as f64 / values,
            positive: tally.positive as f64 / values,
            clipped_norm: tally.clipped_norms.map(|norms| norms / steps),
            ratio: has_ratio.then(|| tally.ratios / tally.ratio_steps as f64),
            ratio_max: has_ratio.then_some(tally.ratio_max),
            units: has_units.then_some(tally.active.len()),
            dead: has_units.then(dead),
            histogram: tally.histogram.clone(),
        }
    }
}
