//! ReLU and max-pooling of a band of rows in one go, and the way back.
//!
//! With m the maximum of a window (the first in reading order, as in [`pool`](super::pool)), the output is
//! max(m, 0), which is what ReLU before pooling gives too. Where m ≤ 0 nothing of the window gets a gradient,
//! so its argmax is kept as [`DEAD`], and the way back needs neither the output nor the input. Windows do not
//! overlap.

use super::pool::first_maxima;
use super::simd::{ChannelWork, Lanes, MAX_LANES, SimdOp, dispatch, load, over_channels};
use crate::geometry::PoolGeometry;
use std::ops::Range;

/// The argmax of a window whose maximum ReLU cut off: nothing of the window has a gradient.
pub const DEAD: u8 = u8::MAX;

/// The gradient of a max-pool's output, `[output height, output width, F]`, and the argmax of each window. At
/// most one position of every window has a gradient, all others have 0. Windows do not overlap.
#[derive(Clone, Copy, Debug)]
pub struct PooledGradient<'a> {
    /// The pool's sizes. Its input is the convolution's output; its stride is its window.
    pub pool: PoolGeometry,
    /// ∂L/∂(pool's output).
    pub values: &'a [f32],
    /// The cell of each window's maximum, dy·window width + dx, or [`DEAD`].
    pub argmax: &'a [u8],
}

/// Pools the band `values` `[rows, W, C]`, with W = output width · window width and rows a multiple of the
/// window's. Writes the maxima to `output` `[rows / window height, output width, C]`, rectified if `relu`,
/// and their cells to `argmax`, of the same shape, unless that is empty.
pub fn forward(pool: &PoolGeometry, relu: bool, values: &[f32], output: &mut [f32], argmax: &mut [u8]) {
    debug_assert_eq!(values.len(), output.len() * pool.cells());
    debug_assert!(argmax.is_empty() || argmax.len() == output.len());
    dispatch(Forward { pool, relu, values, output, argmax });
}

struct Forward<'a> {
    pool: &'a PoolGeometry,
    relu: bool,
    values: &'a [f32],
    output: &'a mut [f32],
    argmax: &'a mut [u8],
}

impl SimdOp for Forward<'_> {
    #[inline(always)]
    fn run<const LANES: usize, const FUSED: bool>(self) {
        // The most usual window as a constant: its loops are then unrolled, and the maxima stay in registers.
        match self.pool.window {
            [2, 2] => self.windows::<LANES>([2, 2]),
            window => self.windows::<LANES>(window),
        }
    }
}

impl Forward<'_> {
    /// Pools all windows, whose size is `window`.
    #[inline(always)]
    fn windows<const LANES: usize>(self, window: [usize; 2]) {
        let Forward { pool, relu, values, output, argmax } = self;
        let channels = pool.input[2];
        let row_len = pool.output[1] * window[1] * channels;
        let mut argmax = argmax.chunks_exact_mut(channels);
        let band_rows = values.chunks_exact(window[0] * row_len);
        for (band, output) in band_rows.zip(output.chunks_exact_mut(pool.output[1] * channels)) {
            for (x, output) in output.chunks_exact_mut(channels).enumerate() {
                let corner = x * window[1] * channels;
                let argmax = argmax.next().unwrap_or_default();
                let (values, steps) = (&band[corner..], [row_len, channels]);
                over_channels::<LANES>(channels, &mut Window { window, relu, values, steps, output, argmax });
            }
        }
    }
}

/// One window, of this size.
struct Window<'a> {
    window: [usize; 2],
    relu: bool,
    /// The band from the window's first value on.
    values: &'a [f32],
    /// Floats from a row to the next, and from a column.
    steps: [usize; 2],
    output: &'a mut [f32],
    /// Empty where it is not wanted.
    argmax: &'a mut [u8],
}

impl ChannelWork for Window<'_> {
    #[inline(always)]
    fn block<const WIDTH: usize>(&mut self, first: usize) {
        let Window { window, relu, values, steps, .. } = *self;
        let at = |[dy, dx]: [usize; 2]| load(values, dy * steps[0] + dx * steps[1] + first);
        let (mut best, mut cell) = first_maxima::<WIDTH>(0..window[0], 0..window[1], window[1], at);
        if relu {
            for lane in 0..WIDTH {
                let dead = best[lane] <= 0.0;
                if WIDTH == MAX_LANES {
                    // By masks: of this condition on both arrays the compiler makes one for each lane.
                    let mask = if dead { u32::MAX } else { 0 };
                    best[lane] = f32::from_bits(best[lane].to_bits() & !mask);
                    cell[lane] |= mask & u32::from(DEAD);
                } else {
                    best[lane] = if dead { 0.0 } else { best[lane] };
                    cell[lane] = if dead { u32::from(DEAD) } else { cell[lane] };
                }
            }
        }
        self.output[first..][..WIDTH].copy_from_slice(&best);
        if let Some(argmax) = self.argmax.get_mut(first..first + WIDTH) {
            argmax.copy_from_slice(&cell.map(|cell| cell as u8));
        }
    }
}

/// Writes the gradient of each position, `[H, W, C]` of the pool's input: each value at its argmax, 0
/// elsewhere. (Max-unpooling: M. D. Zeiler, R. Fergus, *Visualizing and Understanding Convolutional
/// Networks*, 2014.)
pub fn unpool(gradient: &PooledGradient, expanded: &mut [f32]) {
    let PoolGeometry { input: [height, width, channels], window, output, .. } = gradient.pool;
    debug_assert_eq!(expanded.len(), gradient.pool.input_len());
    let row_len = width * channels;
    for (row, band) in expanded.chunks_exact_mut(window[0] * row_len).take(output[0]).enumerate() {
        unpool_row(gradient, row, 0..channels, channels, band);
    }
    expanded[gradient.pool.covered()[0] * row_len..height * row_len].fill(0.0);
}

/// Does the same as [`unpool`] for one row of windows and some channels: writes `[window height, W,
/// channels]`, positions `step` floats apart. What lies between them stays as it is.
pub(crate) fn unpool_row(
    gradient: &PooledGradient,
    row: usize,
    channels: Range<usize>,
    step: usize,
    expanded: &mut [f32],
) {
    dispatch(UnpoolRow { gradient, row, channels, step, expanded });
}

struct UnpoolRow<'a> {
    gradient: &'a PooledGradient<'a>,
    row: usize,
    channels: Range<usize>,
    step: usize,
    expanded: &'a mut [f32],
}

impl SimdOp for UnpoolRow<'_> {
    #[inline(always)]
    fn run<const LANES: usize, const FUSED: bool>(self) {
        let UnpoolRow { gradient: PooledGradient { pool, values, argmax }, row, channels, step, expanded } = self;
        let [_, width, all_channels] = pool.input;
        let (first, channels) = (channels.start, channels.len());
        let [_, covered] = pool.covered();
        for (dy, expanded) in expanded.chunks_exact_mut(width * step).take(pool.window[0]).enumerate() {
            for x in 0..pool.output[1] {
                let window = (row * pool.output[1] + x) * all_channels + first;
                let (values, argmax) = (&values[window..][..channels], &argmax[window..][..channels]);
                for dx in 0..pool.window[1] {
                    let cell = (dy * pool.window[1] + dx) as u8;
                    let target = &mut expanded[(x * pool.window[1] + dx) * step..][..channels];
                    over_channels::<LANES>(channels, &mut Cell { values, argmax, cell, target });
                }
            }
            for uncovered in expanded[covered * step..].chunks_mut(step) {
                uncovered[..channels].fill(0.0);
            }
        }
    }
}

/// A cell of a window that is written out.
struct Cell<'a> {
    values: &'a [f32],
    argmax: &'a [u8],
    cell: u8,
    target: &'a mut [f32],
}

impl ChannelWork for Cell<'_> {
    #[inline(always)]
    fn block<const WIDTH: usize>(&mut self, first: usize) {
        let values: Lanes<WIDTH> = load(self.values, first);
        let argmax: &[u8; WIDTH] = self.argmax[first..].first_chunk().expect("an argmax for each value");
        // As wide as the values before they are compared: else the compiler takes registers of bytes apart.
        let wide: [u32; WIDTH] = argmax.map(u32::from);
        let cell = u32::from(self.cell);
        let mut target = [0.0; WIDTH];
        for lane in 0..WIDTH {
            let mask = if wide[lane] == cell { u32::MAX } else { 0 };
            target[lane] = f32::from_bits(values[lane].to_bits() & mask);
        }
        self.target[first..][..WIDTH].copy_from_slice(&target);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Padding;
    use crate::kernels::simd::{InstructionSet, dispatch_to};
    use crate::kernels::{elementwise, pool};
    use crate::random::{Purpose, Stream};

    fn bits(values: &[f32]) -> Vec<u32> {
        values.iter().map(|value| value.to_bits()).collect()
    }

    #[test]
    fn a_band_gives_the_bits_of_relu_and_then_max_pooling_and_so_does_the_way_back_on_every_instruction_set() {
        let pool = PoolGeometry::new([7, 13, 37], [3, 2], [3, 2], Padding::Valid).unwrap();
        let mut stream = Stream::new(0, Purpose::Test, 0, 0);
        // A few levels only, so that ties happen, windows die and signed zeros occur.
        let values: Vec<f32> = (0..pool.input_len()).map(|_| (4.0 * stream.unit_f32()).floor() - 2.0).collect();
        let upstream: Vec<f32> = (0..pool.output_len()).map(|_| stream.unit_f32() + 0.5).collect();
        for relu in [false, true] {
            let mut rectified = values.clone();
            if relu {
                elementwise::relu(&values, &mut rectified);
            }
            let (mut expected, mut argmax) = (vec![f32::NAN; upstream.len()], vec![9; upstream.len()]);
            pool::forward(&pool, &rectified, &mut expected, &mut argmax);
            // A band has what windows cover: not the seventh row and the thirteenth column.
            let rows = values.chunks_exact(13 * 37).take(6);
            let band: Vec<f32> = rows.flat_map(|row| &row[..12 * 37]).copied().collect();
            let mut expected_back = vec![f32::NAN; values.len()];
            pool::backward(&pool, &upstream, &argmax, &mut expected_back);
            if relu {
                let pooled = expected_back.clone();
                elementwise::relu_backward(&rectified, &pooled, &mut expected_back);
            }
            for set in InstructionSet::tested() {
                let (mut output, mut argmax) = (vec![f32::NAN; upstream.len()], vec![9; upstream.len()]);
                let (pool, values) = (&pool, &band[..]);
                dispatch_to(set, Forward { pool, relu, values, output: &mut output, argmax: &mut argmax });
                assert_eq!(bits(&output), bits(&expected), "{}", set.name());
                let mut without_argmax = vec![f32::NAN; upstream.len()];
                dispatch_to(set, Forward { pool, relu, values, output: &mut without_argmax, argmax: &mut [] });
                assert_eq!(bits(&without_argmax), bits(&expected), "{}", set.name());

                let mut expanded = vec![f32::NAN; pool.input_len()];
                let gradient = PooledGradient { pool: *pool, values: &upstream, argmax: &argmax };
                let row_len = pool.input[1] * pool.input[2];
                let covered = pool.covered()[0] * row_len;
                let rows = expanded[..covered].chunks_exact_mut(pool.window[0] * row_len).enumerate();
                for (row, expanded) in rows {
                    let channels = 0..pool.input[2];
                    dispatch_to(set, UnpoolRow { gradient: &gradient, row, channels, step: pool.input[2], expanded });
                }
                assert_eq!(bits(&expanded[..covered]), bits(&expected_back[..covered]), "{}", set.name());
                assert!(expected_back[covered..].iter().all(|&g| g == 0.0));
            }
        }
    }
}
