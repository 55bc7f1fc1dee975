//! What the hardware counted in each phase.

use super::names::breakable;
use crate::profile::model::{Counters, PassProfile};
use crate::report::profile::words;
use maud::{Markup, html};

/// The table, or the sentence that says why there is none.
pub(super) fn section(pass: &PassProfile) -> Markup {
    let counts = match &pass.counters {
        Counters::Counted(counts) => counts,
        Counters::Unavailable(why) => return html! { p { "No hardware counters: " (why) } },
    };
    let millions = |value: f64| format!("{:.2}", value / 1e6);
    html! {
        div.table { table {
            thead { tr {
                th scope="col" { "counted in" } th.number scope="col" { "10⁶ instructions" } th.number scope="col" { "10⁶ cycles" }
                th.number scope="col" { "instructions a cycle" } th.number scope="col" { "MB from memory" } th.number scope="col" { "GB/s" }
            } }
            tbody {
                @for counts in counts {
                    @let phase = &pass.phases[counts.phase];
                    tr {
                        td.name { (breakable(&words::phase_name(phase))) }
                        td.number { (millions(counts.instructions)) }
                        td.number { (millions(counts.cycles)) }
                        td.number { @if counts.cycles > 0.0 { (format!("{:.2}", counts.instructions / counts.cycles)) } }
                        td.number { (millions(counts.memory_bytes)) }
                        td.number { (words::rate(counts.memory_bytes / 1e6 / phase.ms)) }
                    }
                }
            }
        } }
    }
}
