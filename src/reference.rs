//! The textbook: the whole network, forward and backward, as plain loops in `f64`.
//!
//! Read this file first. Nothing here is fast and nothing is clever: each layer is its formula, its backward pass is the
//! formula's derivative, and both stand side by side. Everything else in the crate is a faster way to compute the same
//! numbers, and is tested against this file; this file is tested against central finite differences. It shares no code
//! with the engine.
//!
//! # How backpropagation reads here
//!
//! A network is a list of functions applied one after the other, and the loss L is one number at the end. Going backward,
//! every layer is handed ∂L/∂output, and owes two things: ∂L/∂input, which it hands to the layer before it, and ∂L/∂(each of
//! its own parameters), which it adds to the gradients. The chain rule is all there is:
//!
//! ```text
//! ∂L/∂input = Σ over outputs  ∂L/∂output · ∂output/∂input
//! ```
//!
//! So each `backward` below walks the very loops of its `forward`, and where forward says `output += input · weight`,
//! backward says `grad_input += grad_output · weight` and `grad_weight += grad_output · input`.
//!
//! # An example to check by hand
//!
//! One 4×4 image with one channel, one 3×3 filter with bias 1, ReLU, one 2×2 pooling window, a dense weight 0.5 with bias −2:
//!
//! ```text
//! image        filter       conv + 1    ReLU    max   dense             sigmoid   loss for label 1
//! 1 2 0 1       1  0 -1      1   4      1  4     4    0.5·4 − 2 = 0     ½         −ln ½ = 0.6931
//! 0 1 3 1       0  1  0     -1   3      0  3
//! 2 1 0 0      -1  0  1
//! 1 0 1 2
//! ```
//!
//! Backward from ∂L/∂z = p − y = −½: the dense weight gets −½·4 = −2, its bias −½; the pooled cell gets −½·0.5 = −¼, which goes
//! to the one cell that was the maximum, row 0, column 1; ReLU lets it through, since 4 > 0. So the filter's gradient is −¼ times
//! the image patch under that cell, its bias gets −¼, and the image gets −¼ times the filter, laid at that cell:
//!
//! ```text
//! ∂L/∂filter = −¼ · 2 0 1      ∂L/∂image = −¼ · 0  1  0 -1
//!                   1 3 1                       0  0  1  0
//!                   1 0 0                       0 -1  0  1
//!                                               0  0  0  0
//! ```
//!
//! Adam's first step moves every weight with a gradient by almost exactly the learning rate 0.001, against the gradient's
//! sign: the dense weight becomes 0.501. The tests in `reference/tests.rs` check each of these numbers.
//!
//! # Layout
//!
//! An image is `[H, W, C]`, channels last; a filter bank is `[kernel height, kernel width, C, F]`; a dense kernel is
//! `[inputs, units]`. The letters are those of the [crate's notation](crate#notation).

/// An image, or any activation, of height H, width W and C channels; a vector is an image of 1×1×C.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// H, in pixels.
    pub height: usize,
    /// W, in pixels.
    pub width: usize,
    /// C.
    pub channels: usize,
    /// The values in H, W, C order: `values[(y·W + x)·C + c]`.
    pub values: Vec<f64>,
}

impl Image {
    /// An image of zeros.
    pub fn zeros(height: usize, width: usize, channels: usize) -> Image {
        Image { height, width, channels, values: vec![0.0; height * width * channels] }
    }

    /// Where pixel (y, x), channel c stands in `values`.
    pub fn index(&self, y: usize, x: usize, c: usize) -> usize {
        (y * self.width + x) * self.channels + c
    }
}

/// A convolution's numbers that are not weights.
#[derive(Clone, Debug)]
pub struct ConvShape {
    /// Kernel height and width.
    pub kernel: [usize; 2],
    /// Steps of the kernel over the image, down and across.
    pub stride: [usize; 2],
    /// Rows of zeros above, columns of zeros to the left of the image.
    pub padding: [usize; 2],
    /// Height and width of the output; zeros are assumed as far below and to the right as this needs.
    pub output: [usize; 2],
    /// F, the number of filters.
    pub filters: usize,
}

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

/// The gradient of a layer's parameters; both empty for a layer without any.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LayerGradient {
    /// ∂L/∂kernel, in the kernel's own layout.
    pub kernel: Vec<f64>,
    /// ∂L/∂bias.
    pub bias: Vec<f64>,
}

// ------------------------------------------------------------------------------------------------------- convolution

/// Visits every product of a convolution: `visit(output position, input position, kernel position)`, each an index into
/// that tensor's values. Padding holds zeros, which add nothing, so it is passed over.
fn for_each_product(input: &Image, shape: &ConvShape, mut visit: impl FnMut(usize, usize, usize)) {
    let [output_height, output_width] = shape.output;
    for y in 0..output_height {
        for x in 0..output_width {
            for ky in 0..shape.kernel[0] {
                for kx in 0..shape.kernel[1] {
                    // Which input pixel lies under kernel cell (ky, kx) when the kernel stands at output (y, x)?
                    let (row, column) = (y * shape.stride[0] + ky, x * shape.stride[1] + kx);
                    let inside = (shape.padding[0]..shape.padding[0] + input.height).contains(&row)
                        && (shape.padding[1]..shape.padding[1] + input.width).contains(&column);
                    if !inside {
                        continue;
                    }
                    for c in 0..input.channels {
                        let from = input.index(row - shape.padding[0], column - shape.padding[1], c);
                        for f in 0..shape.filters {
                            let to = (y * output_width + x) * shape.filters + f;
                            let weight = ((ky * shape.kernel[1] + kx) * input.channels + c) * shape.filters + f;
                            visit(to, from, weight);
                        }
                    }
                }
            }
        }
    }
}

/// `output[y, x, f] = bias[f] + Σ_{ky, kx, c} input[y·stride + ky − padding, x·stride + kx − padding, c] · kernel[ky, kx, c, f]`,
/// where pixels outside the image are 0. The kernel is not flipped, so strictly this is a cross-correlation.
pub fn conv2d_forward(input: &Image, shape: &ConvShape, kernel: &[f64], bias: &[f64]) -> Image {
    let mut output = Image::zeros(shape.output[0], shape.output[1], shape.filters);
    for (position, value) in output.values.iter_mut().enumerate() {
        *value = bias[position % shape.filters];
    }
    for_each_product(input, shape, |to, from, weight| output.values[to] += input.values[from] * kernel[weight]);
    output
}

/// With g = ∂L/∂output, adds to `gradient` `∂L/∂bias[f] = Σ_{y, x} g[y, x, f]` and `∂L/∂kernel[ky, kx, c, f] = Σ_{y, x} g[y, x, f]`
/// · (the input under kernel cell ky, kx), and returns ∂L/∂input: for each pixel, Σ g · kernel over the products it was in.
pub fn conv2d_backward(
    input: &Image,
    shape: &ConvShape,
    kernel: &[f64],
    grad_output: &Image,
    gradient: &mut LayerGradient,
) -> Image {
    let mut grad_input = Image::zeros(input.height, input.width, input.channels);
    for (position, g) in grad_output.values.iter().enumerate() {
        gradient.bias[position % shape.filters] += g;
    }
    for_each_product(input, shape, |to, from, weight| {
        grad_input.values[from] += grad_output.values[to] * kernel[weight];
        gradient.kernel[weight] += grad_output.values[to] * input.values[from];
    });
    grad_input
}

// ----------------------------------------------------------------------------------------------------------- pooling

/// For every output cell of a max-pool, in order: where the *first* largest value of its window stands in the input, and by
/// how much it beats the runner-up.
fn window_maxima(input: &Image, window: [usize; 2], stride: [usize; 2]) -> (Image, Vec<(usize, f64)>) {
    // Floor: a window that would hang over the edge is not taken.
    let height = (input.height - window[0]) / stride[0] + 1;
    let width = (input.width - window[1]) / stride[1] + 1;
    let mut maxima = Vec::new();
    for y in 0..height {
        for x in 0..width {
            for c in 0..input.channels {
                let mut best = input.index(y * stride[0], x * stride[1], c);
                let mut runner_up = f64::NEG_INFINITY;
                for dy in 0..window[0] {
                    for dx in 0..window[1] {
                        let here = input.index(y * stride[0] + dy, x * stride[1] + dx, c);
                        if input.values[here] > input.values[best] {
                            runner_up = input.values[best];
                            best = here;
                        } else if here != best {
                            runner_up = runner_up.max(input.values[here]);
                        }
                    }
                }
                maxima.push((best, input.values[best] - runner_up));
            }
        }
    }
    (Image::zeros(height, width, input.channels), maxima)
}

/// `output[y, x, c] = max over the window of input[y·s + dy, x·s + dx, c]`.
pub fn max_pool_forward(input: &Image, window: [usize; 2], stride: [usize; 2]) -> Image {
    let (mut output, maxima) = window_maxima(input, window, stride);
    for (value, (best, _)) in output.values.iter_mut().zip(maxima) {
        *value = input.values[best];
    }
    output
}

/// Only the first maximum of a window moved the output, so it alone gets the window's gradient.
pub fn max_pool_backward(input: &Image, window: [usize; 2], stride: [usize; 2], grad_output: &Image) -> Image {
    let mut grad_input = Image::zeros(input.height, input.width, input.channels);
    let (_, maxima) = window_maxima(input, window, stride);
    for (g, (best, _)) in grad_output.values.iter().zip(maxima) {
        grad_input.values[best] += g;
    }
    grad_input
}

// --------------------------------------------------------------------------------------- layers that work value by value

/// `output = max(input, 0)`.
pub fn relu_forward(input: &Image) -> Image {
    Image { values: input.values.iter().map(|x| x.max(0.0)).collect(), ..*input }
}

/// The slope is 1 where the input was positive, 0 elsewhere, and by convention 0 at 0.
pub fn relu_backward(input: &Image, grad_output: &Image) -> Image {
    let slope = |x: f64| if x > 0.0 { 1.0 } else { 0.0 };
    Image { values: input.values.iter().zip(&grad_output.values).map(|(x, g)| g * slope(*x)).collect(), ..*input }
}

/// Each value times its own factor; backward, its gradient is multiplied by that same factor.
pub fn dropout(values: &Image, factors: &[f64]) -> Image {
    Image { values: values.values.iter().zip(factors).map(|(x, factor)| x * factor).collect(), ..*values }
}

// ------------------------------------------------------------------------------------------------------------- dense

/// `output[u] = bias[u] + Σ_i input[i] · kernel[i, u]`.
pub fn dense_forward(input: &Image, kernel: &[f64], bias: &[f64]) -> Image {
    let mut output = Image { height: 1, width: 1, channels: bias.len(), values: bias.to_vec() };
    for (i, x) in input.values.iter().enumerate() {
        for u in 0..bias.len() {
            output.values[u] += x * kernel[i * bias.len() + u];
        }
    }
    output
}

/// With g = ∂L/∂output, returns `∂L/∂input[i] = Σ_u g[u] · kernel[i, u]`, and adds `∂L/∂kernel[i, u] = g[u] · input[i]` and
/// `∂L/∂bias[u] = g[u]` to `gradient`.
pub fn dense_backward(input: &Image, kernel: &[f64], grad_output: &Image, gradient: &mut LayerGradient) -> Image {
    let units = grad_output.values.len();
    let mut grad_input = Image::zeros(input.height, input.width, input.channels);
    for (u, g) in grad_output.values.iter().enumerate() {
        gradient.bias[u] += g;
        for (i, x) in input.values.iter().enumerate() {
            grad_input.values[i] += g * kernel[i * units + u];
            gradient.kernel[i * units + u] += g * x;
        }
    }
    grad_input
}

// -------------------------------------------------------------------------------------------------------------- loss

/// σ(z) = 1 / (1 + e⁻ᶻ), the probability of class 1.
pub fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// Binary cross-entropy −y·ln σ(z) − (1 − y)·ln(1 − σ(z)), rearranged so that no exponential can overflow:
/// max(z, 0) − z·y + ln(1 + e^−|z|).
pub fn binary_cross_entropy(z: f64, label: f64) -> f64 {
    z.max(0.0) - z * label + (-z.abs()).exp().ln_1p()
}

/// ∂/∂z of [`binary_cross_entropy`]. With p = σ(z), ∂L/∂p = (p − y) / (p·(1 − p)) and ∂p/∂z = p·(1 − p), so ∂L/∂z = p − y.
pub fn binary_cross_entropy_gradient(z: f64, label: f64) -> f64 {
    sigmoid(z) - label
}

// ----------------------------------------------------------------------------------------------------------- network

/// What a training step's forward and backward pass found.
#[derive(Clone, Debug)]
pub struct Step {
    /// The logit z of every sample.
    pub logits: Vec<f64>,
    /// The mean loss over the batch.
    pub loss: f64,
    /// Per layer, the gradient of the mean loss.
    pub gradients: Vec<LayerGradient>,
    /// Per sample, ∂L/∂image.
    pub grad_inputs: Vec<Image>,
    /// How far the nearest kink is: the smallest |x| that went into a ReLU, and the smallest lead of a maximum over the
    /// runner-up of its window. Below about 1e-4, `f32` and `f64` may rightly take different sides. (A tie of zeros,
    /// common after a ReLU, which stops their gradient, is not counted.)
    pub margin: f64,
}

/// One sample through all layers: every layer's input in turn, and last the network's output. That list is all that the
/// backward pass needs to remember. `factors` are the dropout factors of this sample, one list for each dropout layer in
/// order; none when the network only predicts.
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

/// One training step's gradients: every sample forward, the mean loss, every sample backward.
///
/// `factors[sample]` are that sample's dropout factors as in [`forward`].
pub fn step(layers: &[Layer], images: &[Image], labels: &[f64], factors: &[Vec<Vec<f64>>]) -> Step {
    weighted_step(layers, images, labels, [1.0, 1.0], factors)
}

/// [`step`] where a sample's loss is first multiplied by the weight of its class: L = Σ `weight[label]`·loss / N, with N the
/// number of samples, not the sum of their weights. A weight is a constant, so the gradient is multiplied by it as well.
pub fn weighted_step(
    layers: &[Layer],
    images: &[Image],
    labels: &[f64],
    class_weights: [f64; 2],
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
        let z = activations[layers.len()].values[0];
        logits.push(z);
        // What one unit of this sample's own loss adds to the mean.
        let share = class_weights[label as usize] / n;
        loss += share * binary_cross_entropy(z, label);

        let grad_logit = share * binary_cross_entropy_gradient(z, label);
        let mut grad = Image { height: 1, width: 1, channels: 1, values: vec![grad_logit] };
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

// -------------------------------------------------------------------------------------------------------------- Adam

/// Adam's settings (Kingma and Ba, *Adam: A Method for Stochastic Optimization*, 2015), with ε where Keras has it.
#[derive(Clone, Copy, Debug)]
pub struct Adam {
    /// Step size.
    pub learning_rate: f64,
    /// Decay of the mean of gradients.
    pub beta_1: f64,
    /// Decay of the mean of squared gradients.
    pub beta_2: f64,
    /// Keeps the division finite.
    pub epsilon: f64,
    /// W: in each step every weight also shrinks by learning rate · W of itself; 0 for plain Adam.
    pub weight_decay: f64,
}

impl Adam {
    /// Updates one tensor in step `t`, counted from 1 and once a step, not once a tensor. `m` and `v`, zeros at first, are
    /// the running means of the gradient and of its square; both start too small, which α makes good:
    ///
    /// ```text
    /// α = learning rate · √(1 − β₂ᵗ) / (1 − β₁ᵗ)
    /// m += (g − m)(1 − β₁)      v += (g² − v)(1 − β₂)      w −= learning rate · W · w + α·m / (√v + ε)
    /// ```
    ///
    /// With W above 0 this is AdamW (Loshchilov and Hutter, *Decoupled Weight Decay Regularization*, 2019): the decay is not
    /// part of g, so m and v do not see it.
    pub fn update(&self, t: i32, weights: &mut [f64], gradient: &[f64], m: &mut [f64], v: &mut [f64]) {
        let alpha = self.learning_rate * (1.0 - self.beta_2.powi(t)).sqrt() / (1.0 - self.beta_1.powi(t));
        for i in 0..weights.len() {
            m[i] += (gradient[i] - m[i]) * (1.0 - self.beta_1);
            v[i] += (gradient[i] * gradient[i] - v[i]) * (1.0 - self.beta_2);
            let decay = self.learning_rate * self.weight_decay * weights[i];
            weights[i] -= decay + alpha * m[i] / (v[i].sqrt() + self.epsilon);
        }
    }
}

#[cfg(test)]
mod tests;
