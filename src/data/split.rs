//! Which images train and which validate, as Keras's `validation_split` parts them: class by class, with
//!
//! ```text
//! k = int(fraction · n)        n files of the class, the product in f64, cut towards zero
//! validation = files[..k]      training = files[k..]
//! ```
//!
//! The cut falls where Keras's does even if the product is not exact: of 100 files, 0.29 takes 28. Every class keeps at least
//! one image to train on, because even the largest fraction below 1, 1 − 2⁻⁵³, times n rounds to less than n.

use super::catalog::{Catalog, Item};
use crate::{Error, Result};

/// The two parts of a set.
#[derive(Clone, Debug)]
pub struct Split {
    /// The images to train on: class 0, then class 1.
    pub training: Vec<Item>,
    /// The images to validate on: class 0, then class 1.
    pub validation: Vec<Item>,
    /// What is odd about the parts, in sentences for the person who chose them.
    pub notes: Vec<String>,
}

impl Split {
    /// Parts each class of the catalog; `validation_split` is the fraction, in [0, 1), that validates.
    ///
    /// # Errors
    /// [`Error::Setting`] if the fraction is outside [0, 1).
    pub fn new(catalog: &Catalog, validation_split: f64) -> Result<Split> {
        const SETTING: &str = "--validation-split";
        if !(0.0..1.0).contains(&validation_split) {
            return Err(Error::setting(SETTING, format!("{validation_split} is not a fraction from 0 to below 1")));
        }
        let mut split = Split { training: Vec::new(), validation: Vec::new(), notes: Vec::new() };
        for (label, class) in catalog.classes.iter().enumerate() {
            let files: Vec<Item> = catalog.items.iter().filter(|item| item.label == label).cloned().collect();
            let count = (validation_split * files.len() as f64) as usize;
            if count == 0 && validation_split > 0.0 {
                split.notes.push(format!(
                    "{validation_split} of the {} images of {class} is less than one, so none of them validates",
                    files.len()
                ));
            }
            let (validation, training) = files.split_at(count);
            split.validation.extend_from_slice(validation);
            split.training.extend_from_slice(training);
        }
        Ok(split)
    }
}
