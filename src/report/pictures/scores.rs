//! The histogram of probabilities, a panel for each class.

use std::io;

use image::RgbImage;
use plotters::style::RGBColor;

use super::axes::value_ticks;
use super::page::{Area, Page};
use super::palette::{BLUE, GREY, INK, PALE, VERMILION};
use super::text::{BODY, SMALL, shorten};
use crate::classes::Label;

/// The picture's size in pixels.
const SIZE: (u32, u32) = (560, 560);
/// Bars from 0 to 1.
const BARS: usize = 20;
/// Space above the highest bar, as a share of it.
const HEADROOM: f64 = 1.08;

/// Draws how many images of each class got which probability, the positive class above; both panels have the
/// same scale.
pub(super) fn draw(
    labels: &[Label],
    probabilities: &[f32],
    threshold: f64,
    classes: [&str; 2],
) -> io::Result<RgbImage> {
    let counts = counts(labels, probabilities);
    let highest = counts.iter().flatten().copied().max().unwrap_or(0).max(1);
    let mut page = Page::new(SIZE.0, SIZE.1);
    for (class, top, colour) in [(1, 56.0, VERMILION), (0, 306.0, BLUE)] {
        let area = Area { left: 64.0, top, width: 460.0, height: 190.0 };
        let images = counts[class].iter().sum::<usize>();
        let name = shorten(classes[class], BODY, 300.0)?;
        page.text(&format!("{name}: {images} images"), (20.0, top - 18.0), BODY)?;
        draw_panel(&mut page, area, &counts[class], highest, colour)?;
        let x = area.left + threshold * area.width;
        page.line(&[(x, area.top), (x, area.bottom())], 1.5, INK)?;
    }
    let note = format!("probability of {}; the line is the threshold, {threshold}", classes[1]);
    page.text(&shorten(&note, BODY, 504.0)?, (524.0, 548.0), BODY.right())?;
    page.finish_fine()
}

/// Returns the images of class 0 and class 1 in each bar.
fn counts(labels: &[Label], probabilities: &[f32]) -> [[usize; BARS]; 2] {
    let mut counts = [[0; BARS]; 2];
    for (&label, &probability) in labels.iter().zip(probabilities) {
        let bar = ((f64::from(probability) * BARS as f64) as usize).min(BARS - 1);
        counts[label.index()][bar] += 1;
    }
    counts
}

fn draw_panel(page: &mut Page, area: Area, counts: &[usize], highest: usize, colour: RGBColor) -> io::Result<()> {
    let label = SMALL.coloured(GREY);
    let top = highest as f64 * HEADROOM;
    let height = |count: f64| count / top * area.height;
    for tick in value_ticks(top).into_iter().filter(|tick| tick.fract() == 0.0) {
        let y = area.bottom() - height(tick);
        page.fill(Area { left: area.left, top: y.round() - 1.0, width: area.width, height: 1.0 }, PALE)?;
        page.text(&format!("{tick:.0}"), (area.left - 10.0, y + label.capital_height() / 2.0), label.right())?;
    }
    let width = area.width / BARS as f64;
    for (bar, &count) in counts.iter().enumerate() {
        let height = height(count as f64);
        let left = area.left + bar as f64 * width + 1.0;
        page.fill(Area { left, top: area.bottom() - height, width: width - 2.0, height }, colour)?;
    }
    page.fill(Area { left: area.left, top: area.bottom() - 1.0, width: area.width, height: 1.0 }, GREY)?;
    for tick in 0..=5 {
        let value = f64::from(tick) / 5.0;
        let text = if tick == 0 { "0".to_string() } else { format!("{value:.1}") };
        page.text(&text, (area.left + value * area.width, area.bottom() + 20.0), label.centred())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_image_is_in_one_bar_of_its_class() {
        let counts = counts(&[1, 1, 0, 1, 0].map(Label::new), &[1.0, 0.96, 0.05, 0.0, 0.049]);
        assert_eq!((counts[1][19], counts[1][0], counts[0][1], counts[0][0]), (2, 1, 1, 1));
        assert_eq!(counts.iter().flatten().sum::<usize>(), 5);
    }
}
