//! Which files are images of which class: the names of a [`Source`] given their meaning, by the rules of
//! Keras's `ImageDataGenerator.flow_from_directory`.
//!
//! Classes are the sub-folders, sorted by code point; a class's index is its rank. A class's images are all
//! files in it, however deep, whose name ends with one of
//! [`KERAS_SUFFIXES`](super::image_names::KERAS_SUFFIXES) or
//! [`FURTHER_SUFFIXES`](super::image_names::FURTHER_SUFFIXES) in any case, in the source's order. As in Keras
//! its suffixes need no dot before them. Unlike Keras, hidden files and folders are not looked at.

mod labels;

use super::image_names::{is_keras_name, suffixes};
use super::layout::{FolderLayout, GivenFolders, PartedFolders};
use super::left_out::{LeftOut, Reason, sentences};
use super::part::GivenPart;
use super::source::{Source, parent};
use crate::classes::{Classes, Combinations, Label, LabelSet};
use crate::error::{and, counted, some_of};
use crate::{Error, Result};
use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

/// One image of the set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The file's index in its [`Source`].
    pub entry: usize,
    /// Its class; where it may have several labels, which combination of them it has.
    pub label: Label,
    /// Its labels, where it may have several.
    pub labels: Option<LabelSet>,
    /// Its path from the folder that holds the class folders, as Keras names it: `benign/1.png`.
    pub path: String,
    /// What its set is called, where it is a further one beside the first.
    pub set: Option<Arc<str>>,
}

impl Item {
    /// Its name among the images of all sets: of the first its path, of a further one this with the set's
    /// name before it.
    pub fn name(&self) -> Cow<'_, str> {
        match &self.set {
            None => Cow::Borrowed(&self.path),
            Some(set) => Cow::Owned(name_in(set, &self.path)),
        }
    }
}

/// The name of a file of a further set, which is called `set`.
pub fn name_in(set: &str, path: &str) -> String {
    format!("{}/{path}", set.trim_end_matches('/'))
}

/// The classes and their images.
#[derive(Clone, Debug)]
pub struct Catalog {
    /// The classes. Of two, the second is the positive one. Where images may have several labels, the names
    /// of the combinations of them that there are.
    pub classes: Classes,
    /// The combinations, where images may have several labels.
    pub combinations: Option<Combinations>,
    /// All images, class by class, each in Keras's order.
    pub items: Vec<Item>,
    /// What was passed over.
    pub left_out: Vec<LeftOut>,
    /// The same, and what else a person should know of the data, in sentences.
    pub notes: Vec<String>,
}

impl Catalog {
    /// Finds the classes and their images. If the source holds nothing but one folder of folders, as a zip of
    /// a data set often does, the classes are looked for in that one. Images that the data keep for a test
    /// are left to [`with_classes`](Catalog::with_classes).
    ///
    /// # Errors
    /// [`Error::Data`] if there are not at least two class folders, or if one of them has no image; where
    /// images may have several labels, if no image has one of them.
    pub fn from_source(source: &Source) -> Result<Catalog> {
        let mut listed = Listed::of(source);
        let kept = listed.keep_for_test(source);
        if let Some(several) = source.several_labels() {
            let mut catalog = Catalog::of_labels(source, listed, several.labels().clone(), several)?;
            let counts = catalog.label_counts(&catalog.items);
            if let Some((name, _)) = several.labels().names().zip(&counts).find(|(_, count)| **count == 0) {
                let reason = format!("no image that trains or validates has the label {name}; leave it out");
                return Err(Error::data(source.path(), reason));
            }
            catalog.notes.extend(kept_note(source, kept));
            return Ok(catalog);
        }
        let layout = listed.layout(source);
        let fail = |reason: String| Err(Error::data(source.path(), reason));
        match layout.split() {
            Some(PartedFolders { reason, parts: Some(GivenFolders { training, validation }) }) => {
                return Err(Error::Split { path: source.path().to_path_buf(), reason, training, validation });
            }
            Some(PartedFolders { reason, parts: None }) => return fail(reason),
            None => {}
        }
        let Listed { folders, images, strays, .. } = &listed;
        if folders.len() < 2 {
            return fail(too_few(folders, images, strays, &layout));
        }
        if let Some(empty) = images.iter().position(Vec::is_empty) {
            if source.is_labelled() {
                return fail(format!("no image of the class {} trains or validates; mend the labels", folders[empty]));
            }
            let inner = layout.inner().map_or(String::new(), |[found, give]| format!("; or, as {found}, {give}"));
            return fail(format!(
                "the class folder {} holds no image ({}); put the images of this class there{inner}",
                folders[empty],
                suffixes()
            ));
        }
        let (classes, items) = (Classes::new(folders.iter())?, images.concat());
        let mut catalog = Catalog::new(source, classes, items, listed);
        catalog.notes.extend(kept_note(source, kept));
        Ok(catalog)
    }

    /// Finds the images of these classes, whose names and order are known: they are those of a model. Some
    /// may have no folder or no image, as in a set that was gathered of one class only.
    ///
    /// # Errors
    /// [`Error::Data`] if a folder is that of another class, or if there is no image of any, or where images
    /// may have several labels.
    pub fn with_classes(source: &Source, classes: &Classes) -> Result<Catalog> {
        if source.has_several_labels() {
            let reason = format!(
                "its images may have several labels, and for the model each is of one class, {}; give labels of which each image has one",
                quoted(classes)
            );
            return Err(Error::data(source.path(), reason));
        }
        let listed = Listed::of(source);
        let layout = listed.layout(source);
        let Listed { folders, images, strays, .. } = &listed;
        let wanted = quoted(classes);
        let fail = |reason: String| Err(Error::data(source.path(), reason));
        if folders.is_empty() {
            let give = layout.above().filter(|_| !strays.is_empty());
            return fail(format!(
                "it holds {} and no class folders; {}",
                counted(strays.len(), "image"),
                give.unwrap_or_else(|| format!("make one for each of the model's classes, {wanted}"))
            ));
        }
        let found = some_of(folders.iter().map(|folder| format!("'{folder}'")));
        if folders.iter().any(|folder| classes.label(folder).is_none()) {
            if let Some(PartedFolders { reason, parts }) = layout.split() {
                return fail(match parts {
                    Some(GivenFolders { training, validation }) => {
                        format!("{reason}give one of them, such as {}", validation.unwrap_or(training))
                    }
                    None => reason,
                });
            }
            if let Some([found_within, give]) = layout.inner() {
                return fail(format!(
                    "its class folders, {found}, are not those of the model, {wanted}; {found_within}; {give}"
                ));
            }
            return fail(format!(
                "its class folders, {found}, are not those of the model, {wanted}; name them as the model names its classes"
            ));
        }
        if images.iter().all(Vec::is_empty) {
            let suffixes = suffixes();
            return fail(format!("its class folders, {found}, hold no image ({suffixes}); put the images there"));
        }
        let of_class = |label: Label| {
            let items = folders.iter().zip(images).filter(move |(folder, _)| **folder == classes[label]);
            items.flat_map(|(_, items)| items).map(move |item| Item { label, ..item.clone() })
        };
        let items = classes.labels().flat_map(of_class).collect();
        Ok(Catalog::new(source, classes.clone(), items, listed))
    }

    /// This catalog and that of a further set, as one catalog of both sources [joined](Source::join);
    /// `entries` is the number of files of the first. The further set is called by the path of its source, in
    /// each image's [name](Item::name).
    ///
    /// # Errors
    /// [`Error::Data`] of the further set, if its classes are others.
    pub fn join(mut self, mut further: Catalog, entries: usize, path: &Path) -> Result<Catalog> {
        let several = self.combinations.is_some();
        if several != further.combinations.is_some() {
            let [ours, theirs] = match several {
                true => ["may have several labels", "are each of one class"],
                false => ["are each of one class", "may have several labels"],
            };
            let reason = format!("its images {theirs}, and those of the data that train {ours}; give both in one way");
            return Err(Error::data(path, reason));
        }
        if several {
            further.relabel(self.answers(), path)?;
        } else if self.classes != further.classes {
            let [ours, theirs] = [&self.classes, &further.classes].map(quoted);
            let different = further.classes.names().filter(|class| self.classes.label(class).is_none());
            let different = different.map(|class| format!("'{class}'"));
            return Err(Error::data(
                path,
                format!(
                    "its class folders are {theirs}, and those of the data that train are {ours}; name {} as there",
                    different.collect::<Vec<String>>().join(" and ")
                ),
            ));
        }
        let set: Arc<str> = path.display().to_string().into();
        let items =
            further.items.into_iter().map(|item| Item { entry: item.entry + entries, set: Some(set.clone()), ..item });
        self.items.extend(items);
        match self.combinations.take() {
            Some(combinations) => self.combine(combinations.labels().clone())?,
            // It keeps the order within.
            None => self.items.sort_by_key(|item| item.label),
        }
        let named = |left: LeftOut| LeftOut { file: name_in(&set, &left.file), ..left };
        self.left_out.extend(further.left_out.into_iter().map(named));
        self.notes.extend(further.notes);
        Ok(self)
    }

    /// The catalog of these images of a source, of which this is listed.
    fn new(source: &Source, classes: Classes, items: Vec<Item>, listed: Listed) -> Catalog {
        let Listed { strays, mut left_out, .. } = listed;
        left_out.extend(strays);
        let mut notes = notes(source, &left_out);
        notes.extend(further_note(source, &items));
        Catalog { classes, combinations: None, items, left_out, notes }
    }

    /// How many images each class has.
    pub fn counts(&self) -> Vec<usize> {
        class_counts(&self.items, &self.classes)
    }
}

/// What to say of images that are kept for a test.
fn kept_note(source: &Source, kept: usize) -> Option<String> {
    let path = source.path().display();
    (kept > 0).then(|| format!("{path}: its test part, {}, neither trains nor validates", counted(kept, "image")))
}

/// The classes' names in a sentence: `'cat' and 'dog'`.
fn quoted(classes: &Classes) -> String {
    let names: Vec<String> = classes.names().map(|name| format!("'{name}'")).collect();
    and(names.iter().map(String::as_str))
}

/// How many of these images each of the classes has.
pub fn class_counts(items: &[Item], classes: &Classes) -> Vec<usize> {
    let mut counts = vec![0; classes.count()];
    for item in items {
        counts[item.label.index()] += 1;
    }
    counts
}

/// What a source lists: class folders and what is in them.
struct Listed {
    /// The folder that holds the class folders, in the source.
    root: String,
    /// The names of the class folders, sorted by code point.
    folders: Vec<String>,
    /// The images in each; the label is the folder's rank.
    images: Vec<Vec<Item>>,
    /// Images in no class folder.
    strays: Vec<LeftOut>,
    /// What was passed over, but for the strays.
    left_out: Vec<LeftOut>,
}

impl Listed {
    fn of(source: &Source) -> Listed {
        let root = if source.is_labelled() { String::new() } else { class_root(source) };
        let folders: Vec<String> =
            children(source, &root).iter().filter_map(|folder| below(folder, &root).map(str::to_string)).collect();
        let mut left_out = source.left_out().to_vec();

        let mut images: Vec<Vec<Item>> = vec![Vec::new(); folders.len()];
        let mut strays = Vec::new();
        for (entry, name) in source.names().enumerate() {
            let path = below(name, &root).unwrap_or(name);
            let passed_over = |reason| LeftOut::new(path, source.full_name(entry), reason);
            let class = path
                .split_once('/')
                .and_then(|(folder, _)| folders.binary_search_by(|other| other.as_str().cmp(folder)).ok());
            match class {
                Some(label) if source.is_image(entry) => {
                    let label = Label::new(label);
                    images[label.index()].push(Item { entry, label, labels: None, path: path.to_string(), set: None });
                }
                None if source.is_image(entry) => strays.push(passed_over(Reason::NoClass)),
                _ => left_out.push(passed_over(Reason::NotAnImage)),
            }
        }
        Listed { root, folders, images, strays, left_out }
    }

    /// Takes the images of a test part out, where there is another, and returns how many they are.
    fn keep_for_test(&mut self, source: &Source) -> usize {
        if !source.has_part(GivenPart::Training) {
            return 0;
        }
        let of_test = |item: &mut Item| source.part(item.entry) == Some(GivenPart::Test);
        self.images.iter_mut().map(|images| images.extract_if(.., of_test).count()).sum()
    }

    /// What its folders look like.
    fn layout<'a>(&'a self, source: &'a Source) -> FolderLayout<'a> {
        let paths = |images: &'a Vec<Item>| images.iter().map(|image| image.path.as_str()).collect();
        FolderLayout::new(
            source,
            &self.root,
            self.folders.iter().map(String::as_str).zip(self.images.iter().map(paths)),
        )
    }
}

/// All images of a source, in whatever folders they are, as places in it, in its order; and what is left out.
/// For work that asks for no class.
pub fn all_images(source: &Source) -> (Vec<usize>, Vec<LeftOut>) {
    let (mut images, mut left_out) = (Vec::new(), source.left_out().to_vec());
    for (entry, name) in source.names().enumerate() {
        match source.is_image(entry) {
            true => images.push(entry),
            false => left_out.push(LeftOut::new(name, source.full_name(entry), Reason::NotAnImage)),
        }
    }
    (images, left_out)
}

/// What a person should know of a source of which this is left out, in sentences.
pub fn notes(source: &Source, left_out: &[LeftOut]) -> Vec<String> {
    sentences(source.path(), left_out).into_iter().chain(source.notes().iter().cloned()).collect()
}

/// What to say of images that Keras would not have found.
fn further_note(source: &Source, items: &[Item]) -> Option<String> {
    let further: Vec<&str> = items.iter().map(|item| item.path.as_str()).filter(|path| !is_keras_name(path)).collect();
    let shown = source.path().display();
    (!further.is_empty())
        .then(|| format!("{shown}: Keras would pass these over, which are read here as images: {}", some_of(&further)))
}

/// The folder whose sub-folders are the classes: the source itself, or the single folder in it as long as
/// that has sub-folders and no images of its own.
fn class_root(source: &Source) -> String {
    let has_images = |folder: &str| {
        let mut names = source.names().enumerate();
        names.any(|(entry, name)| parent(name) == folder && source.is_image(entry))
    };
    let mut root = String::new();
    loop {
        match &children(source, &root)[..] {
            [only] if !has_images(&root) && !has_images(only) && !children(source, only).is_empty() => {
                root = only.clone();
            }
            _ => return root,
        }
    }
}

/// The folders directly in `root`, sorted by code point.
fn children(source: &Source, root: &str) -> Vec<String> {
    source.folders().filter(|folder| parent(folder) == root).map(str::to_string).collect()
}

/// The part of `name` below `folder`, if it is in there. Everything is below the empty folder.
fn below<'a>(name: &'a str, folder: &str) -> Option<&'a str> {
    if folder.is_empty() { Some(name) } else { name.strip_prefix(folder)?.strip_prefix('/') }
}

/// Why these folders, none or one, are no classes to tell apart.
fn too_few(folders: &[String], images: &[Vec<Item>], strays: &[LeftOut], layout: &FolderLayout) -> String {
    if folders.is_empty() {
        let make = "make a folder for each class and put its images there";
        let give = layout.above().filter(|_| !strays.is_empty());
        return format!(
            "it holds {} and no class folders; {}",
            counted(strays.len(), "image"),
            give.as_deref().unwrap_or(make)
        );
    }
    let counts =
        folders.iter().zip(images).map(|(folder, images)| format!("{folder}: {}", counted(images.len(), "image")));
    let strays = match strays {
        [] => String::new(),
        _ => format!(" beside images: {}", some_of(strays.iter().map(|stray| &stray.file))),
    };
    let make = || "make it one folder for each class".to_string();
    let give = layout.inner().map_or_else(make, |[found, give]| format!("{found}; {give}"));
    format!("it must hold a folder for each of at least two classes, and holds {}{strays}; {give}", some_of(counts))
}
