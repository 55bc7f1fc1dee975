//! Images that a program holds in memory: of any size and any number of channels.

use ndarray::Array4;

use crate::{Error, Result};

/// Images with their labels.
#[derive(Clone, Debug, PartialEq)]
pub struct ArraySet {
    images: Array4<f32>,
    labels: Vec<f32>,
}

impl ArraySet {
    /// A set of images `[N, H, W, C]`, each with the index of its class, 0.0 or 1.0. They are taken as they
    /// are: whoever has bytes divides them by 255 before.
    ///
    /// # Errors
    /// [`Error::Setting`] if images have no pixels, or if there is not one label for each, or one that is
    /// neither 0 nor 1.
    pub fn new(images: Array4<f32>, labels: Vec<f32>) -> Result<ArraySet> {
        let count = images.shape()[0];
        if images.shape()[1..].contains(&0) {
            return Err(Error::setting("images", format!("an array of {:?} holds no pixels", images.shape())));
        }
        if count != labels.len() {
            return Err(Error::setting("labels", format!("there are {}, for {count} images", labels.len())));
        }
        if let Some(label) = labels.iter().find(|label| ![0.0, 1.0].contains(*label)) {
            return Err(Error::setting(
                "labels",
                format!("{label} is none; a label is 0 or 1, the index of the class"),
            ));
        }
        Ok(ArraySet { images: images.as_standard_layout().into_owned(), labels })
    }

    /// How many images there are.
    pub fn count(&self) -> usize {
        self.labels.len()
    }

    /// How many images of each class there are.
    pub(super) fn class_counts(&self) -> [usize; 2] {
        [0.0, 1.0].map(|class| self.labels.iter().filter(|label| **label == class).count())
    }

    /// Height, width and channels of each image.
    pub fn size(&self) -> [usize; 3] {
        let &[_, height, width, channels] = self.images.shape() else { unreachable!("the array has four axes") };
        [height, width, channels]
    }

    /// The values of the image at `index`, in the order H W C.
    pub(super) fn image(&self, index: usize) -> &[f32] {
        let length = self.size().iter().product::<usize>();
        let values = self.images.as_slice().expect("the array was brought to standard layout");
        &values[index * length..][..length]
    }

    /// The label of the image at `index`.
    pub(super) fn label(&self, index: usize) -> f32 {
        self.labels[index]
    }
}
