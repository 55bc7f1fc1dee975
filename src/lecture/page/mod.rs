//! The page of a lecture: a shell, whose script asks the server for all that it shows.

use crate::lecture::engine::Subject;
use crate::lecture::stops::VIEWS;
use crate::report::glass;
use maud::{DOCTYPE, html};
use std::sync::LazyLock;

/// The titles of the sections, in the order of [`VIEWS`].
const TITLES: [&str; VIEWS.len()] = [
    "The network",
    "What every layer sees",
    "Forward: one cell is one sum",
    "The loss, and where the way back begins",
    "Backward: where the gradient goes, and where it ends",
    "One weight: its chain rule, summed, and its step",
];

/// Returns the page. The token lets its parts, and what its script asks for, through the guard.
pub fn shell(token: &str, subject: &Subject) -> String {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="token" content=(token);
                title { "glassnet lecture" }
                link rel="stylesheet" href=(format!("/lecture.css?token={token}"));
                link rel="icon" href="data:,";
                script defer src=(format!("/lecture.js?token={token}")) {}
            }
            body.lecture {
                a.skip href="#network" { "Skip to the network" }
                header {
                    h1 { "glassnet lecture" }
                    p.disclaimer { (subject.data) ". Not for diagnosis." }
                    noscript { p { "This page asks the program for what it shows, by a script; without one, glassnet explain makes a page that can be read." } }
                }
                div #desk {
                    div #where {
                        p #position aria-live="polite" { "The first step is being taken …" }
                        ol #phases aria-label="Phases of the step" {}
                    }
                    div #controls role="toolbar" aria-label="Movements" {
                        button data-do="back_batch" { "⇤ batch" }
                        button data-do="back_phase" { "← phase" }
                        button data-do="play" aria-pressed="false" { "play" }
                        button data-do="phase" { "phase →" }
                        button data-do="batch" { "batch ⇥" }
                        label { "image " select #image {} }
                        button data-do="save" { "save this moment" }
                        button data-do="large" { "projector" }
                        button data-do="keys" { "keys " kbd { "?" } }
                        p #message role="status" aria-live="polite" {}
                    }
                }
                div #columns {
                    div #side {
                        section #stop hidden aria-live="polite" {}
                        section #curve-section {
                            h2 { "The loss so far" }
                            figure #curve {}
                        }
                        section #step-section {
                            h2 { "This step" }
                            dl #losses {}
                            form #rate-form {
                                label { "learning rate " input #rate inputmode="decimal" autocomplete="off" size="8"; }
                                button { "set" }
                            }
                            form #weight-form {
                                label { "weight " input #weight-name autocomplete="off" spellcheck="false" size="24"; }
                                label { "= " input #weight-value inputmode="decimal" autocomplete="off" size="9"; }
                                button { "set" }
                            }
                            form #go-form {
                                label { "to step " input #go-step inputmode="numeric" autocomplete="off" size="5"; }
                                button { "go" }
                            }
                            div #edits {}
                        }
                    }
                    main {
                        @for (id, title) in VIEWS.iter().zip(TITLES) {
                            section id=(id) {
                                h2 { (title) }
                                div.view data-view=(id) {}
                            }
                        }
                    }
                }
            }
        }
    };
    markup.into_string()
}

/// Returns the scripts in one: those that all pages have, and the lecture's own.
pub fn script() -> &'static str {
    static SCRIPT: LazyLock<String> = LazyLock::new(|| {
        let mut all = String::new();
        for (name, script) in glass::SCRIPTS {
            all.push_str(&format!("// {name}\n{script}\n"));
        }
        all + include_str!("lecture.js")
    });
    &SCRIPT
}

/// Returns the style in one.
pub fn style() -> &'static str {
    static STYLE: LazyLock<String> = LazyLock::new(|| format!("{}\n{}", glass::STYLE, include_str!("lecture.css")));
    &STYLE
}
