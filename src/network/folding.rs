//! Batch normalizations folded into the weights before them, for prediction.
//!
//! While predicting, a batch normalization is a factor s = γ / √(σ² + ε) and a summand for each channel.
//! Right behind a layer whose output is a weighted sum and a bias b, 0 if it has none, both can be part of
//! that layer, which has a bias from then on:
//!
//! ```text
//! s·(Σ x·w + b − μ) + β  =  Σ x·(s·w) + (s·(b − μ) + β)
//! ```
//!
//! So the network that is left has fewer layers, and computes the same up to rounding. Where anything stands
//! between the two, such as a ReLU, the batch normalization stays.

use super::Network;
use crate::Result;
use crate::layers::batch_normalization::BatchNormalization;
use crate::layers::{Layer, LayerKind};
use crate::parameters::Parameters;
use crate::spec::{LayerSpec, ModelSpec};

impl Network {
    /// Returns the spec without those batch normalizations that can be folded into the layer before them.
    pub fn folded_spec(&self) -> ModelSpec {
        let kept = self.spec.layers.iter().enumerate().filter(|&(index, _)| self.folds(index).is_none());
        // What takes one in needs a bias to hold β.
        let layer = |(index, layer): (usize, &LayerSpec)| match self.folds(index + 1) {
            Some(_) => layer.with_bias(),
            None => *layer,
        };
        // A prediction trains nothing, and names may be others without the layers that are gone.
        ModelSpec { frozen: Vec::new(), layers: kept.map(layer).collect(), ..self.spec }
    }

    /// Returns the network of [`folded_spec`](Network::folded_spec) with the weights that make it predict as
    /// this one does with `parameters`; none where nothing can be folded.
    ///
    /// # Errors
    /// None that this network did not have.
    ///
    /// # Panics
    /// If the parameters are another network's.
    pub fn folded(&self, parameters: &Parameters) -> Result<Option<(Network, Parameters)>> {
        let spec = self.folded_spec();
        if spec.layers.len() == self.layers.len() {
            return Ok(None);
        }
        let folded = Network::new(&spec)?;
        let mut weights = Parameters::zeros(&folded.table);
        let kept = (0..self.layers.len()).filter(|&index| self.folds(index).is_none());
        for (index, target) in kept.zip(&folded.layers) {
            let source = &self.layers[index];
            // A bias that the source has not is 0.
            for (from, to) in source.tensors.clone().zip(target.tensors.clone()) {
                weights.tensor_mut(to).copy_from_slice(parameters.tensor(from));
            }
            if let Some(normalization) = self.folds(index + 1) {
                fold(normalization, parameters, target, &mut weights);
            }
        }
        Ok(Some((folded, weights)))
    }

    /// Returns the batch normalization at `index`, if the layer before it takes it in.
    fn folds(&self, index: usize) -> Option<&BatchNormalization> {
        let LayerKind::BatchNormalization(normalization) = &self.layers.get(index)?.kind else { return None };
        match self.layers[index.checked_sub(1)?].kind {
            LayerKind::Conv2d(_) | LayerKind::DepthwiseConv2d(_) | LayerKind::Dense(_) => Some(normalization),
            _ => None,
        }
    }
}

/// Multiplies a layer's kernel and bias. In the kernel's memory the output's channels are what changes
/// fastest, of whatever kind the layer is.
fn fold(normalization: &BatchNormalization, parameters: &Parameters, layer: &Layer, weights: &mut Parameters) {
    let value = |tensor: usize, channel: usize| f64::from(parameters.tensor(tensor)[channel]);
    let channels = normalization.channels;
    let factor = |channel: usize| {
        let variance = value(normalization.moving_variance, channel) + f64::from(normalization.epsilon);
        value(normalization.gamma, channel) / variance.sqrt()
    };
    let factors: Vec<f64> = (0..channels).map(factor).collect();
    let (kernel, bias) = (layer.tensors.start, layer.tensors.start + 1);
    for filters in weights.tensor_mut(kernel).chunks_exact_mut(channels) {
        for (weight, factor) in filters.iter_mut().zip(&factors) {
            *weight = (f64::from(*weight) * factor) as f32;
        }
    }
    for (channel, bias) in weights.tensor_mut(bias).iter_mut().enumerate() {
        let centred = f64::from(*bias) - value(normalization.moving_mean, channel);
        *bias = (centred * factors[channel] + value(normalization.beta, channel)) as f32;
    }
}
