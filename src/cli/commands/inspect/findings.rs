//! The findings that somebody should look at, each with what to do.

use super::duplicates::duplicates;
use super::few::{few_validated, not_validated};
use super::report::Report;
use crate::cli::input::dataset::Dataset;
use crate::cli::input::finding::Finding;
use crate::cli::input::reading::{narrow, turned};
use crate::cli::terminal::console::one_line;
use glassnet::classes::Label;
use glassnet::data::left_out::LeftOut;
use glassnet::error::shortened;

/// Classes further apart than this ratio make accuracy a poor measure.
const BALANCED_RATIO: f64 = 1.5;

/// Lists all findings, those that spoil a training most first.
pub fn findings(dataset: &Dataset, report: &Report) -> Vec<Finding> {
    let few = dataset.catalog.classes.labels().filter_map(|label| few_validated(dataset, report, label));
    let mut findings: Vec<Finding> = unreadable(report).into_iter().collect();
    findings.extend(duplicates(report));
    findings.extend(shortcut(report));
    findings.extend(imbalance(dataset, report));
    findings.extend(not_validated(dataset, report));
    findings.extend(few);
    findings.extend(report.depth.as_ref().and_then(narrow));
    findings.extend(turned(report.readable()).filter(|_| !report.upright));
    findings.extend(mislabelled(report));
    findings.extend(formula_names(dataset));
    findings.extend(folders_within(report));
    findings.extend(passed_over(dataset));
    findings
}

fn unreadable(report: &Report) -> Option<Finding> {
    let count = report.unreadable().len();
    (count > 0).then(|| {
        let finding = format!("{} cannot be read", files(count));
        Finding::new(
            "unreadable",
            finding,
            "mend, convert or remove them, or train with --skip-bad, which leaves them out",
        )
    })
}

/// An attribute that tells the classes apart, and those that do so too.
fn shortcut(report: &Report) -> Option<Finding> {
    let [best, others @ ..] = &report.shortcuts[..] else { return None };
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
    Some(Finding::new("giveaway", finding, advice))
}

/// A class that has so many more images than the other that accuracy misleads.
fn imbalance(dataset: &Dataset, report: &Report) -> Option<Finding> {
    let classes = dataset.classes().map(one_line);
    let counts = [Label::NEGATIVE, Label::POSITIVE].map(|label| report.count(Some(label), None));
    let (fewer, more) = if counts[0] < counts[1] { (0, 1) } else { (1, 0) };
    if counts[more] as f64 <= BALANCED_RATIO * counts[fewer] as f64 {
        return None;
    }
    let share = counts[more] as f64 / (counts[0] + counts[1]) as f64;
    let finding = format!("always answering '{}' would have accuracy {share:.4}", classes[more]);
    let advice = format!(
        "read sensitivity, specificity and ROC AUC beside the accuracy; more images of '{}' help most",
        classes[fewer]
    );
    Some(Finding::new("imbalance", finding, advice))
}

fn mislabelled(report: &Report) -> Option<Finding> {
    let names_say = match report.mislabelled.len() {
        0 => return None,
        1 => "its name says",
        _ => "their names say",
    };
    let finding = format!("{} something else than {names_say}, or more than is read", holds(report.mislabelled.len()));
    let advice = "rename or convert them; they are read by their content, and only their first picture";
    Some(Finding::new("mislabelled", finding, advice))
}

/// Names that a spreadsheet takes for formulas.
fn formula_names(dataset: &Dataset) -> Option<Finding> {
    let paths = dataset.catalog.items.iter().map(|item| item.path.as_str());
    let formulas: Vec<&str> = paths.filter(|path| begins_a_formula(path)).collect();
    let [first, ..] = formulas[..] else { return None };
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
    Some(Finding::new("formula_names", finding, advice))
}

fn folders_within(report: &Report) -> Option<Finding> {
    let finding = match report.folders_within.len() {
        0 => return None,
        1 => "1 folder lies within a class folder".to_string(),
        several => format!("{several} folders lie within class folders"),
    };
    let advice = "make sure that all images in them belong to the class; masks and overlays do not";
    Some(Finding::new("folders_within", finding, advice))
}

fn passed_over(dataset: &Dataset) -> Option<Finding> {
    dataset.left_out.iter().any(LeftOut::is_told).then(|| {
        let path = dataset.source.path().display();
        let further = dataset.validation_data.as_ref().map_or(String::new(), |path| format!(" and {}", path.display()));
        let finding = format!("files in {path}{further} are passed over; the warnings name them");
        let advice = "move images among them into a class folder, and the others out of the data";
        Finding::new("passed_over", finding, advice)
    })
}

/// Returns whether a folder or the file in the path has a name that a spreadsheet takes for a formula.
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
