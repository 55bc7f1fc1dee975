//! The shards of a set, opened as one: each at the place that its name tells, all of one set, none missing.

use std::path::Path;

use super::description::{Description, Shard};
use super::file::OpenedFile;
use super::identity::identity;
use super::shard_name::{ShardNames, own_name};
use crate::{Error, Result};

/// Opens the file at `path` and, where it is the first shard of a set, the others.
///
/// # Errors
/// Those of [`OpenedFile::open`] and of [`open()`]; [`Error::Data`] of a shard that is not the first, or is
/// not named as one.
pub fn open_from(path: &Path) -> Result<Vec<OpenedFile>> {
    let first = OpenedFile::open(path, &[])?;
    let Some(Shard { index, count, .. }) = first.description.shard else { return Ok(vec![first]) };
    let named = ShardNames::of_shard(path).filter(|(names, place)| (names.count, *place) == (count, index));
    let Some((names, _)) = named else {
        let wanted = ShardNames::new(Path::new("NAME.pack"), count).own_name(index.min(count));
        let reason = format!(
            "it is shard {index} of {count} of a set, counted from 0, and is not named so; name it as it was written, {wanted}"
        );
        return Err(Error::data(path, reason));
    };
    if index != 0 {
        let reason = format!(
            "it is shard {index} of {count} of a set, counted from 0; give the first, {}, which stands for all",
            names.path(0).display()
        );
        return Err(Error::data(path, reason));
    }
    open(path, &names, Some(first))
}

/// Opens the shards of these names, which are the set that was given as `path`; the `first` may be open.
///
/// # Errors
/// Those of [`OpenedFile::open`]; [`Error::Data`] of `path`, if shards are missing, too many, of another set,
/// or not at their places.
pub fn open(path: &Path, names: &ShardNames, first: Option<OpenedFile>) -> Result<Vec<OpenedFile>> {
    let mut opened = Vec::from_iter(first);
    for shard in names.paths(path)?.iter().skip(opened.len()) {
        opened.push(OpenedFile::open(shard, &opened)?);
        check(path, names, &opened)?;
    }
    let images = opened.iter().flat_map(|file| file.names.iter().map(String::as_str).zip(&file.images));
    let description = &opened[0].description;
    let found = identity(names.count, description, images);
    match &description.shard {
        Some(shard) if shard.set == found => Ok(opened),
        _ => Err(Error::data(path, "its shards are not those that were packed together; pack the images again")),
    }
}

/// Checks whether the last of these files is the shard that its place wants, and of the set of the first.
fn check(path: &Path, names: &ShardNames, opened: &[OpenedFile]) -> Result<()> {
    let (first, last) = (&opened[0], &opened[opened.len() - 1]);
    let name = own_name(&last.path);
    let fail = |reason: String| Err(Error::data(path, reason));
    let Some(shard) = &last.description.shard else {
        return fail(format!("{name} is a whole pack and no shard; put back the shard, or give the pack by itself"));
    };
    if (shard.index, shard.count) != (opened.len() - 1, names.count) {
        return fail(format!(
            "{name} is shard {} of {}, counted from 0; give each shard the name with which it was written",
            shard.index, shard.count
        ));
    }
    let set = |file: &OpenedFile| {
        let Description { shard, size, reading, skip_bad, is_labelled, .. } = &file.description;
        (shard.as_ref().map(|shard| shard.set.clone()), *size, *reading, *skip_bad, *is_labelled)
    };
    match set(first) == set(last) {
        true => Ok(()),
        false => fail(format!(
            "{name} is a shard of another set than {}; put back the shard of this set, or pack the images again",
            own_name(&first.path)
        )),
    }
}
