//! A panel whose axes both go from 0 to 1: the ROC curve's, and the reliability diagram's.

use std::io;

use super::page::{Area, Page};
use super::palette::{GREY, PALE};
use super::text::{BODY, SMALL, shorten};

/// The size of a picture with one such panel, in pixels.
pub(super) const SIZE: (u32, u32) = (560, 560);
/// The panel.
const PANEL: Area = Area { left: 64.0, top: 62.0, width: 460.0, height: 430.0 };
/// Parts that an axis is cut into.
const TICKS: usize = 5;
/// The length of a dash of the diagonal, and of the gap after it, as a share of it.
const DASH: f64 = 0.0125;

/// Returns the place of a point on the page.
pub(super) fn place(x: f64, y: f64) -> (f64, f64) {
    (PANEL.left + x * PANEL.width, PANEL.bottom() - y * PANEL.height)
}

/// Returns a page with grid, ticks, the names of both axes, and a dashed diagonal.
pub(super) fn panel(across: &str, upwards: &str) -> io::Result<Page> {
    let mut page = Page::new(SIZE.0, SIZE.1);
    let label = SMALL.coloured(GREY);
    for tick in 0..=TICKS {
        let value = tick as f64 / TICKS as f64;
        let text = if tick == 0 { "0".to_string() } else { format!("{value:.1}") };
        let (x, y) = place(value, value);
        let colour = if tick == 0 { GREY } else { PALE };
        page.fill(Area { left: PANEL.left, top: y.round() - 1.0, width: PANEL.width, height: 1.0 }, colour)?;
        page.fill(Area { left: x.round(), top: PANEL.top, width: 1.0, height: PANEL.height }, colour)?;
        page.text(&text, (PANEL.left - 10.0, y + label.capital_height() / 2.0), label.right())?;
        page.text(&text, (x, PANEL.bottom() + 22.0), label.centred())?;
    }
    let dashes = (1.0 / DASH) as usize;
    for dash in (0..dashes).step_by(2) {
        let (from, to) = (dash as f64 * DASH, (dash + 1) as f64 * DASH);
        page.line(&[place(from, from), place(to, to)], 1.0, GREY)?;
    }
    let room = f64::from(SIZE.0) - 40.0;
    page.text(&shorten(upwards, BODY, room)?, (20.0, 34.0), BODY)?;
    page.text(&shorten(across, BODY, room)?, (PANEL.right(), PANEL.bottom() + 52.0), BODY.right())?;
    Ok(page)
}

/// Says in the panel's middle that there is nothing to draw, and why.
pub(super) fn write_undefined(page: &mut Page, why: &str) -> io::Result<()> {
    let (x, y) = place(0.5, 0.75);
    page.text(&shorten(&format!("undefined: {why}"), BODY, PANEL.width - 20.0)?, (x, y), BODY.coloured(GREY).centred())
}
