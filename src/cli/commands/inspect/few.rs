//! Classes with too few validation images to judge a network by, and what these images can tell at all.

use super::report::Report;
use crate::cli::input::dataset::Dataset;
use crate::cli::input::finding::Finding;
use crate::cli::terminal::console::one_line;
use glassnet::classes::Label;
use glassnet::metrics::{LEVEL, wilson};

/// With fewer validation images of a class than this, one image is more than a tenth of the class's share of
/// right answers, and even all of them right leaves open whether it is right in 7 of 10.
const ENOUGH: usize = 10;

/// Both classes.
const BOTH: [Label; 2] = [Label::NEGATIVE, Label::POSITIVE];

/// Folds that are proposed; fewer where a class has fewer images.
const FOLDS: usize = 5;

/// Returns what it means that the class `label` has few images that validate, if it has.
pub fn few_validated(dataset: &Dataset, report: &Report, label: Label) -> Option<Finding> {
    let validate = BOTH.map(|label| report.readable_count(label, Some("validation")));
    let (few, other) = (validate[label.index()], validate[1 - label.index()]);
    if !(1..ENOUGH).contains(&few) {
        return None;
    }
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
    Some(Finding { kind: "few_validated", finding, advice })
}

/// Returns which classes have no image that validates, or none that can be read.
pub fn not_validated(dataset: &Dataset, report: &Report) -> Option<Finding> {
    let without = |label: &Label| report.readable_count(*label, Some("validation")) == 0;
    let labels: Vec<Label> = BOTH.into_iter().filter(without).collect();
    let first = *labels.first()?;
    let of_class = |&label: &Label| {
        let class = one_line(&dataset.catalog.classes[label]);
        match report.count(Some(label), Some("validation")) {
            0 => format!("no image of '{class}' validates"),
            1 => format!("the one image of '{class}' that would validate cannot be read"),
            count => format!("none of the {count} images of '{class}' that would validate can be read"),
        }
    };
    let finding = match labels[..] {
        [_, _] if report.count(None, Some("validation")) == 0 => {
            let [first, second] = dataset.classes().map(one_line);
            format!("no image of '{first}' or '{second}' validates")
        }
        _ => labels.iter().map(of_class).collect::<Vec<String>>().join(", and "),
    };
    let mut advice =
        "sensitivity, specificity and ROC AUC need images of both classes that the network did not learn from: "
            .to_string();
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
    let all = BOTH.map(|label| report.readable_count(label, None));
    let folds = FOLDS.min(all[0]).min(all[1]);
    let all = all[label.index()];
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
