//! The page's sections of two classes.

use super::parts::{EvaluationPage, Figure, Sections, measures, mistake, reliability};
use crate::Result;
use crate::metrics::Assessment;
use crate::report::evaluation::{INTERVALS_NOTE, measure_rows, number, range};
use crate::report::pictures::{EvaluationPictures, evaluation_pictures};
use maud::{Markup, html};
use std::path::Path;

/// Makes the sections.
pub(super) fn sections(path: &Path, page: &EvaluationPage, assessment: &Assessment) -> Result<Sections> {
    let classes = names(page);
    let EvaluationPictures { roc, confusion, scores, reliability: diagram } =
        evaluation_pictures(path, assessment, page.labels, page.positives, classes)?;
    let figure = |png, name, caption: String| Figure { png, name, caption };
    Ok(Sections {
        measures: measures(measure_rows(assessment, classes)),
        figures: vec![
            figure(roc, "ROC curve", roc_caption(assessment, classes)),
            figure(confusion, "Confusion matrix", confusion_caption(assessment, classes)),
            figure(
                scores,
                "Probabilities by class",
                "How often each probability was given, class by class.".to_string(),
            ),
            figure(
                diagram,
                "Reliability diagram",
                "For each tenth of probabilities the share that came true, with its 95 % interval and the number of images. \
                 On the diagonal, probabilities are what they say."
                    .to_string(),
            ),
        ],
        reliability: Some(reliability(assessment.calibration.as_ref())),
        gallery: gallery(page),
        intervals: INTERVALS_NOTE,
    })
}

fn names<'a>(page: &EvaluationPage<'a>) -> [&'a str; 2] {
    [page.classes[0], page.classes[1]]
}

fn roc_caption(assessment: &Assessment, classes: [&str; 2]) -> String {
    let Assessment { roc_auc, roc_auc_interval, threshold, .. } = assessment;
    let area = match (roc_auc, roc_auc_interval) {
        (Some(area), Ok(interval)) => format!("{}, 95 % interval {}", number(*area), range(*interval)),
        (Some(area), Err(_)) => format!("{}, no interval", number(*area)),
        (None, _) => {
            let undefined = assessment.undefined(classes);
            let why = undefined.iter().find(|(name, _)| *name == "roc_auc").map_or("", |(_, why)| why);
            return format!("ROC curve: undefined, {why}.");
        }
    };
    format!("ROC curve: area {area}. The point is the threshold {threshold}; the dashed line is guessing.")
}

fn confusion_caption(assessment: &Assessment, [negative, positive]: [&str; 2]) -> String {
    let confusion = &assessment.confusion;
    format!(
        "Confusion matrix at the threshold {}: of {} {negative} {} right and {} taken for {positive}; of {} {positive} {} right and \
         {} taken for {negative}.",
        assessment.threshold,
        confusion.negatives(),
        confusion.true_negative,
        confusion.false_positive,
        confusion.positives(),
        confusion.true_positive,
        confusion.false_negative,
    )
}

fn gallery(page: &EvaluationPage) -> Markup {
    let EvaluationPage { mistakes, all_mistakes, .. } = page;
    let images = page.labels.len();
    html! {
        @if mistakes.is_empty() {
            p { "No mistake among " (images) " images." }
        } @else {
            p {
                (mistakes.len()) " of " (all_mistakes) " mistakes among " (images)
                " images, worst first: by how improbable their own class was. p is the probability of " (names(page)[1]) "."
            }
            div.gallery { @for one in *mistakes { (mistake(page, one)) } }
        }
    }
}
