//! The lines that `inspect` prints.

use super::report::{InspectedFile, Report, counted};
use crate::cli::args::InspectArgs;
use crate::cli::input::dataset::Dataset;
use crate::cli::input::finding::Finding;
use crate::cli::terminal::console::one_line;
use glassnet::classes::Label;
use glassnet::data::audit::depth::Depth;
use glassnet::data::audit::duplicates::{Group, Kind};
use std::collections::BTreeSet;

/// The most sizes that are listed one by one.
const SIZES_LISTED: usize = 8;

/// The most groups of duplicates of a kind that are listed; `--json` has all.
const GROUPS_LISTED: usize = 10;

/// The most files of a group that are listed.
const MEMBERS_LISTED: usize = 6;

/// Makes all lines.
pub fn lines(args: &InspectArgs, dataset: &Dataset, report: &Report, findings: &[Finding]) -> Vec<String> {
    let mut lines = table(dataset, report);
    lines.push(String::new());
    lines.extend(what_files_hold(dataset, report));
    lines.extend(duplicates(report));
    lines.extend(shortcuts(dataset, report));
    lines.push(String::new());
    match findings {
        [] => lines.push("Nothing else stands out.".to_string()),
        _ => lines.push("What to do".to_string()),
    }
    lines.extend(findings.iter().map(|found| format!("- {}: {}", found.finding, found.advice)));
    if args.list {
        lines.push(String::new());
        lines.extend(list(dataset, report));
    }
    lines
}

/// Returns how many images each class and part has.
fn table(dataset: &Dataset, report: &Report) -> Vec<String> {
    let row = |name: &str, label: Option<Label>| {
        let [all, training, validation] =
            [None, Some("training"), Some("validation")].map(|subset| report.count(label, subset));
        format!("{name:<24} {training:>10} {validation:>10} {all:>10}")
    };
    let mut lines = vec![format!("{}", dataset.source.path().display())];
    lines.extend(dataset.validation_data.as_ref().map(|path| format!("validates: {}", path.display())));
    lines.push(String::new());
    lines.push(format!("{:<24} {:>10} {:>10} {:>10}", "class", "training", "validation", "all"));
    let classes = &dataset.catalog.classes;
    for (label, name) in classes.labels().zip(classes.names()) {
        lines.push(row(&format!("{label} {}", one_line(name)), Some(label)));
    }
    lines.push(row("both", None));
    lines.push(format!("The positive class is '{}'.", one_line(&classes[Label::POSITIVE])));
    lines
}

/// Sizes, formats, and files that cannot be read.
fn what_files_hold(dataset: &Dataset, report: &Report) -> Vec<String> {
    let sizes = counted(report.readable().map(|info| (info.width, info.height)));
    let some = sizes.iter().take(SIZES_LISTED).map(|((width, height), n)| format!("{n} of {width}×{height}"));
    let mut some = some.collect::<Vec<String>>().join(", ");
    if sizes.len() > SIZES_LISTED {
        let others = sizes.len() - SIZES_LISTED;
        some.push_str(&format!(", and {others} other {}", if others == 1 { "size" } else { "sizes" }));
    }
    let modes = counted(report.readable().map(|info| (info.format, info.mode)));
    let modes: Vec<String> = modes.iter().map(|((format, mode), n)| format!("{n} {format} {mode}")).collect();
    let unreadable = report.unreadable();
    let mut lines = Vec::new();
    if !sizes.is_empty() {
        lines.extend([format!("Sizes (width×height): {some}"), format!("Formats: {}", modes.join(", "))]);
    }
    if let Some(Depth { deep, samples: [min, max], .. }) = report.depth {
        lines.push(format!("Images of 16 bits: {deep}, with values from {min} to {max} of 0 to 65535"));
    }
    lines.extend(orientations(dataset, report));
    lines.extend([format!("Unreadable files: {}", unreadable.len())]);
    lines.extend(unreadable.iter().map(|(_, reason)| format!("  {}", one_line(reason))));
    lines
}

/// Returns how many photos of each class lie in which orientation, where not all lie upright.
fn orientations(dataset: &Dataset, report: &Report) -> Vec<String> {
    let counts = report.orientations();
    if counts.keys().all(|orientation| orientation.is_upright()) {
        return Vec::new();
    }
    let [negative, positive] = dataset.classes().map(one_line);
    let [all_n, all_p] = counts.values().fold([0; 2], |[n, p], [of_n, of_p]| [n + of_n, p + of_p]);
    let heading = match report.upright {
        true => "Orientations of photos in their files, as EXIF says; they were turned upright here:",
        false => "Orientations of photos in their files, as EXIF says; they are not turned upright:",
    };
    let rows = counts.iter().map(|(orientation, [n, p])| {
        let (tag, how) = (orientation.tag(), orientation.description());
        format!("  {tag}, {how}: {p} of {all_p} '{positive}', {n} of {all_n} '{negative}'")
    });
    std::iter::once(heading.to_string()).chain(rows).collect()
}

/// Groups of images that are the same, and nearly.
fn duplicates(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    for (heading, kinds) in [("Duplicates", &[Kind::Bytes, Kind::Pixels][..]), ("Near duplicates", &[Kind::Near])] {
        let told = report.duplicates.iter().filter(|group| kinds.contains(&group.kind) && !group.within_another);
        let mut groups: Vec<&Group> = told.collect();
        // The worst first; sorting keeps the order of equals.
        groups.sort_by_key(|group| (!report.crosses_classes(group), !report.crosses_split(group)));
        lines.push(format!("{heading}: {} {}", groups.len(), if groups.len() == 1 { "group" } else { "groups" }));
        lines.extend(groups.iter().take(GROUPS_LISTED).map(|group| format!("  {}", describe(report, group))));
        if groups.len() > GROUPS_LISTED {
            lines.push(format!("  and {} more; --json has all", groups.len() - GROUPS_LISTED));
        }
    }
    lines
}

/// A group on a line: its files, and what is the matter with it.
fn describe(report: &Report, group: &Group) -> String {
    let names =
        listed(report, group).into_iter().map(|member| one_line(&report.files[member].item.name()).into_owned());
    let mut text = names.collect::<Vec<_>>().join(", ");
    if group.members.len() > MEMBERS_LISTED {
        text.push_str(&format!(" and {} more", group.members.len() - MEMBERS_LISTED));
    }
    let mut matter = vec![match group.kind {
        Kind::Bytes => "the same bytes",
        Kind::Pixels => "the same pixels",
        Kind::Near => "alike",
    }];
    matter.extend(report.crosses_classes(group).then_some("in both classes"));
    matter.extend(report.crosses_split(group).then_some("on both sides of the split"));
    format!("{text} ({})", matter.join(", "))
}

/// The members of a group that are listed: of each class and part the first, as it may be that which spoils a
/// training, and then as many others as there is room for.
fn listed(report: &Report, group: &Group) -> Vec<usize> {
    let place = |member: usize| (report.files[member].item.label, report.files[member].subset);
    let mut seen = BTreeSet::new();
    let (mut listed, others): (Vec<usize>, Vec<usize>) =
        group.members.iter().partition(|&&member| seen.insert(place(member)));
    let room = MEMBERS_LISTED.saturating_sub(listed.len());
    listed.extend(others.into_iter().take(room));
    listed.sort_unstable();
    listed
}

/// Attributes that tell the classes apart.
fn shortcuts(dataset: &Dataset, report: &Report) -> Vec<String> {
    let attributes: Vec<&str> = report.shortcuts.iter().map(|found| found.attribute).collect();
    let heading = match attributes[..] {
        [] if report.upright => {
            "Attributes that give the class away: none of size, aspect, format and mode".to_string()
        }
        [] => "Attributes that give the class away: none of size, aspect, format, mode and orientation".to_string(),
        _ => format!("Attributes that give the class away: {}", attributes.join(", ")),
    };
    let [negative, positive] = dataset.classes().map(one_line);
    let rows = report.shortcuts.iter().map(|found| {
        let ([n, p], [of_n, of_p]) = (found.holds, found.of);
        format!(
            "  {}: {p} of {of_p} '{positive}', {n} of {of_n} '{negative}'; balanced accuracy {:.4} by that alone (p = {:.0e})",
            found.rule, found.balanced_accuracy, found.p
        )
    });
    std::iter::once(heading).chain(rows).collect()
}

/// Every file.
fn list(dataset: &Dataset, report: &Report) -> Vec<String> {
    let line = |file: &InspectedFile| {
        let class = &dataset.catalog.classes[file.item.label];
        let what = match &file.found {
            Ok(info) => format!("{}×{} {} {}", info.width, info.height, info.format, info.mode),
            Err(_) => "unreadable".to_string(),
        };
        format!("{}\t{}\t{}\t{what}", one_line(&file.item.name()), one_line(class), file.subset)
    };
    report.files.iter().map(line).collect()
}
