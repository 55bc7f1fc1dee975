//! Images that are the same, or nearly, as findings.

use super::report::Report;
use crate::cli::input::finding::Finding;
use glassnet::classes::Classes;
use glassnet::data::audit::duplicates::Kind;

/// A degree of likeness of images, and the kinds of findings by where groups of them lie.
struct Alike {
    kinds: &'static [Kind],
    words: &'static str,
    across_classes: &'static str,
    across_split: &'static str,
    on_one_side: &'static str,
}

const ALIKE: [Alike; 2] = [
    Alike {
        kinds: &[Kind::Bytes, Kind::Pixels],
        words: "the same",
        across_classes: "duplicates_across_classes",
        across_split: "duplicates_across_split",
        on_one_side: "duplicates",
    },
    Alike {
        kinds: &[Kind::Near],
        words: "nearly the same",
        across_classes: "near_duplicates_across_classes",
        across_split: "near_duplicates_across_split",
        on_one_side: "near_duplicates",
    },
];

/// Where a group lies that has images of several classes.
pub fn in_several(classes: &Classes) -> &'static str {
    if classes.count() == 2 { "in both classes" } else { "in several classes" }
}

/// Lists what was found of images that are the same, and then of those that are nearly so.
pub fn duplicates(classes: &Classes, report: &Report) -> Vec<Finding> {
    let several = in_several(classes);
    ALIKE.iter().flat_map(|alike| of_kind(report, alike, several)).collect()
}

/// Tells each group once, under the worst that is true of it; and of copies among images of the same pixels,
/// the whole.
fn of_kind(report: &Report, alike: &Alike, several: &str) -> impl Iterator<Item = Finding> {
    let (mut across_classes, mut across_split, mut on_one_side) = (0, 0, 0);
    for group in report.duplicates.iter().filter(|group| alike.kinds.contains(&group.kind) && !group.within_another) {
        match (report.crosses_classes(group), report.crosses_split(group)) {
            (true, _) => across_classes += 1,
            (false, true) => across_split += 1,
            (false, false) => on_one_side += 1,
        }
    }
    let finding = |kind, count: usize, [one, several_verb]: [&str; 2], advice| {
        let (groups, verb) = if count == 1 { ("group", one) } else { ("groups", several_verb) };
        let finding = format!("{count} {groups} of images that are {} {verb}", alike.words);
        (count > 0).then(|| Finding::new(kind, finding, advice))
    };
    let findings = [
        finding(
            alike.across_classes,
            across_classes,
            [&format!("has images {several}"), &format!("have images {several}")],
            "decide which class is right, and remove the others: no network can learn both",
        ),
        finding(
            alike.across_split,
            across_split,
            ["lies on both sides of the split", "lie on both sides of the split"],
            "keep each on one side, or the validation asks for what was learned by heart: remove all but one, and keep images of \
             one patient together",
        ),
        finding(
            alike.on_one_side,
            on_one_side,
            ["lies on one side of the split", "lie on one side of the split"],
            "remove all but one of each, unless they are meant to count more",
        ),
    ];
    findings.into_iter().flatten()
}
