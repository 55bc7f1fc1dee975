//! The memory of the training run by purpose.

use crate::profile::model::Memory;
use crate::report::profile::words;
use maud::{Markup, html};

/// The length of the longest bar, in the picture's own units.
const LONGEST: f64 = 300.0;

/// The table, a bar in each line.
pub(super) fn section(memory: &Memory) -> Markup {
    let most = memory.purposes.iter().map(|purpose| purpose.bytes).max().unwrap_or(0).max(1) as f64;
    html! {
        p { (words::peak(memory)) "." }
        div.table { table {
            thead { tr { th scope="col" { "for" } th.number scope="col" { "memory" } th scope="col" { span.unseen { "as a bar" } } } }
            tbody {
                @for purpose in &memory.purposes {
                    tr {
                        td { (purpose.purpose) }
                        td.number { (words::mebibytes(purpose.bytes)) }
                        td {
                            svg.memory viewBox=(format!("0 0 {LONGEST} 14")) aria-hidden="true" {
                                rect.kind-0 width=(format!("{:.1}", LONGEST * purpose.bytes as f64 / most)) height="14" {}
                            }
                        }
                    }
                }
            }
        } }
    }
}
