//! The head that all pages have which are one file.

use maud::{Markup, PreEscaped, html};

/// Returns the head of a page that is one file, with its title, the policy that says what it may load and
/// run, and its styles.
pub(super) fn head(title: &str, policy: &str, styles: &[&str]) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta http-equiv="Content-Security-Policy" content=(policy);
            title { (title) }
            @for style in styles { style { (PreEscaped(style)) } }
        }
    }
}
