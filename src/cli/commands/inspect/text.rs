//! The lines that `inspect` prints.

use super::duplicates::in_several;
use super::report::{InspectedFile, Report, counted};
use crate::cli::args::InspectArgs;
use crate::cli::input::dataset::Dataset;
use crate::cli::input::finding::Finding;
use crate::cli::terminal::console::one_line;
use glassnet::classes::{Classes, Label};
use glassnet::data::audit::depth::Depth;
use glassnet::data::audit::duplicates::{Group, Kind};
use glassnet::error::some_of;
use std::collections::BTreeSet;

/// The most sizes that are listed one by one.
const SIZES_LISTED: usize = 8;

/// The most combinations of labels that are listed.
const COMBINATIONS_LISTED: usize = 12;

/// The most groups of duplicates of a kind that are listed; `--json` has all.
const GROUPS_LISTED: usize = 10;

/// The most files of a group that are listed.
const MEMBERS_LISTED: usize = 6;

/// Makes all lines.
pub fn lines(args: &InspectArgs, dataset: &Dataset, report: &Report, findings: &[Finding]) -> Vec<String> {
    let mut lines = table(dataset, report);
    lines.push(String::new());
    lines.extend(what_files_hold(dataset, report));
    lines.extend(duplicates(dataset, report));
    if dataset.catalog.combinations.is_none() {
        lines.extend(shortcuts(dataset, report));
    }
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
    let classes = dataset.classes();
    let subsets = [Some("training"), Some("validation"), None];
    let counts = subsets.map(|subset| report.counts(classes, subset));
    let row = |name: &str, [training, validation, all]: [usize; 3]| {
        format!("{name:<24} {training:>10} {validation:>10} {all:>10}")
    };
    let mut lines = vec![format!("{}", dataset.source.path().display())];
    lines.extend(dataset.validation_data.as_ref().map(|path| format!("validates: {}", path.display())));
    lines.push(String::new());
    let heading = |what: &str| format!("{what:<24} {:>10} {:>10} {:>10}", "training", "validation", "all");
    let cells = |counts: &[Vec<usize>; 3], index: usize| counts.each_ref().map(|of| of[index]);
    if let Some(combinations) = &dataset.catalog.combinations {
        let labels = combinations.labels();
        let of_labels = subsets.map(|subset| report.label_counts(labels, subset));
        lines.push(heading("label"));
        for (label, name) in labels.labels().zip(labels.names()) {
            lines.push(row(&format!("{label} {}", one_line(name)), cells(&of_labels, label.index())));
        }
        lines.push(row("images", counts.each_ref().map(|of| of.iter().sum())));
        lines.push(String::new());
        lines.push(heading("together"));
        let mut order: Vec<Label> = classes.labels().filter(|label| counts[2][label.index()] > 0).collect();
        // Sorting keeps the order of equals.
        order.sort_by_key(|label| std::cmp::Reverse(counts[2][label.index()]));
        for label in order.iter().take(COMBINATIONS_LISTED) {
            lines.push(row(&one_line(&classes[*label]), cells(&counts, label.index())));
        }
        if order.len() > COMBINATIONS_LISTED {
            lines.push(format!("and {} other combinations; --json has all", order.len() - COMBINATIONS_LISTED));
        }
        return lines;
    }
    lines.push(heading("class"));
    for (label, name) in classes.labels().zip(classes.names()) {
        lines.push(row(&format!("{label} {}", one_line(name)), counts.each_ref().map(|of| of[label.index()])));
    }
    let all = if classes.count() == 2 { "both" } else { "all" };
    lines.push(row(all, counts.each_ref().map(|of| of.iter().sum())));
    lines.extend(classes.positive().map(|name| format!("The positive class is '{}'.", one_line(name))));
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
    let counts = report.orientations(dataset.classes());
    if counts.keys().all(|orientation| orientation.is_upright()) {
        return Vec::new();
    }
    let all = report.readable_counts(dataset.classes(), None);
    let heading = match report.upright {
        true => "Orientations of photos in their files, as EXIF says; they were turned upright here:",
        false => "Orientations of photos in their files, as EXIF says; they are not turned upright:",
    };
    let rows = counts.iter().map(|(orientation, of)| {
        let (tag, how) = (orientation.tag(), orientation.description());
        format!("  {tag}, {how}: {}", of_classes(dataset.classes(), of, &all))
    });
    std::iter::once(heading.to_string()).chain(rows).collect()
}

/// Tells of how many of all images of each class something is true: of two the positive one first, of more
/// those of which it is true of some.
fn of_classes(classes: &Classes, counts: &[usize], all: &[usize]) -> String {
    let told = |label: Label| {
        let index = label.index();
        format!("{} of {} '{}'", counts[index], all[index], one_line(&classes[label]))
    };
    match classes.two() {
        Some(_) => format!("{}, {}", told(Label::POSITIVE), told(Label::NEGATIVE)),
        None => some_of(classes.labels().filter(|label| counts[label.index()] > 0).map(told)),
    }
}

/// Groups of images that are the same, and nearly.
fn duplicates(dataset: &Dataset, report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    for (heading, kinds) in [("Duplicates", &[Kind::Bytes, Kind::Pixels][..]), ("Near duplicates", &[Kind::Near])] {
        let told = report.duplicates.iter().filter(|group| kinds.contains(&group.kind) && !group.within_another);
        let mut groups: Vec<&Group> = told.collect();
        // The worst first; sorting keeps the order of equals.
        groups.sort_by_key(|group| (!report.crosses_classes(group), !report.crosses_split(group)));
        lines.push(format!("{heading}: {} {}", groups.len(), if groups.len() == 1 { "group" } else { "groups" }));
        let several = in_several(dataset.classes());
        let described = groups.iter().take(GROUPS_LISTED).map(|group| describe(report, group, several));
        lines.extend(described.map(|text| format!("  {text}")));
        if groups.len() > GROUPS_LISTED {
            lines.push(format!("  and {} more; --json has all", groups.len() - GROUPS_LISTED));
        }
    }
    lines
}

/// A group on a line: its files, and what is the matter with it.
fn describe(report: &Report, group: &Group, in_several: &'static str) -> String {
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
    matter.extend(report.crosses_classes(group).then_some(in_several));
    matter.extend(report.crosses_split(group).then_some("on both sides of the split"));
    format!("{text} ({})", matter.join(", "))
}

/// The members of a group that are listed: of each class and part the first, as it may be that which spoils a
/// training, and then as many others as there is room for; of very many classes the first that there is room
/// for.
fn listed(report: &Report, group: &Group) -> Vec<usize> {
    let place = |member: usize| (report.files[member].item.label, report.files[member].subset);
    let mut seen = BTreeSet::new();
    let (mut listed, others): (Vec<usize>, Vec<usize>) =
        group.members.iter().partition(|&&member| seen.insert(place(member)));
    let room = MEMBERS_LISTED.saturating_sub(listed.len());
    listed.extend(others.into_iter().take(room));
    listed.truncate(MEMBERS_LISTED);
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
    let classes = dataset.classes();
    let rows = report.shortcuts.iter().map(|found| {
        let others = match classes.two() {
            Some([negative, _]) => format!("'{}'", one_line(negative)),
            None => "others".to_string(),
        };
        let ([holds_others, holds], [of_others, of]) = (found.holds, found.of);
        format!(
            "  {}: {holds} of {of} '{}', {holds_others} of {of_others} {others}; balanced accuracy {:.4} by that alone (p = \
             {:.0e})",
            found.rule,
            one_line(&classes[found.told]),
            found.balanced_accuracy,
            found.p
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
