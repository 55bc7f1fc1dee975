//! Leaky ReLU, x where it is positive and slope·x elsewhere, over a batch.
//! Its twin is [`reference::leaky_relu_forward`].
//!
//! A. L. Maas, A. Y. Hannun, A. Y. Ng, *Rectifier Nonlinearities Improve Neural Network Acoustic Models*,
//! 2013.

use super::operation::{Backward, Forward, Operation};
use super::sink::Sink;
use super::value_by_value;
use crate::geometry::Shape;
use crate::kernels::elementwise;
use crate::parameters::Parameters;
use crate::reference;

/// A leaky ReLU layer.
#[derive(Clone, Debug)]
pub struct LeakyRelu {
    /// The slope for values that are not positive.
    pub negative_slope: f32,
}

impl LeakyRelu {
    /// Leaky ReLU with this slope.
    ///
    /// # Errors
    /// A sentence, where the slope is negative, or no number.
    pub fn new(negative_slope: f64) -> Result<LeakyRelu, String> {
        match negative_slope as f32 {
            slope if slope >= 0.0 && slope.is_finite() => Ok(LeakyRelu { negative_slope: slope }),
            _ => Err(format!("a negative_slope of {negative_slope}; it must be at least 0 (Keras's is 0.3)")),
        }
    }
}

impl Operation for LeakyRelu {
    const NAME: &'static str = "leaky_re_lu";

    fn output(&self, input: Shape) -> Shape {
        input
    }

    /// `output = input` where that is positive, else slope · input.
    fn forward(&self, Forward { input, output, .. }: Forward) {
        value_by_value::forward(input, output, |input, output| {
            elementwise::leaky_relu(self.negative_slope, input, output);
        });
    }

    /// `grad_input = grad_output` where the input is positive, else slope · grad_output.
    fn backward(&self, Backward { input, grad_output, grad_input, .. }: Backward, _: &mut impl Sink) {
        if let Some(grad_input) = grad_input {
            value_by_value::backward(input, grad_output, grad_input, |input, grad_output, grad_input| {
                elementwise::leaky_relu_backward(self.negative_slope, input, grad_output, grad_input);
            });
        }
    }

    fn twin(&self, _: &Parameters) -> reference::Layer {
        reference::Layer::LeakyRelu { negative_slope: f64::from(self.negative_slope) }
    }
}
