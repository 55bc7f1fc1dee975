//! A network as data: the list of layers that `model.toml` and a weights file's metadata hold.
//!
//! ```
//! use glassnet::spec::ModelSpec;
//! let spec: ModelSpec = toml::from_str(r#"
//!     input = [32, 32, 3]
//!     layers = [
//!         { type = "conv2d", filters = 8, kernel = 3 },
//!         { type = "relu" },
//!         { type = "max_pool", window = 2 },
//!         { type = "flatten" },
//!         { type = "dense", units = 1 },
//!     ]
//! "#)?;
//! assert_eq!(spec.layers.len(), 5);
//! # Ok::<(), toml::de::Error>(())
//! ```

use crate::geometry::Padding;
use serde::{Deserialize, Serialize};

/// The most layers of a network; sizes are limited layer by layer when it is built.
pub const MAX_LAYERS: usize = 1000;

/// A network: the size of its input and its layers in order. The last layer gives the logits: one of
/// two classes, K of K; or one of each label, where an image may have several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSpec {
    /// H, W, C of an input image.
    #[serde(default = "documented_input")]
    pub input: [usize; 3],
    /// The layers whose weights training leaves as they are, by the names that `summary` prints: `conv2d`,
    /// `conv2d_1`. They are the first ones that have weights; none if not given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frozen: Vec<String>,
    /// Whether each unit of the last layer is that of a label, of which an image may have any number; false
    /// if not given, where an image is of one class.
    #[serde(default, skip_serializing_if = "is_no")]
    pub several_labels: bool,
    /// The layers, first to last.
    pub layers: Vec<LayerSpec>,
}

/// One layer. In TOML and JSON its kind stands under `type`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum LayerSpec {
    /// Convolution, with a bias unless told otherwise.
    Conv2d {
        /// F, the number of filters.
        filters: usize,
        /// Kernel size: one number, or [height, width].
        kernel: Size,
        /// Steps of the kernel; 1 if not given.
        #[serde(default = "Size::one")]
        stride: Size,
        /// "valid" (if not given), "same", or pixels as in PyTorch.
        #[serde(default)]
        padding: Padding,
        /// Pixels from a cell of the kernel to the next; 1 if not given.
        #[serde(default = "Size::one", skip_serializing_if = "Size::is_one")]
        dilation: Size,
        /// Whether a bias is added; true if not given. Before a batch normalization, which takes any bias
        /// away, false saves its numbers.
        #[serde(default = "yes", skip_serializing_if = "is_yes")]
        use_bias: bool,
    },
    /// Convolution of each channel by itself, with a bias unless told otherwise.
    DepthwiseConv2d {
        /// Kernel size: one number, or [height, width].
        kernel: Size,
        /// Steps of the kernel; 1 if not given.
        #[serde(default = "Size::one")]
        stride: Size,
        /// "valid" (if not given), "same", or pixels as in PyTorch.
        #[serde(default)]
        padding: Padding,
        /// Pixels from a cell of the kernel to the next; 1 if not given.
        #[serde(default = "Size::one", skip_serializing_if = "Size::is_one")]
        dilation: Size,
        /// M, the filters of each channel; 1 if not given.
        #[serde(default = "one_filter")]
        depth_multiplier: usize,
        /// Whether a bias is added; true if not given.
        #[serde(default = "yes", skip_serializing_if = "is_yes")]
        use_bias: bool,
    },
    /// Max-pooling.
    MaxPool {
        /// Window size: one number, or [height, width].
        window: Size,
        /// Steps of the window; the window's size if not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stride: Option<Size>,
        /// "valid" (if not given), "same" or pixels, where what lies outside the image is passed over.
        #[serde(default, skip_serializing_if = "Padding::is_valid")]
        padding: Padding,
    },
    /// Average-pooling.
    AveragePool {
        /// Window size: one number, or [height, width].
        window: Size,
        /// Steps of the window; the window's size if not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stride: Option<Size>,
        /// "valid" (if not given), "same" or pixels, where what lies outside the image is not counted.
        #[serde(default, skip_serializing_if = "Padding::is_valid")]
        padding: Padding,
    },
    /// The mean of each channel over all pixels: a vector.
    GlobalAveragePool {},
    /// max(x, 0).
    Relu {},
    /// x where it is positive, else a share of it.
    LeakyRelu {
        /// That share; 0.3 if not given, as in Keras.
        #[serde(default = "keras_negative_slope")]
        negative_slope: f64,
    },
    /// The image as a vector, in H W C order.
    Flatten {},
    /// A weighted sum for each unit, with a bias unless told otherwise.
    Dense {
        /// The number of units.
        units: usize,
        /// Whether a bias is added; true if not given.
        #[serde(default = "yes", skip_serializing_if = "is_yes")]
        use_bias: bool,
    },
    /// Drops values at random while training.
    Dropout {
        /// The share that is dropped, in [0, 1).
        rate: f64,
    },
    /// Brings each channel, or each value of a vector, to a mean and a deviation that are learned.
    BatchNormalization {
        /// The part of the moving statistics that a step keeps; 0.99 if not given, as in Keras.
        #[serde(default = "keras_momentum")]
        momentum: f64,
        /// ε, which is added to the variance; 0.001 if not given, as in Keras.
        #[serde(default = "keras_epsilon")]
        epsilon: f64,
    },
}

/// A size in two directions; one number stands for both, and equals the two.
#[derive(Clone, Copy, Debug, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Size {
    /// The same both ways.
    Square(usize),
    /// Returns height and width.
    Rectangle([usize; 2]),
}

impl PartialEq for Size {
    fn eq(&self, other: &Size) -> bool {
        self.both() == other.both()
    }
}

impl Size {
    fn one() -> Size {
        Size::Square(1)
    }

    fn is_one(&self) -> bool {
        self.both() == [1, 1]
    }

    /// Returns height and width.
    pub fn both(self) -> [usize; 2] {
        match self {
            Size::Square(side) => [side, side],
            Size::Rectangle(sides) => sides,
        }
    }
}

fn yes() -> bool {
    true
}

fn is_yes(value: &bool) -> bool {
    *value
}

fn is_no(value: &bool) -> bool {
    !*value
}

fn one_filter() -> usize {
    1
}

fn keras_momentum() -> f64 {
    0.99
}

fn keras_epsilon() -> f64 {
    1e-3
}

fn keras_negative_slope() -> f64 {
    0.3
}

fn documented_input() -> [usize; 3] {
    [128, 128, 3]
}

impl LayerSpec {
    /// Returns the same layer with a bias, if it is of a kind that can have one.
    pub fn with_bias(mut self) -> LayerSpec {
        match &mut self {
            LayerSpec::Conv2d { use_bias, .. }
            | LayerSpec::DepthwiseConv2d { use_bias, .. }
            | LayerSpec::Dense { use_bias, .. } => *use_bias = true,
            _ => {}
        }
        self
    }

    /// Returns the padding, if it is of a kind that has one.
    pub fn padding_mut(&mut self) -> Option<&mut Padding> {
        match self {
            LayerSpec::Conv2d { padding, .. }
            | LayerSpec::DepthwiseConv2d { padding, .. }
            | LayerSpec::MaxPool { padding, .. }
            | LayerSpec::AveragePool { padding, .. } => Some(padding),
            _ => None,
        }
    }
}

impl ModelSpec {
    /// Returns the network of these layers, none of them frozen, that tells classes apart.
    pub fn new(input: [usize; 3], layers: Vec<LayerSpec>) -> ModelSpec {
        ModelSpec { input, frozen: Vec::new(), several_labels: false, layers }
    }

    /// Returns the model of the documented run: Conv 32 – pool – Conv 64 – pool – Conv 128 – pool – Dense 128
    /// – Dropout – Dense 1, all convolutions 3×3 with ReLU, all pools 2×2. At 128×128 pixels it has 3,304,769
    /// parameters.
    pub fn documented() -> ModelSpec {
        let mut layers = Vec::new();
        for filters in [32, 64, 128] {
            layers.push(LayerSpec::Conv2d {
                filters,
                kernel: Size::Square(3),
                stride: Size::Square(1),
                padding: Padding::Valid,
                dilation: Size::one(),
                use_bias: true,
            });
            layers.push(LayerSpec::Relu {});
            layers.push(LayerSpec::MaxPool { window: Size::Square(2), stride: None, padding: Padding::Valid });
        }
        layers.push(LayerSpec::Flatten {});
        layers.push(LayerSpec::Dense { units: 128, use_bias: true });
        layers.push(LayerSpec::Relu {});
        layers.push(LayerSpec::Dropout { rate: 0.5 });
        layers.push(LayerSpec::Dense { units: 1, use_bias: true });
        ModelSpec::new(documented_input(), layers)
    }

    /// Returns the same layers for square images of this side.
    pub fn with_image_size(self, side: usize) -> ModelSpec {
        self.with_height_and_width(side, side)
    }

    /// Returns the same layers for images of this height and width.
    pub fn with_height_and_width(mut self, height: usize, width: usize) -> ModelSpec {
        self.input[0] = height;
        self.input[1] = width;
        self
    }

    /// Returns the same layers, but that the last, if it is a dense one, has the units that tell this many
    /// classes apart: one for two, else one for each.
    pub fn with_classes(mut self, classes: usize) -> ModelSpec {
        if let Some(LayerSpec::Dense { units, .. }) = self.layers.last_mut() {
            *units = if classes == 2 { 1 } else { classes };
        }
        self.several_labels = false;
        self
    }

    /// Returns the same layers, but that the last, if it is a dense one, has a unit for each of this many
    /// labels, of which an image may have several.
    pub fn with_labels(mut self, labels: usize) -> ModelSpec {
        if let Some(LayerSpec::Dense { units, .. }) = self.layers.last_mut() {
            *units = labels;
        }
        self.several_labels = true;
        self
    }

    /// Returns the same layers with those of these names frozen. A batch normalization in front of all that
    /// is frozen stays so: it brings pixels to the numbers that an imported model has learned from.
    pub fn with_frozen(mut self, names: &[String]) -> ModelSpec {
        const FIRST: &str = "batch_normalization";
        let scales_pixels = matches!(self.layers.first(), Some(LayerSpec::BatchNormalization { .. }))
            && self.frozen.iter().any(|name| name == FIRST)
            && !names.iter().any(|name| name == FIRST);
        self.frozen = scales_pixels.then(|| FIRST.to_string()).into_iter().chain(names.iter().cloned()).collect();
        self
    }

    /// Returns the same layers with this rate in every dropout layer.
    pub fn with_dropout(mut self, new_rate: f64) -> ModelSpec {
        for layer in &mut self.layers {
            if let LayerSpec::Dropout { rate } = layer {
                *rate = new_rate;
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_model_survives_toml_and_json() {
        let spec = ModelSpec::documented();
        let text = toml::to_string(&spec).unwrap();
        assert_eq!(toml::from_str::<ModelSpec>(&text).unwrap(), spec, "{text}");
        let text = serde_json::to_string(&spec).unwrap();
        assert_eq!(serde_json::from_str::<ModelSpec>(&text).unwrap(), spec, "{text}");
    }

    #[test]
    fn a_bias_is_written_only_where_there_is_none() {
        let spec = |text: &str| toml::from_str::<ModelSpec>(&format!("layers = [{{ {text} }}]")).unwrap();
        for layer in [
            "type = 'conv2d', filters = 1, kernel = 1",
            "type = 'depthwise_conv2d', kernel = 1",
            "type = 'dense', units = 1",
        ] {
            let (with, without) = (spec(layer), spec(&format!("{layer}, use_bias = false")));
            let written = [&with, &without].map(|spec| toml::to_string(spec).unwrap());
            assert!(!written[0].contains("bias") && written[1].contains("use_bias = false"), "{written:?}");
            assert_eq!(toml::from_str::<ModelSpec>(&written[1]).unwrap(), without);
            assert_eq!(spec(&format!("{layer}, use_bias = true")), with);
            assert_eq!(without.layers[0].with_bias(), with.layers[0]);
        }
    }

    #[test]
    fn the_last_layer_has_a_unit_for_two_classes_and_one_for_each_of_more() {
        let last = |classes: usize| *ModelSpec::documented().with_classes(classes).layers.last().unwrap();
        assert_eq!(
            (last(2), last(3)),
            (LayerSpec::Dense { units: 1, use_bias: true }, LayerSpec::Dense { units: 3, use_bias: true })
        );
    }

    #[test]
    fn what_scales_pixels_stays_frozen_whatever_else_is() {
        let spec: ModelSpec = toml::from_str(
            "frozen = ['batch_normalization', 'conv2d']
            layers = [{ type = 'batch_normalization' }, { type = 'conv2d', filters = 1, kernel = 1 }]",
        )
        .unwrap();
        let frozen = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
            spec.clone().with_frozen(&names).frozen.join(" ")
        };
        assert_eq!(frozen(&[]), "batch_normalization");
        assert_eq!(frozen(&["conv2d"]), "batch_normalization conv2d");
        assert_eq!(frozen(&["conv2d", "batch_normalization"]), "conv2d batch_normalization");
        let unfrozen = ModelSpec { frozen: Vec::new(), ..spec.clone() };
        assert_eq!(unfrozen.with_frozen(&[]).frozen, Vec::<String>::new());
    }

    #[test]
    fn that_an_image_may_have_several_labels_is_written_only_where_it_may() {
        let spec = ModelSpec::documented().with_labels(2);
        assert_eq!(spec.layers.last(), Some(&LayerSpec::Dense { units: 2, use_bias: true }));
        let text = toml::to_string(&spec).unwrap();
        assert!(text.contains("several_labels = true"), "{text}");
        assert_eq!(toml::from_str::<ModelSpec>(&text).unwrap(), spec);
        let of_classes = spec.with_classes(2);
        assert_eq!(of_classes, ModelSpec::documented());
        assert!(!toml::to_string(&of_classes).unwrap().contains("labels"));
    }

    #[test]
    fn a_misspelled_key_or_kind_is_an_error() {
        let parse = |layer: &str| toml::from_str::<ModelSpec>(&format!("layers = [{layer}]"));
        assert!(parse(r#"{ type = "dense", units = 1 }"#).is_ok());
        assert!(parse(r#"{ type = "dense", unit = 1 }"#).is_err());
        assert!(parse(r#"{ type = "conv2d", filters = 1, kernel = 3, dilation = 2 }"#).is_ok());
        assert!(parse(r#"{ type = "conv2d", filters = 1, kernel = 3, dilations = 2 }"#).is_err());
        assert!(parse(r#"{ type = "relu", rate = 2 }"#).is_err());
        assert!(parse(r#"{ type = "relu", use_bias = false }"#).is_err());
        assert!(parse(r#"{ type = "softmax" }"#).is_err());
        assert!(parse(r#"{ type = "leaky_relu", slope = 0.1 }"#).is_err());
    }
}
