//! A finished picture as a PNG file.

use crate::files::write_whole;
use crate::{Error, Result};
use image::{ImageError, ImageFormat, RgbImage};
use std::io::{self, Cursor};
use std::path::Path;

/// Encodes a picture as PNG in memory and then writes the file, so that a failed encoding leaves no broken
/// file behind.
pub(super) fn save(path: &Path, picture: &RgbImage) -> Result<()> {
    write_whole(path, &encoded(path, picture)?)
}

/// Encodes a picture as PNG, under the name that an error tells.
pub(super) fn encoded(name: &Path, picture: &RgbImage) -> Result<Vec<u8>> {
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).map_err(|error| match error {
        ImageError::IoError(error) => Error::io("encode", name)(error),
        error => Error::io("encode", name)(io::Error::other(error)),
    })?;
    Ok(png.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_that_cannot_be_written_is_named() {
        let error = save(Path::new("no/such/folder/a.png"), &RgbImage::new(1, 1)).unwrap_err();
        assert!(error.to_string().starts_with("cannot write no/such/folder/a.png: "), "{error}");
    }
}
