//! The axes of a learning curve: epochs to the right, in whole numbers, and a value upwards from 0.

use std::io;
use std::ops::RangeInclusive;

use plotters::coord::ranged1d::Ranged;
use plotters::coord::types::RangedCoordf64;

use super::page::{Area, Page};
use super::palette::{GREY, PALE};
use super::text::{HEADING, SMALL};

/// The most epochs that are labelled, not counting the first.
const MOST_EPOCH_TICKS: usize = 10;
/// The most values that are labelled.
const MOST_VALUE_TICKS: usize = 7;
/// Space above the highest value, as a share of it.
const HEADROOM: f64 = 0.05;

/// The scales of one panel.
pub(super) struct Axes {
    area: Area,
    epochs: RangeInclusive<usize>,
    /// The epochs at the panel's left and right edges, a little outside of the first and last.
    sides: (f64, f64),
    /// The value at the panel's upper edge; 0 is at the lower one.
    top: f64,
}

impl Axes {
    /// Creates axes for these epochs, counted from 1, and for values from 0 to `highest` > 0.
    pub(super) fn new(area: Area, epochs: RangeInclusive<usize>, highest: f64) -> Axes {
        let (first, last) = (*epochs.start() as f64, *epochs.end() as f64);
        let padding = if last > first { 0.04 * (last - first) } else { 0.5 };
        // A value near the largest of all numbers must not make the axis infinite.
        let top = (highest * (1.0 + HEADROOM)).min(f64::MAX / 16.0);
        Axes { area, epochs, sides: (first - padding, last + padding), top }
    }

    /// Returns the place of an epoch's value on the page.
    pub(super) fn place(&self, epoch: f64, value: f64) -> (f64, f64) {
        let across = (epoch - self.sides.0) / (self.sides.1 - self.sides.0);
        (self.area.left + across * self.area.width, self.area.bottom() - value / self.top * self.area.height)
    }

    /// Draws the panel's name, grid lines and labels.
    pub(super) fn draw(&self, page: &mut Page, name: &str) -> io::Result<()> {
        let Area { left, top, .. } = self.area;
        let (right, bottom) = (self.area.right(), self.area.bottom());
        let label = SMALL.coloured(GREY);
        page.text(name, (left, top - 14.0), HEADING)?;

        let values = value_ticks(self.top);
        let step = values.get(1).copied().unwrap_or(self.top);
        for value in values {
            let (_, y) = self.place(0.0, value);
            page.fill(Area { left, top: y.round() - 1.0, width: right - left, height: 1.0 }, PALE)?;
            page.text(&value_label(value, step), (left - 10.0, y + label.capital_height() / 2.0), label.right())?;
        }

        page.fill(Area { left, top: bottom - 1.0, width: right - left, height: 1.0 }, GREY)?;
        for epoch in epoch_ticks(&self.epochs) {
            let (x, _) = self.place(epoch as f64, 0.0);
            page.fill(Area { left: (x - 0.5).round(), top: bottom, width: 1.0, height: 5.0 }, GREY)?;
            page.text(&epoch.to_string(), (x, bottom + 22.0), label.centred())?;
        }
        page.text("epoch", (self.area.centre().0, bottom + 46.0), label.centred())
    }
}

/// Returns round values from 0 up to the axis's top.
pub(super) fn value_ticks(top: f64) -> Vec<f64> {
    ticks(0.0, top)
}

/// Returns round values between two.
pub(super) fn ticks(bottom: f64, top: f64) -> Vec<f64> {
    RangedCoordf64::from(bottom..top).key_points(MOST_VALUE_TICKS)
}

/// Returns a value with as many decimals as the step between two ticks has; very large and very small ones
/// with an exponent.
pub(super) fn value_label(value: f64, step: f64) -> String {
    if value == 0.0 {
        return "0".to_string();
    }
    if !(1e-4..1e5).contains(&step) {
        return format!("{value:.1e}");
    }
    // The step is 1, 2, or 5 times a power of ten, or such a one's half.
    let decimals = (0..6).find(|&decimals| {
        let shifted = step * 10f64.powi(decimals);
        (shifted - shifted.round()).abs() < 1e-6 * shifted
    });
    format!("{value:.*}", decimals.unwrap_or(6) as usize)
}

/// Returns the first epoch, and then the multiples of the smallest step of 1, 2 or 5 times a power of ten
/// that keeps to the most ticks.
fn epoch_ticks(epochs: &RangeInclusive<usize>) -> Vec<usize> {
    let (first, last) = (*epochs.start(), *epochs.end());
    let step = (0..)
        .flat_map(|power| [1, 2, 5].map(|digit| digit * 10usize.pow(power)))
        .find(|step| (last - first) / step < MOST_EPOCH_TICKS)
        .unwrap_or(last);
    let multiples = (1..=last / step).map(|count| count * step).filter(|&epoch| epoch > first);
    // A multiple right beside the first epoch would write over its label.
    std::iter::once(first).chain(multiples.filter(|epoch| 2 * (epoch - first) >= step)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_are_labelled_in_whole_numbers_from_the_first() {
        assert_eq!(epoch_ticks(&(1..=1)), [1]);
        assert_eq!(epoch_ticks(&(1..=5)), [1, 2, 3, 4, 5]);
        assert_eq!(epoch_ticks(&(1..=12)), [1, 2, 4, 6, 8, 10, 12]);
        assert_eq!(epoch_ticks(&(1..=200)), [1, 20, 40, 60, 80, 100, 120, 140, 160, 180, 200]);
        assert_eq!(epoch_ticks(&(19..=45)), [19, 25, 30, 35, 40, 45]);
    }

    #[test]
    fn values_are_labelled_with_the_decimals_of_their_step() {
        let labels = |top: f64| {
            let ticks = value_ticks(top);
            ticks.iter().map(|&value| value_label(value, ticks[1])).collect::<Vec<_>>()
        };
        assert_eq!(labels(1.05), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(10.5), ["0", "2", "4", "6", "8", "10"]);
        assert_eq!(value_label(0.25, 0.05), "0.25");
        assert_eq!(value_label(0.75, 0.25), "0.75");
        assert_eq!(value_label(3e30, 1e30), "3.0e30");
    }

    #[test]
    fn the_corners_of_the_panel_are_the_ends_of_the_scales() {
        let area = Area { left: 10.0, top: 20.0, width: 100.0, height: 50.0 };
        let axes = Axes::new(area, 1..=1, 1.0 / 1.05);
        assert_eq!(axes.place(0.5, 0.0), (10.0, 70.0));
        let (x, y) = axes.place(1.5, 1.0);
        assert!((x - 110.0).abs() < 1e-9 && (y - 20.0).abs() < 1e-9);
    }
}
