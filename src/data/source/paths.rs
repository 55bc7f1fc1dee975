//! Paths as they are given, before anything is opened: what they stand for, and whether it is there.

use std::path::{Path, PathBuf};

use super::braces::BraceRange;
use super::parquet_files::is_parquet;
use super::{archive, idx, table, tar};
use crate::data::pack::is_pack;
use crate::data::pack::shard_name::{ShardNames, names_shards};

/// Returns whether a path stands for several images: a zip, a tar, a range of tars, a pack or the name of
/// several, a Parquet file, an idx file of images, or a table.
pub fn is_set(path: &Path) -> bool {
    let is_table = || path.is_file() && table::is_table_name(&path.display().to_string());
    archive::starts_as_zip(path)
        || BraceRange::of(path).is_some()
        || is_pack(path)
        || is_parquet(path)
        || idx::is_images(path)
        || tar::is_tar(path)
        || is_table()
}

/// Returns whether there is something at a path: a file or a folder, a tar of a range, or a shard of a set of
/// this name.
pub fn is_there(path: &Path) -> bool {
    path.exists() || names_shards(path) || BraceRange::of(path).is_some_and(|range| range.is_there())
}

/// Returns a path from the root of the file system, if it is there. Of what is in several files it is the
/// path of the first shard, or the range, in the folder where they or the links to them lie.
pub fn absolute(path: &Path) -> Option<PathBuf> {
    let in_folder = |file: &Path| {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(folder.canonicalize().ok()?.join(file.file_name()?))
    };
    if ShardNames::of_shard(path).is_some() || BraceRange::of(path).is_some() {
        return in_folder(path).filter(|_| is_there(path));
    }
    match ShardNames::of_set(path) {
        Ok(Some(names)) => in_folder(&names.path(0)),
        _ => path.canonicalize().ok(),
    }
}
