//! Activations, which Keras has as layers and as settings of other layers.

use super::chain::{KerasLayer, text};
use crate::spec::LayerSpec;
use serde_json::Value;

/// An activation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// None.
    Linear,
    /// A layer of ours.
    Layer(LayerSpec),
    /// The end of a network of one unit.
    Sigmoid,
    /// The end of a network of K units.
    Softmax,
}

/// The slope of `activation="leaky_relu"`, which is another than that of the layer LeakyReLU.
const SLOPE_AS_SETTING: f64 = 0.2;

/// The slope of the layer LeakyReLU.
const SLOPE_AS_LAYER: f64 = 0.3;

impl Activation {
    /// Returns the activation that is a setting of a layer.
    ///
    /// # Errors
    /// A sentence, where there is none such here.
    pub fn of_setting(layer: &KerasLayer) -> Result<Activation, String> {
        let name = match layer.config.get("activation") {
            None | Some(Value::Null) => return Ok(Activation::Linear),
            Some(Value::String(name)) => name,
            // A function with its module, or a layer with its settings.
            Some(Value::Object(object)) => match object.get("config") {
                Some(Value::String(name)) => name,
                Some(Value::Object(config)) => {
                    let class = text(object, "class_name").unwrap_or_default();
                    return Activation::of_layer(&KerasLayer { class, config, place: String::new(), ..*layer });
                }
                _ => return Err(layer.fault("has an activation that cannot be told; use one of Keras's own")),
            },
            Some(_) => return Err(layer.fault("has an activation that cannot be told; use one of Keras's own")),
        };
        match name.as_str() {
            "linear" => Ok(Activation::Linear),
            "relu" => Ok(Activation::Layer(LayerSpec::Relu {})),
            "leaky_relu" => Ok(Activation::Layer(LayerSpec::LeakyRelu { negative_slope: SLOPE_AS_SETTING })),
            "sigmoid" => Ok(Activation::Sigmoid),
            "softmax" => Ok(Activation::Softmax),
            other => Err(layer.fault(&format!(
                "has the activation '{}', and here there are relu, leaky_relu, and at the end sigmoid or softmax; train it with one of these",
                crate::error::shortened(other)
            ))),
        }
    }

    /// Returns the activation that a layer is, if it is one.
    ///
    /// # Errors
    /// A sentence, where it has settings that there are none of here.
    pub fn of_layer(layer: &KerasLayer) -> Result<Activation, String> {
        let number = |key: &str| layer.config.get(key).and_then(Value::as_f64);
        let leaky = |negative_slope: f64| match negative_slope {
            0.0 => Activation::Layer(LayerSpec::Relu {}),
            negative_slope => Activation::Layer(LayerSpec::LeakyRelu { negative_slope }),
        };
        match layer.class {
            "Activation" => Activation::of_setting(layer),
            "Softmax" => match layer.config.get("axis").map_or(Some(-1), axis) {
                Some(-1) => Ok(Activation::Softmax),
                _ => Err(layer.fault("is no softmax over the classes; give it the axis -1")),
            },
            "LeakyReLU" => {
                let negative_slope = number("negative_slope").or(number("alpha")).unwrap_or(SLOPE_AS_LAYER);
                Ok(Activation::Layer(LayerSpec::LeakyRelu { negative_slope }))
            }
            "ReLU" => {
                if layer.config.get("max_value").is_some_and(|value| !value.is_null()) {
                    return Err(
                        layer.fault("has a largest value, and a relu here has none; train it without max_value")
                    );
                }
                if number("threshold").is_some_and(|threshold| threshold != 0.0) {
                    return Err(layer.fault("has a threshold, and a relu here begins at 0; train it without"));
                }
                Ok(leaky(number("negative_slope").unwrap_or(0.0)))
            }
            _ => Err(layer.fault("has no counterpart here")),
        }
    }
}

/// Returns an axis, where it is one number or a list of one.
pub fn axis(value: &Value) -> Option<i64> {
    match value {
        Value::Array(axes) if axes.len() == 1 => axes[0].as_i64(),
        value => value.as_i64(),
    }
}
