//! The search for the tensor, and the images, with which a training stopped being finite.
//!
//! A training that is not watched looks at its loss only. Once that is no number, the batch goes forward
//! again, layer by layer, under the eyes of an observer: what costs something is done only then.

use crate::Result;
use crate::data::batches::{Batch, Loader};
use crate::error::{FirstNotFinite, TensorName};
use crate::kernels::conv::registry::ConvPolicy;
use crate::network::Network;
use crate::parameters::Parameters;
use crate::plan::observer::{Observer, StepOutput};
use crate::plan::{Mode, Plan, PlanOptions};

/// A tensor that was not finite, and the images of its batch.
#[derive(Clone, Debug, PartialEq)]
pub struct NotFinite {
    /// The tensor.
    pub tensor: TensorName,
    /// The first value in it that is not finite.
    pub value: f32,
    /// The epoch's index, from 0.
    pub epoch: usize,
    /// The step in all, from 1.
    pub step: usize,
    /// The number of images in the batch; 0 of weights, and of pixels that were looked for in all images.
    pub batch: usize,
    /// The indices in their set of the images whose part is not finite, or of a sum over the batch of all.
    pub images: Vec<usize>,
}

impl NotFinite {
    /// Returns it with the names that the images have in their set.
    pub fn told(&self, images: &Loader) -> FirstNotFinite {
        let NotFinite { tensor, value, epoch, step, batch, images: indices } = self.clone();
        let images = indices.into_iter().map(|index| images.image_name(index)).collect();
        FirstNotFinite { tensor, value, epoch: epoch + 1, step, batch, images }
    }
}

/// The first of some values that is not finite.
pub(super) fn first_value(values: &[f32]) -> Option<f32> {
    values.iter().copied().find(|value| !value.is_finite())
}

/// The places of the images whose part of these values, all of one length, is not finite; and the first value
/// that is not.
pub(super) fn places(values: &[f32], images: usize) -> Option<(Vec<usize>, f32)> {
    let value = first_value(values)?;
    let parts = values.chunks_exact((values.len() / images.max(1)).max(1)).enumerate();
    Some((parts.filter(|(_, part)| first_value(part).is_some()).map(|(place, _)| place).collect(), value))
}

/// The pixels, if they are not finite, or else an output that is not, with the places of the images.
pub(super) fn of_output(network: &Network, step: &StepOutput) -> Option<(TensorName, Vec<usize>, f32)> {
    let images = step.output.len() / step.step.output.len();
    let pixels = if step.index == 0 { places(step.input, images) } else { None };
    if let Some((places, value)) = pixels {
        return Some((TensorName::Pixels, places, value));
    }
    let (places, value) = places(step.output, images)?;
    let layer = &network.layers()[step.step.layers.end - 1].name;
    Some((TensorName::Output(layer.clone()), places, value))
}

/// Keeps the first output of a pass that is not finite.
struct FirstOutput<'n> {
    network: &'n Network,
    found: Option<(TensorName, Vec<usize>, f32)>,
}

impl Observer for FirstOutput<'_> {
    fn output(&mut self, step: StepOutput) {
        if self.found.is_none() {
            self.found = of_output(self.network, &step);
        }
    }
}

/// A place in a training where something is looked for.
#[derive(Clone, Copy)]
pub(super) struct Search<'a> {
    pub network: &'a Network,
    pub parameters: &'a Parameters,
    pub conv: ConvPolicy,
    /// The epoch's index, from 0, and the step in all, from 1.
    pub epoch: usize,
    pub step: usize,
}

impl Search<'_> {
    /// The images of a set with pixels that are not finite: they spoil what comes of them, in any batch.
    pub fn pixels(&self, images: &Loader) -> Option<NotFinite> {
        let (value, indices) = images.pixels_not_finite()?;
        Some(NotFinite { images: indices, ..self.found(TensorName::Pixels, value, &[], None) })
    }

    /// The first weights that are not finite.
    pub fn weights(&self) -> Option<NotFinite> {
        let entries = self.network.table().entries().iter().enumerate();
        let found = entries.filter_map(|(id, entry)| Some((entry, first_value(self.parameters.tensor(id))?))).next();
        found.map(|(entry, value)| self.found(TensorName::Weights(entry.name.clone()), value, &[], None))
    }

    /// The first output of a batch that is not finite, in a pass of this mode.
    ///
    /// # Errors
    /// As [`Plan::forward`].
    pub fn output(&self, batch: &Batch, mode: Mode) -> Result<Option<NotFinite>> {
        let training = matches!(mode, Mode::Training(_));
        let options = PlanOptions { conv: self.conv, fuse: false, training, input_gradient: false };
        let plan = Plan::new(self.network, batch.labels.len(), options);
        let mut observer = FirstOutput { network: self.network, found: None };
        plan.forward_observed(self.parameters, batch.images.view(), mode, &mut plan.workspace(), &mut observer)?;
        Ok(observer.found.map(|(tensor, places, value)| self.found(tensor, value, &batch.indices, Some(places))))
    }

    /// The first output that is not finite on all images of a set, in their order.
    ///
    /// # Errors
    /// As [`Plan::forward`], and where an image cannot be read.
    pub fn output_of_all(&self, images: &Loader) -> Result<Option<NotFinite>> {
        for batch in images.epoch((0..images.count()).collect()) {
            let found = self.output(&batch?, Mode::Inference)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// What was found; `places` are those of some of the batch's images.
    fn found(&self, tensor: TensorName, value: f32, batch: &[usize], places: Option<Vec<usize>>) -> NotFinite {
        let images = match places {
            Some(places) => places.into_iter().map(|place| batch[place]).collect(),
            None => batch.to_vec(),
        };
        NotFinite { tensor, value, epoch: self.epoch, step: self.step, batch: batch.len(), images }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_places_are_those_of_the_images_with_a_value_that_is_not_finite() {
        let values = [1.0, 2.0, f32::INFINITY, 0.0, 3.0, 4.0, 5.0, f32::NAN];
        assert_eq!(places(&values, 4), Some((vec![1, 3], f32::INFINITY)));
        assert_eq!(places(&values[..2], 1), None);
    }
}
