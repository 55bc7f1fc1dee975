//! A whole network: its layers forward, and a training step backward through all of them.

use super::average_pool::{
    average_pool_backward, average_pool_forward, global_average_pool_backward, global_average_pool_forward,
};
use super::batch_normalization::{Moments, batch_normalization_backward, batch_normalization_forward, moments};
use super::conv2d::{ConvShape, conv2d_backward, conv2d_forward};
use super::dense::{dense_backward, dense_forward};
use super::depthwise_conv2d::{depthwise_conv2d_backward, depthwise_conv2d_forward};
use super::elementwise::{dropout, leaky_relu_backward, leaky_relu_forward, relu_backward, relu_forward};
use super::loss::{
    binary_cross_entropy, binary_cross_entropy_gradient, categorical_cross_entropy, categorical_cross_entropy_gradient,
    label_cross_entropy, label_cross_entropy_gradient, smoothed_label_targets, smoothed_targets,
};
use super::max_pool::{max_pool_backward, max_pool_forward, window_maxima};
use super::pool_shape::PoolShape;
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
        /// `[F]`; zeros for a layer that has none, whose gradient then belongs to no parameter.
        bias: Vec<f64>,
    },
    /// Cross-correlation of each channel by itself, plus a bias per filter.
    DepthwiseConv2d {
        /// Sizes; the filters are those of all channels.
        shape: ConvShape,
        /// `[kernel height, kernel width, C, M]`.
        kernel: Vec<f64>,
        /// `[C·M]`; zeros for a layer that has none.
        bias: Vec<f64>,
    },
    /// The largest value of each window, per channel.
    MaxPool(PoolShape),
    /// The mean of each window, per channel.
    AveragePool(PoolShape),
    /// The mean of all pixels, per channel.
    GlobalAveragePool,
    /// max(x, 0).
    Relu,
    /// x where it is positive, else a share of it.
    LeakyRelu {
        /// That share.
        negative_slope: f64,
    },
    /// The same values as a vector, in H, W, C order.
    Flatten,
    /// A weighted sum of all inputs for each unit, plus a bias.
    Dense {
        /// `[inputs, units]`.
        kernel: Vec<f64>,
        /// `[units]`; zeros for a layer that has none.
        bias: Vec<f64>,
    },
    /// Multiplies by a factor per value: 0 for a dropped one, 1/(1 − rate) for a kept one.
    Dropout,
    /// Gives each channel a mean and a deviation that are learned.
    BatchNormalization {
        /// γ, the deviation of each channel.
        gamma: Vec<f64>,
        /// β, the mean of each channel.
        beta: Vec<f64>,
        /// What a prediction takes for the mean and the variance of its input.
        moving: Moments,
        /// The part of the moving moments that a step keeps.
        momentum: f64,
        /// ε, which is added to the variance.
        epsilon: f64,
        /// True if it takes the moving moments in training too, and learns nothing.
        frozen: bool,
    },
}

impl Layer {
    /// Returns its kernel and bias, or γ and β, if it has weights.
    pub fn weights(&self) -> Option<(&[f64], &[f64])> {
        match self {
            Layer::Conv2d { kernel, bias, .. }
            | Layer::DepthwiseConv2d { kernel, bias, .. }
            | Layer::Dense { kernel, bias } => Some((kernel, bias)),
            Layer::BatchNormalization { gamma, beta, .. } => Some((gamma, beta)),
            _ => None,
        }
    }

    /// Returns the same, to write.
    pub fn weights_mut(&mut self) -> Option<(&mut Vec<f64>, &mut Vec<f64>)> {
        match self {
            Layer::Conv2d { kernel, bias, .. }
            | Layer::DepthwiseConv2d { kernel, bias, .. }
            | Layer::Dense { kernel, bias } => Some((kernel, bias)),
            Layer::BatchNormalization { gamma, beta, .. } => Some((gamma, beta)),
            _ => None,
        }
    }
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
    /// Per layer, the batch's moments where it is a batch normalization.
    pub moments: Vec<Option<Moments>>,
    /// How far the nearest kink is: the smallest |x| that went into a ReLU, leaky or not, and the smallest
    /// lead of a maximum over the runner-up of its window. Below about 1e-4, `f32` and `f64` may rightly take
    /// different sides. (A tie, common after a ReLU, which stops its gradient, is not counted.)
    pub margin: f64,
}

/// One sample through all layers, to predict: every layer's input in turn, and last the network's output.
/// `factors` are the dropout factors of this sample, one list for each dropout layer in order; none for a
/// prediction. A batch normalization takes its moving moments.
pub fn forward(layers: &[Layer], image: &Image, factors: &[Vec<f64>]) -> Vec<Image> {
    let mut activations = vec![image.clone()];
    let mut factors = factors.iter();
    for layer in layers {
        let input = activations.last().expect("the list starts with the image");
        let factors = if let Layer::Dropout = layer { factors.next() } else { None };
        activations.push(sample_forward(layer, input, factors));
    }
    activations
}

/// One sample through one layer.
fn sample_forward(layer: &Layer, input: &Image, factors: Option<&Vec<f64>>) -> Image {
    match layer {
        Layer::Conv2d { shape, kernel, bias } => conv2d_forward(input, shape, kernel, bias),
        Layer::DepthwiseConv2d { shape, kernel, bias } => depthwise_conv2d_forward(input, shape, kernel, bias),
        Layer::MaxPool(shape) => max_pool_forward(input, shape),
        Layer::AveragePool(shape) => average_pool_forward(input, shape),
        Layer::GlobalAveragePool => global_average_pool_forward(input),
        Layer::Relu => relu_forward(input),
        Layer::LeakyRelu { negative_slope } => leaky_relu_forward(input, *negative_slope),
        Layer::Flatten => Image { height: 1, width: 1, channels: input.values.len(), values: input.values.clone() },
        Layer::Dense { kernel, bias } => dense_forward(input, kernel, bias),
        Layer::Dropout => factors.map_or_else(|| input.clone(), |factors| dropout(input, factors)),
        Layer::BatchNormalization { gamma, beta, moving, epsilon, .. } => {
            batch_normalization_forward(std::slice::from_ref(input), moving, gamma, beta, *epsilon).remove(0)
        }
    }
}

/// A batch through one layer, to train: each sample by itself, but for a batch normalization. `factors` are
/// each sample's dropout factors, which a dropout layer alone looks at.
pub fn layer_forward(layer: &Layer, inputs: &[Image], factors: &[Option<&Vec<f64>>]) -> Vec<Image> {
    match layer {
        Layer::BatchNormalization { gamma, beta, epsilon, frozen: false, .. } => {
            batch_normalization_forward(inputs, &moments(inputs), gamma, beta, *epsilon)
        }
        _ => inputs.iter().zip(factors).map(|(input, factors)| sample_forward(layer, input, *factors)).collect(),
    }
}

/// A sample's gradient back through one layer, whose parameters' gradients are added to `gradient`.
fn sample_backward(
    layer: &Layer,
    input: &Image,
    grad: &Image,
    factors: Option<&Vec<f64>>,
    gradient: &mut LayerGradient,
) -> Image {
    match layer {
        Layer::Conv2d { shape, kernel, .. } => conv2d_backward(input, shape, kernel, grad, gradient),
        Layer::DepthwiseConv2d { shape, kernel, .. } => depthwise_conv2d_backward(input, shape, kernel, grad, gradient),
        Layer::MaxPool(shape) => max_pool_backward(input, shape, grad),
        Layer::AveragePool(shape) => average_pool_backward(input, shape, grad),
        Layer::GlobalAveragePool => global_average_pool_backward(input, grad),
        Layer::Relu => relu_backward(input, grad),
        Layer::LeakyRelu { negative_slope } => leaky_relu_backward(input, *negative_slope, grad),
        Layer::Flatten => Image { values: grad.values.clone(), ..*input },
        Layer::Dense { kernel, .. } => dense_backward(input, kernel, grad, gradient),
        Layer::Dropout => factors.map_or_else(|| grad.clone(), |factors| dropout(grad, factors)),
        Layer::BatchNormalization { gamma, moving, epsilon, frozen: true, .. } => {
            let slope = |c: usize| gamma[c] / (moving.variance[c] + epsilon).sqrt();
            let values = grad.values.iter().enumerate().map(|(position, g)| g * slope(position % grad.channels));
            Image { values: values.collect(), ..*grad }
        }
        Layer::BatchNormalization { .. } => unreachable!("it goes back with its whole batch"),
    }
}

/// A batch's gradients back through one layer, whose parameters' gradients are added to `gradient`. `inputs`
/// and `factors` are those of [`layer_forward`].
pub fn layer_backward(
    layer: &Layer,
    inputs: &[Image],
    grads: &[Image],
    factors: &[Option<&Vec<f64>>],
    gradient: &mut LayerGradient,
) -> Vec<Image> {
    match layer {
        Layer::BatchNormalization { gamma, epsilon, frozen: false, .. } => {
            batch_normalization_backward(inputs, gamma, *epsilon, grads, gradient)
        }
        _ => {
            let samples = inputs.iter().zip(grads).zip(factors);
            samples.map(|((input, grad), factors)| sample_backward(layer, input, grad, *factors, gradient)).collect()
        }
    }
}

/// One training step's gradients: the batch forward, layer by layer, the mean loss, and the batch backward. A
/// label is the index of a sample's class. The loss is the binary cross-entropy of a network that ends with
/// one value, and the categorical one of a network that ends with several.
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
    step_with(layers, images, factors, |outputs| mean_loss(outputs, labels, class_weights, smoothing))
}

/// [`step`] where a sample has any number of labels: `labels[sample]` tells of each unit of the last layer
/// whether the sample has its label. The loss is the mean over samples of the [`label_cross_entropy`].
pub fn label_step(
    layers: &[Layer],
    images: &[Image],
    labels: &[Vec<bool>],
    smoothing: f64,
    factors: &[Vec<Vec<f64>>],
) -> Step {
    step_with(layers, images, factors, |outputs| mean_label_loss(outputs, labels, smoothing))
}

/// A training step's gradients by a loss of the network's outputs.
fn step_with(layers: &[Layer], images: &[Image], factors: &[Vec<Vec<f64>>], loss: impl Fn(&[Image]) -> Loss) -> Step {
    // What goes into every layer, and last the network's output: all that the backward pass needs.
    let mut activations = vec![images.to_vec()];
    for (index, layer) in layers.iter().enumerate() {
        activations.push(layer_forward(layer, &activations[index], &layer_factors(layers, index, factors)));
    }
    let Loss { logits, loss, grad_outputs } = loss(&activations[layers.len()]);

    let mut gradients: Vec<LayerGradient> = layers.iter().map(no_gradient).collect();
    let (mut batch_moments, mut margin, mut grads) = (vec![None; layers.len()], f64::INFINITY, grad_outputs);
    for (index, layer) in layers.iter().enumerate().rev() {
        let inputs = &activations[index];
        margin = inputs.iter().map(|input| smallest_margin(layer, input)).fold(margin, f64::min);
        if let Layer::BatchNormalization { frozen: false, .. } = layer {
            batch_moments[index] = Some(moments(inputs));
        }
        grads = layer_backward(layer, inputs, &grads, &layer_factors(layers, index, factors), &mut gradients[index]);
    }
    Step { logits, loss, gradients, grad_inputs: grads, moments: batch_moments, margin }
}

/// The mean loss of a batch, and where its backward pass begins.
#[derive(Clone, Debug)]
pub struct Loss {
    /// The logits z of every sample, one after the other.
    pub logits: Vec<f64>,
    /// L, the mean loss.
    pub loss: f64,
    /// Per sample, ∂L/∂z.
    pub grad_outputs: Vec<Image>,
}

/// The loss of the network's `outputs`, as [`weighted_step`] takes it.
pub fn mean_loss(outputs: &[Image], labels: &[usize], class_weights: &[f64], smoothing: f64) -> Loss {
    mean(outputs, |sample, z| {
        let label = labels[sample];
        let (loss, gradient) = match z[..] {
            [z] => {
                let y = smoothed_targets(label, 2, smoothing)[1];
                (binary_cross_entropy(z, y), vec![binary_cross_entropy_gradient(z, y)])
            }
            _ => {
                let y = smoothed_targets(label, z.len(), smoothing);
                (categorical_cross_entropy(z, &y), categorical_cross_entropy_gradient(z, &y))
            }
        };
        (class_weights[label], loss, gradient)
    })
}

/// The loss of the network's `outputs`, as [`label_step`] takes it.
pub fn mean_label_loss(outputs: &[Image], labels: &[Vec<bool>], smoothing: f64) -> Loss {
    mean(outputs, |sample, z| {
        let y = smoothed_label_targets(&labels[sample], smoothing);
        (1.0, label_cross_entropy(z, &y), label_cross_entropy_gradient(z, &y))
    })
}

/// The mean over samples of a loss, which `of` gives with its weight and its gradient by the logits.
fn mean(outputs: &[Image], of: impl Fn(usize, &[f64]) -> (f64, f64, Vec<f64>)) -> Loss {
    let (mut logits, mut loss, mut grad_outputs) = (vec![], 0.0, vec![]);
    for (sample, output) in outputs.iter().enumerate() {
        let z = &output.values;
        logits.extend(z);
        let (weight, sample_loss, sample_gradient) = of(sample, z);
        // What one unit of this sample's own loss adds to the mean.
        let share = weight / outputs.len() as f64;
        loss += share * sample_loss;
        let grad_logits = sample_gradient.iter().map(|g| share * g).collect();
        grad_outputs.push(Image { height: 1, width: 1, channels: z.len(), values: grad_logits });
    }
    Loss { logits, loss, grad_outputs }
}

/// Each sample's factors in the layer at `index`, if that is a dropout: `factors[sample]` has a list for each
/// dropout layer in order.
pub fn layer_factors<'a>(layers: &[Layer], index: usize, factors: &'a [Vec<Vec<f64>>]) -> Vec<Option<&'a Vec<f64>>> {
    let is_dropout = |layer: &&Layer| matches!(layer, Layer::Dropout);
    let ordinal = layers[..index].iter().filter(is_dropout).count();
    factors.iter().map(|factors| factors.get(ordinal)).collect()
}

/// A gradient of zeros for a layer's parameters.
pub fn no_gradient(layer: &Layer) -> LayerGradient {
    match layer {
        Layer::Conv2d { kernel, bias, .. }
        | Layer::DepthwiseConv2d { kernel, bias, .. }
        | Layer::Dense { kernel, bias } => {
            LayerGradient { kernel: vec![0.0; kernel.len()], bias: vec![0.0; bias.len()] }
        }
        Layer::BatchNormalization { gamma, beta, .. } => {
            LayerGradient { kernel: vec![0.0; gamma.len()], bias: vec![0.0; beta.len()] }
        }
        _ => LayerGradient::default(),
    }
}

/// The smallest distance of a layer's input from a place where the layer's slope jumps.
fn smallest_margin(layer: &Layer, input: &Image) -> f64 {
    match layer {
        Layer::Relu | Layer::LeakyRelu { .. } => input.values.iter().map(|x| x.abs()).fold(f64::INFINITY, f64::min),
        Layer::MaxPool(shape) => window_maxima(input, shape)
            .into_iter()
            .map(|(_, lead)| lead)
            .filter(|&lead| lead != 0.0)
            .fold(f64::INFINITY, f64::min),
        _ => f64::INFINITY,
    }
}
