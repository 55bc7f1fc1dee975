//! All images of a set, read and decoded once before any of them trains.

use crate::cli::args::{RangeChoice, ReadingArgs};
use crate::cli::input::finding::Finding;
use crate::cli::input::reading::{narrow, range_note, turned};
use crate::cli::job;
use crate::cli::machine::memory::cache_bytes;
use crate::cli::outcome::Failure;
use crate::cli::run_folder::settings::RunSettings;
use crate::cli::terminal::console;
use crate::cli::terminal::progress::Progress;
use glassnet::Error;
use glassnet::data::audit::depth::Depth;
use glassnet::data::batches::BATCHES_AHEAD;
use glassnet::data::catalog::{Catalog, Item};
use glassnet::data::images::{Check, Digest, ImageSet, set_sha256};
use glassnet::data::left_out::{LeftOut, Reason};
use glassnet::data::source::Source;
use glassnet::error::counted;
use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// The name by which a filter asks for this module's debug lines.
const LOG_TARGET: &str = "glassnet::cli::checked";

/// The images of a catalog, looked at once. Every part of the set is a choice of them, and shares what is
/// kept in memory.
pub struct CheckedImages {
    images: ImageSet,
    /// The SHA-256 of each file's bytes, in the order of the catalog; `None` where the image cannot be read.
    digests: Vec<Option<Digest>>,
    /// The place in the catalog of each entry of the source.
    places: HashMap<usize, usize>,
    /// The fault of each image that cannot be read, by its entry in the source.
    faults: HashMap<usize, String>,
}

impl CheckedImages {
    /// Decodes every image of `catalog` and passes on what was odd. Resized as the settings have it they are
    /// kept if all fit into the cache; of `--range auto` that is left to those that know which of the images
    /// train.
    ///
    /// # Errors
    /// [`Error::Data`] says how many cannot be read, after each was named; with `--skip-bad` that is none.
    pub fn new(source: &Arc<Source>, catalog: &Catalog, settings: &RunSettings) -> Result<CheckedImages, Failure> {
        let (size, &RunSettings { skip_bad, reading, .. }) = (settings.picture_size(), settings);
        let cache = cache_bytes(settings.cache);
        let items = &catalog.items;
        let mut images =
            ImageSet::sized(Arc::clone(source), items.clone(), size, cache)?.read_as(settings.known_reading());
        if reading.range != Some(RangeChoice::Auto) {
            source.check_packs(size, settings.known_reading())?;
        }
        let begun = Instant::now();
        let progress = Progress::of_images("Checking", items.len());
        let check = images.check_all_on(job::ranks(), || progress.advance(1))?;
        drop(progress);
        log::debug!(target: LOG_TARGET, "{} images read and decoded in {:.1?}", items.len(), begun.elapsed());
        tell(source, items, &check, reading, Unreadable { work: "train", skip_bad })?;
        let Check { digests, errors, .. } = check;
        if reading.range == Some(RangeChoice::Auto) {
            images.forget_deep();
        }
        if !images.keeps_pictures() {
            console::progress(&decoded_anew(images.bytes_to_keep(), size, cache));
        }
        let places = items.iter().enumerate().map(|(place, item)| (item.entry, place)).collect();
        let unreadable = items.iter().zip(&digests).filter(|(_, digest)| digest.is_none()).map(|(item, _)| item.entry);
        let faults = unreadable.zip(errors.iter().map(Error::to_string)).collect();
        Ok(CheckedImages { images, digests, places, faults })
    }

    /// Returns whether an image of the catalog can be read.
    pub fn is_readable(&self, item: &Item) -> bool {
        self.digest(item).is_some()
    }

    /// These images of the catalog, which is one of `source`, none of them readable, as what is left out.
    pub fn left_out<'a>(&'a self, source: &'a Source, items: &'a [Item]) -> impl Iterator<Item = LeftOut> {
        let fault = |item: &Item| Reason::Unreadable(self.faults.get(&item.entry).cloned().unwrap_or_default());
        items.iter().map(move |item| LeftOut::new(item.name(), source.full_name(item.entry), fault(item)))
    }

    /// Makes a set of some images of the catalog, all readable.
    pub fn part(&self, items: &[Item]) -> ImageSet {
        let places: Vec<usize> = items.iter().map(|item| self.places[&item.entry]).collect();
        self.images.part(&places)
    }

    /// The hash of these images of the catalog, all readable, in this order.
    pub fn sha256<'a>(&'a self, items: impl IntoIterator<Item = &'a Item>) -> String {
        set_sha256(items.into_iter().filter_map(|item| Some((item.path.as_str(), self.digest(item)?))))
    }

    /// The SHA-256 of the bytes of an image of the catalog; `None` where it cannot be read.
    pub fn digest(&self, item: &Item) -> Option<&Digest> {
        self.digests[self.places[&item.entry]].as_ref()
    }
}

/// What becomes of images that cannot be read.
#[derive(Clone, Copy)]
pub struct Unreadable {
    /// The work that is to be done with the images, as a verb.
    pub work: &'static str,
    /// True where it is done without them.
    pub skip_bad: bool,
}

/// Passes on what was found in the files of these items, which are in `source`, and were to be read so.
///
/// # Errors
/// [`Error::Data`] says how many cannot be read, after each was named, where they are not to be skipped.
pub fn tell(
    source: &Source,
    items: &[Item],
    check: &Check,
    reading: ReadingArgs,
    Unreadable { work, skip_bad }: Unreadable,
) -> Result<(), Failure> {
    let Check { infos, digests, errors, notes } = check;
    for note in notes {
        console::warn(note);
    }
    for error in errors {
        match skip_bad {
            true => console::warn(&format!("left out: {error}")),
            false => console::error(&error.to_string()),
        }
    }
    if !skip_bad && !errors.is_empty() {
        let (count, them) = (counted(errors.len(), "image"), if errors.len() == 1 { "it" } else { "them" });
        let reason = format!(
            "{count} cannot be read; mend {them} or take {them} out, or {work} without {them}, with --skip-bad"
        );
        return Err(Error::data(places(source, items, digests), reason).into());
    }
    let (turned, depth) = (turned(infos.iter().flatten()), Depth::from_infos(infos.iter().flatten()));
    let narrow = depth.as_ref().and_then(narrow);
    let told = [turned.filter(|_| !reading.upright.upright), narrow.filter(|_| reading.range.is_none())];
    for Finding { finding, advice, .. } in told.into_iter().flatten() {
        console::warn(&format!("{finding}; {advice}"));
    }
    if let Some(note) = reading.range.and_then(|choice| range_note(choice, depth)) {
        console::warn(&note);
    }
    Ok(())
}

/// The sets that hold images without a digest, which cannot be read: `photos`, `photos and more-photos`.
fn places(source: &Source, items: &[Item], digests: &[Option<Digest>]) -> PathBuf {
    let unreadable = items.iter().zip(digests).filter(|(_, digest)| digest.is_none());
    let sets: BTreeSet<Option<&str>> = unreadable.map(|(item, _)| item.set.as_deref()).collect();
    let first = source.path().display().to_string();
    let names: Vec<&str> = sets.into_iter().map(|set| set.unwrap_or(&first)).collect();
    PathBuf::from(names.join(" and "))
}

/// Returns what is told where the images are not kept in memory; sizes in bytes.
fn decoded_anew(needed: usize, [height, width, _]: [usize; 3], cache: usize) -> String {
    let mebibytes = |bytes: usize| bytes as f64 / (1u64 << 20) as f64;
    format!(
        "Decoded to {height} × {width} pixels the images take {:.1} MiB, and --cache is {:.0}: they are decoded anew in each epoch, \
         {BATCHES_AHEAD} batches ahead of the step.",
        mebibytes(needed),
        mebibytes(cache).floor(),
    )
}
