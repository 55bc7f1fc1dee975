//! The running figures of one tensor over an epoch.

use super::histogram::Histogram;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Values that one thread takes in one piece. The pieces are added in order, so that figures have the same
/// bits on any number of threads.
const CHUNK: usize = 16 * 1024;

/// The figures of a tensor's values in one step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Scan {
    values: u64,
    sum: f64,
    /// The sum of squares; not finite if a value is not.
    pub squares: f64,
    largest: f32,
    zeros: u64,
    positive: u64,
}

impl Scan {
    /// The figures of these values.
    pub fn of(values: &[f32]) -> Scan {
        let chunks: Vec<Scan> = values.par_chunks(CHUNK).map(Scan::of_chunk).collect();
        chunks.into_iter().fold(Scan::default(), Scan::and)
    }

    /// The figures of a chunk, summed in as many places side by side as a vector register may hold.
    fn of_chunk(values: &[f32]) -> Scan {
        const LANES: usize = 8;
        let (rows, rest) = values.as_chunks::<LANES>();
        let (mut sums, mut squares) = ([0.0f64; LANES], [0.0f64; LANES]);
        let (mut largest, mut zeros, mut positive) = ([0.0f32; LANES], [0u32; LANES], [0u32; LANES]);
        let mut add = |lane: usize, value: f32| {
            let wide = f64::from(value);
            sums[lane] += wide;
            squares[lane] += wide * wide;
            // False of NaN, which the squares tell.
            if value.abs() > largest[lane] {
                largest[lane] = value.abs();
            }
            zeros[lane] += u32::from(value == 0.0);
            positive[lane] += u32::from(value > 0.0);
        };
        for row in rows {
            (0..LANES).for_each(|lane| add(lane, row[lane]));
        }
        rest.iter().for_each(|&value| add(0, value));
        let count = |counts: [u32; LANES]| counts.iter().map(|&count| u64::from(count)).sum();
        Scan {
            values: values.len() as u64,
            sum: sums.iter().sum(),
            squares: squares.iter().sum(),
            largest: largest.into_iter().fold(0.0, f32::max),
            zeros: count(zeros),
            positive: count(positive),
        }
    }

    /// The figures of both.
    pub fn and(self, other: Scan) -> Scan {
        Scan {
            values: self.values + other.values,
            sum: self.sum + other.sum,
            squares: self.squares + other.squares,
            largest: self.largest.max(other.largest),
            zeros: self.zeros + other.zeros,
            positive: self.positive + other.positive,
        }
    }

    /// ‖x‖, the Euclidean norm.
    pub fn norm(&self) -> f64 {
        self.squares.sqrt()
    }

    /// Returns whether all values are finite. The square of the largest f32 is far from the largest f64.
    pub fn is_finite(&self) -> bool {
        self.squares.is_finite()
    }
}

/// The running figures of a tensor over the steps of an epoch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    pub(super) steps: u64,
    pub(super) values: u64,
    pub(super) sum: f64,
    pub(super) squares: f64,
    /// The sum of the steps' norms, and the largest.
    pub(super) norms: f64,
    pub(super) norm_max: f64,
    pub(super) largest: f32,
    pub(super) zeros: u64,
    pub(super) positive: u64,
    /// Of clipped gradients the sum of their norms as they were used.
    #[serde(default)]
    pub(super) clipped_norms: Option<f64>,
    /// Of updates the sum of their ratios to the weights, of how many steps, and the largest. A step that
    /// finds weights of 0 alone has none.
    pub(super) ratios: f64,
    pub(super) ratio_steps: u64,
    pub(super) ratio_max: f64,
    /// Of a ReLU's output, for each unit whether it was positive once.
    pub(super) active: Vec<bool>,
    pub(super) histogram: Histogram,
}

impl Tally {
    /// A tally of no step, of a tensor with this many units that may be dead.
    pub(super) fn new(units: usize) -> Tally {
        Tally { active: vec![false; units], ..Tally::default() }
    }

    /// Returns whether it is one of a tensor with as many units and bins.
    pub(super) fn has_the_places_of(&self, other: &Tally) -> bool {
        self.active.len() == other.active.len() && self.histogram.counts().len() == other.histogram.counts().len()
    }

    /// Adds a step's figures.
    pub(super) fn add_scan(&mut self, scan: &Scan) {
        self.steps += 1;
        self.values += scan.values;
        self.sum += scan.sum;
        self.squares += scan.squares;
        self.norms += scan.norm();
        self.norm_max = larger(self.norm_max, scan.norm());
        self.largest = self.largest.max(scan.largest);
        self.zeros += scan.zeros;
        self.positive += scan.positive;
    }

    /// Adds a step's values, and returns their figures.
    pub(super) fn add(&mut self, values: &[f32]) -> Scan {
        let scan = Scan::of(values);
        self.add_scan(&scan);
        self.histogram.add(values);
        scan
    }

    /// Adds the norm of a gradient as it was used.
    pub(super) fn add_clipped(&mut self, norm: f64) {
        *self.clipped_norms.get_or_insert(0.0) += norm;
    }

    /// Adds the ratio of an update to its weights, whose norms these are.
    pub(super) fn add_ratio(&mut self, update: f64, weights: f64) {
        if weights == 0.0 {
            return;
        }
        let ratio = update / weights;
        self.ratios += ratio;
        self.ratio_steps += 1;
        self.ratio_max = larger(self.ratio_max, ratio);
    }

    /// Takes down which units are positive somewhere in an output `[N, …, units]`.
    pub(super) fn add_active(&mut self, output: &[f32]) {
        let units = self.active.len();
        if units == 0 || self.active.iter().all(|active| *active) {
            return;
        }
        let rows = (CHUNK / units).max(1) * units;
        let found: Vec<Vec<bool>> = output
            .par_chunks(rows)
            .map(|rows| {
                let mut active = vec![false; units];
                for row in rows.chunks_exact(units) {
                    active.iter_mut().zip(row).for_each(|(active, value)| *active |= *value > 0.0);
                }
                active
            })
            .collect();
        for active in found {
            self.active.iter_mut().zip(active).for_each(|(active, found)| *active |= found);
        }
    }
}

/// Returns the larger of two numbers; NaN is the largest there is, as it shall be seen.
fn larger(a: f64, b: f64) -> f64 {
    if b.is_nan() || b > a { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn norms_means_and_shares_are_those_computed_by_hand() {
        let mut tally = Tally::new(0);
        // ‖(3, −4)‖ = 5, ‖(0, 12)‖ = 12.
        assert_eq!(tally.add(&[3.0, -4.0]).norm(), 5.0);
        tally.add(&[0.0, 12.0]);
        assert_eq!((tally.steps, tally.values, tally.norms, tally.norm_max), (2, 4, 17.0, 12.0));
        assert_eq!((tally.sum, tally.squares, tally.largest), (11.0, 169.0, 12.0));
        assert_eq!((tally.zeros, tally.positive), (1, 2));
        tally.add_ratio(0.5, 5.0);
        tally.add_ratio(3.0, 12.0);
        tally.add_ratio(3.0, 0.0);
        assert_eq!((tally.ratios, tally.ratio_steps, tally.ratio_max), (0.35, 2, 0.25));
    }

    #[test]
    fn a_value_that_is_not_finite_makes_the_norm_so_and_the_largest_norm_too() {
        for fault in [f32::NAN, f32::INFINITY] {
            let mut tally = Tally::new(0);
            let mut values = vec![1.0; 3 * CHUNK + 5];
            assert!(tally.add(&values).is_finite());
            values[2 * CHUNK + 3] = fault;
            assert!(!tally.add(&values).is_finite());
            values[2 * CHUNK + 3] = f32::MAX;
            assert!(tally.add(&values).is_finite());
            assert!(!tally.norm_max.is_finite() && tally.norm_max.is_nan() == fault.is_nan());
        }
    }

    #[test]
    fn the_figures_have_the_same_bits_on_any_number_of_threads() {
        let values: Vec<f32> = (0..5 * CHUNK + 3).map(|place| (place as f32 * 0.37).sin()).collect();
        let scan = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| Scan::of(&values))
        };
        let one = scan(1);
        assert!([2, 3, 8].into_iter().all(|threads| scan(threads) == one));
        let plain: f64 = values.iter().map(|&x| f64::from(x).powi(2)).sum();
        approx::assert_relative_eq!(one.squares, plain, max_relative = 1e-12);
    }

    #[test]
    fn a_unit_is_active_if_it_was_positive_in_any_row_of_any_step() {
        let mut tally = Tally::new(3);
        tally.add_active(&[0.0, 0.0, 1.0, 0.0, 0.0, 2.0]);
        assert_eq!(tally.active, [false, false, true]);
        tally.add_active(&[0.0, 0.0, 0.0, 3.0, f32::NAN, 0.0]);
        assert_eq!(tally.active, [true, false, true]);
    }
}
