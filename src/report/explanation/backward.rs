//! The way back: where the gradient is zero and why, and what one cell's gradient is made of.

use super::number::{count, number};
use super::parts::ExplanationPage;
use crate::explain::{Cell, ZeroCause, Zeros, ulps};
use maud::{Markup, html};

/// The name of a cause in the name of a number.
pub(super) fn cause_name(cause: ZeroCause) -> &'static str {
    match cause {
        ZeroCause::Pool => "pool",
        ZeroCause::Relu => "relu",
        ZeroCause::Dropout => "dropout",
        ZeroCause::Behind => "behind",
        ZeroCause::Padding => "padding",
        ZeroCause::Input => "input",
    }
}

/// Zeros, most first, each with its cause in words; their numbers are called `of` and the cause.
pub(super) fn zeros(of: &str, zeros: &Zeros) -> Markup {
    html! {
        ul {
            @for (cause, number) in zeros.counted() {
                li { (count(&format!("{of}/{}", cause_name(cause)), number)) " " (cause.in_words()) }
            }
        }
    }
}

/// The zeros in the gradient of the focused layer, and the patches of the input cell below the focused one.
pub(super) fn worked(page: &ExplanationPage) -> Markup {
    let (moment, focus) = (page.moment, page.focus);
    let layer = &moment.layers()[focus.layer];
    let gradients = moment.grad_output(focus.layer, focus.image);
    let mut counted = Zeros::default();
    for (element, _) in gradients.iter().enumerate().filter(|(_, gradient)| **gradient == 0.0) {
        counted.add(moment.cause_of_zero(focus.layer, focus.image, element));
    }
    html! {
        p {
            "At the output of " code { (layer.name) } " the gradient is zero at " (count(&format!("zeros/{}", layer.name), counted.total()))
            " of " (count(&format!("values/{}", layer.name), gradients.len())) " cells, and each has its reason, the first "
            "that the gradient meets on its way back:"
        }
        (zeros(&format!("causes/{}", layer.name), &counted))
        (patches(page))
    }
}

/// The input cell of the largest product of the focused sum, and what comes back to it.
fn patches(page: &ExplanationPage) -> Markup {
    let (moment, focus) = (page.moment, page.focus);
    let layer = &moment.layers()[focus.layer];
    let products = moment.dot(focus.layer, focus.image, focus.cell).map(|dot| dot.products).unwrap_or_default();
    let largest = products.iter().max_by(|a, b| a.value().abs().total_cmp(&b.value().abs()));
    let cell = largest.map_or(Cell { y: 0, x: 0, channel: 0 }, |product| product.from);
    let Some(patches) = moment.patches(focus.layer, focus.image, cell) else {
        return html! {
            p { "A dense layer sends to each of its inputs the sum, over its units, of their gradients times the weights between." }
        };
    };
    let of = format!("patches/{}[{},{},{}]", layer.name, cell.y, cell.x, cell.channel);
    let sum: f64 = patches.iter().map(|patch| patch.sum).sum();
    let engine = moment.grad_input(focus.layer, focus.image)[cell.element(layer.input.sizes())];
    html! {
        p {
            "The input at " code { (cell.y) "," (cell.x) "," (cell.channel) } " of this layer lay under the kernel at "
            (count(&format!("{of}/count"), patches.len())) " positions. From each comes what its outputs' gradients send "
            "back through the weight that lay on it, and the parts add up:"
        }
        div.table { table {
            thead { tr { th { "position" } th { "kernel cell" } th.number { "Σ ∂L/∂output · weight" } } }
            tbody {
                @for (rank, patch) in patches.iter().enumerate() {
                    tr {
                        td { code { (patch.position[0]) "," (patch.position[1]) } }
                        td { code { (patch.kernel[0]) "," (patch.kernel[1]) } }
                        td.number { (number(&format!("{of}/part[{rank}]"), patch.sum)) }
                    }
                }
                tr.total { td colspan="2" { "∂L/∂input" } td.number { (number(&format!("{of}/sum"), sum)) } }
            }
        } }
        p {
            "The engine has " (number(&format!("{of}/engine"), engine))
            @if let Some(steps) = ulps(sum as f32, engine) {
                ", " (count(&format!("{of}/ulps"), steps as usize)) " of the smallest steps of single precision away"
            }
            "."
        }
    }
}
