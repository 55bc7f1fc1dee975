//! All tiles against the textbook, on every instruction set, and what they lose to rounding.

use super::*;
use crate::geometry::Padding;
use crate::kernels::simd::{InstructionSet, dispatch_to};
use crate::random::{Purpose, Stream};
use crate::reference as textbook;

/// Runs a pass with one kind of tile and one instruction set, forward in bands of `band` rows.
fn run<const KERNEL: usize, const DOWN: usize, const HEIGHT: usize, const ACROSS: usize, const WIDTH: usize>(
    set: InstructionSet,
    case: &Case,
    pass: Pass,
    band: usize,
) -> Vec<f32>
where
    Axis<DOWN, HEIGHT>: Transforms<DOWN, HEIGHT>,
    Axis<ACROSS, WIDTH>: Transforms<ACROSS, WIDTH>,
{
    let (winograd, geometry) = (Winograd::<KERNEL, DOWN, HEIGHT, ACROSS, WIDTH> { name: "tested" }, &case.geometry);
    let correlation = Correlation::new(geometry, pass);
    let mut packed = vec![f32::NAN; winograd.packed_len(geometry, pass)];
    let panels = packed.chunks_exact_mut(HEIGHT * WIDTH * correlation.input[2] * PANEL).enumerate();
    panels.for_each(|(panel, packed)| {
        let pack = Pack { correlation, panel, kernel: &case.kernel, packed };
        dispatch_to(set, pack.transform::<KERNEL, HEIGHT, WIDTH>());
    });
    let row_len = correlation.output[1] * correlation.filters;
    let mut output = vec![f32::NAN; correlation.output[0] * row_len];
    let mut scratch = vec![f32::NAN; winograd.scratch_len(geometry, pass, None).floats];
    for (index, output) in output.chunks_mut(band * row_len).enumerate() {
        let rows = index * band..index * band + output.len() / row_len;
        let (input, bias) = match pass {
            Pass::GradInput => (&case.grad_output, None),
            _ => (&case.input, Some(&case.bias[..])),
        };
        let (packed, scratch) = (&packed[..], &mut scratch[..]);
        dispatch_to(
            set,
            Convolve::<DOWN, HEIGHT, ACROSS, WIDTH> {
                correlation,
                input: InputRows::Whole(input),
                packed,
                bias,
                rows,
                output,
                scratch,
            },
        );
    }
    output
}

/// A convolution and values for it.
struct Case {
    geometry: ConvGeometry,
    input: Vec<f32>,
    kernel: Vec<f32>,
    bias: Vec<f32>,
    grad_output: Vec<f32>,
}

impl Case {
    fn new(geometry: ConvGeometry) -> Case {
        let mut stream = Stream::new(0, Purpose::Test, 0, 0);
        let mut draw = |len: usize| (0..len).map(|_| stream.unit_f32() - 0.5).collect();
        let [input, kernel] = [draw(geometry.input_len()), draw(geometry.kernel_len())];
        let [bias, grad_output] = [draw(geometry.filters), draw(geometry.output_len())];
        Case { geometry, input, kernel, bias, grad_output }
    }

    /// Returns what the textbook computes, in f64.
    fn expected(&self, pass: Pass) -> Vec<f64> {
        let wide = |values: &[f32]| values.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
        let ConvGeometry { input: [height, width, channels], kernel, stride, padding, output, filters, .. } =
            self.geometry;
        let shape = textbook::ConvShape { kernel, stride, dilation: [1, 1], padding, output, filters };
        let image = textbook::Image { height, width, channels, values: wide(&self.input) };
        if pass == Pass::Forward {
            return textbook::conv2d_forward(&image, &shape, &wide(&self.kernel), &wide(&self.bias)).values;
        }
        let values = wide(&self.grad_output);
        let upstream = textbook::Image { height: output[0], width: output[1], channels: filters, values };
        let zeros = |len| vec![0.0; len];
        let mut weights = textbook::LayerGradient { kernel: zeros(self.kernel.len()), bias: zeros(self.bias.len()) };
        textbook::conv2d_backward(&image, &shape, &wide(&self.kernel), &upstream, &mut weights).values
    }
}

/// Returns the root of the mean square of the error, divided by that of the values.
fn rms_error(values: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(values.len(), expected.len());
    let squares = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
        values.iter().zip(expected).map(|(&value, &expected)| of(f64::from(value), expected).powi(2)).sum()
    };
    (squares(&|value, expected| value - expected) / squares(&|_, expected| expected)).sqrt()
}

/// Returns the error allowed: about twice what 64 channels, or 128 filters on the way back, cost.
fn largest_error(inputs: usize) -> f64 {
    if inputs == 6 { 2e-6 } else { 5e-7 }
}

const PASSES: [Pass; 2] = [Pass::Forward, Pass::GradInput];

fn check_everywhere<
    const KERNEL: usize,
    const DOWN: usize,
    const HEIGHT: usize,
    const ACROSS: usize,
    const WIDTH: usize,
>(
    case: &Case,
) where
    Axis<DOWN, HEIGHT>: Transforms<DOWN, HEIGHT>,
    Axis<ACROSS, WIDTH>: Transforms<ACROSS, WIDTH>,
{
    for pass in PASSES {
        let expected = case.expected(pass);
        for set in InstructionSet::tested() {
            let output = run::<KERNEL, DOWN, HEIGHT, ACROSS, WIDTH>(set, case, pass, DOWN);
            let error = rms_error(&output, &expected);
            assert!(
                error < largest_error(HEIGHT.max(WIDTH)),
                "{} {DOWN}×{ACROSS} {pass:?} {:?}: {error:e}",
                set.name(),
                case.geometry
            );
            let bits = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect::<Vec<_>>();
            let whole = run::<KERNEL, DOWN, HEIGHT, ACROSS, WIDTH>(set, case, pass, HEIGHT * DOWN);
            assert!(bits(whole) == bits(output), "{} {pass:?} {:?}: bands", set.name(), case.geometry);
        }
    }
}

#[test]
fn every_size_and_border_agrees_with_the_textbook_on_every_instruction_set() {
    let sizes =
        [([1, 1], 1, 1), ([3, 3], 3, 32), ([4, 9], 16, 5), ([10, 7], 17, 33), ([13, 22], 5, 64), ([6, 40], 48, 16)];
    for ([height, width], channels, filters) in sizes {
        for padding in [Padding::Valid, Padding::Same] {
            let input = [height, width, channels];
            let Ok(geometry) = ConvGeometry::new(input, [3, 3], [1, 1], padding, filters) else { continue };
            check_everywhere::<3, 4, 6, 4, 6>(&Case::new(geometry));
            check_everywhere::<3, 2, 4, 2, 4>(&Case::new(geometry));
            check_everywhere::<3, 2, 4, 4, 6>(&Case::new(geometry));
            let Ok(geometry) = ConvGeometry::new(input, [5, 5], [1, 1], padding, filters) else { continue };
            check_everywhere::<5, 2, 6, 2, 6>(&Case::new(geometry));
        }
    }
}

#[test]
fn any_frame_of_zeros_and_any_part_of_the_output_will_do() {
    let geometry = ConvGeometry::new([9, 11, 6], [3, 3], [1, 1], Padding::Valid, 7).unwrap();
    for (padding, output) in [([2, 2], [11, 13]), ([2, 0], [10, 5]), ([0, 1], [6, 11]), ([3, 4], [13, 17])] {
        let case = Case::new(ConvGeometry { padding, output, ..geometry });
        check_everywhere::<3, 4, 6, 4, 6>(&case);
        check_everywhere::<3, 2, 4, 2, 4>(&case);
        check_everywhere::<3, 2, 4, 4, 6>(&case);
    }
}

#[test]
fn the_rounding_error_is_that_of_single_precision() {
    let geometry = ConvGeometry::new([30, 30, 64], [3, 3], [1, 1], Padding::Valid, 128).unwrap();
    let case = Case::new(geometry);
    let large = Case::new(ConvGeometry::new([14, 14, 64], [5, 5], [1, 1], Padding::Same, 128).unwrap());
    let set = InstructionSet::in_force();
    for pass in PASSES {
        let (expected, of_large) = (case.expected(pass), large.expected(pass));
        let three = rms_error(&run::<3, 4, 6, 4, 6>(set, &case, pass, 28), &expected);
        let two = rms_error(&run::<3, 2, 4, 2, 4>(set, &case, pass, 28), &expected);
        let oblong = rms_error(&run::<3, 2, 4, 4, 6>(set, &case, pass, 28), &expected);
        let five = rms_error(&run::<5, 2, 6, 2, 6>(set, &large, pass, 14), &of_large);
        println!("{}: rms error 4×4 {three:.1e}, 2×4 {oblong:.1e}, 2×2 {two:.1e}, 2×2 of 5×5 {five:.1e}", pass.name());
        assert!(
            three < largest_error(6) && oblong < 1e-6 && two < largest_error(4) && five < largest_error(6),
            "{pass:?}"
        );
    }
}

/// Half of an image black, and no bias: what [`silent_outputs`] is for.
fn check_silence<const KERNEL: usize, const DOWN: usize, const HEIGHT: usize, const ACROSS: usize, const WIDTH: usize>()
where
    Axis<DOWN, HEIGHT>: Transforms<DOWN, HEIGHT>,
    Axis<ACROSS, WIDTH>: Transforms<ACROSS, WIDTH>,
{
    let geometry = ConvGeometry::new([13, 17, 20], [KERNEL; 2], [1, 1], Padding::Same, 24).unwrap();
    let mut case = Case::new(geometry);
    case.bias.iter_mut().enumerate().for_each(|(filter, bias)| *bias = (filter % 3) as f32 / 8.0);
    // Right of a slanting line there is nothing.
    for (pixel, values) in case.input.chunks_exact_mut(20).enumerate() {
        if 2 * (pixel % 17) + pixel / 17 > 14 {
            values.fill(0.0);
        }
    }
    let expected = case.expected(Pass::Forward);
    let mut silent = 0;
    for set in InstructionSet::tested() {
        let output = run::<KERNEL, DOWN, HEIGHT, ACROSS, WIDTH>(set, &case, Pass::Forward, 13);
        for (filter, (value, expected)) in output.iter().zip(&expected).enumerate() {
            if *expected == f64::from(case.bias[filter % 24]) {
                assert_eq!(value.to_bits(), case.bias[filter % 24].to_bits(), "{} {DOWN}×{ACROSS}", set.name());
                silent += 1;
            }
        }
    }
    assert!(silent > 24 * 50, "{silent}");
}

#[test]
fn where_the_input_is_0_the_output_is_the_bias_to_the_last_bit() {
    check_silence::<3, 4, 6, 4, 6>();
    check_silence::<3, 2, 4, 4, 6>();
    check_silence::<3, 2, 4, 2, 4>();
    check_silence::<5, 2, 6, 2, 6>();
}
