//! The confusion matrix of any number of classes as a picture: a square of cells, from a few large ones with
//! their counts to hundreds that show as a pattern.

use std::io;
use std::path::Path;

use plotters::style::WHITE;

use super::confusion::{WHITE_TEXT_ABOVE, shade};
use super::page::{Area, Page};
use super::palette::{GREY, INK, MAT};
use super::png::save;
use super::text::{BODY, DISCLAIMER, SMALL, Style, TITLE, shorten, width};
use crate::classes::Label;
use crate::error::counted;
use crate::metrics::multiclass::ConfusionMatrix;
use crate::{Error, Result};

/// The left edge of all text, and the space at the right.
const MARGIN: f64 = 40.0;
/// Space above the matrix for the title and the names of the columns.
const TITLE_HEIGHT: f64 = 76.0;
/// Space below the matrix for the notes.
const NOTES_HEIGHT: f64 = 84.0;
/// The widest column of names beside the rows.
const NAMES_WIDTH: f64 = 200.0;
/// The side of the matrix that is aimed at, in pixels.
const MATRIX_SIDE: f64 = 640.0;
/// The largest and the smallest side of a cell, in pixels. Where the smallest is reached, the picture grows.
const CELL_SIDES: [f64; 2] = [8.0, 72.0];
/// The least side of a cell that has its count in it.
const COUNTED_SIDE: f64 = 26.0;
/// The least side of a cell that has a name beside it; of smaller ones every few have one.
const NAMED_SIDE: f64 = 13.0;
/// The most notes on which class is most often taken for which.
const NOTED: usize = 3;

/// Where the matrix lies.
struct Layout {
    classes: usize,
    cell: f64,
    left: f64,
    top: f64,
}

impl Layout {
    fn new(classes: usize, names_width: f64) -> Layout {
        let [smallest, largest] = CELL_SIDES;
        let cell = (MATRIX_SIDE / classes as f64).floor().clamp(smallest, largest);
        // Columns are numbered; the longest number stands in a narrow cell upright no more.
        Layout { classes, cell, left: MARGIN + names_width + 12.0, top: TITLE_HEIGHT + 44.0 }
    }

    fn side(&self) -> f64 {
        self.cell * self.classes as f64
    }

    fn cell(&self, row: usize, column: usize) -> Area {
        // A seam of a pixel where there is room for one.
        let seam = if self.cell >= NAMED_SIDE { 1.0 } else { 0.0 };
        let (left, top) = (self.left + column as f64 * self.cell, self.top + row as f64 * self.cell);
        Area { left, top, width: self.cell - seam, height: self.cell - seam }
    }

    /// The classes that have a name beside their row, and a number above their column: all, or every few.
    fn named(&self) -> impl Iterator<Item = usize> + use<> {
        self.named_every(NAMED_SIDE)
    }

    fn named_every(&self, room: f64) -> impl Iterator<Item = usize> + use<> {
        let step = (room / self.cell).ceil().max(1.0) as usize;
        (0..self.classes).step_by(step)
    }
}

/// Writes the confusion matrix as PNG: rows the true class, columns the predicted one, each cell shaded by
/// its share of the row. Counts stand in the cells where these are large enough; below stand the accuracy
/// beside the share of the most frequent class, and which class is most often taken for which.
///
/// # Errors
/// [`Error::Io`] names the file if it cannot be drawn or written.
///
/// # Panics
/// If there is not a name for each class.
pub fn write_confusion_matrix(path: &Path, title: &str, names: &[&str], confusion: &ConfusionMatrix) -> Result<()> {
    let picture = page(title, names, confusion).and_then(Page::finish).map_err(Error::io("draw", path))?;
    save(path, &picture)
}

/// Returns the whole picture.
pub(super) fn page(title: &str, names: &[&str], confusion: &ConfusionMatrix) -> io::Result<Page> {
    assert_eq!(names.len(), confusion.classes(), "a name for each class");
    let numbered: Vec<String> = names.iter().enumerate().map(|(class, name)| format!("{name}  {class}")).collect();
    let mut widest = 0.0f64;
    for name in &numbered {
        widest = widest.max(width(name, SMALL)?);
    }
    let layout = Layout::new(names.len(), widest.min(NAMES_WIDTH));
    // Notes and title need some room even where the matrix is small.
    let right = (layout.left + layout.side()).max(MARGIN + 560.0);
    let bottom = layout.top + layout.side();
    let mut page = Page::new((right + MARGIN) as u32, (bottom + NOTES_HEIGHT) as u32);
    page.text(&shorten(title, TITLE, right - MARGIN)?, (MARGIN, 46.0), TITLE)?;
    draw_names(&mut page, &layout, &numbered)?;
    draw_cells(&mut page, &layout, confusion)?;
    draw_notes(&mut page, (bottom, right), names, confusion)?;
    Ok(page)
}

/// Writes what rows and columns are, the classes' names at the rows, and their numbers at both.
fn draw_names(page: &mut Page, layout: &Layout, numbered: &[String]) -> io::Result<()> {
    let caption = SMALL.coloured(GREY);
    page.text("predicted class", (layout.left + layout.side() / 2.0, layout.top - 26.0), caption.centred())?;
    page.text("true class", (layout.left - 12.0, layout.top - 26.0), caption.right())?;
    let size = SMALL.size.min(layout.cell.max(NAMED_SIDE) - 1.0);
    let style = Style { size, ..SMALL };
    for row in layout.named() {
        let name = shorten(&numbered[row], style, layout.left - MARGIN - 12.0)?;
        let baseline = layout.cell(row, 0).centre().1 + style.capital_height() / 2.0;
        page.text(&name, (layout.left - 12.0, baseline), style.right())?;
    }
    let widest = width(&(layout.classes - 1).to_string(), style)? + 4.0;
    for column in layout.named_every(widest) {
        page.text(&column.to_string(), (layout.cell(0, column).centre().0, layout.top - 8.0), style.centred())?;
    }
    Ok(())
}

/// Draws all cells, and the counts of those that have some.
fn draw_cells(page: &mut Page, layout: &Layout, confusion: &ConfusionMatrix) -> io::Result<()> {
    let digits = confusion.rows().flatten().max().map_or(1, |most| most.to_string().len());
    // A digit is about six tenths as wide as the letters are high.
    let size = (layout.cell / (0.62 * digits as f64 + 0.6)).min(layout.cell * 0.42).min(22.0);
    let style = Style { size, ..BODY.centred() };
    for (row, counts) in confusion.rows().enumerate() {
        let total: usize = counts.iter().sum();
        for (column, &count) in counts.iter().enumerate() {
            let area = layout.cell(row, column);
            let share = (total > 0).then(|| count as f64 / total as f64);
            page.fill(area, share.map_or(MAT, shade))?;
            if count > 0 && layout.cell >= COUNTED_SIDE {
                let is_dark = share.is_some_and(|share| share > WHITE_TEXT_ABOVE);
                let (x, y) = area.centre();
                let baseline = y + style.capital_height() / 2.0;
                page.text(&count.to_string(), (x, baseline), style.coloured(if is_dark { WHITE } else { INK }))?;
            }
        }
    }
    Ok(())
}

/// Writes the accuracy, the most frequent mistakes, and the notes.
fn draw_notes(
    page: &mut Page,
    (bottom, right): (f64, f64),
    names: &[&str],
    confusion: &ConfusionMatrix,
) -> io::Result<()> {
    let percent = |value: Option<f64>| value.map_or("undefined".to_string(), |value| format!("{:.1} %", 100.0 * value));
    let total = confusion.total();
    let accuracy =
        format!("accuracy {}; majority class: {}", percent(confusion.accuracy()), percent(confusion.majority_share()));
    page.text(&shorten(&accuracy, BODY, right - MARGIN)?, (MARGIN, bottom + 32.0), BODY)?;
    let name = |label: Label| names[label.index()];
    let confused = confusion.confused();
    let told: Vec<String> = confused
        .iter()
        .take(NOTED)
        .map(|&(label, answer, count)| format!("{count} × {} taken for {}", name(label), name(answer)))
        .collect();
    let note = SMALL.coloured(GREY);
    let told = if told.is_empty() { "no mistake".to_string() } else { told.join(", ") };
    page.text(&shorten(&told, note, right - MARGIN)?, (MARGIN, bottom + 54.0), note)?;
    let images = counted(total, "image");
    page.text(&format!("{images} · shade: share of the row · {DISCLAIMER}"), (right, bottom + 74.0), note.right())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{count, written};
    use super::*;

    const BLUE: [u8; 3] = [0x00, 0x72, 0xB2];

    /// A picture of `classes` with five images each, of which one is taken for the next class.
    fn pictured(classes: usize) -> image::RgbImage {
        let labels: Vec<Label> = (0..5 * classes).map(|image| Label::new(image % classes)).collect();
        let next = |(image, label): (usize, &Label)| match image < classes {
            true => Label::new((label.index() + 1) % classes),
            false => *label,
        };
        let answers: Vec<Label> = labels.iter().enumerate().map(next).collect();
        let confusion = ConfusionMatrix::new(classes, &labels, &answers);
        let names: Vec<String> = (0..classes).map(|class| format!("class number {class}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        written(|path| write_confusion_matrix(path, "Validation", &names, &confusion))
    }

    #[test]
    fn the_picture_has_a_size_that_people_can_look_at_for_any_number_of_classes() {
        for (classes, longest) in [(3, 700), (10, 1000), (100, 1200), (300, 2800)] {
            let (width, height) = pictured(classes).dimensions();
            assert!(width.max(height) <= longest && width.min(height) >= 400, "{classes}: {width} × {height}");
        }
    }

    #[test]
    fn the_diagonal_is_darkest_and_a_row_without_images_is_grey() {
        let confusion = ConfusionMatrix::new(3, &[0, 1].map(Label::new), &[0, 1].map(Label::new));
        let picture = written(|path| write_confusion_matrix(path, "Validation", &["a", "b", "c"], &confusion));
        let cell = 71 * 71 * 8 / 10;
        assert!(count(&picture, BLUE) > 2 * cell);
        assert!(count(&picture, [MAT.0, MAT.1, MAT.2]) > 3 * cell);
    }

    #[test]
    fn a_hundred_classes_show_as_a_diagonal() {
        let picture = pictured(100);
        let shade = shade(0.8);
        // Every cell is 8 pixels wide, those of the diagonal with their neighbours' edges blended.
        assert!(count(&picture, [shade.0, shade.1, shade.2]) >= 100 * 6 * 6);
    }
}
