//! The learning curves of several runs: one line a run.

use std::io;
use std::path::Path;

use image::RgbImage;
use plotters::style::RGBColor;

use super::axes::Axes;
use super::page::{Area, Page};
use super::palette::{BLUE, GREY, VERMILION};
use super::png::save;
use super::text::{SMALL, TITLE, shorten};
use crate::{Error, Result};

/// The most runs in one picture: of more, colours can't be told apart.
pub const MOST_RUNS: usize = 8;

/// The picture's width in pixels.
const WIDTH: u32 = 1200;
/// The area of the curves.
const PANEL: Area = Area { left: 90.0, top: 110.0, width: 720.0, height: 320.0 };
/// The picture's height in pixels.
const HEIGHT: u32 = 500;
/// The left edge of the names, and the width that they may have.
const NAMES: (f64, f64) = (860.0, 300.0);
/// From one name to the next, in pixels.
const LINE: f64 = 34.0;

/// The colours of the runs, which people who see no red or no green tell apart as well (M. Okabe and K. Ito,
/// *Color Universal Design*, 2008).
const COLOURS: [RGBColor; MOST_RUNS] = [
    BLUE,
    VERMILION,
    RGBColor(0x00, 0x9E, 0x73),
    RGBColor(0xCC, 0x79, 0xA7),
    RGBColor(0xE6, 0x9F, 0x00),
    RGBColor(0x56, 0xB4, 0xE9),
    GREY,
    RGBColor(0x00, 0x00, 0x00),
];

/// A run's curve.
#[derive(Clone, Debug)]
pub struct RunCurve {
    /// The run's name.
    pub name: String,
    /// A value for each epoch, the first one first.
    pub values: Vec<f64>,
}

/// Writes the curves of up to [`MOST_RUNS`] runs as PNG, 1200×500 pixels, from 0 upwards, by epoch counted
/// from 1; further ones are left out. A number that is not finite leaves a gap.
///
/// # Errors
/// [`Error::Io`] names the file if it cannot be drawn or written.
pub fn write_run_curves(path: &Path, measure: &str, runs: &[RunCurve]) -> Result<()> {
    let picture = draw(measure, runs).map_err(Error::io("draw", path))?;
    save(path, &picture)
}

/// Returns the whole picture.
fn draw(measure: &str, runs: &[RunCurve]) -> io::Result<RgbImage> {
    let mut page = Page::new(WIDTH, HEIGHT);
    page.text(&format!("{measure} of the runs"), (40.0, 46.0), TITLE)?;
    let runs = &runs[..runs.len().min(MOST_RUNS)];
    let values = runs.iter().flat_map(|run| &run.values).copied().filter(|value| value.is_finite());
    let highest = values.fold(0.0, f64::max);
    let longest = runs.iter().map(|run| run.values.len()).max().unwrap_or(1).max(1);
    let axes = Axes::new(PANEL, 1..=longest, if highest > 0.0 { highest } else { 1.0 });
    axes.draw(&mut page, measure)?;
    for (number, (run, colour)) in runs.iter().zip(COLOURS).enumerate() {
        let points = run
            .values
            .iter()
            .enumerate()
            .map(|(epoch, value)| value.is_finite().then(|| axes.place(epoch as f64 + 1.0, *value)));
        let points: Vec<Option<(f64, f64)>> = points.collect();
        for stretch in points.split(Option::is_none) {
            let stretch: Vec<(f64, f64)> = stretch.iter().copied().flatten().collect();
            if stretch.len() > 1 {
                page.line(&stretch, 2.0, colour)?;
            }
            for point in stretch {
                page.disc(point, 3.5, colour)?;
            }
        }
        let baseline = PANEL.top + LINE * number as f64;
        page.fill(Area { left: NAMES.0 - 34.0, top: baseline - 8.0, width: 24.0, height: 4.0 }, colour)?;
        page.text(&shorten(&run.name, SMALL, NAMES.1)?, (NAMES.0, baseline), SMALL)?;
    }
    page.finish()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{count, written};
    use super::*;

    #[test]
    fn each_run_has_a_line_of_its_own_colour_and_odd_numbers_do_no_harm() {
        let run = |name: &str, values: &[f64]| RunCurve { name: name.into(), values: values.to_vec() };
        let many: Vec<RunCurve> = (0..12).map(|number| run("run", &[number as f64, 1.0])).collect();
        let runs = [run("one", &[0.7, 0.5, 0.4]), run("other", &[0.6, f64::NAN, 0.3]), run("empty", &[])];
        let picture = written(|path| write_run_curves(path, "val_loss", &runs));
        for colour in &COLOURS[..3] {
            assert!(count(&picture, [colour.0, colour.1, colour.2]) > 60, "{colour:?}");
        }
        assert_eq!(count(&picture, [0xCC, 0x79, 0xA7]), 0);
        written(|path| write_run_curves(path, "val_loss", &many));
        written(|path| write_run_curves(path, "val_loss", &[]));
        written(|path| write_run_curves(path, "val_loss", &[run("huge", &[f64::MAX, f64::INFINITY])]));
    }
}
