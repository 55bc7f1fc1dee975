//! The table of the work, first what would be won most by standing on its roof.

use super::kinds::Kinds;
use super::names::breakable;
use super::roofline::has_intensity;
use crate::profile::model::{PassProfile, Roof, Row};
use crate::report::profile::words;
use maud::{Markup, html};

/// The most rows that are seen at once; the others stand behind a click.
const MOST_ROWS: usize = 40;

/// The table with all rows.
pub(super) fn section(pass: &PassProfile, kinds: &Kinds) -> Markup {
    let seen = if pass.rows.len() <= MOST_ROWS + 5 { pass.rows.len() } else { MOST_ROWS };
    let rest: f64 = pass.rows[seen..].iter().map(|row| row.to_win_ms).sum();
    html! {
        p {
            "Sorted by what the step would save if the row stood on its roof. Its number is that of its dot above. Below a convolution \
             stand, at a click, why it is done so and no other way, and the command that runs it alone."
        }
        (table(pass, kinds, 0..seen))
        @if seen < pass.rows.len() {
            details {
                summary { (pass.rows.len() - seen) " more rows, with " (words::ms(rest)) " ms to win in all" }
                (table(pass, kinds, seen..pass.rows.len()))
            }
        }
        p.note {
            "ms: thread time divided by the threads, so that all rows add up to the step. Direct GF/s count the arithmetic of direct \
             convolution, 2·N·P·K·F, and may pass the roof where an algorithm saves some; executed GF/s are what the registers do. \
             FLOP/B: executed operations for each byte that must move. Of roof: the row's floor as a share of its time."
        }
    }
}

fn table(pass: &PassProfile, kinds: &Kinds, range: std::ops::Range<usize>) -> Markup {
    html! {
        div.table { table.work {
            thead { tr {
                th.number scope="col" { "no." } th.number scope="col" { "to win" br; "ms" } th scope="col" { "work" }
                th scope="col" { "phase" } th.number scope="col" { "ms" } th.number scope="col" { "share" }
                th.number scope="col" { "direct" br; "GF/s" } th.number scope="col" { "executed" br; "GF/s" }
                th.number scope="col" { "FLOP/B" } th scope="col" { "roof" } th.number scope="col" { "floor" br; "ms" }
                th.number scope="col" { "of roof" }
            } }
            tbody { @for index in range { (line(pass, kinds, index)) } }
        } }
    }
}

fn line(pass: &PassProfile, kinds: &Kinds, index: usize) -> Markup {
    let row = &pass.rows[index];
    let intensity = if has_intensity(row) { format!("{:.1}", row.intensity()) } else { String::new() };
    let of_roof =
        if row.roof == Roof::Nothing || row.ms <= 0.0 { String::new() } else { words::percent(row.floor_ms / row.ms) };
    html! {
        tr {
            td.number { (index + 1) }
            td.number { b { (words::ms(row.to_win_ms)) } }
            td.name { span class=(format!("key {}", kinds.class(row))) {} (breakable(&words::work_name(row))) }
            td.name { (breakable(&words::phase_name(&pass.phases[row.phase]))) }
            td.number { (words::ms(row.ms)) }
            td.number { (words::percent(row.share)) }
            td.number { (words::rate(row.direct_gflops())) }
            td.number { (words::rate(row.executed_gflops())) }
            td.number { (intensity) }
            td { (words::roof(row.roof)) }
            td.number { (words::ms(row.floor_ms)) }
            td.number { (of_roof) }
        }
        @if !row.why.is_empty() || row.replay.is_some() { (reasons(row)) }
    }
}

/// A line behind a row's: why it is done so, and the command that runs it alone.
fn reasons(row: &Row) -> Markup {
    html! {
        tr.why {
            td {} td {}
            td colspan="10" {
                details {
                    summary { "why so, and how to run it alone" }
                    ul { @for why in &row.why { li { (why) } } }
                    @if let Some(replay) = &row.replay { p { code { (replay) } } }
                }
            }
        }
    }
}
