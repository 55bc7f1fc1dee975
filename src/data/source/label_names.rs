//! Names of labels, as tables and arrays tell them.

use std::path::Path;

use crate::error::shortened;
use crate::{Error, Result};

/// The longest label. It is the name of a class, which stands in tables and pictures.
const MAX_LABEL_BYTES: usize = 200;

/// Checks whether a class can have the name of a label: that of a folder that is not hidden.
///
/// # Errors
/// [`Error::Data`] of `path`, if not.
pub fn check_name(path: &Path, label: &str) -> Result<()> {
    let fault = match label {
        label if label.contains(['/', '\\']) => "has a slash",
        label if label.starts_with('.') => "begins with a dot",
        label if label.contains('\0') => "has a zero byte",
        label if label.len() > MAX_LABEL_BYTES => "has more than 200 bytes",
        "__MACOSX" => "is that of a folder which macOS leaves behind",
        _ => return Ok(()),
    };
    let reason = format!("the label '{}' {fault}, and no class can be named so; write another", shortened(label));
    Err(Error::data(path, reason))
}

/// Returns the whole number that a label is. Tables of Python have `1.0` for 1 where a label is missing.
pub fn number(label: &str) -> Option<u64> {
    let digits = label.strip_suffix(".0").unwrap_or(label);
    let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_plain && digits.len() <= 9)
}
