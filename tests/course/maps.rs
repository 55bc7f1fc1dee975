//! Maps: tensors as squares of colour, with or without their numbers.

use super::canvas::{Canvas, INK, PALE};
use plotters::style::RGBColor;

/// The colours of a map.
#[derive(Clone, Copy)]
pub enum Colours {
    /// Black for 0, white for this value.
    Brightness(f64),
    /// Blue below 0, white for 0, orange above; full colour at this size.
    Signed(f64),
}

impl Colours {
    fn of(self, value: f64) -> RGBColor {
        let between = |from: f64, to: f64, share: f64| (from + (to - from) * share).round() as u8;
        match self {
            Colours::Brightness(white) => {
                let grey = between(0.0, 255.0, (value / white).clamp(0.0, 1.0));
                RGBColor(grey, grey, grey)
            }
            Colours::Signed(full) => {
                let share = (value / full).clamp(-1.0, 1.0);
                let [red, green, blue] = if share < 0.0 { [0.0, 114.0, 178.0] } else { [213.0, 94.0, 0.0] };
                let [red, green, blue] = [red, green, blue].map(|end| between(255.0, end, share.abs()));
                RGBColor(red, green, blue)
            }
        }
    }
}

/// A map of one channel.
pub struct Map<'a> {
    /// Its values, row by row.
    pub values: &'a [f64],
    /// Values in a row.
    pub width: usize,
    /// Pixels of a value's square.
    pub side: i32,
    pub colours: Colours,
    /// Whether the numbers stand in the squares.
    pub numbers: bool,
}

impl Map<'_> {
    /// Draws the map with its upper left corner here.
    pub fn draw(&self, canvas: &mut Canvas, [left, top]: [i32; 2]) {
        for (place, &value) in self.values.iter().enumerate() {
            let (row, column) = ((place / self.width) as i32, (place % self.width) as i32);
            let corner = [left + column * self.side, top + row * self.side];
            let colour = self.colours.of(value);
            canvas.fill(corner, [self.side; 2], colour);
            if self.numbers {
                canvas.frame(corner, [self.side + 1; 2], PALE);
                let is_dark = u32::from(colour.0) + u32::from(colour.1) + u32::from(colour.2) < 330;
                let ink = if is_dark { RGBColor(0xFF, 0xFF, 0xFF) } else { INK };
                let middle = corner.map(|start| start + self.side / 2);
                canvas.centred(middle, &number(value), f64::from(self.side) * 0.5, ink);
            }
        }
        let rows = (self.values.len() / self.width) as i32;
        canvas.frame([left, top], [self.width as i32 * self.side + 1, rows * self.side + 1], INK);
    }
}

/// A number as it is written by hand, with quarters as fractions.
pub fn number(value: f64) -> String {
    let sign = if value < 0.0 { "−" } else { "" };
    let (whole, part) = (value.abs().trunc(), value.abs().fract());
    let fraction = [(0.25, "¼"), (0.5, "½"), (0.75, "¾")].into_iter().find(|(size, _)| *size == part);
    match fraction {
        Some((_, fraction)) if whole == 0.0 => format!("{sign}{fraction}"),
        Some((_, fraction)) => format!("{sign}{whole}{fraction}"),
        None => format!("{sign}{}", value.abs()),
    }
}

#[test]
fn numbers_are_written_as_by_hand() {
    let written = [0.0, 1.0, -2.0, 0.25, -0.5, 1.75, -0.125].map(number);
    assert_eq!(written, ["0", "1", "−2", "¼", "−½", "1¾", "−0.125"]);
}
