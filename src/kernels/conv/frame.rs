//! An image with a frame of zeros, so that a kernel that reaches over the edge needs no condition there.

use std::ops::Range;

/// Where an image lies in its frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// H, W, C of the image.
    pub image: [usize; 3],
    /// H and W of the frame.
    pub size: [usize; 2],
    /// Rows above the image and columns to the left of it.
    pub before: [usize; 2],
}

impl Frame {
    /// Floats of the frame.
    pub fn len(&self) -> usize {
        self.size[0] * self.row_len()
    }

    /// Whether the frame has no floats.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Floats of a row of the frame.
    pub fn row_len(&self) -> usize {
        self.size[1] * self.image[2]
    }

    /// Whether the image fills its frame.
    pub fn is_unpadded(&self) -> bool {
        self.size == self.image[..2]
    }

    /// The rows `rows` of the frame as a frame of their own, and the image's rows in it.
    pub fn band(&self, rows: Range<usize>) -> (Frame, Range<usize>) {
        let first = rows.start.saturating_sub(self.before[0]).min(self.image[0]);
        let last = rows.end.saturating_sub(self.before[0]).clamp(first, self.image[0]);
        let band = Frame {
            image: [last - first, self.image[1], self.image[2]],
            size: [rows.len(), self.size[1]],
            before: [(self.before[0] + first).saturating_sub(rows.start).min(rows.len()), self.before[1]],
        };
        (band, first..last)
    }

    /// Where each row of the image starts in the frame.
    fn row_starts(&self) -> impl Iterator<Item = usize> + use<> {
        let Frame { image, before, .. } = *self;
        let row_len = self.row_len();
        (0..image[0]).map(move |row| (before[0] + row) * row_len + before[1] * image[2])
    }

    /// Writes the image with zeros around it. What `framed` has beyond the frame is zeroed as well.
    pub fn pad(&self, image: &[f32], framed: &mut [f32]) {
        let image_row = self.image[1] * self.image[2];
        let mut written = 0;
        for (start, row) in self.row_starts().zip(image.chunks_exact(image_row)) {
            framed[written..start].fill(0.0);
            framed[start..start + image_row].copy_from_slice(row);
            written = start + image_row;
        }
        framed[written..].fill(0.0);
    }

    /// Copies the image out of its frame.
    pub fn unpad(&self, framed: &[f32], image: &mut [f32]) {
        let image_row = self.image[1] * self.image[2];
        for (start, row) in self.row_starts().zip(image.chunks_exact_mut(image_row)) {
            row.copy_from_slice(&framed[start..start + image_row]);
        }
    }
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
}
