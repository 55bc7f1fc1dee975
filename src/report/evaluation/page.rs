//! An evaluation as one HTML page: it holds its pictures, has no script, and asks nothing of any network.

mod labels;
mod parts;
mod several;
mod two;

pub use parts::{EvaluationPage, Mistake};

use super::INDEPENDENCE_NOTE;
use crate::Result;
use crate::files::write_whole;
use crate::metrics::Judged;
use crate::report::head::head;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, html};
use parts::{Figure, Sections};
use std::path::Path;

/// The policy of a page that asks for nothing and runs nothing.
pub(in crate::report) const SECURITY_POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

/// The style of all pages.
pub(in crate::report) const STYLE: &str = include_str!("page.css");

/// Writes the page. All its names are shown as they are, whatever they hold.
///
/// # Errors
/// [`crate::Error::Io`] names the file if a picture cannot be drawn or the page not written.
pub fn write_evaluation_page(path: &Path, page: &EvaluationPage) -> Result<()> {
    let sections = sections(path, page)?;
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            (head("glassnet evaluate", SECURITY_POLICY, &[STYLE]))
            body {
                h1 { "Evaluation" }
                p.disclaimer { "Not for diagnosis." }
                dl { @for (name, fact) in page.facts { dt { (name) } dd { (fact) } } }
                h2 { "Measures" }
                (sections.measures)
                @if !sections.figures.is_empty() {
                    h2 { "Pictures" }
                    div.figures { @for figure in &sections.figures { (shown(figure)) } }
                }
                @if let Some(reliability) = sections.reliability {
                    h2 { "Reliability" }
                    (reliability)
                }
                h2 { "Worst mistakes" }
                (sections.gallery)
                p.notes { (sections.intervals) " " (INDEPENDENCE_NOTE) }
            }
        }
    };
    write_whole(path, markup.into_string().as_bytes())
}

fn sections(path: &Path, page: &EvaluationPage) -> Result<Sections> {
    match page.judged {
        Judged::Two(assessment) => two::sections(path, page, assessment),
        Judged::Several(assessment) => several::sections(path, page, assessment),
        Judged::Labels(assessment) => Ok(labels::sections(page, assessment)),
    }
}

/// Returns the measures, the confusion matrix with the other pictures, and the worst mistakes, for a page of
/// another kind. `path` is that page's.
///
/// # Errors
/// As [`write_evaluation_page`].
pub(in crate::report) fn judged(path: &Path, page: &EvaluationPage) -> Result<Markup> {
    let sections = sections(path, page)?;
    Ok(html! {
        (sections.measures)
        div.figures { @for figure in &sections.figures { (shown(figure)) } }
        h2 { "Worst mistakes" }
        (sections.gallery)
        p.notes { (sections.intervals) " " (INDEPENDENCE_NOTE) }
    })
}

fn shown(figure: &Figure) -> Markup {
    html! {
        figure {
            img alt=(figure.name) src=(format!("data:image/png;base64,{}", STANDARD.encode(&figure.png)));
            figcaption { (figure.caption) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classes::Label;
    use crate::head::Head;
    use crate::metrics::Assessment;
    use crate::metrics::multiclass::MulticlassAssessment;

    fn written(page: &EvaluationPage) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.html");
        write_evaluation_page(&path, page).unwrap();
        std::fs::read_to_string(path).unwrap()
    }

    const EVIL: &str = "<script src=\"http://evil\">\"'&";

    fn mistake(label: usize, answer: usize) -> Mistake {
        let [label, answer] = [label, answer].map(Label::new);
        Mistake { file: EVIL.to_string(), label, answer, probability: 0.9, jpeg: vec![1, 2, 3] }
    }

    /// Fails if a name breaks out of the page, or it needs something from outside.
    fn assert_closed(page: &str) {
        assert!(!page.contains("<script") && page.contains("&lt;script src=&quot;http://evil&quot;&gt;"));
        assert!(!page.contains("src=\"http") && !page.contains("href") && !page.contains("url("));
    }

    #[test]
    fn names_cannot_break_out_of_the_page_and_it_needs_nothing_from_outside() {
        let labels = [0, 0, 1, 1].map(Label::new);
        let probabilities = [0.1, 0.9, 0.8, 0.7];
        let page = written(&EvaluationPage {
            facts: &[("Data", EVIL.to_string())],
            classes: &[EVIL, "dog"],
            judged: &Judged::Two(Assessment::new(&labels, &probabilities, &[0.1, 2.3, 0.2, 0.4], 0.5)),
            labels: &labels,
            positives: &probabilities,
            mistakes: &[mistake(0, 1)],
            all_mistakes: 1,
        });
        assert_closed(&page);
        assert_eq!(page.matches("src=\"data:image/png;base64,").count(), 4);
        assert_eq!(page.matches("src=\"data:image/jpeg;base64,AQID\"").count(), 1);
        assert!(page.contains("area 0.5000, 95 % interval"), "the ROC curve's caption");
        assert!(page.contains("1 of 1 mistakes among 4 images"));
    }

    #[test]
    fn of_several_classes_each_has_a_row_and_the_mistakes_of_each_pair_stand_together() {
        let (labels, answers) = ([0, 0, 0, 1, 2].map(Label::new), [1, 1, 2, 1, 2].map(Label::new));
        let rows = answers.map(|answer| {
            let mut row = [0.25; 3];
            row[answer.index()] = 0.5;
            row
        });
        let assessment = MulticlassAssessment::new(3, &labels, &answers, rows.as_flattened(), &[1.0; 5]);
        let page = written(&EvaluationPage {
            facts: &[("Data", EVIL.to_string())],
            classes: &[EVIL, "dog", "hare"],
            judged: &Judged::Several(assessment),
            labels: &labels,
            positives: &[],
            mistakes: &[mistake(0, 1), mistake(0, 1), mistake(0, 2)],
            all_mistakes: 3,
        });
        assert_closed(&page);
        assert_eq!(page.matches("src=\"data:image/png;base64,").count(), 2);
        assert_eq!(page.matches("src=\"data:image/jpeg;base64,AQID\"").count(), 3);
        assert_eq!(page.matches("<h3>").count(), 2, "two pairs");
        assert!(page.contains("taken for dog: 2 of 3 images") && page.contains("taken for hare: 1 of 3 images"));
        assert!(page.contains("<td>hare</td>"));
    }

    #[test]
    fn of_several_labels_each_has_a_row_and_nothing_is_said_of_classes() {
        let sets = [vec![0], vec![], vec![0, 1]].map(|set| set.into_iter().map(Label::new).collect());
        let judged = Judged::of_labels(Head::of_labels(2), &sets, &[0.9, 0.1, 0.6, 0.2, 0.8, 0.7], &[0.5; 3], 0.5);
        let (facts, labels, positives, mistakes) = (&[], &[], &[], &[]);
        let classes: &[&str] = &[EVIL, "dog"];
        let page = EvaluationPage { facts, classes, judged: &judged, labels, positives, mistakes, all_mistakes: 0 };
        let page = written(&page);
        assert_closed(&page);
        assert!(page.contains("<td>dog</td>") && page.contains("1 of 3 images have a wrong answer to a label"));
        assert!(!page.contains("<h2>Pictures</h2>") && !page.contains("<h2>Reliability</h2>"));
    }

    #[test]
    fn a_set_without_images_has_a_page_that_says_so() {
        let empty = |classes: &[&str], judged: &Judged| {
            let (facts, labels, positives, mistakes) = (&[], &[], &[], &[]);
            written(&EvaluationPage { facts, classes, judged, labels, positives, mistakes, all_mistakes: 0 })
        };
        let page = empty(&["cat", "dog"], &Judged::Two(Assessment::new(&[], &[], &[], 0.5)));
        assert!(page.contains("No mistake among 0 images.") && page.contains("ROC curve: undefined, no image."));
        assert!(!page.contains("NaN"));
        let several = Judged::Several(MulticlassAssessment::new(3, &[], &[], &[], &[]));
        let page = empty(&["cat", "dog", "hare"], &several);
        assert!(page.contains("No mistake among 0 images.") && !page.contains("NaN"));
    }
}
