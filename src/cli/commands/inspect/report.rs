//! The report on a data set, file by file and as a whole.

use crate::cli::input::dataset::Dataset;
use crate::cli::terminal::progress::Progress;
use glassnet::classes::{Classes, Label, LabelSet};
use glassnet::data::audit::depth::Depth;
use glassnet::data::audit::duplicates::{Group, duplicates};
use glassnet::data::audit::shortcut::{Shortcut, shortcuts};
use glassnet::data::audit::{AuditedFile, audit};
use glassnet::data::catalog::Item;
use glassnet::data::decode::{ImageInfo, Orientation, more_pictures_note, suffix_note};
use glassnet::data::reading::Reading;
use std::collections::{BTreeMap, BTreeSet};

/// A file of the set and what was found in it.
pub struct InspectedFile<'a> {
    pub item: &'a Item,
    pub subset: &'static str,
    pub found: Result<ImageInfo, String>,
}

/// The report on a data set.
pub struct Report<'a> {
    /// Every file, the training part first.
    pub files: Vec<InspectedFile<'a>>,
    /// Sentences about files that are not what their names say, or that hold more than is read.
    pub mislabelled: Vec<String>,
    /// Images that are the same, or nearly: indices into `files`.
    pub duplicates: Vec<Group>,
    /// Attributes that tell the classes apart.
    pub shortcuts: Vec<Shortcut>,
    /// True where photos were turned upright.
    pub upright: bool,
    /// The values in images of more than 8 bits, if there are any.
    pub depth: Option<Depth>,
    /// Folders below the class folders; their images belong to the class.
    pub folders_within: Vec<String>,
}

impl<'a> Report<'a> {
    /// Decodes every file and compares them; photos are turned if they shall stand `upright`.
    pub fn new(dataset: &'a Dataset, upright: bool) -> Report<'a> {
        let parts = [("training", &dataset.split.training), ("validation", &dataset.split.validation)];
        let (mut files, mut audited): (Vec<InspectedFile>, Vec<Option<AuditedFile>>) = (Vec::new(), Vec::new());
        let progress = Progress::of_images("Checking", dataset.catalog.items.len());
        let reading = Reading { upright, ..Reading::default() };
        for (subset, items) in parts {
            let outcomes = audit(&dataset.source, items, reading, || progress.advance(1));
            for (item, outcome) in items.iter().zip(outcomes) {
                let outcome = outcome.map_err(|error| error.to_string());
                files.push(InspectedFile {
                    item,
                    subset,
                    found: outcome.as_ref().map(|found| found.info).map_err(String::clone),
                });
                audited.push(outcome.ok());
            }
        }
        drop(progress);
        let readable = || files.iter().filter_map(|file| Some((file.item, file.found.as_ref().ok()?)));
        let mislabelled = readable().flat_map(|(item, info)| {
            suffix_note(&item.name(), info).into_iter().chain(more_pictures_note(&item.name(), info))
        });
        // Of a photo that was turned upright, nobody sees how it lay.
        let seen = |info: &ImageInfo| if upright { Orientation::UPRIGHT } else { info.orientation };
        let attributes: Vec<(Label, ImageInfo)> =
            readable().map(|(item, info)| (item.label, ImageInfo { orientation: seen(info), ..*info })).collect();
        let within: BTreeSet<String> = files
            .iter()
            // A combination of labels is in no folder of its own.
            .filter(|file| file.item.labels.is_none() && file.item.path.matches('/').count() > 1)
            .filter_map(|file| Some(file.item.name().rsplit_once('/')?.0.to_string()))
            .collect();
        Report {
            mislabelled: mislabelled.collect(),
            duplicates: duplicates(&audited),
            // A combination of labels is no class to be told from the others.
            shortcuts: match dataset.catalog.combinations {
                None => shortcuts(dataset.classes(), &attributes),
                Some(_) => Vec::new(),
            },
            upright,
            depth: Depth::from_infos(readable().map(|(_, info)| info)),
            folders_within: within.into_iter().collect(),
            files,
        }
    }

    /// Returns how many files of each class and a part, or of all parts, there are.
    pub fn counts(&self, classes: &Classes, subset: Option<&str>) -> Vec<usize> {
        self.counts_where(classes, |file| subset.is_none_or(|subset| file.subset == subset))
    }

    /// Returns how many files of each class and a part, or of all parts, can be read.
    pub fn readable_counts(&self, classes: &Classes, subset: Option<&str>) -> Vec<usize> {
        self.counts_where(classes, |file| file.found.is_ok() && subset.is_none_or(|subset| file.subset == subset))
    }

    /// Returns how many files of a part, or of all parts, have each of the labels, of which an image may have
    /// several.
    pub fn label_counts(&self, labels: &Classes, subset: Option<&str>) -> Vec<usize> {
        let mut counts = vec![0; labels.count()];
        let files = self.files.iter().filter(|file| subset.is_none_or(|subset| file.subset == subset));
        for label in files.filter_map(|file| file.item.labels).flat_map(LabelSet::labels) {
            counts[label.index()] += 1;
        }
        counts
    }

    fn counts_where(&self, classes: &Classes, is_counted: impl Fn(&InspectedFile) -> bool) -> Vec<usize> {
        let mut counts = vec![0; classes.count()];
        for file in self.files.iter().filter(|file| is_counted(file)) {
            counts[file.item.label.index()] += 1;
        }
        counts
    }

    /// Returns what the files that can be read hold.
    pub fn readable(&self) -> impl Iterator<Item = &ImageInfo> {
        self.files.iter().filter_map(|file| file.found.as_ref().ok())
    }

    /// Returns how many images of each class lie in which orientation.
    pub fn orientations(&self, classes: &Classes) -> BTreeMap<Orientation, Vec<usize>> {
        let mut counts = BTreeMap::new();
        for file in &self.files {
            if let Ok(info) = &file.found {
                let of_classes = counts.entry(info.orientation).or_insert_with(|| vec![0; classes.count()]);
                of_classes[file.item.label.index()] += 1;
            }
        }
        counts
    }

    /// The files that cannot be read, and why.
    pub fn unreadable(&self) -> Vec<(&InspectedFile<'a>, &str)> {
        self.files.iter().filter_map(|file| Some((file, file.found.as_ref().err()?.as_str()))).collect()
    }

    /// Returns whether a group has images of several classes.
    pub fn crosses_classes(&self, group: &Group) -> bool {
        group.members.iter().any(|&member| self.files[member].item.label != self.files[group.members[0]].item.label)
    }

    /// Returns whether a group has images of both parts.
    pub fn crosses_split(&self, group: &Group) -> bool {
        group.members.iter().any(|&member| self.files[member].subset != self.files[group.members[0]].subset)
    }
}

/// Returns how many files have each value, most frequent first.
pub fn counted<T: Ord>(values: impl Iterator<Item = T>) -> Vec<(T, usize)> {
    let mut counts = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_insert(0) += 1;
    }
    let mut counts: Vec<(T, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}
