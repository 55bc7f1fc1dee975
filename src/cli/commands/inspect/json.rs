//! What `inspect --json` prints.

use super::{Finding, Report, counted};
use crate::cli::args::InspectArgs;
use crate::cli::input::dataset::Dataset;
use glassnet::classes::Label;
use glassnet::data::audit::duplicates::Kind;
use glassnet::data::left_out::{LeftOut, Reason};
use serde_json::{Value, json};

/// The object.
pub fn object(args: &InspectArgs, dataset: &Dataset, report: &Report, findings: &[Finding]) -> Value {
    let names = &dataset.catalog.classes;
    let classes: Vec<_> = names
        .labels()
        .zip(names.names())
        .map(|(label, name)| {
            let [training, validation] =
                ["training", "validation"].map(|subset| report.count(Some(label), Some(subset)));
            json!({"name": name, "training": training, "validation": validation})
        })
        .collect();
    let sizes: Vec<_> = counted(report.readable().map(|info| (info.width, info.height)))
        .into_iter()
        .map(|((width, height), count)| json!({"width": width, "height": height, "count": count}))
        .collect();
    let formats: Vec<_> = counted(report.readable().map(|info| (info.format, info.mode)))
        .into_iter()
        .map(|((format, mode), count)| json!({"format": format, "mode": mode, "count": count}))
        .collect();
    let orientations: Vec<_> = report
        .orientations()
        .into_iter()
        .map(|(orientation, of)| json!({"orientation": orientation.tag(), "count": of[0] + of[1], "by_class": of}))
        .collect();
    let sixteen_bits = report.depth.map(|depth| {
        let [smallest, largest] = depth.samples;
        json!({"images": depth.deep, "smallest": smallest, "largest": largest})
    });
    let unreadable: Vec<_> = report
        .unreadable()
        .into_iter()
        .map(|(file, reason)| json!({"file": file.item.name(), "reason": reason}))
        .collect();
    let duplicates: Vec<_> = report
        .duplicates
        .iter()
        .map(|group| {
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
        })
        .collect();
    let shortcuts: Vec<_> = report
        .shortcuts
        .iter()
        .map(|found| {
            json!({
                "attribute": found.attribute,
                "rule": found.rule,
                "class": names[found.class()],
                "holds": found.holds,
                "of": found.of,
                "balanced_accuracy": found.balanced_accuracy,
                "p": found.p,
            })
        })
        .collect();
    let unread = report.unreadable().into_iter();
    let path = |file: &super::File| dataset.source.full_name(file.item.entry);
    let unread =
        unread.map(|(file, reason)| LeftOut::new(file.item.name(), path(file), Reason::Unreadable(reason.to_string())));
    let left_out: Vec<LeftOut> = dataset.left_out.iter().cloned().chain(unread).collect();
    let mut object = json!({
        "data": dataset.source.path().display().to_string(),
        "validation_data": dataset.validation_data.as_ref().map(|path| path.display().to_string()),
        "classes": classes,
        "positive_class": names[Label::POSITIVE],
        "sizes": sizes,
        "formats": formats,
        "orientations": orientations,
        "turned_upright": report.upright,
        "sixteen_bits": sixteen_bits,
        "unreadable": unreadable,
        "mislabelled": report.mislabelled,
        "duplicates": duplicates,
        "giveaways": shortcuts,
        "folders_within": report.folders_within,
        "passed_over": dataset.catalog.notes,
        "left_out": left_out,
        "findings": findings,
    });
    if args.list {
        object["files"] = list(dataset, report);
    }
    object
}

/// Every file.
fn list(dataset: &Dataset, report: &Report) -> Value {
    let one = |file: &super::File| {
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
