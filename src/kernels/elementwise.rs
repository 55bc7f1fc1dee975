//! Layers that work value by value: ReLU, leaky ReLU, and the product with a mask.

use super::simd::vectorized;

/// **Adds** values to sums.
#[inline(always)]
pub(crate) fn add(values: &[f32], sums: &mut [f32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value;
    }
}

/// Writes `output = max(input, 0)`. NaN stays NaN, and −0 becomes 0.
pub fn relu(input: &[f32], output: &mut [f32]) {
    debug_assert_eq!(input.len(), output.len());
    vectorized(|| {
        for (output, &x) in output.iter_mut().zip(input) {
            *output = if x <= 0.0 { 0.0 } else { x };
        }
    });
}

/// Writes [`relu`] of `values` over them.
pub(crate) fn relu_in_place(values: &mut [f32]) {
    vectorized(|| {
        for x in values {
            *x = if *x <= 0.0 { 0.0 } else { *x };
        }
    });
}

/// Writes `grad_input = grad_output` where ReLU's output was positive, else 0. The slope at 0 is 0.
pub(crate) fn relu_backward(output: &[f32], grad_output: &[f32], grad_input: &mut [f32]) {
    debug_assert!(output.len() == grad_input.len() && grad_output.len() == grad_input.len());
    vectorized(|| {
        for ((grad_input, g), &y) in grad_input.iter_mut().zip(grad_output).zip(output) {
            *grad_input = if y > 0.0 { *g } else { 0.0 };
        }
    });
}

/// Writes `output = input` where that is positive, else `slope · input`. NaN stays NaN.
pub(crate) fn leaky_relu(slope: f32, input: &[f32], output: &mut [f32]) {
    debug_assert_eq!(input.len(), output.len());
    vectorized(|| {
        for (output, &x) in output.iter_mut().zip(input) {
            *output = if x > 0.0 { x } else { slope * x };
        }
    });
}

/// Writes `grad_input = grad_output` where leaky ReLU's input was positive, else `slope · grad_output`. At 0
/// the slope is that of the negative side, as in TensorFlow.
pub(crate) fn leaky_relu_backward(slope: f32, input: &[f32], grad_output: &[f32], grad_input: &mut [f32]) {
    debug_assert!(input.len() == grad_input.len() && grad_output.len() == grad_input.len());
    vectorized(|| {
        for ((grad_input, g), &x) in grad_input.iter_mut().zip(grad_output).zip(input) {
            *grad_input = if x > 0.0 { *g } else { slope * *g };
        }
    });
}

/// Writes `output = input · factor`, value by value: dropout, forward and backward alike.
pub fn multiply(input: &[f32], factors: &[f32], output: &mut [f32]) {
    debug_assert!(input.len() == output.len() && factors.len() == output.len());
    vectorized(|| {
        for ((output, x), factor) in output.iter_mut().zip(input).zip(factors) {
            *output = x * factor;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relu_keeps_positive_values_and_nan_and_has_slope_zero_at_zero() {
        let mut output = [9.0; 4];
        relu(&[-1.0, 0.0, 2.0, f32::NAN], &mut output);
        assert_eq!(output[..3], [0.0, 0.0, 2.0]);
        assert!(output[3].is_nan());
        let mut grad_input = [9.0; 3];
        relu_backward(&output[..3], &[5.0, 6.0, 7.0], &mut grad_input);
        assert_eq!(grad_input, [0.0, 0.0, 7.0]);
    }

    #[test]
    fn leaky_relu_has_its_slope_below_zero_and_at_zero() {
        let (input, mut output) = ([-2.0, 0.0, 2.0, f32::NAN], [9.0; 4]);
        leaky_relu(0.25, &input, &mut output);
        assert_eq!(output[..3], [-0.5, 0.0, 2.0]);
        assert!(output[3].is_nan());
        let mut grad_input = [9.0; 3];
        leaky_relu_backward(0.25, &input[..3], &[4.0, 8.0, 7.0], &mut grad_input);
        assert_eq!(grad_input, [1.0, 2.0, 7.0]);
    }
}
