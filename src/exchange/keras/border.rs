//! Borders of so many pixels, which a layer of their own makes in Keras: `ZeroPadding2D`, before a
//! convolution whose padding is "valid".
//!
//! Around a pool it makes zeros where ours leaves the border out. Behind a ReLU that is the same: no value
//! there is below 0, and where a zero of the border is the largest of a window, no gradient passes.

use super::chain::KerasLayer;
use crate::geometry::Padding;
use crate::spec::LayerSpec;
use serde_json::{Value, json};

/// The class of the layer.
pub const CLASS: &str = "ZeroPadding2D";

/// What is wrong with a layer behind one, that is none of these.
pub const OTHERWISE: &str = "comes behind a ZeroPadding2D, and here a border is that of a convolution, or of a max-pool behind a ReLU; \
                             train it without";

/// The pixels around an image, as Keras writes them: above and below, left and right.
pub type Border = [[usize; 2]; 2];

/// Returns a layer as Keras has it, and the border that another one makes before it; `before` is the layer in
/// front of both.
///
/// # Errors
/// A sentence, if `ZeroPadding2D` would change the answers.
pub fn split(
    name: &str,
    mut spec: LayerSpec,
    before: Option<&LayerSpec>,
) -> Result<(LayerSpec, Option<Border>), String> {
    let takes_zeros = takes_zeros(&spec, before);
    let Some(padding) = spec.padding_mut() else { return Ok((spec, None)) };
    let Padding::Pixels { before: [above, left], after: [below, right] } = *padding else { return Ok((spec, None)) };
    if !takes_zeros {
        return Err(format!(
            "its layer '{name}' leaves out a border of so many pixels, which no pool of Keras does; pool with padding \
             'valid' or 'same', or export it as ONNX"
        ));
    }
    *padding = Padding::Valid;
    Ok((spec, Some([[above, below], [left, right]])))
}

/// Returns whether a layer takes zeros around its image for the border that it asks for.
fn takes_zeros(spec: &LayerSpec, before: Option<&LayerSpec>) -> bool {
    match spec {
        LayerSpec::Conv2d { .. } | LayerSpec::DepthwiseConv2d { .. } => true,
        LayerSpec::MaxPool { .. } => matches!(before, Some(LayerSpec::Relu {})),
        _ => false,
    }
}

/// Returns the settings of the layer that makes a border.
pub fn config(border: Border) -> Value {
    json!({ "padding": border, "data_format": "channels_last" })
}

/// Reads the border that a `ZeroPadding2D` makes.
///
/// # Errors
/// A sentence, where it tells none.
pub fn read(layer: &KerasLayer) -> Result<Padding, String> {
    let padding = layer.config.get("padding").cloned().unwrap_or_else(|| json!(1));
    match serde_json::from_value(padding) {
        Ok(padding @ (Padding::Valid | Padding::Pixels { .. })) => Ok(padding),
        _ => Err(layer.fault("has a padding that is neither a number nor two nor two pairs")),
    }
}

/// Gives a layer the border that a `ZeroPadding2D` made before it; `before` is the layer in front of both.
///
/// # Errors
/// A sentence, if no layer here does the same.
pub fn join(
    layer: &KerasLayer,
    mut spec: LayerSpec,
    border: Padding,
    before: Option<&LayerSpec>,
) -> Result<LayerSpec, String> {
    let takes_zeros = takes_zeros(&spec, before);
    match spec.padding_mut().filter(|_| takes_zeros) {
        Some(padding) if padding.is_valid() => {
            *padding = border;
            Ok(spec)
        }
        Some(_) => Err(layer.fault(&format!(
            "has the padding 'same' behind a {CLASS}, and here it has one border; give it 'valid' and all in one"
        ))),
        None => Err(layer.fault(OTHERWISE)),
    }
}
