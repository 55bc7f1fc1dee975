//! Where a training stopped being finite: the first tensor that held NaN or an infinity.

use super::words::{counted, some_of};
use std::fmt;

/// A tensor of a training step, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TensorName {
    /// The images, as they go into the network.
    Pixels,
    /// The output of the layer of this name.
    Output(String),
    /// ∂L/∂output of the layer of this name.
    GradOutput(String),
    /// Weights, as `conv2d/kernel`.
    Weights(String),
    /// ∂L/∂weights of a tensor, as `conv2d/kernel`.
    Gradient(String),
    /// A step's change of a tensor of weights, as `conv2d/kernel`.
    Update(String),
}

impl TensorName {
    /// Returns whether it has a part for each image, and is no sum over a batch.
    fn is_of_images(&self) -> bool {
        matches!(self, TensorName::Pixels | TensorName::Output(_) | TensorName::GradOutput(_))
    }
}

impl fmt::Display for TensorName {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            TensorName::Pixels => write!(formatter, "the pixels"),
            TensorName::Output(layer) => write!(formatter, "the output of {layer}"),
            TensorName::GradOutput(layer) => write!(formatter, "the gradient of the output of {layer}"),
            TensorName::Weights(tensor) => write!(formatter, "the weights {tensor}"),
            TensorName::Gradient(tensor) => write!(formatter, "the gradient of {tensor}"),
            TensorName::Update(tensor) => write!(formatter, "the update of {tensor}"),
        }
    }
}

/// The first value of a training that was not finite.
#[derive(Clone, Debug, PartialEq)]
pub struct FirstNotFinite {
    /// The tensor.
    pub tensor: TensorName,
    /// The first such value in it, NaN or an infinity.
    pub value: f32,
    /// The epoch, from 1.
    pub epoch: usize,
    /// The step in all, from 1.
    pub step: usize,
    /// The number of images in the batch; 0 of weights, and of pixels that were looked for in all images.
    pub batch: usize,
    /// The images of the batch whose part of the tensor is not finite, as the data name them; of a gradient
    /// of weights, a sum over the batch, all of them.
    pub images: Vec<String>,
}

impl FirstNotFinite {
    /// Returns a clause for a sentence that tells of this step already.
    pub(super) fn seen_from(&self, epoch: usize, step: usize) -> String {
        let FirstNotFinite { tensor, value, batch, images, .. } = self;
        let value = if value.is_nan() { "NaN" } else { "an infinity" };
        let mut clause = format!("the first value that was not finite, {value}, stood in {tensor}");
        if (self.epoch, self.step) != (epoch, step) && (*batch > 0 || images.is_empty()) {
            clause += &format!(", in epoch {}, step {}", self.epoch, self.step);
        }
        match (*batch, tensor.is_of_images()) {
            (0, _) if images.is_empty() => {}
            (0, _) => clause += &format!(", of {}: {}", counted(images.len(), "image"), listed(images)),
            (_, true) if images.is_empty() => {}
            (batch, true) => {
                let of = counted(batch, "image");
                clause += &format!(", of {} of {of} of the batch: {}", images.len(), listed(images));
            }
            (batch, false) => {
                clause += &format!(", the sum over a batch of {}: {}", counted(batch, "image"), listed(images));
            }
        }
        clause
    }
}

impl fmt::Display for FirstNotFinite {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        // No step is 0, so the step is told.
        formatter.write_str(&self.seen_from(0, 0))
    }
}

/// The first of some names: `a, b and 3 more`.
fn listed(names: &[String]) -> String {
    let list = some_of(names);
    // The number in front is told already.
    list.split_once(" (").and_then(|(_, list)| list.strip_suffix(')')).map_or(String::new(), str::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(tensor: TensorName, images: &[&str]) -> FirstNotFinite {
        let images = images.iter().map(|name| name.to_string()).collect();
        FirstNotFinite { tensor, value: f32::NAN, epoch: 1, step: 3, batch: 4, images }
    }

    #[test]
    fn the_clause_names_tensor_and_images_and_the_step_where_it_is_another() {
        let output = first(TensorName::Output("dense".into()), &["a.png", "b (1).png"]);
        assert_eq!(
            output.seen_from(1, 3),
            "the first value that was not finite, NaN, stood in the output of dense, of 2 of 4 images of the batch: a.png, b (1).png"
        );
        let gradient = first(TensorName::Gradient("dense/kernel".into()), &["a", "b", "c", "d"]);
        let gradient = FirstNotFinite { value: f32::NEG_INFINITY, ..gradient };
        assert_eq!(
            gradient.seen_from(1, 4),
            "the first value that was not finite, an infinity, stood in the gradient of dense/kernel, in epoch 1, step 3, the \
             sum over a batch of 4 images: a, b, c, d"
        );
        let weights = FirstNotFinite { batch: 0, ..first(TensorName::Weights("dense/kernel".into()), &[]) };
        let clause = "the first value that was not finite, NaN, stood in the weights dense/kernel";
        assert_eq!(weights.seen_from(1, 3), clause);
        assert_eq!(weights.to_string(), format!("{clause}, in epoch 1, step 3"));
        let pixels = FirstNotFinite { batch: 0, ..first(TensorName::Pixels, &["image 7"]) };
        let clause = "the first value that was not finite, NaN, stood in the pixels, of 1 image: image 7";
        assert_eq!(pixels.seen_from(2, 9), clause);
    }
}
