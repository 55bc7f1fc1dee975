//! The network as a table: the way forward, and what comes back.

use super::number::count;
use super::parts::ExplanationPage;
use crate::layers::LayerKind;
use maud::{Markup, html};

/// All layers: what each makes of its input, and how much of the gradient that comes back to it is 0.
pub(super) fn worked(page: &ExplanationPage) -> Markup {
    let (moment, image) = (page.moment, page.focus.image);
    let entries = moment.network.table().entries();
    html! {
        p {
            "The image goes down this table, layer by layer, and the gradient of the loss comes up again. At every layer "
            "stands how many values its output has, and at how many of them the gradient is exactly zero: there the "
            "weights before it learn nothing from this image."
        }
        div.table { table {
            thead { tr {
                th { "layer" } th { "what it is" } th.number { "output" } th.number { "values" } th.number { "gradient zero at" }
                th.number { "weights" }
            } }
            tbody {
                @for (index, layer) in moment.layers().iter().enumerate() {
                    @let zeros = moment.grad_output(index, image).iter().filter(|g| **g == 0.0).count();
                    @let weights: usize = entries[layer.tensors.clone()].iter().map(|entry| entry.range.len()).sum();
                    tr {
                        td { code { (layer.name) } }
                        td { (in_words(&layer.kind)) }
                        td.number { code { (layer.output) } }
                        td.number { (count(&format!("values/{}", layer.name), layer.output.len())) }
                        td.number { (count(&format!("zeros/{}", layer.name), zeros)) }
                        td.number { @if weights > 0 { (count(&format!("weights/{}", layer.name), weights)) } }
                    }
                }
            }
        } }
    }
}

fn in_words(kind: &LayerKind) -> &'static str {
    match kind {
        LayerKind::Conv2d(_) => "convolution: each filter slides over the image and sums",
        LayerKind::DepthwiseConv2d(_) => "convolution of each channel by itself",
        LayerKind::MaxPool(_) => "the largest value of each window",
        LayerKind::AveragePool(_) => "the mean of each window",
        LayerKind::GlobalAveragePool(_) => "the mean of each channel",
        LayerKind::Relu(_) => "what is below zero becomes zero",
        LayerKind::LeakyRelu(_) => "what is below zero shrinks",
        LayerKind::Flatten(_) => "the same values in one row",
        LayerKind::Dense(_) => "each unit sums over all inputs",
        LayerKind::Dropout(_) => "some values are dropped, drawn anew each step",
        LayerKind::BatchNormalization(_) => "each channel gets a mean and a deviation that are learned",
    }
}
