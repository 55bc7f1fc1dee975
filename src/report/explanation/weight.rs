//! One weight: the terms of its gradient, the images' shares, the optimizer's step, and what it did to the
//! loss.

use super::backward::zeros;
use super::number::{count, number};
use super::parts::ExplanationPage;
use super::sum::{Headings, Row, table};
use crate::explain::{RuleNumbers, Term, Update, promised, ulps};
use crate::optim::{Clipping, Rule};
use maud::{Markup, html};

/// The chain rule of the focused weight.
pub(super) fn worked(page: &ExplanationPage) -> Markup {
    let (moment, focus) = (page.moment, page.focus);
    let weight = &focus.weight;
    let chain = moment.chain(weight, focus.image);
    let of = format!("chain/{weight}/{}", focus.image);
    let width = moment.layers()[weight.layer].output.sizes()[1];
    let place = |term: &Term| match width {
        1 => term.position[0].to_string(),
        _ => format!("{},{}", term.position[0], term.position[1]),
    };
    let rows =
        chain.terms.iter().map(|term| Row { place: place(term), factors: [term.input, f64::from(term.gradient)] });
    html! {
        p {
            "The weight " code { (weight) } " was used at " (count(&format!("{of}/count"), chain.terms.len()))
            " positions of this image. At each, the loss changes with it by the input there times the gradient of the "
            "output there. The gradient of a weight is the sum of all these: that is the chain rule, once a position."
        }
        (table(
            &of,
            Headings { place: "position", factors: ["input", "∂L/∂output"] },
            rows.collect(),
            &[],
            "this image's share of ∂L/∂w",
        ))
        @if chain.zeros.total() > 0 {
            p { "Terms that are exactly zero, by their reason:" }
            (zeros(&format!("{of}/zeros"), &chain.zeros))
        }
        (batch(page))
        (step(page))
        (losses(page))
    }
}

/// The shares of the batch's images, as bars.
fn batch(page: &ExplanationPage) -> Markup {
    let moment = page.moment;
    let weight = &page.focus.weight;
    let shares = moment.shares(weight);
    let sum: f64 = shares.iter().sum();
    let largest = shares.iter().map(|share| share.abs()).fold(0.0, f64::max);
    let update = moment.update(weight);
    html! {
        h3 { "The batch" }
        div.table { table {
            thead { tr { th { "image" } th.number { "its share" } th {} } }
            tbody {
                @for (image, share) in shares.iter().enumerate() {
                    tr {
                        td { code { (moment.names[image]) } }
                        td.number { (number(&format!("share/{image}/{weight}"), *share)) }
                        td { (bar(*share, largest)) }
                    }
                }
                tr.total { td { "∂L/∂w" } td.number { (number(&format!("shares/{weight}"), sum)) } td {} }
            }
        } }
        p {
            "The engine has " (number(&format!("gradient/{weight}"), update.gradient))
            @if let Some(steps) = ulps(sum as f32, update.gradient) {
                ", " (count(&format!("shares/{weight}/ulps"), steps as usize)) " of the smallest steps of single precision away"
            }
            ". The mean over the batch is in the shares already: each image's gradient begins as (p − y)/N."
        }
    }
}

/// A bar as an inline picture: to the left below zero, to the right above.
fn bar(share: f64, largest: f64) -> Markup {
    let length = if largest > 0.0 { share.abs() / largest * 50.0 } else { 0.0 };
    let (x, class) = if share < 0.0 { (50.0 - length, "bar down") } else { (50.0, "bar up") };
    html! {
        svg.shares viewBox="0 0 100 8" width="160" height="13" aria-hidden="true" {
            rect class=(class) x=(format!("{x:.2}")) y="1" width=(format!("{length:.2}")) height="6" {}
            line x1="50" x2="50" y1="0" y2="8" {}
        }
    }
}

/// The optimizer's step.
fn step(page: &ExplanationPage) -> Markup {
    let (moment, weight) = (page.moment, &page.focus.weight);
    let update = moment.update(weight);
    let of = |what: &str| format!("update/{weight}/{what}");
    let facts = moment.snapshot.facts();
    html! {
        h3 { "The step" }
        @if moment.optimizer.clipping != Clipping::None {
            p { "Clipping left " (number(&of("used"), update.used)) " of the gradient." }
        }
        @match (update.rule, moment.optimizer.rule) {
            (RuleNumbers::Adam { before: [m, v], after: [new_m, new_v], alpha }, Rule::Adam(constants)) => {
                p {
                    "Adam keeps a mean of the gradient, m, and of its square, v, of which a part stays each step: "
                    "β₁ = " (number(&of("beta_1"), constants.beta_1)) ", β₂ = " (number(&of("beta_2"), constants.beta_2))
                    ". This is step " (count(&of("t"), facts.step as usize)) "."
                }
                div.table { table { tbody {
                    (row("m before", number(&of("m"), m)))
                    (row("m ← m + (g − m)(1 − β₁)", number(&of("new_m"), new_m)))
                    (row("v before", number(&of("v"), v)))
                    (row("v ← v + (g² − v)(1 − β₂)", number(&of("new_v"), new_v)))
                    (row("α = learning rate · √(1 − β₂ᵗ) / (1 − β₁ᵗ)", number(&of("alpha"), alpha)))
                    (moved(&update, weight.to_string().as_str(), "w ← w − α·m / (√v + ε)"))
                } } }
            }
            (RuleNumbers::Sgd { before, after }, _) => {
                p { "Gradient descent goes against the gradient, as far as the learning rate says" @if before.is_some() { ", and keeps a part of its velocity" } "." }
                div.table { table { tbody {
                    (row("learning rate", number(&of("learning_rate"), moment.snapshot.learning_rate())))
                    @if let Some(before) = before {
                        (row("velocity before", number(&of("velocity"), before)))
                        (row("velocity ← momentum · velocity − learning rate · g", number(&of("new_velocity"), after)))
                    }
                    (moved(&update, weight.to_string().as_str(), "w after"))
                } } }
            }
            _ => {}
        }
        p {
            "The engine has " (number(&format!("after/{weight}"), update.after))
            @if let Some(steps) = ulps(update.computed as f32, update.after) {
                ", " (count(&of("ulps"), steps as usize)) " of the smallest steps of single precision away"
            }
            "."
        }
    }
}

fn row(name: &str, value: Markup) -> Markup {
    html! { tr { th scope="row" { (name) } td.number { (value) } } }
}

/// The rows that all rules end with.
fn moved(update: &Update, weight: &str, formula: &str) -> Markup {
    let of = |what: &str| format!("update/{weight}/{what}");
    html! {
        (row("w before", number(&format!("before/{weight}"), update.before)))
        @if update.decay != 0.0 { (row("weight decay takes", number(&of("decay"), update.decay))) }
        tr.total { th scope="row" { (formula) } td.number { (number(&of("computed"), update.computed)) } }
    }
}

/// The loss before the step, what the gradients promised, and what came.
fn losses(page: &ExplanationPage) -> Markup {
    let moment = page.moment;
    let (before, promise, after) = (moment.snapshot.loss(), promised(moment.snapshot), moment.loss_after);
    html! {
        h3 { "What the step did" }
        p {
            "All weights moved together. Were the loss a plane, it would change by Σ g·Δw; it is not, and the farther a step, "
            "the less it is."
        }
        div.table { table { tbody {
            (row("loss before", number("loss", before)))
            (row("promised change, Σ g·Δw", number("loss_promised", promise)))
            (row("loss promised", number("loss_promised_after", before + promise)))
            tr.total { td { "loss after, same images, same dropout" } td.number { (number("loss_after", after)) } }
        } } }
        p {
            @if after < before && before + promise <= after { "It fell, by less than promised." }
            @else if after < before { "It fell, by more than promised." }
            @else { "It did not fall: the step was too long for this loss." }
        }
    }
}
