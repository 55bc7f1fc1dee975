//! A white page to draw on, with coordinates in pixels of the finished picture, from its top left corner.
//!
//! plotters draws edges and letters without blending them into the pixel grid well. So a page is drawn
//! several times as large and averaged down at the end, which makes lines, discs and letters smooth.

use std::io;

use image::{RgbImage, imageops};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::text::{Align, Style};

/// Drawn pixels to a pixel of the finished picture, across and down.
const OVERSAMPLING: u32 = 3;

/// A rectangle on a page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Area {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Area {
    pub(super) fn right(self) -> f64 {
        self.left + self.width
    }

    pub(super) fn bottom(self) -> f64 {
        self.top + self.height
    }

    pub(super) fn centre(self) -> (f64, f64) {
        (self.left + self.width / 2.0, self.top + self.height / 2.0)
    }
}

/// A picture in the making. What lies outside of it is cut off.
pub(super) struct Page {
    width: u32,
    height: u32,
    /// RGB, `OVERSAMPLING` times as wide and high.
    pixels: Vec<u8>,
}

impl Page {
    /// Returns a white page of this many pixels.
    pub(super) fn new(width: u32, height: u32) -> Page {
        let bytes = 3 * (width * OVERSAMPLING) as usize * (height * OVERSAMPLING) as usize;
        Page { width, height, pixels: vec![0xFF; bytes] }
    }

    /// Fills a rectangle.
    pub(super) fn fill(&mut self, area: Area, colour: RGBColor) -> io::Result<()> {
        let corners = [drawn((area.left, area.top)), drawn((area.right(), area.bottom()))];
        self.canvas().draw(&Rectangle::new(corners, colour.filled())).map_err(io::Error::other)
    }

    /// Draws a line through the points.
    pub(super) fn line(&mut self, points: &[(f64, f64)], width: f64, colour: RGBColor) -> io::Result<()> {
        let points: Vec<(i32, i32)> = points.iter().copied().map(drawn).collect();
        let width = (width * f64::from(OVERSAMPLING)).round() as u32;
        self.canvas().draw(&PathElement::new(points, colour.stroke_width(width))).map_err(io::Error::other)
    }

    /// Draws a disc.
    pub(super) fn disc(&mut self, centre: (f64, f64), radius: f64, colour: RGBColor) -> io::Result<()> {
        let radius = (radius * f64::from(OVERSAMPLING)).round() as u32;
        self.canvas().draw(&Circle::new(drawn(centre), radius, colour.filled())).map_err(io::Error::other)
    }

    /// Writes a line of text with its baseline at y; x is the line's left end, middle or right end as the
    /// style says.
    pub(super) fn text(&mut self, text: &str, (x, baseline): (f64, f64), style: Style) -> io::Result<()> {
        let horizontal = match style.align {
            Align::Left => HPos::Left,
            Align::Centre => HPos::Center,
            Align::Right => HPos::Right,
        };
        let lettering = style.font(f64::from(OVERSAMPLING))?.color(&style.colour).pos(Pos::new(horizontal, VPos::Top));
        // plotters lays the baseline half the font size below the top that it is given.
        let place = drawn((x, baseline - style.size / 2.0));
        self.canvas().draw_text(text, &lettering, place).map_err(io::Error::other)
    }

    /// Returns the finished picture.
    pub(super) fn finish(self) -> io::Result<RgbImage> {
        self.averaged(1)
    }

    /// Returns the finished picture with twice as many pixels across and down: for screens that have them,
    /// shown at half its size.
    pub(super) fn finish_fine(self) -> io::Result<RgbImage> {
        self.averaged(2)
    }

    fn averaged(self, scale: u32) -> io::Result<RgbImage> {
        RgbImage::from_raw(self.width * OVERSAMPLING, self.height * OVERSAMPLING, self.pixels)
            .map(|large| imageops::thumbnail(&large, scale * self.width, scale * self.height))
            .ok_or_else(|| io::Error::other("the page has lost its pixels"))
    }

    /// Returns the page as plotters knows it, measured in drawn pixels.
    fn canvas(&mut self) -> DrawingArea<BitMapBackend<'_>, Shift> {
        let size = (self.width * OVERSAMPLING, self.height * OVERSAMPLING);
        BitMapBackend::with_buffer(&mut self.pixels, size).into_drawing_area()
    }
}

/// Returns the drawn pixel of a point on the page.
fn drawn((x, y): (f64, f64)) -> (i32, i32) {
    let scale = f64::from(OVERSAMPLING);
    ((x * scale).round() as i32, (y * scale).round() as i32)
}

#[cfg(test)]
mod tests {
    use super::super::palette::{BLUE, INK, VERMILION};
    use super::super::testing::count;
    use super::super::text::BODY;
    use super::*;

    #[test]
    fn a_filled_area_covers_exactly_its_pixels() {
        let mut page = Page::new(20, 10);
        page.fill(Area { left: 3.0, top: 2.0, width: 5.0, height: 4.0 }, BLUE).unwrap();
        let picture = page.finish().unwrap();
        assert_eq!(picture.dimensions(), (20, 10));
        assert_eq!(count(&picture, [0x00, 0x72, 0xB2]), 20);
        assert_eq!(count(&picture, [0xFF; 3]), 180);
    }

    #[test]
    fn what_lies_outside_of_the_page_is_cut_off() {
        let mut page = Page::new(20, 10);
        page.fill(Area { left: -50.0, top: -50.0, width: 500.0, height: 55.0 }, BLUE).unwrap();
        page.line(&[(-1e4, 9.0), (1e4, 9.0)], 1.0, INK).unwrap();
        page.disc((25.0, 12.0), 3.0, VERMILION).unwrap();
        page.text("far away", (-1000.0, 500.0), BODY).unwrap();
        page.text("half out", (15.0, 3.0), BODY).unwrap();
        assert!(count(&page.finish().unwrap(), [0x00, 0x72, 0xB2]) >= 70);
    }

    #[test]
    fn text_stands_on_its_baseline_and_within_its_measured_width() {
        let mut page = Page::new(100, 40);
        page.text("HEH", (20.0, 30.0), BODY).unwrap();
        let picture = page.finish().unwrap();
        let dark: Vec<(u32, u32)> =
            picture.enumerate_pixels().filter(|(_, _, pixel)| pixel.0[0] < 0xC0).map(|(x, y, _)| (x, y)).collect();
        let width = super::super::text::width("HEH", BODY).unwrap();
        assert_eq!(dark.iter().map(|(_, y)| *y).max(), Some(29));
        let top = dark.iter().map(|(_, y)| *y).min().unwrap();
        assert!((f64::from(30 - top) - BODY.capital_height()).abs() <= 1.0, "{top}");
        assert!(dark.iter().all(|(x, _)| (19.0..=21.0 + width).contains(&f64::from(*x))));
    }
}
