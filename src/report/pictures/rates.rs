//! The curve of a learning rate range test: the loss over the logarithm of the rate.

use std::io;
use std::path::Path;

use image::RgbImage;

use super::axes::{value_label, value_ticks};
use super::page::{Area, Page};
use super::palette::{BLUE, GREY, PALE, VERMILION};
use super::png::save;
use super::text::{BODY, SMALL, TITLE};
use crate::training::RateCurve;
use crate::{Error, Result};

/// The picture's size in pixels.
const SIZE: (u32, u32) = (900, 520);
/// The area of the curve.
const PANEL: Area = Area { left: 90.0, top: 110.0, width: 760.0, height: 320.0 };
/// The part of the panel's height that the highest loss leaves free.
const HEADROOM: f64 = 0.05;

/// Writes the curve as PNG, 900×520 pixels: each step's loss as a dot, the smoothed loss as a line, and a
/// mark where it falls fastest.
///
/// # Errors
/// [`Error::Io`] names the file if it cannot be drawn or written.
pub fn write_rates(path: &Path, curve: &RateCurve) -> Result<()> {
    let picture = draw(curve).map_err(Error::io("draw", path))?;
    save(path, &picture)
}

/// Returns the whole picture.
fn draw(curve: &RateCurve) -> io::Result<RgbImage> {
    let mut page = Page::new(SIZE.0, SIZE.1);
    page.text("Loss by learning rate", (40.0, 46.0), TITLE)?;
    let losses = || curve.points.iter().map(|point| point.smoothed);
    // Single losses may be far above: the line is what counts, and dots beyond the panel are left out.
    let highest = losses().filter(|loss| loss.is_finite()).fold(0.0, f64::max);
    let top = if highest > 0.0 { (highest * (1.0 + HEADROOM)).min(f64::MAX / 16.0) } else { 1.0 };
    let rates = curve.points.iter().map(|point| point.learning_rate.log10());
    let (first, last) = rates.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), rate| (a.min(rate), b.max(rate)));
    let (first, last) = if first < last { (first, last) } else { (-6.0, 0.0) };
    let place = |rate: f64, loss: f64| {
        let across = (rate.log10() - first) / (last - first);
        (PANEL.left + across * PANEL.width, PANEL.bottom() - loss / top * PANEL.height)
    };
    let label = SMALL.coloured(GREY);
    let values = value_ticks(top);
    let step = values.get(1).copied().unwrap_or(top);
    for value in values {
        let (_, y) = place(1.0, value);
        page.fill(Area { left: PANEL.left, top: y.round() - 1.0, width: PANEL.width, height: 1.0 }, PALE)?;
        let place = (PANEL.left - 10.0, y + label.capital_height() / 2.0);
        page.text(&value_label(value, step), place, label.right())?;
    }
    page.fill(Area { left: PANEL.left, top: PANEL.bottom() - 1.0, width: PANEL.width, height: 1.0 }, GREY)?;
    for decade in first.ceil() as i32..=last.floor() as i32 {
        let (x, y) = place(10f64.powi(decade), 0.0);
        page.fill(Area { left: (x - 0.5).round(), top: y, width: 1.0, height: 5.0 }, GREY)?;
        page.text(&format!("1e{decade}"), (x, y + 22.0), label.centred())?;
    }
    page.text("learning rate", (PANEL.centre().0, PANEL.bottom() + 50.0), label.centred())?;
    for point in curve.points.iter().filter(|point| point.loss.is_finite() && point.loss <= top) {
        page.disc(place(point.learning_rate, point.loss), 2.5, GREY)?;
    }
    let line: Vec<_> = curve.points.iter().map(|point| place(point.learning_rate, point.smoothed)).collect();
    page.line(&line, 2.0, BLUE)?;
    if let Some(point) = curve.steepest() {
        let (x, y) = place(point.learning_rate, point.smoothed);
        page.line(&[(x, PANEL.top), (x, PANEL.bottom())], 1.5, VERMILION)?;
        page.disc((x, y), 5.0, VERMILION)?;
        let text = format!("falls fastest at {:.1e}", point.learning_rate);
        let style = if x > PANEL.centre().0 { BODY.right() } else { BODY };
        let aside = if x > PANEL.centre().0 { -10.0 } else { 10.0 };
        page.text(&text, (x + aside, PANEL.top - 10.0), style.coloured(VERMILION))?;
    }
    page.finish()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{count, written};
    use super::*;
    use crate::training::RatePoint;

    #[test]
    fn the_curve_is_drawn_with_a_mark_where_it_falls_fastest_and_without_one_where_it_rises() {
        let curve = |losses: &[f64]| {
            let point = |(step, &loss): (usize, &f64)| {
                let learning_rate = 10f64.powf(-5.0 + step as f64 / 2.0);
                RatePoint { learning_rate, loss, smoothed: loss }
            };
            RateCurve { points: losses.iter().enumerate().map(point).collect(), diverged: false }
        };
        let [mark, line] = [VERMILION, BLUE].map(|colour| [colour.0, colour.1, colour.2]);
        let falls = written(|path| write_rates(path, &curve(&[0.7, 0.69, 0.6, 0.4, 0.3, 0.29, 0.5, 1.2])));
        assert_eq!(falls.dimensions(), SIZE);
        assert!(count(&falls, mark) > 300 && count(&falls, line) > 300);
        let rises = written(|path| write_rates(path, &curve(&[0.1, 0.2, 0.3, 0.4, 0.5, 0.6])));
        assert!(count(&rises, mark) == 0 && count(&rises, line) > 300);
        let nothing = written(|path| write_rates(path, &curve(&[])));
        assert_eq!(count(&nothing, line), 0);
    }
}
