//! Layers that work value by value: ReLU and dropout.

use super::tensors::Image;

/// `output = max(input, 0)`.
pub fn relu_forward(input: &Image) -> Image {
    Image { values: input.values.iter().map(|x| x.max(0.0)).collect(), ..*input }
}

/// The slope is 1 where the input was positive, 0 elsewhere, and by convention 0 at 0.
pub fn relu_backward(input: &Image, grad_output: &Image) -> Image {
    let slope = |x: f64| if x > 0.0 { 1.0 } else { 0.0 };
    Image { values: input.values.iter().zip(&grad_output.values).map(|(x, g)| g * slope(*x)).collect(), ..*input }
}

/// Each value times its own factor; backward, its gradient is multiplied by that same factor.
pub fn dropout(values: &Image, factors: &[f64]) -> Image {
    Image { values: values.values.iter().zip(factors).map(|(x, factor)| x * factor).collect(), ..*values }
}
