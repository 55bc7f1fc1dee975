//! The loss, and the gradient with which the way back begins.

use super::number::{number, probability};
use super::parts::ExplanationPage;
use maud::{Markup, html};

/// Logits, probabilities and ∂L/∂z of every image.
pub(super) fn worked(page: &ExplanationPage) -> Markup {
    let moment = page.moment;
    let (head, labels) = (moment.head(), moment.snapshot.labels());
    let last = moment.layers().len() - 1;
    html! {
        p {
            @if head.units() == 1 {
                "The network ends with one number, the logit z, and " code { "p = 1/(1 + e⁻ᶻ)" } " is its probability of "
                b { (moment.classes[1]) } ". The loss of an image is −ln p where it is of that class, else " code { "−ln(1 − p)" } "; the loss L "
                "of the batch is the mean. Its derivative by z is (p − y)/N: the answer minus the truth."
            } @else {
                "The network ends with a logit z for each class; p = eᶻ/Σeᶻ are its probabilities. The loss of an image is "
                "−ln p of its own class; the loss L of the batch is the mean. Its derivative by each z is (p − y)/N: the "
                "answer minus the truth."
            }
            @if moment.label_smoothing > 0.0 { " The labels are smoothed." }
            @if !moment.class_weights.as_slice().is_empty() { " Every image counts by the weight of its class." }
        }
        div.table { table {
            thead { tr {
                th { "image" } th { "it is" } th { "logit of" } th.number { "z" } th.number { "p" } th.number { "∂L/∂z" }
                th.number { "loss" }
            } }
            tbody {
                @for image in 0..moment.count() {
                    @let logits = moment.logits(image);
                    @let probabilities: Vec<f32> = head.probabilities(logits).collect();
                    @let shown = shown_units(&probabilities, labels[image].index());
                    @for (row, unit) in shown.iter().copied().enumerate() {
                        tr {
                            td { @if row == 0 { code { (moment.names[image]) } } }
                            td { @if row == 0 { (moment.classes[labels[image].index()]) } }
                            td { (moment.classes[if head.units() == 1 { 1 } else { unit }]) }
                            td.number { (number(&format!("logit/{image}[{unit}]"), logits[unit])) }
                            td.number { (probability(&format!("probability/{image}[{unit}]"), probabilities[unit])) }
                            td.number { (number(&format!("grad_logit/{image}[{unit}]"), moment.grad_output(last, image)[unit])) }
                            td.number { @if row == 0 { (number(&format!("loss/{image}"), moment.loss_of(image))) } }
                        }
                    }
                }
                tr.total {
                    td colspan="6" { "L, the mean" }
                    td.number { (number("loss", moment.snapshot.loss())) }
                }
            }
        } }
    }
}

/// The logits that are shown: of few classes all, of many the true one and the three most probable.
fn shown_units(probabilities: &[f32], label: usize) -> Vec<usize> {
    const FEW: usize = 4;
    let mut units: Vec<usize> = (0..probabilities.len()).collect();
    if units.len() > FEW {
        units.sort_by(|&a, &b| {
            (b == label).cmp(&(a == label)).then(probabilities[b].total_cmp(&probabilities[a])).then(a.cmp(&b))
        });
        units.truncate(FEW);
    }
    units
}
