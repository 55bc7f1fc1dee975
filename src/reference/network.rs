//! A whole network: its layers forward, and a training step backward through all of them.

use super::conv2d::{ConvShape, conv2d_backward, conv2d_forward};
use super::dense::{dense_backward, dense_forward};
use super::elementwise::{dropout, relu_backward, relu_forward};
use super::loss::{
    binary_cross_entropy, binary_cross_entropy_gradient, categorical_cross_entropy, categorical_cross_entropy_gradient,
    smoothed_targets,
};
use super::max_pool::{max_pool_backward, max_pool_forward, window_maxima};
use super::tensors::{Image, LayerGradient};

/// A layer together with its weights.
#[derive(Clone, Debug)]
pub enum Layer {
    /// Cross-correlation with F filters, plus a bias per filter.
    Conv2d {
        /// Sizes.
        shape: ConvShape,
        /// `[kernel height, kernel width, C, F]`.
        kernel: Vec<f64>,
        /// `[F]`.
        bias: Vec<f64>,
    },
    /// The largest value of each window, per channel.
    MaxPool {
        /// Height and width of the window.
        window: [usize; 2],
        /// Steps of the window, down and across.
        stride: [usize; 2],
    },
    /// max(x, 0).
    Relu,
    /// The same values as a vector, in H, W, C order.
    Flatten,
    /// A weighted sum of all inputs for each unit, plus a bias.
    Dense {
        /// `[inputs, units]`.
        kernel: Vec<f64>,
        /// `[units]`.
        bias: Vec<f64>,
    },
    /// Multiplies by a factor per value: 0 for a dropped one, 1/(1 − rate) for a kept one.
    Dropout,
}

/// What a training step's forward and backward pass found.
#[derive(Clone, Debug)]
pub struct Step {
    /// The logits z of every sample, one after the other: one of two classes, or K of K.
    pub logits: Vec<f64>,
    /// The mean loss over the batch.
    pub loss: f64,
    /// Per layer, the gradient of the mean loss.
    pub gradients: Vec<LayerGradient>,
    /// Per sample, ∂L/∂image.
    pub grad_inputs: Vec<Image>,
    /// How far the nearest kink is: the smallest |x| that went into a ReLU, and the smallest lead of a
    /// maximum over the runner-up of its window. Below about 1e-4, `f32` and `f64` may rightly take different
    /// sides. (A tie of zeros, common after a ReLU, which stops their gradient, is not counted.)
    pub margin: f64,
}

/// One sample through all layers: every layer's input in turn, and last the network's output. That list is
/// all that the backward pass needs to remember. `factors` are the dropout factors of this sample, one list
/// for each dropout layer in order; none when the network only predicts.
pub fn forward(layers: &[Layer], image: &Image, factors: &[Vec<f64>]) -> Vec<Image> {
    let mut activations = vec![image.clone()];
    let mut factors = factors.iter();
    for layer in layers {
        let input = activations.last().expect("the list starts with the image");
        let output = match layer {
            Layer::Conv2d { shape, kernel, bias } => conv2d_forward(input, shape, kernel, bias),
            Layer::MaxPool { window, stride } => max_pool_forward(input, *window, *stride),
            Layer::Relu => relu_forward(input),
            Layer::Flatten => Image { height: 1, width: 1, channels: input.values.len(), values: input.values.clone() },
            Layer::Dense { kernel, bias } => dense_forward(input, kernel, bias),
            Layer::Dropout => factors.next().map_or_else(|| input.clone(), |factors| dropout(input, factors)),
        };
        activations.push(output);
    }
    activations
}

/// One training step's gradients: every sample forward, the mean loss, every sample backward. A label is the
/// index of a sample's class. The loss is the binary cross-entropy of a network that ends with one value, and
/// the categorical one of a network that ends with several.
///
/// `factors[sample]` are that sample's dropout factors as in [`forward`].
pub fn step(layers: &[Layer], images: &[Image], labels: &[usize], factors: &[Vec<Vec<f64>>]) -> Step {
    let classes = labels.iter().max().map_or(0, |largest| largest + 1);
    weighted_step(layers, images, labels, &vec![1.0; classes], 0.0, factors)
}

/// [`step`] where a sample's loss is first multiplied by the weight of its class: L = Σ `weight[label]`·loss
/// / N, with N the number of samples, not the sum of their weights. A weight is a constant, so the gradient
/// is multiplied by it as well. The loss is that of the [`smoothed_targets`].
pub fn weighted_step(
    layers: &[Layer],
    images: &[Image],
    labels: &[usize],
    class_weights: &[f64],
    smoothing: f64,
    factors: &[Vec<Vec<f64>>],
) -> Step {
    let n = images.len() as f64;
    let mut gradients: Vec<LayerGradient> = layers
        .iter()
        .map(|layer| match layer {
            Layer::Conv2d { kernel, bias, .. } | Layer::Dense { kernel, bias } => {
                LayerGradient { kernel: vec![0.0; kernel.len()], bias: vec![0.0; bias.len()] }
            }
            _ => LayerGradient::default(),
        })
        .collect();
    let (mut logits, mut loss, mut grad_inputs, mut margin) = (vec![], 0.0, vec![], f64::INFINITY);

    for ((image, &label), factors) in images.iter().zip(labels).zip(factors) {
        let activations = forward(layers, image, factors);
        let z = &activations[layers.len()].values;
        logits.extend(z);
        let (sample_loss, sample_gradient) = match z[..] {
            [z] => {
                let y = smoothed_targets(label, 2, smoothing)[1];
                (binary_cross_entropy(z, y), vec![binary_cross_entropy_gradient(z, y)])
            }
            _ => {
                let y = smoothed_targets(label, z.len(), smoothing);
                (categorical_cross_entropy(z, &y), categorical_cross_entropy_gradient(z, &y))
            }
        };
        // What one unit of this sample's own loss adds to the mean.
        let share = class_weights[label] / n;
        loss += share * sample_loss;

        let grad_logits = sample_gradient.iter().map(|g| share * g).collect();
        let mut grad = Image { height: 1, width: 1, channels: z.len(), values: grad_logits };
        let mut factors = factors.iter().rev();
        for (index, layer) in layers.iter().enumerate().rev() {
            let (input, gradient) = (&activations[index], &mut gradients[index]);
            margin = margin.min(smallest_margin(layer, input));
            grad = match layer {
                Layer::Conv2d { shape, kernel, .. } => conv2d_backward(input, shape, kernel, &grad, gradient),
                Layer::MaxPool { window, stride } => max_pool_backward(input, *window, *stride, &grad),
                Layer::Relu => relu_backward(input, &grad),
                Layer::Flatten => Image { values: grad.values, ..*input },
                Layer::Dense { kernel, .. } => dense_backward(input, kernel, &grad, gradient),
                Layer::Dropout => match factors.next() {
                    Some(factors) => dropout(&grad, factors),
                    None => grad,
                },
            };
        }
        grad_inputs.push(grad);
    }
    Step { logits, loss, gradients, grad_inputs, margin }
}

/// The smallest distance of a layer's input from a place where the layer's slope jumps.
fn smallest_margin(layer: &Layer, input: &Image) -> f64 {
    match layer {
        Layer::Relu => input.values.iter().map(|x| x.abs()).fold(f64::INFINITY, f64::min),
        Layer::MaxPool { window, stride } => window_maxima(input, *window, *stride)
            .1
            .into_iter()
            .filter(|&(best, lead)| input.values[best] != 0.0 || lead != 0.0)
            .map(|(_, lead)| lead)
            .fold(f64::INFINITY, f64::min),
        _ => f64::INFINITY,
    }
}
