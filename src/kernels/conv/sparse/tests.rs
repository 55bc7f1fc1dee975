//! Both passes against the textbook, on every instruction set.

use super::*;
use crate::geometry::Padding;
use crate::kernels::relu_pool::{self, DEAD, PooledGradient};
use crate::random::{Purpose, Stream};
use crate::reference as textbook;

/// The error allowed, of a tensor's largest element.
const TOLERANCE: f64 = 2e-6;

fn assert_close(what: &str, values: &[f32], expected: &[f64]) {
    assert_eq!(values.len(), expected.len());
    let largest = expected.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
    for (&value, &expected) in values.iter().zip(expected) {
        let error = (f64::from(value) - expected).abs() / largest;
        assert!(error <= TOLERANCE, "{what}: error {error:e}");
    }
}

/// The scratch of a pass, filled with what must not matter.
struct Memory {
    floats: Vec<f32>,
    words: Vec<u64>,
}

impl Memory {
    fn new(geometry: &ConvGeometry, pass: Pass, pool: &PoolGeometry) -> Memory {
        let len = Sparse.scratch_len(geometry, pass, Some(pool));
        Memory { floats: vec![f32::NAN; len.floats], words: vec![u64::MAX; len.words] }
    }

    fn scratch(&mut self) -> Scratch<'_> {
        Scratch { floats: &mut self.floats, words: &mut self.words }
    }
}

#[test]
fn both_gradients_agree_with_the_textbook_on_every_instruction_set() {
    // With and without a frame; runs of a whole register and not, of one register, and of more than a tile
    // has; kernel rows beyond a tile's; more than a block of filters; strides.
    for (input, kernel, stride, padding, filters) in [
        ([9, 14, 16], [3, 3], [1, 1], Padding::Valid, 70),
        ([9, 14, 3], [3, 3], [1, 1], Padding::Same, 5),
        ([12, 11, 17], [5, 2], [1, 1], Padding::Same, 33),
        ([13, 17, 8], [4, 4], [2, 3], Padding::Valid, 66),
        ([4, 6, 1], [1, 1], [1, 1], Padding::Valid, 1),
    ] {
        let geometry = ConvGeometry::new(input, kernel, stride, padding, filters).unwrap();
        let pool = PoolGeometry::new([geometry.output[0], geometry.output[1], filters], [2, 2], [2, 2], Padding::Valid)
            .unwrap();
        let mut stream = Stream::new(3, Purpose::Test, 0, 0);
        let argmax: Vec<u8> = (0..pool.output_len()).map(|_| [0, 1, 2, 3, DEAD][stream.below(5) as usize]).collect();
        let mut draw = |len: usize| (0..len).map(|_| stream.unit_f32() - 0.25).collect::<Vec<f32>>();
        let (image, weights) = (draw(geometry.input_len()), draw(geometry.kernel_len()));
        let upstream = draw(pool.output_len());
        let pooled = PooledGradient { pool, values: &upstream, argmax: &argmax };
        let mut expanded = vec![f32::NAN; geometry.output_len()];
        relu_pool::unpool(&pooled, &mut expanded);

        let wide = |values: &[f32]| values.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
        let picture = |[height, width, channels]: [usize; 3], values: &[f32]| textbook::Image {
            height,
            width,
            channels,
            values: wide(values),
        };
        let shape = textbook::ConvShape {
            kernel,
            stride,
            dilation: [1, 1],
            padding: geometry.padding,
            output: geometry.output,
            filters,
        };
        let mut expected = textbook::LayerGradient { kernel: vec![0.0; weights.len()], bias: vec![0.0; filters] };
        let picture_of_gradient = picture([geometry.output[0], geometry.output[1], filters], &expanded);
        let expected_input = textbook::conv2d_backward(
            &picture(input, &image),
            &shape,
            &wide(&weights),
            &picture_of_gradient,
            &mut expected,
        );

        let mut packed = vec![f32::NAN; Sparse.packed_len(&geometry, Pass::GradInput)];
        Sparse.pack(&geometry, Pass::GradInput, &weights, &mut packed);
        for set in InstructionSet::tested() {
            for grad_output in [GradOutput::Pooled(pooled), GradOutput::Dense(&expanded)] {
                let what = |pass: &str| format!("{} {pass}, {geometry:?}", set.name());
                let mut memory = Memory::new(&geometry, Pass::GradInput, &pool);
                let mut grad_input = vec![f32::NAN; geometry.input_len()];
                let scratch = memory.scratch();
                grad_input::grad_input(set, &geometry, grad_output, &packed, &mut grad_input, scratch);
                assert_close(&what("grad_input"), &grad_input, &expected_input.values);

                let mut memory = Memory::new(&geometry, Pass::GradWeights, &pool);
                let (mut sums, mut grad_bias) = (vec![0.0; Sparse.sums_len(&geometry)], vec![0.0; filters]);
                let (scratch, sums_of) = (memory.scratch(), &mut sums[..]);
                grad_weights::grad_weights(set, &geometry, &image, grad_output, sums_of, &mut grad_bias, scratch);
                let mut grad_kernel = vec![f32::NAN; weights.len()];
                Sparse.unpack_sums(&geometry, &sums, 0, &mut grad_kernel);
                assert_close(&what("grad_kernel"), &grad_kernel, &expected.kernel);
                assert_close(&what("grad_bias"), &grad_bias, &expected.bias);
            }
        }
    }
}
