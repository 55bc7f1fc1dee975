//! The trials of a sweep: for each setting a panel, with a figure over the setting's values.

use std::io;
use std::path::Path;

use image::RgbImage;

use super::axes::{ticks, value_label};
use super::page::{Area, Page};
use super::palette::{BLUE, GREY, PALE, VERMILION};
use super::png::save;
use super::text::{HEADING, SMALL, TITLE, shorten, width};
use crate::{Error, Result};

/// The most settings in one picture.
pub const MOST_SETTINGS: usize = 9;

/// Panels in a row.
const IN_A_ROW: usize = 3;
/// A panel's size in pixels.
const PANEL: (f64, f64) = (300.0, 240.0);
/// From the left edge of a panel to that of the next, and from top to top.
const STEP: (f64, f64) = (390.0, 350.0);
/// The left and the upper edge of the first panel.
const FIRST: (f64, f64) = (90.0, 120.0);
/// The part of a panel's width that is left free on either side of its values.
const MARGIN: f64 = 0.08;
/// The part of the figures' range that is left free above and below them.
const HEADROOM: f64 = 0.1;
/// The quotient of the largest and the smallest value from which on an axis is logarithmic.
const LOGARITHMIC_FROM: f64 = 10.0;
/// Multiples of the figures' median: what is beyond stands on the upper edge, so that a few trials that came
/// to nothing do not press the others together.
const HIGHEST: f64 = 3.0;
/// Space between two labels of values.
const LABEL_GAP: f64 = 12.0;

/// A setting, and its value in each trial as it was given.
#[derive(Clone, Debug)]
pub struct TriedSetting {
    /// Its name.
    pub name: String,
    /// A value for each trial.
    pub values: Vec<String>,
}

/// The figure of a trial.
#[derive(Clone, Copy, Debug)]
pub struct TrialPoint {
    /// The figure, of which less is better.
    pub value: f64,
    /// Its spread, where it is a mean.
    pub spread: Option<f64>,
}

/// Writes the trials as PNG: a panel for each of up to [`MOST_SETTINGS`] settings, three in a row, with a dot
/// for each trial, and the lowest in another colour. Numbers are placed by their size, by its logarithm where
/// they span a factor of ten, other values side by side. A figure that is not finite is left out; one of more
/// than three times the median stands on the upper edge, in grey.
///
/// # Errors
/// [`Error::Io`] names the file if it cannot be drawn or written.
pub fn write_trials(path: &Path, measure: &str, settings: &[TriedSetting], points: &[TrialPoint]) -> Result<()> {
    let picture = draw(measure, settings, points).map_err(Error::io("draw", path))?;
    save(path, &picture)
}

/// Returns the whole picture.
fn draw(measure: &str, settings: &[TriedSetting], points: &[TrialPoint]) -> io::Result<RgbImage> {
    let settings = &settings[..settings.len().min(MOST_SETTINGS)];
    let (columns, rows) = (settings.len().clamp(1, IN_A_ROW), settings.len().div_ceil(IN_A_ROW).max(1));
    let size = (FIRST.0 + STEP.0 * columns as f64 - 50.0, FIRST.1 + STEP.1 * rows as f64 - 20.0);
    let mut page = Page::new(size.0 as u32, size.1 as u32);
    page.text(&format!("{measure} of the trials"), (40.0, 46.0), TITLE)?;
    let figures = range(points);
    for (index, setting) in settings.iter().enumerate() {
        let (row, column) = ((index / IN_A_ROW) as f64, (index % IN_A_ROW) as f64);
        let (left, upper) = (FIRST.0 + STEP.0 * column, FIRST.1 + STEP.1 * row);
        let area = Area { left, top: upper, width: PANEL.0, height: PANEL.1 };
        Panel { area, figures, scale: Scale::new(&setting.values) }.draw(&mut page, setting, points)?;
    }
    page.finish()
}

/// The figures at the panels' lower and upper edge: those of the trials, and what they spread to.
fn range(points: &[TrialPoint]) -> (f64, f64) {
    let mut values: Vec<f64> = points.iter().map(|point| point.value).filter(|value| value.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    let Some(median) = values.get(values.len() / 2) else { return (0.0, 1.0) };
    let ends = points.iter().flat_map(|point| {
        let spread = point.spread.filter(|spread| spread.is_finite()).unwrap_or(0.0);
        [point.value - spread, point.value + spread]
    });
    let ends = ends.filter(|end| end.is_finite() && end.abs() <= HIGHEST * median.abs());
    let (low, high) = ends.fold((*median, *median), |(low, high), end| (low.min(end), high.max(end)));
    let free = HEADROOM * if high > low { high - low } else { low.abs().max(1e-9) };
    // A loss near the largest of all numbers must not make the axis infinite.
    ((low - free).max(f64::MIN / 16.0), (high + free).min(f64::MAX / 16.0))
}

/// Where the values of a setting are: from 0, left, to 1.
enum Scale {
    /// Numbers.
    Numbers { first: f64, last: f64, is_logarithmic: bool },
    /// Other values, in this order.
    Names(Vec<String>),
}

impl Scale {
    fn new(values: &[String]) -> Scale {
        let numbers: Option<Vec<f64>> =
            values.iter().map(|value| value.parse().ok().filter(|number: &f64| number.is_finite())).collect();
        let Some(numbers) = numbers.filter(|numbers| !numbers.is_empty()) else {
            let mut names: Vec<String> = Vec::new();
            for value in values {
                if !names.contains(value) {
                    names.push(value.clone());
                }
            }
            names.sort();
            return Scale::Names(names);
        };
        let first = numbers.iter().copied().fold(f64::INFINITY, f64::min);
        let last = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Scale::Numbers { first, last, is_logarithmic: first > 0.0 && last / first >= LOGARITHMIC_FROM }
    }

    fn place(&self, value: &str) -> f64 {
        let share = match self {
            Scale::Names(names) => {
                let place = names.iter().position(|name| name == value).unwrap_or(0);
                if names.len() > 1 { place as f64 / (names.len() - 1) as f64 } else { 0.5 }
            }
            Scale::Numbers { first, last, .. } if first == last => 0.5,
            Scale::Numbers { first, last, is_logarithmic } => {
                let along = |number: f64| if *is_logarithmic { number.ln() } else { number };
                (along(value.parse().unwrap_or(*first)) - along(*first)) / (along(*last) - along(*first))
            }
        };
        MARGIN + share * (1.0 - 2.0 * MARGIN)
    }
}

/// The panel of a setting.
struct Panel {
    area: Area,
    /// The figures at its lower and its upper edge.
    figures: (f64, f64),
    scale: Scale,
}

impl Panel {
    fn place(&self, value: &str, figure: f64) -> (f64, f64) {
        (self.area.left + self.scale.place(value) * self.area.width, self.height(figure))
    }

    fn height(&self, figure: f64) -> f64 {
        let (low, high) = self.figures;
        self.area.bottom() - ((figure - low) / (high - low)).clamp(0.0, 1.0) * self.area.height
    }

    fn draw(&self, page: &mut Page, setting: &TriedSetting, points: &[TrialPoint]) -> io::Result<()> {
        let Area { left, top, width, .. } = self.area;
        let (bottom, label) = (self.area.bottom(), SMALL.coloured(GREY));
        page.text(&shorten(&setting.name, HEADING, width)?, (left, top - 14.0), HEADING)?;
        let values = ticks(self.figures.0, self.figures.1);
        let step = values.get(1).map_or(self.figures.1, |second| second - values[0]);
        for value in values {
            let y = self.height(value);
            page.fill(Area { left, top: y.round() - 1.0, width, height: 1.0 }, PALE)?;
            page.text(&value_label(value, step), (left - 10.0, y + label.capital_height() / 2.0), label.right())?;
        }
        page.fill(Area { left, top: bottom - 1.0, width, height: 1.0 }, GREY)?;
        self.label_values(page, setting)?;
        let best =
            points.iter().map(|point| point.value).filter(|value| value.is_finite()).fold(f64::INFINITY, f64::min);
        let shown = || setting.values.iter().zip(points).filter(|(_, point)| point.value.is_finite());
        // The best one last, over the others.
        let (others, best): (Vec<_>, Vec<_>) = shown().partition(|(_, point)| point.value != best);
        for (value, point) in others {
            self.dot(page, value, point, if point.value > self.figures.1 { GREY } else { BLUE })?;
        }
        for (value, point) in best {
            self.dot(page, value, point, VERMILION)?;
        }
        Ok(())
    }

    fn dot(
        &self,
        page: &mut Page,
        value: &str,
        point: &TrialPoint,
        colour: plotters::style::RGBColor,
    ) -> io::Result<()> {
        if let Some(spread) = point.spread.filter(|spread| spread.is_finite()) {
            let ends = [point.value - spread, point.value + spread].map(|figure| self.place(value, figure));
            page.line(&ends, 1.0, colour)?;
        }
        page.disc(self.place(value, point.value), 4.0, colour)
    }

    /// Writes the values below their places, as many as have room beside each other.
    fn label_values(&self, page: &mut Page, setting: &TriedSetting) -> io::Result<()> {
        let (bottom, label) = (self.area.bottom(), SMALL.coloured(GREY));
        let mut places: Vec<(f64, &str)> =
            setting.values.iter().map(|value| (self.place(value, self.figures.0).0, value.as_str())).collect();
        places.sort_by(|a, b| a.0.total_cmp(&b.0));
        places.dedup_by(|a, b| a.0 == b.0);
        let mut free_from = f64::NEG_INFINITY;
        for (x, value) in places {
            page.fill(Area { left: (x - 0.5).round(), top: bottom, width: 1.0, height: 5.0 }, GREY)?;
            let text = shorten(value, label, PANEL.0 / 2.0)?;
            let half = width(&text, label)? / 2.0;
            if x - half >= free_from {
                page.text(&text, (x, bottom + 22.0), label.centred())?;
                free_from = x + half + LABEL_GAP;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{count, written};
    use super::*;

    fn setting(name: &str, values: &[&str]) -> TriedSetting {
        TriedSetting { name: name.into(), values: values.iter().map(|value| value.to_string()).collect() }
    }

    fn points(values: &[f64]) -> Vec<TrialPoint> {
        values.iter().map(|&value| TrialPoint { value, spread: Some(0.1) }).collect()
    }

    #[test]
    fn every_setting_has_a_panel_with_the_lowest_figure_in_a_colour_of_its_own() {
        let settings =
            [setting("learning-rate", &["0.1", "1e-2", "1e-3"]), setting("optimizer", &["sgd", "adam", "sgd"])];
        let one = written(|path| write_trials(path, "val_loss", &settings[..1], &points(&[0.7, 0.5, 0.4])));
        let two = written(|path| write_trials(path, "val_loss", &settings, &points(&[0.7, 0.5, 0.4])));
        let best = [VERMILION.0, VERMILION.1, VERMILION.2];
        let other = [BLUE.0, BLUE.1, BLUE.2];
        assert!(two.width() > one.width() && one.height() == two.height());
        assert!(count(&one, best) > 30 && count(&one, other) > 60);
        assert!(count(&two, best) > 60 && count(&two, other) > 120);
    }

    #[test]
    fn odd_numbers_do_no_harm() {
        let values = ["1", "2", "2", "2", "1"];
        let figures = [f64::NAN, 0.0, f64::MAX, f64::INFINITY, -1.0];
        written(|path| write_trials(path, "val_loss", &[setting("epochs", &values)], &points(&figures)));
        written(|path| write_trials(path, "val_loss", &[], &[]));
        let many: Vec<TriedSetting> =
            (0..12).map(|_| setting("a long name of a setting, which is cut", &["x"])).collect();
        written(|path| write_trials(path, "val_loss", &many, &points(&[0.5])));
    }

    #[test]
    fn numbers_are_placed_by_size_and_by_its_logarithm_where_they_span_much() {
        let place = |values: &[&str], value: &str| {
            let scale = Scale::new(&values.iter().map(|value| value.to_string()).collect::<Vec<_>>());
            (scale.place(value) - MARGIN) / (1.0 - 2.0 * MARGIN)
        };
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
        near(place(&["1e-4", "1e-2", "1e-3"], "1e-3"), 0.5);
        near(place(&["0.2", "0.5", "0.8"], "0.5"), 0.5);
        near(place(&["0", "1"], "1"), 1.0);
        near(place(&["0.3"], "0.3"), 0.5);
        near(place(&["sgd", "adam", "adamw"], "sgd"), 1.0);
        near(place(&["0.2", "default"], "default"), 1.0);
    }
}
