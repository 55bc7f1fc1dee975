//! Networks of every kind of layer, drawn at random.

use super::networks::{Batch, padding, size};
use super::steps::{has_bias, is_normalized, is_normalized_behind_an_activation};
use super::wide;
use glassnet::layers::LayerKind;
use glassnet::network::Network;
use glassnet::parameters::Parameters;
use glassnet::reference as textbook;
use glassnet::spec::{LayerSpec, ModelSpec, Size};
use proptest::prelude::*;

/// Where batch normalizations stand in a network.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Normalized {
    Nowhere,
    /// Before each activation, right behind what has weights.
    Before,
    /// Behind each activation.
    Behind,
}

/// Networks of one or two blocks of a convolution, depthwise or not, an activation and perhaps a pool, then
/// flatten or a global pool and one or two dense layers. Images are not square, some are grey.
pub fn networks_of_every_layer() -> impl Strategy<Value = Network> {
    let input = (5..9usize, 5..9usize, 1..4usize);
    let normalized = prop_oneof![Just(Normalized::Nowhere), Just(Normalized::Before), Just(Normalized::Behind)];
    let blocks = proptest::collection::vec((with_kernel(), activation(), proptest::option::of(pool())), 1..3);
    let hidden = proptest::option::of((5..10usize, activation(), 0.0..0.4f64, any::<bool>()));
    let units = (prop_oneof![Just(1usize), 2..5usize], any::<bool>());
    (input, normalized, blocks, any::<bool>(), hidden, units).prop_filter_map(
        "the layers do not fit each other",
        |((height, width, channels), normalized, blocks, global, hidden, (units, use_bias))| {
            let mut layers = Vec::new();
            let normalize = |at: Normalized| (normalized == at).then_some(normalization());
            for (with_kernel, activation, pool) in blocks {
                layers.push(with_kernel);
                layers.extend(normalize(Normalized::Before));
                layers.push(activation);
                layers.extend(normalize(Normalized::Behind));
                layers.extend(pool);
            }
            layers.push(if global { LayerSpec::GlobalAveragePool {} } else { LayerSpec::Flatten {} });
            if let Some((units, activation, rate, use_bias)) = hidden {
                layers.push(LayerSpec::Dense { units, use_bias });
                layers.extend(normalize(Normalized::Before));
                layers.push(activation);
                layers.extend(normalize(Normalized::Behind));
                layers.push(LayerSpec::Dropout { rate });
            }
            layers.push(LayerSpec::Dense { units, use_bias });
            let network = Network::new(&ModelSpec::new([height, width, channels], layers)).ok()?;
            network.layers().iter().all(|layer| fits(&layer.kind)).then_some(network)
        },
    )
}

/// Whether a kernel is no larger than its image. One whose cells all lie around the image would see nothing.
fn fits(layer: &LayerKind) -> bool {
    let (input, kernel, dilation) = match layer {
        LayerKind::Conv2d(conv) => (conv.geometry.input, conv.geometry.kernel, conv.geometry.dilation),
        LayerKind::DepthwiseConv2d(conv) => (conv.geometry.input, conv.geometry.kernel, conv.geometry.dilation),
        _ => return true,
    };
    (0..2).all(|axis| (kernel[axis] - 1) * dilation[axis] < input[axis])
}

/// A convolution, or a depthwise one; every third of them dilated, every second without a bias.
fn with_kernel() -> impl Strategy<Value = LayerSpec> {
    let dilation = prop_oneof![2 => Just(Size::Square(1)), 1 => size(1..4)];
    // A kernel of one cell and one channel is but a factor, which a normalization takes away.
    let sizes = (size(2..4), size(1..3), padding(), dilation);
    (any::<[bool; 2]>(), sizes, 3..6usize, 1..4usize).prop_map(
        |([depthwise, use_bias], (kernel, stride, padding, dilation), filters, depth_multiplier)| match depthwise {
            true => LayerSpec::DepthwiseConv2d { kernel, stride, padding, dilation, depth_multiplier, use_bias },
            false => LayerSpec::Conv2d { filters, kernel, stride, padding, dilation, use_bias },
        },
    )
}

fn activation() -> impl Strategy<Value = LayerSpec> {
    let leaky = (0.0..0.5f64).prop_map(|negative_slope| LayerSpec::LeakyRelu { negative_slope });
    prop_oneof![1 => Just(LayerSpec::Relu {}), 1 => leaky]
}

fn pool() -> impl Strategy<Value = LayerSpec> {
    let sizes = (size(1..4), proptest::option::of(size(1..4)), padding());
    (any::<bool>(), sizes).prop_map(|(average, (window, stride, padding))| match average {
        true => LayerSpec::AveragePool { window, stride, padding },
        false => LayerSpec::MaxPool { window, stride, padding },
    })
}

fn normalization() -> LayerSpec {
    LayerSpec::BatchNormalization { momentum: 0.9, epsilon: 1e-3 }
}

/// How much a change of all weights and pixels by about a rounding of f32, in turn up and down, moves the
/// logits, the gradients and ∂L/∂images: of each tensor the largest change, divided by its largest element,
/// and of all of them the worst. Gradients of biases that batch normalization takes away, or that there are
/// none, are left out.
pub fn sensitivity(network: &Network, parameters: &Parameters, batch: &Batch, step: &textbook::Step) -> f64 {
    let nudge = |values: &mut [f32]| {
        for (place, value) in values.iter_mut().enumerate() {
            *value *= if place % 3 == 1 { 1.0 - 2.0 * f32::EPSILON } else { 1.0 + 2.0 * f32::EPSILON };
        }
    };
    let mut nudged = parameters.clone();
    nudge(nudged.as_mut_slice());
    let mut other = batch.clone();
    nudge(&mut other.images);
    let other = other.textbook_step(network, &nudged);
    let change = |a: &[f64], b: &[f64]| {
        let of = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0f64, |largest, x| largest.max(x.abs()));
        let difference = of(&mut a.iter().zip(b).map(|(a, b)| a - b));
        if difference == 0.0 { 0.0 } else { difference / of(&mut b.iter().copied()) }
    };
    let images = |step: &textbook::Step| step.grad_inputs.iter().flat_map(|g| g.values.clone()).collect::<Vec<f64>>();
    let outside = change(&other.logits, &step.logits).max(change(&images(&other), &images(step)));
    (0..network.layers().len()).fold(outside, |worst, layer| {
        let [a, b] = [&other, step].map(|step| &step.gradients[layer]);
        let normalizes = matches!(network.layers()[layer].kind, LayerKind::BatchNormalization(_));
        if normalizes || (has_bias(network, layer) && is_normalized_behind_an_activation(network, layer)) {
            let both = |gradient: &textbook::LayerGradient| [&gradient.kernel[..], &gradient.bias].concat();
            return worst.max(change(&both(a), &both(b)));
        }
        let counts = has_bias(network, layer) && !is_normalized(network, layer);
        let bias = if !counts { 0.0 } else { change(&a.bias, &b.bias) };
        worst.max(change(&a.kernel, &b.kernel)).max(bias)
    })
}

/// The textbook's logits of a prediction.
pub fn predicted(network: &Network, parameters: &Parameters, batch: &Batch) -> Vec<f64> {
    let [height, width, channels] = network.spec().input;
    let layers = network.twin(parameters);
    let image = |values: &[f32]| textbook::Image { height, width, channels, values: wide(values) };
    let images = batch.images.chunks_exact(height * width * channels).map(image);
    images.flat_map(|image| textbook::forward(&layers, &image, &[])[layers.len()].values.clone()).collect()
}
