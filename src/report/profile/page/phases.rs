//! Work and idle time, of the whole step and phase by phase: bars that stack to 100 %, each beside its
//! figures.

use super::kinds::Kinds;
use super::names::breakable;
use crate::profile::model::{Cause, PassProfile, Phase};
use crate::report::profile::words;
use maud::{Markup, html};

/// The size of a phase's bar, and of the whole step's, in the picture's own units.
const BAR: [f64; 2] = [180.0, 14.0];
const WHOLE: [f64; 2] = [1000.0, 44.0];

/// A piece of a bar: its class, its share and what it is.
struct Piece {
    class: String,
    share: f64,
    name: String,
}

/// The class of a cause's pieces, which have its colour and pattern.
fn class(cause: Cause) -> &'static str {
    match cause {
        Cause::Images => "idle-images",
        Cause::Others => "idle-others",
        Cause::Serial => "idle-serial",
        Cause::Handing => "idle-handing",
        Cause::Between => "idle-between",
    }
}

/// The patterns of idle time, which all bars use: no cause is told by its colour alone.
pub(super) fn patterns() -> Markup {
    html! {
        svg.patterns width="0" height="0" aria-hidden="true" {
            defs {
                @for (id, path) in [
                    ("idle-others", "M-1 7L7 -1M-1 1L1 -1M5 7L7 5"),
                    ("idle-serial", "M1 1h2v2h-2zM4 4h2v2h-2z"),
                    ("idle-handing", "M1.5 -1V7M4.5 -1V7"),
                    ("idle-images", "M-1 7L7 -1M-1 -1L7 7"),
                    ("idle-between", "M-1 3H7"),
                ] {
                    pattern id=(id) width="6" height="6" patternUnits="userSpaceOnUse" {
                        rect class=(format!("{id}-ground")) width="6" height="6" {}
                        path class=(format!("{id}-lines")) d=(path) {}
                    }
                }
            }
        }
    }
}

/// A bar of these pieces, with a frame of what they are shares of.
fn bar(class: &str, [width, height]: [f64; 2], title: &str, pieces: &[Piece]) -> Markup {
    let mut from = 0.0;
    let starts: Vec<f64> = pieces
        .iter()
        .map(|piece| {
            from += width * piece.share;
            from - width * piece.share
        })
        .collect();
    html! {
        svg class=(class) viewBox=(format!("0 0 {width} {height}")) role="img" {
            title { (title) }
            rect.frame width=(width) height=(height) {}
            @for (piece, start) in pieces.iter().zip(starts) {
                rect class=(piece.class) x=(format!("{start:.2}")) width=(format!("{:.2}", width * piece.share)) height=(height) {
                    title { (piece.name) ", " (words::percent(piece.share)) }
                }
            }
        }
    }
}

/// The whole step: its work by kind and its idle time by cause.
pub(super) fn whole(pass: &PassProfile, kinds: &Kinds) -> Markup {
    let mut pieces: Vec<Piece> = Vec::new();
    for (color, name) in kinds.names().into_iter().enumerate() {
        let share = pass.rows.iter().filter(|row| kinds.color(row) == color).map(|row| row.share).sum();
        pieces.push(Piece { class: format!("kind-{color}"), share, name: name.to_string() });
    }
    for cause in Cause::ALL {
        let share = pass.idle.iter().filter(|idle| idle.cause == cause).map(|idle| idle.share).sum();
        pieces.push(Piece { class: class(cause).into(), share, name: format!("idle: {}", words::cause(cause)) });
    }
    pieces.retain(|piece| piece.share > 0.0);
    html! {
        figure.whole {
            (bar("whole", WHOLE, &format!("The thread time of a {} by what it was for", pass.name), &pieces))
            figcaption {
                ul.legend-list {
                    @for piece in &pieces {
                        li {
                            (key(&piece.class)) (piece.name) " " b { (words::percent(piece.share)) }
                            " " (words::ms(piece.share * pass.step_ms)) " ms"
                        }
                    }
                }
            }
        }
    }
}

/// The colour and pattern of a class, as a small square.
fn key(class: &str) -> Markup {
    html! { svg.key viewBox="0 0 12 12" aria-hidden="true" { rect class=(class) width="12" height="12" {} } }
}

/// The table of the phases, a bar in each line.
pub(super) fn section(pass: &PassProfile, kinds: &Kinds) -> Markup {
    let causes: Vec<Cause> =
        Cause::ALL.into_iter().filter(|cause| pass.idle.iter().any(|idle| idle.cause == *cause)).collect();
    let idle_ms = |phase: Option<usize>, cause: Cause| {
        let of = pass.idle.iter().filter(|idle| idle.cause == cause && phase.is_none_or(|phase| idle.phase == phase));
        of.map(|idle| idle.ms).sum::<f64>()
    };
    let [work, idle] = words::sums(pass);
    html! {
        p {
            "Each bar is the thread time of its phase: work by kind, in plain colours, and idle time by cause, in patterns. All times are \
             divided by the threads, so that they add up to the step."
        }
        div.table { table.phases {
            thead { tr {
                th scope="col" { "phase" } th.number scope="col" { "ms" } th scope="col" { "work and idle time" }
                th.number scope="col" { "work" br; "ms" }
                @for cause in &causes { th.number.cause scope="col" { (key(class(*cause))) (words::cause(*cause)) br; "ms" } }
            } }
            tbody {
                @for (index, phase) in pass.phases.iter().enumerate() {
                    tr {
                        td.name { (breakable(&words::phase_name(phase))) }
                        td.number { (words::ms(phase.ms)) }
                        td { (phase_bar(pass, index, phase, kinds)) }
                        td.number { (words::ms(phase.work_ms)) }
                        @for cause in &causes { td.number { (some_ms(idle_ms(Some(index), *cause))) } }
                    }
                }
                tr.total {
                    td { "the step" } td.number { (words::ms(work + idle)) }
                    td { (words::percent(work / pass.step_ms)) " work" }
                    td.number { (words::ms(work)) }
                    @for cause in &causes { td.number { (words::ms(idle_ms(None, *cause))) } }
                }
            }
        } }
    }
}

/// Milliseconds; nothing where there are none.
fn some_ms(value: f64) -> String {
    if value > 0.0 { words::ms(value) } else { String::new() }
}

fn phase_bar(pass: &PassProfile, index: usize, phase: &Phase, kinds: &Kinds) -> Markup {
    let whole = phase.work_ms + phase.idle_ms;
    if whole <= 0.0 {
        return html! {};
    }
    let rows = pass.rows.iter().filter(|row| row.phase == index);
    let work = rows.map(|row| Piece { class: kinds.class(row), share: row.ms / whole, name: words::work_name(row) });
    let idle = Cause::ALL.into_iter().flat_map(|cause| {
        let of = pass.idle.iter().filter(move |idle| idle.phase == index && idle.cause == cause);
        of.map(move |idle| Piece {
            class: class(cause).into(),
            share: idle.ms / whole,
            name: words::cause(cause).into(),
        })
    });
    let pieces: Vec<Piece> = work.chain(idle).collect();
    let title = format!("{}: {} work", words::phase_name(phase), words::percent(phase.work_ms / whole));
    bar("phase", BAR, &title, &pieces)
}
