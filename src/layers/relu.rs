//! ReLU, max(x, 0), over a batch. Its twin is [`reference::relu_forward`].

use super::operation::{Backward, Forward, Operation};
use super::sink::Sink;
use super::value_by_value;
use crate::geometry::Shape;
use crate::kernels::elementwise;
use crate::parameters::Parameters;
use crate::reference;

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
        value_by_value::forward(input, output, elementwise::relu);
    }

    /// `grad_input = grad_output` where the output is positive, else 0.
    fn backward(&self, Backward { output, grad_output, grad_input, .. }: Backward, _: &mut impl Sink) {
        if let Some(grad_input) = grad_input {
            value_by_value::backward(output, grad_output, grad_input, elementwise::relu_backward);
        }
    }

    fn twin(&self, _: &Parameters) -> reference::Layer {
        reference::Layer::Relu
    }
}
