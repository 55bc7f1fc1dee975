//! The names by which files are taken for images.

/// The endings of the names that Keras takes for those of images, in any case.
pub const KERAS_SUFFIXES: [&str; 7] = ["png", "jpg", "jpeg", "bmp", "ppm", "tif", "tiff"];

/// Further endings of the names of images, in any case. Keras passes these over.
pub const FURTHER_SUFFIXES: [&str; 9] = [".jfif", ".jpe", ".pgm", ".pbm", ".dib", ".webp", ".gif", ".dcm", ".dicom"];

/// Returns all endings of the names of images, for a sentence.
pub fn suffixes() -> String {
    let further = FURTHER_SUFFIXES.iter().map(|suffix| suffix.trim_start_matches('.'));
    KERAS_SUFFIXES.into_iter().chain(further).collect::<Vec<_>>().join(", ")
}

/// Returns whether a file of this name is taken for an image.
pub fn is_image_name(name: &str) -> bool {
    is_keras_name(name) || ends_with_any(name, &FURTHER_SUFFIXES)
}

/// Returns whether Keras takes a file of this name for an image.
pub(super) fn is_keras_name(name: &str) -> bool {
    ends_with_any(name, &KERAS_SUFFIXES)
}

/// Returns whether a name ends with one of these, in any case.
fn ends_with_any(name: &str, suffixes: &[&str]) -> bool {
    let name = name.to_ascii_lowercase();
    suffixes.iter().any(|suffix| name.ends_with(suffix))
}
