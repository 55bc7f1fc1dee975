//! The findings that somebody should look at, each with what to do.

use super::duplicates::duplicates;
use super::few::{few_validated, few_validated_labels, not_validated};
use super::report::Report;
use crate::cli::input::dataset::Dataset;
use crate::cli::input::finding::Finding;
use crate::cli::input::reading::{narrow, turned};
use crate::cli::terminal::console::one_line;
use glassnet::classes::Label;
use glassnet::data::left_out::LeftOut;
use glassnet::error::{shortened, some_of};

/// Classes further apart than this ratio make accuracy a poor measure.
const BALANCED_RATIO: f64 = 1.5;

/// A class is rare among several that has less than this share of the images of the class in the middle.
const RARE_SHARE: f64 = 0.2;

/// Lists all findings, those that spoil a training most first.
pub fn findings(dataset: &Dataset, report: &Report) -> Vec<Finding> {
    let mut findings: Vec<Finding> = unreadable(report).into_iter().collect();
    findings.extend(duplicates(dataset.classes(), report));
    findings.extend(shortcut(dataset, report));
    match &dataset.catalog.combinations {
        None => {
            findings.extend(imbalance(dataset, report));
            findings.extend(not_validated(dataset, report));
            findings.extend(few_validated(dataset, report));
            findings.extend(rare(dataset, report));
        }
        Some(combinations) => findings.extend(few_validated_labels(combinations.labels(), report)),
    }
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
fn shortcut(dataset: &Dataset, report: &Report) -> Option<Finding> {
    let [best, others @ ..] = &report.shortcuts[..] else { return None };
    let (what, classes) = match dataset.classes().two() {
        Some(_) => ("the classes apart".to_string(), "both classes"),
        None => (format!("'{}' from the others", one_line(&dataset.classes()[best.told])), "all classes"),
    };
    let mut finding = format!(
        "the {} alone tells {what} ({}: balanced accuracy {:.2})",
        best.attribute, best.rule, best.balanced_accuracy
    );
    if !others.is_empty() {
        let names: Vec<&str> = others.iter().map(|other| other.attribute).collect();
        finding.push_str(&match dataset.classes().two() {
            Some(_) => format!(", and so does each of: {}", names.join(", ")),
            None => format!(", and a class is told by each of: {}", names.join(", ")),
        });
    }
    let advice = format!(
        "a network may learn this instead of what the images show: collect {classes} from the same sources, or bring them to \
         one size and format before, and judge on images from elsewhere"
    );
    Some(Finding::new("giveaway", finding, advice))
}

/// A class that has so many more images than another that accuracy misleads.
fn imbalance(dataset: &Dataset, report: &Report) -> Option<Finding> {
    let classes = dataset.classes();
    let counts = report.counts(classes, None);
    let by_count = |label: &Label| counts[label.index()];
    let (fewest, most) = (classes.labels().min_by_key(by_count)?, classes.labels().max_by_key(by_count)?);
    if by_count(&most) as f64 <= BALANCED_RATIO * by_count(&fewest) as f64 {
        return None;
    }
    let share = by_count(&most) as f64 / counts.iter().sum::<usize>() as f64;
    let finding = format!("always answering '{}' would have accuracy {share:.4}", one_line(&classes[most]));
    let measures = match classes.two() {
        Some(_) => "sensitivity, specificity and ROC AUC",
        None => "each class's recall and their mean",
    };
    let advice =
        format!("read {measures} beside the accuracy; more images of '{}' help most", one_line(&classes[fewest]));
    Some(Finding::new("imbalance", finding, advice))
}

/// Among several classes those that have far fewer images than most. Of two [`imbalance`] tells as much.
fn rare(dataset: &Dataset, report: &Report) -> Option<Finding> {
    let classes = dataset.classes();
    let counts = report.counts(classes, None);
    let mut sorted = counts.clone();
    sorted.sort_unstable();
    let median = sorted[sorted.len() / 2];
    let is_rare = |label: &Label| (counts[label.index()] as f64) < RARE_SHARE * median as f64;
    let rare: Vec<Label> = classes.labels().filter(is_rare).collect();
    if classes.two().is_some() || rare.is_empty() {
        return None;
    }
    let named = rare.iter().map(|label| format!("'{}' {}", one_line(&classes[*label]), counts[label.index()]));
    let finding = format!(
        "{} far fewer images than most, which have {median} or more in half of the classes: {}",
        if rare.len() == 1 { "1 class has".to_string() } else { format!("{} classes have", rare.len()) },
        some_of(named)
    );
    let advice = "a network seldom answers with a rare class: train with --class-weight balanced, gather more images of it, or \
                  put it together with another";
    Some(Finding::new("rare_classes", finding, advice))
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
