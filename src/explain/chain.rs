//! The chain rule of one weight, summed: all terms of its gradient.
//!
//! A weight of a convolution is used at every position of the output, so its gradient is a sum over them:
//! ∂L/∂w = Σ input · ∂L/∂output, over positions and images. The input of a bias is 1, and that of a batch
//! normalization's γ the normalized value.

use super::moment::Moment;
use super::weight::Weight;
use super::zeros::{ZeroCause, Zeros};
use crate::reference::Layer;

/// One term of a weight's gradient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Term {
    /// The position in the output, y and x.
    pub position: [usize; 2],
    /// What the weight was multiplied with there.
    pub input: f64,
    /// ∂L/∂output there.
    pub gradient: f32,
}

impl Term {
    /// Returns input · ∂L/∂output.
    pub fn product(&self) -> f64 {
        self.input * f64::from(self.gradient)
    }
}

/// The terms that one image gives to one weight's gradient.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    /// All terms, in the order of the positions.
    pub terms: Vec<Term>,
    /// Those that are exactly 0.
    pub zeros: Zeros,
}

impl Chain {
    /// Returns the sum of the terms: the image's share of the gradient.
    pub fn sum(&self) -> f64 {
        self.terms.iter().map(Term::product).sum()
    }

    /// Returns the terms that are not 0, the largest first.
    pub fn largest(&self) -> Vec<Term> {
        let mut terms: Vec<Term> = self.terms.iter().copied().filter(|term| term.product() != 0.0).collect();
        terms.sort_by(|a, b| b.product().abs().total_cmp(&a.product().abs()));
        terms
    }
}

/// A weight's way through one layer: what it is multiplied with at each position, and which channel of the
/// output that goes to.
struct Use {
    channel: usize,
    /// For each position of the output, row by row, the input; none in the padding.
    inputs: Vec<Option<f64>>,
}

impl Moment<'_> {
    /// Returns the terms that an image gives to a weight's gradient.
    pub fn chain(&self, weight: &Weight, image: usize) -> Chain {
        let Use { channel, inputs } = self.used(weight, image);
        let [_, width, channels] = self.layers()[weight.layer].output.sizes();
        let gradients = self.grad_output(weight.layer, image);
        let (mut zeros, mut terms) = (Zeros::default(), Vec::with_capacity(inputs.len()));
        for (position, input) in inputs.into_iter().enumerate() {
            let element = position * channels + channel;
            let gradient = gradients[element];
            match input {
                _ if gradient == 0.0 => zeros.add(self.cause_of_zero(weight.layer, image, element)),
                None => zeros.add(ZeroCause::Padding),
                Some(0.0) => zeros.add(ZeroCause::Input),
                Some(_) => {}
            }
            terms.push(Term { position: [position / width, position % width], input: input.unwrap_or(0.0), gradient });
        }
        Chain { terms, zeros }
    }

    /// Returns each image's share of a weight's gradient: they add up to it.
    pub fn shares(&self, weight: &Weight) -> Vec<f64> {
        (0..self.count()).map(|image| self.chain(weight, image).sum()).collect()
    }

    /// Returns the channel of the output that a weight goes to.
    pub(super) fn channel(&self, weight: &Weight) -> usize {
        self.used(weight, 0).channel
    }

    fn used(&self, weight: &Weight, image: usize) -> Use {
        let layer = &self.layers()[weight.layer];
        let ([_, in_width, in_channels], [height, width, channels]) = (layer.input.sizes(), layer.output.sizes());
        let input = self.input(weight.layer, image);
        let everywhere = |value: f64| vec![Some(value); height * width];
        let under = |cell: [usize; 2], channel: usize| {
            let window = self.window(weight.layer).expect("a convolution has a kernel");
            let pixel = |[y, x]: [usize; 2]| f64::from(input[(y * in_width + x) * in_channels + channel]);
            window.positions().map(|position| window.pixel(position, cell).map(pixel)).collect()
        };
        match (&self.twin[weight.layer], &weight.index[..]) {
            (Layer::Conv2d { .. }, &[ky, kx, c, f]) => Use { channel: f, inputs: under([ky, kx], c) },
            (Layer::DepthwiseConv2d { .. }, &[ky, kx, c, m]) => {
                Use { channel: c * (channels / in_channels) + m, inputs: under([ky, kx], c) }
            }
            (Layer::Dense { .. }, &[i, unit]) => Use { channel: unit, inputs: vec![Some(f64::from(input[i]))] },
            (Layer::BatchNormalization { epsilon, .. }, &[channel]) if self.is_kernel(weight) => {
                let moments = self.snapshot.floats(&format!("moments/{}", layer.name)).expect("it keeps its moments");
                let [mean, variance] = [moments[channel], moments[channels + channel]].map(f64::from);
                let normalized = |x: &f32| Some((f64::from(*x) - mean) / (variance + epsilon).sqrt());
                Use { channel, inputs: input.iter().skip(channel).step_by(channels).map(normalized).collect() }
            }
            (_, &[channel]) => Use { channel, inputs: everywhere(1.0) },
            _ => unreachable!("a weight has the axes of its tensor"),
        }
    }

    /// Tells whether a weight is of the first of its layer's tensors: the kernel, or γ.
    fn is_kernel(&self, weight: &Weight) -> bool {
        let first = self.layers()[weight.layer].tensors.start;
        self.network.table().entries()[first].name == weight.tensor
    }
}
