//! The mistakes: lines of the textbook, written wrongly. Nothing but the lessons can reach this file.

use super::lesson::{Lesson, Mistake};
use crate::gradcheck::base::Base;
use crate::gradcheck::problem::{Gradient, Problem};
use crate::reference::{ConvShape, Image, Layer, LayerGradient, Loss, layer_backward, softmax, window_maxima};

/// The number of lessons.
pub const LESSONS: usize = 12;

/// Returns all lessons.
pub fn all() -> &'static [Lesson] {
    &LIST
}

/// Returns the lesson with this number, from 1 to [`LESSONS`].
pub fn find(number: usize) -> Option<Lesson> {
    LIST.get(number.checked_sub(1)?).copied()
}

/// The lessons, in an order that tells nothing.
const LIST: [Lesson; LESSONS] = [
    Lesson {
        number: 1,
        stars: 1,
        hint: "The first to try. Going back from the loss, where does it begin?",
        place: "re_lu and re_lu_1",
        kind: "ReLU lets every gradient through, also where it cut the value off",
        file: "reference/elementwise.rs",
        right: "let slope = |x: f64| if x > 0.0 { 1.0 } else { 0.0 };",
        wrong: "let slope = |_: f64| 1.0;",
        why: "dense_1 is right, dense and all before it are off: re_lu_1 stands between. The ratio is not constant, as only some \
              values are cut off.",
        mistake: Mistake::ReluLetsAllThrough,
    },
    Lesson {
        number: 2,
        stars: 1,
        hint: "One kind of tensor alone is off.",
        place: "conv2d and conv2d_1",
        kind: "a convolution's bias gets the gradient of its last position, not the sum over all",
        file: "reference/conv2d.rs",
        right: "gradient.bias[position % shape.filters] += g;",
        wrong: "gradient.bias[position % shape.filters] = *g;",
        why: "No gradient goes on from a bias, so nothing else is off. conv2d_1's bias has none to compare with: the batch \
              normalization behind it takes away whatever the bias adds. A wrong gradient there is a gradient nonetheless.",
        mistake: Mistake::BiasOfOnePosition,
    },
    Lesson {
        number: 3,
        stars: 2,
        hint: "All layers behind one are right.",
        place: "max_pooling2d",
        kind: "the pool sends its gradient to every cell of the window, not to the maximum alone",
        file: "reference/max_pool.rs",
        right: "grad_input.values[best] += g;",
        wrong: "cells.iter().for_each(|&cell| grad_input.values[cell] += g);",
        why: "conv2d_1, behind the pool, is right; conv2d, before it, is off. The losing cells did not move the output, so they \
              are owed nothing. Where ReLU cut a cell off, the surplus goes nowhere: so conv2d is off by less than four times.",
        mistake: Mistake::PoolToEveryCell,
    },
    Lesson {
        number: 4,
        stars: 2,
        hint: "A layer's own weights may be right, and what it hands on be wrong.",
        place: "conv2d and conv2d_1",
        kind: "∂L/∂input is taken with the kernel mirrored",
        file: "reference/conv2d.rs",
        right: "grad_input.values[from] += grad_output.values[to] * kernel[weight];",
        wrong: "grad_input.values[from] += grad_output.values[to] * kernel[mirrored(weight)];",
        why: "conv2d_1's kernel is right, as its gradient needs no kernel; what it hands on is wrong, and so are conv2d and the \
              images. Turning all products around mirrors the kernel by itself: who mirrors it once more has it wrong.",
        mistake: Mistake::KernelMirrored,
    },
    Lesson {
        number: 5,
        stars: 2,
        hint: "One tensor is off, and another of the same kind is right.",
        place: "conv2d",
        kind: "the kernel's gradient forgets the padding: it reads the pixel down and to the right of the one it should",
        file: "reference/conv2d.rs",
        right: "let pixel = input.index(row - shape.padding[0], column - shape.padding[1], 0);",
        wrong: "let pixel = input.index(row.min(input.height - 1), column.min(input.width - 1), 0);",
        why: "conv2d has padding and conv2d_1 has none, so conv2d's kernel alone is off. A one-hot image shows it best: its one \
              pixel is under another cell of the kernel.",
        mistake: Mistake::PaddingForgotten,
    },
    Lesson {
        number: 6,
        stars: 1,
        hint: "Try the layers without weights, too.",
        place: "dropout",
        kind: "dropout's backward pass lets every gradient through as it is",
        file: "reference/network.rs",
        right: "Layer::Dropout => factors.map_or_else(|| grad.clone(), |factors| dropout(grad, factors)),",
        wrong: "(Mistake::DropoutOneWay, Layer::Dropout) => grads.to_vec(),",
        why: "A dropped unit did not move the loss, so it has no gradient, and a kept one counts twice here, as it did forward. \
              dense_1, behind it, is right.",
        mistake: Mistake::DropoutOneWay,
    },
    Lesson {
        number: 7,
        stars: 2,
        hint: "Everything is off. Is it by the same factor?",
        place: "the loss",
        kind: "p − y is multiplied by p·(1 − p) once more, as it is for the squared error",
        file: "reference/loss.rs",
        right: "softmax(logits).iter().zip(targets).map(|(p, y)| p - y).collect()",
        wrong: "softmax(logits).iter().zip(targets).map(|(p, y)| (p - y) * p * (1.0 - p)).collect()",
        why: "From the last layer on all is off, so it is the loss. The factor is another for each image and class: no ratio is \
              constant. It still learns, as each sign is right: slowest where the network is most wrong.",
        mistake: Mistake::SoftmaxTwice,
    },
    Lesson {
        number: 8,
        stars: 1,
        hint: "Right numbers may stand in wrong places.",
        place: "dense and dense_1",
        kind: "the kernel's gradient is written transposed: [units, inputs] in the memory of [inputs, units]",
        file: "reference/dense.rs",
        right: "gradient.kernel[i * units + u] += g * x;",
        wrong: "gradient.kernel[u * inputs + i] += g * x;",
        why: "Both dense kernels are off and nothing else: a kernel's gradient is handed on to no one.",
        mistake: Mistake::DenseTransposed,
    },
    Lesson {
        number: 9,
        stars: 3,
        hint: "In one layer the images of a batch meet.",
        place: "batch_normalization",
        kind: "mean and variance are taken for constants",
        file: "reference/batch_normalization.rs",
        right: "gamma[c] / deviation(c) * (g - sum_g[c] / m - normalized(*x, c) * sum_gx[c] / m)",
        wrong: "gamma[c] / deviation(c) * g",
        why: "gamma and beta are right, and all before them is off. conv2d_1's bias tells it: adding to all values of a channel \
              changes nothing, so its gradient has to be 0, and is not.",
        mistake: Mistake::MomentsConstant,
    },
    Lesson {
        number: 10,
        stars: 2,
        hint: "Look at the ratios.",
        place: "the loss",
        kind: "the gradient is averaged over 16 images, and the batch has 6",
        file: "reference/network.rs",
        right: "let share = weight / outputs.len() as f64;",
        wrong: "let share = 1.0 / 16.0;",
        why: "Every ratio is 6/16 = 0.375: the direction is right, the length is not. Adam divides it away, so no curve will ever \
              show it; SGD would take shorter steps. Were the loss averaged over 16 as well, both would agree, and no gradient check \
              could see it.",
        mistake: Mistake::WrongCount,
    },
    Lesson {
        number: 11,
        stars: 3,
        hint: "Is everything right, then? Compare the curves with --reveal.",
        place: "Adam",
        kind: "the step t is counted once for each tensor, not once for each step",
        file: "gradcheck/lessons/training.rs",
        right: "let step_of = |_tensor: usize| t;",
        wrong: "move |tensor: usize| (t - 1) * tensors as i32 + tensor as i32 + 1",
        why: "A gradient check ends with the gradient: it can't see what the optimizer makes of it. With t too large the corrections \
              of the moments, which begin at 0, are gone too early, and the first steps are of other sizes. Only a test against \
              known steps sees it.",
        mistake: Mistake::AdamCountsTensors,
    },
    Lesson {
        number: 12,
        stars: 3,
        hint: "A check compares a function with its own derivative.",
        place: "dropout",
        kind: "kept values are not divided by 1 − rate, forward and backward",
        file: "layers/dropout.rs",
        right: "let kept = 1.0 / (1.0 - self.rate);",
        wrong: "let kept = 1.0;",
        why: "Forward and backward agree, so the gradient is right: of another function than was meant. Training sees half of what \
              prediction sees; the validation loss, taken without dropout, tells it. A check can't see a wrong definition.",
        mistake: Mistake::DropoutUnscaled,
    },
];

/// Changes what the loss is, forward and backward.
pub(super) fn change_problem(mistake: Mistake, problem: &mut Problem) {
    if mistake == Mistake::DropoutUnscaled {
        problem.factors.iter_mut().flatten().flatten().for_each(unscale);
    }
}

/// Takes the scale from a factor of dropout.
fn unscale(factor: &mut f64) {
    let kept = 1.0;
    if *factor != 0.0 {
        *factor = kept;
    }
}

/// The factors of dropout in training.
pub(super) fn change_factors(mistake: Option<Mistake>, factors: &mut [f64]) {
    if mistake == Some(Mistake::DropoutUnscaled) {
        factors.iter_mut().for_each(unscale);
    }
}

/// By which number Adam corrects its moments in step `t` of each of so many tensors.
pub(super) fn steps_counted(t: i32, tensors: usize) -> impl Fn(usize) -> i32 {
    move |tensor: usize| (t - 1) * tensors as i32 + tensor as i32 + 1
}

/// Returns the textbook's gradient with the mistake in it.
pub(super) fn gradient(mistake: Mistake, base: &Base) -> Gradient {
    let labels = &base.problem().labels;
    let loss = loss(mistake, &base.loss, labels);
    base.gradient_by(&loss, &|_, layer, inputs, grads, factors, gradient| {
        backward(mistake, layer, inputs, grads, factors, gradient)
    })
}

/// Returns where the backward pass begins.
fn loss(mistake: Mistake, loss: &Loss, labels: &[usize]) -> Loss {
    let mut changed = loss.clone();
    match mistake {
        Mistake::SoftmaxTwice => {
            let count = labels.len() as f64;
            for ((grad, logits), &label) in changed.grad_outputs.iter_mut().zip(rows(loss)).zip(labels) {
                let targets: Vec<f64> = (0..logits.len()).map(|class| f64::from(u8::from(class == label))).collect();
                grad.values = softmax_gradient(logits, &targets).iter().map(|g| g / count).collect();
            }
        }
        Mistake::WrongCount => {
            let share = 1.0 / 16.0;
            let right = 1.0 / labels.len() as f64;
            for value in changed.grad_outputs.iter_mut().flat_map(|grad| &mut grad.values) {
                *value *= share / right;
            }
        }
        _ => {}
    }
    changed
}

/// The logits of each image.
fn rows(loss: &Loss) -> impl Iterator<Item = &[f64]> {
    loss.logits.chunks_exact(loss.logits.len() / loss.grad_outputs.len())
}

fn softmax_gradient(logits: &[f64], targets: &[f64]) -> Vec<f64> {
    softmax(logits).iter().zip(targets).map(|(p, y)| (p - y) * p * (1.0 - p)).collect()
}

/// A layer's backward pass with the mistake in it, as [`layer_backward`] is without.
pub(super) fn backward(
    mistake: Mistake,
    layer: &Layer,
    inputs: &[Image],
    grads: &[Image],
    factors: &[Option<&Vec<f64>>],
    gradient: &mut LayerGradient,
) -> Vec<Image> {
    let each = || inputs.iter().zip(grads);
    match (mistake, layer) {
        (Mistake::ReluLetsAllThrough, Layer::Relu) => each().map(|(input, grad)| relu(input, grad)).collect(),
        (Mistake::PoolToEveryCell, Layer::MaxPool(_)) => {
            let window = |input: &Image, best: usize| window_of(input, best);
            each()
                .map(|(input, grad)| {
                    let mut grad_input = Image::zeros(input.height, input.width, input.channels);
                    let Layer::MaxPool(shape) = layer else { unreachable!("it was matched") };
                    for (g, (best, _)) in grad.values.iter().zip(window_maxima(input, shape)) {
                        let cells = window(input, best);
                        cells.iter().for_each(|&cell| grad_input.values[cell] += g);
                    }
                    grad_input
                })
                .collect()
        }
        (Mistake::DropoutOneWay, Layer::Dropout) => grads.to_vec(),
        (Mistake::DenseTransposed, Layer::Dense { .. }) => {
            let mut right =
                LayerGradient { kernel: vec![0.0; gradient.kernel.len()], bias: vec![0.0; gradient.bias.len()] };
            let grad_inputs = layer_backward(layer, inputs, grads, factors, &mut right);
            gradient.bias.iter_mut().zip(&right.bias).for_each(|(sum, g)| *sum += g);
            each().for_each(|(input, grad)| dense_kernel(input, grad, gradient));
            grad_inputs
        }
        (Mistake::MomentsConstant, Layer::BatchNormalization { gamma, epsilon, .. }) => {
            layer_backward(layer, inputs, grads, factors, gradient);
            let moments = crate::reference::moments(inputs);
            let deviation = |c: usize| (moments.variance[c] + epsilon).sqrt();
            let value = |c: usize, g: f64| gamma[c] / deviation(c) * g;
            let grad_input = |grad: &Image| {
                let values = grad.values.iter().enumerate().map(|(place, &g)| value(place % grad.channels, g));
                Image { values: values.collect(), ..*grad }
            };
            grads.iter().map(grad_input).collect()
        }
        (Mistake::BiasOfOnePosition, Layer::Conv2d { shape, .. }) => {
            let bias = gradient.bias.clone();
            let grad_inputs = layer_backward(layer, inputs, grads, factors, gradient);
            gradient.bias = bias;
            each().for_each(|(_, grad)| conv_bias(shape, grad, gradient));
            grad_inputs
        }
        (Mistake::PaddingForgotten, Layer::Conv2d { shape, .. }) => {
            let kernel = gradient.kernel.clone();
            let grad_inputs = layer_backward(layer, inputs, grads, factors, gradient);
            gradient.kernel = kernel;
            each().for_each(|(input, grad)| conv_kernel(input, shape, grad, gradient));
            grad_inputs
        }
        (Mistake::KernelMirrored, Layer::Conv2d { shape, kernel, .. }) => {
            layer_backward(layer, inputs, grads, factors, gradient);
            each().map(|(input, grad)| conv_input(input, shape, kernel, grad)).collect()
        }
        _ => layer_backward(layer, inputs, grads, factors, gradient),
    }
}

fn relu(input: &Image, grad_output: &Image) -> Image {
    let slope = |_: f64| 1.0;
    Image { values: input.values.iter().zip(&grad_output.values).map(|(x, g)| g * slope(*x)).collect(), ..*input }
}

/// The cells of the 2×2 window with this cell in it.
fn window_of(input: &Image, cell: usize) -> Vec<usize> {
    let (channel, pixel) = (cell % input.channels, cell / input.channels);
    let (top, left) = (pixel / input.width / 2 * 2, pixel % input.width / 2 * 2);
    let cells = [[0, 0], [0, 1], [1, 0], [1, 1]];
    cells.into_iter().map(|[dy, dx]| input.index(top + dy, left + dx, channel)).collect()
}

fn dense_kernel(input: &Image, grad_output: &Image, gradient: &mut LayerGradient) {
    let inputs = input.values.len();
    for (u, g) in grad_output.values.iter().enumerate() {
        for (i, x) in input.values.iter().enumerate() {
            gradient.kernel[u * inputs + i] += g * x;
        }
    }
}

fn conv_bias(shape: &ConvShape, grad_output: &Image, gradient: &mut LayerGradient) {
    for (position, g) in grad_output.values.iter().enumerate() {
        gradient.bias[position % shape.filters] = *g;
    }
}

/// Visits the row and the column of the padded image under each cell of the kernel, at each position.
fn for_each_cell(shape: &ConvShape, mut visit: impl FnMut(usize, usize, [usize; 2])) {
    for position in 0..shape.output[0] * shape.output[1] {
        let (y, x) = (position / shape.output[1], position % shape.output[1]);
        for cell in 0..shape.kernel[0] * shape.kernel[1] {
            let (ky, kx) = (cell / shape.kernel[1], cell % shape.kernel[1]);
            visit(position, cell, [y * shape.stride[0] + ky, x * shape.stride[1] + kx]);
        }
    }
}

fn conv_kernel(input: &Image, shape: &ConvShape, grad_output: &Image, gradient: &mut LayerGradient) {
    for_each_cell(shape, |position, cell, [row, column]| {
        let pixel = input.index(row.min(input.height - 1), column.min(input.width - 1), 0);
        for c in 0..input.channels {
            for f in 0..shape.filters {
                let g = grad_output.values[position * shape.filters + f];
                gradient.kernel[(cell * input.channels + c) * shape.filters + f] += g * input.values[pixel + c];
            }
        }
    });
}

fn conv_input(input: &Image, shape: &ConvShape, kernel: &[f64], grad_output: &Image) -> Image {
    let mut grad_input = Image::zeros(input.height, input.width, input.channels);
    let cells = shape.kernel[0] * shape.kernel[1];
    for_each_cell(shape, |position, cell, [row, column]| {
        let inside = (shape.padding[0]..shape.padding[0] + input.height).contains(&row)
            && (shape.padding[1]..shape.padding[1] + input.width).contains(&column);
        if !inside {
            return;
        }
        let pixel = input.index(row - shape.padding[0], column - shape.padding[1], 0);
        for c in 0..input.channels {
            for f in 0..shape.filters {
                let in_cell = c * shape.filters + f;
                let mirrored = |weight: usize| {
                    (cells - 1 - weight / (input.channels * shape.filters)) * input.channels * shape.filters + in_cell
                };
                let (to, from) = (position * shape.filters + f, pixel + c);
                let weight = cell * input.channels * shape.filters + in_cell;
                grad_input.values[from] += grad_output.values[to] * kernel[mirrored(weight)];
            }
        }
    });
    grad_input
}
