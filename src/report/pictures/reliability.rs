//! The reliability diagram: for each bin of probabilities the share that came true.

use std::io;

use image::RgbImage;

use super::palette::{BLUE, GREY};
use super::text::SMALL;
use super::unit_square::{panel, place, write_undefined};
use crate::metrics::Calibration;

/// Returns a point for each bin with its 95 % interval and its number of images; on the diagonal,
/// probabilities are what they say. The axes are named for what the probability is of, and what the share.
pub(super) fn draw(calibration: Option<&Calibration>, [across, upwards]: [&str; 2]) -> io::Result<RgbImage> {
    let mut page = panel(across, upwards)?;
    let Some(calibration) = calibration else {
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
        // On the point's own side of the diagonal: to the upper left above it, to the lower right below it;
        // and where the panel ends there, as near to that as the numbers of the axes leave room.
        let (left, below) = (mean > 0.93 || share >= mean && mean > 0.07, share > 0.05);
        let (across, down, style) = match (left, below) {
            (true, _) => (-9.0, -6.0, SMALL.right()),
            (false, true) => (9.0, 16.0, SMALL),
            (false, false) => (9.0, -6.0, SMALL),
        };
        page.text(&bin.count.to_string(), (x + across, y + down), style.coloured(GREY))?;
    }
    page.finish_fine()
}
