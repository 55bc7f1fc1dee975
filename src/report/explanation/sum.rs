//! A sum on the page: its largest terms with a running total, what the others add up to, and the total.

use super::number::{count, number};
use crate::explain::LARGEST_TERMS;
use maud::{Markup, html};

/// A term of a sum.
pub(super) struct Row {
    /// Where it is from, in words.
    pub place: String,
    /// Its two factors.
    pub factors: [f64; 2],
}

impl Row {
    fn product(&self) -> f64 {
        self.factors[0] * self.factors[1]
    }
}

/// The headings of a sum's table.
pub(super) struct Headings {
    /// Of the places.
    pub place: &'static str,
    /// Of the factors.
    pub factors: [&'static str; 2],
}

/// A sum of products, called `of`: the largest rows, the rest, `more` to add, each with its name, and the
/// total, which is called `total`.
pub(super) fn table(of: &str, headings: Headings, mut rows: Vec<Row>, more: &[(&str, f64)], total: &str) -> Markup {
    let zeros = rows.iter().filter(|row| row.product() == 0.0).count();
    rows.retain(|row| row.product() != 0.0);
    // A sort that is stable: of equals the first stays the first.
    rows.sort_by(|a, b| b.product().abs().total_cmp(&a.product().abs()));
    let all: f64 = rows.iter().map(Row::product).sum();
    let shown = rows.len().min(LARGEST_TERMS);
    let (largest, others) = rows.split_at(shown);
    let rest: f64 = others.iter().map(Row::product).sum();
    let sum = all + more.iter().map(|(_, value)| value).sum::<f64>();
    let mut running = 0.0;
    let running: Vec<f64> = largest
        .iter()
        .map(|row| {
            running += row.product();
            running
        })
        .collect();
    html! {
        div.table { table {
            thead { tr {
                th { (headings.place) }
                th.number { (headings.factors[0]) }
                th.number { (headings.factors[1]) }
                th.number { "product" }
                th.number { "running total" }
            } }
            tbody {
                @for (rank, (row, running)) in largest.iter().zip(running).enumerate() {
                    tr {
                        td { code { (row.place) } }
                        td.number { (number(&format!("{of}/first[{rank}]"), row.factors[0])) }
                        td.number { (number(&format!("{of}/second[{rank}]"), row.factors[1])) }
                        td.number { (number(&format!("{of}/product[{rank}]"), row.product())) }
                        td.number { (number(&format!("{of}/running[{rank}]"), running)) }
                    }
                }
                @if !others.is_empty() {
                    tr {
                        td colspan="3" { "the other " (count(&format!("{of}/rest_count"), others.len())) " add up to" }
                        td.number { (number(&format!("{of}/rest"), rest)) }
                        td {}
                    }
                }
                @if zeros > 0 {
                    tr {
                        td colspan="3" { (count(&format!("{of}/zero_count"), zeros)) " more are exactly zero" }
                        td {} td {}
                    }
                }
                @for (name, value) in more {
                    tr {
                        td colspan="3" { (name) }
                        td.number { (number(&format!("{of}/{name}"), *value)) }
                        td {}
                    }
                }
                tr.total {
                    td colspan="3" { (total) }
                    td.number { (number(&format!("{of}/sum"), sum)) }
                    td {}
                }
            }
        } }
    }
}
