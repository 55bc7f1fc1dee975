//! Each layer of a Keras model as layers of ours: those with weights with the places of these.

use super::activation::{Activation, axis};
use super::border;
use super::chain::{KerasLayer, text};
use crate::error::shortened;
use crate::exchange::PixelRange;
use crate::geometry::Padding;
use crate::spec::{LayerSpec, Size};
use serde_json::Value;

/// The layers of a model, as far as they were gone through.
#[derive(Default)]
pub struct Converted {
    /// H, W, C of its images, as far as it tells: of a size that it leaves open there is none.
    pub input: Option<[Option<usize>; 3]>,
    /// The range of pixels that it tells of by a layer that scales them.
    pub pixels: Option<PixelRange>,
    /// The layers, and for each the weights that it has.
    pub layers: Vec<(LayerSpec, Option<Source>)>,
    /// The names of layers that do nothing but in training and are left out.
    pub left_out: Vec<String>,
    /// The activation at the end.
    pub end: Option<Activation>,
    /// The layers that follow are on vectors.
    is_vector: bool,
    /// The border that a layer made for the next one.
    border: Option<Padding>,
}

/// The place of a layer's weights in a file.
pub struct Source {
    /// The layer's own name, by which messages call it, and which the old format has in its names.
    pub name: String,
    /// Its place by class and order.
    pub place: String,
    /// The group of the old format.
    pub top: String,
    /// The tensors in Keras's order, by its names. One of ours that is not among them is 1 of a gamma, and 0
    /// of a beta.
    pub tensors: Vec<&'static str>,
}

/// The layers that change images at random while training, or count in the loss, and else let them through.
const TRAINING_ONLY: [&str; 18] = [
    "RandomFlip",
    "RandomRotation",
    "RandomZoom",
    "RandomTranslation",
    "RandomContrast",
    "RandomBrightness",
    "RandomColorJitter",
    "RandomErasing",
    "RandomGrayscale",
    "RandomHue",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "GaussianNoise",
    "GaussianDropout",
    "SpatialDropout2D",
    "ActivityRegularization",
    "AlphaDropout",
];

impl Converted {
    /// Takes the next layer.
    ///
    /// # Errors
    /// A sentence that names the layer, where there is none such here.
    pub fn take(&mut self, layer: &KerasLayer) -> Result<(), String> {
        if self.input.is_none() {
            self.input = input_shape(layer)?;
        }
        if layer.class == "InputLayer" {
            return Ok(());
        }
        if self.end.is_some() {
            return Err(
                layer.fault("comes behind a sigmoid or softmax, which end a network here; use a model that ends there")
            );
        }
        if self.border.is_some() && !matches!(layer.class, "Conv2D" | "DepthwiseConv2D" | "MaxPooling2D") {
            return Err(layer.fault(border::OTHERWISE));
        }
        match layer.class {
            border::CLASS => {
                channels_last(layer)?;
                self.border = Some(border::read(layer)?).filter(|border| !border.is_valid());
                Ok(())
            }
            "Conv2D" => {
                if number(layer, "groups").is_some_and(|groups| groups != 1) {
                    return Err(layer.fault("has groups, and a convolution here has all channels, or in DepthwiseConv2D one; use one of these"));
                }
                let filters = number(layer, "filters").ok_or_else(|| layer.fault("tells no filters"))?;
                let [kernel, stride, dilation] = kernel_sizes(layer)?;
                let use_bias = flag(layer, "use_bias", true);
                let padding = padding(layer)?;
                let spec = LayerSpec::Conv2d { filters, kernel, stride, padding, dilation, use_bias };
                self.weighted(layer, spec, kernel_and_bias(use_bias))
            }
            "DepthwiseConv2D" => {
                let [kernel, stride, dilation] = kernel_sizes(layer)?;
                let (padding, use_bias) = (padding(layer)?, flag(layer, "use_bias", true));
                let depth_multiplier = number(layer, "depth_multiplier").unwrap_or(1);
                let spec = LayerSpec::DepthwiseConv2d { kernel, stride, padding, dilation, depth_multiplier, use_bias };
                self.weighted(layer, spec, kernel_and_bias(use_bias))
            }
            "Dense" => {
                if !self.is_vector {
                    return Err(layer.fault("gets an image, and a dense layer here gets a vector; put Flatten or GlobalAveragePooling2D before it"));
                }
                let units = number(layer, "units").ok_or_else(|| layer.fault("tells no units"))?;
                let use_bias = flag(layer, "use_bias", true);
                self.weighted(layer, LayerSpec::Dense { units, use_bias }, kernel_and_bias(use_bias))
            }
            "BatchNormalization" => {
                let last = if self.is_vector { 1 } else { 3 };
                if !layer.config.get("axis").map_or(Some(-1), axis).is_some_and(|axis| axis == -1 || axis == last) {
                    return Err(layer.fault("normalizes another axis than the last, which here has the channels; train it with axis -1"));
                }
                let real = |key: &str, else_value: f64| layer.config.get(key).and_then(Value::as_f64).unwrap_or(else_value);
                let spec = LayerSpec::BatchNormalization { momentum: real("momentum", 0.99), epsilon: real("epsilon", 1e-3) };
                let learned = [("gamma", flag(layer, "scale", true)), ("beta", flag(layer, "center", true))];
                let learned = learned.into_iter().filter_map(|(name, is_there)| is_there.then_some(name));
                let tensors = learned.chain(["moving_mean", "moving_variance"]).collect();
                self.layers.push((spec, Some(source(layer, tensors))));
                Ok(())
            }
            "MaxPooling2D" => {
                let (window, stride, padding) = window(layer)?;
                let spec = self.bordered(layer, LayerSpec::MaxPool { window, stride, padding })?;
                self.plain(spec)
            }
            "AveragePooling2D" => {
                let (window, stride, padding) = window(layer)?;
                self.plain(LayerSpec::AveragePool { window, stride, padding })
            }
            "GlobalAveragePooling2D" => {
                channels_last(layer)?;
                if flag(layer, "keepdims", false) {
                    return Err(layer.fault("keeps the axes that it sums over, and here it makes a vector; train it without keepdims"));
                }
                self.is_vector = true;
                self.plain(LayerSpec::GlobalAveragePool {})
            }
            "Flatten" => {
                channels_last(layer)?;
                // A vector is flat already.
                if self.is_vector {
                    return Ok(());
                }
                self.is_vector = true;
                self.plain(LayerSpec::Flatten {})
            }
            "Dropout" => {
                let rate = layer.config.get("rate").and_then(Value::as_f64).unwrap_or(0.0);
                self.plain(LayerSpec::Dropout { rate })
            }
            "Activation" | "ReLU" | "LeakyReLU" | "Softmax" => self.activation(Activation::of_layer(layer)?),
            "Rescaling" => self.rescaling(layer),
            class if TRAINING_ONLY.contains(&class) => {
                self.left_out.push(format!("'{}' ({class})", shortened(layer.name)));
                Ok(())
            }
            _ => Err(layer.fault("has no counterpart here; give a model of convolutions, pools, batch normalizations, dense layers and their like")),
        }
    }

    /// Checks that nothing was begun that is not there whole.
    ///
    /// # Errors
    /// A sentence.
    pub fn finish(&self) -> Result<(), String> {
        match self.border {
            Some(_) => Err(format!("it ends with a {}, and a network here ends with logits", border::CLASS)),
            None => Ok(()),
        }
    }

    fn plain(&mut self, spec: LayerSpec) -> Result<(), String> {
        self.layers.push((spec, None));
        Ok(())
    }

    fn weighted(&mut self, layer: &KerasLayer, spec: LayerSpec, tensors: Vec<&'static str>) -> Result<(), String> {
        if layer.class != "Dense" {
            channels_last(layer)?;
        }
        let spec = self.bordered(layer, spec)?;
        self.layers.push((spec, Some(source(layer, tensors))));
        self.activation(Activation::of_setting(layer)?)
    }

    /// Returns a layer with the border that the one before it made, if that is what it did.
    fn bordered(&mut self, layer: &KerasLayer, spec: LayerSpec) -> Result<LayerSpec, String> {
        match self.border.take() {
            Some(border) => border::join(layer, spec, border, self.layers.last().map(|(before, _)| before)),
            None => Ok(spec),
        }
    }

    fn activation(&mut self, activation: Activation) -> Result<(), String> {
        match activation {
            Activation::Linear => Ok(()),
            Activation::Layer(spec) => self.plain(spec),
            Activation::Sigmoid | Activation::Softmax => {
                self.end = Some(activation);
                Ok(())
            }
        }
    }

    fn rescaling(&mut self, layer: &KerasLayer) -> Result<(), String> {
        if !self.layers.is_empty() {
            return Err(layer.fault("scales what other layers made, and here pixels are scaled, at the front; fold it into a weighted layer"));
        }
        let real = |key: &str, else_value: f64| match layer.config.get(key) {
            None => Some(else_value),
            Some(value) => value.as_f64(),
        };
        let (Some(scale), Some(offset)) = (real("scale", 1.0), real("offset", 0.0)) else {
            return Err(layer.fault(
                "scales each channel by its own number, and here all are scaled alike; give one scale and one offset",
            ));
        };
        self.pixels = Some(self.pixels.unwrap_or(PixelRange::BYTES).scaled(scale, offset));
        Ok(())
    }
}

fn source(layer: &KerasLayer, tensors: Vec<&'static str>) -> Source {
    Source { name: layer.name.to_string(), place: layer.place.clone(), top: layer.top.to_string(), tensors }
}

fn kernel_and_bias(use_bias: bool) -> Vec<&'static str> {
    if use_bias { vec!["kernel", "bias"] } else { vec!["kernel"] }
}

/// Returns the shape of images, where a layer tells it: an input layer does, and the first layer of old
/// files.
fn input_shape(layer: &KerasLayer) -> Result<Option<[Option<usize>; 3]>, String> {
    let keys = ["batch_shape", "batch_input_shape"];
    let of_config = keys.iter().find_map(|key| layer.config.get(*key));
    let of_build = || layer.whole.get("build_config")?.get("input_shape");
    let Some(Value::Array(sizes)) = of_config.or_else(of_build) else { return Ok(None) };
    let [_, height, width, channels] = &sizes[..] else {
        let reason = format!(
            "takes inputs of {} axes, and here an image has height, width and channels",
            sizes.len().saturating_sub(1)
        );
        return Err(layer.fault(&reason));
    };
    Ok(Some([height, width, channels].map(|size| size.as_u64().and_then(|size| size.try_into().ok()))))
}

fn number(layer: &KerasLayer, key: &str) -> Option<usize> {
    layer.config.get(key)?.as_u64()?.try_into().ok()
}

fn flag(layer: &KerasLayer, key: &str, else_value: bool) -> bool {
    layer.config.get(key).and_then(Value::as_bool).unwrap_or(else_value)
}

/// Returns a size, which is one number or two, if it is there.
fn size(layer: &KerasLayer, key: &str) -> Result<Option<Size>, String> {
    let one = |value: &Value| value.as_u64().and_then(|value| usize::try_from(value).ok());
    let wrong = || layer.fault(&format!("has a {key} that is neither a number nor two"));
    match layer.config.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(sizes)) => match &sizes[..] {
            [height, width] => match (one(height), one(width)) {
                (Some(height), Some(width)) if height == width => Ok(Some(Size::Square(height))),
                (Some(height), Some(width)) => Ok(Some(Size::Rectangle([height, width]))),
                _ => Err(wrong()),
            },
            _ => Err(wrong()),
        },
        Some(value) => one(value).map(|side| Some(Size::Square(side))).ok_or_else(wrong),
    }
}

/// Returns the sizes, steps and dilation of a convolution's kernel.
fn kernel_sizes(layer: &KerasLayer) -> Result<[Size; 3], String> {
    let kernel = size(layer, "kernel_size")?.ok_or_else(|| layer.fault("tells no kernel_size"))?;
    let one = Size::Square(1);
    Ok([kernel, size(layer, "strides")?.unwrap_or(one), size(layer, "dilation_rate")?.unwrap_or(one)])
}

/// Returns window, stride and padding of a pool.
fn window(layer: &KerasLayer) -> Result<(Size, Option<Size>, Padding), String> {
    channels_last(layer)?;
    let window = size(layer, "pool_size")?.unwrap_or(Size::Square(2));
    let stride = size(layer, "strides")?.filter(|stride| *stride != window);
    Ok((window, stride, padding(layer)?))
}

fn padding(layer: &KerasLayer) -> Result<Padding, String> {
    match text(layer.config, "padding") {
        None | Some("valid") => Ok(Padding::Valid),
        Some("same") => Ok(Padding::Same),
        Some(other) => {
            Err(layer.fault(&format!("has the padding '{}', and here there are valid and same", shortened(other))))
        }
    }
}

fn channels_last(layer: &KerasLayer) -> Result<(), String> {
    match text(layer.config, "data_format") {
        Some("channels_first") => {
            Err(layer.fault("has channels first, and here they are last; save it with data_format channels_last"))
        }
        _ => Ok(()),
    }
}
