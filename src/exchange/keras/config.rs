//! The layers of a network as Keras's JSON.

use super::border;
use crate::geometry::Padding;
use crate::layers::Layer;
use crate::network::Network;
use crate::spec::{LayerSpec, Size};
use serde_json::{Map, Value, json};

/// A layer of a Keras model that stands for one of ours, or is added.
pub struct Written {
    /// Its class.
    pub class: &'static str,
    /// Its name, which is its class by order too, so that it names its place among the tensors.
    pub name: String,
    /// Its settings but for its name.
    config: Value,
}

/// Returns the layers of a Keras model of the network, which ends with a sigmoid or a softmax; with a layer
/// that scales pixels from 0–255 at the front where `rescaling` says so.
///
/// # Errors
/// A sentence that names a layer which Keras does not have.
pub fn layers(network: &Network, rescaling: bool) -> Result<Vec<Written>, String> {
    let mut written = Vec::new();
    if rescaling {
        let config = json!({ "scale": 1.0 / 255.0, "offset": 0.0 });
        written.push(Written { class: "Rescaling", name: "rescaling".into(), config });
    }
    let head = network.head();
    let end = if head.units() == 1 || head.has_several_labels() { "sigmoid" } else { "softmax" };
    let last = network.layers().len() - 1;
    let mut borders = 0;
    for (index, (layer, spec)) in network.layers().iter().zip(&network.spec().layers).enumerate() {
        let activation = if index == last && matches!(spec, LayerSpec::Dense { .. }) { end } else { "linear" };
        let before = index.checked_sub(1).map(|before| &network.spec().layers[before]);
        let (spec, border) = border::split(&layer.name, *spec, before)?;
        if let Some(border) = border {
            let name = if borders == 0 { "zero_padding2d".into() } else { format!("zero_padding2d_{borders}") };
            written.push(Written { class: border::CLASS, name, config: border::config(border) });
            borders += 1;
        }
        written.push(one(layer, &spec, activation));
    }
    if !matches!(network.spec().layers[last], LayerSpec::Dense { .. }) {
        written.push(Written { class: "Activation", name: "activation".into(), config: json!({ "activation": end }) });
    }
    Ok(written)
}

/// Checks that Keras has every layer of the network.
///
/// # Errors
/// A sentence that names one which it does not have.
pub fn check(network: &Network) -> Result<(), String> {
    layers(network, false).map(drop)
}

/// Returns the JSON of a Sequential model of these layers, of which those of the `frozen` names do not train.
pub fn sequential(input: [usize; 3], frozen: &[String], layers: &[Written]) -> Value {
    let shape = json!([null, input[0], input[1], input[2]]);
    let front = json!({
        "module": "keras.layers",
        "class_name": "InputLayer",
        "config": { "batch_shape": shape, "dtype": "float32", "sparse": false, "name": "input_layer" },
        "registered_name": null,
    });
    let layer = |layer: &Written| {
        let mut config: Map<String, Value> = layer.config.as_object().cloned().unwrap_or_default();
        config.insert("name".into(), layer.name.clone().into());
        config.insert("trainable".into(), (!frozen.contains(&layer.name)).into());
        config.insert("dtype".into(), "float32".into());
        json!({ "module": "keras.layers", "class_name": layer.class, "config": config, "registered_name": null })
    };
    let layers: Vec<Value> = std::iter::once(front).chain(layers.iter().map(layer)).collect();
    json!({
        "module": "keras",
        "class_name": "Sequential",
        "config": { "name": "sequential", "trainable": true, "dtype": "float32", "layers": layers, "build_input_shape": shape },
        "registered_name": null,
        "build_config": { "input_shape": shape },
    })
}

/// Returns a layer with its settings.
fn one(layer: &Layer, spec: &LayerSpec, activation: &str) -> Written {
    let both = |size: Size| json!(size.both());
    let (class, config) = match *spec {
        LayerSpec::Conv2d { filters, kernel, stride, padding, dilation, use_bias } => (
            "Conv2D",
            json!({
                "filters": filters, "kernel_size": both(kernel), "strides": both(stride), "padding": name(padding),
                "data_format": "channels_last", "dilation_rate": both(dilation), "groups": 1,
                "activation": activation, "use_bias": use_bias,
            }),
        ),
        LayerSpec::DepthwiseConv2d { kernel, stride, padding, dilation, depth_multiplier, use_bias } => (
            "DepthwiseConv2D",
            json!({
                "kernel_size": both(kernel), "strides": both(stride), "padding": name(padding),
                "data_format": "channels_last", "dilation_rate": both(dilation), "depth_multiplier": depth_multiplier,
                "activation": activation, "use_bias": use_bias,
            }),
        ),
        LayerSpec::MaxPool { window, stride, padding } => ("MaxPooling2D", pool(window, stride, padding)),
        LayerSpec::AveragePool { window, stride, padding } => ("AveragePooling2D", pool(window, stride, padding)),
        LayerSpec::GlobalAveragePool {} => {
            ("GlobalAveragePooling2D", json!({ "data_format": "channels_last", "keepdims": false }))
        }
        LayerSpec::Relu {} => ("ReLU", json!({ "max_value": null, "negative_slope": 0.0, "threshold": 0.0 })),
        LayerSpec::LeakyRelu { negative_slope } => ("LeakyReLU", json!({ "negative_slope": negative_slope })),
        LayerSpec::Flatten {} => ("Flatten", json!({ "data_format": "channels_last" })),
        LayerSpec::Dense { units, use_bias } => {
            ("Dense", json!({ "units": units, "activation": activation, "use_bias": use_bias }))
        }
        LayerSpec::Dropout { rate } => ("Dropout", json!({ "rate": rate, "seed": null, "noise_shape": null })),
        LayerSpec::BatchNormalization { momentum, epsilon } => (
            "BatchNormalization",
            json!({ "axis": -1, "momentum": momentum, "epsilon": epsilon, "center": true, "scale": true }),
        ),
    };
    Written { class, name: layer.name.clone(), config }
}

fn pool(window: Size, stride: Option<Size>, padding: Padding) -> Value {
    let stride = stride.unwrap_or(window);
    json!({
        "pool_size": window.both(), "strides": stride.both(), "padding": name(padding), "data_format": "channels_last",
    })
}

/// Returns Keras's word for a padding; a border of pixels is another layer's.
fn name(padding: Padding) -> &'static str {
    match padding {
        Padding::Valid | Padding::Pixels { .. } => "valid",
        Padding::Same => "same",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::keras::chain::snake_case;
    use std::collections::HashMap;

    #[test]
    fn layers_are_called_by_class_and_order_as_the_places_of_their_tensors_are() {
        let spec = "input = [16, 16, 3]
            layers = [
                { type = 'conv2d', filters = 2, kernel = 3, padding = 1 }, { type = 'relu' }, { type = 'leaky_relu' },
                { type = 'batch_normalization' }, { type = 'depthwise_conv2d', kernel = 3 }, { type = 'relu' },
                { type = 'max_pool', window = 2 }, { type = 'average_pool', window = 2 }, { type = 'dropout', rate = 0.5 },
                { type = 'conv2d', filters = 4, kernel = 2, padding = [[0, 1], [1, 0]] }, { type = 'global_average_pool' },
            ]";
        let network = Network::new(&toml::from_str(spec).unwrap()).unwrap();
        let mut made: HashMap<&str, usize> = HashMap::new();
        let layers = layers(&network, true).unwrap();
        for layer in &layers {
            let count = made.entry(layer.class).or_default();
            let wanted =
                if *count == 0 { snake_case(layer.class) } else { format!("{}_{count}", snake_case(layer.class)) };
            assert_eq!(layer.name, wanted);
            *count += 1;
        }
        assert_eq!(layers.last().unwrap().config, json!({ "activation": "softmax" }));
        assert_eq!(layers.len(), network.layers().len() + 4);
    }
}
