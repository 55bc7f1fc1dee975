//! The colours of all pictures.

use plotters::style::RGBColor;

/// Text and axes.
pub(super) const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
/// Text of less weight.
pub(super) const GREY: RGBColor = RGBColor(0x66, 0x66, 0x66);
/// Grid lines.
pub(super) const PALE: RGBColor = RGBColor(0xE2, 0xE2, 0xE2);
/// The colour around an image that does not fill its cell.
pub(super) const MAT: RGBColor = RGBColor(0xF2, 0xF2, 0xF2);
/// The first colour of data. With [`VERMILION`] it is of the palette of Okabe and Ito, told apart by
/// colour-blind readers.
pub(super) const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xB2);
/// The second colour of data.
pub(super) const VERMILION: RGBColor = RGBColor(0xD5, 0x5E, 0x00);
