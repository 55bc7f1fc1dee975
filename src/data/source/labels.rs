//! Classes that are told by labels, and not by folders: the files of a listing get names as if each lay in
//! the folder of its class.
//!
//! A file `images/7.png` of the class `cat` becomes `cat/7.png`, as the folder that all of them are in says
//! nothing of any. So the same images have the same names, order and hash as in folders. Where the files lie
//! in the folders of their classes already, they keep their names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::label_names::{check_name, number};
use super::limits::too_many_files;
use super::listing::{ListedFile, Listing, Told, parent};
use super::several::SeveralLabels;
use crate::data::left_out::Reason;
use crate::data::part::GivenPart;
use crate::{Error, Result};

/// The label of a file, and what else is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    /// The name of its class.
    pub label: String,
    /// Its part, where the labels tell.
    pub part: Option<GivenPart>,
    /// Its group, where they tell.
    pub group: Option<Arc<str>>,
}

/// Returns the listing of the files of `base` that have a label, by their places in it. What lies beside them
/// and has none is left out, but for what `is_known` says of by its name, such as the labels themselves.
/// Where images may have `several` labels, each is labelled by the name of its combination.
///
/// # Errors
/// [`Error::Data`] of `path` if there is no label, or one cannot be the name of a class.
pub fn by_labels(
    path: &Path,
    base: Listing,
    labels: BTreeMap<usize, Labelled>,
    several: Option<SeveralLabels>,
    is_known: impl Fn(&str) -> bool,
) -> Result<Listing> {
    let named = labels.values().map(|labelled| labelled.label.as_str());
    let classes = match several {
        Some(_) => named.map(|label| (label, label.to_string())).collect(),
        None => class_names(path, named)?,
    };
    let names: Vec<&str> = labels.keys().map(|&file| base.files[file].name.as_str()).collect();
    let folders: BTreeSet<String> = names.iter().map(|name| parent(name).to_string()).collect();
    let common = common_folder(&folders).to_string();
    let below = |name: &str| name[common.len()..].trim_start_matches('/').to_string();
    let are_in_their_classes = labels.iter().all(|(&file, labelled)| {
        let below = below(&base.files[file].name);
        below.split_once('/').is_some_and(|(folder, _)| folder == classes[labelled.label.as_str()])
    });
    let mut listing = Listing::default();
    listing.is_labelled = true;
    listing.several = several;
    listing.notes = base.notes;
    let mut unlabelled = base.left_out;
    for (place, ListedFile { name, place: bytes, is_image, .. }) in base.files.into_iter().enumerate() {
        let Some(Labelled { label, part, group }) = labels.get(&place) else {
            let reason = if is_image { Reason::NoLabel } else { Reason::NotAnImage };
            if !is_known(&name) {
                unlabelled.push((name, reason));
            }
            continue;
        };
        let below = below(&name);
        let named = if are_in_their_classes { below } else { format!("{}/{below}", classes[label.as_str()]) };
        let told = Told { origin: Some(name), part: *part, group: group.clone() };
        listing.add_told(named, bytes, Some(Box::new(told)));
        if listing.is_too_large() {
            return Err(too_many_files(path));
        }
    }
    // Elsewhere may be anything: a table of labels may lie in a folder of other things.
    let is_beside = |name: &str, reason: &Reason| folders.contains(parent(name)) || reason.is_of_labels();
    listing.left_out = unlabelled.into_iter().filter(|(name, reason)| is_beside(name, reason)).collect();
    Ok(listing)
}

/// Returns the name of the class of each label: the label, but of whole numbers all with as many digits as
/// the largest has, so that the classes stand in the order of their numbers.
fn class_names<'a>(path: &Path, labels: impl Iterator<Item = &'a str>) -> Result<BTreeMap<&'a str, String>> {
    let labels: BTreeSet<&str> = labels.collect();
    if labels.is_empty() {
        return Err(Error::data(path, "no image has a label; give the images that the labels are of"));
    }
    for label in &labels {
        check_name(path, label)?;
    }
    let numbers: Option<Vec<u64>> = labels.iter().map(|label| number(label)).collect();
    Ok(match numbers {
        Some(numbers) => {
            let digits = super::idx::digits(&numbers);
            labels.into_iter().zip(numbers).map(|(label, number)| (label, format!("{number:0digits$}"))).collect()
        }
        None => labels.into_iter().map(|label| (label, label.to_string())).collect(),
    })
}

/// Returns the folder that all of these are in, or are.
fn common_folder(folders: &BTreeSet<String>) -> &str {
    let mut common = folders.first().map_or("", String::as_str);
    for folder in folders {
        while !(common.is_empty()
            || folder == common
            || folder.strip_prefix(common).is_some_and(|rest| rest.starts_with('/')))
        {
            common = parent(common);
        }
    }
    common
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::source::place::Place;

    /// The names that files have by these labels, in their order.
    fn named(files: &[(&str, &str)]) -> Vec<String> {
        let mut base = Listing::default();
        for (name, _) in files {
            base.add_file(name.to_string(), Place::Memory(Vec::new()));
        }
        let labelled = |label: &str| Labelled { label: label.to_string(), part: None, group: None };
        let labels = files.iter().map(|(_, label)| labelled(label)).enumerate().collect();
        let listing = by_labels(Path::new("set"), base, labels, None, |_| false).unwrap();
        let listing = listing.finish(Path::new("set")).unwrap();
        listing.files.into_iter().map(|file| file.name).collect()
    }

    #[test]
    fn files_are_named_as_if_they_lay_in_the_folders_of_their_classes() {
        assert_eq!(named(&[("images/1.png", "dog"), ("images/2.png", "cat")]), ["cat/2.png", "dog/1.png"]);
        assert_eq!(named(&[("a/b/1.png", "dog"), ("a/c/1.png", "cat")]), ["cat/c/1.png", "dog/b/1.png"]);
        assert_eq!(named(&[("ab/1.png", "x"), ("a/1.png", "y")]), ["x/ab/1.png", "y/a/1.png"]);
        assert_eq!(named(&[("1.png", "x"), ("a/1.png", "y")]), ["x/1.png", "y/a/1.png"]);
        // What is in the folders of the classes stays there.
        assert_eq!(named(&[("set/cat/1.png", "cat"), ("set/dog/2.png", "dog")]), ["cat/1.png", "dog/2.png"]);
        assert_eq!(named(&[("cat/1.png", "cat"), ("dog/2.png", "cat")]), ["cat/cat/1.png", "cat/dog/2.png"]);
    }

    #[test]
    fn whole_numbers_stand_in_their_order_and_other_labels_as_they_are() {
        let label = |labels: &[&str]| {
            let files: Vec<(String, &str)> =
                labels.iter().enumerate().map(|(i, label)| (format!("{i}.png"), *label)).collect();
            let files: Vec<(&str, &str)> = files.iter().map(|(name, label)| (name.as_str(), *label)).collect();
            named(&files)
        };
        assert_eq!(label(&["2", "10"]), ["02/0.png", "10/1.png"]);
        assert_eq!(label(&["1.0", "0.0"]), ["0/1.png", "1/0.png"]);
        assert_eq!(label(&["2", "10", "x"]), ["10/1.png", "2/0.png", "x/2.png"]);
        assert_eq!(label(&["-1", "1"]), ["-1/0.png", "1/1.png"]);
    }
}
