//! A training step, explained on one page: it holds its numbers, pictures and scripts, and asks nothing of
//! any network.
//!
//! What a section says stands there in plain HTML for one case, for a reader without scripts, on paper, or
//! with a screen reader; beside it the scripts of [`glass`] show the reader's own.
//! Every number of the plain part is a `data` element that names what it is of (the file `number`).

mod backward;
mod forward;
mod loss;
mod network;
mod number;
mod parts;
mod sum;
mod weight;

pub use number::shown;
pub use parts::{ExplanationPage, Picture};

use super::glass;
use crate::Result;
use crate::files::write_whole;
use crate::report::head::head;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use std::path::Path;

/// The sections: the names of their ids, which the scripts know, and their titles.
const SECTIONS: [(&str, &str); 6] = [
    ("network", "The network"),
    ("maps", "What every layer sees"),
    ("forward", "Forward: one cell is one sum"),
    ("loss", "The loss, and where the way back begins"),
    ("backward", "Backward: where the gradient goes, and where it ends"),
    ("weight", "One weight: its chain rule, summed, and its step"),
];

/// Writes the page. All its names are shown as they are, whatever they hold.
///
/// # Errors
/// [`crate::Error::Io`] names the file if it cannot be written.
pub fn write_explanation_page(path: &Path, page: &ExplanationPage) -> Result<()> {
    write_whole(path, explanation_page(page).as_bytes())
}

/// The policy of a page that asks for nothing: what it runs is its own.
const SECURITY_POLICY: &str =
    "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// Returns the page as HTML.
pub fn explanation_page(page: &ExplanationPage) -> String {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            (head("glassnet explain", SECURITY_POLICY, &[glass::STYLE, include_str!("page.css")]))
            body {
                a.skip href="#network" { "Skip to the network" }
                header {
                    h1 { "One training step, explained" }
                    p.disclaimer { "Not for diagnosis." }
                    dl.facts { @for (name, fact) in page.facts { dt { (name) } dd { (fact) } } }
                    nav aria-label="Sections" {
                        @for (id, title) in SECTIONS { a href=(format!("#{id}")) { (title) } " " }
                    }
                }
                main {
                    (section(0, network::worked(page)))
                    (section(1, pictures(page)))
                    (section(2, forward::worked(page)))
                    (section(3, loss::worked(page)))
                    (section(4, backward::worked(page)))
                    (section(5, weight::worked(page)))
                }
                script type="application/json" id="bundle" { (PreEscaped(glass::in_script(&page.bundle.header.to_string()))) }
                script type="text/plain" id="bytes" { (PreEscaped(STANDARD.encode(&page.bundle.bytes))) }
                @for (_, script) in glass::SCRIPTS { script { (PreEscaped(script)) } }
                script { (PreEscaped(include_str!("page.js"))) }
            }
        }
    };
    markup.into_string()
}

fn section(number: usize, worked: Markup) -> Markup {
    let (id, title) = SECTIONS[number];
    html! {
        section id=(id) {
            h2 { (title) }
            div.view data-view=(id) {}
            div.worked { (worked) }
        }
    }
}

fn pictures(page: &ExplanationPage) -> Markup {
    html! {
        p {
            "Blue is below zero, orange above, white is zero; the strongest colour of a picture is its largest value. "
            "Where the answer comes from is of a prediction, without dropout; all else is of the training step."
        }
        div.figures {
            @for picture in page.pictures {
                figure {
                    img alt=(picture.name) src=(format!("data:image/png;base64,{}", STANDARD.encode(&picture.png)));
                    figcaption { b { (picture.name) } " " (picture.caption) }
                }
            }
        }
    }
}
