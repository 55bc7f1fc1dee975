//! The names of the images of Parquet files: the paths that stand beside them, or the numbers of their rows.

use std::collections::HashSet;

use super::row::Row;
use crate::data::decode::suffix_of;
use crate::data::image_names::is_image_name;
use crate::data::part::GivenPart;
use crate::data::source::listing::is_hidden;
use crate::data::source::plain_name::plain_name;

/// The way in which images are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// By their paths.
    Paths,
    /// By the numbers of their rows.
    Numbers,
}

impl Names {
    /// Returns the way for these rows: by paths, where each has one that is a name of an image, and two are
    /// the same in no class.
    pub fn of(rows: &[Row]) -> Names {
        let mut known = HashSet::new();
        let by_paths = rows.iter().all(|row| {
            let is_fit = row.path.as_deref().is_some_and(is_fit);
            is_fit && known.insert((row.part, row.label.as_deref(), row.path.as_deref()))
        });
        if by_paths { Names::Paths } else { Names::Numbers }
    }

    /// Returns the name of a row: of its part, its path, and the bytes of its image.
    pub fn name(self, place: usize, part: Option<GivenPart>, path: Option<&str>, bytes: &[u8]) -> String {
        let folder = part.map_or(String::new(), |part| format!("{}/", part.folder()));
        match (self, path) {
            (Names::Paths, Some(path)) => format!("{folder}{path}"),
            _ => format!("{folder}{place:05}.{}", suffix_of(bytes)),
        }
    }
}

/// Returns whether a path can name an image as it is.
fn is_fit(path: &str) -> bool {
    is_image_name(path) && plain_name(path).is_ok_and(|plain| plain == path) && !path.split('/').any(is_hidden)
}
