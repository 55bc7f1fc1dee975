//! `predict --sort-into`: copies of the images, in a folder for each answer.

use crate::cli::input::predictor::Image;
use crate::cli::terminal::output;
use glassnet::Result;
use glassnet::files::write_whole;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// The flag, as messages name it.
const FLAG: &str = "--sort-into";

/// The folders that images are copied to.
pub struct SortedCopies {
    folder: PathBuf,
    /// The files written so far, in lower case: some file systems tell no case apart.
    taken: HashSet<String>,
}

impl SortedCopies {
    /// Copies into a folder that is new or empty.
    ///
    /// # Errors
    /// [`glassnet::Error::Setting`], where something stands there, or it cannot be made.
    pub fn new(folder: &Path) -> Result<SortedCopies> {
        output::check_new_folder(FLAG, folder)?;
        output::make_folder(FLAG, folder)?;
        Ok(SortedCopies { folder: folder.to_path_buf(), taken: HashSet::new() })
    }

    /// Copies an image's file, byte for byte, into the folder of its answer. Of files of one name the second
    /// is called `name-2.png`.
    ///
    /// # Errors
    /// Where the image cannot be read or the copy not be written.
    pub fn add(&mut self, image: &Image, answer: &str) -> Result<()> {
        let answer = plain(answer);
        let name = image.name();
        let name = plain(name.rsplit(['/', '\\']).next().unwrap_or(&name));
        let (stem, suffix) =
            name.rsplit_once('.').map_or((name.as_str(), String::new()), |(stem, suffix)| (stem, format!(".{suffix}")));
        let numbered = |number: usize| match number {
            1 => format!("{answer}/{stem}{suffix}"),
            number => format!("{answer}/{stem}-{number}{suffix}"),
        };
        let free = (1..).map(numbered).find(|path| self.taken.insert(path.to_lowercase()));
        let path = self.folder.join(free.expect("numbers have no end"));
        if let Some(folder) = path.parent() {
            output::make_folder(FLAG, folder)?;
        }
        write_whole(&path, &image.bytes()?)
    }
}

/// A name that is a file's in any system, and no path: class names come with a model, from anywhere.
fn plain(name: &str) -> String {
    let kept = |c: char| if c.is_control() || "/\\:*?\"<>|".contains(c) { '_' } else { c };
    let name: String = name.chars().map(kept).take(120).collect();
    match name.trim_matches(['.', ' ']) {
        "" => "_".into(),
        plain => plain.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let names = [("../../etc", "_.._etc"), ("..", "_"), ("a/b", "a_b"), ("C:\\x", "C__x"), ("Größe 3", "Größe 3")];
        for (name, expected) in names {
            assert_eq!(plain(name), expected);
        }
    }
}
