//! Places that a command will write to, checked and tried before the work whose result they are for.

use glassnet::data::decode::Rgb8;
use glassnet::error::in_words;
use glassnet::files::try_place;
use glassnet::report::pictures;
use glassnet::{Error, Result};
use std::ffi::OsStr;
use std::fs::DirEntry;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The folders that this process has made, the outer before the inner.
static MADE: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Makes a folder of results and those above it, where they are not there, and finds out whether a file can
/// be written in it. [`remove_empty_folders`] takes away what stayed empty.
///
/// # Errors
/// [`Error::Setting`] of `flag` says why it cannot be made, or not be written in.
pub fn make_folder(flag: &str, folder: &Path) -> Result<()> {
    check_nothing_in_the_way(flag, folder)?;
    let above: Vec<&Path> = folder.ancestors().filter(|part| !part.as_os_str().is_empty()).collect();
    for part in above.into_iter().rev() {
        if !part.is_dir() {
            make_one(part).map_err(|error| cannot(flag, "create", part, &error))?;
        }
    }
    try_place(&folder.join("results")).map_err(|error| cannot(flag, "write in", folder, &error))
}

/// Makes a folder in one that is there, and returns whether it was not there before.
///
/// # Errors
/// The error of the system.
pub fn make_one(folder: &Path) -> std::io::Result<bool> {
    match std::fs::create_dir(folder) {
        Ok(()) => {
            MADE.lock().unwrap_or_else(PoisonError::into_inner).push(folder.to_path_buf());
            Ok(true)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Removes the folders that this process has made for results that never came.
pub fn remove_empty_folders() {
    let made = std::mem::take(&mut *MADE.lock().unwrap_or_else(PoisonError::into_inner));
    for folder in made.iter().rev() {
        // One that is not empty stays.
        let _ = std::fs::remove_dir(folder);
    }
}

/// The error of a place where nothing can be written.
pub fn cannot(flag: &str, action: &str, place: &Path, error: &std::io::Error) -> Error {
    let reason = format!("cannot {action} {}: {}; name another place{}", place.display(), in_words(error), with(flag));
    Error::setting(flag, reason)
}

/// With what another place is named, where none was: then no flag is blamed.
fn with(flag: &str) -> &'static str {
    if flag.starts_with("--") { "" } else { " with --out" }
}

/// Checks whether `folder` can become a folder of results: it is not there yet, or it is empty but for what
/// a killed process left. No folder's content is ever overwritten.
///
/// # Errors
/// [`Error::Setting`] of `flag`, where something stands there already.
pub fn check_new_folder(flag: &str, folder: &Path) -> Result<()> {
    check_nothing_in_the_way(flag, folder)?;
    let is_taken = |entry: std::io::Result<DirEntry>| !entry.is_ok_and(|entry| is_left_over(&entry.file_name()));
    if folder.is_dir() && std::fs::read_dir(folder).map_err(Error::io("read", folder))?.any(is_taken) {
        let reason = format!("{} is not empty, and nothing is overwritten; name a new folder", folder.display());
        return Err(Error::setting(flag, reason));
    }
    Ok(())
}

/// Whether a file of this name is what a process leaves that is killed before it has written anything: the
/// try of [`make_folder`], the unfinished `config.toml` of a run, or the plan of a sweep.
fn is_left_over(name: &OsStr) -> bool {
    ["results.part", "config.toml.part", "sweep.toml.part"].iter().any(|left_over| name == *left_over)
}

/// Checks whether folders can be made down to `folder`: what is there of its path is folders.
///
/// # Errors
/// [`Error::Setting`] of `flag`, where a file of that name is in the way.
pub fn check_nothing_in_the_way(flag: &str, folder: &Path) -> Result<()> {
    match folder.ancestors().find(|part| part.exists()) {
        Some(file) if !file.is_dir() => Err(Error::setting(
            flag,
            format!("{} is a file, and a folder is wanted; name a new folder{}", file.display(), with(flag)),
        )),
        _ => Ok(()),
    }
}

/// Checks whether a folder of results will not lie in the folder of the images, where it would count as a
/// class from then on.
///
/// # Errors
/// [`Error::Setting`] of `flag`, where it would.
pub fn check_outside_data(flag: &str, folder: &Path, data: &Path) -> Result<()> {
    let Ok(set) = data.canonicalize() else { return Ok(()) };
    let above = folder.ancestors().map(|part| if part.as_os_str().is_empty() { Path::new(".") } else { part });
    let there = above.into_iter().find_map(|part| part.canonicalize().ok());
    if !set.is_dir() || !there.is_some_and(|there| there.starts_with(&set)) {
        return Ok(());
    }
    let reason = format!(
        "{} would lie in {}, where it would be taken for a folder of images; name a folder outside of the data{}",
        folder.display(),
        data.display(),
        with(flag)
    );
    Err(Error::setting(flag, reason))
}

/// Checks whether a picture can be written to `path`: its name ends with `.png`, as a PNG it will be, and a
/// file can be made there.
///
/// # Errors
/// [`Error::Setting`] of `flag` says what is amiss.
pub fn check_picture(flag: &str, path: &Path) -> Result<()> {
    let shown = path.display();
    if !path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png")) {
        return Err(Error::setting(
            flag,
            format!("a PNG is written, so the name must end with .png, and {shown} does not"),
        ));
    }
    check_file(flag, path)
}

/// Checks whether a file can be written to `path`: it is no folder, its folder is there, and a file can be
/// made in it.
///
/// # Errors
/// [`Error::Setting`] of `flag` says what is amiss.
pub fn check_file(flag: &str, path: &Path) -> Result<()> {
    if path.is_dir() {
        return Err(Error::setting(flag, format!("{} is a folder; name a file in it", path.display())));
    }
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
            let reason = format!("the folder {} does not exist; make it, or name another", folder.display());
            Err(Error::setting(flag, reason))
        }
        _ => try_place(path).map_err(|error| cannot(flag, "write", path, &error)),
    }
}

/// Checks whether a file can be written to `path`, where nothing is yet.
///
/// # Errors
/// [`Error::Setting`] of `flag` says what is amiss.
pub fn check_new_file(flag: &str, path: &Path) -> Result<()> {
    match path.is_symlink() || path.exists() {
        true => Err(there_already(flag, path)),
        false => check_file(flag, path),
    }
}

/// The error of a file that would be overwritten.
pub fn there_already(flag: &str, path: &Path) -> Error {
    let reason = "something of this name is there already, and stays as it is; give another name, or remove it";
    Error::setting(format!("{flag} {}", path.display()), reason)
}

/// Checks whether `path`, which may not be there yet, is none of the files that are read; a file in a zip is
/// none.
///
/// # Errors
/// [`Error::Setting`] of `flag`, where writing it would destroy an input.
pub fn check_no_input(flag: &str, path: &Path, mut inputs: impl Iterator<Item = String>) -> Result<()> {
    let Ok(file) = path.canonicalize() else { return Ok(()) };
    match inputs.any(|input| Path::new(&input).canonicalize().is_ok_and(|input| input == file)) {
        true => Err(Error::setting(flag, format!("{} is one of the images; name another file", path.display()))),
        false => Ok(()),
    }
}

/// The image, no larger than a picture shows it: of many that wait to be drawn, all are in memory.
pub fn shrink(name: &str, image: Rgb8) -> Result<Rgb8> {
    shrink_to(name, image, pictures::LONGEST_SHOWN)
}

/// The image, no longer than `longest` pixels.
pub fn shrink_to(name: &str, mut image: Rgb8, longest: u32) -> Result<Rgb8> {
    let (width, height) = (image.width as u32, image.height as u32);
    let (width, height) = pictures::shrink(name, width, height, &mut image.pixels, longest)?;
    Ok(Rgb8 { width: width as usize, height: height as usize, pixels: image.pixels })
}
