//! `profile.html`: a profile on one page, which holds all that it shows and asks nothing of any network.
//!
//! Everything stands on it in plain HTML, for a reader without scripts, on paper or with a screen reader; the
//! scripts add the timeline, in which one can zoom.

mod counters;
mod kinds;
mod memory;
mod names;
mod phases;
mod roofline;
mod timeline;
mod work;

use super::words;
use crate::Result;
use crate::files::write_whole;
use crate::profile::model::Profile;
use crate::report::glass;
use crate::report::head::head;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kinds::Kinds;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};
use std::path::Path;

/// The scripts of the glass box that the page needs: the first makes `Glass`.
const GLASS_SCRIPTS: [&str; 5] = ["bundle.js", "dom.js", "numbers.js", "colors.js", "keys.js"];

/// The scripts of the page itself.
const SCRIPTS: [&str; 3] = [include_str!("lanes.js"), include_str!("timeline.js"), include_str!("page.js")];

/// Writes the page. All its names are shown as they are, whatever they hold.
///
/// # Errors
/// [`crate::Error::Io`] names the file if it cannot be written.
pub fn write_profile_page(path: &Path, profile: &Profile) -> Result<()> {
    write_whole(path, profile_page(profile).as_bytes())
}

/// Returns the page as HTML.
pub fn profile_page(profile: &Profile) -> String {
    let style = format!("{}\n{}", glass::STYLE, include_str!("page.css"));
    let of_glass = glass::SCRIPTS.iter().filter(|(name, _)| GLASS_SCRIPTS.contains(name)).map(|(_, script)| *script);
    let script = of_glass.chain(SCRIPTS).collect::<Vec<_>>().join("\n");
    let title = format!("glassnet profile: {}", words::title(profile));
    let kinds = Kinds::new(profile);
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            (head(&title, &security_policy(&style, &script), &[&style]))
            body {
                a.skip href="#pass-0" { "Skip to the first pass" }
                header {
                    h1 { "Where the time goes" }
                    (facts(profile))
                    (contents(profile))
                }
                (phases::patterns())
                main {
                    @for index in 0..profile.passes.len() { (pass(profile, index, &kinds)) }
                    section id="memory" { h2 { "Memory" } (memory::section(&profile.memory)) }
                }
                script { (PreEscaped(&script)) }
            }
        }
    };
    markup.into_string()
}

/// The policy by which the page may do nothing but apply this style and run this script.
fn security_policy(style: &str, script: &str) -> String {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text.as_bytes())));
    format!("default-src 'none'; style-src {}; script-src {}", hash(style), hash(script))
}

/// What was profiled, on what, and under which roofs.
fn facts(profile: &Profile) -> Markup {
    html! {
        dl.facts {
            dt { "Subject" } dd { (words::subject(&profile.subject)) }
            dt { "Machine" } dd { (words::machine(&profile.machine)) }
            dt { "Roofs" }
            dd {
                @for (place, (of, height, drift)) in words::roofs(&profile.machine).into_iter().enumerate() {
                    @if place > 0 { "; " }
                    (of) " " (height) " (" (words::signed_percent(drift)) " by the end)"
                }
            }
            @for pass in &profile.passes {
                dt { (capitalized(&pass.name)) }
                dd { (words::headline(pass, profile.machine.threads)) }
            }
        }
    }
}

/// The parts of a pass: the ends of their ids and their titles.
const PARTS: [(&str, &str); 5] = [
    ("roofline", "The work and its roofs"),
    ("work", "What could be won"),
    ("phases", "Phase by phase: work, and why threads were idle"),
    ("timeline", "Span by span"),
    ("recording", "What recording cost, and what the hardware counted"),
];

/// Links to all parts.
fn contents(profile: &Profile) -> Markup {
    html! {
        nav aria-label="Parts of the page" {
            @for (index, pass) in profile.passes.iter().enumerate() {
                a href=(format!("#pass-{index}")) { b { (capitalized(&pass.name)) } }
                @for (part, title) in PARTS { a href=(format!("#{part}-{index}")) { (title) } }
            }
            a href="#memory" { b { "Memory" } }
        }
    }
}

/// All of one pass.
fn pass(profile: &Profile, index: usize, kinds: &Kinds) -> Markup {
    let pass = &profile.passes[index];
    let [roofline, work, phases, timeline, recording] = [
        roofline::section(&profile.machine, pass, kinds),
        work::section(pass, kinds),
        phases::section(pass, kinds),
        timeline::section(pass, index, profile.machine.threads, kinds),
        html! { p { (words::cost(pass)) } (counters::section(pass)) },
    ];
    html! {
        section id=(format!("pass-{index}")) {
            h2 { (capitalized(&pass.name)) ": " (words::ms(pass.step_ms)) " ms" }
            p.lead { (words::distance(&pass.distance)) }
            (phases::whole(pass, kinds))
            p.sum { (words::sum(pass, profile.machine.threads)) }
            p.sum { (words::estimates(pass, profile.machine.threads)) }
            @for ((part, title), markup) in PARTS.iter().zip([roofline, work, phases, timeline, recording]) {
                section id=(format!("{part}-{index}")) { h3 { (title) } (markup) }
            }
        }
    }
}

/// The name with a capital letter.
fn capitalized(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}
