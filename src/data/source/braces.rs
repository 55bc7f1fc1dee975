//! The names of several files as one, as WebDataset and shells write them: `set-{000000..000003}.tar`.

use std::path::{Path, PathBuf};

use crate::data::pack::shard_name::own_name;
use crate::error::{and, counted, grouped};
use crate::{Error, Result};

/// The most files of a range.
const MAX_FILES_OF_RANGE: u64 = 10_000;

/// A path with a range of numbers in braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BraceRange {
    /// The path as it was given.
    path: PathBuf,
    before: String,
    /// The first and the last number, as they are written.
    numbers: [String; 2],
    after: String,
}

impl BraceRange {
    /// Returns the range in a path, where there is one, and no file of that very name.
    pub fn of(path: &Path) -> Option<BraceRange> {
        let text = path.to_str()?;
        let (before, rest) = text.split_once('{')?;
        let (range, after) = rest.split_once('}')?;
        let (first, last) = range.split_once("..")?;
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(first) || !is_number(last) || path.exists() {
            return None;
        }
        let [before, first, last, after] = [before, first, last, after].map(str::to_string);
        Some(BraceRange { path: path.to_path_buf(), before, numbers: [first, last], after })
    }

    /// Returns the files, in the order of their numbers. Where one of the range's ends begins with a zero,
    /// all have as many digits as the longer.
    ///
    /// # Errors
    /// [`Error::Data`], if they are too many, or some or all are not there.
    pub fn files(&self) -> Result<Vec<PathBuf>> {
        let files = self.all_files()?;
        let (there, missing): (Vec<&PathBuf>, Vec<&PathBuf>) = files.iter().partition(|path| path.exists());
        if missing.is_empty() {
            return Ok(files);
        }
        let reason = match there.is_empty() {
            true => format!("no file of this range is there, such as {}; check the path", missing[0].display()),
            false => {
                let names: Vec<String> = missing.iter().map(|path| own_name(path)).collect();
                let [are, it] = if missing.len() == 1 { ["is", "it"] } else { ["are", "them"] };
                format!(
                    "of the {} of this range {} {are} missing; put {it} there, or give the range of those that are there",
                    counted(files.len(), "file"),
                    and(names.iter().map(String::as_str))
                )
            }
        };
        Err(Error::data(&self.path, reason))
    }

    /// Returns whether a file of the range is there.
    pub fn is_there(&self) -> bool {
        self.all_files().is_ok_and(|files| files.iter().any(|path| path.exists()))
    }

    fn all_files(&self) -> Result<Vec<PathBuf>> {
        let [first, last] = &self.numbers;
        // What is too long for a number is too large for a range.
        let [from, to] = [first, last].map(|number| number.parse::<u64>().unwrap_or(u64::MAX));
        if from > to {
            let reason =
                format!("its range ends before it begins, at {last} and {first}; give the smaller number first");
            return Err(Error::data(&self.path, reason));
        }
        if to - from >= MAX_FILES_OF_RANGE || to == u64::MAX {
            let most = grouped(MAX_FILES_OF_RANGE as usize);
            return Err(Error::data(&self.path, format!("its range has more than {most} files, which are the most")));
        }
        let has_zeros = |number: &String| number.len() > 1 && number.starts_with('0');
        let digits = if has_zeros(first) || has_zeros(last) { first.len().max(last.len()) } else { 1 };
        Ok((from..=to).map(|number| format!("{}{number:0digits$}{}", self.before, self.after).into()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_stands_for_files_as_shells_have_them() {
        let files = |path: &str| {
            let files = BraceRange::of(Path::new(path)).unwrap().all_files().map_err(|error| error.to_string());
            files.map(|files| files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(files("a/set-{008..011}.tar").unwrap(), "a/set-008.tar a/set-009.tar a/set-010.tar a/set-011.tar");
        assert_eq!(files("{9..10}").unwrap(), "9 10");
        assert_eq!(files("{9..010}").unwrap(), "009 010");
        assert_eq!(files("{0..0}").unwrap(), "0");
        let reversed = "{3..1}: its range ends before it begins, at 1 and 3; give the smaller number first";
        assert_eq!(files("{3..1}").unwrap_err(), reversed);
        for many in ["{0..10000}", "{0..99999999999999999999}", "{99999999999999999998..99999999999999999999}"] {
            let expected = format!("{many}: its range has more than 10,000 files, which are the most");
            assert_eq!(files(many).unwrap_err(), expected);
        }
        for other in ["set", "{1,2}", "{a..b}", "{1..}", "}1..2{", "{1..2", "{-1..2}", "{+1..2}"] {
            assert_eq!(BraceRange::of(Path::new(other)), None, "{other}");
        }
    }
}
