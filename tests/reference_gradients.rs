//! The first link of the chain of trust: the textbook's gradients against central finite differences,
//! dL/dx ≈ (L(x + h) − L(x − h)) / 2h, for every parameter and for the input.

use approx::assert_abs_diff_eq;
use glassnet::random::{Purpose, Stream};
use glassnet::reference::*;

/// Step of the differences. Their error is about h² for the curvature and 1e-16/h for rounding.
const STEP: f64 = 1e-5;
/// A network with a kink nearer than this is drawn again: a step across a kink measures two slopes at once.
const SMALLEST_MARGIN: f64 = 1e-3;
/// max|analytic − numeric| / max|analytic| of each tensor.
const TOLERANCE: f64 = 1e-7;

fn draw(stream: &mut Stream, len: usize, scale: f64) -> Vec<f64> {
    (0..len).map(|_| stream.uniform_f64(-scale, scale)).collect()
}

fn conv(
    stream: &mut Stream,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    output: [usize; 2],
    channels: [usize; 2],
) -> Layer {
    let shape = ConvShape { kernel, stride, dilation: [1, 1], padding, output, filters: channels[1] };
    let len = kernel[0] * kernel[1] * channels[0] * channels[1];
    Layer::Conv2d { shape, kernel: draw(stream, len, 0.7), bias: draw(stream, channels[1], 0.3) }
}

fn dense(stream: &mut Stream, inputs: usize, units: usize) -> Layer {
    Layer::Dense { kernel: draw(stream, inputs * units, 0.7), bias: draw(stream, units, 0.3) }
}

/// A pool of the kind that `of` makes.
fn pool(
    window: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    output: [usize; 2],
    of: fn(PoolShape) -> Layer,
) -> Layer {
    of(PoolShape { window, stride, padding, output })
}

#[derive(Default)]
struct Case {
    layers: Vec<Layer>,
    images: Vec<Image>,
    labels: Vec<usize>,
    /// The labels of each sample, where it may have several.
    sets: Vec<Vec<bool>>,
    factors: Vec<Vec<Vec<f64>>>,
    class_weights: Vec<f64>,
    smoothing: f64,
}

impl Case {
    fn step(&self) -> Step {
        if !self.sets.is_empty() {
            return label_step(&self.layers, &self.images, &self.sets, self.smoothing, &self.factors);
        }
        weighted_step(&self.layers, &self.images, &self.labels, &self.class_weights, self.smoothing, &self.factors)
    }
}

/// Draws cases until one has no kink within [`SMALLEST_MARGIN`].
fn case_away_from_kinks(build: impl Fn(&mut Stream) -> Case) -> Case {
    (0..200)
        .map(|attempt| build(&mut Stream::new(11, Purpose::Test, 0, attempt)))
        .find(|case| case.step().margin >= SMALLEST_MARGIN)
        .expect("one case in 200 is away from every kink")
}

/// The derivative of the loss by one number, which `place` finds in a case.
fn numeric(case: &mut Case, place: impl Fn(&mut Case) -> &mut f64) -> f64 {
    let value = *place(case);
    let mut loss_at = |x: f64| {
        *place(case) = x;
        case.step().loss
    };
    let difference = loss_at(value + STEP) - loss_at(value - STEP);
    *place(case) = value;
    difference / (2.0 * STEP)
}

fn assert_agree(what: &str, analytic: &[f64], numeric: &[f64]) {
    let largest = analytic.iter().fold(0.0f64, |largest, a| largest.max(a.abs()));
    assert!(largest > 1e-3, "{what}: a gradient that is nearly zero ({largest:e}) tests nothing");
    for (a, n) in analytic.iter().zip(numeric) {
        let error = (a - n).abs() / largest;
        assert!(error <= TOLERANCE, "{what}: {a} against {n}, error {error:e}");
    }
}

fn check_every_gradient(mut case: Case) {
    let analytic = case.step();
    for layer in 0..case.layers.len() {
        let Some((kernel, bias)) = case.layers[layer].weights_mut() else { continue };
        let (kernel_len, bias_len) = (kernel.len(), bias.len());
        let kernel: Vec<f64> = (0..kernel_len)
            .map(|i| numeric(&mut case, |case| &mut case.layers[layer].weights_mut().unwrap().0[i]))
            .collect();
        let bias: Vec<f64> = (0..bias_len)
            .map(|i| numeric(&mut case, |case| &mut case.layers[layer].weights_mut().unwrap().1[i]))
            .collect();
        assert_agree(&format!("layer {layer}, kernel"), &analytic.gradients[layer].kernel, &kernel);
        assert_agree(&format!("layer {layer}, bias"), &analytic.gradients[layer].bias, &bias);
    }
    for sample in 0..case.images.len() {
        let len = case.images[sample].values.len();
        let image: Vec<f64> = (0..len).map(|i| numeric(&mut case, |case| &mut case.images[sample].values[i])).collect();
        assert_agree(&format!("image {sample}"), &analytic.grad_inputs[sample].values, &image);
    }
}

fn images(stream: &mut Stream, count: usize, [height, width, channels]: [usize; 3]) -> Vec<Image> {
    (0..count)
        .map(|_| Image { height, width, channels, values: draw(stream, height * width * channels, 1.0) })
        .collect()
}

#[test]
fn a_network_of_all_layer_kinds_has_the_gradients_that_differences_measure() {
    let case = case_away_from_kinks(|stream| Case {
        layers: vec![
            conv(stream, [3, 3], [1, 1], [0, 0], [7, 6], [2, 3]),
            Layer::Relu,
            pool([2, 2], [2, 2], [0, 0], [3, 3], Layer::MaxPool),
            conv(stream, [2, 2], [1, 1], [0, 0], [2, 2], [3, 4]),
            Layer::LeakyRelu { negative_slope: 0.3 },
            Layer::Flatten,
            dense(stream, 16, 5),
            Layer::Relu,
            Layer::Dropout,
            dense(stream, 5, 1),
        ],
        images: images(stream, 3, [9, 8, 2]),
        labels: vec![1, 0, 1],
        factors: [[2., 2., 0., 2., 2.], [2., 0., 2., 2., 2.], [0., 2., 2., 2., 0.]]
            .map(|factors| vec![factors.to_vec()])
            .to_vec(),
        class_weights: vec![1.0, 1.0],
        ..Case::default()
    });
    check_every_gradient(case);
}

#[test]
fn strides_padding_and_overlapping_windows_have_the_gradients_that_differences_measure() {
    let case = case_away_from_kinks(|stream| Case {
        layers: vec![
            // 8×7, 'same' with stride 2: 4×4, one row of zeros below and one column to the right
            conv(stream, [3, 2], [2, 2], [0, 0], [4, 4], [1, 2]),
            pool([2, 3], [1, 1], [0, 0], [3, 2], Layer::MaxPool),
            conv(stream, [3, 3], [1, 1], [1, 1], [3, 2], [2, 2]),
            Layer::Relu,
            Layer::Flatten,
            dense(stream, 12, 1),
        ],
        images: images(stream, 2, [8, 7, 1]),
        labels: vec![0, 1],
        factors: vec![vec![], vec![]],
        class_weights: vec![1.0, 1.0],
        ..Case::default()
    });
    check_every_gradient(case);
}

#[test]
fn padded_pools_have_the_gradients_that_differences_measure_and_so_has_a_dilated_convolution() {
    let case = case_away_from_kinks(|stream| {
        // 7×8, 'same', a 3×2 kernel that reaches over 5×4 pixels
        let mut dilated = conv(stream, [3, 2], [1, 2], [2, 1], [7, 4], [2, 3]);
        let Layer::Conv2d { shape, .. } = &mut dilated else { unreachable!() };
        shape.dilation = [2, 3];
        Case {
            layers: vec![
                dilated,
                // 7×4, 'same': a row above and one below
                pool([3, 2], [2, 2], [1, 0], [4, 2], Layer::MaxPool),
                // 4×2, 'same', overlapping: a row and a column, below and to the right
                pool([2, 2], [1, 1], [0, 0], [4, 2], Layer::AveragePool),
                Layer::GlobalAveragePool,
                dense(stream, 3, 1),
            ],
            images: images(stream, 2, [7, 8, 2]),
            labels: vec![0, 1],
            factors: vec![vec![], vec![]],
            class_weights: vec![1.0, 1.0],
            ..Case::default()
        }
    });
    check_every_gradient(case);
}

/// A depthwise convolution with filters for each of two channels, a stride down and a dilation across, of 7×8
/// images, 'same'.
fn depthwise(stream: &mut Stream, multiplier: usize) -> Layer {
    let filters = 2 * multiplier;
    let shape =
        ConvShape { kernel: [3, 2], stride: [2, 1], dilation: [1, 3], padding: [1, 1], output: [4, 8], filters };
    Layer::DepthwiseConv2d { shape, kernel: draw(stream, 6 * filters, 0.7), bias: draw(stream, filters, 0.3) }
}

#[test]
fn a_depthwise_convolution_has_the_gradients_that_differences_measure() {
    for multiplier in [1, 3] {
        let case = case_away_from_kinks(|stream| Case {
            layers: vec![depthwise(stream, multiplier), Layer::Relu, Layer::Flatten, dense(stream, 64 * multiplier, 1)],
            images: images(stream, 2, [7, 8, 2]),
            labels: vec![0, 1],
            factors: vec![vec![], vec![]],
            class_weights: vec![1.0, 1.0],
            ..Case::default()
        });
        check_every_gradient(case);
    }
}

#[test]
fn a_depthwise_convolution_is_a_convolution_whose_channels_do_not_meet() {
    let mut stream = Stream::new(12, Purpose::Test, 0, 0);
    let Layer::DepthwiseConv2d { shape, kernel, bias } = depthwise(&mut stream, 3) else { unreachable!() };
    let image = &images(&mut stream, 1, [7, 8, 2])[0];
    // Filter f belongs to channel f / 3, and is 0 at the other.
    let weight = |(cell, c, f): (usize, usize, usize)| if f / 3 == c { kernel[cell * 6 + f] } else { 0.0 };
    let places = (0..6).flat_map(|cell| (0..2).flat_map(move |c| (0..6).map(move |f| (cell, c, f))));
    let whole: Vec<f64> = places.map(weight).collect();
    let expected = conv2d_forward(image, &shape, &whole, &bias);
    for (a, b) in depthwise_conv2d_forward(image, &shape, &kernel, &bias).values.iter().zip(&expected.values) {
        assert_abs_diff_eq!(a, b, epsilon = 1e-14);
    }
}

/// Batch normalization with γ and β of some size; what a training step does does not depend on the moving
/// moments.
fn normalization(stream: &mut Stream, channels: usize) -> Layer {
    Layer::BatchNormalization {
        gamma: draw(stream, channels, 0.5).iter().map(|x| 1.0 + x).collect(),
        beta: draw(stream, channels, 0.3),
        moving: Moments { mean: vec![f64::NAN; channels], variance: vec![f64::NAN; channels] },
        momentum: 0.99,
        epsilon: 1e-3,
        frozen: false,
    }
}

#[test]
fn batch_normalization_of_images_and_vectors_has_the_gradients_that_differences_measure() {
    let case = case_away_from_kinks(|stream| Case {
        layers: vec![
            conv(stream, [3, 2], [1, 1], [0, 0], [4, 5], [2, 3]),
            Layer::LeakyRelu { negative_slope: 0.2 },
            normalization(stream, 3),
            Layer::GlobalAveragePool,
            dense(stream, 3, 4),
            Layer::Relu,
            normalization(stream, 4),
            Layer::Dropout,
            dense(stream, 4, 3),
        ],
        images: images(stream, 5, [6, 6, 2]),
        labels: vec![1, 0, 2, 1, 0],
        factors: vec![vec![vec![2.0, 2.0, 0.0, 2.0]]; 5],
        class_weights: vec![1.0, 2.0, 0.5],
        ..Case::default()
    });
    check_every_gradient(case);
}

#[test]
fn a_normalized_batch_has_mean_beta_and_deviation_gamma_and_no_bias_before_it_moves_anything() {
    let mut stream = Stream::new(13, Purpose::Test, 0, 0);
    let batch = images(&mut stream, 4, [3, 5, 2]);
    let (gamma, beta, epsilon) = ([1.5, 0.5], [0.25, -2.0], 1e-9);
    let of = |batch: &[Image]| batch_normalization_forward(batch, &moments(batch), &gamma, &beta, epsilon);
    let normalized = moments(&of(&batch));
    for c in 0..2 {
        assert_abs_diff_eq!(normalized.mean[c], beta[c], epsilon = 1e-12);
        assert_abs_diff_eq!(normalized.variance[c], gamma[c] * gamma[c], epsilon = 1e-7);
    }
    let shifted: Vec<Image> =
        batch.iter().map(|image| Image { values: image.values.iter().map(|x| x + 7.0).collect(), ..*image }).collect();
    for (a, b) in of(&shifted).iter().zip(of(&batch)) {
        a.values.iter().zip(&b.values).for_each(|(a, b)| assert_abs_diff_eq!(a, b, epsilon = 1e-10));
    }
    let (moving, batch) =
        (Moments { mean: vec![1.0], variance: vec![2.0] }, Moments { mean: vec![5.0], variance: vec![6.0] });
    let moved = moving_moments(&moving, &batch, 0.75);
    assert_eq!((moved.mean[0], moved.variance[0]), (2.0, 3.0));
}

/// A convolution of 5×5×1 images, ReLU, a pool, and a dense layer of so many units.
fn conv_block_and_dense(stream: &mut Stream, units: usize) -> Vec<Layer> {
    vec![
        conv(stream, [2, 2], [1, 1], [0, 0], [4, 4], [1, 3]),
        Layer::Relu,
        pool([2, 2], [2, 2], [0, 0], [2, 2], Layer::MaxPool),
        Layer::Flatten,
        dense(stream, 12, units),
    ]
}

#[test]
fn weighted_classes_have_the_gradients_that_differences_measure_and_the_mean_is_over_images() {
    let case = case_away_from_kinks(|stream| Case {
        layers: conv_block_and_dense(stream, 1),
        images: images(stream, 3, [5, 5, 1]),
        labels: vec![1, 0, 1],
        factors: vec![vec![]; 3],
        class_weights: vec![1.7, 0.6],
        ..Case::default()
    });
    let step = case.step();
    let losses = step.logits.iter().zip(&case.labels).map(|(&z, &label)| {
        let p = if label == 1 { sigmoid(z) } else { 1.0 - sigmoid(z) };
        -case.class_weights[label] * p.ln()
    });
    assert_abs_diff_eq!(step.loss, losses.sum::<f64>() / 3.0, epsilon = 1e-14);
    check_every_gradient(case);
}

#[test]
fn smoothed_labels_have_the_gradients_that_differences_measure_and_a_loss_of_their_targets() {
    for units in [1, 3] {
        let case = case_away_from_kinks(|stream| Case {
            layers: conv_block_and_dense(stream, units),
            images: images(stream, 3, [5, 5, 1]),
            labels: vec![1, 0, units.max(2) - 1],
            factors: vec![vec![]; 3],
            class_weights: vec![1.7, 0.6, 1.1],
            smoothing: 0.3,
            ..Case::default()
        });
        let step = case.step();
        let losses = step.logits.chunks(units).zip(&case.labels).map(|(z, &label)| {
            let p = if units == 1 { vec![1.0 - sigmoid(z[0]), sigmoid(z[0])] } else { softmax(z) };
            let [right, other] = [0.7 + 0.3 / p.len() as f64, 0.3 / p.len() as f64];
            let of_class = |(k, p): (usize, &f64)| if k == label { -right * p.ln() } else { -other * p.ln() };
            case.class_weights[label] * p.iter().enumerate().map(of_class).sum::<f64>()
        });
        assert_abs_diff_eq!(step.loss, losses.sum::<f64>() / 3.0, epsilon = 1e-14);
        check_every_gradient(case);
    }
}

#[test]
fn several_classes_have_the_gradients_that_differences_measure_weighted_or_not() {
    for class_weights in [vec![1.0; 4], vec![1.7, 0.6, 0.25, 3.0]] {
        let case = case_away_from_kinks(|stream| Case {
            layers: conv_block_and_dense(stream, 4),
            images: images(stream, 5, [5, 5, 1]),
            labels: vec![3, 0, 1, 2, 3],
            factors: vec![vec![]; 5],
            class_weights: class_weights.clone(),
            ..Case::default()
        });
        let step = case.step();
        assert_eq!(step.logits.len(), 5 * 4);
        let losses = step.logits.chunks(4).zip(&case.labels).map(|(logits, &label)| {
            let sum: f64 = logits.iter().map(|z| z.exp()).sum();
            -class_weights[label] * (logits[label].exp() / sum).ln()
        });
        assert_abs_diff_eq!(step.loss, losses.sum::<f64>() / 5.0, epsilon = 1e-14);
        check_every_gradient(case);
    }
}

#[test]
fn several_labels_have_the_gradients_that_differences_measure_and_the_mean_of_their_losses() {
    for smoothing in [0.0, 0.2] {
        let case = case_away_from_kinks(|stream| Case {
            layers: conv_block_and_dense(stream, 3),
            images: images(stream, 4, [5, 5, 1]),
            sets: vec![vec![true, false, true], vec![false; 3], vec![true; 3], vec![false, true, false]],
            factors: vec![vec![]; 4],
            smoothing,
            ..Case::default()
        });
        let step = case.step();
        let answers = step.logits.iter().zip(case.sets.iter().flatten());
        let losses = answers.map(|(&z, &has)| {
            let y = f64::from(u8::from(has)) * (1.0 - smoothing) + smoothing / 2.0;
            -y * sigmoid(z).ln() - (1.0 - y) * (1.0 - sigmoid(z)).ln()
        });
        assert_abs_diff_eq!(step.loss, losses.sum::<f64>() / 12.0, epsilon = 1e-14);
        check_every_gradient(case);
    }
}

#[test]
fn adam_is_the_papers_form_up_to_where_epsilon_stands() {
    // The paper's algorithm 1 with corrected moments; with ε = 0 Keras's form is the same.
    let adam = Adam { learning_rate: 0.01, beta_1: 0.9, beta_2: 0.999, epsilon: 0.0, weight_decay: 0.0 };
    let (mut weight, mut m, mut v) = ([0.3], [0.0], [0.0]);
    let (mut expected, mut paper_m, mut paper_v) = (0.3f64, 0.0f64, 0.0f64);
    for (t, g) in [(1, 0.5f64), (2, -1.5), (3, 0.25), (4, 2.0)] {
        adam.update(t, &mut weight, &[g], &mut m, &mut v);
        paper_m = 0.9 * paper_m + 0.1 * g;
        paper_v = 0.999 * paper_v + 0.001 * g * g;
        expected -= 0.01 * (paper_m / (1.0 - 0.9f64.powi(t))) / (paper_v / (1.0 - 0.999f64.powi(t))).sqrt();
        assert_abs_diff_eq!(weight[0], expected, epsilon = 1e-14);
    }
}

#[test]
fn weight_decay_is_the_papers_algorithm_2_with_the_decay_in_units_of_the_learning_rate() {
    // θ ← θ − η(α·m̂/√v̂ + λθ) with η = 1 and λ = α·W, as Keras and this program have it.
    let (learning_rate, weight_decay) = (0.01, 0.3);
    let adam = Adam { learning_rate, beta_1: 0.9, beta_2: 0.999, epsilon: 0.0, weight_decay };
    let (mut weight, mut m, mut v) = ([0.3], [0.0], [0.0]);
    let (mut expected, mut paper_m, mut paper_v) = (0.3f64, 0.0f64, 0.0f64);
    for (t, g) in [(1, 0.5f64), (2, -1.5), (3, 0.25), (4, 2.0)] {
        adam.update(t, &mut weight, &[g], &mut m, &mut v);
        paper_m = 0.9 * paper_m + 0.1 * g;
        paper_v = 0.999 * paper_v + 0.001 * g * g;
        let (m_hat, v_hat) = (paper_m / (1.0 - 0.9f64.powi(t)), paper_v / (1.0 - 0.999f64.powi(t)));
        expected -= learning_rate * m_hat / v_hat.sqrt() + learning_rate * weight_decay * expected;
        assert_abs_diff_eq!(weight[0], expected, epsilon = 1e-14);
    }
    // A coupled decay would show in the moments.
    assert_abs_diff_eq!(m[0], paper_m, epsilon = 1e-15);
}
