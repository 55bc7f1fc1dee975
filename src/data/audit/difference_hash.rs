//! A difference hash of a picture, and its grey cells, to find pictures that are nearly the same: saved anew,
//! resized, brightened, labelled.
//!
//! Two numbers must agree. The *difference hash* is quick to compare: the picture in grey is averaged to 9 ×
//! 8 cells, and each of 64 bits tells whether a cell is brighter than its right neighbour (N. Krawetz, *Kind
//! of Like That*, 2013). Pictures of one kind, such as ultrasound with its black surroundings, share most of
//! these bits without being the same, so a pair that passes is compared again by the correlation of [`SIDE`]
//! × [`SIDE`] cells.

use crate::data::decode::Rgb8;

/// The most bits in which the hashes of near duplicates differ, of 64.
pub const MAX_DISTANCE: u32 = 8;

/// The least correlation of near duplicates. Brightness and contrast do not change it.
pub const MIN_CORRELATION: f64 = 0.98;

/// Cells on a side of the grid whose correlation is taken.
pub const SIDE: usize = 32;

/// A picture from afar: its hash, and the cells by which a pair of near hashes is compared again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DifferenceHash {
    /// The difference hash.
    pub hash: u64,
    /// The mean grey of [`SIDE`] × [`SIDE`] cells, row by row.
    pub cells: Vec<u8>,
}

impl DifferenceHash {
    /// Hashes a picture.
    pub fn from_image(image: &Rgb8) -> DifferenceHash {
        let coarse = mean_cells(image, 9, 8);
        let brighter = coarse.chunks_exact(9).flat_map(|row| row.windows(2).map(|pair| pair[0] > pair[1]));
        let hash = brighter.fold(0, |hash, bit| hash << 1 | u64::from(bit));
        DifferenceHash { hash, cells: mean_cells(image, SIDE, SIDE) }
    }

    /// Counts the bits in which the hashes differ.
    pub fn distance(&self, other: &DifferenceHash) -> u32 {
        (self.hash ^ other.hash).count_ones()
    }

    /// Returns Pearson's correlation of the cells, (n Σab − Σa Σb) / √((n Σa² − (Σa)²) (n Σb² − (Σb)²)); two
    /// pictures without any contrast count as 1, one of them as 0. Up to the root all is whole numbers, which
    /// are exact, and quick: a set may have millions of pairs whose hashes agree.
    pub fn correlation(&self, other: &DifferenceHash) -> f64 {
        let (a, b) = (&self.cells, &other.cells);
        let n = a.len() as i64;
        let (sum_a, sum_b) = (sum(a), sum(b));
        let covariance = n * sum_of_products(a, b) - sum_a * sum_b;
        let variances = [n * sum_of_products(a, a) - sum_a * sum_a, n * sum_of_products(b, b) - sum_b * sum_b];
        match variances.map(|variance| variance > 0) {
            [true, true] => covariance as f64 / (variances[0] as f64 * variances[1] as f64).sqrt(),
            [false, false] => 1.0,
            _ => 0.0,
        }
    }

    /// Returns whether the two are near duplicates.
    pub fn is_near(&self, other: &DifferenceHash) -> bool {
        self.distance(other) <= MAX_DISTANCE && self.correlation(other) >= MIN_CORRELATION
    }
}

/// Returns Σ aᵢ; 2²⁴ cells of 255 fit into 32 bits.
fn sum(cells: &[u8]) -> i64 {
    cells.iter().map(|&cell| u32::from(cell)).sum::<u32>().into()
}

/// Returns Σ aᵢ bᵢ; 2¹⁶ products of 255² fit into 32 bits.
fn sum_of_products(a: &[u8], b: &[u8]) -> i64 {
    a.iter().zip(b).map(|(&a, &b)| u32::from(a) * u32::from(b)).sum::<u32>().into()
}

/// Returns the mean grey of `columns` × `rows` cells. Grey is 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601). A
/// picture with fewer pixels than cells gives some to several.
fn mean_cells(image: &Rgb8, columns: usize, rows: usize) -> Vec<u8> {
    let range = |cell: usize, cells: usize, size: usize| {
        let start = cell * size / cells;
        start..((cell + 1) * size / cells).max(start + 1)
    };
    let mut means = Vec::with_capacity(columns * rows);
    let mut sums = vec![0u64; columns];
    for row in 0..rows {
        let ys = range(row, rows, image.height);
        sums.fill(0);
        for y in ys.clone() {
            let line = &image.pixels[y * image.width * 3..][..image.width * 3];
            for (column, sum) in sums.iter_mut().enumerate() {
                let xs = range(column, columns, image.width);
                // A row of a cell fits into 32 bits: 65,535 pixels of 255.
                let pixels = line[xs.start * 3..xs.end * 3].chunks_exact(3);
                let [red, green, blue] = pixels.fold([0u32; 3], |[red, green, blue], pixel| {
                    [red + u32::from(pixel[0]), green + u32::from(pixel[1]), blue + u32::from(pixel[2])]
                });
                *sum += 299 * u64::from(red) + 587 * u64::from(green) + 114 * u64::from(blue);
            }
        }
        means.extend(sums.iter().enumerate().map(|(column, sum)| {
            let count = (ys.len() * range(column, columns, image.width).len()) as u64;
            (sum / (1000 * count)) as u8
        }));
    }
    means
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a picture from a formula for its grey.
    fn grey(width: usize, height: usize, value: impl Fn(usize, usize) -> u8) -> Rgb8 {
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).flat_map(|(x, y)| [value(x, y); 3]);
        Rgb8 { width, height, pixels: pixels.collect() }
    }

    #[test]
    fn each_bit_compares_a_cell_with_its_right_neighbour() {
        // Nine columns that darken, and in the last row brighten, to the right.
        let image = grey(9, 8, |x, y| if y == 7 { 10 * x as u8 } else { 200 - 10 * x as u8 });
        assert_eq!(DifferenceHash::from_image(&image).hash, !0xFF);
        let doubled = grey(18, 16, |x, y| if y / 2 == 7 { 10 * (x / 2) as u8 } else { 200 - 10 * (x / 2) as u8 });
        assert_eq!(DifferenceHash::from_image(&doubled).hash, !0xFF);
    }

    #[test]
    fn a_cell_is_the_mean_grey_of_its_pixels() {
        let image = Rgb8 { width: 2, height: 1, pixels: vec![255, 0, 0, 0, 0, 255] };
        // (299 · 255 + 114 · 255) / 2000
        assert_eq!(mean_cells(&image, 1, 1), [52]);
        assert_eq!(mean_cells(&image, 2, 2), [76, 29, 76, 29]);
    }

    #[test]
    fn the_correlation_is_pearsons() {
        let hash = |cells: [u8; 4]| DifferenceHash { hash: 0, cells: cells.to_vec() };
        // Means 2 and 4; (−2, −1, 1, 2) · (−4, 4, −2, 2) = 6; 10 and 40 squared.
        let correlation = hash([0, 1, 3, 4]).correlation(&hash([0, 8, 2, 6]));
        approx::assert_abs_diff_eq!(correlation, 6.0 / 400f64.sqrt(), epsilon = 1e-15);
        assert_eq!(hash([255; 4]).correlation(&hash([0, 1, 2, 3])), 0.0);
        assert_eq!(hash([255; 4]).correlation(&hash([7; 4])), 1.0);
        let bright = DifferenceHash { hash: 0, cells: (0..1024).map(|cell| 255 - (cell % 2) as u8).collect() };
        assert_eq!(bright.correlation(&bright), 1.0);
    }

    #[test]
    fn brightness_contrast_and_size_keep_a_hash_near_and_other_pictures_are_far() {
        let wave = |x: f64, y: f64| 100.0 + 50.0 * (9.0 * x + 4.0 * y * y).sin() + 30.0 * (7.0 * y - 5.0 * x).cos();
        let at = |size: usize, change: fn(f64) -> f64| {
            grey(size, size, |x, y| change(wave(x as f64 / size as f64, y as f64 / size as f64)) as u8)
        };
        let hash = DifferenceHash::from_image(&at(128, |v| v));
        assert!(hash.is_near(&DifferenceHash::from_image(&at(96, |v| v))));
        assert!(hash.is_near(&DifferenceHash::from_image(&at(128, |v| 0.7 * v + 20.0))));
        let other = DifferenceHash::from_image(&grey(128, 128, |x, y| ((x * x + 3 * y) % 251) as u8));
        assert!(!hash.is_near(&other));
        let flat = DifferenceHash::from_image(&grey(20, 20, |_, _| 7));
        assert!(flat.is_near(&DifferenceHash::from_image(&grey(30, 20, |_, _| 9))) && !flat.is_near(&hash));
    }
}
