//! The letters in the pictures: an embedded font, its styles, the width of a line, and shortening a line to a
//! width.

use std::io;
use std::sync::LazyLock;

use plotters::style::{FontDesc, FontFamily, FontStyle, RGBColor, register_font};

use super::palette::INK;

/// The text on every picture that could be taken for a finding.
pub(super) const DISCLAIMER: &str = "not for diagnosis";

/// The name under which plotters knows the embedded font.
const FAMILY: &str = "Roboto";

/// The height of a capital letter over the font size. plotters' font size is ascent + descent: 2,400 of
/// Roboto's units, of which a capital takes 1,456.
const CAPITAL_HEIGHT: f64 = 1456.0 / 2400.0;

/// The place on a line at which its given x lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Align {
    Left,
    Centre,
    Right,
}

/// The look of a line of text. The size is ascent + descent in page pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub(super) size: f64,
    pub(super) bold: bool,
    pub(super) colour: RGBColor,
    pub(super) align: Align,
}

/// A picture's title.
pub(super) const TITLE: Style = Style { size: 22.0, bold: true, colour: INK, align: Align::Left };
/// A heading within a picture.
pub(super) const HEADING: Style = Style { size: 18.0, bold: true, colour: INK, align: Align::Left };
/// Ordinary text.
pub(super) const BODY: Style = Style { size: 16.0, bold: false, colour: INK, align: Align::Left };
/// Ticks, file names, notes.
pub(super) const SMALL: Style = Style { size: 14.0, bold: false, colour: INK, align: Align::Left };

impl Style {
    /// Returns the same style, centred on its x.
    pub(super) const fn centred(self) -> Style {
        Style { align: Align::Centre, ..self }
    }

    /// Returns the same style, ending at its x.
    pub(super) const fn right(self) -> Style {
        Style { align: Align::Right, ..self }
    }

    /// Returns the same style in another colour.
    pub(super) const fn coloured(self, colour: RGBColor) -> Style {
        Style { colour, ..self }
    }

    /// Returns the height of a capital letter in page pixels; a line whose baseline lies half of it below y
    /// is centred on y.
    pub(super) fn capital_height(self) -> f64 {
        CAPITAL_HEIGHT * self.size
    }

    /// Returns the font at `scale` times the style's size.
    pub(super) fn font(self, scale: f64) -> io::Result<FontDesc<'static>> {
        (*FONTS).map_err(io::Error::other)?;
        let style = if self.bold { FontStyle::Bold } else { FontStyle::Normal };
        Ok(FontDesc::new(FontFamily::Name(FAMILY), scale * self.size, style))
    }
}

/// Registers the embedded font with plotters, once.
static FONTS: LazyLock<Result<(), &'static str>> = LazyLock::new(|| {
    let regular = register_font(FAMILY, FontStyle::Normal, include_bytes!("../font/Roboto-Regular.ttf"));
    let medium = register_font(FAMILY, FontStyle::Bold, include_bytes!("../font/Roboto-Medium.ttf"));
    regular.and(medium).map_err(|_| "the embedded font is damaged; build the program again")
});

/// Returns the width of a line in page pixels.
pub(super) fn width(text: &str, style: Style) -> io::Result<f64> {
    // plotters gives whole pixels, so the measure is taken on letters many times as large.
    const MAGNIFIED: f64 = 16.0;
    let (across, _) = style.font(MAGNIFIED)?.box_size(text).map_err(io::Error::other)?;
    Ok(f64::from(across) / MAGNIFIED)
}

/// Returns the text, or where it is wider than `limit` page pixels, as much of its beginning and end as fits
/// around an ellipsis. The middle goes because file names often differ in their ends only.
pub(super) fn shorten(text: &str, style: Style, limit: f64) -> io::Result<String> {
    // A name may be of any length, but never are this many letters narrow enough to fit a picture.
    const MOST_LETTERS: usize = 1000;
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= MOST_LETTERS && width(text, style)? <= limit {
        return Ok(text.to_string());
    }
    let mut shortened = "…".to_string();
    for kept in 1..letters.len() {
        let (head, tail) = (kept.div_ceil(2), kept / 2);
        let head: String = letters[..head].iter().collect();
        let tail: String = letters[letters.len() - tail..].iter().collect();
        let candidate = format!("{}…{}", head.trim_end(), tail.trim_start());
        if width(&candidate, style)? > limit {
            break;
        }
        shortened = candidate;
    }
    Ok(shortened)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_fits_is_left_alone() {
        assert_eq!(shorten("malignant", BODY, 200.0).unwrap(), "malignant");
        assert_eq!(shorten("", BODY, 0.0).unwrap(), "");
    }

    #[test]
    fn a_line_too_wide_keeps_its_beginning_and_end_and_fits() {
        let name = "patient_000123_ultrasound_liver_segment_7_frame_0042.png";
        let short = shorten(name, SMALL, 150.0).unwrap();
        assert!(short.starts_with("patient_") && short.ends_with("42.png") && short.contains('…'), "{short}");
        assert!(width(&short, SMALL).unwrap() <= 150.0);
        assert!(width(&short, SMALL).unwrap() > 130.0, "{short} wastes room");
    }

    #[test]
    fn a_very_long_name_or_one_of_unknown_letters_does_no_harm() {
        assert!(width(&shorten(&"x".repeat(100_000), BODY, 100.0).unwrap(), BODY).unwrap() <= 100.0);
        assert!(width(&shorten(&"肝腫瘍🩻\u{202e}\n".repeat(50), BODY, 100.0).unwrap(), BODY).unwrap() <= 100.0);
        assert_eq!(shorten("abc", BODY, 1.0).unwrap(), "…");
    }
}
