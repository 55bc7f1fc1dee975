//! Sizes that are no multiple of anything, and a gradient that is applied against one that is written.

use super::*;
use crate::kernels::adam::{self, AdamStep};
use crate::parameters::{Initialization, ParameterTable, Role};
use crate::random::{Purpose, Stream};
use std::sync::Arc;

const STEP: AdamStep = AdamStep { alpha: 1e-3, blend_1: 0.1, blend_2: 1e-3, epsilon: 1e-7, decay: 1e-4 };

/// A layer, its weights and a batch with an upstream gradient.
struct Case {
    dense: Dense,
    parameters: Parameters,
    input: Vec<f32>,
    grad_output: Vec<f32>,
}

impl Case {
    fn new(inputs: usize, units: usize, samples: usize) -> Case {
        let mut stream = Stream::new(0, Purpose::Test, 0, 0);
        let mut fill = |values: &mut [f32]| values.fill_with(|| stream.unit_f32() - 0.5);
        let mut table = ParameterTable::default();
        let mut push =
            |name: &str, shape| table.push(name.into(), shape, Role::Trainable { decays: true }, Initialization::Zeros);
        let (kernel, bias) = (push("dense/kernel", vec![inputs, units]), push("dense/bias", vec![units]));
        let mut parameters = Parameters::zeros(&Arc::new(table));
        let (mut input, mut grad_output) = (vec![0.0; samples * inputs], vec![0.0; samples * units]);
        for id in [kernel, bias] {
            fill(parameters.tensor_mut(id));
        }
        fill(&mut input);
        fill(&mut grad_output);
        Case { dense: Dense { inputs, units, kernel, bias }, parameters, input, grad_output }
    }

    fn samples(&self) -> usize {
        self.input.len() / self.dense.inputs
    }

    fn partials(&self) -> Vec<f32> {
        vec![f32::NAN; self.dense.partials_len(self.samples(), true)]
    }

    fn scratch(&self) -> ScratchPool {
        ScratchPool::new(self.dense.scratch_len())
    }

    /// The backward pass; returns the input's gradient.
    fn backward(&self, mut update: Update) -> Vec<f32> {
        let mut grad_input = vec![f32::NAN; self.input.len()];
        let wanted = Some(&mut grad_input[..]);
        self.dense.backward(&self.input, &self.grad_output, wanted, &mut update, &mut self.partials(), &self.scratch());
        grad_input
    }
}

fn same_bits(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
}

/// Fails unless each value is the sum of its products but for rounding, of their absolute values.
fn assert_sums<I: Iterator<Item = f64>>(what: &str, values: &[f32], products: impl Fn(usize) -> I) {
    for (index, &value) in values.iter().enumerate() {
        let (sum, absolute) = products(index).fold((0.0, 0.0), |(sum, absolute), x| (sum + x, absolute + x.abs()));
        let error = (f64::from(value) - sum).abs() / absolute;
        assert!(error <= 1e-6, "{what}: error {error:e} at {index} of {}", values.len());
    }
}

#[test]
fn sizes_that_no_block_divides_give_the_sums_of_products() {
    for (inputs, units, samples) in [
        (1, 1, 1),
        // One row more than a block of the way back, one unit more than a panel
        (BACKWARD_ROWS + 1, 33, 1),
        // One row less; more samples than a kernel takes at once, and than two panels of them
        (BACKWARD_ROWS - 1, 45, 70),
        // Several blocks forward, the last one of a row
        (2 * BLOCK_ROWS + 1, 3, 5),
        // Whole blocks, panels and tiles
        (2 * BACKWARD_ROWS, 64, 64),
    ] {
        let case = Case::new(inputs, units, samples);
        let what = |pass: &str| format!("{pass} of {samples}×{inputs}·{inputs}×{units}");
        let (kernel, bias) = (case.parameters.tensor(case.dense.kernel), case.parameters.tensor(case.dense.bias));
        let x = |sample: usize, row: usize| f64::from(case.input[sample * inputs + row]);
        let w = |row: usize, unit: usize| f64::from(kernel[row * units + unit]);
        let g = |sample: usize, unit: usize| f64::from(case.grad_output[sample * units + unit]);

        let mut output = vec![f32::NAN; samples * units];
        let len = case.dense.partials_len(samples, false);
        case.dense.forward(&case.parameters, &case.input, &mut output, &mut vec![f32::NAN; len]);
        assert_sums(&what("forward"), &output, |i| {
            let products = (0..inputs).map(move |row| x(i / units, row) * w(row, i % units));
            products.chain([f64::from(bias[i % units])])
        });

        let mut gradients = Parameters::zeros(case.parameters.table());
        gradients.as_mut_slice().fill(f32::NAN);
        let update = Update::Write { parameters: &case.parameters, gradients: &mut gradients };
        let grad_input = case.backward(update);
        assert_sums(&what("input"), &grad_input, |i| {
            (0..units).map(move |unit| g(i / inputs, unit) * w(i % inputs, unit))
        });
        assert_sums(&what("kernel"), gradients.tensor(case.dense.kernel), |i| {
            (0..samples).map(move |sample| x(sample, i / units) * g(sample, i % units))
        });
        assert_sums(&what("bias"), gradients.tensor(case.dense.bias), |i| (0..samples).map(move |sample| g(sample, i)));

        // Without the input's gradient the others are the same.
        let mut alone = Parameters::zeros(case.parameters.table());
        let mut update = Update::Write { parameters: &case.parameters, gradients: &mut alone };
        case.dense.backward(&case.input, &case.grad_output, None, &mut update, &mut case.partials(), &case.scratch());
        for id in [case.dense.kernel, case.dense.bias] {
            assert!(same_bits(alone.tensor(id), gradients.tensor(id)), "{}", what("no input"));
        }
    }
}

#[test]
fn a_gradient_that_is_applied_moves_the_weights_as_one_that_is_written_and_then_applied() {
    for (inputs, units, samples) in [(1001, 70, 1), (1001, 70, 70), (APPLY_FLOATS / 64, 64, 16)] {
        let case = Case::new(inputs, units, samples);
        assert!(case.dense.applies());
        let table = case.parameters.table();
        let mut written = Parameters::zeros(table);
        let update = Update::Write { parameters: &case.parameters, gradients: &mut written };
        let grad_input = case.backward(update);
        // As if there had been steps before.
        let moments = || {
            [0.25, 0.125].map(|value| {
                let mut moment = Parameters::zeros(table);
                moment.as_mut_slice().fill(value);
                moment
            })
        };
        let (mut expected, [mut first, mut second]) = (case.parameters.clone(), moments());
        let weights = adam::WeightsAndMoments {
            weights: expected.tensor_mut(case.dense.kernel),
            first_moment: first.tensor_mut(case.dense.kernel),
            second_moment: second.tensor_mut(case.dense.kernel),
        };
        adam::update(weights, written.tensor(case.dense.kernel), STEP);
        let expected = [expected, first, second];

        let (mut applied, [mut first, mut second]) = (case.parameters.clone(), moments());
        let mut gradients = Parameters::zeros(table);
        gradients.as_mut_slice().fill(f32::NAN);
        let update = Update::Apply {
            parameters: &mut applied,
            gradients: &mut gradients,
            moments: [&mut first, &mut second],
            step: STEP,
        };
        let grad_input_applied = case.backward(update);
        assert!(same_bits(&grad_input_applied, &grad_input), "the input's gradient is of the weights before the step");
        // The whole buffers: the bias has not been moved.
        for (found, expected) in [applied, first, second].iter().zip(&expected) {
            assert!(same_bits(found.as_slice(), expected.as_slice()), "{inputs}×{units}, {samples} samples");
        }
        assert!(same_bits(gradients.tensor(case.dense.bias), written.tensor(case.dense.bias)));
        assert!(gradients.tensor(case.dense.kernel).iter().all(|g| g.is_nan()), "the place is not touched");
    }
}

#[test]
fn a_small_layers_gradient_is_written_even_where_it_might_be_applied() {
    let case = Case::new(APPLY_FLOATS / 64 - 1, 64, 3);
    assert!(!case.dense.applies());
    let table = case.parameters.table();
    let mut written = Parameters::zeros(table);
    case.backward(Update::Write { parameters: &case.parameters, gradients: &mut written });
    let (mut parameters, mut gradients) = (case.parameters.clone(), Parameters::zeros(table));
    let [mut first, mut second] = [Parameters::zeros(table), Parameters::zeros(table)];
    case.backward(Update::Apply {
        parameters: &mut parameters,
        gradients: &mut gradients,
        moments: [&mut first, &mut second],
        step: STEP,
    });
    assert!(same_bits(gradients.as_slice(), written.as_slice()));
    assert!(same_bits(parameters.as_slice(), case.parameters.as_slice()), "no weight has moved");
    assert!(first.as_slice().iter().chain(second.as_slice()).all(|&moment| moment == 0.0));
}
