//! The files of a listing by a table of labels: which file each row means, and what its rows say of it.
//!
//! A row names a file by its path from the table's folder on, or from the folder of the images. Where there
//! is none, the end of a path will do, if one file alone has it, with or without its suffix, as many tables
//! have only the name of an image. Whatever a row says, only files of the listing can be meant.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::labels::{Labelled, by_labels};
use super::limits::too_many_files;
use super::listing::{Listing, parent};
use super::table::{Row, Table, is_table_name};
use crate::data::left_out::Reason;
use crate::data::part::GivenPart;
use crate::error::{counted, shortened, some_of};
use crate::{Error, Result};

/// Where a table is.
#[derive(Clone, Copy, Debug)]
pub struct TablePlace<'a> {
    /// Its path, or that of the data in which it lies.
    pub path: &'a Path,
    /// The place of the images.
    pub images: &'a Path,
    /// Its folder in the listing of the images; none if it lies elsewhere.
    pub folder: Option<&'a str>,
}

/// Returns the listing of the files that the rows of a table mean.
///
/// # Errors
/// [`Error::Data`] if a row may mean several files, or if none means one; and those of [`by_labels`].
pub fn by_table(place: TablePlace, mut base: Listing, table: Table) -> Result<Listing> {
    let Table { rows, several } = table;
    let mut found: BTreeMap<usize, Vec<Row>> = BTreeMap::new();
    let mut missing = Vec::new();
    let count = rows.len();
    {
        let finder = Finder::new(&base, place.folder);
        for row in rows {
            match finder.find(&row.path) {
                Meant::One(file) => found.entry(file).or_default().push(row),
                Meant::None => missing.push(row.path),
                Meant::Several(files) => {
                    let names = files.iter().map(|&file| shortened(&base.files[file].name));
                    let reason = format!(
                        "{} may be any of {}; write the whole path there",
                        shortened(&row.path),
                        some_of(names)
                    );
                    return Err(Error::data(place.path, reason));
                }
            }
        }
    }
    if let (true, Some(first)) = (found.is_empty(), missing.first()) {
        let reason = format!(
            "none of the {} that the table names is in {}, such as {}; give the folder, zip or tar that they are in, and the table with it",
            counted(count, "image"),
            if place.images.as_os_str().is_empty() { ".".into() } else { place.images.display().to_string() },
            shortened(first)
        );
        return Err(Error::data(place.path, reason));
    }
    for path in missing {
        base.leave_out(shortened(&path).into_owned(), Reason::NotThere);
        if base.is_too_large() {
            return Err(too_many_files(place.path));
        }
    }
    let mut labels = BTreeMap::new();
    let mut contradictory = Vec::new();
    for (file, mut rows) in found {
        rows.dedup_by(|row, first| (&row.label, &row.group, row.part) == (&first.label, &first.group, first.part));
        match &rows[..] {
            [Row { label, .. }] if label.is_empty() => {}
            [Row { label, group, part, .. }] => {
                let group = group.as_deref().map(Into::into);
                labels.insert(file, Labelled { label: label.clone(), part: *part, group });
            }
            _ => contradictory.push(file),
        }
    }
    let names: Vec<String> = contradictory.iter().map(|&file| base.files[file].name.clone()).collect();
    let is_known = |name: &str| is_table_name(name) || names.iter().any(|known| known == name);
    let mut listing = by_labels(place.path, base, labels, several, is_known)?;
    listing.left_out.extend(names.into_iter().map(|name| (name, Reason::Contradictory)));
    Ok(listing)
}

/// The files that a path of a table may mean.
enum Meant {
    None,
    One(usize),
    Several(Vec<usize>),
}

/// The files of a listing by their names.
struct Finder<'a> {
    listing: &'a Listing,
    /// The folder of the table in it, if it is there.
    folder: Option<&'a str>,
    by_name: HashMap<&'a str, usize>,
    /// By what stands behind the last slash.
    by_own_name: HashMap<&'a str, Vec<usize>>,
    /// The images by the same without what stands behind the last dot.
    by_stem: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Finder<'a> {
    fn new(listing: &'a Listing, folder: Option<&'a str>) -> Finder<'a> {
        let mut finder =
            Finder { listing, folder, by_name: HashMap::new(), by_own_name: HashMap::new(), by_stem: HashMap::new() };
        for (place, file) in listing.files.iter().enumerate() {
            let own = own_name(&file.name);
            finder.by_name.insert(&file.name, place);
            finder.by_own_name.entry(own).or_default().push(place);
            if file.is_image {
                finder.by_stem.entry(stem(own)).or_default().push(place);
            }
        }
        finder
    }

    fn find(&self, path: &str) -> Meant {
        let path = path.replace('\\', "/");
        let is_elsewhere = self.folder.is_none()
            || path.starts_with('/')
            || path.split('/').any(|part| part == ".." || part.ends_with(':'));
        let parts: Vec<&str> = path.split('/').filter(|part| !["", ".", ".."].contains(part)).collect();
        // A path of another machine, or one that leads out of the table's folder and back into that of the
        // images, is meant from some folder on; so are all where the table lies elsewhere.
        let starts = if is_elsewhere { parts.len() } else { 1 };
        for start in 0..starts.min(parts.len()) {
            let plain = parts[start..].join("/");
            let in_folder = format!("{}/{plain}", self.folder.unwrap_or_default());
            for name in [in_folder.trim_start_matches('/'), &plain] {
                if let Some(&file) = self.by_name.get(name) {
                    return Meant::One(file);
                }
            }
        }
        let plain = parts.join("/");
        let own = own_name(&plain);
        let ends = |file: &&usize| is_at_the_end(&self.listing.files[**file].name, &plain);
        let ends_without_suffix = |file: &&usize| is_at_the_end(stem(&self.listing.files[**file].name), &plain);
        let whole = self.by_own_name.get(own).into_iter().flatten().filter(ends).copied();
        let found: Vec<usize> = match whole.collect::<Vec<usize>>() {
            found if found.is_empty() => {
                self.by_stem.get(own).into_iter().flatten().filter(ends_without_suffix).copied().collect()
            }
            found => found,
        };
        match found[..] {
            [] => Meant::None,
            [file] => Meant::One(file),
            _ => Meant::Several(found),
        }
    }
}

/// Returns what stands behind the last slash.
fn own_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// Returns a name without what stands behind its last dot.
fn stem(name: &str) -> &str {
    match own_name(name).rfind('.') {
        Some(dot) => &name[..name.len() - own_name(name).len() + dot],
        None => name,
    }
}

/// Returns whether a name is this path, or ends with it behind a slash.
fn is_at_the_end(name: &str, path: &str) -> bool {
    name.strip_suffix(path).is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

/// Returns the folders in which a table may lie that tells of this listing: the topmost, and the single
/// folder in it as long as there are no images beside; nothing, if there are folders of classes.
pub fn folders_of_tables(listing: &Listing) -> Option<Vec<String>> {
    let images: Vec<&str> = listing.files.iter().filter(|file| file.is_image).map(|file| file.name.as_str()).collect();
    let mut folders = vec![String::new()];
    loop {
        let root = folders.last().map_or("", String::as_str);
        let below = |name: &'_ &str| {
            name[root.len()..].trim_start_matches('/').split_once('/').map(|(folder, _)| folder.to_string())
        };
        let mut children: Vec<Option<String>> = images.iter().map(below).collect();
        children.sort_unstable();
        children.dedup();
        match &children[..] {
            [Some(only)] => {
                let inner = if root.is_empty() { only.clone() } else { format!("{root}/{only}") };
                folders.push(inner);
            }
            _ => {
                let named: Vec<&String> = children.iter().flatten().collect();
                let are_parts = named.iter().all(|name| GivenPart::from_name(name).is_some());
                return (named.len() < 2 || are_parts).then_some(folders);
            }
        }
    }
}

/// Returns the tables that lie in one of these folders, by their places in the listing.
pub fn tables_in(listing: &Listing, folders: &[String]) -> Vec<usize> {
    let is_there = |name: &str| is_table_name(name) && folders.iter().any(|folder| folder == parent(name));
    (0..listing.files.len()).filter(|&place| is_there(&listing.files[place].name)).collect()
}
