//! Advice on what to give instead, where the folders of a source are not the classes of a set: the parts
//! of a split, a folder too high or too low, a single image. A person is told the folder, or the call, that
//! works.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::part::GivenPart;
use super::single_image::set_above;
use super::source::Source;
use crate::error::{and, shell_word, some_of};

/// The listing of a source below the folder in which its classes are looked for.
pub(super) struct FolderLayout<'a> {
    source: &'a Source,
    /// That folder, in the source; empty for the source itself.
    root: &'a str,
    /// The folders in it that hold images.
    folders: Vec<Folder<'a>>,
}

/// A folder that should be a class.
struct Folder<'a> {
    name: &'a str,
    images: usize,
    /// The folders in it that hold images, unless there are images beside them.
    parts: BTreeSet<&'a str>,
}

/// Folders that are the parts of a split and not classes.
pub(super) struct PartedFolders {
    /// The fault, and what to do; where there are parts to give, words that these follow.
    pub reason: String,
    /// The data to give: the path of the folder that trains, and that of the one that validates if there is
    /// one.
    pub parts: Option<GivenFolders>,
}

/// The parts of a split by what they are for.
pub(super) struct GivenFolders {
    pub training: String,
    pub validation: Option<String>,
}

impl<'a> FolderLayout<'a> {
    /// Returns the layout of the folders below `root`, each with the paths of its images.
    pub(super) fn new(
        source: &'a Source,
        root: &'a str,
        folders: impl Iterator<Item = (&'a str, Vec<&'a str>)>,
    ) -> FolderLayout<'a> {
        let folders = folders.filter(|(_, images)| !images.is_empty()).map(|(name, images)| {
            let part = |path: &&'a str| path.split_once('/')?.1.split_once('/').map(|(part, _)| part);
            let parts: Option<BTreeSet<&str>> = images.iter().map(part).collect();
            Folder { name, images: images.len(), parts: parts.unwrap_or_default() }
        });
        let folders = folders.collect();
        FolderLayout { source, root, folders }
    }

    /// Explains why the folders are the parts of a split and not classes, if they are, and tells which of
    /// them to give.
    pub(super) fn split(&self) -> Option<PartedFolders> {
        // Where labels tell the classes, no folder has to.
        if self.source.is_labelled() {
            return None;
        }
        let parted = self.folders.iter().filter(|folder| folder.parts.len() > 1);
        let Some(one) = parted.clone().find(|one| self.are_parts(one)) else {
            return self.are_named_as_parts().then(|| PartedFolders {
                reason: format!(
                    "its folders, {}, are named as parts of a split, and hold no class folders; make a folder for each class in each \
                     of them, and give them one by one",
                    self.names()
                ),
                parts: None,
            });
        };
        let same: Vec<&Folder> = parted.filter(|other| other.parts == one.parts).collect();
        let training = self.training_of(&same);
        let validation = self.validation_beside(training).map(|folder| self.path_of(folder.name));
        let parts = Some(GivenFolders { training: self.path_of(training.name), validation });
        let unpack = if self.is_in_a_folder() { "" } else { "unpack it, and in the folder of what was in it " };
        if same.len() == 1 {
            let reason = format!("its folders, {}, are named as parts of a split; {unpack}", self.names());
            return Some(PartedFolders { reason, parts });
        }
        let [names, inner] = [and(same.iter().map(|folder| folder.name)), and(one.parts.iter().copied())];
        let same = format!("its folders {names} hold the same folders, {inner}");
        Some(if self.folders.iter().all(|folder| GivenPart::from_name(folder.name).is_some()) {
            let reason = format!("{same}, so they are the parts of a split and not classes; {unpack}");
            PartedFolders { reason, parts }
        } else if one.parts.iter().all(|part| GivenPart::from_name(part).is_some()) {
            let reason = format!(
                "{same}, which are named as parts of a split, so that each class is split on its own; make a folder for each part \
                 that holds the folders {names}, and give the one that trains and the one that validates"
            );
            PartedFolders { reason, parts: None }
        } else {
            let reason = format!(
                "{same}, so they may be classes or the parts of a split; if they are classes, put the images that train right into \
                 them, or let the folders in them have other names; if they are parts, {unpack}"
            );
            PartedFolders { reason, parts }
        })
    }

    /// Describes what is found where all images are in one folder, which holds several, and names the folder
    /// to give then.
    pub(super) fn inner(&self) -> Option<[String; 2]> {
        if self.source.is_labelled() {
            return None;
        }
        let [only] = &self.folders[..] else { return None };
        if only.parts.len() < 2 {
            return None;
        }
        let give = match self.is_in_a_folder() {
            true => format!("give {}", self.path_of(only.name)),
            false => format!("unpack it and give the folder {} of what was in it", self.path_of(only.name)),
        };
        Some([format!("the folder {} in it holds the folders {}", only.name, and(only.parts.iter().copied())), give])
    }

    /// Names the folder to give where this one is a class itself: images, and beside it another such folder.
    pub(super) fn above(&self) -> Option<String> {
        let path = self.source.path();
        set_above(path).map(|(above, classes)| {
            let above = shell_word(&above.display().to_string()).into_owned();
            format!(
                "it looks like one class of {above}, which holds {}; give {above}",
                and(classes.iter().map(String::as_str))
            )
        })
    }

    /// Returns whether this folder and others are the parts of a split: they hold the same two folders; or
    /// any number, and are named as parts are. What else holds images must be named as a part.
    fn are_parts(&self, one: &Folder) -> bool {
        let same = |folder: &&Folder| folder.parts == one.parts;
        let all_named = self.folders.iter().all(|folder| GivenPart::from_name(folder.name).is_some());
        let others_named = self
            .folders
            .iter()
            .filter(|folder| !same(folder))
            .all(|folder| GivenPart::from_name(folder.name).is_some());
        let two = self.folders.iter().filter(same).count() > 1;
        (two && others_named && (all_named || one.parts.len() == 2)) || self.are_named_as_parts()
    }

    /// Returns whether all folders are named as the parts of a split, one of them as that which trains.
    fn are_named_as_parts(&self) -> bool {
        let roles: Option<Vec<GivenPart>> =
            self.folders.iter().map(|folder| GivenPart::from_name(folder.name)).collect();
        roles.is_some_and(|roles| roles.len() > 1 && roles.contains(&GivenPart::Training))
    }

    /// Returns the folder that trains: by its name, else the one with most images.
    fn training_of<'b>(&self, folders: &[&'b Folder<'a>]) -> &'b Folder<'a> {
        let named = folders.iter().find(|folder| GivenPart::from_name(folder.name) == Some(GivenPart::Training));
        named.or(folders.iter().rev().max_by_key(|folder| folder.images)).expect("there is a folder")
    }

    /// Returns the folder that validates, beside the one that trains: one with the same folders in it, best
    /// of all by its name too.
    fn validation_beside(&self, training: &Folder) -> Option<&Folder<'a>> {
        let others =
            self.folders.iter().filter(|folder| folder.name != training.name && folder.parts == training.parts);
        others
            .clone()
            .find(|folder| GivenPart::from_name(folder.name) == Some(GivenPart::Validation))
            .or(others.clone().next())
    }

    /// Returns whether the source is a folder, so that there are paths into it.
    fn is_in_a_folder(&self) -> bool {
        self.source.path().is_dir()
    }

    /// Returns the path of a folder below the root, as a word of a shell: from the source on where that is a
    /// folder.
    fn path_of(&self, name: &str) -> String {
        let inner = if self.root.is_empty() { name.to_string() } else { format!("{}/{name}", self.root) };
        let path = if self.is_in_a_folder() { self.source.path().join(inner) } else { PathBuf::from(inner) };
        shell_word(&path.display().to_string()).into_owned()
    }

    fn names(&self) -> String {
        some_of(self.folders.iter().map(|folder| folder.name))
    }
}
