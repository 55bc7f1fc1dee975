//! The page's sections of images that may have several labels.

use super::parts::{EvaluationPage, Sections, measures, named_rows};
use crate::metrics::multilabel::MultilabelAssessment;
use crate::report::evaluation::multilabel::{INTERVALS_NOTE, LABEL_HEADING, label_rows, measure_rows};
use maud::html;

/// Makes the sections.
pub(super) fn sections(page: &EvaluationPage, assessment: &MultilabelAssessment) -> Sections {
    Sections {
        measures: html! {
            (measures(measure_rows(assessment, page.classes)))
            h2 { "Labels" }
            (named_rows(&LABEL_HEADING, &label_rows(assessment, page.classes)))
        },
        figures: Vec::new(),
        reliability: None,
        gallery: html! {
            p {
                (assessment.total - assessment.exact) " of " (assessment.total)
                " images have a wrong answer to a label; predictions.csv has the answers to each."
            }
        },
        intervals: INTERVALS_NOTE,
    }
}
