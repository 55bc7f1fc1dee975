//! `glassnet pack`: a set in one file, decoded and resized once.

use crate::cli::args::PackArgs;
use crate::cli::input::checked::{Unreadable, tell};
use crate::cli::input::dataset::{Dataset, brings_a_split, check_one, open};
use crate::cli::input::reading::of_all;
use crate::cli::machine::limits::in_words;
use crate::cli::outcome::{CommandResult, Failure, Outcome};
use crate::cli::terminal::progress::Progress;
use crate::cli::terminal::{console, interrupt, output};
use glassnet::Error;
use glassnet::data::catalog::{Catalog, Item, class_counts};
use glassnet::data::groups::Groups;
use glassnet::data::images::{Check, set_sha256};
use glassnet::data::left_out::{LeftOut, Reason};
use glassnet::data::pack::shard_name::names_shards;
use glassnet::data::pack::size_in_words;
use glassnet::data::packing::{Packed, Packing, pack, pack_in_shards};
use glassnet::data::part::GivenPart;
use glassnet::data::reading::{BitDepth, Reading};
use glassnet::data::source::Source;
use glassnet::data::split::Split;
use glassnet::error::{counted, some_of};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Packs, and tells what is in the pack and what was left out.
pub fn run(args: &PackArgs) -> CommandResult {
    check_one(&args.data, &args.more_data)?;
    output::check_new_file("--out", &args.out)?;
    if args.shards > 1 && names_shards(&args.out) {
        return Err(output::there_already("--out", &args.out).into());
    }
    let begun = Instant::now();
    let source = open(&args.data, &args.labels)?;
    if source.packs().next().is_some() {
        return Err(
            Error::data(&args.data, "it is a pack already; give the folder or the zip that it was made from").into()
        );
    }
    if source.has_several_labels() {
        let reason = "its images may have several labels, and a pack holds the class of each; give it as it is where DATA is wanted";
        return Err(Error::data(&args.data, reason).into());
    }
    let (dataset, trains) = listed(source)?;
    let items = &dataset.catalog.items;
    let reading = of_all(&args.reading, &dataset.source, &trains)?;
    let reading = Reading { bit_depth: args.bit_depth, ..reading };
    let size = [args.size.height, args.size.width, if args.grey { 1 } else { 3 }];
    let packing = Packing { size, reading, skip_bad: args.skip_bad };
    interrupt::finish_the_step_first();
    let progress = Progress::of_images("Packing", items.len());
    let advance = || {
        progress.advance(1);
        interrupt::check()
    };
    let packed = match args.shards {
        1 => pack(&args.out, &dataset.source, items, packing, advance),
        shards => pack_in_shards(&args.out, shards, &dataset.source, items, packing, advance),
    };
    drop(progress);
    let Packed { check, bytes } = packed.map_err(|error| match error {
        Error::Interrupted => Failure::Interrupted { sentence: "interrupted: no pack was written".to_string() },
        error => error.into(),
    })?;
    tell(&dataset.source, items, &check, args.reading, Unreadable { work: "pack", skip_bad: args.skip_bad })?;
    // Of images of 8 bits none are kept that there are not.
    let is_deep = check.infos.iter().flatten().any(|info| info.samples.is_some());
    let bit_depth = if is_deep { args.bit_depth } else { BitDepth::Eight };
    let packing = Packing { reading: Reading { bit_depth, ..reading }, ..packing };
    let done =
        Done { args, dataset: &dataset, packing, check: &check, bytes: bytes.unwrap_or(0), took: begun.elapsed() };
    match args.json {
        true => console::print_json(&done.json())?,
        false => console::print_unless_quiet(&done.line())?,
    }
    Ok(Outcome::Done)
}

/// Lists all images of a source, those of a test part too, with those that `--range auto` looks at: where the
/// data tell which validate, the others that train, as in a run; else all but those for a test.
fn listed(source: Source) -> Result<(Dataset, Vec<Item>), Failure> {
    let known = Catalog::from_source(&source)?;
    let catalog = match source.has_part(GivenPart::Test) {
        true => Catalog::with_classes(&source, &known.classes)?,
        false => known.clone(),
    };
    catalog.notes.iter().for_each(|note| console::warn(note));
    let trains = match brings_a_split(&source) {
        true => Split::given(&known, &source, Groups::given(&known, &source)?.as_ref())?,
        false => Split::all_train(&known),
    };
    let all = Split::all_train(&catalog);
    Ok((Dataset::of_parts(Arc::new(source), Arc::new(catalog), all, None), trains.training))
}

/// A pack that was written.
struct Done<'a> {
    args: &'a PackArgs,
    dataset: &'a Dataset,
    packing: Packing,
    check: &'a Check,
    bytes: u64,
    took: Duration,
}

impl Done<'_> {
    /// The images that can be read.
    fn readable(&self) -> Vec<Item> {
        let items = self.dataset.catalog.items.iter().zip(&self.check.digests);
        items.filter(|(_, digest)| digest.is_some()).map(|(item, _)| item.clone()).collect()
    }

    /// For each class its name and the number of its images.
    fn classes(&self) -> impl Iterator<Item = (&str, usize)> {
        self.dataset.classes().names().zip(class_counts(&self.readable(), self.dataset.classes()))
    }

    /// What has no picture in the pack.
    fn left_out(&self) -> Vec<LeftOut> {
        let items = self.dataset.catalog.items.iter().zip(&self.check.digests);
        let unreadable = items.filter(|(_, digest)| digest.is_none()).zip(&self.check.errors);
        let unreadable = unreadable.map(|((item, _), error)| {
            let why = Reason::Unreadable(error.to_string());
            LeftOut::new(item.name(), self.dataset.source.full_name(item.entry), why)
        });
        self.dataset.left_out.iter().cloned().chain(unreadable).collect()
    }

    /// `Packed 24 images, 16×16 pixels in colour, into set.pack: 0.1 MiB in 0.2 s; classes: 2 (cat: 10, dog:
    /// 14)`
    fn line(&self) -> String {
        let classes = some_of(self.classes().map(|(name, count)| format!("{}: {count}", console::one_line(name))));
        let read = self.packing.reading.description().map_or(String::new(), |how| format!(", read with {how}"));
        let left_out = match &self.left_out()[..] {
            [] => String::new(),
            left_out => format!("; left out: {}", some_of(left_out.iter().map(|left| console::one_line(&left.file)))),
        };
        let shards = match self.args.shards {
            1 => String::new(),
            shards => format!(" in {shards} shards"),
        };
        format!(
            "Packed {}, {}{read}, into {}{shards}: {} in {:.1} s; classes: {classes}{left_out}",
            counted(self.readable().len(), "image"),
            size_in_words(self.packing.size),
            self.args.out.display(),
            in_words(self.bytes as usize),
            self.took.as_secs_f64(),
        )
    }

    fn json(&self) -> Value {
        let classes: Vec<Value> =
            self.classes().map(|(name, images)| json!({"name": name, "images": images})).collect();
        let items = self.dataset.catalog.items.iter().zip(&self.check.digests);
        let digests = items.filter_map(|(item, digest)| Some((item.path.as_str(), digest.as_ref()?)));
        let mut object = json!({
            "data": self.args.data.display().to_string(),
            "pack": self.args.out.display().to_string(),
            "images": self.readable().len(),
            "classes": classes,
            "size": self.packing.size,
            "sha256": set_sha256(digests),
            "bytes": self.bytes,
            "seconds": self.took.as_secs_f64(),
            "left_out": self.left_out(),
        });
        if self.args.shards > 1 {
            object["shards"] = json!(self.args.shards);
        }
        if !self.packing.reading.is_default() {
            object["reading"] = json!(self.packing.reading);
        }
        object
    }
}
