//! The orientation in which a picture stands upright: tag 274, which TIFF has (TIFF 6.0, section 8), and with
//! it EXIF (EXIF 2.32, 4.6.4).

/// Rows and columns of a square that is turned at a time, so that the rows it is read from stay in the cache.
const TILE: usize = 32;

/// One of the eight ways in which a picture can be stored: upright, turned, or mirrored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Orientation(u8);

impl Orientation {
    /// Stored as it is seen.
    pub const UPRIGHT: Orientation = Orientation(1);

    /// Returns the orientation of a tag's value; what is none of 1 to 8 counts as upright, as in Pillow.
    pub fn from_tag(value: u32) -> Orientation {
        match value {
            1..=8 => Orientation(value as u8),
            _ => Orientation::UPRIGHT,
        }
    }

    /// Returns the tag's value, 1 to 8.
    pub fn tag(self) -> u8 {
        self.0
    }

    /// Returns whether the picture is stored as it is seen.
    pub fn is_upright(self) -> bool {
        self == Orientation::UPRIGHT
    }

    /// Returns whether rows of the stored picture are columns of the upright one, so that width and height
    /// change places.
    pub fn swaps_sides(self) -> bool {
        self.0 > 4
    }

    /// Describes how the picture lies in its file.
    pub fn description(self) -> &'static str {
        match self.0 {
            2 => "mirrored",
            3 => "turned by 180°",
            4 => "mirrored and turned by 180°",
            5 => "mirrored and turned by 90° counter-clockwise",
            6 => "turned by 90° counter-clockwise",
            7 => "mirrored and turned by 90° clockwise",
            8 => "turned by 90° clockwise",
            _ => "upright",
        }
    }

    /// Returns the upright picture of a stored one: its pixels, `[height, width, channels]`, with its width
    /// and height.
    pub fn upright<T: Copy + Default>(
        self,
        stored: &[T],
        [width, height]: [usize; 2],
        channels: usize,
    ) -> (Vec<T>, [usize; 2]) {
        // The upright pixel at (x, y) is stored at (x, y), or where sides are swapped at (y, x), counted from
        // the right end of the row where `from_right`, and from the lowest row where `from_below`.
        let from_right = matches!(self.0, 2 | 3 | 7 | 8);
        let from_below = matches!(self.0, 3 | 4 | 6 | 7);
        let [columns, rows] = if self.swaps_sides() { [height, width] } else { [width, height] };
        let mut upright = vec![T::default(); stored.len()];
        for (top, left) in tiles(rows, columns) {
            for y in top..rows.min(top + TILE) {
                for x in left..columns.min(left + TILE) {
                    let (column, row) = if self.swaps_sides() { (y, x) } else { (x, y) };
                    let column = if from_right { width - 1 - column } else { column };
                    let row = if from_below { height - 1 - row } else { row };
                    let from = (row * width + column) * channels;
                    let to = (y * columns + x) * channels;
                    upright[to..to + channels].copy_from_slice(&stored[from..from + channels]);
                }
            }
        }
        (upright, [columns, rows])
    }
}

/// Iterates over the upper left corners of the tiles of a picture.
fn tiles(rows: usize, columns: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..rows).step_by(TILE).flat_map(move |top| (0..columns).step_by(TILE).map(move |left| (top, left)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_orientation_is_turned_as_pillow_turns_it() {
        // ImageOps.exif_transpose of Pillow 13.0 on the rows 1 2 3 and 4 5 6.
        let recorded: [(u32, [usize; 2], [u8; 6]); 10] = [
            (0, [3, 2], [1, 2, 3, 4, 5, 6]),
            (1, [3, 2], [1, 2, 3, 4, 5, 6]),
            (2, [3, 2], [3, 2, 1, 6, 5, 4]),
            (3, [3, 2], [6, 5, 4, 3, 2, 1]),
            (4, [3, 2], [4, 5, 6, 1, 2, 3]),
            (5, [2, 3], [1, 4, 2, 5, 3, 6]),
            (6, [2, 3], [4, 1, 5, 2, 6, 3]),
            (7, [2, 3], [6, 3, 5, 2, 4, 1]),
            (8, [2, 3], [3, 6, 2, 5, 1, 4]),
            (9, [3, 2], [1, 2, 3, 4, 5, 6]),
        ];
        for (tag, size, pixels) in recorded {
            let orientation = Orientation::from_tag(tag);
            assert_eq!(orientation.upright(&[1u8, 2, 3, 4, 5, 6], [3, 2], 1), (pixels.to_vec(), size), "{tag}");
            assert_eq!(orientation.swaps_sides(), size == [2, 3], "{tag}");
        }
    }

    #[test]
    fn every_pixel_of_a_picture_larger_than_a_tile_finds_its_place_with_all_its_channels() {
        let [width, height] = [2 * TILE + 5, TILE + 1];
        let stored: Vec<usize> = (0..width * height * 2).collect();
        // A mirror image twice is the picture itself; a quarter turn and its opposite are, too.
        for (tag, back) in [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 8), (7, 7), (8, 6)] {
            let (upright, size) = Orientation::from_tag(tag).upright(&stored, [width, height], 2);
            assert_eq!(upright == stored, tag == 1, "{tag}");
            assert_eq!(
                Orientation::from_tag(back).upright(&upright, size, 2),
                (stored.clone(), [width, height]),
                "{tag}"
            );
        }
    }
}
