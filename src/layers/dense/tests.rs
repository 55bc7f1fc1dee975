//! Sizes that are no multiple of anything, and a gradient that the sink takes in pieces against one that it
//! takes whole.

use super::*;
use crate::distributed::Share;
use crate::layers::operation::Mode;
use crate::layers::saved::Saved;
use crate::layers::scratch::ScratchPool;
use crate::layers::sink::GradientWriter;
use crate::parameters::{Initialization, ParameterTable, Role};
use crate::random::{Purpose, Stream};
use std::ops::Range;
use std::sync::Arc;

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
        Case { dense: Dense { inputs, units, kernel, bias: Some(bias), owners: 0 }, parameters, input, grad_output }
    }

    fn samples(&self) -> usize {
        self.input.len() / self.dense.inputs
    }

    /// A pass in memory that holds nothing but NaN; what it returns is what `pass` wrote.
    fn run(&self, len: usize, training: bool, pass: impl FnOnce(&mut [f32], Work)) -> Vec<f32> {
        let work_len = self.dense.work_len(self.samples(), training);
        let mut partials = vec![f32::NAN; work_len.partials];
        let work = Work { partials: &mut partials, packed: &mut [], scratch: &ScratchPool::new(work_len.scratch) };
        let mut written = vec![f32::NAN; len];
        pass(&mut written, work);
        written
    }

    fn forward(&self) -> Vec<f32> {
        self.run(self.grad_output.len(), false, |output, work| {
            let (parameters, mode, saved) = (&self.parameters, Mode::Inference, &mut Saved::Nothing);
            let share = Share::all(self.samples());
            self.dense.forward(Forward { share, parameters, mode, input: &self.input, output, saved, work });
        })
    }

    /// The backward pass; returns the input's gradient, NaN where it is not wanted.
    fn backward(&self, wanted: bool, sink: &mut impl Sink) -> Vec<f32> {
        self.run(self.input.len(), true, |grad_input, work| {
            let (input, grad_output, saved) = (&self.input, &self.grad_output, &Saved::Nothing);
            let grad_input = wanted.then_some(grad_input);
            let pass = Backward {
                share: Share::all(self.samples()),
                input,
                output: &[],
                saved,
                grad_output,
                grad_input,
                work,
            };
            self.dense.backward(pass, sink);
        })
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
        let ids = [case.dense.kernel, case.dense.bias.unwrap()];
        let [kernel, bias] = ids.map(|id| case.parameters.tensor(id));
        let x = |sample: usize, row: usize| f64::from(case.input[sample * inputs + row]);
        let w = |row: usize, unit: usize| f64::from(kernel[row * units + unit]);
        let g = |sample: usize, unit: usize| f64::from(case.grad_output[sample * units + unit]);

        assert_sums(&what("forward"), &case.forward(), |i| {
            let products = (0..inputs).map(move |row| x(i / units, row) * w(row, i % units));
            products.chain([f64::from(bias[i % units])])
        });

        let mut gradients = Parameters::zeros(case.parameters.table());
        gradients.as_mut_slice().fill(f32::NAN);
        let grad_input = case.backward(true, &mut GradientWriter::new(&case.parameters, &mut gradients));
        assert_sums(&what("input"), &grad_input, |i| {
            (0..units).map(move |unit| g(i / inputs, unit) * w(i % inputs, unit))
        });
        assert_sums(&what("kernel"), gradients.tensor(case.dense.kernel), |i| {
            (0..samples).map(move |sample| x(sample, i / units) * g(sample, i % units))
        });
        assert_sums(&what("bias"), gradients.tensor(ids[1]), |i| (0..samples).map(move |sample| g(sample, i)));

        // Without the input's gradient the others are the same.
        let mut alone = Parameters::zeros(case.parameters.table());
        case.backward(false, &mut GradientWriter::new(&case.parameters, &mut alone));
        for id in ids {
            assert!(same_bits(alone.tensor(id), gradients.tensor(id)), "{}", what("no input"));
        }
    }
}

/// Takes blocks in pieces, and forgets their weights as soon as their gradient comes.
struct Pieces(Parameters, Parameters);

struct PiecesBlock<'a> {
    weights: &'a mut [f32],
    gradient: &'a mut [f32],
}

impl Sink for Pieces {
    type Block<'a> = PiecesBlock<'a>;

    fn parameters(&self) -> &Parameters {
        &self.0
    }

    fn whole(&mut self, tensor: TensorId, write: impl FnOnce(&mut [f32])) {
        write(self.1.tensor_mut(tensor));
    }

    fn blocks(
        &mut self,
        tensor: TensorId,
        range: Range<usize>,
        len: usize,
    ) -> impl IndexedParallelIterator<Item = PiecesBlock<'_>> {
        let tensors = [&mut self.0, &mut self.1].map(|gradients| &mut gradients.tensor_mut(tensor)[range.clone()]);
        let [first, second] = tensors.map(|tensor| tensor.par_chunks_mut(len));
        let blocks = first.zip(second);
        blocks.map(|(weights, gradient)| PiecesBlock { weights, gradient })
    }
}

impl GradientBlock for PiecesBlock<'_> {
    fn weights(&self) -> &[f32] {
        self.weights
    }

    fn give(self, piece: usize, scratch: &mut [f32], mut write: impl FnMut(Range<usize>, &mut [f32])) {
        self.weights.fill(f32::NAN);
        for (index, gradient) in self.gradient.chunks_mut(piece).enumerate() {
            let floats = &mut scratch[..gradient.len()];
            floats.fill(f32::NAN);
            write(index * piece..index * piece + floats.len(), floats);
            gradient.copy_from_slice(floats);
        }
    }
}

#[test]
fn a_gradient_taken_in_pieces_has_the_bits_of_one_taken_whole_and_the_inputs_gradient_is_of_the_weights_before() {
    for (inputs, units, samples) in [(1001, 70, 1), (1001, 70, 70), (1024, 64, 16), (5, 3, 2)] {
        let case = Case::new(inputs, units, samples);
        let mut written = Parameters::zeros(case.parameters.table());
        let expected = case.backward(true, &mut GradientWriter::new(&case.parameters, &mut written));
        let mut pieces = Pieces(case.parameters.clone(), Parameters::zeros(case.parameters.table()));
        let found = case.backward(true, &mut pieces);
        assert!(same_bits(&found, &expected), "{inputs}×{units}, {samples} samples");
        assert!(same_bits(pieces.1.as_slice(), written.as_slice()), "{inputs}×{units}, {samples} samples");
        assert!(pieces.0.tensor(case.dense.kernel).iter().all(|weight| weight.is_nan()), "every block is given");
    }
}
