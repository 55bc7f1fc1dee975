//! Paths that a command will write, checked before the work whose result they are for.

use glassnet::{Error, Result};
use std::path::Path;

/// Whether `folder` can become a folder of results: it is not there yet, or it is empty. Nothing is ever overwritten.
///
/// # Errors
/// [`Error::Setting`] of `flag`, where something stands there already.
pub fn check_new_folder(flag: &str, folder: &Path) -> Result<()> {
    check_nothing_in_the_way(flag, folder)?;
    if folder.is_dir() && std::fs::read_dir(folder).map_err(Error::io("read", folder))?.next().is_some() {
        let reason = format!("{} is not empty, and nothing is overwritten; name a new folder", folder.display());
        return Err(Error::setting(flag, reason));
    }
    Ok(())
}

/// Whether folders can be made down to `folder`: what is there of its path is folders.
///
/// # Errors
/// [`Error::Setting`] of `flag`, where a file of that name is in the way.
pub fn check_nothing_in_the_way(flag: &str, folder: &Path) -> Result<()> {
    match folder.ancestors().find(|part| part.exists()) {
        Some(file) if !file.is_dir() => Err(Error::setting(
            flag,
            format!("{} is a file, and a folder is wanted; name a new folder", file.display()),
        )),
        _ => Ok(()),
    }
}

/// Whether a picture can be written to `path`: its name ends with `.png`, as a PNG it will be, and its folder is there.
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
    if path.is_dir() {
        return Err(Error::setting(flag, format!("{shown} is a folder; name a file in it")));
    }
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
            let reason = format!("the folder {} does not exist; make it, or name another", folder.display());
            Err(Error::setting(flag, reason))
        }
        _ => Ok(()),
    }
}
