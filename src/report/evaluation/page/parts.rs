//! What the page is made of, whatever the number of classes.

use crate::classes::Label;
use crate::metrics::{Calibration, Judged};
use crate::report::evaluation::{MeasureRow, RELIABILITY_HEADING, reliability_rows};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, html};

/// The content of the page.
pub struct EvaluationPage<'a> {
    /// Facts about the evaluation, such as which model it is of: a name and a sentence each.
    pub facts: &'a [(&'static str, String)],
    /// The names of the classes, in order.
    pub classes: &'a [&'a str],
    /// The measures.
    pub judged: &'a Judged,
    /// The label of each image.
    pub labels: &'a [Label],
    /// Of two classes the probability of the positive one, for each image.
    pub positives: &'a [f32],
    /// The mistakes that are shown: of two classes the worst first; of more those of each pair of classes
    /// together, the pair with the most mistakes first, and of each the worst first.
    pub mistakes: &'a [Mistake],
    /// The number of mistakes in all.
    pub all_mistakes: usize,
}

/// An image that was taken for another class.
#[derive(Clone, Debug, PartialEq)]
pub struct Mistake {
    /// The file, as the data set names it.
    pub file: String,
    /// Its class.
    pub label: Label,
    /// The class that it was taken for.
    pub answer: Label,
    /// Of two classes P(the positive one); of more P(the answer).
    pub probability: f32,
    /// A small copy of it ([`thumbnail`](crate::report::pictures::thumbnail)).
    pub jpeg: Vec<u8>,
}

/// A picture of the page: the PNG, its name, and its caption.
pub(super) struct Figure {
    pub png: Vec<u8>,
    pub name: &'static str,
    pub caption: String,
}

/// What the page says of the figures.
pub(super) struct Sections {
    pub measures: Markup,
    pub figures: Vec<Figure>,
    /// None where there is none to tell of.
    pub reliability: Option<Markup>,
    pub gallery: Markup,
    pub intervals: &'static str,
}

/// The table of measures.
pub(super) fn measures(rows: Vec<MeasureRow>) -> Markup {
    html! {
        div.table { table.measures {
            tr { th { "measure" } th.number { "value" } th.number { "95 % interval" } th {} }
            @for row in rows {
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

/// A table of figures, of which each row begins with a name.
pub(super) fn named_rows<const COLUMNS: usize>(heading: &[&str; COLUMNS], rows: &[[String; COLUMNS]]) -> Markup {
    html! {
        div.table { table {
            tr {
                @for (column, name) in heading.iter().enumerate() {
                    @if column == 0 { th { (name) } } @else { th.number { (name) } }
                }
            }
            @for row in rows {
                tr {
                    @for (column, cell) in row.iter().enumerate() {
                        @if column == 0 { td { (cell) } } @else { td.number { (cell) } }
                    }
                }
            }
        } }
    }
}

/// The reliability table.
pub(super) fn reliability(calibration: Option<&Calibration>) -> Markup {
    let rows = reliability_rows(calibration);
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

/// A mistake with its picture, in the gallery.
pub(super) fn mistake(page: &EvaluationPage, mistake: &Mistake) -> Markup {
    let [label, answer] = [mistake.label, mistake.answer].map(|label| page.classes[label.index()]);
    html! {
        figure {
            img alt=(mistake.file) src=(format!("data:image/jpeg;base64,{}", STANDARD.encode(&mistake.jpeg)));
            figcaption {
                b { (label) } " taken for " (answer) ", p = " (format!("{:.4}", mistake.probability))
                span.name { (mistake.file) }
            }
        }
    }
}
