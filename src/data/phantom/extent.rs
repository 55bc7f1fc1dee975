//! The size of an image, by which whatever is in the picture is laid out.

use crate::random::Stream;

/// Widths of the images in pixels, first and last included: crops differ, so that the resize has something to
/// do.
const WIDTHS: (u32, u32) = (120, 240);
/// Heights of the images in pixels, first and last included; drawn independently of the width.
const HEIGHTS: (u32, u32) = (100, 200);

/// The extent of an image in pixels, which whatever is in the picture is laid out by.
#[derive(Clone, Copy)]
pub struct Extent {
    /// Width.
    pub width: usize,
    /// Height.
    pub height: usize,
}

impl Extent {
    /// Draws an extent.
    pub fn draw(stream: &mut Stream) -> Extent {
        let mut length = |(low, high): (u32, u32)| (low + stream.below(high - low + 1)) as usize;
        Extent { width: length(WIDTHS), height: length(HEIGHTS) }
    }

    /// Returns the side in pixels of the square with the same area, √(width·height): the unit in which
    /// lengths of the anatomy are given.
    pub fn side(self) -> f64 {
        ((self.width * self.height) as f64).sqrt()
    }
}
