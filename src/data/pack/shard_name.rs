//! The names of the shards of a set that is in several packs: of `set.pack`, `set-00000-of-00004.pack` to
//! `set-00003-of-00004.pack`. No shard tells where another is; they lie in one folder, or links to them do.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::error::{and, shell_word};
use crate::{Error, Result};

/// The most shards of a set. All of them are written at once, and a system lets few files be open.
pub const MAX_SHARDS: usize = 512;

/// The digits of a number in a name.
const DIGITS: usize = 5;

/// The names of the shards of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardNames {
    folder: PathBuf,
    /// What stands before the numbers.
    stem: OsString,
    /// What stands behind them: `.pack`.
    suffix: OsString,
    /// The number of shards.
    pub count: usize,
}

impl ShardNames {
    /// Returns the names of the `count` shards of the set that is called `path`, which no file is.
    pub fn new(path: &Path, count: usize) -> ShardNames {
        let suffix = path.extension().map_or(OsString::new(), |extension| {
            let mut suffix = OsString::from(".");
            suffix.push(extension);
            suffix
        });
        let stem = path.file_stem().unwrap_or_default().to_os_string();
        ShardNames { folder: path.parent().unwrap_or(Path::new("")).to_path_buf(), stem, suffix, count }
    }

    /// Returns the names of the shards of which `path` is one, by its name, with its place among them.
    pub fn of_shard(path: &Path) -> Option<(ShardNames, usize)> {
        let mut names = ShardNames::new(path, 0);
        let stem = names.stem.to_str()?;
        let (stem, count) = numbered(stem, "-of-")?;
        let (stem, index) = numbered(stem, "-")?;
        (names.stem, names.count) = (stem.into(), count);
        (index < count).then_some((names, index))
    }

    /// Returns the path of the shard at `index`.
    pub fn path(&self, index: usize) -> PathBuf {
        let mut name = self.stem.clone();
        name.push(format!("-{index:0DIGITS$}-of-{:0DIGITS$}", self.count));
        name.push(&self.suffix);
        self.folder.join(name)
    }

    /// Returns the own name of the shard at `index`, for sentences.
    pub fn own_name(&self, index: usize) -> String {
        own_name(&self.path(index))
    }

    /// Returns the paths of all shards, in their order.
    ///
    /// # Errors
    /// [`Error::Data`] of `set`, if they are too many, or some are not there.
    pub fn paths(&self, set: &Path) -> Result<Vec<PathBuf>> {
        if self.count > MAX_SHARDS {
            let reason = format!("its name tells of {} shards, and {MAX_SHARDS} are the most", self.count);
            return Err(Error::data(set, reason));
        }
        let paths: Vec<PathBuf> = (0..self.count).map(|index| self.path(index)).collect();
        let missing: Vec<String> = paths.iter().filter(|path| !path.exists()).map(|path| own_name(path)).collect();
        if missing.is_empty() {
            return Ok(paths);
        }
        let [are, it] = if missing.len() == 1 { ["is", "it"] } else { ["are", "them"] };
        let names = and(missing.iter().map(String::as_str));
        let reason = format!(
            "of the {} shards of the set {names} {are} missing; put {it} beside the others, or pack the images again",
            self.count
        );
        Err(Error::data(set, reason))
    }

    /// Returns the names of the shards of the set that is called `path`, where no file is called so and
    /// shards lie there.
    ///
    /// # Errors
    /// [`Error::Data`], if shards of several sets lie there.
    pub fn of_set(path: &Path) -> Result<Option<ShardNames>> {
        let counts = counts_of(path);
        match counts.iter().copied().collect::<Vec<usize>>()[..] {
            [] => Ok(None),
            [count] => Ok(Some(ShardNames::new(path, count))),
            [few, many, ..] => {
                let firsts = [few, many].map(|count| ShardNames::new(path, count).path(0).display().to_string());
                let [few, many] = firsts.each_ref().map(|first| shell_word(first));
                let reason = format!(
                    "shards of several sets lie there; give the first of the one that you mean, {few} or {many}"
                );
                Err(Error::data(path, reason))
            }
        }
    }
}

/// Returns whether no file is called `path` and shards of a set of this name lie there, be they whole or not.
pub fn names_shards(path: &Path) -> bool {
    !counts_of(path).is_empty()
}

/// Returns the numbers of shards that the names of shards tell which lie where no file is called `path`.
fn counts_of(path: &Path) -> BTreeSet<usize> {
    let mut counts = BTreeSet::new();
    let Some(_) = path.file_name().filter(|_| !path.exists()) else { return counts };
    let wanted = ShardNames::new(path, 0);
    let folder = if wanted.folder.as_os_str().is_empty() { Path::new(".") } else { &wanted.folder };
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = wanted.folder.join(entry.file_name());
        if let Some((names, _)) = ShardNames::of_shard(&name).filter(|(names, _)| names.is_of(&wanted)) {
            counts.insert(names.count);
        }
    }
    counts
}

impl ShardNames {
    fn is_of(&self, other: &ShardNames) -> bool {
        (&self.stem, &self.suffix) == (&other.stem, &other.suffix)
    }
}

/// Parts a text at the last `mark`, behind which a number of [`DIGITS`] stands.
fn numbered<'a>(text: &'a str, mark: &str) -> Option<(&'a str, usize)> {
    let (before, number) = text.rsplit_once(mark)?;
    let is_number = number.len() == DIGITS && number.bytes().all(|byte| byte.is_ascii_digit());
    Some((before, number.parse().ok().filter(|_| is_number)?))
}

/// Returns the own name of a file, for sentences.
pub fn own_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_shards_are_read_as_they_are_made() {
        for (set, second) in [
            ("a/set.pack", "a/set-00001-of-00004.pack"),
            ("set", "set-00001-of-00004"),
            ("a.b.c", "a.b-00001-of-00004.c"),
        ] {
            let names = ShardNames::new(Path::new(set), 4);
            assert_eq!(names.path(1), Path::new(second));
            assert_eq!(ShardNames::of_shard(Path::new(second)), Some((names, 1)));
        }
        for other in ["set.pack", "set-00004-of-00004.pack", "set-0001-of-0004.pack", "set-00001-of-+0004.pack", "-of-"]
        {
            assert_eq!(ShardNames::of_shard(Path::new(other)), None, "{other}");
        }
    }
}
