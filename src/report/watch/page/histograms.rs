//! The histograms of the page: magnitudes in the last epoch, with the outline of those in the first.

use crate::report::watch::percent;
use crate::report::watch::rows::{history, last_epoch};
use crate::training::watch::WatchRow;
use crate::training::watch::histogram::{BINS, bin_name};
use maud::{Markup, html};

/// The size of a histogram in its own units.
const SIZE: [f64; 2] = [220.0, 84.0];

/// The height of its bars, above the names of some bins.
const UP: f64 = 66.0;

/// The tensors whose histograms are shown, with what they are called.
const SHOWN: [(&str, &str); 5] = [
    ("output", "output"),
    ("grad_output", "gradient of the output"),
    ("kernel", "weights"),
    ("grad_kernel", "gradient"),
    ("update_kernel", "update"),
];

/// The section, layer by layer.
pub(super) fn section(rows: &[WatchRow]) -> Markup {
    let mut layers: Vec<&str> =
        last_epoch(rows).map(|row| row.layer.as_str()).filter(|layer| *layer != "all").collect();
    layers.dedup();
    html! {
        h2 { "Histograms" }
        p {
            "Magnitudes, two bins to a decade from 1e-12 to 1e4, the same bins for all, so that shapes can be compared from layer to layer \
             and from epoch to epoch: bars are the last epoch, the line is the first. Zeros are in no bar. A shape that wanders left \
             from epoch to epoch vanishes, one that wanders right explodes. The counts stand in watch.csv."
        }
        @for layer in layers {
            details open[has_weights(rows, layer)] {
                summary { (layer) }
                div.histograms {
                    @for (tensor, name) in SHOWN {
                        @if let Some(row) = last_epoch(rows).find(|row| row.layer == layer && row.tensor == tensor) {
                            (figure(rows, row, name))
                        }
                    }
                }
            }
        }
    }
}

/// Returns whether a layer has a kernel: its histograms are the first to look at.
fn has_weights(rows: &[WatchRow], layer: &str) -> bool {
    last_epoch(rows).any(|row| row.layer == layer && row.tensor == "kernel")
}

/// One tensor's histogram.
fn figure(rows: &[WatchRow], row: &WatchRow, name: &str) -> Markup {
    let [width, height] = SIZE;
    let (last, first) = (shares(row), history(rows, row).next().map(shares).unwrap_or_default());
    let highest = last.iter().chain(&first).copied().fold(f64::MIN_POSITIVE, f64::max);
    let across = width / BINS as f64;
    let bar = |(bin, share): (usize, &f64)| {
        let tall = UP * share / highest;
        format!("M{:.1} {UP}v{:.1}h{:.1}v{:.1}z", bin as f64 * across, -tall, across - 0.8, tall)
    };
    let bars: String = last.iter().enumerate().filter(|(_, share)| **share > 0.0).map(bar).collect();
    let step = |(bin, share): (usize, &f64)| {
        format!(
            "{}{:.1} {:.1}H{:.1}",
            if bin == 0 { "M" } else { "L" },
            bin as f64 * across,
            UP * (1.0 - share / highest),
            (bin + 1) as f64 * across
        )
    };
    let outline: String = first.iter().enumerate().map(step).collect();
    let at = |name: &str| (0..BINS).find(|bin| bin_name(*bin) == name).unwrap_or(0) as f64 * across;
    html! {
        figure {
            svg.histogram viewBox=(format!("0 0 {width} {height}")) role="img" {
                title { (row.layer) ": magnitudes of the " (name) }
                desc { "Most are in the bin from " (mode(&last)) "; " (percent(row.zeros)) " are 0." }
                path.grid d=(format!("M0 {UP}H{width}")) {}
                path.bars d=(bars) {}
                @if row.epoch > 0 { path.outline d=(outline) {} }
                @for name in ["1e-9", "1e-6", "1e-3", "1e0", "1e3"] {
                    text.tick x=(format!("{:.1}", at(name))) y=(height - 3.0) text-anchor="middle" { (name) }
                }
            }
            figcaption { (name) @if row.zeros > 0.0 { ", " (percent(row.zeros)) " are 0" } }
        }
    }
}

/// Each bin's share of all that is in one.
fn shares(row: &WatchRow) -> Vec<f64> {
    let counts = row.histogram.counts();
    let all: f64 = counts.iter().map(|&count| count as f64).sum();
    counts.iter().map(|&count| if all == 0.0 { 0.0 } else { count as f64 / all }).collect()
}

/// The name of the fullest bin.
fn mode(shares: &[f64]) -> String {
    let fullest = (0..shares.len()).max_by(|&a, &b| shares[a].total_cmp(&shares[b]));
    fullest.map_or(String::new(), bin_name)
}
