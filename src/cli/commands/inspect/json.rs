//! The object that `inspect --json` prints.

use super::report::{InspectedFile, Report, counted};
use crate::cli::args::InspectArgs;
use crate::cli::input::dataset::Dataset;
use crate::cli::input::finding::Finding;
use glassnet::classes::Classes;
use glassnet::data::audit::duplicates::{Group, Kind};
use glassnet::data::audit::shortcut::Shortcut;
use glassnet::data::decode::Orientation;
use glassnet::data::left_out::{LeftOut, Reason};
use serde_json::{Value, json};

/// Makes the object.
pub fn object(args: &InspectArgs, dataset: &Dataset, report: &Report, findings: &[Finding]) -> Value {
    let unreadable = report.unreadable().into_iter();
    let unreadable: Vec<_> =
        unreadable.map(|(file, reason)| json!({"file": file.item.name(), "reason": reason})).collect();
    let sixteen_bits = report.depth.map(|depth| {
        let [smallest, largest] = depth.samples;
        json!({"images": depth.deep, "smallest": smallest, "largest": largest})
    });
    let mut object = json!({
        "data": dataset.source.path().display().to_string(),
        "validation_data": dataset.validation_data.as_ref().map(|path| path.display().to_string()),
        "classes": classes(dataset, report),
        "positive_class": dataset.catalog.classes.positive().filter(|_| dataset.catalog.combinations.is_none()),
        "sizes": sizes(report),
        "formats": formats(report),
        "orientations": orientations(dataset, report),
        "turned_upright": report.upright,
        "sixteen_bits": sixteen_bits,
        "unreadable": unreadable,
        "mislabelled": report.mislabelled,
        "duplicates": duplicates(report),
        "giveaways": shortcuts(dataset, report),
        "folders_within": report.folders_within,
        "passed_over": dataset.catalog.notes,
        "left_out": left_out(dataset, report),
        "findings": findings,
    });
    if let Some(combinations) = &dataset.catalog.combinations {
        let labels = combinations.labels();
        let of = |subset| report.label_counts(labels, Some(subset));
        object["labels"] = rows(labels, of("training"), of("validation"));
    }
    if args.list {
        object["files"] = list(dataset, report);
    }
    object
}

fn classes(dataset: &Dataset, report: &Report) -> Value {
    let classes = dataset.classes();
    let [training, validation] = ["training", "validation"].map(|subset| report.counts(classes, Some(subset)));
    rows(classes, training, validation)
}

/// A row for each name, with how many images train and validate.
fn rows(names: &Classes, training: Vec<usize>, validation: Vec<usize>) -> Value {
    let counts = training.into_iter().zip(validation);
    let row = |(name, (training, validation)): (&str, (usize, usize))| json!({"name": name, "training": training, "validation": validation});
    names.names().zip(counts).map(row).collect()
}

fn sizes(report: &Report) -> Value {
    let size = |((width, height), count)| json!({"width": width, "height": height, "count": count});
    counted(report.readable().map(|info| (info.width, info.height))).into_iter().map(size).collect()
}

fn formats(report: &Report) -> Value {
    let format = |((format, mode), count)| json!({"format": format, "mode": mode, "count": count});
    counted(report.readable().map(|info| (info.format, info.mode))).into_iter().map(format).collect()
}

fn orientations(dataset: &Dataset, report: &Report) -> Value {
    let orientation = |(orientation, of): (Orientation, Vec<usize>)| json!({"orientation": orientation.tag(), "count": of.iter().sum::<usize>(), "by_class": of});
    report.orientations(dataset.classes()).into_iter().map(orientation).collect()
}

fn duplicates(report: &Report) -> Value {
    let group = |group: &Group| {
        let kind = match group.kind {
            Kind::Bytes => "bytes",
            Kind::Pixels => "pixels",
            Kind::Near => "near",
        };
        let files: Vec<_> = group.members.iter().map(|&member| report.files[member].item.name()).collect();
        json!({
            "kind": kind,
            "files": files,
            "across_classes": report.crosses_classes(group),
            "across_split": report.crosses_split(group),
        })
    };
    report.duplicates.iter().map(group).collect()
}

fn shortcuts(dataset: &Dataset, report: &Report) -> Value {
    let shortcut = |found: &Shortcut| {
        json!({
            "attribute": found.attribute,
            "rule": found.rule,
            "told": dataset.classes()[found.told],
            "class": points_to(dataset.classes(), found),
            "holds": found.holds,
            "of": found.of,
            "balanced_accuracy": found.balanced_accuracy,
            "p": found.p,
        })
    };
    report.shortcuts.iter().map(shortcut).collect()
}

/// The class that a rule points to: of several that which it tells from the others, if it points to it.
fn points_to<'a>(classes: &'a Classes, found: &Shortcut) -> Option<&'a str> {
    match (found.points_to_it(), classes.two()) {
        (true, _) => Some(&classes[found.told]),
        (false, Some([negative, _])) => Some(negative),
        (false, None) => None,
    }
}

/// Lists what was passed over, and the images that cannot be read.
fn left_out(dataset: &Dataset, report: &Report) -> Vec<LeftOut> {
    let unreadable = report.unreadable().into_iter().map(|(file, reason)| {
        let path = dataset.source.full_name(file.item.entry);
        LeftOut::new(file.item.name(), path, Reason::Unreadable(reason.to_string()))
    });
    dataset.left_out.iter().cloned().chain(unreadable).collect()
}

/// Lists every file.
fn list(dataset: &Dataset, report: &Report) -> Value {
    let one = |file: &InspectedFile| {
        let info = file.found.as_ref().ok();
        json!({
            "file": file.item.name(),
            "class": dataset.catalog.classes[file.item.label],
            "subset": file.subset,
            "width": info.map(|info| info.width),
            "height": info.map(|info| info.height),
            "format": info.map(|info| info.format),
            "mode": info.map(|info| info.mode),
            "orientation": info.map(|info| info.orientation.tag()),
        })
    };
    report.files.iter().map(one).collect()
}
