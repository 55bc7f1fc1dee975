//! A dense layer, a block of weight rows at a time.
//!
//! With X the batch [N×I], W the kernel [I×U] and Y the output [N×U], a block of rows r of W meets only the columns r of X:
//!
//! ```text
//! forward       Y  = Σ over blocks X[:, r]·W[r]      [N×r]·[r×U]
//! input         dX[:, r] = dY·W[r]ᵀ                  [N×U]·[U×r]
//! weights       dW[r] = X[:, r]ᵀ·dY                  [r×N]·[N×U]
//! ```
//!
//! so in all three passes each block of W is read or written once, by one thread, and that is what the time goes into: the
//! first dense layer of the documented model has 3.2 million weights and few samples to use them on.

use super::gemm::{Beta, Matrix, gemm};
use std::ops::Range;

/// Rows of W in a block: at 128 units 1 MiB, enough work for a thread, and enough blocks for several.
pub const BLOCK_ROWS: usize = 2048;

/// The range of rows of block `index` when W has `inputs` rows.
pub fn block(index: usize, inputs: usize) -> Range<usize> {
    index * BLOCK_ROWS..((index + 1) * BLOCK_ROWS).min(inputs)
}

/// The columns r of a batch [N×I], as a matrix [N×r].
fn columns<'a>(batch: &'a [f32], inputs: usize, rows: &Range<usize>) -> Matrix<'a> {
    Matrix::with_row_stride(&batch[rows.start..], batch.len() / inputs, rows.len(), inputs)
}

/// Writes the block's part of the output, `X[:, r]·W[r]`, to `partial`, `[N×U]`.
pub fn forward(input: &[f32], inputs: usize, rows: Range<usize>, kernel: &[f32], partial: &mut [f32]) {
    let units = kernel.len() / inputs;
    let kernel = &kernel[rows.start * units..rows.end * units];
    // [N×r]·[r×U]
    gemm(columns(input, inputs, &rows), Matrix::new(kernel, rows.len(), units), Beta::Zero, partial);
}

/// Writes `dX[:, r]` to `partial`, `[N×r]`.
pub fn grad_input(grad_output: &[f32], units: usize, rows: Range<usize>, kernel: &[f32], partial: &mut [f32]) {
    let kernel = &kernel[rows.start * units..rows.end * units];
    // [N×U]·[U×r]
    gemm(
        Matrix::new(grad_output, grad_output.len() / units, units),
        Matrix::new(kernel, rows.len(), units).transposed(),
        Beta::Zero,
        partial,
    );
}

/// Writes `dW[r]`, `[r×U]`, to `grad_kernel`.
pub fn grad_kernel(
    input: &[f32],
    inputs: usize,
    rows: Range<usize>,
    grad_output: &[f32],
    units: usize,
    grad_kernel: &mut [f32],
) {
    // [r×N]·[N×U]
    gemm(
        columns(input, inputs, &rows).transposed(),
        Matrix::new(grad_output, grad_output.len() / units, units),
        Beta::Zero,
        grad_kernel,
    );
}
