//! What was found that somebody should look at, each with what to do.

use super::Report;
use super::few::{few_validated, not_validated};
use crate::cli::input::dataset::Dataset;
use crate::cli::input::finding::Finding;
use crate::cli::input::reading::{narrow, turned};
use crate::cli::terminal::console::one_line;
use glassnet::classes::Label;
use glassnet::data::audit::duplicates::Kind;
use glassnet::data::left_out::LeftOut;
use glassnet::error::shortened;

/// Classes further apart than this ratio make accuracy a poor measure.
const BALANCED_RATIO: f64 = 1.5;

/// All findings, those that spoil a training most first.
pub fn findings(dataset: &Dataset, report: &Report) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |kind, finding: String, advice: &str| findings.push(Finding { kind, finding, advice: advice.into() });
    let path = dataset.source.path().display();
    let classes = dataset.classes().map(one_line);

    let unreadable = report.unreadable().len();
    if unreadable > 0 {
        let finding = format!("{} cannot be read", files(unreadable));
        add("unreadable", finding, "mend, convert or remove them, or train with --skip-bad, which leaves them out");
    }
    type Told = ([&'static str; 3], &'static [Kind], &'static str);
    let kinds: [Told; 2] = [
        (
            ["duplicates_across_classes", "duplicates_across_split", "duplicates"],
            &[Kind::Bytes, Kind::Pixels],
            "the same",
        ),
        (
            ["near_duplicates_across_classes", "near_duplicates_across_split", "near_duplicates"],
            &[Kind::Near],
            "nearly the same",
        ),
    ];
    for ([classes_kind, split_kind, kind], of, same) in kinds {
        // Each group is told once, under the worst that is true of it; and of copies among images of the same
        // pixels, the whole.
        let mut groups = [0; 3];
        for group in report.duplicates.iter().filter(|group| of.contains(&group.kind) && !group.within_another) {
            let worst = match (report.crosses_classes(group), report.crosses_split(group)) {
                (true, _) => 0,
                (false, true) => 1,
                (false, false) => 2,
            };
            groups[worst] += 1;
        }
        let group =
            |count: usize| format!("{count} {} of images that are {same}", if count == 1 { "group" } else { "groups" });
        let verb = |count: usize, [one, several]: [&'static str; 2]| if count == 1 { one } else { several };
        if groups[0] > 0 {
            let finding = format!("{} {} images in both classes", group(groups[0]), verb(groups[0], ["has", "have"]));
            add(classes_kind, finding, "decide which class is right, and remove the others: no network can learn both");
        }
        if groups[1] > 0 {
            let finding =
                format!("{} {} on both sides of the split", group(groups[1]), verb(groups[1], ["lies", "lie"]));
            let advice = "keep each on one side, or the validation asks for what was learned by heart: remove all but one, and keep \
                          images of one patient together";
            add(split_kind, finding, advice);
        }
        if groups[2] > 0 {
            let finding = format!("{} {} on one side of the split", group(groups[2]), verb(groups[2], ["lies", "lie"]));
            add(kind, finding, "remove all but one of each, unless they are meant to count more");
        }
    }
    if let [best, others @ ..] = &report.shortcuts[..] {
        let mut finding = format!(
            "the {} alone tells the classes apart ({}: balanced accuracy {:.2})",
            best.attribute, best.rule, best.balanced_accuracy
        );
        if !others.is_empty() {
            let names: Vec<&str> = others.iter().map(|other| other.attribute).collect();
            finding.push_str(&format!(", and so does each of: {}", names.join(", ")));
        }
        let advice = "a network may learn this instead of what the images show: collect both classes from the same sources, or \
                      bring them to one size and format before, and judge on images from elsewhere";
        add("giveaway", finding, advice);
    }
    let counts = [Label::NEGATIVE, Label::POSITIVE].map(|label| report.count(Some(label), None));
    let (fewer, more) = if counts[0] < counts[1] { (0, 1) } else { (1, 0) };
    if counts[more] as f64 > BALANCED_RATIO * counts[fewer] as f64 {
        let share = counts[more] as f64 / (counts[0] + counts[1]) as f64;
        let finding = format!("always answering '{}' would have accuracy {share:.4}", classes[more]);
        let advice = format!(
            "read sensitivity, specificity and ROC AUC beside the accuracy; more images of '{}' help most",
            classes[fewer]
        );
        add("imbalance", finding, &advice);
    }
    if let Some(Finding { kind, finding, advice }) = not_validated(dataset, report) {
        add(kind, finding, &advice);
    }
    let narrow = report.depth.as_ref().and_then(narrow);
    let turned = turned(report.readable()).filter(|_| !report.upright);
    let few = dataset.catalog.classes.labels().filter_map(|label| few_validated(dataset, report, label));
    for Finding { kind, finding, advice } in few.chain(narrow).chain(turned) {
        add(kind, finding, &advice);
    }
    if !report.mislabelled.is_empty() {
        let count = report.mislabelled.len();
        let names_say = if count == 1 { "its name says" } else { "their names say" };
        let finding = format!("{} something else than {names_say}, or more than is read", holds(count));
        add(
            "mislabelled",
            finding,
            "rename or convert them; they are read by their content, and only their first picture",
        );
    }
    let formulas: Vec<&str> =
        dataset.catalog.items.iter().map(|item| item.path.as_str()).filter(|path| begins_a_formula(path)).collect();
    if let [first, ..] = formulas[..] {
        let finding = format!(
            "{} a name, or is in a folder with one, that begins with =, +, - or @, such as {}",
            match formulas.len() {
                1 => "1 file has".to_string(),
                several => format!("each of {several} files has"),
            },
            one_line(&shortened(first))
        );
        let advice = "rename them: a spreadsheet takes a cell that begins so for a formula, and the tables name files and classes as \
                      they are";
        add("formula_names", finding, advice);
    }
    if !report.folders_within.is_empty() {
        let finding = match report.folders_within.len() {
            1 => "1 folder lies within a class folder".to_string(),
            several => format!("{several} folders lie within class folders"),
        };
        add(
            "folders_within",
            finding,
            "make sure that all images in them belong to the class; masks and overlays do not",
        );
    }
    if dataset.left_out.iter().any(LeftOut::is_told) {
        let further = dataset.validation_data.as_ref().map_or(String::new(), |path| format!(" and {}", path.display()));
        let finding = format!("files in {path}{further} are passed over; the warnings name them");
        add("passed_over", finding, "move images among them into a class folder, and the others out of the data");
    }
    findings
}

/// Whether a folder or the file in the path has a name that a spreadsheet takes for a formula.
fn begins_a_formula(path: &str) -> bool {
    path.split('/').any(|name| name.starts_with(['=', '+', '-', '@']))
}

/// `1 file`, `2 files`.
fn files(count: usize) -> String {
    format!("{count} {}", if count == 1 { "file" } else { "files" })
}

/// `1 file holds`, `2 files hold`.
fn holds(count: usize) -> String {
    format!("{} {}", files(count), if count == 1 { "holds" } else { "hold" })
}
