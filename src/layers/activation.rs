//! ReLU over a batch: fixed runs of values in parallel.

use crate::kernels::elementwise;
use rayon::prelude::*;

/// Values in one piece of work: 64 KiB of each operand.
const CHUNK_FLOATS: usize = 16 * 1024;

/// `output = max(input, 0)`.
pub fn forward(input: &[f32], output: &mut [f32]) {
    output
        .par_chunks_mut(CHUNK_FLOATS)
        .zip(input.par_chunks(CHUNK_FLOATS))
        .for_each(|(output, input)| elementwise::relu(input, output));
}

/// `grad_input = grad_output` where `output`, the result of the forward pass, is positive, else 0.
pub fn backward(output: &[f32], grad_output: &[f32], grad_input: &mut [f32]) {
    grad_input
        .par_chunks_mut(CHUNK_FLOATS)
        .zip(grad_output.par_chunks(CHUNK_FLOATS))
        .zip(output.par_chunks(CHUNK_FLOATS))
        .for_each(|((grad_input, grad_output), output)| elementwise::relu_backward(output, grad_output, grad_input));
}
