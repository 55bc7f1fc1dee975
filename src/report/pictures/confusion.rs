//! The confusion matrix as a picture: rows the true class, columns the predicted one.

use std::io;
use std::path::Path;

use plotters::style::{RGBColor, WHITE};

use super::page::{Area, Page};
use super::palette::{BLUE, GREY, INK, MAT};
use super::png::save;
use super::text::{BODY, DISCLAIMER, HEADING, SMALL, Style, TITLE, shorten};
use crate::error::counted;
use crate::metrics::Confusion;
use crate::{Error, Result};

/// The picture's size in pixels.
const SIZE: (u32, u32) = (720, 600);
/// The left edge of all text.
const LEFT: f64 = 40.0;
/// The right edge of all text.
const RIGHT: f64 = 680.0;
/// The four cells together.
const MATRIX: Area = Area { left: 200.0, top: 140.0, width: 480.0, height: 280.0 };
/// The white space between two cells.
const SEAM: f64 = 4.0;
/// The share above which a cell is so dark that white text is the easier to read.
pub(super) const WHITE_TEXT_ABOVE: f64 = 0.85;
/// A count, in the middle of its cell.
const COUNT: Style = Style { size: 34.0, ..HEADING.centred() };

/// Writes the confusion matrix as PNG, 720×600 pixels. Each cell has its count and its share of the row,
/// which is also its shade; below stand accuracy beside the majority share, sensitivity and specificity.
/// `class_names[1]` is the positive class.
///
/// # Errors
/// [`Error::Io`] names the file if it cannot be drawn or written.
pub fn write_confusion(path: &Path, title: &str, class_names: [&str; 2], confusion: &Confusion) -> Result<()> {
    let picture = page(title, class_names, confusion).and_then(Page::finish).map_err(Error::io("draw", path))?;
    save(path, &picture)
}

/// Returns the whole picture.
pub(super) fn page(title: &str, class_names: [&str; 2], confusion: &Confusion) -> io::Result<Page> {
    let mut page = Page::new(SIZE.0, SIZE.1);
    page.text(&shorten(title, TITLE, RIGHT - LEFT)?, (LEFT, 46.0), TITLE)?;
    draw_names(&mut page, class_names)?;

    let rows = [
        [confusion.true_negative, confusion.false_positive], // true class 0
        [confusion.false_negative, confusion.true_positive], // true class 1
    ];
    for (row, counts) in rows.into_iter().enumerate() {
        for (column, count) in counts.into_iter().enumerate() {
            draw_cell(&mut page, cell(row, column), count, counts.iter().sum())?;
        }
    }
    draw_measures(&mut page, class_names[1], confusion)?;
    Ok(page)
}

/// Returns the place of a cell.
fn cell(row: usize, column: usize) -> Area {
    let (width, height) = ((MATRIX.width - SEAM) / 2.0, (MATRIX.height - SEAM) / 2.0);
    let left = MATRIX.left + column as f64 * (width + SEAM);
    Area { left, top: MATRIX.top + row as f64 * (height + SEAM), width, height }
}

/// Writes what rows and columns are, and the classes' names at them.
fn draw_names(page: &mut Page, class_names: [&str; 2]) -> io::Result<()> {
    let caption = SMALL.coloured(GREY);
    page.text("predicted class", (MATRIX.centre().0, MATRIX.top - 42.0), caption.centred())?;
    page.text("true class", (MATRIX.left - 16.0, MATRIX.top - 16.0), caption.right())?;
    for (index, name) in class_names.into_iter().enumerate() {
        let column = cell(0, index);
        let name_above = shorten(name, BODY, column.width - 12.0)?;
        page.text(&name_above, (column.centre().0, MATRIX.top - 16.0), BODY.centred())?;

        let name_beside = shorten(name, BODY, MATRIX.left - LEFT - 16.0)?;
        let baseline = cell(index, 0).centre().1 + BODY.capital_height() / 2.0;
        page.text(&name_beside, (MATRIX.left - 16.0, baseline), BODY.right())?;
    }
    Ok(())
}

/// Returns one cell: the count, its share of the row in words and as a shade between white and blue.
fn draw_cell(page: &mut Page, area: Area, count: usize, row_total: usize) -> io::Result<()> {
    let share = (row_total > 0).then(|| count as f64 / row_total as f64);
    page.fill(area, share.map_or(MAT, shade))?;
    let colour = if share.is_some_and(|share| share > WHITE_TEXT_ABOVE) { WHITE } else { INK };
    let (x, y) = area.centre();
    page.text(&count.to_string(), (x, y + 4.0), COUNT.coloured(colour))?;
    let share = share.map_or("no images".to_string(), |share| format!("{:.1} % of row", 100.0 * share));
    page.text(&share, (x, y + 32.0), SMALL.coloured(colour).centred())
}

/// Returns a hint of blue at a share of 0, full blue at 1.
pub(super) fn shade(share: f64) -> RGBColor {
    const HINT: f64 = 0.06;
    let weight = HINT + (1.0 - HINT) * share;
    let mixed = |blue: u8| (255.0 + (f64::from(blue) - 255.0) * weight).round() as u8;
    RGBColor(mixed(BLUE.0), mixed(BLUE.1), mixed(BLUE.2))
}

/// Writes accuracy, sensitivity and specificity in three columns, and the notes below.
fn draw_measures(page: &mut Page, positive_class: &str, confusion: &Confusion) -> io::Result<()> {
    let percent = |value: Option<f64>| value.map_or("undefined".to_string(), |value| format!("{:.1} %", 100.0 * value));
    let majority = format!("majority class: {}", percent(confusion.majority_share()));
    let measures = [
        ("accuracy", confusion.accuracy(), majority),
        ("sensitivity", confusion.sensitivity(), "found, of all positives".to_string()),
        ("specificity", confusion.specificity(), "recognized, of all negatives".to_string()),
    ];
    for (column, (name, value, meaning)) in measures.into_iter().enumerate() {
        let x = LEFT + column as f64 * 224.0;
        page.text(name, (x, 460.0), BODY)?;
        page.text(&percent(value), (x, 487.0), TITLE)?;
        page.text(&meaning, (x, 509.0), SMALL.coloured(GREY))?;
    }
    let note = SMALL.coloured(GREY);
    let images = counted(confusion.total(), "image");
    let positive = format!("positive class: {positive_class}");
    page.text(&shorten(&positive, note, 400.0)?, (LEFT, 562.0), note)?;
    page.text(&format!("{images} · {DISCLAIMER}"), (RIGHT, 562.0), note.right())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{count, written};
    use super::*;

    /// Pixels of a full cell, less what its text may cover.
    const MOST_OF_A_CELL: usize = 238 * 138 * 8 / 10;

    #[test]
    fn a_perfect_matrix_is_blue_on_its_diagonal() {
        let perfect = Confusion { true_positive: 20, true_negative: 6, ..Confusion::default() };
        let picture = written(|path| write_confusion(path, "Confusion", ["benign", "malignant"], &perfect));
        assert_eq!(picture.dimensions(), SIZE);
        assert!(count(&picture, [0x00, 0x72, 0xB2]) > 2 * MOST_OF_A_CELL);
        let corner = |row, column| {
            let area = cell(row, column);
            picture.get_pixel(area.left as u32 + 2, area.top as u32 + 2).0
        };
        assert_eq!(corner(0, 0), [0x00, 0x72, 0xB2]);
        assert_eq!(corner(1, 1), [0x00, 0x72, 0xB2]);
        assert_eq!(corner(0, 1), corner(1, 0));
        assert!(corner(0, 1).iter().all(|&channel| channel > 0xE0));
    }

    #[test]
    fn a_row_without_images_is_grey() {
        let one_class = Confusion { true_positive: 3, false_negative: 1, ..Confusion::default() };
        let picture = written(|path| write_confusion(path, "Confusion", ["benign", "malignant"], &one_class));
        assert!(count(&picture, [MAT.0, MAT.1, MAT.2]) > 2 * MOST_OF_A_CELL);
    }
}
