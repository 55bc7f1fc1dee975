//! ReLU, max(x, 0), over a batch: fixed runs of values in parallel. Its twin is [`reference::relu_forward`].

use super::operation::{Backward, Forward, Operation};
use super::sink::Sink;
use crate::geometry::Shape;
use crate::kernels::elementwise;
use crate::parameters::Parameters;
use crate::reference;
use rayon::prelude::*;

/// Values in one piece of work: 64 KiB of each operand.
const CHUNK_FLOATS: usize = 16 * 1024;

/// A ReLU layer.
#[derive(Clone, Debug)]
pub struct Relu;

impl Operation for Relu {
    const NAME: &'static str = "re_lu";

    fn output(&self, input: Shape) -> Shape {
        input
    }

    /// `output = max(input, 0)`.
    fn forward(&self, Forward { input, output, .. }: Forward) {
        output
            .par_chunks_mut(CHUNK_FLOATS)
            .zip(input.par_chunks(CHUNK_FLOATS))
            .for_each(|(output, input)| elementwise::relu(input, output));
    }

    /// `grad_input = grad_output` where the output is positive, else 0.
    fn backward(&self, Backward { output, grad_output, grad_input, .. }: Backward, _: &mut impl Sink) {
        if let Some(grad_input) = grad_input {
            relu_backward(output, grad_output, grad_input);
        }
    }

    fn twin(&self, _: &Parameters) -> reference::Layer {
        reference::Layer::Relu
    }
}

/// Stands by itself as it knows no sink, and so is compiled once.
fn relu_backward(output: &[f32], grad_output: &[f32], grad_input: &mut [f32]) {
    grad_input
        .par_chunks_mut(CHUNK_FLOATS)
        .zip(grad_output.par_chunks(CHUNK_FLOATS))
        .zip(output.par_chunks(CHUNK_FLOATS))
        .for_each(|((grad_input, grad_output), output)| elementwise::relu_backward(output, grad_output, grad_input));
}
