//! The listing of a folder or a zip while it is walked through: files, folders, and what is left out.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::image_files::is_image;
use super::limits::{LISTED_BYTES, MAX_LISTING_BYTES, too_many_files};
use super::place::Place;
use super::several::SeveralLabels;
use crate::data::left_out::Reason;
use crate::data::pack::Pack;
use crate::data::part::GivenPart;
use crate::error::{shortened, some_of};
use crate::{Error, Result};

/// One file: its name below the source, and where its bytes are.
#[derive(Debug)]
pub struct ListedFile {
    /// The name.
    pub name: String,
    /// The place.
    pub place: Place,
    /// What the data tell of it, where they tell more than its name.
    pub told: Option<Box<Told>>,
    /// True if it is taken for an image.
    pub is_image: bool,
}

/// What labels tell of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The name that it had before its class was put into it, by which a person finds it; none where no file
    /// of its own is there.
    pub origin: Option<String>,
    /// Its part, where the data bring a split.
    pub part: Option<GivenPart>,
    /// The group that it belongs to, where the data tell.
    pub group: Option<Arc<str>>,
}

/// The files and folders that a walk has found so far.
#[derive(Debug)]
pub struct Listing {
    pub files: Vec<ListedFile>,
    pub folders: BTreeSet<String>,
    pub left_out: Vec<(String, Reason)>,
    /// Hidden ones that are in `left_out`.
    hidden: BTreeSet<String>,
    pub notes: Vec<String>,
    /// The pack, where the files are in one.
    pub packs: Vec<Arc<Pack>>,
    /// True where labels tell the classes, and the first folder of each name is one in any case.
    pub is_labelled: bool,
    /// The labels, where an image may have several; the first folder of each name is its combination then.
    pub several: Option<SeveralLabels>,
    /// The bytes that it may still take, or none where it has taken more.
    left: Option<usize>,
}

impl Default for Listing {
    fn default() -> Listing {
        Listing::within(MAX_LISTING_BYTES)
    }
}

impl Listing {
    /// Returns an empty listing that may take so many bytes.
    fn within(bytes: usize) -> Listing {
        Listing {
            files: Vec::new(),
            folders: BTreeSet::new(),
            left_out: Vec::new(),
            hidden: BTreeSet::new(),
            notes: Vec::new(),
            packs: Vec::new(),
            is_labelled: false,
            several: None,
            left: Some(bytes),
        }
    }

    /// Adds a file and the folders above it, unless it or one of them is hidden.
    pub fn add_file(&mut self, name: String, place: Place) {
        self.add_told(name, place, None);
    }

    /// The same, of which the data tell more.
    pub fn add_told(&mut self, name: String, place: Place, told: Option<Box<Told>>) {
        if self.is_seen(&name) {
            self.add_folder(parent(&name));
            self.count(&name);
            let is_image = is_image(&name, &place);
            self.files.push(ListedFile { name, place, told, is_image });
        }
    }

    /// Adds a folder and those above it, unless one of them is hidden.
    pub fn add_folder(&mut self, name: &str) {
        if self.is_seen(name) {
            let mut folder = name;
            while !folder.is_empty() && !self.is_too_large() && self.folders.insert(folder.to_string()) {
                self.count(folder);
                folder = parent(folder);
            }
        }
    }

    /// Adds what is passed over.
    pub fn leave_out(&mut self, name: String, reason: Reason) {
        self.count(&name);
        self.left_out.push((name, reason));
    }

    /// Adds what another listing has found, behind what is here.
    pub fn append(&mut self, further: Listing) {
        let taken = further.left.map(|left| MAX_LISTING_BYTES - left);
        self.left = self.left.zip(taken).and_then(|(left, taken)| left.checked_sub(taken));
        self.files.extend(further.files);
        self.folders.extend(further.folders);
        let is_known = |(name, _): &(String, Reason)| self.hidden.contains(name);
        self.left_out.extend(further.left_out.into_iter().filter(|left| !is_known(left)));
        self.hidden.extend(further.hidden);
        self.notes.extend(further.notes);
    }

    /// Takes what this name costs from what is left.
    pub fn count(&mut self, name: &str) {
        self.left = self.left.and_then(|left| left.checked_sub(name.len() + LISTED_BYTES));
    }

    /// Returns whether there is more in it than may be. To be asked while it grows: a name of 1024 bytes can
    /// stand for 512 folders.
    pub fn is_too_large(&self) -> bool {
        self.left.is_none()
    }

    /// Returns whether no part of the name is hidden; if one is, the topmost is remembered.
    pub fn is_seen(&mut self, name: &str) -> bool {
        let mut end = 0;
        for part in name.split('/') {
            end += part.len();
            if is_hidden(part) {
                if self.hidden.insert(name[..end].to_string()) {
                    self.leave_out(name[..end].to_string(), Reason::Hidden);
                }
                return false;
            }
            end += 1;
        }
        true
    }

    /// Puts the files in order.
    ///
    /// # Errors
    /// [`Error::Data`], if they are too many, or several have one name.
    pub fn finish(mut self, path: &Path) -> Result<Listing> {
        if self.is_too_large() {
            return Err(too_many_files(path));
        }
        self.files.sort_by(|a, b| (parent(&a.name), &a.name).cmp(&(parent(&b.name), &b.name)));
        let pairs = self.files.windows(2).filter(|pair| pair[0].name == pair[1].name);
        let mut twice: Vec<&str> = pairs.map(|pair| pair[0].name.as_str()).collect();
        twice.dedup();
        if !twice.is_empty() {
            return Err(same_name(path, &twice));
        }
        self.left_out.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(self)
    }
}

/// Returns the error for a source that holds several files of these names.
pub fn same_name(path: impl Into<PathBuf>, names: &[&str]) -> Error {
    let found = match names {
        [name] => format!("it holds two files of the name {}", shortened(name)),
        _ => {
            format!("it holds two files of each of these names: {}", some_of(names.iter().map(|name| shortened(name))))
        }
    };
    Error::data(path, format!("{found}; create it again, with one file of each name"))
}

/// Returns whether a file or folder of this name is passed over.
pub fn is_hidden(name: &str) -> bool {
    name.starts_with('.') || name == "__MACOSX"
}

/// Returns the folder a name is in; empty for what is directly in the source.
pub fn parent(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_ends_where_its_names_take_more_than_they_may() {
        let mut listing = Listing::within(3 * LISTED_BYTES + 10);
        listing.add_file("a/1.png".into(), Place::Memory(Vec::new()));
        assert!(!listing.is_too_large());
        listing.add_file("a/.1".into(), Place::Memory(Vec::new()));
        assert!(listing.is_too_large(), "what is hidden has a name too");
        let error = listing.finish(Path::new("set")).unwrap_err().to_string();
        let reason = "their names, with 500 bytes for each, take more than 1 GiB";
        let expected = format!(
            "set: its files and folders are too many: {reason}; give a part of them, if this is the set that you mean"
        );
        assert_eq!(error, expected);
    }

    #[test]
    fn a_name_that_stands_for_folders_without_end_ends_with_what_is_left() {
        let mut listing = Listing::within(10 * LISTED_BYTES);
        listing.add_file(format!("{}1.png", "a/".repeat(500)), Place::Memory(Vec::new()));
        assert!(listing.is_too_large() && listing.folders.len() < 10, "{} folders", listing.folders.len());
    }
}
