//! A dense layer, a block of weight rows at a time.
//!
//! With X the batch [N×I], W the kernel [I×U] and Y the output [N×U], a block of rows r of W meets only the
//! columns r of X:
//!
//! ```text
//! forward       Y  = Σ over blocks X[:, r]·W[r]      [N×r]·[r×U]
//! input         dX[:, r]ᵀ = W[r]·dYᵀ                 [r×U]·[U×N]
//! weights       dW[r] = X[:, r]ᵀ·dY                  [r×N]·[N×U]
//! ```
//!
//! In all three passes each block of W is read or written once, by one thread, and that is what the time goes
//! into: the first dense layer of the documented model has 3.2 million weights and few samples to use them
//! on. All three are sums over [register tiles](super::tile). The loops, from the outside in:
//!
//! ```text
//!          forward                        input                      weights
//! loop 1   pieces of DEPTH rows of W      panels of samples          pieces of PIXELS rows of W
//! loop 2     panels of units                pieces of PIXELS rows      panels of units, and their columns
//! loop 3       samples, columns               columns                    pieces of DEPTH samples
//! tile           over the rows                  over the units             over the samples
//! ```

use super::simd::{Lanes, SimdOp, dispatch};
use super::tile::{PANEL, PIXELS, VECTORS, load_sums, store_sums, tile};
use std::ops::Range;

/// Rows of W whose part of the output is summed up on its own: at 128 units 1 MiB, enough work for a thread,
/// and enough blocks for several.
pub const BLOCK_ROWS: usize = 2048;

/// Rows of W in one piece of work on the way back: at 128 units 48 KiB, and whole tiles.
pub(crate) const BACKWARD_ROWS: usize = 16 * PIXELS;

/// Rows of W, or samples, that are put into a tile's order at once, on the stack.
const DEPTH: usize = 64;

/// Returns the rows of block `index` when W has `inputs` rows, `rows` to a block.
pub fn block(index: usize, rows: usize, inputs: usize) -> Range<usize> {
    index * rows..((index + 1) * rows).min(inputs)
}

/// A matrix in the order in which tiles read it, `[panels of columns][rows][PANEL]`; columns beyond the last
/// are zeros.
#[derive(Clone, Copy, Debug)]
pub struct Panels<'a> {
    values: &'a [[f32; PANEL]],
    rows: usize,
    columns: usize,
}

impl<'a> Panels<'a> {
    /// Returns the floats that a matrix takes.
    pub fn len(rows: usize, columns: usize) -> usize {
        columns.div_ceil(PANEL) * PANEL * rows
    }

    /// Writes the matrix with these elements to `packed`.
    pub fn pack(
        rows: usize,
        columns: usize,
        element: impl Fn(usize, usize) -> f32,
        packed: &'a mut [f32],
    ) -> Panels<'a> {
        let packed = &mut packed[..Panels::len(rows, columns)];
        for (panel, packed) in packed.chunks_exact_mut(rows * PANEL).enumerate() {
            for (row, packed) in packed.chunks_exact_mut(PANEL).enumerate() {
                for (column, packed) in (panel * PANEL..).zip(packed) {
                    *packed = if column < columns { element(row, column) } else { 0.0 };
                }
            }
        }
        Panels { values: packed.as_chunks().0, rows, columns }
    }
}

/// Writes the block's part of the output, `X[:, r]·W[r]`, to `partial`, `[N×U]`, from `input`, X
/// `[N×inputs]`, and `kernel`, W `[inputs×U]`.
pub fn forward(input: &[f32], inputs: usize, rows: Range<usize>, kernel: &[f32], partial: &mut [f32]) {
    dispatch(Forward { input, inputs, rows, kernel, partial });
}

struct Forward<'a> {
    input: &'a [f32],
    inputs: usize,
    rows: Range<usize>,
    kernel: &'a [f32],
    partial: &'a mut [f32],
}

impl SimdOp for Forward<'_> {
    #[inline(always)]
    fn run<const LANES: usize, const FUSED: bool>(self) {
        let Forward { input, inputs, rows, kernel, partial } = self;
        let units = kernel.len() / inputs;
        let samples = input.len() / inputs;
        partial.fill(0.0);
        // Loop 1: pieces of rows.
        for first in rows.clone().step_by(DEPTH) {
            let depth = DEPTH.min(rows.end - first);
            // Loop 2: panels of units.
            for panel in (0..units).step_by(PANEL) {
                let present = PANEL.min(units - panel);
                let mut weights = [[0.0; PANEL]; DEPTH];
                for (weights, row) in weights.iter_mut().zip(kernel[first * units..].chunks_exact(units)).take(depth) {
                    match row[panel..panel + present].first_chunk::<PANEL>() {
                        Some(row) => *weights = *row,
                        None => weights[..present].copy_from_slice(&row[panel..panel + present]),
                    }
                }
                let columns = panel..panel + present;
                let rows_of = |sample: usize| &input[sample * inputs + first..][..depth];
                let store = |sample: usize| sample * units;
                add_rows::<LANES, FUSED>(samples, rows_of, &weights[..depth], columns, partial, store);
            }
        }
    }
}

/// Adds `rows(i)·weights` to `target[start(i) + columns]`, for i < `count`: loop 3 of the forward pass.
#[inline(always)]
fn add_rows<'a, const LANES: usize, const FUSED: bool>(
    count: usize,
    rows: impl Fn(usize) -> &'a [f32],
    weights: &[[f32; PANEL]],
    columns: Range<usize>,
    target: &mut [f32],
    start: impl Fn(usize) -> usize,
) {
    // Loop 3: samples, columns of the panel.
    let mut from = 0;
    while from < count {
        let pixels = match count - from {
            PIXELS.. => PIXELS,
            4.. => 4,
            2.. => 2,
            _ => 1,
        };
        for column in (0..columns.len()).step_by(VECTORS * LANES) {
            let at = columns.start + column;
            let present = (columns.end - at).min(VECTORS * LANES);
            let at = |i: usize| start(from + i) + at..start(from + i) + at + present;
            match pixels {
                PIXELS => add_tile::<PIXELS, LANES, FUSED>(|i| rows(from + i), weights, column, target, at),
                4 => add_tile::<4, LANES, FUSED>(|i| rows(from + i), weights, column, target, at),
                2 => add_tile::<2, LANES, FUSED>(|i| rows(from + i), weights, column, target, at),
                _ => add_tile::<1, LANES, FUSED>(|i| rows(from + i), weights, column, target, at),
            }
        }
        from += pixels;
    }
}

/// Adds one tile of [`add_rows`]: `at` gives a row's part of `target`.
#[inline(always)]
fn add_tile<'a, const P: usize, const LANES: usize, const FUSED: bool>(
    rows: impl Fn(usize) -> &'a [f32],
    weights: &[[f32; PANEL]],
    column: usize,
    target: &mut [f32],
    at: impl Fn(usize) -> Range<usize>,
) {
    let mut sums = [[[0.0; LANES]; VECTORS]; P];
    for (i, sums) in sums.iter_mut().enumerate() {
        load_sums(&target[at(i)], sums);
    }
    // [P×K]·[K×(VECTORS·LANES)]
    tile::<P, VECTORS, LANES, FUSED>(std::array::from_fn(rows), weights, column, &mut sums);
    for (i, sums) in sums.iter().enumerate() {
        store_sums(sums, &mut target[at(i)]);
    }
}

/// Writes `dX[:, r]` to `partial`, `[N×r]`, from the block `kernel` `[r×U]` and `grad_output`, dYᵀ `[U×N]`.
pub fn grad_input(kernel: &[f32], grad_output: Panels, partial: &mut [f32]) {
    debug_assert_eq!(partial.len() * grad_output.rows, kernel.len() * grad_output.columns);
    dispatch(GradInput { kernel, grad_output, partial });
}

struct GradInput<'a> {
    kernel: &'a [f32],
    grad_output: Panels<'a>,
    partial: &'a mut [f32],
}

impl SimdOp for GradInput<'_> {
    #[inline(always)]
    fn run<const LANES: usize, const FUSED: bool>(self) {
        let GradInput { kernel, grad_output, partial } = self;
        let (units, samples) = (grad_output.rows, grad_output.columns);
        let rows = kernel.len() / units;
        // Loop 1: panels of samples.
        for (panel, weights) in grad_output.values.chunks_exact(units).enumerate() {
            let present = PANEL.min(samples - panel * PANEL);
            // Loop 2: pieces of rows.
            let mut row = 0;
            while row < rows {
                let pixels = if rows - row >= PIXELS { PIXELS } else { 1 };
                // Loop 3: columns of the panel, one register of samples at a time: batches are small.
                for column in (0..present).step_by(LANES) {
                    let first_sample = panel * PANEL + column;
                    let mut store = |pixel: usize, sums: &Lanes<LANES>| {
                        let samples = first_sample..samples.min(first_sample + LANES);
                        for (sample, &sum) in samples.zip(sums) {
                            partial[sample * rows + row + pixel] = sum;
                        }
                    };
                    let rows = |pixel: usize| &kernel[(row + pixel) * units..][..units];
                    // [PIXELS×U]·[U×LANES]
                    if pixels == PIXELS {
                        let mut sums = [[[0.0; LANES]; 1]; PIXELS];
                        tile::<PIXELS, 1, LANES, FUSED>(std::array::from_fn(rows), weights, column, &mut sums);
                        for (pixel, [sums]) in sums.iter().enumerate() {
                            store(pixel, sums);
                        }
                    } else {
                        let mut sums = [[[0.0; LANES]; 1]; 1];
                        tile::<1, 1, LANES, FUSED>(std::array::from_fn(rows), weights, column, &mut sums);
                        store(0, &sums[0][0]);
                    }
                }
                row += pixels;
            }
        }
    }
}

/// Writes `dW[r]` to `grad_kernel`, `[r×U]`, from X and `grad_output`, dY `[N×U]`.
pub fn grad_kernel(input: &[f32], inputs: usize, rows: Range<usize>, grad_output: Panels, grad_kernel: &mut [f32]) {
    debug_assert_eq!(grad_kernel.len(), rows.len() * grad_output.columns);
    dispatch(GradKernel { input, inputs, rows, grad_output, grad_kernel });
}

struct GradKernel<'a> {
    input: &'a [f32],
    inputs: usize,
    rows: Range<usize>,
    grad_output: Panels<'a>,
    grad_kernel: &'a mut [f32],
}

impl SimdOp for GradKernel<'_> {
    #[inline(always)]
    fn run<const LANES: usize, const FUSED: bool>(mut self) {
        // Loop 1: pieces of rows.
        let mut row = self.rows.start;
        while row < self.rows.end {
            if self.rows.end - row >= PIXELS {
                self.rows::<PIXELS, LANES, FUSED>(row);
                row += PIXELS;
            } else {
                self.rows::<1, LANES, FUSED>(row);
                row += 1;
            }
        }
    }
}

impl GradKernel<'_> {
    /// Writes `P` rows of dW, from `row` on.
    #[inline(always)]
    fn rows<const P: usize, const LANES: usize, const FUSED: bool>(&mut self, row: usize) {
        let (samples, units) = (self.grad_output.rows, self.grad_output.columns);
        let mut columns_of_input = [[0.0; DEPTH]; P];
        let start = (row - self.rows.start) * units;
        // Loop 2: panels of units, and their columns.
        for (panel, weights) in self.grad_output.values.chunks_exact(samples).enumerate() {
            let present = PANEL.min(units - panel * PANEL);
            for column in (0..present).step_by(VECTORS * LANES) {
                let mut sums = [[[0.0; LANES]; VECTORS]; P];
                // Loop 3: pieces of samples.
                for first in (0..samples).step_by(DEPTH) {
                    let depth = DEPTH.min(samples - first);
                    // A small batch is turned once for all panels.
                    if samples > DEPTH || (panel == 0 && column == 0) {
                        for (sample, values) in self.input.chunks_exact(self.inputs).skip(first).take(depth).enumerate()
                        {
                            for (pixel, &value) in values[row..row + P].iter().enumerate() {
                                columns_of_input[pixel][sample] = value;
                            }
                        }
                    }
                    let rows = std::array::from_fn(|pixel| &columns_of_input[pixel][..depth]);
                    // [P×N]·[N×(VECTORS·LANES)]
                    tile::<P, VECTORS, LANES, FUSED>(rows, &weights[first..first + depth], column, &mut sums);
                }
                let present = (present - column).min(VECTORS * LANES);
                for (pixel, sums) in sums.iter().enumerate() {
                    let at = start + pixel * units + panel * PANEL + column;
                    store_sums(sums, &mut self.grad_kernel[at..][..present]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::simd::{InstructionSet, dispatch_to};
    use crate::random::{Purpose, Stream};

    /// Fails unless each value is the sum of its products but for rounding.
    fn assert_sums(what: &str, values: &[f32], mut sum: impl FnMut(usize) -> f64) {
        for (index, &value) in values.iter().enumerate() {
            let error = (f64::from(value) - sum(index)).abs();
            assert!(error < 1e-5, "{what}: {error:e} at {index} of {}", values.len());
        }
    }

    #[test]
    fn every_instruction_set_gives_the_three_products() {
        // One sample and one unit; all of a tile and of a panel left over; more samples than DEPTH.
        for (samples, inputs, units, rows) in [(1, 7, 1, 0..7), (5, 150, 45, 13..143), (70, 20, 33, 3..20)] {
            let mut stream = Stream::new(1, Purpose::Test, 0, 0);
            let mut draw = |len: usize| (0..len).map(|_| stream.unit_f32() - 0.5).collect::<Vec<f32>>();
            let (input, kernel, upstream) = (draw(samples * inputs), draw(inputs * units), draw(samples * units));
            let x = |sample: usize, row: usize| f64::from(input[sample * inputs + row]);
            let w = |row: usize, unit: usize| f64::from(kernel[row * units + unit]);
            let g = |sample: usize, unit: usize| f64::from(upstream[sample * units + unit]);
            let mut packed = [Panels::len(samples, units), Panels::len(units, samples)].map(|len| vec![f32::NAN; len]);
            let [by_sample, by_unit] = &mut packed;
            let by_sample = Panels::pack(samples, units, |sample, unit| g(sample, unit) as f32, by_sample);
            let by_unit = Panels::pack(units, samples, |unit, sample| g(sample, unit) as f32, by_unit);
            let block = &kernel[rows.start * units..rows.end * units];
            for set in InstructionSet::tested() {
                let what = |pass: &str| format!("{} {pass}, {samples}×{inputs}·{inputs}×{units}", set.name());
                let mut partial = vec![f32::NAN; samples * units];
                let rows_of = rows.clone();
                dispatch_to(
                    set,
                    Forward { input: &input, inputs, rows: rows_of, kernel: &kernel, partial: &mut partial },
                );
                assert_sums(&what("forward"), &partial, |i| {
                    rows.clone().map(|r| x(i / units, r) * w(r, i % units)).sum()
                });

                let mut partial = vec![f32::NAN; samples * rows.len()];
                dispatch_to(set, GradInput { kernel: block, grad_output: by_unit, partial: &mut partial });
                assert_sums(&what("grad_input"), &partial, |i| {
                    let (sample, row) = (i / rows.len(), rows.start + i % rows.len());
                    (0..units).map(|unit| g(sample, unit) * w(row, unit)).sum()
                });

                let mut written = vec![f32::NAN; block.len()];
                let rows_of = rows.clone();
                dispatch_to(
                    set,
                    GradKernel {
                        input: &input,
                        inputs,
                        rows: rows_of,
                        grad_output: by_sample,
                        grad_kernel: &mut written,
                    },
                );
                assert_sums(&what("grad_kernel"), &written, |i| {
                    (0..samples).map(|sample| x(sample, rows.start + i / units) * g(sample, i % units)).sum()
                });
            }
        }
    }
}
