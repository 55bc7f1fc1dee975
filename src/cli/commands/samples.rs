//! `glassnet samples`: a picture of some images of both classes.

use crate::cli::args::{RangeChoice, SamplesArgs};
use crate::cli::input::dataset::{Dataset, check_one, open};
use crate::cli::input::reading::auto;
use crate::cli::outcome::{CommandResult, Outcome};
use crate::cli::terminal::progress::Progress;
use crate::cli::terminal::{console, output};
use glassnet::Error;
use glassnet::classes::Label;
use glassnet::data::augment::Augmentation;
use glassnet::data::catalog::Item;
use glassnet::data::decode::Rgb8;
use glassnet::data::images::{ImageSet, read_and_decode};
use glassnet::data::left_out::{LeftOut, Reason};
use glassnet::data::reading::Reading;
use glassnet::data::resize::resize_nearest;
use glassnet::error::counted;
use glassnet::random::{Purpose, Stream};
use glassnet::report::pictures::{ClassSamples, LabelledImage, write_samples};
use glassnet::spec::ModelSpec;
use serde_json::json;
use std::sync::Arc;

/// Draws images of each class without repetition, and the grid. One that cannot be read is named, and another
/// drawn.
pub fn run(args: &SamplesArgs) -> CommandResult {
    check_one(&args.data, &args.more_data)?;
    output::check_picture("--out", &args.out)?;
    let mut dataset = Dataset::new(open(&args.data)?, 0.0)?;
    let files = dataset.catalog.items.iter().map(|item| dataset.source.full_name(item.entry));
    output::check_no_input("--out", &args.out, files)?;
    let reading = reading(args, &dataset)?;
    let mut images: [Vec<(String, Rgb8)>; 2] = [Vec::new(), Vec::new()];
    for (label, chosen) in images.iter_mut().enumerate() {
        let catalog = Arc::clone(&dataset.catalog);
        let mut items: Vec<&Item> = catalog.items.iter().filter(|item| item.label == Label::new(label)).collect();
        Stream::new(args.seed, Purpose::Samples, 0, label as u64).shuffle(&mut items);
        for item in items {
            if chosen.len() == args.per_class {
                break;
            }
            let name = dataset.source.full_name(item.entry);
            let read = read_and_decode(&dataset.source, item.entry, reading, |_, image| {
                let image = match args.augment {
                    Some(augmentation) => changed(&image, augmentation, args.seed, item.entry),
                    None => image,
                };
                output::shrink(&name, image)
            });
            match read.and_then(|(image, _)| image) {
                Ok(image) => chosen.push((item.path.clone(), image)),
                // It is a look at the set, for which another image does as well.
                Err(error) => {
                    console::warn(&format!("left out: {error}"));
                    let why = Reason::Unreadable(error.to_string());
                    dataset.left_out.push(LeftOut::new(&item.path, &name, why));
                }
            }
        }
        if chosen.is_empty() {
            let class = dataset.classes()[label];
            let reason = format!("no image of the class {class} can be read; mend or replace them");
            return Err(Error::data(dataset.source.path(), reason).into());
        }
    }
    let labelled = images.each_ref().map(|images| images.iter().map(labelled).collect::<Vec<_>>());
    let classes = dataset.classes();
    let columns = [0, 1].map(|label| ClassSamples { name: classes[label], images: &labelled[label] });
    let name = dataset.source.path().file_name().unwrap_or_default().to_string_lossy();
    let changes = args.augment.map(|augmentation| format!("--augment {}", augmentation.names().join(",")));
    let read = reading.description().map_or(String::new(), |how| format!(", read with {how}"));
    let title = changes.as_ref().map_or(String::new(), |changes| format!(", as {changes} changes it"));
    let title = format!("{name}{read}{title}");
    write_samples(&args.out, &title, &columns)?;
    if args.json {
        let files = |label: usize| images[label].iter().map(|(path, _)| path.as_str()).collect::<Vec<&str>>();
        let shown = [0, 1].map(|label| json!({"name": classes[label], "images": files(label)}));
        let mut object = json!({
            "data": dataset.source.path().display().to_string(),
            "picture": args.out.display().to_string(),
            "seed": args.seed,
            "augment": args.augment.map(Augmentation::names),
            "classes": shown,
            "left_out": dataset.left_out,
        });
        if !reading.is_default() {
            object["reading"] = json!(reading);
        }
        console::print_json(&object)?;
        return Ok(Outcome::Done);
    }
    console::print_unless_quiet(&format!(
        "Drew {} of '{}' and {} of '{}'{}{}{} into {}",
        counted(labelled[0].len(), "image"),
        console::one_line(classes[0]),
        labelled[1].len(),
        console::one_line(classes[1]),
        read,
        changes.as_ref().map_or(String::new(), |changes| format!(", as {changes} changes them")),
        if reading.is_default() && changes.is_none() { "" } else { "," },
        args.out.display()
    ))?;
    Ok(Outcome::Done)
}

/// How the images are read. For `--range auto` all are looked at.
fn reading(args: &SamplesArgs, dataset: &Dataset) -> glassnet::Result<Reading> {
    let known = args.reading.known();
    if args.reading.range != Some(RangeChoice::Auto) {
        return Ok(known);
    }
    let items = &dataset.catalog.items;
    // What is wanted is the samples' range alone, so the pictures may be small.
    let images = ImageSet::new(Arc::clone(&dataset.source), items.clone(), 1, 0)?;
    let progress = Progress::of_images("Checking", items.len());
    images.check_all_telling(|| progress.advance(1));
    Ok(Reading { range: auto(images.samples(), "images")?, ..known })
}

/// The image at the documented size, changed as in training. What is drawn for it is not what a run draws,
/// where an image goes by its place in the training part.
fn changed(image: &Rgb8, augmentation: Augmentation, seed: u64, index: usize) -> Rgb8 {
    let [side, ..] = ModelSpec::documented().input;
    let picture = resize_nearest(image, side, side).pixels;
    let mut values = vec![0.0; picture.len()];
    augmentation.draw(seed, 0, index as u64).apply(&picture, side, &mut values);
    let pixels = values.iter().map(|value| (value * 255.0).round() as u8).collect();
    Rgb8 { width: side, height: side, pixels }
}

fn labelled((path, image): &(String, Rgb8)) -> LabelledImage<'_> {
    // The class stands above; the file's own name is enough.
    let label = path.rsplit('/').next().unwrap_or(path);
    LabelledImage { label, width: image.width as u32, height: image.height as u32, pixels: &image.pixels }
}
