//! Convolution by im2col: the three passes as matrix products over bands of output rows. It takes every
//! geometry, and is the readable base that all faster algorithms are compared with. [`patches`] writes the
//! patches and adds them back.
//!
//! With X the matrix of patches [P×K], W the kernel [K×F] and Y the output [P×F]:
//!
//! ```text
//! forward       Y  = X·W + bias          [P×K]·[K×F]
//! input         dX = col2im(dY·Wᵀ)       [P×F]·[F×K]
//! weights       dW = Xᵀ·dY               [K×P]·[P×F]        dbias = column sums of dY
//! ```
//!
//! X is K times as large as an image with one channel, so it is never made as a whole. A band of output rows
//! at a time is written to a scratch buffer that stays in the second-level cache, used, and written over.

pub mod patches;

use crate::geometry::{ConvGeometry, PoolGeometry};
use crate::kernels::conv::{ConvAlgorithm, GradOutput, Pass, Scratch, ScratchLen, Weights};
use crate::kernels::gemm::{Beta, Matrix, gemm};
use patches::{col2im_add, im2col};
use std::ops::Range;

/// Floats of the patch matrix in one band: 512 KiB, so that the band, the kernel and the output rows share a
/// 1 MiB L2. A band is at least one output row.
const BAND_FLOATS: usize = 128 * 1024;

/// The registry's entry.
#[derive(Debug)]
pub struct Im2col;

/// Returns the output rows in a band.
fn band_rows(geometry: &ConvGeometry) -> usize {
    (BAND_FLOATS / (geometry.output[1] * geometry.patch_len())).clamp(1, geometry.output[0])
}

/// Iterates over the bands of the output rows `rows`: the rows of each, and the output positions that it
/// covers.
fn bands(geometry: &ConvGeometry, rows: Range<usize>) -> impl Iterator<Item = (Range<usize>, Range<usize>)> + use<> {
    let (step, width) = (band_rows(geometry), geometry.output[1]);
    rows.clone().step_by(step).map(move |first| {
        let last = (first + step).min(rows.end);
        (first..last, first * width..last * width)
    })
}

/// Fills `target` with copies of `pattern`. Each copy doubles what is there, so there are few: to start one
/// takes longer than to copy a position's filters.
fn repeat(pattern: &[f32], target: &mut [f32]) {
    let mut done = pattern.len();
    target[..done].copy_from_slice(pattern);
    while done < target.len() {
        let more = done.min(target.len() - done);
        target.copy_within(..more, done);
        done += more;
    }
}

impl ConvAlgorithm for Im2col {
    fn name(&self) -> &'static str {
        "im2col"
    }

    fn supports(&self, _geometry: &ConvGeometry, _pass: Pass) -> bool {
        true
    }

    fn scratch_len(&self, geometry: &ConvGeometry, _pass: Pass, _pool: Option<&PoolGeometry>) -> ScratchLen {
        ScratchLen::from_floats(band_rows(geometry) * geometry.output[1] * geometry.patch_len())
    }

    fn forward(
        &self,
        geometry: &ConvGeometry,
        input: &[f32],
        weights: Weights,
        rows: Range<usize>,
        output: &mut [f32],
        scratch: Scratch,
    ) {
        let (k, f) = (geometry.patch_len(), geometry.filters);
        let start = rows.start * geometry.output[1];
        for (rows, positions) in bands(geometry, rows) {
            let columns = &mut scratch.floats[..positions.len() * k];
            im2col(geometry, input, rows, columns);
            let output = &mut output[(positions.start - start) * f..(positions.end - start) * f];
            repeat(weights.bias, output);
            // [P×K]·[K×F]
            gemm(Matrix::new(columns, positions.len(), k), Matrix::new(weights.kernel, k, f), Beta::One, output);
        }
    }

    fn grad_input(
        &self,
        geometry: &ConvGeometry,
        grad_output: GradOutput,
        weights: Weights,
        grad_input: &mut [f32],
        scratch: Scratch,
    ) {
        let (k, f) = (geometry.patch_len(), geometry.filters);
        grad_input.fill(0.0);
        for (rows, positions) in bands(geometry, 0..geometry.output[0]) {
            let columns = &mut scratch.floats[..positions.len() * k];
            let grad_output = &grad_output.dense()[positions.start * f..positions.end * f];
            // [P×F]·[F×K]
            gemm(
                Matrix::new(grad_output, positions.len(), f),
                Matrix::new(weights.kernel, k, f).transposed(),
                Beta::Zero,
                columns,
            );
            col2im_add(geometry, columns, rows, grad_input);
        }
    }

    fn grad_weights(
        &self,
        geometry: &ConvGeometry,
        input: &[f32],
        grad_output: GradOutput,
        grad_kernel: &mut [f32],
        grad_bias: &mut [f32],
        scratch: Scratch,
    ) {
        let (k, f) = (geometry.patch_len(), geometry.filters);
        for (rows, positions) in bands(geometry, 0..geometry.output[0]) {
            let columns = &mut scratch.floats[..positions.len() * k];
            im2col(geometry, input, rows, columns);
            let grad_output = &grad_output.dense()[positions.start * f..positions.end * f];
            // First, because reading the band row by row brings it into the cache for the product, which
            // jumps about in it.
            add_column_sums(grad_output, grad_bias);
            // [K×P]·[P×F]
            gemm(
                Matrix::new(columns, positions.len(), k).transposed(),
                Matrix::new(grad_output, positions.len(), f),
                Beta::One,
                grad_kernel,
            );
        }
    }
}

/// Filters whose sums stay in registers while the positions go by: 8 registers of the narrowest machine, so
/// that as many additions are under way at once.
const SUMS: usize = 32;

/// Adds Σ_p `values[p, F]` to `sums[F]`, one p after the other, so that the bands do not show.
fn add_column_sums(values: &[f32], sums: &mut [f32]) {
    let f = sums.len();
    let (blocks, rest) = sums.as_chunks_mut::<SUMS>();
    let rest_start = f - rest.len();
    for (block, sums) in blocks.iter_mut().enumerate() {
        let mut in_registers = *sums;
        for row in values.chunks_exact(f) {
            let row: &[f32; SUMS] = row[block * SUMS..].first_chunk().expect("a block of filters");
            for (sum, value) in in_registers.iter_mut().zip(row) {
                *sum += value;
            }
        }
        *sums = in_registers;
    }
    for row in values.chunks_exact(f) {
        for (sum, value) in rest.iter_mut().zip(&row[rest_start..]) {
            *sum += value;
        }
    }
}
