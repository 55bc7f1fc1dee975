//! The page's sections of more than two classes.

use super::parts::{EvaluationPage, Figure, Mistake, Sections, measures, mistake, named_rows, reliability};
use crate::Result;
use crate::metrics::multiclass::MulticlassAssessment;
use crate::report::evaluation::multiclass::{CLASS_HEADING, INTERVALS_NOTE, class_rows, measure_rows};
use crate::report::pictures::multiclass_pictures;
use maud::{Markup, html};
use std::path::Path;

/// Makes the sections.
pub(super) fn sections(path: &Path, page: &EvaluationPage, assessment: &MulticlassAssessment) -> Result<Sections> {
    let [confusion, diagram] = multiclass_pictures(path, assessment, page.classes)?;
    let figure = |png, name, caption: &str| Figure { png, name, caption: caption.to_string() };
    Ok(Sections {
        measures: html! {
            (measures(measure_rows(assessment, page.classes)))
            h2 { "Classes" }
            (named_rows(&CLASS_HEADING, &class_rows(assessment, page.classes)))
        },
        figures: vec![
            figure(
                confusion,
                "Confusion matrix",
                "Confusion matrix: rows the true class, columns the answer, the shade a cell's share of its row.",
            ),
            figure(
                diagram,
                "Reliability diagram",
                "For each tenth of the answer's probability the share of answers that are right, with its 95 % interval and the \
                 number of images. On the diagonal, probabilities are what they say.",
            ),
        ],
        reliability: Some(reliability(assessment.confidence.as_ref())),
        gallery: gallery(page, assessment),
        intervals: INTERVALS_NOTE,
    })
}

/// The mistakes, those of each pair of classes under a heading of its own.
fn gallery(page: &EvaluationPage, assessment: &MulticlassAssessment) -> Markup {
    let EvaluationPage { mistakes, all_mistakes, .. } = page;
    let images = page.labels.len();
    let pair = |one: &Mistake| (one.label, one.answer);
    html! {
        @if mistakes.is_empty() {
            p { "No mistake among " (images) " images." }
        } @else {
            p {
                (mistakes.len()) " of " (all_mistakes) " mistakes among " (images)
                " images: the classes that are taken for each other most often first, and of each such pair the worst first, by how \
                 improbable their own class was. p is the probability of the answer."
            }
            @for cell in mistakes.chunk_by(|a, b| pair(a) == pair(b)) {
                @let (label, answer) = pair(&cell[0]);
                h3 {
                    (page.classes[label.index()]) " taken for " (page.classes[answer.index()]) ": "
                    (assessment.confusion.count(label, answer)) " of " (assessment.confusion.class(label).support()) " images"
                }
                div.gallery { @for one in cell { (mistake(page, one)) } }
            }
        }
    }
}
