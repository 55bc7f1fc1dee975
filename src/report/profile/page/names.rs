//! Names of work and phases as the page's tables show them.

use maud::{Markup, html};

/// A name that may be long, as of several layers, where no space lets it break: it may break behind a `+`.
pub(super) fn breakable(name: &str) -> Markup {
    let mut parts = name.split_inclusive(['+', '/']).peekable();
    html! {
        @while let Some(part) = parts.next() {
            (part) @if parts.peek().is_some() { wbr; }
        }
    }
}
