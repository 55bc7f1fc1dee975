//! Classes with too few validation images to judge a network by, and what these images can tell at all.

use super::report::Report;
use crate::cli::input::dataset::Dataset;
use crate::cli::input::finding::Finding;
use crate::cli::terminal::console::one_line;
use glassnet::classes::{Classes, Label};
use glassnet::error::{and, some_of};
use glassnet::metrics::{LEVEL, wilson};

/// With fewer validation images of a class than this, one image is more than a tenth of the class's share of
/// right answers, and even all of them right leaves open whether it is right in 7 of 10.
const ENOUGH: usize = 10;

/// Folds that are proposed; fewer where a class has fewer images.
const FOLDS: usize = 5;

/// Returns what it means that few images that validate have some of the labels, of which an image may have
/// several.
pub fn few_validated_labels(labels: &Classes, report: &Report) -> Option<Finding> {
    let validate = report.label_counts(labels, Some("validation"));
    let few = labels.names().zip(&validate).filter(|(_, count)| **count < ENOUGH);
    let few: Vec<String> = few.map(|(name, count)| format!("'{}' {count}", one_line(name))).collect();
    (!few.is_empty() && validate.iter().any(|count| *count > 0)).then(|| {
        let finding = format!("fewer than {ENOUGH} images that validate have a label: {}", some_of(few));
        let advice = "take the measures of these labels for no more than a hint, and the macro means, in which they count as all others";
        Finding::new("few_validated", finding, advice)
    })
}

/// Returns what it means that classes have few images that validate: of two for each that has, of more for
/// all of these together.
pub fn few_validated(dataset: &Dataset, report: &Report) -> Vec<Finding> {
    let classes = dataset.classes();
    let validate = report.readable_counts(classes, Some("validation"));
    let few: Vec<Label> = classes.labels().filter(|label| (1..ENOUGH).contains(&validate[label.index()])).collect();
    match (classes.two(), &few[..]) {
        (_, []) => Vec::new(),
        (Some(_), few) => few.iter().map(|&label| few_of_two(dataset, report, &validate, label)).collect(),
        (None, few) => vec![few_of_several(dataset, report, &validate, few)],
    }
}

fn few_of_two(dataset: &Dataset, report: &Report, validate: &[usize], label: Label) -> Finding {
    let (few, other) = (validate[label.index()], validate[1 - label.index()]);
    let class = one_line(&dataset.catalog.classes[label]);
    let (images, each) = match few {
        1 => ("1 image".to_string(), "it"),
        _ => (format!("{few} images"), "each of them"),
    };
    let validates = if few == 1 { "validates" } else { "validate" };
    let share = ["specificity", "sensitivity"][label.index()];
    let mut moved = vec![format!("the {share} by {}", one_of(few))];
    if other > 0 {
        moved.push(format!("the balanced accuracy by {}", one_of(2 * few)));
        moved.push(format!("the ROC AUC by up to {}", one_of(few)));
    }
    let finding = format!(
        "only {images} of '{class}' {validates}: {each} moves {} and the accuracy by {}, and the {:.0} % \
         interval of a perfect {few} of {few} reaches from {:.4} to 1",
        moved.join(", "),
        one_of(few + other),
        100.0 * LEVEL,
        least_of_perfect(few),
    );
    let mut advice =
        format!("take neither a small difference nor the best epoch for certain; more images of '{class}' help most");
    if let Some(instead) = folds_instead(dataset, report, label) {
        advice.push_str(&format!(". {instead}"));
    }
    Finding { kind: "few_validated", finding, advice }
}

fn few_of_several(dataset: &Dataset, report: &Report, validate: &[usize], few: &[Label]) -> Finding {
    let classes = dataset.classes();
    let fewest = *few.iter().min_by_key(|label| validate[label.index()]).expect("there are some");
    let least = validate[fewest.index()];
    let named = few.iter().map(|label| format!("'{}' {}", one_line(&classes[*label]), validate[label.index()]));
    let finding = format!(
        "fewer than {ENOUGH} images of {} validate: {}; one image moves the recall of '{}' by {}, and the {:.0} % interval of a \
         perfect {least} of {least} reaches from {:.4} to 1",
        if few.len() == classes.count() { "any class".to_string() } else { "some classes".to_string() },
        some_of(named),
        one_line(&classes[fewest]),
        one_of(least),
        100.0 * LEVEL,
        least_of_perfect(least),
    );
    let mut advice =
        "take neither a small difference of a class nor the best epoch for certain; more images of these classes \
                      help most"
            .to_string();
    if let Some(instead) = folds_instead(dataset, report, fewest) {
        advice.push_str(&format!(". {instead}"));
    }
    Finding { kind: "few_validated", finding, advice }
}

/// Returns which classes have no image that validates, or none that can be read.
pub fn not_validated(dataset: &Dataset, report: &Report) -> Option<Finding> {
    let classes = dataset.classes();
    let (all, readable) =
        (report.counts(classes, Some("validation")), report.readable_counts(classes, Some("validation")));
    let labels: Vec<Label> = classes.labels().filter(|label| readable[label.index()] == 0).collect();
    let first = *labels.first()?;
    let name = |label: Label| one_line(&classes[label]);
    let of_class = |&label: &Label| {
        let class = name(label);
        match all[label.index()] {
            0 => format!("no image of '{class}' validates"),
            1 => format!("the one image of '{class}' that would validate cannot be read"),
            count => format!("none of the {count} images of '{class}' that would validate can be read"),
        }
    };
    let none_at_all = all.iter().sum::<usize>() == 0;
    let finding = match (classes.two(), &labels[..]) {
        (Some(_), [first, second]) if none_at_all => {
            format!("no image of '{}' or '{}' validates", name(*first), name(*second))
        }
        (Some(_), labels) => labels.iter().map(of_class).collect::<Vec<String>>().join(", and "),
        (None, _) if none_at_all => format!("no image of the {} classes validates", classes.count()),
        (None, labels) => {
            let named: Vec<String> = labels.iter().map(|label| format!("'{}'", name(*label))).collect();
            format!("no image of {} validates, or none that can be read", and(named.iter().map(String::as_str)))
        }
    };
    let (measures, which) = match classes.two() {
        Some(_) => ("sensitivity, specificity and ROC AUC", "both classes"),
        None => ("recall and ROC AUC", "every class"),
    };
    let mut advice = format!("{measures} need images of {which} that the network did not learn from: ");
    advice.push_str(match dataset.validation_data {
        Some(_) => "put images into the class there",
        None => "put more images into the class, or take a larger --validation-split",
    });
    if let Some(instead) = folds_instead(dataset, report, first) {
        advice.push_str(&format!(". {instead}"));
    }
    Some(Finding { kind: "not_validated", finding, advice })
}

/// Returns what cross-validation gives of the class `label`, where it can be had.
fn folds_instead(dataset: &Dataset, report: &Report, label: Label) -> Option<String> {
    let counts = report.readable_counts(dataset.classes(), None);
    let folds = counts.iter().copied().fold(FOLDS, usize::min);
    let all = counts[label.index()];
    (folds >= 2 && dataset.validation_data.is_none()).then(|| {
        format!(
            "`train --folds {folds}` validates each of all {all} once, where the interval of a perfect {all} of {all} reaches from \
             {:.4}",
            least_of_perfect(all)
        )
    })
}

/// The share that one image is.
fn one_of(count: usize) -> String {
    if count == 1 { "1".to_string() } else { format!("1/{count}") }
}

/// The lower end of the interval of a share of which all were counted.
fn least_of_perfect(count: usize) -> f64 {
    wilson(count, count).expect("there are images").low
}
