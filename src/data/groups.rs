//! Groups of images that belong together, such as those of one patient, by a regular expression on their
//! paths, or as labels tell them.
//!
//! Images of one patient are alike. Where some train and others validate, the validation rewards having seen
//! the patient, and the accuracy on new ones is less than it promises. So all images of a group have to stay
//! on one side.

use super::catalog::Catalog;
use super::source::Source;
use super::stratify::GroupCounts;
use crate::error::{shortened, some_of};
use crate::{Error, Result};
use regex::Regex;
use std::collections::HashMap;

/// The groups of a catalog's images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups {
    /// For each item of the catalog the index of its group.
    of_item: Vec<usize>,
    /// The name of each group, in the order of its first item.
    names: Vec<String>,
    /// The number of images that the expression does not match.
    unmatched: usize,
    /// The oddities of the groups, in sentences for the person who gave the expression.
    pub notes: Vec<String>,
}

impl Groups {
    /// Makes every image a group of its own.
    pub fn none(catalog: &Catalog) -> Groups {
        Groups {
            of_item: (0..catalog.items.len()).collect(),
            names: catalog.items.iter().map(|item| item.path.clone()).collect(),
            unmatched: catalog.items.len(),
            notes: Vec::new(),
        }
    }

    /// Returns the groups by `pattern`, searched in each image's path from the class folder on, such as
    /// `benign/p07_2.png`: the name of its group is what the first pair of parentheses captures, or the whole
    /// match where there is none. Images with the same name belong together even across classes. An image
    /// without a match, or whose name would be empty, is a group of its own.
    ///
    /// # Errors
    /// [`Error::Setting`] if the pattern is not a regular expression, if it matches no path, or if all images
    /// are one group.
    pub fn by_regex(catalog: &Catalog, pattern: &str) -> Result<Groups> {
        let refuse = |reason: String| Error::value("group_regex", pattern, reason);
        let regex = Regex::new(pattern).map_err(|error| refuse(in_one_line(&error)))?;
        let captured = usize::from(regex.captures_len() > 1);
        let mut groups = Groups { of_item: Vec::new(), names: Vec::new(), unmatched: 0, notes: Vec::new() };
        let (mut known, mut unmatched) = (HashMap::new(), Vec::new());
        for item in &catalog.items {
            let found = regex.captures(&item.path).and_then(|captures| captures.get(captured));
            let name = found.map(|name| name.as_str()).filter(|name| !name.is_empty());
            let new = groups.names.len();
            let group = match name {
                Some(name) => *known.entry(name).or_insert(new),
                None => {
                    unmatched.push(item.path.as_str());
                    new
                }
            };
            if group == new {
                groups.names.push(name.map_or_else(|| item.name().into_owned(), str::to_string));
            }
            groups.of_item.push(group);
        }
        groups.unmatched = unmatched.len();
        let Some(first) = catalog.items.first().filter(|_| !known.is_empty()) else {
            let example = catalog.items.first().map_or("", |item| item.path.as_str());
            return Err(refuse(format!(
                "it matches none of the {} images' paths, such as {example}; write it for paths like this one",
                unmatched.len()
            )));
        };
        if groups.names.len() == 1 {
            return Err(refuse(format!(
                "it puts all {} images into one group, '{}' (so {}), and a group is never split; capture what tells patients \
                 apart",
                catalog.items.len(),
                groups.names[0],
                first.path
            )));
        }
        if !unmatched.is_empty() {
            let own = match unmatched.len() {
                1 => "does not match and is a group of its own",
                _ => "do not match, each a group of its own",
            };
            groups.notes.push(format!(
                "Groups by {pattern}: {} of {} images {own}: {}",
                unmatched.len(),
                catalog.items.len(),
                some_of(&unmatched)
            ));
        }
        Ok(groups)
    }

    /// Returns the groups that the data tell of a catalog's images, if they tell of any. An image of which
    /// they tell none is a group of its own.
    ///
    /// # Errors
    /// [`Error::Data`] if all images are one group.
    pub fn given(catalog: &Catalog, source: &Source) -> Result<Option<Groups>> {
        if catalog.items.iter().all(|item| source.group(item.entry).is_none()) {
            return Ok(None);
        }
        let mut groups = Groups { of_item: Vec::new(), names: Vec::new(), unmatched: 0, notes: Vec::new() };
        let mut known = HashMap::new();
        for item in &catalog.items {
            let new = groups.names.len();
            let name = source.group(item.entry);
            groups.unmatched += usize::from(name.is_none());
            let group = name.map_or(new, |name| *known.entry(name).or_insert(new));
            if group == new {
                groups.names.push(name.map_or_else(|| item.name().into_owned(), str::to_string));
            }
            groups.of_item.push(group);
        }
        match &groups.names[..] {
            [only] => {
                let reason = format!(
                    "its groups are one, '{}', and a group is never split; give labels without groups",
                    shortened(only)
                );
                Err(Error::data(source.path(), reason))
            }
            _ => Ok(Some(groups)),
        }
    }

    /// Returns the number of groups.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Returns whether there is no group, as without images.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Returns the number of images that are groups of their own because the expression does not match them.
    pub fn unmatched(&self) -> usize {
        self.unmatched
    }

    /// Returns the group of the item at `index` of the catalog.
    pub fn of(&self, index: usize) -> usize {
        self.of_item[index]
    }

    /// Returns the name of the group of the item at `index` of the catalog.
    pub fn name_of(&self, index: usize) -> &str {
        &self.names[self.of_item[index]]
    }

    /// Counts the images of each class in every group, or of each label and in all.
    pub(super) fn counts(&self, catalog: &Catalog) -> Vec<GroupCounts> {
        let mut counts = vec![GroupCounts::default(); self.len()];
        for (item, &group) in catalog.items.iter().zip(&self.of_item) {
            catalog.strata(item).into_iter().for_each(|stratum| counts[group].add(stratum));
        }
        counts
    }
}

/// Words a syntax error in one line. The regex crate draws them over several, of which the last is the
/// reason.
fn in_one_line(error: &regex::Error) -> String {
    let text = error.to_string();
    let reason = text.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
    format!("it is not a regular expression: {reason}")
}
