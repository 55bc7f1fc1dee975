//! One cell forward: the sum that made it, and what the next layers made of it.

use super::number::{count, number};
use super::parts::ExplanationPage;
use super::sum::{Headings, Row, table};
use crate::explain::ulps;
use crate::layers::LayerKind;
use maud::{Markup, html};

/// The dot product of the cell in focus, beside what the engine has.
pub(super) fn worked(page: &ExplanationPage) -> Markup {
    let (moment, focus) = (page.moment, page.focus);
    let (name, cell) = (&moment.layers()[focus.layer].name, focus.cell);
    let of = format!("dot/{name}[{},{},{}]", cell.y, cell.x, cell.channel);
    let Some(dot) = moment.dot(focus.layer, focus.image, cell) else {
        return html! { p { "No layer of this network sums products." } };
    };
    let place = |product: &crate::explain::Product| match moment.layers()[focus.layer].kind {
        LayerKind::Dense(_) => format!("{}", product.from.channel),
        _ => {
            let (from, [ky, kx]) = (product.from, product.kernel);
            format!("{},{},{} under {ky},{kx}", from.y, from.x, from.channel)
        }
    };
    let rows = dot
        .products
        .iter()
        .map(|product| Row { place: place(product), factors: [f64::from(product.input), product.weight] });
    let engine = element(page, focus.layer);
    html! {
        p {
            "The value at " code { (cell.y) "," (cell.x) "," (cell.channel) } " (row, column, channel) of " code { (name) }
            " is a sum: each input under the kernel times the weight that lies on it, and the bias."
        }
        (table(
            &of,
            Headings { place: "input at", factors: ["input", "weight"] },
            rows.collect(),
            &[("bias", dot.bias)],
            "sum",
        ))
        p {
            "The engine has " (number(&format!("{of}/engine"), engine))
            @match ulps(dot.sum() as f32, engine) {
                Some(0) => " — the same number, to the last bit of single precision.",
                Some(steps) => {
                    ": " (count(&format!("{of}/ulps"), steps as usize))
                    " of the smallest steps of single precision away, as it adds in another order and rounds at each step."
                }
                None => ", which is not a number.",
            }
        }
        (followed(page))
    }
}

/// The engine's value of the cell in focus, in the output of a layer of the same shape.
fn element(page: &ExplanationPage, layer: usize) -> f32 {
    let output = page.moment.layers()[layer].output;
    page.moment.output(layer, page.focus.image)[page.focus.cell.element(output.sizes())]
}

/// What the layers behind made of the cell, up to the next that mixes cells.
fn followed(page: &ExplanationPage) -> Markup {
    let (moment, focus) = (page.moment, page.focus);
    let cell = focus.cell;
    let mut told = Vec::new();
    for (index, layer) in moment.layers().iter().enumerate().skip(focus.layer + 1) {
        let of = format!("output/{}[{},{},{}]", layer.name, cell.y, cell.x, cell.channel);
        match layer.kind {
            LayerKind::Relu(_) | LayerKind::LeakyRelu(_) | LayerKind::Dropout(_) => {
                let before = element(page, index - 1);
                let value = element(page, index);
                let why = match layer.kind {
                    LayerKind::Dropout(_) if value == 0.0 && before != 0.0 => "it was dropped in this step.",
                    LayerKind::Dropout(_) => "it was kept, and enlarged by as much as dropout takes on average.",
                    _ if before > 0.0 => "it is positive, and passes.",
                    LayerKind::Relu(_) => "it is not positive: the ReLU is shut, and no gradient will pass it either.",
                    _ => "it is not positive, and a share of it passes.",
                };
                told.push(html! {
                    li { code { (layer.name) } " makes " (number(&of, value)) " of it: " (why) }
                });
            }
            LayerKind::MaxPool(_) => {
                let taken = moment.window_that_took(index, focus.image, cell.element(layer.input.sizes()));
                told.push(html! {
                    li {
                        code { (layer.name) } @if taken.is_some() {
                            " takes it: it is the largest of its window, and all of the window's gradient will come back to it."
                        } @else {
                            " leaves it out: another cell of its window is larger, and this one will get no gradient."
                        }
                    }
                });
                break;
            }
            _ => break,
        }
    }
    html! { @if !told.is_empty() { ul { @for line in told { (line) } } } }
}
