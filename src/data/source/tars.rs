//! Several tars as one source, as WebDataset has its shards: the files of all of them, as one tar of all
//! would have them.
//!
//! Files of one name in two tars are an error, as in one tar. Only samples of a WebDataset may have the same
//! key in several, as they are numbered from 0 in each of some: they are different samples for WebDataset, so
//! they are told apart here by the names of their tars.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::braces::BraceRange;
use super::listing::{ListedFile, Listing};
use super::place::Place;
use super::{by_table, sidecars, tar};
use crate::data::pack::OPEN_FILES;
use crate::data::pack::shard_name::own_name;
use crate::error::shortened;
use crate::{Error, Result};

/// The endings of the names of tars.
const SUFFIXES: [&str; 3] = [".tar.gz", ".tgz", ".tar"];

/// Lists the tars of a range, which was given as `path`. Where `has_table`, a table elsewhere tells their
/// labels.
///
/// # Errors
/// Those of the range and of each tar; [`Error::Data`] of what is no tar, and of files of the same name.
pub fn list(path: &Path, range: &BraceRange, has_table: bool) -> Result<Listing> {
    let tars = range.files()?;
    let mut listing = Listing::default();
    let (mut ends, mut in_memory) = (Vec::with_capacity(tars.len()), 0);
    for file in &tars {
        if !tar::is_tar(file) {
            let reason = format!("{} is no tar, and of tars alone several are one set; give one path", file.display());
            return Err(Error::data(path, reason));
        }
        let further = tar::list(file, tar::Among { in_memory, stays_open: ends.len() < OPEN_FILES })?;
        in_memory += further.files.iter().map(bytes_in_memory).sum::<u64>();
        listing.append(further);
        if listing.is_too_large() {
            return Err(super::limits::too_many_files(path));
        }
        ends.push(listing.files.len());
    }
    let Some((name, tars_of_it)) = in_two(&listing.files, &ends) else { return Ok(listing) };
    let is_webdataset = !has_table && sidecars::has_sidecars(&listing);
    if is_webdataset && by_table::folders_of_tables(&listing).is_some() {
        return sidecars::list(path, told_apart(listing, &tars, &ends).finish(path)?);
    }
    let [first, second] = tars_of_it.map(|tar| tars[tar].display());
    let reason =
        format!("{first} and {second} both hold {}; create them again, with one file of each name", shortened(name));
    Err(Error::data(path, reason))
}

/// Returns the bytes that a file takes in memory.
fn bytes_in_memory(file: &ListedFile) -> u64 {
    match &file.place {
        Place::Memory(bytes) => bytes.len() as u64,
        _ => 0,
    }
}

/// Returns the first name that files of two tars have, and which tars these are; the files of each end where
/// `ends` tells.
fn in_two<'a>(files: &'a [ListedFile], ends: &[usize]) -> Option<(&'a str, [usize; 2])> {
    let mut seen: HashMap<&str, usize> = HashMap::with_capacity(files.len());
    files.iter().enumerate().find_map(|(place, file)| {
        let tar = ends.partition_point(|&end| end <= place);
        let before = seen.insert(&file.name, tar).filter(|&before| before != tar)?;
        Some((file.name.as_str(), [before, tar]))
    })
}

/// Returns the listing with each file in a folder that is called as its tar.
fn told_apart(listing: Listing, tars: &[PathBuf], ends: &[usize]) -> Listing {
    let mut apart = Listing::default();
    (apart.notes, apart.left_out) = (listing.notes, listing.left_out);
    for (place, file) in listing.files.into_iter().enumerate() {
        let tar = &tars[ends.partition_point(|&end| end <= place)];
        let own = own_name(tar);
        let stem = SUFFIXES.iter().find_map(|suffix| own.strip_suffix(suffix)).unwrap_or(&own);
        apart.add_file(format!("{stem}/{}", file.name), file.place);
    }
    apart
}
