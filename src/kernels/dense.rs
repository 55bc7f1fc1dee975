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
//! loop 1   pieces of DEPTH rows of W      panels of samples          pieces of PIECE_ROWS rows of W
//! loop 2     panels of units                pieces of PIXELS rows      panels of units, and their columns
//! loop 3       samples, columns               columns                    strips of rows
//! tile           over the rows                  over the units             over the samples
//! ```

use super::simd::{InstructionSet, Lanes, SimdOp, dispatch, dispatch_to};
use super::tile::{
    PANEL, PIXELS, PairedTileWork, TileWork, VECTORS, add_outer, load_filters, load_sums, over_tiles, store_sums, tile,
};
use std::ops::Range;

/// Rows of W whose part of the output is summed up on its own: at 128 units 1 MiB, enough work for a thread,
/// and enough blocks for several.
pub const BLOCK_ROWS: usize = 2048;

/// Rows of W in one piece of work on the way back: at 128 units 48 KiB, and whole tiles.
pub(crate) const BACKWARD_ROWS: usize = 16 * PIXELS;

/// Rows of W whose gradient is made at once: at 128 units 12 KiB, which stay in the first-level cache, and
/// whole tiles.
pub(crate) const PIECE_ROWS: usize = 4 * PIXELS;

/// Rows of W that are put into a tile's order at once, on the stack.
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
                // Loop 3: columns of the panel, one register of samples at a time where the batch is small.
                let mut column = 0;
                while column < present {
                    let block = InputBlock { kernel, weights, row, column, first_sample: panel * PANEL, samples, rows };
                    column += match (pixels, present - column > LANES) {
                        (PIXELS, true) => block.write::<PIXELS, VECTORS, LANES, FUSED>(partial),
                        (PIXELS, false) => block.write::<PIXELS, 1, LANES, FUSED>(partial),
                        (_, true) => block.write::<1, VECTORS, LANES, FUSED>(partial),
                        (_, false) => block.write::<1, 1, LANES, FUSED>(partial),
                    };
                }
                row += pixels;
            }
        }
    }
}

/// Some rows of W and some columns of dYᵀ.
struct InputBlock<'a> {
    /// The block of W, `[rows×U]`.
    kernel: &'a [f32],
    /// The panel of dYᵀ, `[U][PANEL]`.
    weights: &'a [[f32; PANEL]],
    /// The first row.
    row: usize,
    /// The first column in the panel.
    column: usize,
    /// The sample of the panel's first column.
    first_sample: usize,
    samples: usize,
    rows: usize,
}

impl InputBlock<'_> {
    /// Writes the gradient of `P` rows to `partial`, for `V` registers of samples. Returns the columns done.
    #[inline(always)]
    fn write<const P: usize, const V: usize, const LANES: usize, const FUSED: bool>(
        &self,
        partial: &mut [f32],
    ) -> usize {
        let units = self.weights.len();
        let rows = std::array::from_fn(|pixel| &self.kernel[(self.row + pixel) * units..][..units]);
        let mut sums = [[[0.0; LANES]; V]; P];
        // [P×U]·[U×(V·LANES)]
        tile::<P, V, LANES, FUSED>(rows, self.weights, self.column, &mut sums);
        let first = self.first_sample + self.column;
        for (lane, sample) in (first..self.samples.min(first + V * LANES)).enumerate() {
            let target = &mut partial[sample * self.rows + self.row..][..P];
            for (target, sums) in target.iter_mut().zip(&sums) {
                *target = sums.as_flattened()[lane];
            }
        }
        V * LANES
    }
}

/// Returns the floats of scratch that [`grad_kernel`] needs in a batch of `samples`.
pub(crate) fn grad_kernel_scratch(samples: usize) -> usize {
    samples * PIECE_ROWS
}

/// Writes `dW[r]` to `grad_kernel`, `[r×U]`, from X and `grad_output`, dY `[N×U]`. `scratch` are
/// `grad_kernel_scratch` floats.
pub fn grad_kernel(
    input: &[f32],
    inputs: usize,
    rows: Range<usize>,
    grad_output: Panels,
    grad_kernel: &mut [f32],
    scratch: &mut [f32],
) {
    debug_assert_eq!(grad_kernel.len(), rows.len() * grad_output.columns);
    grad_kernel_by(InstructionSet::in_force(), input, inputs, rows, grad_output, grad_kernel, scratch);
}

/// Does the same with this set of instructions.
fn grad_kernel_by(
    set: InstructionSet,
    input: &[f32],
    inputs: usize,
    rows: Range<usize>,
    grad_output: Panels,
    grad_kernel: &mut [f32],
    scratch: &mut [f32],
) {
    let pieces = grad_kernel.chunks_mut(PIECE_ROWS * grad_output.columns);
    // Loop 1: pieces of rows.
    for (first, grad_kernel) in rows.step_by(PIECE_ROWS).zip(pieces) {
        let rows = grad_kernel.len() / grad_output.columns;
        // Their columns of X as one block: a sample's are in a page of their own.
        let columns = &mut scratch[..grad_output.rows * rows];
        for (columns, sample) in columns.chunks_exact_mut(rows).zip(input.chunks_exact(inputs)) {
            columns.copy_from_slice(&sample[first..first + rows]);
        }
        dispatch_to(set, GradKernel { columns, rows, grad_output, grad_kernel });
    }
}

/// A piece of dW.
struct GradKernel<'a> {
    /// X's columns, `[N×rows]`.
    columns: &'a [f32],
    /// Rows of dW.
    rows: usize,
    grad_output: Panels<'a>,
    grad_kernel: &'a mut [f32],
}

impl SimdOp for GradKernel<'_> {
    #[inline(always)]
    fn run<const LANES: usize, const FUSED: bool>(self) {
        let GradKernel { columns, rows, grad_output, grad_kernel } = self;
        let (samples, units) = (grad_output.rows, grad_output.columns);
        // Loop 2: panels of units, and their columns.
        for (panel, gradient) in grad_output.values.chunks_exact(samples).enumerate() {
            let in_panel = PANEL.min(units - panel * PANEL);
            for column in (0..in_panel).step_by(VECTORS * LANES) {
                let present = (in_panel - column).min(VECTORS * LANES);
                let grad_kernel = &mut grad_kernel[panel * PANEL + column..];
                let mut work =
                    KernelTiles::<LANES, FUSED> { columns, rows, gradient, column, grad_kernel, units, present };
                // Loop 3: strips of rows.
                over_tiles::<LANES>(rows, &mut work);
            }
        }
    }
}

/// Some columns of a piece of dW.
struct KernelTiles<'a, const LANES: usize, const FUSED: bool> {
    columns: &'a [f32],
    rows: usize,
    /// The panel of dY, `[N][PANEL]`.
    gradient: &'a [[f32; PANEL]],
    /// The first column in the panel.
    column: usize,
    /// The piece from the first column on.
    grad_kernel: &'a mut [f32],
    units: usize,
    /// Columns that there are.
    present: usize,
}

impl<const LANES: usize, const FUSED: bool> KernelTiles<'_, LANES, FUSED> {
    #[inline(always)]
    fn store<const P: usize>(&mut self, first: usize, sums: &[[Lanes<LANES>; VECTORS]; P]) {
        for (row, sums) in sums.iter().enumerate() {
            store_sums(sums, &mut self.grad_kernel[(first + row) * self.units..][..self.present]);
        }
    }
}

impl<const LANES: usize, const FUSED: bool> TileWork for KernelTiles<'_, LANES, FUSED> {
    #[inline(always)]
    fn one<const P: usize>(&mut self, first: usize) {
        assert!(self.column + VECTORS * LANES <= PANEL);
        let mut sums = [[[0.0; LANES]; VECTORS]; P];
        // [P×N]·[N×(VECTORS·LANES)], sample by sample.
        for (sample, gradient) in self.columns.chunks_exact(self.rows).zip(self.gradient) {
            add_outer::<P, VECTORS, LANES, FUSED>(&sample[first..], &load_filters(gradient, self.column), &mut sums);
        }
        // What is stored by reference is a copy: then the sums themselves live in registers.
        let done = sums;
        self.store(first, &done);
    }
}

impl<const LANES: usize, const FUSED: bool> PairedTileWork for KernelTiles<'_, LANES, FUSED> {
    #[inline(always)]
    fn two<const P: usize>(&mut self, [first, second]: [usize; 2]) {
        assert!(self.column + VECTORS * LANES <= PANEL);
        let (mut sums, mut more) = ([[[0.0; LANES]; VECTORS]; P], [[[0.0; LANES]; VECTORS]; P]);
        // Twice [P×N]·[N×(VECTORS·LANES)], sample by sample.
        for (sample, gradient) in self.columns.chunks_exact(self.rows).zip(self.gradient) {
            let gradient = load_filters(gradient, self.column);
            add_outer::<P, VECTORS, LANES, FUSED>(&sample[first..], &gradient, &mut sums);
            add_outer::<P, VECTORS, LANES, FUSED>(&sample[second..], &gradient, &mut more);
        }
        let done = [sums, more];
        self.store(first, &done[0]);
        self.store(second, &done[1]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
                let mut scratch = vec![f32::NAN; grad_kernel_scratch(samples)];
                grad_kernel_by(set, &input, inputs, rows.clone(), by_sample, &mut written, &mut scratch);
                assert_sums(&what("grad_kernel"), &written, |i| {
                    (0..samples).map(|sample| x(sample, rows.start + i / units) * g(sample, i % units)).sum()
                });
            }
        }
    }
}
