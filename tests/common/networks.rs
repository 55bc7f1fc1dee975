//! Networks drawn at random, and batches for them.

use super::{as_images, values};
use glassnet::classes::{Label, LabelSet};
use glassnet::geometry::Padding;
use glassnet::head::{ClassWeights, Targets};
use glassnet::kernels::conv::registry::ConvPolicy;
use glassnet::network::Network;
use glassnet::parameters::Parameters;
use glassnet::plan::PlanOptions;
use glassnet::random::{Purpose, Stream};
use glassnet::reference as textbook;
use glassnet::spec::{LayerSpec, ModelSpec, Size};
use ndarray::ArrayView4;
use proptest::prelude::*;
use std::ops::Range;

/// Small networks: one or two blocks of convolution, perhaps ReLU and pooling, then one or two dense layers.
/// One in four has so many channels, and 3×3 or 5×5 kernels, that the faster algorithms are chosen.
pub fn networks() -> impl Strategy<Value = Network> {
    // With one or two filters, a bias's gradient is a tensor of one or two sums that may cancel; with few
    // hidden units all may be nearly off. The kernels' own tests have these sizes.
    let narrow = networks_of(3..6, 1..4, (size(1..4), size(1..3)).boxed());
    let square = prop_oneof![3 => Just(Size::Square(3)), 1 => Just(Size::Square(5))];
    let wide = networks_of(16..20, 16..18, (square, Just(Size::Square(1))).boxed());
    prop_oneof![3 => narrow, 1 => wide]
}

fn networks_of(
    filters: Range<usize>,
    channels: Range<usize>,
    kernel_and_stride: BoxedStrategy<(Size, Size)>,
) -> impl Strategy<Value = Network> {
    // Without a stride of its own, windows lie side by side, as a fused block needs it.
    let pool = proptest::option::of((size(1..4), proptest::option::of(size(1..4))));
    let block = (filters, kernel_and_stride, padding(), any::<[bool; 2]>(), pool);
    let hidden = proptest::option::of((6..12usize, 0.0..0.5f64));
    let input = (4..8usize, 4..8usize, channels);
    // One unit, or one for each class.
    let units = prop_oneof![Just(1usize), 2..6usize];
    (input, proptest::collection::vec(block, 1..3), hidden, units).prop_filter_map(
        "the layers do not fit each other",
        |((height, width, channels), blocks, hidden, units)| {
            let mut layers = Vec::new();
            for (filters, (kernel, stride), padding, [relu, use_bias], pool) in blocks {
                layers.push(LayerSpec::Conv2d {
                    filters,
                    kernel,
                    stride,
                    padding,
                    dilation: Size::Square(1),
                    use_bias,
                });
                layers.extend(relu.then_some(LayerSpec::Relu {}));
                layers.extend(pool.map(|(window, stride)| LayerSpec::MaxPool {
                    window,
                    stride,
                    padding: Padding::Valid,
                }));
            }
            layers.push(LayerSpec::Flatten {});
            if let Some((units, rate)) = hidden {
                layers.extend([
                    LayerSpec::Dense { units, use_bias: true },
                    LayerSpec::Relu {},
                    LayerSpec::Dropout { rate },
                ]);
            }
            layers.push(LayerSpec::Dense { units, use_bias: true });
            Network::new(&ModelSpec::new([height, width, channels], layers)).ok()
        },
    )
}

/// A border by its word, or of so many pixels.
pub fn padding() -> impl Strategy<Value = Padding> {
    let pixels = ([0..3usize, 0..3usize], [0..3usize, 0..3usize]);
    let pixels = pixels.prop_map(|(before, after)| Padding::pixels(before, after));
    prop_oneof![2 => Just(Padding::Valid), 2 => Just(Padding::Same), 1 => pixels]
}

/// The same, but for images that may have several labels: a unit for each of them.
pub fn label_networks() -> impl Strategy<Value = Network> {
    networks().prop_filter_map("one unit is of no several labels", |network| {
        Network::new(&ModelSpec { several_labels: true, ..network.spec().clone() }).ok()
    })
}

/// A size in both directions.
pub fn size(range: Range<usize>) -> impl Strategy<Value = Size> {
    [range.clone(), range].prop_map(Size::Rectangle)
}

/// Every way to train: each choice of algorithms, with and without fused blocks.
pub fn ways_to_train() -> impl Iterator<Item = PlanOptions> {
    let options = |conv, fuse| PlanOptions { conv, fuse, training: true, input_gradient: true };
    ConvPolicy::ALL.into_iter().flat_map(move |conv| [true, false].map(|fuse| options(conv, fuse)))
}

/// What a failure calls these options.
pub fn way_name(options: &PlanOptions) -> String {
    format!("{} {}", options.conv, if options.fuse { "fused" } else { "layer by layer" })
}

/// A batch for a network: images, labels and dropout masks.
#[derive(Clone)]
pub struct Batch {
    /// `[N, H, W, C]`.
    pub images: Vec<f32>,
    /// One for each image.
    pub labels: Vec<Label>,
    /// The labels of each image, where it may have several.
    pub sets: Vec<LabelSet>,
    /// For each dropout layer 1 for a value that is kept and 0 for one that is not.
    pub masks: Vec<Vec<f32>>,
    /// How much an image of each class counts.
    pub class_weights: ClassWeights,
    /// The label smoothing.
    pub smoothing: f64,
}

impl Batch {
    /// Random images, kept values, and labels of which two in three are 1, the others 0, or of more classes
    /// 2, 3, … in turn; or of labels any number. In every second batch the classes weigh differently, in
    /// every third labels are smoothed.
    pub fn draw(network: &Network, count: usize, seed: u64) -> Batch {
        let image_len: usize = network.spec().input.iter().product();
        let mut stream = Stream::new(seed, Purpose::Test, 1, 0);
        let classes = network.head().classes();
        let other = |sample: usize| if sample % 3 == 2 { (sample / 3 + 2) % classes } else { 1 };
        let weight = |class: usize| if seed.is_multiple_of(2) { 1.0 } else { [0.75, 1.5, 1.25][class % 3] };
        let several = network.head().has_several_labels();
        let set = |sample: usize| {
            let has = |label: &Label| (sample + label.index() * 3 + seed as usize % 5) % 5 < 2;
            (0..classes).map(Label::new).filter(has).collect()
        };
        let weights = if several { Vec::new() } else { (0..classes).map(weight).collect::<Vec<f64>>() };
        let dropout_units = network.layers().iter().filter(|layer| layer.name.starts_with("dropout"));
        Batch {
            images: values(count * image_len, seed, 0).iter().map(|x| x + 0.5).collect(),
            labels: (0..count).map(|sample| Label::new(other(sample))).collect(),
            masks: dropout_units
                .map(|layer| (0..count * layer.output.len()).map(|_| f32::from(stream.below(3) > 0)).collect())
                .collect(),
            sets: (0..count).filter(|_| several).map(set).collect(),
            class_weights: ClassWeights::new(weights),
            smoothing: if seed.is_multiple_of(3) { 0.2 } else { 0.0 },
        }
    }

    /// The labels, as the textbook takes them.
    pub fn indices(&self) -> Vec<usize> {
        self.labels.iter().map(|label| label.index()).collect()
    }

    /// What the logits are compared with.
    pub fn targets(&self) -> Targets<'_> {
        let Batch { labels, sets, class_weights: weights, smoothing, .. } = self;
        Targets { sets, weights, smoothing: *smoothing, ..Targets::new(labels) }
    }

    /// The images, as a plan takes them.
    pub fn images(&self, network: &Network) -> ArrayView4<'_, f32> {
        let [height, width, channels] = network.spec().input;
        ArrayView4::from_shape([self.labels.len(), height, width, channels], &self.images).unwrap()
    }

    /// The masks, as a forward pass takes them.
    pub fn masks(&self) -> Vec<&[f32]> {
        self.masks.iter().map(Vec::as_slice).collect()
    }

    /// How much of the samples' own gradients is left in the batch's: for the tensor where it is least, the
    /// largest element of the mean, divided by the largest mean of absolute values. Or twice the largest
    /// logit, if that is less: a sample's own products cancel there.
    pub fn rest(&self, network: &Network, parameters: &Parameters, step: &textbook::Step) -> f64 {
        let count = self.labels.len();
        let single = |sample: usize| {
            let part = |values: &[f32]| values[sample * (values.len() / count)..][..values.len() / count].to_vec();
            let masks = self.masks.iter().map(|mask| part(mask)).collect();
            let batch = Batch {
                images: part(&self.images),
                labels: vec![self.labels[sample]],
                sets: self.sets.get(sample).copied().into_iter().collect(),
                masks,
                class_weights: self.class_weights.clone(),
                smoothing: self.smoothing,
            };
            batch.textbook_step(network, parameters).gradients
        };
        let singles: Vec<_> = (0..count).map(single).collect();
        let largest = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0f64, |largest, x| largest.max(x.abs()));
        let rest_of = |tensor: fn(&textbook::LayerGradient) -> &[f64], layer: usize| {
            let sum = tensor(&step.gradients[layer]);
            let absolute = |i: usize| singles.iter().map(|s| tensor(&s[layer])[i].abs()).sum::<f64>() / count as f64;
            let absolute = largest(&mut (0..sum.len()).map(absolute));
            if absolute == 0.0 { 1.0 } else { largest(&mut sum.iter().copied()) / absolute }
        };
        (0..step.gradients.len())
            .map(|layer| rest_of(|g| &g.kernel, layer).min(rest_of(|g| &g.bias, layer)))
            .fold(2.0 * largest(&mut step.logits.iter().copied()), f64::min)
    }

    /// The textbook's step on this batch; factors are masks divided by 1 − rate.
    pub fn textbook_step(&self, network: &Network, parameters: &Parameters) -> textbook::Step {
        let rates: Vec<f64> = network
            .spec()
            .layers
            .iter()
            .filter_map(|layer| match layer {
                LayerSpec::Dropout { rate } => Some(*rate),
                _ => None,
            })
            .collect();
        let count = self.labels.len();
        let factors_of = |sample: usize| {
            let of_layer = |(mask, rate): (&Vec<f32>, &f64)| {
                let units = mask.len() / count;
                let kept = 1.0 / (1.0 - rate);
                mask[sample * units..][..units].iter().map(|&keep| f64::from(keep) * kept).collect()
            };
            self.masks.iter().zip(&rates).map(of_layer).collect::<Vec<Vec<f64>>>()
        };
        let factors: Vec<_> = (0..count).map(factors_of).collect();
        let images = as_images(&self.images, network.spec().input);
        let layers = network.twin(parameters);
        if !self.sets.is_empty() {
            let units = network.head().units();
            let row = |set: &LabelSet| (0..units).map(|label| set.has(Label::new(label))).collect();
            let sets: Vec<Vec<bool>> = self.sets.iter().map(row).collect();
            return textbook::label_step(&layers, &images, &sets, self.smoothing, &factors);
        }
        let weights = self.class_weights.as_slice();
        textbook::weighted_step(&layers, &images, &self.indices(), weights, self.smoothing, &factors)
    }
}
