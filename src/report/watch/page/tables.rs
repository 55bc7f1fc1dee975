//! The tables of the page: epochs, updates, activations.

use super::chart::sparkline;
use crate::error::and;
use crate::report::watch::findings::RatioSize;
use crate::report::watch::rows::{beside, history, last_epoch};
use crate::report::watch::{number, percent};
use crate::training::EpochRecord;
use crate::training::watch::WatchRow;
use maud::{Markup, html};

/// The most dead units that are named.
const NAMED_UNITS: usize = 40;

/// The epochs, one a line.
pub(super) fn epochs(epochs: &[EpochRecord], rows: &[WatchRow]) -> Markup {
    let of_all = |epoch: usize, tensor: &str| {
        rows.iter().find(|row| (row.epoch, row.layer.as_str(), row.tensor.as_str()) == (epoch, "all", tensor))
    };
    let cell = |value: Option<f64>| value.map_or("–".to_string(), |value| format!("{value:.4}"));
    let short = |value: Option<f64>| value.map_or("–".to_string(), number);
    html! {
        details {
            summary { "The same as a table" }
            div.table { table {
                tr {
                    th.number { "epoch" }
                    @for name in ["loss", "accuracy", "val_loss", "val_accuracy", "all gradients: norm", "largest", "update / weights"] {
                        th.number { (name) }
                    }
                }
                @for record in epochs {
                    @let (gradient, update) = (of_all(record.epoch, "grad"), of_all(record.epoch, "update"));
                    tr {
                        td.number { (record.epoch + 1) }
                        td.number { (cell(Some(record.loss))) }
                        td.number { (cell(Some(record.accuracy))) }
                        td.number { (cell(record.val_loss)) }
                        td.number { (cell(record.val_accuracy)) }
                        td.number { (short(gradient.map(|row| row.norm))) }
                        td.number { (short(gradient.map(|row| row.norm_max))) }
                        td.number { (short(update.and_then(|row| row.ratio))) }
                    }
                }
            } }
        }
    }
}

/// The tables of updates and of activations, of the last epoch.
pub(super) fn layers(rows: &[WatchRow]) -> Markup {
    let Some(last) = rows.last() else {
        return html! { h2 { "Layers" } p { "No step was measured." } };
    };
    html! {
        h2 { "Gradients and updates" }
        p { "Epoch " (last.epoch + 1) ", over its " (last.steps) " steps; norms are Euclidean. The small curves show all epochs, each on a scale of its own." }
        (updates(rows))
        div.guide {
            p {
                "How to read " b { "update / weights" } ", the norm of what a step adds to a tensor against the tensor's own: about "
                b { "1e-3" } " is usual, and 1e-4 to 1e-2 nothing to worry about."
            }
            ul {
                li {
                    b { "Too large" } " (above 1e-1, or rising): each step overwrites what the ones before learned. The loss jumps, rises or stays \
                    at that of a constant answer, ReLU units die. Take a smaller learning rate, or clip the gradients. In the first \
                    steps of Adam 1e-2 to 1e-1 is usual, as every weight moves by about the learning rate."
                }
                li {
                    b { "Too small" } " (below 1e-5): the tensor stays what it was drawn as. If the gradient is of a usual size, the learning rate is too \
                    small; if the gradient itself shrinks from the last layer to the first by powers of ten, it vanishes on its way back."
                }
                li {
                    "A bias begins at 0, so its ratio is large at first and tells little. A gradient whose largest norm is many times its mean has \
                    spikes: an odd image, or a learning rate at the edge."
                }
            }
        }
        h2 { "Activations" }
        (activations(rows))
        p.notes {
            "Dead units were 0 in every place of every training image of the epoch: no gradient passes them, so they do not come back by \
             themselves. A few are usual; many come of steps that were too large, or of a bias far below 0."
        }
    }
}

/// A line for each tensor of weights that an optimizer moves.
fn updates(rows: &[WatchRow]) -> Markup {
    let clips = last_epoch(rows).any(|row| row.clipped_norm.is_some());
    let is_of_weights = |row: &&WatchRow| row.tensor.starts_with("grad_") && row.tensor != "grad_output";
    html! {
        div.table { table {
            tr {
                th { "tensor" }
                th.number { "update / weights" }
                th { "" }
                th { "by epoch" }
                th.number { "gradient" }
                th.number { "its largest" }
                @if clips { th.number { "clipped" } }
                th { "by epoch" }
                th.number { "update" }
                th.number { "weights" }
            }
            @for gradient in last_epoch(rows).filter(is_of_weights) { (update(rows, gradient, clips)) }
        } }
    }
}

/// The line of the tensor with this gradient.
fn update(rows: &[WatchRow], gradient: &WatchRow, clips: bool) -> Markup {
    let tensor = gradient.tensor.trim_start_matches("grad_");
    let name = format!("{}/{tensor}", gradient.layer);
    let update = beside(rows, gradient, &format!("update_{tensor}"));
    let ratio = update.and_then(|row| row.ratio);
    html! {
        tr {
            td { (name) }
            td.number { (short(ratio)) }
            td { (ratio.map_or("", |ratio| RatioSize::new(ratio).words())) }
            td {
                @if let Some(update) = update {
                    (sparkline(&format!("update / weights of {name}"), &values(rows, update, |row| row.ratio)))
                }
            }
            td.number { (number(gradient.norm)) }
            td.number { (number(gradient.norm_max)) }
            @if clips { td.number { (short(gradient.clipped_norm)) } }
            td {
                (sparkline(&format!("norm of the gradient of {name}"), &values(rows, gradient, |row| Some(row.norm))))
            }
            td.number { (short(update.map(|row| row.norm))) }
            td.number { (short(beside(rows, gradient, tensor).map(|row| row.norm))) }
        }
    }
}

/// A line for each layer's output.
fn activations(rows: &[WatchRow]) -> Markup {
    html! {
        div.table { table {
            tr {
                th { "layer" } th.number { "output, rms" } th.number { "largest" } th.number { "zeros" } th { "rms by epoch" }
                th.number { "its gradient, rms" } th { "rms by epoch" } th { "dead units" }
            }
            @for output in last_epoch(rows).filter(|row| row.tensor == "output") {
                @let gradient = beside(rows, output, "grad_output");
                tr {
                    td { (output.layer) }
                    td.number { (number(output.rms)) }
                    td.number { (number(output.largest)) }
                    td.number { (percent(output.zeros)) }
                    td { (sparkline(&format!("output of {}", output.layer), &values(rows, output, |row| Some(row.rms)))) }
                    td.number { (short(gradient.map(|row| row.rms))) }
                    td {
                        @if let Some(gradient) = gradient {
                            (sparkline(&format!("gradient of the output of {}", output.layer), &values(rows, gradient, |row| Some(row.rms))))
                        }
                    }
                    td { (dead(output)) }
                }
            }
        } }
    }
}

/// The dead units of a layer, counted and named.
fn dead(row: &WatchRow) -> Markup {
    let (Some(units), Some(dead)) = (row.units, &row.dead) else { return html! {} };
    let named: Vec<String> = dead.iter().take(NAMED_UNITS).map(usize::to_string).collect();
    html! {
        (dead.len()) " of " (units)
        @if !dead.is_empty() {
            details { summary { "which" } (if dead.len() == 1 { "unit " } else { "units " }) (listed(&named, dead.len())) }
        }
    }
}

/// `2 and 5`; of many the first, and how many more.
fn listed(named: &[String], all: usize) -> String {
    match all > named.len() || named.len() > 5 {
        true if all > named.len() => format!("{} and {} more", named.join(", "), all - named.len()),
        true => named.join(", "),
        false => and(named.iter().map(String::as_str)),
    }
}

/// A figure of a tensor in each epoch.
fn values(rows: &[WatchRow], row: &WatchRow, value: fn(&WatchRow) -> Option<f64>) -> Vec<Option<f64>> {
    history(rows, row).map(value).collect()
}

fn short(value: Option<f64>) -> String {
    value.map_or("–".to_string(), number)
}
