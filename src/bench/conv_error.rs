//! The error of an algorithm beside the textbook's f64 convolution: max|a − b| / max|b| of each tensor.

use super::conv::{Buffers, Case, ConvData, Worker};
use super::descriptor::ConvDescriptor;
use crate::geometry::{ConvGeometry, Padding};
use crate::kernels::conv::Pass;
use crate::kernels::relu_pool;
use crate::kernels::relu_pool::PooledGradient;
use crate::reference as textbook;

/// The textbook takes some nanoseconds for a product; with more of them in an image a smaller one is taken.
const MAX_MULTIPLY_ADDS: usize = 100_000_000;

/// One image, and what the textbook makes of it.
pub struct Oracle {
    data: ConvData,
    output: Vec<f64>,
    dense: Option<Gradients>,
    pooled: Option<Gradients>,
    /// True if the image is smaller than that of the convolution in question.
    is_cropped: bool,
}

struct Gradients {
    input: Vec<f64>,
    kernel: Vec<f64>,
    bias: Vec<f64>,
}

impl Oracle {
    /// Computes one image by the textbook, cropped where that would take long, with those gradients that
    /// these cases have.
    ///
    /// # Errors
    /// Those of [`ConvDescriptor::geometry`].
    pub fn new(descriptor: &ConvDescriptor, cases: &[Case]) -> Result<Oracle, String> {
        let whole = descriptor.geometry()?;
        let geometry = cropped(descriptor)?;
        let data = ConvData::draw(geometry, 1);
        let [height, width, channels] = geometry.input;
        let image = textbook::Image { height, width, channels, values: wide(&data.input) };
        let shape = shape(&geometry);
        let kernel = wide(&data.kernel);
        let gradients = |grad_output: &[f32]| {
            let upstream = textbook::Image {
                height: geometry.output[0],
                width: geometry.output[1],
                channels: geometry.filters,
                values: wide(grad_output),
            };
            let zeros = |len| vec![0.0; len];
            let mut weights =
                textbook::LayerGradient { kernel: zeros(geometry.kernel_len()), bias: zeros(geometry.filters) };
            let input = textbook::conv2d_backward(&image, &shape, &kernel, &upstream, &mut weights).values;
            Gradients { input, kernel: weights.kernel, bias: weights.bias }
        };
        let wanted = |pooled| cases.iter().any(|case| case.pass != Pass::Forward && case.pooled == pooled);
        let pooled = data.pooled.as_ref().filter(|_| wanted(true)).map(|(pool, values, places)| {
            let mut expanded = vec![0.0; geometry.output_len()];
            relu_pool::unpool(&PooledGradient { pool: *pool, values, argmax: places }, &mut expanded);
            gradients(&expanded)
        });
        Ok(Oracle {
            output: textbook::conv2d_forward(&image, &shape, &kernel, &wide(&data.bias)).values,
            dense: wanted(false).then(|| gradients(&data.grad_output)),
            pooled,
            is_cropped: geometry != whole,
            data,
        })
    }

    /// Names what the error is of.
    pub fn what(&self) -> String {
        let [height, width, _] = self.data.geometry.input;
        let kind = if self.is_cropped { "a smaller image" } else { "one image" };
        format!("{kind} of {height}×{width}")
    }

    /// Returns the largest error of the tensors that one of the cases computes. None for the product alone,
    /// and where the algorithm does not support the smaller image.
    pub fn error(&self, case: &Case) -> Option<f64> {
        let Worker::Algorithm(algorithm) = case.worker else { return None };
        let geometry = &self.data.geometry;
        if !algorithm.supports(geometry, case.pass) {
            return None;
        }
        let gradients = if case.pooled { self.pooled.as_ref() } else { self.dense.as_ref() };
        let mut buffers = Buffers::new(&self.data, std::slice::from_ref(case));
        self.data.run(case, &mut buffers);
        let result = buffers.first_part(&self.data, case);
        Some(match case.pass {
            Pass::Forward => error(result, &self.output),
            Pass::GradInput => error(result, &gradients?.input),
            Pass::GradWeights => {
                let expected = gradients?;
                let (sums, bias) = result.split_at(algorithm.sums_len(geometry));
                let mut kernel = vec![f32::NAN; geometry.kernel_len()];
                algorithm.unpack_sums(geometry, sums, 0, &mut kernel);
                larger(error(&kernel, &expected.kernel), error(bias, &expected.bias))
            }
        })
    }
}

/// Returns the convolution on an image that is as much smaller as it takes.
fn cropped(descriptor: &ConvDescriptor) -> Result<ConvGeometry, String> {
    let mut crop = *descriptor;
    loop {
        let geometry = crop.geometry()?;
        let before = crop.input;
        for axis in 0..2 {
            let least = if crop.padding == Padding::Same { 1 } else { crop.kernel[axis] };
            crop.input[axis] = (crop.input[axis] * 3 / 4).max(least);
        }
        if geometry.multiply_adds() <= MAX_MULTIPLY_ADDS || crop.input == before {
            return Ok(geometry);
        }
    }
}

fn shape(geometry: &ConvGeometry) -> textbook::ConvShape {
    textbook::ConvShape {
        kernel: geometry.kernel,
        stride: geometry.stride,
        dilation: geometry.dilation,
        padding: geometry.padding,
        output: geometry.output,
        filters: geometry.filters,
    }
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

/// Returns max|a − b| / max|b|, NaN if there is one in either.
fn error(actual: &[f32], expected: &[f64]) -> f64 {
    let (mut difference, mut largest) = (0.0, 0.0);
    for (&a, &b) in actual.iter().zip(expected) {
        difference = larger(difference, (f64::from(a) - b).abs());
        largest = larger(largest, b.abs());
    }
    if difference == 0.0 { 0.0 } else { difference / largest }
}

/// Returns the larger one; NaN if either is, which `f64::max` would hide.
fn larger(a: f64, b: f64) -> f64 {
    if a.is_nan() || a > b { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::conv::registry::CONV_ALGORITHMS;

    #[test]
    fn every_algorithm_is_near_the_textbook_and_a_wrong_result_is_not() {
        let descriptor: ConvDescriptor = "n3h9w11c3f5k3".parse().unwrap();
        let geometry = descriptor.geometry().unwrap();
        let cases = Case::all(&geometry, &Pass::ALL, CONV_ALGORITHMS, false);
        assert!(cases.iter().any(|case| case.pooled), "some algorithm takes pooled gradients");
        let oracle = Oracle::new(&descriptor, &cases).unwrap();
        assert_eq!(oracle.what(), "one image of 9×11");
        for case in cases {
            let error = oracle.error(&case).unwrap();
            assert!(error <= 1e-5, "{case:?}: {error}");
        }
        assert_eq!(error(&[1.0, 2.5], &[1.0, 2.0]), 0.25);
        assert!(error(&[f32::NAN, 2.0], &[1.0, 2.0]).is_nan());
        assert!(error(&[1.0, 2.0], &[0.0, f64::NAN]).is_nan());
    }

    #[test]
    fn a_large_image_is_cropped_and_a_kernel_still_fits() {
        let descriptor: ConvDescriptor = "n1h600w9c64f64k3x9".parse().unwrap();
        let geometry = cropped(&descriptor).unwrap();
        assert!(geometry.multiply_adds() <= MAX_MULTIPLY_ADDS && geometry.input[1] == 9, "{geometry:?}");
        let huge: ConvDescriptor = "n1h9w9c2000f2000k7psame".parse().unwrap();
        assert_eq!(cropped(&huge).unwrap().input, [1, 1, 2000]);
    }
}
