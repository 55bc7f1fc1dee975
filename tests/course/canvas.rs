//! A sheet to draw on: rectangles, lines and letters, in the colours and the font of the program's pictures.

use image::RgbImage;
use plotters::prelude::{BitMapBackend, FontStyle, IntoDrawingArea, IntoFont, RGBColor};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::sync::LazyLock;

/// Text and axes.
pub const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
/// Text of less weight.
pub const GREY: RGBColor = RGBColor(0x66, 0x66, 0x66);
/// Grid lines.
pub const PALE: RGBColor = RGBColor(0xE2, 0xE2, 0xE2);
/// What is below 0. With [`ORANGE`] it is of the palette of Okabe and Ito, told apart by colour-blind
/// readers.
pub const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xB2);
/// What is above 0.
pub const ORANGE: RGBColor = RGBColor(0xD5, 0x5E, 0x00);

/// Letters of plain text, in pixels of ascent and descent.
pub const LETTERS: f64 = 16.0;

static FONT: LazyLock<()> = LazyLock::new(|| {
    let roboto = include_bytes!("../../src/report/font/Roboto-Regular.ttf");
    plotters::style::register_font("Roboto", FontStyle::Normal, roboto).ok().expect("the font can be read");
});

/// A white sheet.
pub struct Canvas {
    size: (u32, u32),
    pixels: Vec<u8>,
}

impl Canvas {
    /// Returns an empty one.
    pub fn new(width: u32, height: u32) -> Canvas {
        LazyLock::force(&FONT);
        Canvas { size: (width, height), pixels: vec![0xFF; (3 * width * height) as usize] }
    }

    /// Returns the picture.
    pub fn finish(self) -> RgbImage {
        RgbImage::from_raw(self.size.0, self.size.1, self.pixels).expect("three bytes a pixel")
    }

    /// Mixes a colour into a pixel; one outside the sheet is passed over.
    fn mix(&mut self, [x, y]: [i32; 2], colour: RGBColor, share: f64) {
        let (width, height) = (self.size.0 as i32, self.size.1 as i32);
        if !(0..width).contains(&x) || !(0..height).contains(&y) {
            return;
        }
        let place = 3 * (y * width + x) as usize;
        for (value, ink) in self.pixels[place..place + 3].iter_mut().zip([colour.0, colour.1, colour.2]) {
            *value = (f64::from(*value) + (f64::from(ink) - f64::from(*value)) * share).round() as u8;
        }
    }

    /// Fills a rectangle.
    pub fn fill(&mut self, [x, y]: [i32; 2], [width, height]: [i32; 2], colour: RGBColor) {
        for row in y..y + height {
            (x..x + width).for_each(|column| self.mix([column, row], colour, 1.0));
        }
    }

    /// Draws a rectangle's edge.
    pub fn frame(&mut self, [x, y]: [i32; 2], [width, height]: [i32; 2], colour: RGBColor) {
        self.fill([x, y], [width, 1], colour);
        self.fill([x, y + height - 1], [width, 1], colour);
        self.fill([x, y], [1, height], colour);
        self.fill([x + width - 1, y], [1, height], colour);
    }

    /// Draws a smooth line through points: each pixel is as dark as much of it lies within half of the width.
    pub fn line(&mut self, points: &[[f64; 2]], width: f64, colour: RGBColor) {
        let reach = width / 2.0 + 0.5;
        let (sheet_width, sheet_height) = self.size;
        let mut cover = vec![0.0f64; (sheet_width * sheet_height) as usize];
        for ends in points.windows(2) {
            let range = |axis: usize, size: u32| {
                let (low, high) = (ends[0][axis].min(ends[1][axis]), ends[0][axis].max(ends[1][axis]));
                ((low - reach).floor().max(0.0) as u32)..((high + reach).ceil().max(0.0) as u32 + 1).min(size)
            };
            for y in range(1, sheet_height) {
                for x in range(0, sheet_width) {
                    let near = (reach - distance([f64::from(x), f64::from(y)], ends)).clamp(0.0, 1.0);
                    let here = &mut cover[(y * sheet_width + x) as usize];
                    *here = here.max(near);
                }
            }
        }
        for (place, share) in cover.into_iter().enumerate().filter(|(_, share)| *share > 0.0) {
            let place = place as i32;
            self.mix([place % sheet_width as i32, place / sheet_width as i32], colour, share);
        }
    }

    /// Draws a dot.
    pub fn dot(&mut self, centre: [f64; 2], radius: f64, colour: RGBColor) {
        self.line(&[centre, centre], 2.0 * radius, colour);
    }

    /// Writes a line of text whose middle is at this height and that begins at this x.
    pub fn text(&mut self, at: [i32; 2], text: &str, colour: RGBColor) {
        self.write(at, text, LETTERS, HPos::Left, colour);
    }

    /// Writes a line of text centred on a point, in letters of this size.
    pub fn centred(&mut self, at: [i32; 2], text: &str, size: f64, colour: RGBColor) {
        self.write(at, text, size, HPos::Center, colour);
    }

    fn write(&mut self, [x, y]: [i32; 2], text: &str, size: f64, across: HPos, colour: RGBColor) {
        let area = BitMapBackend::with_buffer(&mut self.pixels, self.size).into_drawing_area();
        let font = ("Roboto", size).into_font().color(&colour).pos(Pos::new(across, VPos::Center));
        area.draw_text(text, &font, (x, y)).expect("a line of text");
        area.present().expect("memory can be drawn on");
    }
}

/// The distance of a point from a line between two ends.
fn distance([x, y]: [f64; 2], ends: &[[f64; 2]]) -> f64 {
    let [[ax, ay], [bx, by]] = [ends[0], ends[1]];
    let (dx, dy) = (bx - ax, by - ay);
    let length = dx * dx + dy * dy;
    let along = if length > 0.0 { (((x - ax) * dx + (y - ay) * dy) / length).clamp(0.0, 1.0) } else { 0.0 };
    let (to_x, to_y) = (x - ax - along * dx, y - ay - along * dy);
    (to_x * to_x + to_y * to_y).sqrt()
}

#[test]
fn the_distance_from_a_line_is_that_from_its_nearest_point() {
    let ends = [[0.0, 0.0], [4.0, 0.0]];
    let found = [[2.0, 3.0], [7.0, 4.0], [-1.0, 0.0]].map(|point| distance(point, &ends));
    assert_eq!(found, [3.0, 5.0, 1.0]);
    assert_eq!(distance([3.0, 4.0], &[[0.0, 0.0], [0.0, 0.0]]), 5.0);
}
