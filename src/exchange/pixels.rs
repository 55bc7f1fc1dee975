//! The numbers that stand for black and white where a model of another program begins, brought to ours, 0 and
//! 1, in its first weighted layer.

use crate::layers::LayerKind;
use crate::network::Network;
use crate::parameters::Parameters;
use crate::spec::{LayerSpec, ModelSpec};
use serde::Serialize;

/// What a model was trained to see for a pixel.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PixelRange {
    /// The number of black, a byte of 0.
    pub black: f64,
    /// The number of white, a byte of 255.
    pub white: f64,
}

/// How far a scale may be from 1/255 and still be it, relatively: some write it in f32.
const AS_GOOD_AS: f64 = 1e-6;

impl PixelRange {
    /// 0 to 1, as the engine's networks see pixels.
    pub const UNIT: PixelRange = PixelRange { black: 0.0, white: 1.0 };

    /// 0 to 255, as files have them.
    pub const BYTES: PixelRange = PixelRange { black: 0.0, white: 255.0 };

    /// Returns the range behind a layer that multiplies and then adds.
    pub fn scaled(self, scale: f64, offset: f64) -> PixelRange {
        PixelRange { black: self.black * scale + offset, white: self.white * scale + offset }
    }

    /// Returns whether it is [`PixelRange::UNIT`] but for rounding.
    pub fn is_unit(self) -> bool {
        self.black.abs() < AS_GOOD_AS && (self.white - 1.0).abs() < AS_GOOD_AS
    }

    /// Brings a model whose first layer sees this range to pixels from 0 to 1. With x the pixel from 0 to 1,
    /// the layer saw black + x·(white − black): its kernel is multiplied by (white − black), and its bias,
    /// which it gets if it has none, grows by black · Σ kernel. The sums are taken in f64. A range that is
    /// from 0 to 1 already changes no bit.
    ///
    /// # Errors
    /// A sentence, where the first layers are others than this can be folded into.
    pub fn brought_to_unit(self, network: Network, parameters: Parameters) -> Result<(Network, Parameters), String> {
        if self.is_unit() {
            return Ok((network, parameters));
        }
        let spec = self.made_room_for(network.spec().clone()).map_err(|why| {
            format!("it sees pixels from {} to {} where ours are from 0 to 1, {why}", self.black, self.white)
        })?;
        let with_room = Network::new(&spec).map_err(|error| error.to_string())?;
        // What was not there, a bias, is 0.
        let mut brought = Parameters::zeros(with_room.table());
        for (id, entry) in with_room.table().entries().iter().enumerate() {
            if let Some(from) = network.table().entries().iter().position(|other| other.name == entry.name) {
                brought.tensor_mut(id).copy_from_slice(parameters.tensor(from));
            }
        }
        self.fold(&with_room, &mut brought);
        Ok((with_room, brought))
    }

    /// Returns the layers with a bias in the first weighted one, where black is no 0.
    fn made_room_for(self, mut spec: ModelSpec) -> Result<ModelSpec, String> {
        let passes = |layer: &LayerSpec| matches!(layer, LayerSpec::Flatten {} | LayerSpec::Dropout { .. });
        let first = spec.layers.iter_mut().find(|layer| !passes(layer));
        let why = match &first {
            Some(LayerSpec::Dense { .. }) => None,
            Some(LayerSpec::Conv2d { padding, .. } | LayerSpec::DepthwiseConv2d { padding, .. }) => {
                let is_right = padding.is_valid() || self.black == 0.0;
                (!is_right).then_some("its padding is one of zeros, and black is no 0 there")
            }
            _ => Some("it is neither a convolution nor a dense layer"),
        };
        if let Some(why) = why {
            return Err(format!("and its first layer cannot take that in: {why}; train it on pixels from 0 to 1"));
        }
        if let Some(first) = first.filter(|_| self.black != 0.0) {
            *first = first.with_bias();
        }
        Ok(spec)
    }

    /// Changes the weights of the first weighted layer.
    fn fold(self, network: &Network, parameters: &mut Parameters) {
        let weighted = |kind: &LayerKind| match kind {
            LayerKind::Conv2d(layer) => Some((layer.kernel, layer.bias, layer.geometry.filters)),
            LayerKind::DepthwiseConv2d(layer) => Some((layer.kernel, layer.bias, layer.geometry.channels())),
            LayerKind::Dense(layer) => {
                Some((layer.kernel, layer.bias, network.table().entries()[layer.kernel].shape[1]))
            }
            _ => None,
        };
        let Some((kernel, bias, outputs)) = network.layers().iter().find_map(|layer| weighted(&layer.kind)) else {
            return;
        };
        // The last axes of every kernel are those of the outputs: [.., F], [.., C, M] and [I, U].
        let mut sums = vec![0.0; outputs];
        for (index, weight) in parameters.tensor_mut(kernel).iter_mut().enumerate() {
            let value = f64::from(*weight);
            sums[index % outputs] += value;
            *weight = (value * (self.white - self.black)) as f32;
        }
        if let Some(bias) = bias.filter(|_| self.black != 0.0) {
            for (bias, sum) in parameters.tensor_mut(bias).iter_mut().zip(sums) {
                *bias = (f64::from(*bias) + self.black * sum) as f32;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::predict;
    use ndarray::Array4;

    fn network(first: &str) -> Network {
        let rest = "{ type = 'flatten' }, { type = 'dense', units = 1 }";
        let spec = toml::from_str(&format!("input = [5, 4, 3]\nlayers = [{first}, {rest}]")).unwrap();
        Network::new(&spec).unwrap()
    }

    #[test]
    fn a_folded_range_answers_pixels_from_0_to_1_as_the_model_answered_its_own() {
        for first in [
            "{ type = 'conv2d', filters = 4, kernel = 2, use_bias = false }",
            "{ type = 'depthwise_conv2d', kernel = 2, depth_multiplier = 2 }",
            "{ type = 'dropout', rate = 0.1 }",
        ] {
            let given = network(first);
            let before = given.initial_parameters(3);
            let range = PixelRange { black: -1.0, white: 3.0 };
            let (wanted, after) = range.brought_to_unit(given.clone(), before.clone()).unwrap();
            let pixels = Array4::from_shape_fn((2, 5, 4, 3), |(n, y, x, c)| (n * 31 + y * 7 + x * 3 + c) as f32 / 80.0);
            let theirs = predict(&given, &before, pixels.mapv(|x| -1.0 + 4.0 * x).view()).unwrap();
            let ours = predict(&wanted, &after, pixels.view()).unwrap();
            for (ours, theirs) in ours.iter().zip(&theirs) {
                assert!((ours - theirs).abs() < 1e-5, "{first}: {ours} and {theirs}");
            }
        }
    }

    #[test]
    fn a_range_that_the_first_layer_cannot_take_in_is_refused_and_one_from_0_to_1_changes_nothing() {
        let brought = |range: PixelRange, first: &str| {
            let network = network(first);
            let parameters = network.initial_parameters(1);
            range.brought_to_unit(network, parameters)
        };
        let error = |first: &str| brought(PixelRange { black: -1.0, white: 1.0 }, first).unwrap_err();
        let (same, pool) =
            ("{ type = 'conv2d', filters = 4, kernel = 2, padding = 'same' }", "{ type = 'max_pool', window = 2 }");
        assert!(
            error(same).contains("it sees pixels from -1 to 1 where ours are from 0 to 1, and its first layer cannot")
        );
        assert!(error(pool).contains("neither a convolution nor a dense layer"));
        let keras = PixelRange::BYTES.scaled(f64::from(1.0f32 / 255.0), 0.0);
        assert!(keras.is_unit() && !PixelRange::BYTES.is_unit());
        let (_, parameters) = brought(keras, pool).unwrap();
        assert_eq!(parameters.as_slice(), network(pool).initial_parameters(1).as_slice());
        // Zeros of a padding are black where black is 0.
        assert!(brought(PixelRange::BYTES, same).is_ok());
    }
}
