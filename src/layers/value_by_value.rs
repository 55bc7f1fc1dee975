//! Layers that work value by value, over a batch: fixed runs of values in parallel. These know no sink, and
//! so are compiled once.

use crate::spans::{Activity, task};
use rayon::prelude::*;

/// Values in one piece of work: 64 KiB of each operand.
const CHUNK_FLOATS: usize = 16 * 1024;

/// Runs `work` on the input and the output, piece by piece.
pub(super) fn forward(input: &[f32], output: &mut [f32], work: impl Fn(&[f32], &mut [f32]) + Sync) {
    let inputs = input.par_chunks(CHUNK_FLOATS);
    output
        .par_chunks_mut(CHUNK_FLOATS)
        .zip(inputs)
        .for_each(|(output, input)| task(Activity::Values, "", || work(input, output)));
}

/// Runs `work` on what the forward pass `saw`, its input or its output, and both gradients, piece by piece.
pub(super) fn backward(
    saw: &[f32],
    grad_output: &[f32],
    grad_input: &mut [f32],
    work: impl Fn(&[f32], &[f32], &mut [f32]) + Sync,
) {
    let read = saw.par_chunks(CHUNK_FLOATS).zip(grad_output.par_chunks(CHUNK_FLOATS));
    let pieces = grad_input.par_chunks_mut(CHUNK_FLOATS).zip(read);
    pieces.for_each(|(grad_input, (saw, grad_output))| {
        task(Activity::Values, "", || work(saw, grad_output, grad_input));
    });
}
