//! Layers that work value by value: ReLU, leaky ReLU and dropout.

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

/// `output = input` where that is positive, else `slope · input`.
pub fn leaky_relu_forward(input: &Image, slope: f64) -> Image {
    let leak = |x: &f64| if *x > 0.0 { *x } else { slope * x };
    Image { values: input.values.iter().map(leak).collect(), ..*input }
}

/// The slope is 1 where the input was positive, and `slope` elsewhere, by convention at 0 too.
pub fn leaky_relu_backward(input: &Image, slope: f64, grad_output: &Image) -> Image {
    let slope_at = |x: f64| if x > 0.0 { 1.0 } else { slope };
    Image { values: input.values.iter().zip(&grad_output.values).map(|(x, g)| g * slope_at(*x)).collect(), ..*input }
}

/// Each value times its own factor; backward, its gradient is multiplied by that same factor.
pub fn dropout(values: &Image, factors: &[f64]) -> Image {
    Image { values: values.values.iter().zip(factors).map(|(x, factor)| x * factor).collect(), ..*values }
}
