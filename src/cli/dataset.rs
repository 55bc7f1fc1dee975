//! From DATA to loaders: opened, listed, split, checked.

use super::console::{self, Failure};
use glassnet::Error;
use glassnet::data::catalog::Catalog;
use glassnet::data::images::{CACHE_BUDGET_BYTES, Check, ImageSet};
use glassnet::data::source::Source;
use glassnet::data::split::Split;
use glassnet::report::csv_files::SplitRow;
use std::sync::Arc;

/// A data set, listed and split; no image has been decoded yet.
pub struct Dataset {
    pub source: Arc<Source>,
    pub catalog: Catalog,
    pub split: Split,
}

impl Dataset {
    /// Lists and splits, and passes on what was odd as warnings.
    pub fn new(source: Source, validation_split: f64) -> Result<Dataset, Failure> {
        let catalog = Catalog::of(&source)?;
        let split = Split::new(&catalog, validation_split)?;
        for note in catalog.notes.iter().chain(&split.notes) {
            console::warn(note);
        }
        Ok(Dataset { source: Arc::new(source), catalog, split })
    }

    /// The two class names.
    pub fn classes(&self) -> [&str; 2] {
        [&self.catalog.classes[0], &self.catalog.classes[1]]
    }

    /// The images of one part, to be resized to `side` × `side`.
    pub fn images(&self, part: Part, side: usize) -> Result<Arc<ImageSet>, Failure> {
        let items = match part {
            Part::Training => &self.split.training,
            Part::Validation => &self.split.validation,
        };
        Ok(Arc::new(ImageSet::new(self.source.clone(), items.clone(), side, CACHE_BUDGET_BYTES)?))
    }

    /// All files with their class and part, the training part first.
    pub fn rows(&self) -> Vec<SplitRow<'_>> {
        let parts = [("training", &self.split.training), ("validation", &self.split.validation)];
        parts
            .into_iter()
            .flat_map(|(subset, items)| {
                items.iter().map(move |item| SplitRow {
                    file: &item.path,
                    class: &self.catalog.classes[item.label],
                    subset,
                })
            })
            .collect()
    }
}

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Training,
    Validation,
}

/// Passes on what checks found: notes as warnings, unreadable files as errors. `Err` holds the last of these, where there are
/// any, after the others were printed.
pub fn report_checks(checks: Vec<Check>) -> Result<(), Failure> {
    for note in checks.iter().flat_map(|check| &check.notes) {
        console::warn(note);
    }
    let mut errors: Vec<Error> = checks.into_iter().flat_map(|check| check.errors).collect();
    let Some(last) = errors.pop() else { return Ok(()) };
    for error in errors {
        console::error(&error.to_string());
    }
    Err(last.into())
}
