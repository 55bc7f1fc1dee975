//! An image in a frame of zeros, so that a kernel that reaches over the edge needs no condition there.

use std::ops::Range;

/// The position of an image in a frame of zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// H, W, C of the image.
    pub image: [usize; 3],
    /// H and W of the frame.
    pub size: [usize; 2],
    /// Rows above the image and columns to the left of it.
    pub before: [usize; 2],
}

impl Frame {
    /// Returns the frame's floats.
    pub fn len(&self) -> usize {
        self.size[0] * self.row_len()
    }

    /// Returns the floats of a row of the frame.
    pub fn row_len(&self) -> usize {
        self.size[1] * self.image[2]
    }

    /// Returns whether the image fills its frame.
    pub(crate) fn is_unpadded(&self) -> bool {
        self.size == self.image[..2]
    }

    /// Returns the rows `rows` of the frame as a frame of their own, and the image's rows in it.
    pub fn band(&self, rows: Range<usize>) -> (Frame, Range<usize>) {
        let in_image = |row: usize| row as isize - self.before[0] as isize;
        let image_rows = clip(in_image(rows.start)..in_image(rows.end), self.image[0]);
        let band = Frame {
            image: [image_rows.len(), self.image[1], self.image[2]],
            size: [rows.len(), self.size[1]],
            before: [(self.before[0] + image_rows.start).saturating_sub(rows.start).min(rows.len()), self.before[1]],
        };
        (band, image_rows)
    }

    /// Iterates over the offsets of the image's rows in the frame.
    fn row_starts(&self) -> impl Iterator<Item = usize> + use<> {
        let Frame { image, before, .. } = *self;
        let row_len = self.row_len();
        (0..image[0]).map(move |row| (before[0] + row) * row_len + before[1] * image[2])
    }

    /// Writes the image with zeros around it. What `framed` has beyond the frame is zeroed too.
    pub(crate) fn pad(&self, image: &[f32], framed: &mut [f32]) {
        let image_row = self.image[1] * self.image[2];
        let mut written = 0;
        for (start, row) in self.row_starts().zip(image.chunks_exact(image_row)) {
            framed[written..start].fill(0.0);
            framed[start..start + image_row].copy_from_slice(row);
            written = start + image_row;
        }
        framed[written..].fill(0.0);
    }

    /// Returns the floats of the memory that [`Frame::framed`] takes: none where the image fills its frame.
    pub(crate) fn copy_len(&self) -> usize {
        if self.is_unpadded() { 0 } else { self.len() }
    }

    /// Returns the image in its frame: a copy in `memory`, or the image as it lies where there is no memory.
    pub(crate) fn framed<'a>(&self, image: &'a [f32], memory: &'a mut [f32]) -> &'a [f32] {
        if memory.is_empty() {
            return image;
        }
        self.pad(image, memory);
        memory
    }

    /// Copies the image out of its frame.
    pub(crate) fn unpad(&self, framed: &[f32], image: &mut [f32]) {
        let image_row = self.image[1] * self.image[2];
        for (start, row) in self.row_starts().zip(image.chunks_exact_mut(image_row)) {
            row.copy_from_slice(&framed[start..start + image_row]);
        }
    }
}

/// Returns the part of a window that lies inside `0..len`. A window wholly outside gives an empty range at
/// the nearer end.
#[inline(always)]
pub fn clip(window: Range<isize>, len: usize) -> Range<usize> {
    let start = window.start.clamp(0, len as isize);
    start as usize..window.end.clamp(start, len as isize) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_padded_with_zeros_and_unpadded_again() {
        let frame = Frame { image: [2, 1, 2], size: [4, 3], before: [1, 1] };
        let mut framed = [f32::NAN; 4 * 3 * 2 + 1];
        frame.pad(&[1., 2., 3., 4.], &mut framed);
        let mut expected = [0.0; 25];
        expected[8..10].copy_from_slice(&[1., 2.]);
        expected[14..16].copy_from_slice(&[3., 4.]);
        assert_eq!(framed, expected);
        for (rows, image_rows) in [(0..1, 0..0), (0..2, 0..1), (2..4, 1..2), (3..4, 2..2)] {
            let (band, in_image) = frame.band(rows.clone());
            assert_eq!(in_image, image_rows);
            let mut part = [f32::NAN; 12];
            band.pad(&[1., 2., 3., 4.][2 * in_image.start..2 * in_image.end], &mut part[..band.len()]);
            assert_eq!(part[..band.len()], expected[6 * rows.start..6 * rows.end]);
        }
        let mut image = [f32::NAN; 4];
        frame.unpad(&framed, &mut image);
        assert_eq!(image, [1., 2., 3., 4.]);
    }

    #[test]
    fn a_window_is_clipped_at_both_ends_and_is_empty_outside() {
        for (window, inside) in [(-2..3, 0..3), (1..3, 1..3), (3..9, 3..5), (-4..-1, 0..0), (6..9, 5..5)] {
            assert_eq!(clip(window, 5), inside);
        }
    }
}
