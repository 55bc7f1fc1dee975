//! `glassnet samples`: a picture of some images of each class.

use crate::cli::args::SamplesArgs;
use crate::cli::input::dataset::{Dataset, check_one, open};
use crate::cli::input::packed::reading_of;
use crate::cli::input::reading::of_all;
use crate::cli::outcome::{CommandResult, Outcome};
use crate::cli::terminal::{console, output};
use glassnet::Error;
use glassnet::classes::Label;
use glassnet::data::augment::Augmentation;
use glassnet::data::catalog::{Item, class_counts};
use glassnet::data::decode::Rgb8;
use glassnet::data::framing::framed;
use glassnet::data::images::read_and_decode;
use glassnet::data::left_out::{LeftOut, Reason};
use glassnet::data::reading::Reading;
use glassnet::error::counted;
use glassnet::random::{Purpose, Stream};
use glassnet::report::pictures::{ClassSamples, LabelledImage, SAMPLE_SIDE, write_samples};
use glassnet::spec::ModelSpec;
use serde_json::{Value, json};
use std::sync::Arc;

/// Draws images of each class without repetition, and the grid. One that cannot be read is named, and another
/// drawn.
pub fn run(args: &SamplesArgs) -> CommandResult {
    check_one(&args.data, &args.more_data)?;
    output::check_picture("--out", &args.out)?;
    let source = open(&args.data, &args.labels)?;
    // What a pack holds is what training sees of it.
    let (mut read, mut size) = (args.reading, ModelSpec::documented().input);
    if let Some(pack) = source.packs().next() {
        (read, _) = reading_of(pack, read, pack.reading().bit_depth)?;
        size = [pack.size()[0], pack.size()[1], size[2]];
    }
    let mut dataset = Dataset::new(source, 0.0, None, 0)?;
    let files = dataset.catalog.items.iter().map(|item| dataset.source.full_name(item.entry));
    output::check_no_input("--out", &args.out, files)?;
    check_shown(args, &dataset)?;
    let reading = of_all(&read, &dataset.source, &dataset.catalog.items)?;
    let seen = Seen { reading, size };
    let labels = dataset.classes().labels();
    let chosen = labels.map(|label| choose(args, &mut dataset, seen, label)).collect::<glassnet::Result<_>>()?;
    let shown = Shown { args, dataset: &dataset, reading, chosen };
    shown.draw()?;
    match args.json {
        true => console::print_json(&shown.json())?,
        false => console::print_unless_quiet(&shown.line())?,
    }
    Ok(Outcome::Done)
}

/// The most images of a picture: at 150 × 150 pixels they take 340 MB of memory, and the picture half more.
const MOST_SHOWN: usize = 5000;

/// Refuses more images than a picture can show, before any is read.
fn check_shown(args: &SamplesArgs, dataset: &Dataset) -> glassnet::Result<()> {
    let counts = class_counts(&dataset.catalog.items, dataset.classes());
    let shown: usize = counts.iter().map(|&count| count.min(args.per_class)).sum();
    if shown <= MOST_SHOWN {
        return Ok(());
    }
    let what = format!("{shown} images of {} classes are more than the {MOST_SHOWN} of a picture", counts.len());
    let reason = match MOST_SHOWN / counts.len() {
        0 => format!("{what}; take a set of fewer classes"),
        most => format!("{what}; give at most {most}"),
    };
    Err(Error::value("--per-class", args.per_class, reason))
}

/// An image that is shown, with its path from the class folder on.
type Chosen = (String, Rgb8);

/// Chooses images of a class. Those that cannot be read are named, and noted in the set.
///
/// # Errors
/// [`Error::Data`], where none can be read.
fn choose(args: &SamplesArgs, dataset: &mut Dataset, seen: Seen, label: Label) -> glassnet::Result<Vec<Chosen>> {
    let catalog = Arc::clone(&dataset.catalog);
    let mut items: Vec<&Item> = catalog.items.iter().filter(|item| item.label == label).collect();
    Stream::new(args.seed, Purpose::Samples, 0, label.index() as u64).shuffle(&mut items);
    let mut chosen = Vec::new();
    for item in items {
        if chosen.len() == args.per_class {
            break;
        }
        let name = dataset.source.full_name(item.entry);
        let reading = seen.reading;
        let read = read_and_decode(&dataset.source, item.entry, reading, |_, image| {
            let shrinks = args.augment.is_some() || !reading.resize.is_default() || !reading.interpolation.is_default();
            let image = if shrinks { seen.image(image, args, item.entry) } else { image };
            output::shrink_to(&name, image, SAMPLE_SIDE)
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
        let class = &dataset.catalog.classes[label];
        let reason = format!("no image of the class {class} can be read; mend or replace them");
        return Err(Error::data(dataset.source.path(), reason));
    }
    Ok(chosen)
}

/// The images that are shown of a set.
struct Shown<'a> {
    args: &'a SamplesArgs,
    dataset: &'a Dataset,
    reading: Reading,
    /// The images of each class.
    chosen: Vec<Vec<Chosen>>,
}

impl Shown<'_> {
    /// `--augment flip,shift`, where it was given.
    fn changes(&self) -> Option<String> {
        self.args.augment.map(|augmentation| format!("--augment {}", augmentation.names().join(",")))
    }

    /// `, read with …`, where that is not as usual.
    fn read(&self) -> String {
        self.reading.description().map_or(String::new(), |how| format!(", read with {how}"))
    }

    /// Writes the picture.
    fn draw(&self) -> glassnet::Result<()> {
        let labelled: Vec<Vec<LabelledImage>> =
            self.chosen.iter().map(|images| images.iter().map(labelled).collect()).collect();
        let classes = self.dataset.classes().names().zip(&labelled);
        let columns: Vec<ClassSamples> = classes.map(|(name, images)| ClassSamples { name, images }).collect();
        let name = self.dataset.source.path().file_name().unwrap_or_default().to_string_lossy();
        let changes = self.changes().map_or(String::new(), |changes| format!(", as {changes} changes it"));
        write_samples(&self.args.out, &format!("{name}{}{changes}", self.read()), &columns)
    }

    fn json(&self) -> Value {
        let files = |images: &[Chosen]| images.iter().map(|(path, _)| path.clone()).collect::<Vec<String>>();
        let classes = self.dataset.classes().names().zip(&self.chosen);
        let shown: Vec<Value> = classes.map(|(name, images)| json!({"name": name, "images": files(images)})).collect();
        let mut object = json!({
            "data": self.dataset.source.path().display().to_string(),
            "picture": self.args.out.display().to_string(),
            "seed": self.args.seed,
            "augment": self.args.augment.map(Augmentation::names),
            "classes": shown,
            "left_out": self.dataset.left_out,
        });
        if !self.reading.is_default() {
            object["reading"] = json!(self.reading);
        }
        object
    }

    /// `Drew 6 images of 'benign' and 6 of 'malignant' into samples.png`, `Drew 60 images of 10 classes …`
    fn line(&self) -> String {
        let (read, changes) = (self.read(), self.changes());
        let what = match (self.dataset.classes().two(), &self.chosen[..]) {
            (Some(names), [of_first, of_second]) => {
                let [first, second] = names.map(console::one_line);
                format!("{} of '{first}' and {} of '{second}'", counted(of_first.len(), "image"), of_second.len())
            }
            (_, chosen) => {
                let images = chosen.iter().map(Vec::len).sum();
                format!("{} of {} classes", counted(images, "image"), chosen.len())
            }
        };
        format!(
            "Drew {what}{read}{}{} into {}",
            changes.as_ref().map_or(String::new(), |changes| format!(", as {changes} changes them")),
            if self.reading.is_default() && changes.is_none() { "" } else { "," },
            self.args.out.display()
        )
    }
}

/// How training sees the images.
#[derive(Clone, Copy)]
struct Seen {
    reading: Reading,
    /// The documented size, or that of a pack.
    size: [usize; 3],
}

impl Seen {
    /// The image as training sees it, perhaps changed. What is drawn for a change is not what a run draws,
    /// where an image goes by its place in the training part.
    fn image(self, image: Rgb8, args: &SamplesArgs, index: usize) -> Rgb8 {
        let Seen { reading, size: size @ [height, width, _] } = self;
        let picture = framed(image, size, reading);
        let mut values = vec![0.0; picture.len()];
        let change = args.augment.map(|augmentation| augmentation.draw(args.seed, 0, index as u64));
        change.unwrap_or_default().apply(&picture, size, &mut values);
        let pixels = values.iter().map(|value| (value * 255.0).round() as u8).collect();
        Rgb8 { width, height, pixels }
    }
}

fn labelled((path, image): &(String, Rgb8)) -> LabelledImage<'_> {
    // The class stands above; the file's own name is enough.
    let label = path.rsplit('/').next().unwrap_or(path);
    LabelledImage { label, width: image.width as u32, height: image.height as u32, pixels: &image.pixels }
}
