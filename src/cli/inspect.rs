//! `glassnet inspect`: what a data set holds.

use super::args::InspectArgs;
use super::console::{self, Failure};
use super::dataset::Dataset;
use super::{CommandResult, Outcome};
use glassnet::data::catalog::Item;
use glassnet::data::decode::ImageInfo;
use glassnet::data::images::ImageSet;
use glassnet::data::source::Source;
use serde_json::json;
use std::collections::BTreeMap;

/// Lists and counts; an unreadable file is part of the answer, not a failure of it.
pub fn run(args: &InspectArgs) -> CommandResult {
    let dataset = Dataset::new(Source::open(&args.data)?, args.validation_split)?;
    let files = look(&dataset)?;
    if args.json {
        console::print_json(&as_json(args, &dataset, &files))?;
    } else {
        for line in lines(args, &dataset, &files) {
            console::print(&line)?;
        }
    }
    Ok(Outcome::Done)
}

/// A file of the set and what was found in it.
struct File<'a> {
    item: &'a Item,
    subset: &'static str,
    found: Result<ImageInfo, String>,
}

/// Decodes every file.
fn look(dataset: &Dataset) -> Result<Vec<File<'_>>, Failure> {
    let mut files = Vec::new();
    for (subset, items) in [("training", &dataset.split.training), ("validation", &dataset.split.validation)] {
        // Pictures of one pixel, none of them kept: only what the files are is asked for.
        let check = ImageSet::new(dataset.source.clone(), items.clone(), 1, 0)?.check_all();
        for note in &check.notes {
            console::warn(note);
        }
        let mut errors = check.errors.into_iter();
        for (item, info) in items.iter().zip(check.infos) {
            let reason = || errors.next().map_or("it cannot be read".to_string(), |error| error.to_string());
            files.push(File { item, subset, found: info.ok_or_else(reason) });
        }
    }
    Ok(files)
}

/// How many files have each value, most frequent first.
fn counted<T: Ord>(values: impl Iterator<Item = T>) -> Vec<(T, usize)> {
    let mut counts = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_insert(0) += 1;
    }
    let mut counts: Vec<(T, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

/// The most sizes that are listed one by one.
const SIZES_LISTED: usize = 8;

fn lines(args: &InspectArgs, dataset: &Dataset, files: &[File]) -> Vec<String> {
    let count = |label: Option<usize>, subset: Option<&str>| {
        let counted = files.iter().filter(|file| {
            label.is_none_or(|label| file.item.label == label) && subset.is_none_or(|subset| file.subset == subset)
        });
        counted.count()
    };
    let row = |name: &str, label: Option<usize>| {
        let [all, training, validation] =
            [None, Some("training"), Some("validation")].map(|subset| count(label, subset));
        format!("{name:<24} {training:>10} {validation:>10} {all:>10}")
    };
    let mut lines = vec![
        format!("{}", dataset.source.path().display()),
        String::new(),
        format!("{:<24} {:>10} {:>10} {:>10}", "class", "training", "validation", "all"),
    ];
    for (label, name) in dataset.classes().into_iter().enumerate() {
        lines.push(row(&format!("{label} {}", console::one_line(name)), Some(label)));
    }
    lines.push(row("both", None));
    lines.push(format!("The positive class is '{}'.", console::one_line(dataset.classes()[1])));
    lines.push(String::new());

    let readable = || files.iter().filter_map(|file| file.found.as_ref().ok());
    let sizes = counted(readable().map(|info| (info.width, info.height)));
    let some = sizes.iter().take(SIZES_LISTED).map(|((width, height), n)| format!("{n} of {width}×{height}"));
    let mut some = some.collect::<Vec<String>>().join(", ");
    if sizes.len() > SIZES_LISTED {
        some.push_str(&format!(", and {} other sizes", sizes.len() - SIZES_LISTED));
    }
    lines.push(format!("Sizes (width×height): {some}"));
    let modes = counted(readable().map(|info| (info.format, info.mode)));
    let modes: Vec<String> = modes.iter().map(|((format, mode), n)| format!("{n} {format} {mode}")).collect();
    lines.push(format!("Formats: {}", modes.join(", ")));
    let unreadable: Vec<&String> = files.iter().filter_map(|file| file.found.as_ref().err()).collect();
    lines.push(format!("Unreadable files: {}", unreadable.len()));
    lines.extend(unreadable.iter().map(|reason| format!("  {reason}")));
    if args.list {
        lines.push(String::new());
        lines.extend(files.iter().map(|file| {
            let class = dataset.classes()[file.item.label];
            let what = match &file.found {
                Ok(info) => format!("{}×{} {} {}", info.width, info.height, info.format, info.mode),
                Err(_) => "unreadable".to_string(),
            };
            format!("{}\t{}\t{}\t{what}", console::one_line(&file.item.path), console::one_line(class), file.subset)
        }));
    }
    lines
}

fn as_json(args: &InspectArgs, dataset: &Dataset, files: &[File]) -> serde_json::Value {
    let count = |label: usize, subset: &str| {
        files.iter().filter(|file| file.item.label == label && file.subset == subset).count()
    };
    let classes: Vec<_> = dataset
        .classes()
        .into_iter()
        .enumerate()
        .map(|(label, name)| {
            json!({"name": name, "training": count(label, "training"), "validation": count(label, "validation")})
        })
        .collect();
    let readable = || files.iter().filter_map(|file| file.found.as_ref().ok());
    let sizes: Vec<_> = counted(readable().map(|info| (info.width, info.height)))
        .into_iter()
        .map(|((width, height), count)| json!({"width": width, "height": height, "count": count}))
        .collect();
    let formats: Vec<_> = counted(readable().map(|info| (info.format, info.mode)))
        .into_iter()
        .map(|((format, mode), count)| json!({"format": format, "mode": mode, "count": count}))
        .collect();
    let unreadable: Vec<_> = files
        .iter()
        .filter_map(|file| Some(json!({"file": file.item.path, "reason": file.found.as_ref().err()?})))
        .collect();
    let mut object = json!({
        "data": dataset.source.path().display().to_string(),
        "classes": classes,
        "positive_class": dataset.classes()[1],
        "sizes": sizes,
        "formats": formats,
        "unreadable": unreadable,
    });
    if args.list {
        let list: Vec<_> = files
            .iter()
            .map(|file| {
                let info = file.found.as_ref().ok();
                json!({
                    "file": file.item.path,
                    "class": dataset.classes()[file.item.label],
                    "subset": file.subset,
                    "width": info.map(|info| info.width),
                    "height": info.map(|info| info.height),
                    "format": info.map(|info| info.format),
                    "mode": info.map(|info| info.mode),
                })
            })
            .collect();
        object["files"] = json!(list);
    }
    object
}
