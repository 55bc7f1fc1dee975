//! Remarks on how images are read, with advice: photos that lie turned in their files, and 16-bit images that
//! are nearly black.

use crate::cli::args::{RangeChoice, ReadingArgs};
use crate::cli::input::finding::Finding;
use crate::cli::run_folder::settings::RunSettings;
use crate::cli::terminal::progress::Progress;
use glassnet::data::audit::depth::Depth;
use glassnet::data::catalog::Item;
use glassnet::data::decode::ImageInfo;
use glassnet::data::images::ImageSet;
use glassnet::data::reading::{BitDepth, Reading, SampleRange};
use glassnet::data::source::Source;
use glassnet::error::counted;
use glassnet::{Error, Result};
use std::sync::Arc;

/// Returns what to tell of photos that are not turned upright, where there are any.
pub fn turned<'a>(infos: impl IntoIterator<Item = &'a ImageInfo>) -> Option<Finding> {
    let count = infos.into_iter().filter(|info| !info.orientation.is_upright()).count();
    let [lie, file, its, are] =
        if count == 1 { ["lies", "its file", "its", "is"] } else { ["lie", "their files", "their", "are"] };
    (count > 0).then(|| Finding {
        kind: "turned",
        finding: format!(
            "{} {lie} turned or mirrored in {file}, as {its} EXIF says, and {are} not turned upright, as in Keras",
            counted(count, "photo")
        ),
        advice: "--upright turns photos, for train and for all that its weights predict".to_string(),
    })
}

/// Returns what to tell of 16-bit images that use a small part of their range, where they do.
pub fn narrow(depth: &Depth) -> Option<Finding> {
    let Depth { samples: [min, max], typical: [low, high], others, .. } = *depth;
    let stays = if others > 0 { "; images of 8 bits stay as they are" } else { "" };
    let (typical, range, clips) = match depth.common_range() {
        Some(_) => (String::new(), RangeChoice::Auto.to_string(), ""),
        None => (format!(", most of them from {low} to {high}"), format!("{low},{high}"), " and clips the rest"),
    };
    depth.is_narrow().then(|| Finding {
        kind: "narrow_range",
        finding: format!(
            "16-bit images hold values from {min} to {max}{typical}, where black is 0 and white 65535: of 256 levels they use {}",
            depth.levels()
        ),
        advice: format!(
            "--range {range} stretches these values from black to white{clips}, for train and for all that its weights predict; \
             samples --range {range} shows it{stays}"
        ),
    })
}

/// Returns what `--range` leaves as it is, of images of this depth.
pub fn range_note(choice: RangeChoice, depth: Option<Depth>) -> Option<String> {
    match depth {
        // Of that an error will follow.
        None if choice == RangeChoice::Auto => None,
        None => Some(format!("--range {choice}: no image has more than 8 bits, so it changes nothing")),
        Some(Depth { others: 0, .. }) => None,
        Some(Depth { deep, others, .. }) => Some(format!(
            "--range {choice}: it stretches {} of 16 bits, and leaves {} of 8 bits as they are",
            counted(deep, "image"),
            counted(others, "image")
        )),
    }
}

/// The reading that was asked for, where these images, which were checked, are those that train. Bits that
/// none of them has are none that a model was trained on, so they are not kept of others either.
///
/// # Errors
/// [`Error::Setting`] of `--range auto`, where they have no range; [`Error::Data`] of a pack whose images
/// were read otherwise.
pub fn of_training(settings: &RunSettings, training: &ImageSet) -> Result<Reading> {
    let (known, samples) = (settings.known_reading(), training.samples());
    let bit_depth = if samples.is_some() { known.bit_depth } else { BitDepth::Eight };
    let range = match settings.reading.range {
        Some(RangeChoice::Auto) => auto(samples, "images that train")?,
        Some(RangeChoice::Of(_)) | None => known.range,
    };
    let reading = Reading { range, bit_depth, ..known };
    training.source().check_packs(training.size(), reading)?;
    Ok(reading)
}

/// The reading that was asked for of these images, all of which `--range auto` looks at.
///
/// # Errors
/// [`Error::Setting`] of `--range auto`, where they have no range.
pub fn of_all(args: &ReadingArgs, source: &Arc<Source>, items: &[Item]) -> Result<Reading> {
    let known = args.known();
    if args.range != Some(RangeChoice::Auto) {
        return Ok(known);
    }
    // What is wanted is the samples' range alone, so the pictures may be small.
    let images = ImageSet::new(Arc::clone(source), items.to_vec(), 1, 0)?;
    let progress = Progress::of_images("Checking", items.len());
    images.check_all_telling(|| progress.advance(1));
    Ok(Reading { range: auto(images.samples(), "images")?, ..known })
}

/// The range of `--range auto`, where the images, which `are` so called, have these samples.
///
/// # Errors
/// [`Error::Setting`], where they have no range.
fn auto(samples: Option<[u16; 2]>, are: &str) -> Result<SampleRange> {
    let reason = match samples {
        None => format!("none of the {are} has more than 8 bits; leave it out"),
        Some([min, max]) => match SampleRange::new(min, max) {
            Some(range) => return Ok(range),
            None => format!("the 16-bit {are} hold one value only, {min}; leave it out"),
        },
    };
    Err(Error::value("--range", "auto", reason))
}
