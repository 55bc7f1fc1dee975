//! The example at the top of the textbook, number by number.

use super::*;
use approx::assert_abs_diff_eq;

/// The network and image of the example at the top.
fn example() -> (Vec<Layer>, Image) {
    let shape =
        ConvShape { kernel: [3, 3], stride: [1, 1], dilation: [1, 1], padding: [0, 0], output: [2, 2], filters: 1 };
    let kernel = vec![1., 0., -1., 0., 1., 0., -1., 0., 1.];
    let layers = vec![
        Layer::Conv2d { shape, kernel, bias: vec![1.0] },
        Layer::Relu,
        Layer::MaxPool(PoolShape { window: [2, 2], stride: [2, 2], padding: [0, 0], output: [1, 1] }),
        Layer::Flatten,
        Layer::Dense { kernel: vec![0.5], bias: vec![-2.0] },
    ];
    let values = vec![1., 2., 0., 1., 0., 1., 3., 1., 2., 1., 0., 0., 1., 0., 1., 2.];
    (layers, Image { height: 4, width: 4, channels: 1, values })
}

#[test]
fn the_example_forward_is_what_the_page_says() {
    let (layers, image) = example();
    let activations = forward(&layers, &image, &[]);
    assert_eq!(activations[1].values, [1., 4., -1., 3.]);
    assert_eq!(activations[2].values, [1., 4., 0., 3.]);
    assert_eq!(activations[3].values, [4.]);
    assert_eq!(activations[5].values, [0.]);
    assert_eq!(sigmoid(0.0), 0.5);
}

#[test]
fn the_example_backward_is_what_the_page_says() {
    let (layers, image) = example();
    let step = step(&layers, &[image], &[1], &[vec![]]);
    assert_abs_diff_eq!(step.loss, std::f64::consts::LN_2, epsilon = 1e-15);
    assert_eq!(step.gradients[4], LayerGradient { kernel: vec![-2.0], bias: vec![-0.5] });
    let quarter = |values: &[f64]| values.iter().map(|x| -0.25 * x).collect::<Vec<f64>>();
    assert_eq!(step.gradients[0].kernel, quarter(&[2., 0., 1., 1., 3., 1., 1., 0., 0.]));
    assert_eq!(step.gradients[0].bias, [-0.25]);
    let image = [0., 1., 0., -1., 0., 0., 1., 0., 0., -1., 0., 1., 0., 0., 0., 0.];
    assert_eq!(step.grad_inputs[0].values, quarter(&image));
    // The ReLU input nearest to 0 is ±1, and 4 leads its window by 1.
    assert_eq!(step.margin, 1.0);
}

#[test]
fn probabilities_that_are_given_have_the_loss_and_gradient_that_follow() {
    // Logits are logarithms of the probabilities up to a constant, however large.
    for constant in [0.0, -3.0, 1e3] {
        let logits = [0.5f64, 0.2, 0.3].map(|p| p.ln() + constant);
        for (p, expected) in softmax(&logits).into_iter().zip([0.5, 0.2, 0.3]) {
            assert_abs_diff_eq!(p, expected, epsilon = 1e-12);
        }
        assert_abs_diff_eq!(
            categorical_cross_entropy(&logits, &smoothed_targets(1, 3, 0.0)),
            -0.2f64.ln(),
            epsilon = 1e-12
        );
        for (g, expected) in
            categorical_cross_entropy_gradient(&logits, &smoothed_targets(1, 3, 0.0)).into_iter().zip([0.5, -0.8, 0.3])
        {
            assert_abs_diff_eq!(g, expected, epsilon = 1e-12);
        }
    }
}

#[test]
fn the_first_adam_step_moves_a_weight_by_the_learning_rate() {
    let adam = Adam { learning_rate: 1e-3, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7, weight_decay: 0.0 };
    let (mut weight, mut m, mut v) = ([0.5], [0.0], [0.0]);
    adam.update(1, &mut weight, &[-2.0], &mut m, &mut v);
    assert_abs_diff_eq!(weight[0], 0.501, epsilon = 1e-8);
}
