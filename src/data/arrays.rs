//! Images that a program holds in memory: of any size and any number of channels.

use std::collections::BTreeSet;

use ndarray::Array4;

use crate::classes::{Label, LabelSet};
use crate::{Error, Result};

/// Images with their labels.
#[derive(Clone, Debug, PartialEq)]
pub struct ArraySet {
    images: Array4<f32>,
    labels: Vec<Label>,
    /// The labels of each image, where it may have several.
    sets: Option<Vec<LabelSet>>,
}

impl ArraySet {
    /// A set of images `[N, H, W, C]`, each with its class. They are taken as they are: whoever has bytes
    /// divides them by 255 before.
    ///
    /// # Errors
    /// [`Error::Setting`] if images have no pixels, or if there is not one label for each.
    pub fn new(images: Array4<f32>, labels: Vec<Label>) -> Result<ArraySet> {
        let count = images.shape()[0];
        if images.shape()[1..].contains(&0) {
            return Err(Error::setting("images", format!("an array of {:?} holds no pixels", images.shape())));
        }
        if count != labels.len() {
            return Err(Error::setting("labels", format!("there are {}, for {count} images", labels.len())));
        }
        Ok(ArraySet { images: images.as_standard_layout().into_owned(), labels, sets: None })
    }

    /// The same of images each of which has any number of labels.
    ///
    /// # Errors
    /// Those of [`new`](ArraySet::new), if there is not one set of labels for each image.
    pub fn with_label_sets(images: Array4<f32>, sets: Vec<LabelSet>) -> Result<ArraySet> {
        let combinations: BTreeSet<LabelSet> = sets.iter().copied().collect();
        let combinations: Vec<LabelSet> = combinations.into_iter().collect();
        let labels = sets.iter().map(|set| Label::new(combinations.partition_point(|other| other < set))).collect();
        Ok(ArraySet { sets: Some(sets), ..ArraySet::new(images, labels)? })
    }

    /// How many images there are.
    pub fn count(&self) -> usize {
        self.labels.len()
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

    /// The class of each image, or the combination of its labels, of which it may have several.
    pub(super) fn labels(&self) -> &[Label] {
        &self.labels
    }

    /// The labels of each image, where it may have several.
    pub(super) fn sets(&self) -> Option<&[LabelSet]> {
        self.sets.as_deref()
    }
}
