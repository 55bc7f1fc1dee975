//! What the user tells of a model's file that does not tell it itself.

use super::pixels::PixelScale;
use crate::spec::ModelSpec;

/// What the user tells of a model's file that does not tell it itself.
#[derive(Clone, Copy, Default)]
pub struct Given<'a> {
    /// The layers, for a file that has weights alone.
    pub model: Option<&'a ModelSpec>,
    /// Height and width of images, for a model that takes any.
    pub image_size: Option<[usize; 2]>,
    /// The pixels that the model was trained on.
    pub pixels: Option<PixelScale>,
}

impl Given<'_> {
    /// Returns the layers that are given, for images of the size that is given.
    pub fn sized_model(&self) -> Option<ModelSpec> {
        let spec = self.model.cloned()?;
        Some(match self.image_size {
            Some([height, width]) => spec.with_height_and_width(height, width),
            None => spec,
        })
    }
}
