//! Flatten: the same floats, called a vector. A plan has no step for it, as the step behind it reads them
//! where they are. Its twin is [`reference::Layer::Flatten`].

use super::operation::{Backward, Forward, Operation};
use super::sink::Sink;
use crate::geometry::Shape;
use crate::parameters::Parameters;
use crate::reference;

/// A flatten layer.
#[derive(Clone, Debug)]
pub struct Flatten;

impl Operation for Flatten {
    const NAME: &'static str = "flatten";

    fn output(&self, input: Shape) -> Shape {
        Shape::Vector(input.len())
    }

    fn is_view(&self) -> bool {
        true
    }

    fn forward(&self, Forward { input, output, .. }: Forward) {
        output.copy_from_slice(input);
    }

    fn backward(&self, Backward { grad_output, grad_input, .. }: Backward, _: &mut impl Sink) {
        if let Some(grad_input) = grad_input {
            grad_input.copy_from_slice(grad_output);
        }
    }

    fn twin(&self, _: &Parameters) -> reference::Layer {
        reference::Layer::Flatten
    }
}
