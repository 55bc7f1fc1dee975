//! Decoders' errors, told in words of ours: what the file is, what about it is not read, and what to do.
//!
//! Kinds of errors are told apart by their types. What a library says in words goes to the log and to nobody
//! else, as it speaks of its own insides.

use std::error::Error;
use std::io;

use image::ImageError;

use super::format::Format;

/// The fault of a file that is cut off.
pub const CUT_SHORT: &str = "the file ends before the picture does; fetch it again";

/// The fault of a DICOM, where the program has no decoder for it.
#[cfg(not(feature = "dicom"))]
pub const WITHOUT_DICOM: &str = "its content is a DICOM, and glassnet was built without the feature dicom; build it with \
                                 `cargo install --path . --features dicom`, or convert the file to PNG";

/// Words the fault of a file that is damaged.
pub fn damaged(format: Format) -> String {
    let name = format.name();
    format!("the {name} is damaged; fetch it again, or save it again as PNG with an image program")
}

/// Words the fault of an honest file of a kind that is not read, such as `a TIFF of CIELab colours`.
pub fn not_read(kind: &str) -> String {
    format!("it is {kind}, which is not read here; save it again as PNG with an image program, or take it out")
}

/// Words the fault of a file whose decoder asks for more memory than its picture needs.
pub fn too_much_memory(format: Format) -> String {
    let name = format.name();
    format!(
        "the {name} asks for more memory than its picture takes; save it again as PNG with an image program, or take it out"
    )
}

/// Words an error of the crate `image`.
pub fn image_fault(format: Format, error: &ImageError) -> String {
    log::debug!("decoding a {}: {error}", format.name());
    match error {
        ImageError::IoError(error) if is_end_of_file(error) => CUT_SHORT.to_string(),
        _ if is_end_of_file(error) => CUT_SHORT.to_string(),
        ImageError::Unsupported(_) => not_read(&format!("a {} of a rare kind", format.name())),
        ImageError::Limits(_) => too_much_memory(format),
        _ => damaged(format),
    }
}

/// Returns whether an error, or one that it came from, is that of a file that is at its end.
pub fn is_end_of_file(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::UnexpectedEof) {
            return true;
        }
        cause = error.source();
    }
    false
}
