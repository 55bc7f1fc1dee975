//! What a pack has decided, so that no flag need repeat it.

use crate::cli::args::{ImageSize, LabelsArgs, RangeChoice, ReadingArgs, is_given};
use crate::cli::input::dataset::open;
use glassnet::data::pack::{Pack, is_pack};
use glassnet::data::reading::{BitDepth, Interpolation};
use glassnet::data::source::Source;
use glassnet::{Error, Result};
use std::path::Path;

/// Opens DATA if it is a pack.
///
/// # Errors
/// Those of a pack that cannot be read.
pub fn open_pack(data: &Path) -> Result<Option<Source>> {
    is_pack(data).then(|| open(data, &LabelsArgs::default())).transpose()
}

/// Returns the way in which the images of a pack were read, as the flags that ask for it.
///
/// # Errors
/// [`Error::Setting`] of a flag that was given and asks for another way.
pub fn reading_of(pack: &Pack, given: ReadingArgs, bit_depth: BitDepth) -> Result<(ReadingArgs, BitDepth)> {
    let was = pack.reading();
    let differs = |flag: &str, value: Option<String>, was: String| {
        let reason = format!("{} was packed {was}; leave it out, or pack the images again", pack.path().display());
        match value {
            Some(value) => Error::value(flag, value, reason),
            None => Error::setting(flag, reason),
        }
    };
    if given.upright.upright && !was.upright {
        return Err(differs("--upright", None, "without it".to_string()));
    }
    if is_given("--resize") && given.resize != was.resize {
        return Err(differs("--resize", Some(given.resize.name().into()), format!("with {}", was.resize.name())));
    }
    if is_given("--interpolation") && given.interpolation != was.interpolation {
        let [given, was] = [given.interpolation, was.interpolation].map(Interpolation::name);
        return Err(differs("--interpolation", Some(given.into()), format!("with {was}")));
    }
    if !pack.is_deep() {
        // Of 8 bits all ranges and depths are the same.
        return Ok((ReadingArgs { range: given.range, ..was.into() }, bit_depth));
    }
    if is_given("--bit-depth") && bit_depth != was.bit_depth {
        return Err(differs("--bit-depth", Some(bit_depth.name().into()), format!("with {}", was.bit_depth.name())));
    }
    if let Some(range) = given.range.filter(|range| *range != RangeChoice::Of(was.range)) {
        let was = if was.range.is_full() { "without it".to_string() } else { format!("with {}", was.range) };
        return Err(differs("--range", Some(range.to_string()), was));
    }
    Ok((was.into(), was.bit_depth))
}

/// The flags of a command that trains, as far as a pack decides them.
pub struct FlagsOnData<'a> {
    pub reading: &'a mut ReadingArgs,
    pub bit_depth: &'a mut BitDepth,
    pub skip_bad: &'a mut bool,
    pub image_size: &'a mut Option<ImageSize>,
    /// True where `--model` has a size of its own.
    pub has_model: bool,
}

/// Returns the arguments with their `flags` set as the pack has them, if DATA is one.
///
/// # Errors
/// Those of [`reading_of`].
pub fn as_packed<A: Clone>(
    args: &A,
    source: Option<&Source>,
    flags: impl FnOnce(&mut A) -> FlagsOnData<'_>,
) -> Result<A> {
    let mut args = args.clone();
    if let Some(pack) = source.and_then(|source| source.packs().next()) {
        let FlagsOnData { reading, bit_depth, skip_bad, image_size, has_model } = flags(&mut args);
        (*reading, *bit_depth) = reading_of(pack, *reading, *bit_depth)?;
        *skip_bad |= pack.skips_bad();
        if !has_model {
            let [height, width, _] = pack.size();
            image_size.get_or_insert(ImageSize { height, width });
        }
    }
    Ok(args)
}
