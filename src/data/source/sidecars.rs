//! Labels that lie beside their images: `7.cls` beside `7.jpg`, as WebDataset has them in tars. The file
//! holds the class, as a rule its number.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::contents;
use super::labels::{Labelled, by_labels};
use super::listing::Listing;
use crate::error::shortened;
use crate::{Error, Result};

/// The most bytes of such a file.
const MAX_LABEL_FILE_BYTES: u64 = 1024;

/// The endings of files that belong to a sample of a WebDataset beside its image.
const COMPANIONS: [&str; 4] = ["cls", "json", "txt", "__key__"];

/// Returns whether labels lie beside the images of this listing: there is one, and the images are not in the
/// folders of classes that would tell otherwise.
pub fn has_sidecars(listing: &Listing) -> bool {
    listing.files.iter().any(|file| key(&file.name).1 == "cls")
}

/// Returns the listing in which these labels tell the classes.
///
/// # Errors
/// [`Error::Data`] if a label is none, or several images have one.
pub fn list(path: &Path, base: Listing) -> Result<Listing> {
    let images: HashMap<&str, usize> = base
        .files
        .iter()
        .enumerate()
        .filter(|(_, file)| file.is_image)
        .map(|(place, file)| (key(&file.name).0, place))
        .collect();
    let mut labels = BTreeMap::new();
    for file in &base.files {
        let (sample, "cls") = key(&file.name) else { continue };
        let refuse = |fault: &str| {
            let reason = format!("the label {} {fault}; write the class of its image there", shortened(&file.name));
            Err(Error::data(path, reason))
        };
        if contents::size_hint(&file.place) > MAX_LABEL_FILE_BYTES {
            return refuse("has more than 1024 bytes");
        }
        let bytes = contents::read(&file.place, &path.join(&file.name).display().to_string())?;
        let Ok(text) = std::str::from_utf8(&bytes) else { return refuse("is no text") };
        let label = text.trim();
        if label.is_empty() {
            return refuse("is empty");
        }
        if let Some(&image) = images.get(sample) {
            labels.insert(image, Labelled { label: label.to_string(), part: None, group: None });
        }
    }
    by_labels(path, base, labels, None, |name| COMPANIONS.contains(&key(name).1))
}

/// Returns the key of a sample that a file belongs to, and what of the sample it is: all before and all
/// behind the first dot of its own name.
fn key(name: &str) -> (&str, &str) {
    let own = name.rfind('/').map_or(0, |slash| slash + 1);
    match name[own..].find('.') {
        Some(dot) => (&name[..own + dot], &name[own + dot + 1..]),
        None => (name, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_sample_ends_at_the_first_dot_of_its_own_name() {
        assert_eq!(key("a.b/000.jpg"), ("a.b/000", "jpg"));
        assert_eq!(key("000.seg.png"), ("000", "seg.png"));
        assert_eq!(key("a/000"), ("a/000", ""));
    }
}
