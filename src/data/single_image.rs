//! Advice on what to give instead of a single image: the set that it belongs to.

use super::image_names::is_image_name;
use crate::error::and;
use std::path::{Path, PathBuf};

/// Returns what to say of a single image that is given instead of a set.
pub(super) fn single_image(file: &Path) -> String {
    let set = file.parent().map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    match set.and_then(set_above) {
        Some((above, classes)) => {
            let (above, classes) = (above.display(), and(classes.iter().map(String::as_str)));
            format!("it is a single image; give the folder of the set, {above}, which holds {classes}")
        }
        None => "it is a single image; give a folder that holds class folders of images, or a zip of one".to_string(),
    }
}

/// The most folders, and the most files of each, that are looked at to tell whether a folder is a set.
const LOOKED_AT: usize = 1000;

/// Returns the folder above `class`, and the names of its folders, where these are two with images, of which
/// `class` is one.
pub(super) fn set_above(class: &Path) -> Option<(PathBuf, Vec<String>)> {
    let above = match class.parent() {
        Some(above) if class.file_name().is_some() && above.as_os_str().is_empty() => PathBuf::from("."),
        Some(above) if class.file_name().is_some() => above.to_path_buf(),
        _ => class.join(".."),
    };
    let has_images = |folder: &Path| {
        let Ok(mut entries) = std::fs::read_dir(folder).map(|entries| entries.take(LOOKED_AT)) else { return false };
        entries.any(|entry| entry.is_ok_and(|entry| is_image_name(&entry.file_name().to_string_lossy())))
    };
    let folders = std::fs::read_dir(&above).ok()?.take(LOOKED_AT).flatten().map(|entry| entry.path());
    let mut classes: Vec<String> = folders
        .filter(|folder| folder.is_dir() && has_images(folder))
        .filter_map(|folder| Some(folder.file_name()?.to_string_lossy().into_owned()))
        .filter(|name| !name.starts_with('.'))
        .collect();
    classes.sort_unstable();
    (class.is_dir() && has_images(class) && classes.len() == 2).then_some((above, classes))
}
