//! The learning curves: loss and accuracy by epoch, training and validation, in two panels side by side.

use std::io;
use std::path::Path;

use image::RgbImage;
use plotters::style::RGBColor;

use super::axes::Axes;
use super::page::{Area, Page};
use super::palette::{BLUE, GREY, VERMILION};
use super::png::save;
use super::text::{BODY, TITLE, shorten, width};
use crate::training::EpochRecord;
use crate::{Error, Result};

/// The picture's size in pixels.
const SIZE: (u32, u32) = (1200, 500);
/// The area of the losses.
const LOSS_PANEL: Area = Area { left: 90.0, top: 132.0, width: 480.0, height: 290.0 };
/// The area of the accuracies.
const ACCURACY_PANEL: Area = Area { left: 680.0, top: 132.0, width: 480.0, height: 290.0 };
/// The left and right edges of the title and the legend.
const EDGES: (f64, f64) = (40.0, 1160.0);
/// Above this many epochs the points would touch, and only the line is drawn.
const MOST_MARKERS: usize = 40;
/// The name of the accuracies' panel.
const ACCURACY: &str = "accuracy";
/// A dash and the gap behind it, in pixels.
const DASH: (f64, f64) = (8.0, 6.0);
/// The width of a curve in pixels.
const LINE_WIDTH: f64 = 2.0;

/// Training or validation: whose curve it is.
#[derive(Clone, Copy)]
enum Part {
    Training,
    Validation,
}

impl Part {
    /// Returns the curve's name in the legend.
    fn name(self) -> &'static str {
        match self {
            Part::Training => "training",
            Part::Validation => "validation",
        }
    }

    /// Returns the curve's colour.
    fn colour(self) -> RGBColor {
        match self {
            Part::Training => BLUE,
            Part::Validation => VERMILION,
        }
    }

    /// Returns a point of the curve: a disc or a square, so that the curves differ without colour as well.
    fn draw_marker(self, page: &mut Page, (x, y): (f64, f64)) -> io::Result<()> {
        match self {
            Part::Training => page.disc((x, y), 4.5, self.colour()),
            Part::Validation => page.fill(Area { left: x - 4.0, top: y - 4.0, width: 8.0, height: 8.0 }, self.colour()),
        }
    }
}

/// Writes the learning curves as PNG, 1200×500 pixels: on the left the loss from 0, on the right the accuracy
/// from 0 to 1, both by epoch counted from 1. Without validation numbers there is one curve a panel. A number
/// that is not finite leaves a gap. `majority_share`, the accuracy of always giving the same answer, is a
/// dashed line among the accuracies.
///
/// # Errors
/// [`Error::Io`] names the file if it cannot be drawn or written.
pub fn write_curves(path: &Path, title: &str, epochs: &[EpochRecord], majority_share: Option<f64>) -> Result<()> {
    let picture = draw(title, epochs, majority_share).map_err(Error::io("draw", path))?;
    save(path, &picture)
}

/// Returns the whole picture.
fn draw(title: &str, epochs: &[EpochRecord], majority_share: Option<f64>) -> io::Result<RgbImage> {
    let mut page = Page::new(SIZE.0, SIZE.1);
    page.text(&shorten(title, TITLE, EDGES.1 - EDGES.0)?, (EDGES.0, 46.0), TITLE)?;
    let validated = epochs.iter().any(|record| record.val_loss.is_some() || record.val_accuracy.is_some());
    draw_legend(&mut page, validated, epochs.len() <= MOST_MARKERS, majority_share.is_some())?;

    let losses = epochs.iter().flat_map(|record| [Some(record.loss), record.val_loss]).flatten();
    let highest_loss = losses.filter(|loss| loss.is_finite()).fold(0.0, f64::max);
    let highest_loss = if highest_loss > 0.0 { highest_loss } else { 1.0 };
    let first = epochs.iter().map(|record| record.epoch + 1).min().unwrap_or(1);
    let last = epochs.iter().map(|record| record.epoch + 1).max().unwrap_or(1);
    let panels: [(_, _, _, Value); 2] =
        [(LOSS_PANEL, "loss", highest_loss, loss), (ACCURACY_PANEL, ACCURACY, 1.0, accuracy)];
    for (area, name, highest, value) in panels {
        let axes = Axes::new(area, first..=last, highest);
        axes.draw(&mut page, name)?;
        if let Some(share) = majority_share.filter(|_| name == ACCURACY) {
            let (_, y) = axes.place(first as f64, share);
            draw_dashes(&mut page, (area.left, area.left + area.width), y)?;
        }
        for part in [Part::Validation, Part::Training] {
            draw_curve(&mut page, &axes, epochs, part, value)?;
        }
    }
    page.finish()
}

/// The number of an epoch that a panel shows.
type Value = fn(&EpochRecord, Part) -> Option<f64>;

fn loss(record: &EpochRecord, part: Part) -> Option<f64> {
    match part {
        Part::Training => Some(record.loss),
        Part::Validation => record.val_loss,
    }
}

fn accuracy(record: &EpochRecord, part: Part) -> Option<f64> {
    match part {
        Part::Training => Some(record.accuracy),
        Part::Validation => record.val_accuracy,
    }
}

/// Returns one curve: a line through each run of finite numbers, with markers where there is room for them.
fn draw_curve(page: &mut Page, axes: &Axes, epochs: &[EpochRecord], part: Part, value: Value) -> io::Result<()> {
    let place = |record: &EpochRecord| {
        let value = value(record, part).filter(|value| value.is_finite())?;
        Some(axes.place(record.epoch as f64 + 1.0, value))
    };
    let points: Vec<Option<(f64, f64)>> = epochs.iter().map(place).collect();
    for run in points.split(Option::is_none) {
        let run: Vec<(f64, f64)> = run.iter().copied().flatten().collect();
        if run.len() > 1 {
            page.line(&run, LINE_WIDTH, part.colour())?;
        }
        // A point on its own has no line, and would not be seen without its marker.
        if run.len() == 1 || epochs.len() <= MOST_MARKERS {
            for point in run {
                part.draw_marker(page, point)?;
            }
        }
    }
    Ok(())
}

/// Returns a dashed line across, at height `y`.
fn draw_dashes(page: &mut Page, (left, right): (f64, f64), y: f64) -> io::Result<()> {
    let mut start = left;
    while start < right {
        page.line(&[(start, y), ((start + DASH.0).min(right), y)], LINE_WIDTH, GREY)?;
        start += DASH.0 + DASH.1;
    }
    Ok(())
}

/// Returns the curves' names beside a piece of each.
fn draw_legend(page: &mut Page, validated: bool, with_markers: bool, with_majority: bool) -> io::Result<()> {
    const MAJORITY: &str = "always the more frequent class";
    const BASELINE: f64 = 80.0;
    let middle = BASELINE - BODY.capital_height() / 2.0;
    let parts: &[Part] = if validated { &[Part::Training, Part::Validation] } else { &[Part::Training] };
    let mut left = EDGES.0;
    for part in parts {
        page.line(&[(left, middle), (left + 30.0, middle)], LINE_WIDTH, part.colour())?;
        if with_markers {
            part.draw_marker(page, (left + 15.0, middle))?;
        }
        page.text(part.name(), (left + 40.0, BASELINE), BODY)?;
        left += 40.0 + width(part.name(), BODY)? + 32.0;
    }
    if with_majority {
        draw_dashes(page, (left, left + 30.0), middle)?;
        page.text(MAJORITY, (left + 40.0, BASELINE), BODY)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{count, written};
    use super::*;
    use crate::training::keras_run::HISTORY;

    const BLUE_PIXEL: [u8; 3] = [0x00, 0x72, 0xB2];
    const VERMILION_PIXEL: [u8; 3] = [0xD5, 0x5E, 0x00];

    #[test]
    fn both_curves_are_drawn_in_both_panels() {
        let picture = written(|path| write_curves(path, "Learning curves", &HISTORY, None));
        assert_eq!(picture.dimensions(), SIZE);
        for panel in [LOSS_PANEL, ACCURACY_PANEL] {
            let inside = image::imageops::crop_imm(
                &picture,
                panel.left as u32,
                panel.top as u32,
                panel.width as u32,
                panel.height as u32,
            )
            .to_image();
            assert!(count(&inside, BLUE_PIXEL) > 500);
            assert!(count(&inside, VERMILION_PIXEL) > 500);
        }
    }

    #[test]
    fn the_majority_share_is_a_dashed_line_at_its_height_among_the_accuracies_alone() {
        let picture = |share| written(|path| write_curves(path, "Learning curves", &HISTORY[..1], share));
        let (plain, dashed) = (picture(None), picture(Some(0.25)));
        let differs = |x: f64, y: f64| plain.get_pixel(x as u32, y as u32) != dashed.get_pixel(x as u32, y as u32);
        let (_, y) = Axes::new(ACCURACY_PANEL, 1..=1, 1.0).place(1.0, 0.25);
        let along = (0..ACCURACY_PANEL.width as u32)
            .filter(|&x| (-1..=1).any(|up| differs(ACCURACY_PANEL.left + f64::from(x), y + f64::from(up))));
        let share = along.count() as f64 / ACCURACY_PANEL.width;
        assert!((0.45..0.8).contains(&share), "{share} of the width is dashes");
        let losses = (0..SIZE.1).flat_map(|y| (0..LOSS_PANEL.width as u32).map(move |x| (x, y)));
        assert!(losses.filter(|(_, y)| *y > 100).all(|(x, y)| !differs(LOSS_PANEL.left + f64::from(x), f64::from(y))));
    }

    #[test]
    fn a_single_epoch_shows_its_points() {
        let legend_alone = written(|path| write_curves(path, "None", &[], None));
        let picture = written(|path| write_curves(path, "One epoch", &HISTORY[..1], None));
        // Two discs of radius 4½, of which the rim is blended.
        assert!(count(&picture, BLUE_PIXEL) >= count(&legend_alone, BLUE_PIXEL) + 2 * 40);
    }

    #[test]
    fn without_validation_there_is_no_second_colour() {
        let bare = HISTORY.map(|record| EpochRecord { val_loss: None, val_accuracy: None, ..record });
        assert_eq!(count(&written(|path| write_curves(path, "No validation", &bare, None)), VERMILION_PIXEL), 0);
    }

    #[test]
    fn numbers_that_are_not_finite_or_very_large_do_no_harm() {
        let mut run = HISTORY;
        run[1].loss = f64::NAN;
        run[2].val_loss = Some(f64::INFINITY);
        for loss in [0.0, 1e-300, 1e30, f64::MAX] {
            run[3].loss = loss;
            assert!(count(&written(|path| write_curves(path, "Odd", &run, None)), BLUE_PIXEL) > 0, "{loss}");
        }
    }
}
