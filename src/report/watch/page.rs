//! A training as one HTML page, `report.html`: it holds its pictures, has no script, and asks nothing of any
//! network.

mod chart;
mod histograms;
mod tables;

use crate::Result;
use crate::files::write_whole;
use crate::report::evaluation::page::{EvaluationPage, SECURITY_POLICY, STYLE, judged};
use crate::report::head::head;
use crate::training::EpochRecord;
use crate::training::watch::WatchRow;
use chart::{Chart, Series};
use maud::{DOCTYPE, Markup, html};
use std::path::Path;

/// The content of the page.
pub struct TrainingPage<'a> {
    /// Facts about the run: a name and a sentence each.
    pub facts: &'a [(&'static str, String)],
    /// What stands out, in sentences, the worst first.
    pub findings: &'a [String],
    /// The epochs that have ended.
    pub epochs: &'a [EpochRecord],
    /// The loss of always answering the shares that the classes have in training.
    pub constant_loss: Option<f64>,
    /// The accuracy of always answering the class that is most frequent in training.
    pub constant_accuracy: Option<f64>,
    /// The rows of `watch.csv`.
    pub rows: &'a [WatchRow],
    /// The answers to the validation images, if there are some.
    pub answers: Option<&'a EvaluationPage<'a>>,
}

/// Writes the page. All its names are shown as they are, whatever they hold.
///
/// # Errors
/// [`crate::Error::Io`] names the file if a picture cannot be drawn or the page not written.
pub fn write_training_page(path: &Path, page: &TrainingPage) -> Result<()> {
    let answers = page.answers.map(|answers| judged(path, answers)).transpose()?;
    let style = format!("{STYLE}{}", include_str!("page.css"));
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            (head("glassnet train --watch", SECURITY_POLICY, &[&style]))
            body {
                h1 { "Training" }
                p.disclaimer { "Not for diagnosis." }
                dl { @for (name, fact) in page.facts { dt { (name) } dd { (fact) } } }
                h2 { "What stands out" }
                (findings(page.findings))
                h2 { "Curves" }
                (curves(page))
                (tables::layers(page.rows))
                (histograms::section(page.rows))
                @if let Some(answers) = answers {
                    h2 { "Validation" }
                    (answers)
                } @else {
                    h2 { "Validation" }
                    p { "There are no answers to validation images." }
                }
            }
        }
    };
    write_whole(path, markup.into_string().as_bytes())
}

fn findings(findings: &[String]) -> Markup {
    html! {
        @if findings.is_empty() {
            p { "Nothing: updates and gradients are of usual sizes, and no layer is mostly dead." }
        } @else {
            ul.findings { @for finding in findings { li { (finding) } } }
        }
    }
}

/// Loss, accuracy, the norm of all gradients and the ratio of all updates by epoch, as charts and as a table.
fn curves(page: &TrainingPage) -> Markup {
    let EpochCurves { losses, accuracies, gradients, ratios } = EpochCurves::new(page);
    html! {
        div.charts { (losses.markup()) (accuracies.markup()) (gradients.markup()) (ratios.markup()) }
        p.notes {
            "Blue: training, while weights were still moving, with dropout. Orange, dashed: validation, after each epoch. Grey, dotted: \
             a constant answer: the shares of the classes, or the most frequent one."
        }
        (tables::epochs(page.epochs, page.rows))
    }
}

/// The charts by epoch.
struct EpochCurves<'a> {
    losses: Chart<'a>,
    accuracies: Chart<'a>,
    gradients: Chart<'a>,
    ratios: Chart<'a>,
}

impl<'a> EpochCurves<'a> {
    fn new(page: &'a TrainingPage) -> EpochCurves<'a> {
        let of_epochs = |value: fn(&EpochRecord) -> Option<f64>| page.epochs.iter().map(value).collect::<Vec<_>>();
        let constant = |value: Option<f64>| page.epochs.iter().map(|_| value).collect::<Vec<_>>();
        let of_all = |tensor: &str, value: fn(&WatchRow) -> Option<f64>| {
            let rows = page.rows.iter().filter(|row| row.layer == "all" && row.tensor == tensor);
            rows.map(value).collect::<Vec<_>>()
        };
        let series = |name: &'static str, class: &'static str, values| Series { name, class, values };
        EpochCurves {
            losses: Chart::new(
                "loss",
                vec![
                    series("training", "training", of_epochs(|record| Some(record.loss))),
                    series("validation", "validation", of_epochs(|record| record.val_loss)),
                    series("constant answer", "constant", constant(page.constant_loss)),
                ],
            ),
            accuracies: Chart::of_shares(
                "accuracy",
                vec![
                    series("training", "training", of_epochs(|record| Some(record.accuracy))),
                    series("validation", "validation", of_epochs(|record| record.val_accuracy)),
                    series("constant answer", "constant", constant(page.constant_accuracy)),
                ],
            ),
            gradients: Chart::new(
                "norm of all gradients",
                vec![series("mean over the steps", "training", of_all("grad", |row| Some(row.norm)))],
            ),
            ratios: Chart::new(
                "update / weights",
                vec![series("mean over the steps", "training", of_all("update", |row| row.ratio))],
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::watch::table::testing::row;
    use crate::training::keras_run::HISTORY;

    const EVIL: &str = "<script>alert('a')</script>";

    fn written(page: &TrainingPage) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.html");
        write_training_page(&path, page).unwrap();
        std::fs::read_to_string(path).unwrap()
    }

    fn rows() -> Vec<WatchRow> {
        (0..2)
            .flat_map(|epoch| {
                [
                    row(epoch, "conv2d", "output"),
                    row(epoch, "conv2d", "grad_output"),
                    row(epoch, "conv2d", "kernel"),
                    row(epoch, "conv2d", "grad_kernel"),
                    WatchRow { ratio: Some(0.002), ratio_max: Some(0.004), ..row(epoch, "conv2d", "update_kernel") },
                    WatchRow { units: Some(8), dead: Some(vec![2, 5]), ..row(epoch, "re_lu", "output") },
                    row(epoch, "all", "grad"),
                    WatchRow { ratio: Some(0.001), ratio_max: Some(0.001), ..row(epoch, "all", "update") },
                ]
            })
            .collect()
    }

    #[test]
    fn the_page_asks_for_nothing_runs_nothing_and_shows_names_as_they_are() {
        let rows = rows();
        let page = written(&TrainingPage {
            facts: &[("Data", EVIL.to_string())],
            findings: &[EVIL.to_string()],
            epochs: &HISTORY,
            constant_loss: Some(0.5),
            constant_accuracy: Some(0.75),
            rows: &rows,
            answers: None,
        });
        for forbidden in ["<script", "http://", "https://", "<link", "url(", "@import", "onload", "onclick"] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
        assert_eq!(page.matches("&lt;script&gt;alert(").count(), 2);
        assert!(page.contains("default-src 'none'") && page.contains("prefers-color-scheme: dark"));
        assert!(page.contains("There are no answers to validation images."));
        // Every picture says what it is to those who do not see it.
        assert_eq!(page.matches("<svg").count(), page.matches("<title>").count() - 1);
        assert!(page.matches("<svg").count() > 10);
    }

    #[test]
    fn the_tables_have_the_figures_of_the_last_epoch() {
        let rows = rows();
        let page = written(&TrainingPage {
            facts: &[],
            findings: &[],
            epochs: &HISTORY[..2],
            constant_loss: None,
            constant_accuracy: None,
            rows: &rows,
            answers: None,
        });
        assert!(page.contains("Nothing: updates and gradients are of usual sizes"));
        for text in ["2.00e-3", "usual", "2 of 8", "units 2 and 5", "50.0 %", "conv2d/kernel", "3.33e-1"] {
            assert!(page.contains(text), "{text}: {page}");
        }
    }

    #[test]
    fn a_training_of_which_no_epoch_ended_has_a_page_too() {
        let page = written(&TrainingPage {
            facts: &[],
            findings: &[],
            epochs: &[],
            constant_loss: None,
            constant_accuracy: None,
            rows: &[],
            answers: None,
        });
        assert!(page.contains("No step was measured."));
    }
}
