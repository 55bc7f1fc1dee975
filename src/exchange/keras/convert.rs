//! From the JSON of a Keras model to a spec of ours, with the places of its weights.

use super::activation::Activation;
use super::chain::chain;
use super::layers::{Converted, Source};
use crate::classes::MAX_LABELS;
use crate::error::and;
use crate::exchange::{Given, PixelRange, PixelScale};
use crate::spec::ModelSpec;
use serde_json::Value;

/// The layers of a model, and what is to know of them.
pub struct Architecture {
    /// The layers.
    pub spec: ModelSpec,
    /// For each layer the places of its weights, if it has any.
    pub sources: Vec<Option<Source>>,
    /// The range of pixels that the first layer sees.
    pub pixels: PixelScale,
    /// Sentences of what was assumed, or left out.
    pub notes: Vec<String>,
    /// The activation at the end.
    end: Option<Activation>,
}

impl Architecture {
    /// Reads the layers of a model.
    ///
    /// # Errors
    /// A sentence that names the layer that does not fit, or says what the file does not tell.
    pub fn new(model: &Value, given: &Given) -> Result<Architecture, String> {
        let mut converted = Converted::default();
        for layer in chain(model)? {
            converted.take(&layer)?;
        }
        converted.finish()?;
        let of_model = || Some(model.get("config")?.get("build_input_shape")?.as_array()?.iter().skip(1));
        let tells = converted.input.or_else(|| {
            let mut sizes = of_model()?.map(|size| size.as_u64().and_then(|size| size.try_into().ok()));
            Some([sizes.next()?, sizes.next()?, sizes.next()?])
        });
        let [height, width, channels] =
            tells.ok_or("it does not tell the shape of its images; save it after it was built")?;
        let channels = channels.ok_or("it does not tell the channels of its images; save it after it was built")?;
        let [height, width] = match (given.image_size, height, width) {
            (Some(size), ..) => size,
            (None, Some(height), Some(width)) => [height, width],
            _ => return Err("it takes images of any size, and a network here has one; give --image-size".to_string()),
        };
        let (layers, sources): (Vec<_>, Vec<_>) = converted.layers.into_iter().unzip();
        let mut notes = Vec::new();
        if !converted.left_out.is_empty() {
            let names = and(converted.left_out.iter().map(String::as_str));
            notes.push(format!("left out, as they do nothing but in training: {names}"));
        }
        let pixels = pixels(converted.pixels, given.pixels, &mut notes);
        let spec = ModelSpec::new([height, width, channels], layers);
        Ok(Architecture { spec, sources, pixels, notes, end: converted.end })
    }

    /// Checks that the end of the model means what a network of so many units means here: of several sigmoids
    /// that an image may have several labels, which is noted in the spec.
    ///
    /// # Errors
    /// A sentence, where it does not.
    pub fn check_end(&mut self, units: usize) -> Result<(), String> {
        match (self.end, units) {
            (Some(Activation::Sigmoid), 1) | (Some(Activation::Softmax), 2..) => Ok(()),
            (None, units) => {
                let taken = if units == 1 { "a sigmoid" } else { "a softmax" };
                self.notes.push(format!("it ends with logits, and {taken} is taken of them"));
                Ok(())
            }
            (Some(Activation::Sigmoid), 2..=MAX_LABELS) => {
                self.spec.several_labels = true;
                self.notes.push(format!(
                    "it ends with {units} sigmoids, so an image may have several of its labels, or none"
                ));
                Ok(())
            }
            (Some(Activation::Sigmoid), units) => Err(format!(
                "it ends with {units} sigmoids, one for each of several labels, and {MAX_LABELS} are the most here; use fewer"
            )),
            (Some(_), _) => {
                Err("it ends with a softmax over one unit, which is always 1; train it with a sigmoid".to_string())
            }
        }
    }
}

/// Returns the ranges of pixels that the first layer sees, and says how they are known.
pub fn pixels(told: Option<PixelRange>, given: Option<PixelScale>, notes: &mut Vec<String>) -> PixelScale {
    let pixels = match (told, given) {
        // A layer that scales was found, whose input is as given.
        (Some(told), Some(given)) => {
            let scale = (told.white - told.black) / 255.0;
            given.scaled(scale, told.black)
        }
        (Some(told), None) => PixelScale::All(told),
        (None, Some(given)) => given,
        (None, None) => {
            notes.push("it does not tell how pixels are scaled: from 0 to 1 is assumed; if it was trained on others, give --pixels, such as 0,255".into());
            PixelScale::UNIT
        }
    };
    if told.is_some() && pixels.is_unit() {
        notes.push("it scales pixels by 1/255 itself, which is how they are read here".into());
    }
    pixels
}
