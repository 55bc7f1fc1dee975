//! The rows that a convolution reads: an image's, or on the way back an output gradient's, written out band
//! by band.
//!
//! A pooled gradient is a quarter of the size of what it stands for. Written out as a whole it would leave
//! the second-level cache. A band of rows that moves down with the work stays in it, and each row is written
//! once.

use super::GradOutput;
use crate::geometry::PoolGeometry;
use crate::kernels::relu_pool::{self, PooledGradient};
use std::ops::Range;

/// The rows of an image or a gradient, read from the top down.
pub(crate) enum InputRows<'a> {
    /// All rows, as they lie.
    Whole(&'a [f32]),
    /// Rows that are written out as they are asked for.
    Band(Band<'a>),
}

/// A pooled gradient, and the rows of it that are written out.
pub(crate) struct Band<'a> {
    gradient: PooledGradient<'a>,
    /// The memory for rows of windows.
    band: &'a mut [f32],
    /// The rows of windows that are written out.
    held: Range<usize>,
}

impl<'a> InputRows<'a> {
    /// Returns the floats of memory that it takes to read up to `rows` rows at a time of a gradient that
    /// comes back through `pool`.
    pub(crate) fn band_len(rows: usize, pool: &PoolGeometry) -> usize {
        // At both ends a row of windows may stick out.
        (rows.div_ceil(pool.window[0]) + 1) * row_of_windows_len(pool)
    }

    /// Reads the rows of a gradient, with this memory if it is pooled.
    pub(crate) fn from_gradient(gradient: GradOutput<'a>, band: &'a mut [f32]) -> InputRows<'a> {
        match gradient {
            GradOutput::Dense(values) => InputRows::Whole(values),
            GradOutput::Pooled(gradient) => InputRows::Band(Band { gradient, band, held: 0..0 }),
        }
    }

    /// Returns the values from some row on, and that row's number. The values reach over `rows`. No range
    /// begins before the one that was asked for last.
    pub fn rows(&mut self, rows: Range<usize>) -> (&[f32], usize) {
        match self {
            InputRows::Whole(values) => (values, 0),
            InputRows::Band(band) => {
                let window = band.gradient.pool.window[0];
                band.hold(rows.start / window..rows.end.div_ceil(window));
                (band.band, band.held.start * window)
            }
        }
    }
}

/// Returns the floats of one row of windows, written out.
fn row_of_windows_len(pool: &PoolGeometry) -> usize {
    pool.window[0] * pool.input[1] * pool.input[2]
}

impl Band<'_> {
    /// Keeps those of these rows of windows that are written out, and writes out the others.
    fn hold(&mut self, wanted: Range<usize>) {
        let gradient = &self.gradient;
        let len = row_of_windows_len(&gradient.pool);
        let kept = wanted.start.max(self.held.start)..wanted.end.min(self.held.end).max(wanted.start);
        if !kept.is_empty() {
            let from = (kept.start - self.held.start) * len;
            self.band.copy_within(from..from + kept.len() * len, 0);
        }
        for row in wanted.start + kept.len()..wanted.end {
            let target = &mut self.band[(row - wanted.start) * len..][..len];
            if row < gradient.pool.output[0] {
                let channels = gradient.pool.input[2];
                relu_pool::unpool_row(gradient, row, 0..channels, channels, target);
            } else {
                // The last rows of the output, which no window covers.
                target.fill(0.0);
            }
        }
        self.held = wanted;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Padding;

    #[test]
    fn a_band_that_moves_down_holds_the_rows_of_the_expanded_gradient() {
        let pool = PoolGeometry::new([11, 5, 3], [3, 2], [3, 2], Padding::Valid).unwrap();
        let values: Vec<f32> = (0..pool.output_len()).map(|i| i as f32 + 1.0).collect();
        let argmax: Vec<u8> = (0..pool.output_len()).map(|i| (i % 7) as u8).collect();
        let gradient = PooledGradient { pool, values: &values, argmax: &argmax };
        let mut expanded = vec![f32::NAN; pool.input_len()];
        relu_pool::unpool(&gradient, &mut expanded);
        let mut memory = vec![f32::NAN; InputRows::band_len(5, &pool)];
        let mut band = InputRows::from_gradient(GradOutput::Pooled(gradient), &mut memory);
        for rows in [0..3, 0..5, 2..6, 4..9, 6..11, 9..11] {
            let (values, first) = band.rows(rows.clone());
            let from = (rows.start - first) * 15;
            assert_eq!(values[from..from + rows.len() * 15], expanded[rows.start * 15..rows.end * 15], "{rows:?}");
        }
        let mut dense = InputRows::from_gradient(GradOutput::Dense(&expanded), &mut []);
        assert_eq!(dense.rows(4..6), (&expanded[..], 0));
    }
}
