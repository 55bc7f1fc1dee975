//! The catalog of images that may have several labels: each combination of them that there is stands for a
//! class.

use super::{Catalog, Item, Listed, class_counts, quoted};
use crate::classes::{Classes, Combinations, Label, LabelSet};
use crate::data::source::{SeveralLabels, Source};
use crate::error::shortened;
use crate::{Error, Result};
use std::path::Path;

impl Catalog {
    /// Finds the images of these labels, of which they may have several: those of a model.
    ///
    /// # Errors
    /// [`Error::Data`] if the data tell of other labels, or of classes.
    pub fn with_labels(source: &Source, labels: &Classes) -> Result<Catalog> {
        match source.several_labels() {
            Some(several) => Catalog::of_labels(source, Listed::of(source), labels.clone(), several),
            None => {
                let reason = format!(
                    "its images are each of one class, and for the model an image may have several labels, {}; give a table that tells \
                     them, by --label-column with a column for each, or by --label-separator",
                    quoted(labels)
                );
                Err(Error::data(source.path(), reason))
            }
        }
    }

    /// The catalog of images that may have several of these labels, which are those of the data, or others
    /// among which these are.
    pub(super) fn of_labels(source: &Source, listed: Listed, labels: Classes, told: &SeveralLabels) -> Result<Catalog> {
        let place = |name: &str| labels.label(name);
        if let Some(other) = told.labels().names().find(|name| place(name).is_none()) {
            let reason = format!(
                "its images may have the label '{}', and the model knows {}",
                shortened(other),
                quoted(&labels)
            );
            return Err(Error::data(source.path(), reason));
        }
        let set = |folder: &str| -> LabelSet {
            told.set(folder).labels().filter_map(|label| place(&told.labels()[label])).collect()
        };
        let sets = listed.folders.iter().map(|folder| set(folder));
        let items = sets
            .zip(&listed.images)
            .flat_map(|(set, items)| items.iter().map(move |item| Item { labels: Some(set), ..item.clone() }));
        let mut catalog = Catalog {
            classes: labels.clone(),
            combinations: None,
            items: items.collect(),
            left_out: Vec::new(),
            notes: Vec::new(),
        };
        if catalog.items.is_empty() {
            return Err(Error::data(source.path(), "no image has labels; give the images that the labels are of"));
        }
        catalog.combine(labels)?;
        let all_have_one = catalog.items.iter().all(|item| item.labels.is_some_and(|set| set.count() == 1));
        let Catalog { left_out, notes, .. } = Catalog::new(source, catalog.classes.clone(), Vec::new(), listed);
        let shown = source.path().display();
        let one = all_have_one.then(|| {
            format!("{shown}: every image has just one label; if none can have several, give one column of classes instead, of which one is the answer")
        });
        Ok(Catalog { left_out, notes: notes.into_iter().chain(one).collect(), ..catalog })
    }

    /// Makes the combinations of these labels that the images have their classes, and brings the images into
    /// their order, which within one they keep.
    pub(super) fn combine(&mut self, labels: Classes) -> Result<()> {
        let combinations = Combinations::new(labels, self.items.iter().filter_map(|item| item.labels))?;
        for item in &mut self.items {
            let combination = item.labels.and_then(|set| combinations.of(set));
            item.label = combination.expect("they are the combinations of these very images");
        }
        self.items.sort_by_key(|item| item.label);
        self.classes = combinations.names().clone();
        self.combinations = Some(combinations);
        Ok(())
    }

    /// The names that a network's answers have: the classes, or where images may have several, the labels.
    pub fn answers(&self) -> &Classes {
        self.combinations.as_ref().map_or(&self.classes, Combinations::labels)
    }

    /// How many of these images, which are of this catalog, have each of the labels of which they may have
    /// several; where they are of classes, how many each has.
    pub fn label_counts(&self, items: &[Item]) -> Vec<usize> {
        if self.combinations.is_none() {
            return class_counts(items, &self.classes);
        }
        let mut counts = vec![0; self.answers().count()];
        for label in items.iter().filter_map(|item| item.labels).flat_map(LabelSet::labels) {
            counts[label.index()] += 1;
        }
        counts
    }

    /// The first class that none of these images is of, or the first label that none of them has, in words
    /// that go on after "no image": `of the class cat`.
    pub fn missing(&self, items: &[Item]) -> Option<String> {
        let counts = self.label_counts(items);
        let (name, _) = self.answers().names().zip(counts).find(|(_, count)| *count == 0)?;
        Some(match self.combinations {
            None => format!("of the class {name}"),
            Some(_) => format!("with the label {name}"),
        })
    }

    /// What an image counts for where a set is parted so that each part has its share of everything: its
    /// class, or each of its labels, and behind these that it is an image.
    pub(in crate::data) fn strata(&self, item: &Item) -> Vec<usize> {
        match (&self.combinations, item.labels) {
            (Some(combinations), Some(set)) => {
                set.labels().map(Label::index).chain([combinations.labels().count()]).collect()
            }
            _ => vec![item.label.index()],
        }
    }

    /// Gives its images their labels by their places among these, which are those of the data that train.
    pub(super) fn relabel(&mut self, labels: &Classes, path: &Path) -> Result<()> {
        let own = self.answers().clone();
        if let Some(other) = own.names().find(|name| labels.label(name).is_none()) {
            let reason = format!(
                "its images may have the label '{}', and those of the data that train {}; name the labels as there",
                shortened(other),
                quoted(labels)
            );
            return Err(Error::data(path, reason));
        }
        for item in &mut self.items {
            let places = |set: LabelSet| set.labels().filter_map(|label| labels.label(&own[label])).collect();
            item.labels = item.labels.map(places);
        }
        Ok(())
    }
}
