//! The reliability diagram: for each bin of probabilities the share that came true.

use std::io;

use image::RgbImage;

use super::palette::{BLUE, GREY};
use super::text::SMALL;
use super::unit_square::{panel, place, write_undefined};
use crate::metrics::Assessment;

/// A point for each bin with its 95 % interval and its number of images; on the diagonal, probabilities are what they say.
pub(super) fn draw(assessment: &Assessment, classes: [&str; 2]) -> io::Result<RgbImage> {
    let positive = classes[1];
    let across = format!("mean probability of {positive}");
    let mut page = panel(&across, &format!("observed share of {positive}"))?;
    let Some(calibration) = &assessment.calibration else {
        write_undefined(&mut page, "no image")?;
        return page.finish_fine();
    };
    for bin in &calibration.bins {
        let (Some(mean), Some(share), Some(interval)) = (bin.mean_predicted, bin.observed_share, bin.interval) else {
            continue;
        };
        page.line(&[place(mean, interval.low), place(mean, interval.high)], 2.0, BLUE)?;
        for end in [interval.low, interval.high] {
            let (x, y) = place(mean, end);
            page.line(&[(x - 5.0, y), (x + 5.0, y)], 2.0, BLUE)?;
        }
        page.disc(place(mean, share), 5.0, BLUE)?;
        let (x, y) = place(mean, share);
        // Off the diagonal, which goes up to the right, and off the numbers below the axis.
        let (across, down, style) = match (mean < 0.85, share > 0.05) {
            (true, true) => (9.0, 16.0, SMALL),
            (true, false) => (9.0, -6.0, SMALL),
            (false, _) => (-9.0, -6.0, SMALL.right()),
        };
        page.text(&bin.count.to_string(), (x + across, y + down), style.coloured(GREY))?;
    }
    page.finish_fine()
}
