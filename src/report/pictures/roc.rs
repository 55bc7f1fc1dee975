//! The ROC curve as a picture.

use std::io;

use image::RgbImage;
use plotters::style::WHITE;

use super::page::Area;
use super::palette::{BLUE, INK, VERMILION};
use super::text::{SMALL, width};
use super::unit_square::{panel, place, write_undefined};
use crate::metrics::Assessment;

/// Places on the page that are told apart, to a pixel.
const GRAIN: f64 = 4.0;

/// Returns the ROC curve with the point of the threshold on it; `classes[1]` is the positive class.
pub(super) fn draw(assessment: &Assessment, classes: [&str; 2]) -> io::Result<RgbImage> {
    let [negative, positive] = classes;
    let across = format!("1 − specificity: {negative} taken for {positive}");
    let mut page = panel(&across, &format!("sensitivity: {positive} found"))?;
    let confusion = &assessment.confusion;
    let note = format!("threshold {}", assessment.threshold);
    match (&assessment.roc_curve, confusion.sensitivity(), confusion.specificity()) {
        (Some(curve), Some(sensitivity), Some(specificity)) => {
            let (x, y) = place(1.0 - specificity, sensitivity);
            // Beside the point, where the page has room: below the curve but above the axis, and on white, as
            // the diagonal may pass there.
            let to_the_right = 1.0 - specificity < 0.7;
            let wide = width(&note, SMALL)?;
            let left = if to_the_right { x + 12.0 } else { x - 12.0 - wide };
            let baseline = if sensitivity < 0.1 { y - 10.0 } else { y + 20.0 };
            page.fill(Area { left: left - 3.0, top: baseline - 12.0, width: wide + 6.0, height: 16.0 }, WHITE)?;
            let mut points: Vec<(f64, f64)> =
                curve.iter().map(|point| place(point.false_positive_rate, point.true_positive_rate)).collect();
            // A set of any size has a curve of some thousand points: those that the page can tell apart.
            points.dedup_by_key(|(x, y)| ((*x * GRAIN).round() as i64, (*y * GRAIN).round() as i64));
            page.line(&points, 2.5, BLUE)?;
            page.disc((x, y), 6.0, VERMILION)?;
            page.text(&note, (left, baseline), SMALL.coloured(INK))?;
        }
        _ => {
            let why = assessment.undefined(classes).into_iter().find(|(name, _)| *name == "roc_auc");
            write_undefined(&mut page, &why.map_or(String::new(), |(_, why)| why))?;
        }
    }
    page.finish_fine()
}
