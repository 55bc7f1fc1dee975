//! An evaluation as one HTML page: it holds its pictures, has no script, and asks nothing of any network.

use super::{INDEPENDENCE_NOTE, INTERVALS_NOTE, RELIABILITY_HEADING, measure_rows, number, range, reliability_rows};
use crate::Result;
use crate::classes::Label;
use crate::files::write_whole;
use crate::metrics::Assessment;
use crate::report::pictures::evaluation_pictures;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use std::path::Path;

/// The content of the page.
pub struct EvaluationPage<'a> {
    /// Facts about the evaluation, such as which model it is of: a name and a sentence each.
    pub facts: &'a [(&'static str, String)],
    /// The names of class 0 and class 1.
    pub classes: [&'a str; 2],
    /// The measures.
    pub assessment: &'a Assessment,
    /// The label of each image.
    pub labels: &'a [Label],
    /// The probability of each image.
    pub probabilities: &'a [f32],
    /// The worst mistakes, worst first.
    pub mistakes: &'a [Mistake],
    /// The number of mistakes in all.
    pub all_mistakes: usize,
}

/// An image that was taken for the other class.
#[derive(Clone, Debug, PartialEq)]
pub struct Mistake {
    /// The file, as the data set names it.
    pub file: String,
    /// The index of its class.
    pub label: Label,
    /// P(class 1).
    pub probability: f32,
    /// A small copy of it ([`thumbnail`](crate::report::pictures::thumbnail)).
    pub jpeg: Vec<u8>,
}

/// Writes the page. All its names are shown as they are, whatever they hold.
///
/// # Errors
/// [`crate::Error::Io`] names the file if a picture cannot be drawn or the page not written.
pub fn write_evaluation_page(path: &Path, page: &EvaluationPage) -> Result<()> {
    let EvaluationPage { assessment, classes, .. } = page;
    let pictures = evaluation_pictures(path, assessment, page.labels, page.probabilities, *classes)?;
    let figures = [
        (&pictures.roc, "ROC curve", roc_caption(page)),
        (&pictures.confusion, "Confusion matrix", confusion_caption(page)),
        (&pictures.scores, "Probabilities by class", "How often each probability was given, class by class.".to_string()),
        (
            &pictures.reliability,
            "Reliability diagram",
            "For each tenth of probabilities the share that came true, with its 95 % interval and the number of images. \
             On the diagonal, probabilities are what they say."
                .to_string(),
        ),
    ];
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'";
                title { "glassnet evaluate" }
                style { (PreEscaped(include_str!("page.css"))) }
            }
            body {
                h1 { "Evaluation" }
                p.disclaimer { "Not for diagnosis." }
                dl { @for (name, fact) in page.facts { dt { (name) } dd { (fact) } } }
                h2 { "Measures" }
                (measures(page))
                h2 { "Pictures" }
                div.figures { @for (png, name, caption) in figures { (figure(png, name, &caption)) } }
                h2 { "Reliability" }
                (reliability(page))
                h2 { "Worst mistakes" }
                (gallery(page))
                p.notes { (INTERVALS_NOTE) " " (INDEPENDENCE_NOTE) }
            }
        }
    };
    write_whole(path, markup.into_string().as_bytes())
}

fn roc_caption(page: &EvaluationPage) -> String {
    let Assessment { roc_auc, roc_auc_interval, threshold, .. } = page.assessment;
    let area = match (roc_auc, roc_auc_interval) {
        (Some(area), Ok(interval)) => format!("{}, 95 % interval {}", number(*area), range(*interval)),
        (Some(area), Err(_)) => format!("{}, no interval", number(*area)),
        (None, _) => {
            let undefined = page.assessment.undefined(page.classes);
            let why = undefined.iter().find(|(name, _)| *name == "roc_auc").map_or("", |(_, why)| why);
            return format!("ROC curve: undefined, {why}.");
        }
    };
    format!("ROC curve: area {area}. The point is the threshold {threshold}; the dashed line is guessing.")
}

fn confusion_caption(page: &EvaluationPage) -> String {
    let [negative, positive] = page.classes;
    let confusion = &page.assessment.confusion;
    format!(
        "Confusion matrix at the threshold {}: of {} {negative} {} right and {} taken for {positive}; of {} {positive} {} right and \
         {} taken for {negative}.",
        page.assessment.threshold,
        confusion.negatives(),
        confusion.true_negative,
        confusion.false_positive,
        confusion.positives(),
        confusion.true_positive,
        confusion.false_negative,
    )
}

fn figure(png: &[u8], name: &str, caption: &str) -> Markup {
    html! {
        figure {
            img alt=(name) src=(format!("data:image/png;base64,{}", STANDARD.encode(png)));
            figcaption { (caption) }
        }
    }
}

fn measures(page: &EvaluationPage) -> Markup {
    html! {
        div.table { table.measures {
            tr { th { "measure" } th.number { "value" } th.number { "95 % interval" } th {} }
            @for row in measure_rows(page.assessment, page.classes) {
                tr {
                    td { (row.name) }
                    td.number { (row.value) }
                    td.number { (row.interval) }
                    td.note { (row.note) }
                }
            }
        } }
    }
}

fn reliability(page: &EvaluationPage) -> Markup {
    let rows = reliability_rows(page.assessment);
    html! {
        @if rows.is_empty() {
            p { "undefined: no image" }
        } @else {
            div.table { table {
                tr { @for name in RELIABILITY_HEADING { th.number { (name) } } }
                @for row in rows { tr { @for cell in row { td.number { (cell) } } } }
            } }
        }
    }
}

fn gallery(page: &EvaluationPage) -> Markup {
    let EvaluationPage { mistakes, all_mistakes, classes, .. } = page;
    let images = page.labels.len();
    html! {
        @if mistakes.is_empty() {
            p { "No mistake among " (images) " images." }
        } @else {
            p {
                (mistakes.len()) " of " (all_mistakes) " mistakes among " (images)
                " images, worst first: by how improbable their own class was. p is the probability of " (classes[1]) "."
            }
            div.gallery {
                @for mistake in *mistakes {
                    figure {
                        img alt=(mistake.file) src=(format!("data:image/jpeg;base64,{}", STANDARD.encode(&mistake.jpeg)));
                        figcaption {
                            b { (classes[mistake.label.index()]) } " taken for " (classes[1 - mistake.label.index()])
                            ", p = " (format!("{:.4}", mistake.probability))
                            span.name { (mistake.file) }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(page: &EvaluationPage) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.html");
        write_evaluation_page(&path, page).unwrap();
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn names_cannot_break_out_of_the_page_and_it_needs_nothing_from_outside() {
        let labels = [0, 0, 1, 1].map(Label::new);
        let probabilities = [0.1, 0.9, 0.8, 0.7];
        let evil = "<script src=\"http://evil\">\"'&";
        let page = written(&EvaluationPage {
            facts: &[("Data", evil.to_string())],
            classes: [evil, "dog"],
            assessment: &Assessment::new(&labels, &probabilities, &[0.1, 2.3, 0.2, 0.4], 0.5),
            labels: &labels,
            probabilities: &probabilities,
            mistakes: &[Mistake {
                file: evil.to_string(),
                label: Label::NEGATIVE,
                probability: 0.9,
                jpeg: vec![1, 2, 3],
            }],
            all_mistakes: 1,
        });
        assert!(!page.contains("<script") && page.contains("&lt;script src=&quot;http://evil&quot;&gt;"));
        assert!(!page.contains("src=\"http") && !page.contains("href") && !page.contains("url("));
        assert_eq!(page.matches("src=\"data:image/png;base64,").count(), 4);
        assert_eq!(page.matches("src=\"data:image/jpeg;base64,AQID\"").count(), 1);
        assert!(page.contains("area 0.5000, 95 % interval"), "the ROC curve's caption");
        assert!(page.contains("1 of 1 mistakes among 4 images"));
    }

    #[test]
    fn a_set_without_images_has_a_page_that_says_so() {
        let page = written(&EvaluationPage {
            facts: &[],
            classes: ["cat", "dog"],
            assessment: &Assessment::new(&[], &[], &[], 0.5),
            labels: &[],
            probabilities: &[],
            mistakes: &[],
            all_mistakes: 0,
        });
        assert!(page.contains("No mistake among 0 images.") && page.contains("ROC curve: undefined, no image."));
        assert!(!page.contains("NaN"));
    }
}
