//! The errors of the crate `tiff`, in words of ours.

use tiff::{TiffError, TiffUnsupportedError};

use super::super::faults::{CUT_SHORT, damaged, is_end_of_file, not_read, too_much_memory};
use super::super::format::Format;

/// Words an error of the decoder.
pub fn undecodable(error: TiffError) -> String {
    log::debug!("decoding a TIFF: {error}");
    match &error {
        _ if is_end_of_file(&error) => CUT_SHORT.to_string(),
        TiffError::UnsupportedError(TiffUnsupportedError::InconsistentBitsPerSample(_)) => {
            not_read("a TIFF whose samples differ in depth")
        }
        TiffError::UnsupportedError(
            TiffUnsupportedError::HorizontalPredictor(_) | TiffUnsupportedError::FloatingPointPredictor(_),
        ) => not_read("a TIFF with a predictor that does not fit its samples"),
        TiffError::UnsupportedError(_) => not_read("a TIFF of a rare kind"),
        TiffError::LimitsExceeded => too_much_memory(Format::Tiff),
        _ => damaged(Format::Tiff),
    }
}
