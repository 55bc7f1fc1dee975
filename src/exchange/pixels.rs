//! The numbers that stand for black and white where a model of another program begins, brought to ours, 0 and
//! 1: in its first weighted layer, or where that cannot be, by a batch normalization in front.

use super::scaling::scaling;
use crate::layers::LayerKind;
use crate::network::Network;
use crate::parameters::Parameters;
use crate::spec::{LayerSpec, ModelSpec};

/// What a model was trained to see for a pixel.
#[derive(Clone, Copy, Debug, PartialEq)]
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

    /// Returns the range of a pixel from 0 to 1 of which a mean was subtracted, and which was then divided by
    /// a deviation.
    pub fn normalized(mean: f64, deviation: f64) -> PixelRange {
        PixelRange { black: -mean / deviation, white: (1.0 - mean) / deviation }
    }

    /// Folds the range into the first weighted layer: its kernel is multiplied by (white − black), and its
    /// bias, which it gets if it has none, grows by black · Σ kernel. The sums are taken in f64. None where
    /// the first layers are others than this can be folded into.
    fn folded(self, network: &Network, parameters: &Parameters) -> Option<(Network, Parameters)> {
        let spec = self.made_room_for(network.spec().clone())?;
        let with_room = Network::new(&spec).ok()?;
        // What was not there, a bias, is 0.
        let mut brought = Parameters::zeros(with_room.table());
        for (id, entry) in with_room.table().entries().iter().enumerate() {
            if let Some(from) = network.table().entries().iter().position(|other| other.name == entry.name) {
                brought.tensor_mut(id).copy_from_slice(parameters.tensor(from));
            }
        }
        self.fold(&with_room, &mut brought);
        Some((with_room, brought))
    }

    /// Returns the layers with a bias in the first weighted one, where black is no 0; none if that is no
    /// convolution or dense layer, or pads with zeros that are not black.
    fn made_room_for(self, mut spec: ModelSpec) -> Option<ModelSpec> {
        let passes = |layer: &LayerSpec| matches!(layer, LayerSpec::Flatten {} | LayerSpec::Dropout { .. });
        let first = spec.layers.iter_mut().find(|layer| !passes(layer))?;
        let takes_it = match first {
            LayerSpec::Dense { .. } => true,
            LayerSpec::Conv2d { padding, .. } | LayerSpec::DepthwiseConv2d { padding, .. } => {
                padding.is_valid() || self.black == 0.0
            }
            _ => false,
        };
        if takes_it && self.black != 0.0 {
            *first = first.with_bias();
        }
        takes_it.then_some(spec)
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

/// The ranges of all channels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PixelScale {
    /// One for all.
    All(PixelRange),
    /// Of red, green and blue each its own.
    Channels([PixelRange; 3]),
}

/// The means and deviations of red, green and blue on ImageNet, by which torchvision's models see pixels
/// (its documentation, *Models and pre-trained weights*).
const IMAGENET: [[f64; 2]; 3] = [[0.485, 0.229], [0.456, 0.224], [0.406, 0.225]];

impl PixelScale {
    /// 0 to 1, as the engine's networks see pixels.
    pub const UNIT: PixelScale = PixelScale::All(PixelRange::UNIT);

    /// Returns what torchvision's models see.
    pub fn imagenet() -> PixelScale {
        PixelScale::Channels(IMAGENET.map(|[mean, deviation]| PixelRange::normalized(mean, deviation)))
    }

    /// Returns the ranges behind a layer that multiplies and then adds.
    pub fn scaled(self, scale: f64, offset: f64) -> PixelScale {
        match self {
            PixelScale::All(range) => PixelScale::All(range.scaled(scale, offset)),
            PixelScale::Channels(ranges) => PixelScale::Channels(ranges.map(|range| range.scaled(scale, offset))),
        }
    }

    /// Returns whether it is [`PixelScale::UNIT`] but for rounding.
    pub fn is_unit(self) -> bool {
        matches!(self, PixelScale::All(range) if range.is_unit())
    }

    /// Brings a model whose first layer sees these ranges to pixels from 0 to 1. With x the pixel from 0 to
    /// 1, the layer saw black + x·(white − black). One range is folded into its weights where that can be
    /// done; else a batch normalization in front computes just that, by its moving statistics, as the layer
    /// is frozen. Pixels from 0 to 1 change no bit. What was done is added to `notes`.
    ///
    /// # Errors
    /// A sentence, where ranges of red, green and blue are given for a model of grey images.
    pub fn brought_to_unit(
        self,
        network: Network,
        parameters: Parameters,
        notes: &mut Vec<String>,
    ) -> Result<(Network, Parameters), String> {
        if self.is_unit() {
            return Ok((network, parameters));
        }
        let ranges = match self {
            PixelScale::All(range) => {
                let sees = format!("it sees pixels from {} to {}", range.black, range.white);
                if let Some(done) = range.folded(&network, &parameters) {
                    notes.push(format!(
                        "{sees}; that is folded into the weights of its first layer, as here they are from 0 to 1"
                    ));
                    return Ok(done);
                }
                notes.push(format!("{sees}; {IN_FRONT}"));
                vec![range; network.spec().input[2]]
            }
            PixelScale::Channels(ranges) => {
                notes.push(format!("it sees red, green and blue each in a range of its own; {IN_FRONT}"));
                ranges.to_vec()
            }
        };
        if ranges.len() != network.spec().input[2] {
            return Err("it sees grey images, and ranges of red, green and blue were given; give one".to_string());
        }
        normalized_in_front(&ranges, &network, &parameters)
    }
}

/// The end of a note.
const IN_FRONT: &str = "a batch normalization in front, which is frozen, brings them there from 0 to 1";

/// Returns the model behind a batch normalization that makes black + x·(white − black) of each channel.
fn normalized_in_front(
    ranges: &[PixelRange],
    network: &Network,
    parameters: &Parameters,
) -> Result<(Network, Parameters), String> {
    let mut spec = network.spec().clone();
    let of_channels = |value: fn(&PixelRange) -> f64| ranges.iter().map(|range| value(range) as f32).collect();
    let factors = of_channels(|range| range.white - range.black);
    let (layer, in_front) = scaling(factors, of_channels(|range| range.black));
    spec.layers.insert(0, layer);
    spec.frozen.clear();
    let unfrozen = Network::new(&spec).map_err(|error| error.to_string())?;
    // Layers are called by kind and order, so that names may have moved.
    let was_frozen = |index: usize| index == 0 || network.spec().frozen.contains(&network.layers()[index - 1].name);
    let names = unfrozen.layers().iter().enumerate().filter(|(index, _)| was_frozen(*index));
    spec.frozen = names.map(|(_, layer)| layer.name.clone()).collect();
    let behind = Network::new(&spec).map_err(|error| error.to_string())?;
    let mut brought = Parameters::zeros(behind.table());
    for (id, values) in in_front.iter().enumerate() {
        brought.tensor_mut(id).copy_from_slice(values);
    }
    for id in 0..network.table().entries().len() {
        brought.tensor_mut(in_front.len() + id).copy_from_slice(parameters.tensor(id));
    }
    Ok((behind, brought))
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

    /// Pixels of two images from 0 to 1.
    fn pixels() -> Array4<f32> {
        Array4::from_shape_fn((2, 5, 4, 3), |(n, y, x, c)| (n * 31 + y * 7 + x * 3 + c) as f32 / 80.0)
    }

    #[test]
    fn pixels_from_0_to_1_are_answered_as_the_model_answered_its_own() {
        let one = PixelScale::All(PixelRange { black: -1.0, white: 3.0 });
        for (first, scale, is_folded) in [
            ("{ type = 'conv2d', filters = 4, kernel = 2, use_bias = false }", one, true),
            ("{ type = 'depthwise_conv2d', kernel = 2, depth_multiplier = 2 }", one, true),
            ("{ type = 'dropout', rate = 0.1 }", one, true),
            ("{ type = 'conv2d', filters = 4, kernel = 2 }", PixelScale::imagenet(), false),
            // Zeros of a padding are no black there.
            ("{ type = 'conv2d', filters = 4, kernel = 3, padding = 'same' }", one, false),
            ("{ type = 'conv2d', filters = 4, kernel = 3, padding = 1 }", PixelScale::imagenet(), false),
            ("{ type = 'max_pool', window = 2 }", PixelScale::imagenet(), false),
            ("{ type = 'batch_normalization' }", one, false),
        ] {
            let given = network(first);
            let (before, mut notes) = (given.initial_parameters(3), Vec::new());
            let (wanted, after) = scale.brought_to_unit(given.clone(), before.clone(), &mut notes).unwrap();
            let ranges = match scale {
                PixelScale::All(range) => [range; 3],
                PixelScale::Channels(ranges) => ranges,
            };
            let mut seen = pixels();
            for ((_, _, _, c), x) in seen.indexed_iter_mut() {
                *x = (ranges[c].black + (ranges[c].white - ranges[c].black) * f64::from(*x)) as f32;
            }
            let theirs = predict(&given, &before, seen.view()).unwrap();
            let ours = predict(&wanted, &after, pixels().view()).unwrap();
            for (ours, theirs) in ours.iter().zip(&theirs) {
                assert!((ours - theirs).abs() < 1e-5, "{first}: {ours} and {theirs}");
            }
            assert_eq!(notes[0].contains("folded into the weights"), is_folded, "{notes:?}");
            let frozen: &[&str] = if is_folded { &[] } else { &["batch_normalization"] };
            assert_eq!(wanted.spec().frozen, frozen);
        }
    }

    #[test]
    fn what_was_frozen_stays_so_behind_a_normalization_by_its_new_name() {
        let mut spec =
            network("{ type = 'batch_normalization' }, { type = 'conv2d', filters = 4, kernel = 2 }").spec().clone();
        spec.frozen = vec!["batch_normalization".into(), "conv2d".into()];
        let given = Network::new(&spec).unwrap();
        let parameters = given.initial_parameters(1);
        let (behind, _) = PixelScale::imagenet().brought_to_unit(given, parameters, &mut Vec::new()).unwrap();
        assert_eq!(behind.spec().frozen, ["batch_normalization", "batch_normalization_1", "conv2d"]);
    }

    #[test]
    fn pixels_from_0_to_1_change_nothing_and_colours_are_no_scale_of_grey() {
        let keras = PixelScale::All(PixelRange::BYTES.scaled(f64::from(1.0f32 / 255.0), 0.0));
        assert!(keras.is_unit() && !PixelScale::All(PixelRange::BYTES).is_unit());
        let given = network("{ type = 'max_pool', window = 2 }");
        let (before, mut notes) = (given.initial_parameters(1), Vec::new());
        let (same, after) = keras.brought_to_unit(given.clone(), before.clone(), &mut notes).unwrap();
        assert_eq!((same.spec(), after.as_slice(), notes.len()), (given.spec(), before.as_slice(), 0));
        let spec = given.spec().clone();
        let grey = Network::new(&ModelSpec { input: [5, 4, 1], ..spec }).unwrap();
        let parameters = grey.initial_parameters(1);
        let error = PixelScale::imagenet().brought_to_unit(grey, parameters, &mut notes).unwrap_err();
        assert!(error.starts_with("it sees grey images"), "{error}");
    }
}
