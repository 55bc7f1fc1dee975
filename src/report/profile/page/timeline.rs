//! The timeline: what the scripts draw it from, and one of its steps as a table.

use super::kinds::Kinds;
use super::names::breakable;
use crate::profile::model::{PassProfile, TimelineStep};
use crate::report::glass::in_script;
use crate::report::profile::words;
use maud::{Markup, PreEscaped, html};
use serde::Serialize;

/// The most steps and the most spans that a pass's timeline has on the page; one step it always has.
const MOST_STEPS: usize = 20;
const MOST_SPANS: usize = 12_000;

/// The most threads that have a column each in the table.
const MOST_COLUMNS: usize = 8;

/// What the scripts are given.
#[derive(Serialize)]
struct Data<'a> {
    name: &'a str,
    threads: usize,
    /// Of each row its name, the number of its colour and its phase.
    rows: Vec<(String, usize, usize)>,
    phases: Vec<String>,
    steps: Vec<Step>,
}

/// A step; its times are nanoseconds since its begin.
#[derive(Serialize)]
struct Step {
    step: usize,
    length: i64,
    /// Phase, begin and end.
    phases: Vec<(usize, i64, i64)>,
    /// Thread, row, begin and end.
    spans: Vec<(usize, usize, i64, i64)>,
}

impl Step {
    fn new(step: &TimelineStep) -> Step {
        let ns = |us: f64| ((us - step.start_us) * 1e3).round() as i64;
        Step {
            step: step.step,
            length: ns(step.end_us),
            phases: step.phases.iter().map(|phase| (phase.phase, ns(phase.start_us), ns(phase.end_us))).collect(),
            spans: step.spans.iter().map(|span| (span.thread, span.row, ns(span.start_us), ns(span.end_us))).collect(),
        }
    }
}

/// The steps that are on the page.
fn shown(pass: &PassProfile) -> &[TimelineStep] {
    let mut spans = 0;
    let fits = |step: &&TimelineStep| {
        spans += step.spans.len();
        spans <= MOST_SPANS
    };
    let count = pass.timeline.iter().take(MOST_STEPS).take_while(fits).count().max(1);
    &pass.timeline[..count.min(pass.timeline.len())]
}

/// The place of the picture, its data, and the table.
pub(super) fn section(pass: &PassProfile, index: usize, threads: usize, kinds: &Kinds) -> Markup {
    let steps = shown(pass);
    let Some(first) = steps.first() else { return html! { p { "No step was kept span by span." } } };
    let data = Data {
        name: &pass.name,
        threads,
        rows: pass.rows.iter().map(|row| (words::work_name(row), kinds.color(row), row.phase)).collect(),
        phases: pass.phases.iter().map(words::phase_name).collect(),
        steps: steps.iter().map(Step::new).collect(),
    };
    let json = serde_json::to_string(&data).expect("names and numbers are JSON");
    html! {
        div.timeline-place data-timeline=(format!("spans-{index}")) {}
        script type="application/json" id=(format!("spans-{index}")) { (PreEscaped(in_script(&json))) }
        ul.legend-list {
            @for (color, name) in kinds.names().into_iter().enumerate() {
                li { span class=(format!("key kind-{color}")) {} (name) }
            }
            li { span.key.none {} "idle" }
        }
        details.step-table open {
            summary { "Step " (first.step) " as a table: each thread's work in each phase" }
            (table(pass, first, threads))
        }
    }
}

/// The work of a step by phase and thread; of many threads the least, the mean and the most.
fn table(pass: &PassProfile, step: &TimelineStep, threads: usize) -> Markup {
    let mut work = vec![vec![0.0; threads]; pass.phases.len()];
    for span in &step.spans {
        work[pass.rows[span.row].phase][span.thread] += (span.end_us - span.start_us) / 1e3;
    }
    let is_wide = threads > MOST_COLUMNS;
    let cells = |busy: &[f64]| match is_wide {
        true => {
            let least = busy.iter().copied().fold(f64::INFINITY, f64::min);
            vec![least, busy.iter().sum::<f64>() / threads as f64, busy.iter().copied().fold(0.0, f64::max)]
        }
        false => busy.to_vec(),
    };
    let headings: Vec<String> = match is_wide {
        true => ["least busy thread", "mean", "busiest thread"].map(String::from).to_vec(),
        false => (1..=threads).map(|thread| format!("thread {thread}")).collect(),
    };
    let total: Vec<f64> = (0..threads).map(|thread| work.iter().map(|phase| phase[thread]).sum()).collect();
    html! {
        div.table { table {
            thead { tr {
                th scope="col" { "phase" } th.number scope="col" { "from ms" } th.number scope="col" { "ms" }
                @for heading in &headings { th.number scope="col" { (heading) br; "ms" } }
            } }
            tbody {
                @for phase in &step.phases {
                    tr {
                        td.name { (breakable(&words::phase_name(&pass.phases[phase.phase]))) }
                        td.number { (words::ms((phase.start_us - step.start_us) / 1e3)) }
                        td.number { (words::ms((phase.end_us - phase.start_us) / 1e3)) }
                        @for busy in cells(&work[phase.phase]) { td.number { (words::ms(busy)) } }
                    }
                }
                tr.total {
                    td { "the step" } td.number { (words::ms(0.0)) } td.number { (words::ms((step.end_us - step.start_us) / 1e3)) }
                    @for busy in cells(&total) { td.number { (words::ms(busy)) } }
                }
            }
        } }
    }
}
