//! `trace.json`, in Chrome's trace event format, which <https://ui.perfetto.dev> opens: a process for each
//! pass, in it a track of phases and one for each thread, and arrows from a phase to the first piece of work
//! that each thread did in it.
//!
//! The format's rules that matter here: `ts` and `dur` are microseconds; slices of one track nest or follow
//! each other, never overlap; the number of a track is unique over all processes; an arrow's two ends share a
//! number, and each belongs to the slice that is open on its track at its time. Times are whole nanoseconds,
//! the finest that Perfetto keeps, so that what ends where the next begins does not overlap it by rounding.

use super::words;
use crate::Result;
use crate::files::write_whole_with;
use crate::profile::model::{PassProfile, Profile, Row, TimelinePhase, TimelineStep};
use serde::Serialize;
use std::borrow::Cow;
use std::io::{self, Write};
use std::path::Path;

/// The most steps of a pass in the file.
pub const MOST_STEPS: usize = 20;

/// The most events in the file, about 1 MB, which Perfetto opens at once; each pass has at least one step all
/// the same.
const MOST_EVENTS: usize = 7000;

/// The time between two passes in the trace, in nanoseconds.
const PAUSE_NS: u64 = 1_000_000;

/// The numbers of a pass's tracks begin at so many times its number.
const TRACKS: usize = 10_000;

/// Writes the trace.
///
/// # Errors
/// [`crate::Error::Io`] names the file if it cannot be written.
pub fn write_trace(path: &Path, profile: &Profile) -> Result<()> {
    write_whole_with(path, |file| write(file, profile))
}

/// Writes the events, one a line.
fn write(file: &mut impl Write, profile: &Profile) -> io::Result<()> {
    let mut lines = Lines { file, count: 0 };
    lines.file.write_all(b"{\"traceEvents\":[")?;
    for (index, pass) in profile.passes.iter().enumerate() {
        for event in names(index, pass, profile.machine.threads) {
            lines.write(&event)?;
        }
    }
    let mut offset = 0;
    for (index, pass) in profile.passes.iter().enumerate() {
        let clock = Clock { origin_us: pass.timeline.first().map_or(0.0, |step| step.start_us), offset };
        let (mut steps, mut budget) = (0, MOST_EVENTS / profile.passes.len());
        for step in pass.timeline.iter().take(MOST_STEPS) {
            let events = events(index, pass, step, clock);
            if steps > 0 && events.len() > budget {
                break;
            }
            budget = budget.saturating_sub(events.len());
            steps += 1;
            for event in &events {
                lines.write(event)?;
            }
            offset = clock.nanoseconds(step.end_us) + PAUSE_NS;
        }
    }
    lines.file.write_all(b"\n],\"otherData\":")?;
    let about = About { machine: words::machine(&profile.machine), subject: words::subject(&profile.subject) };
    serde_json::to_writer(&mut *lines.file, &about)?;
    lines.file.write_all(b"}\n")
}

/// What the trace is of.
#[derive(Serialize)]
struct About {
    machine: String,
    subject: String,
}

/// The list of events as it is written.
struct Lines<'a, W> {
    file: &'a mut W,
    count: usize,
}

impl<W: Write> Lines<'_, W> {
    fn write(&mut self, event: &Event) -> io::Result<()> {
        self.file.write_all(if self.count == 0 { b"\n" } else { b",\n" })?;
        self.count += 1;
        Ok(serde_json::to_writer(&mut *self.file, event)?)
    }
}

/// A line of the trace.
#[derive(Serialize)]
struct Event<'a> {
    /// Its kind: `M` names a track, `X` is a slice, `s` and `f` are the ends of an arrow.
    ph: char,
    pid: usize,
    tid: usize,
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    cat: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ts: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<f64>,
    /// The number of an arrow.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    /// `e` where an arrow ends in the slice that is open at its time, not in the next one.
    #[serde(skip_serializing_if = "Option::is_none")]
    bp: Option<char>,
    #[serde(skip_serializing_if = "Option::is_none")]
    args: Option<Arguments<'a>>,
}

/// What Perfetto shows of a slice that is chosen, and the value of a name.
#[derive(Serialize)]
#[serde(untagged)]
enum Arguments<'a> {
    Name {
        name: Cow<'a, str>,
    },
    Sort {
        sort_index: usize,
    },
    Step {
        step: usize,
    },
    Phase {
        #[serde(skip_serializing_if = "Option::is_none")]
        layers: Option<&'a str>,
    },
    Work {
        #[serde(skip_serializing_if = "Option::is_none")]
        layers: Option<&'a str>,
        #[serde(skip_serializing_if = "str::is_empty")]
        algorithm: &'a str,
        /// Executed operations of this piece, 10⁹.
        #[serde(rename = "GFLOP", skip_serializing_if = "Option::is_none")]
        gflop: Option<f64>,
    },
}

/// From the times of a recording to those of the trace, in which one pass follows the other.
#[derive(Clone, Copy)]
struct Clock {
    origin_us: f64,
    offset: u64,
}

impl Clock {
    fn nanoseconds(self, us: f64) -> u64 {
        ((us - self.origin_us) * 1e3).round().max(0.0) as u64 + self.offset
    }

    /// Begin and length in microseconds.
    fn slice(self, start_us: f64, end_us: f64) -> (Option<f64>, Option<f64>) {
        let (start, end) = (self.nanoseconds(start_us), self.nanoseconds(end_us));
        let us = |ns: u64| Some(ns as f64 / 1e3);
        (us(start), us(end.saturating_sub(start)))
    }
}

/// The number of a pass's process, and those of its tracks: first the phases', then the threads'.
fn process(pass: usize) -> (usize, impl Fn(usize) -> usize) {
    (pass + 1, move |track| (pass + 1) * TRACKS + track)
}

/// An event of which only its place is told.
fn event<'a>(ph: char, pid: usize, tid: usize, name: &'a str) -> Event<'a> {
    Event { ph, pid, tid, name, cat: "", ts: None, dur: None, id: None, bp: None, args: None }
}

/// The names of a pass's process and tracks, and their order.
fn names(index: usize, pass: &PassProfile, threads: usize) -> Vec<Event<'_>> {
    let (pid, track) = process(index);
    let name = |kind, tid, name| Event { args: Some(Arguments::Name { name }), ..event('M', pid, tid, kind) };
    let sort =
        |kind, tid, sort_index| Event { args: Some(Arguments::Sort { sort_index }), ..event('M', pid, tid, kind) };
    let mut events =
        vec![name("process_name", track(0), Cow::from(&pass.name)), sort("process_sort_index", track(0), index)];
    for place in 0..=threads {
        let called = if place == 0 { Cow::from("phases") } else { Cow::from(format!("thread {place}")) };
        events.push(name("thread_name", track(place), called));
        events.push(sort("thread_sort_index", track(place), place));
    }
    events
}

/// The events of a step in the order of their begin.
fn events<'a>(index: usize, pass: &'a PassProfile, step: &TimelineStep, clock: Clock) -> Vec<Event<'a>> {
    let (pid, track) = process(index);
    let slice = |tid, name, start_us, end_us| {
        let (ts, dur) = clock.slice(start_us, end_us);
        Event { ts, dur, ..event('X', pid, tid, name) }
    };
    let mut events = vec![Event {
        args: Some(Arguments::Step { step: step.step }),
        ..slice(track(0), &pass.name, step.start_us, step.end_us)
    }];
    for TimelinePhase { phase, start_us, end_us } in &step.phases {
        let phase = &pass.phases[*phase];
        let args = Some(Arguments::Phase { layers: phase.layers.as_deref() });
        events.push(Event { cat: "phase", args, ..slice(track(0), &phase.direction, *start_us, *end_us) });
    }
    for span in &step.spans {
        let row = &pass.rows[span.row];
        let phase = &pass.phases[row.phase];
        let args = Some(Arguments::Work { layers: phase.layers.as_deref(), algorithm: &row.how, gflop: gflop(row) });
        events.push(Event {
            cat: &phase.direction,
            args,
            ..slice(track(span.thread + 1), &row.what, span.start_us, span.end_us)
        });
    }
    events.extend(arrows(pid, &track, pass, step, clock));
    // A stable sort: of what begins at the same time the slice stays before the arrow that belongs to it.
    events.sort_by(|a, b| a.ts.unwrap_or(0.0).total_cmp(&b.ts.unwrap_or(0.0)));
    events
}

/// Arrows from each phase to the first piece of work that each thread did in it.
fn arrows<'a>(
    pid: usize,
    track: &impl Fn(usize) -> usize,
    pass: &'a PassProfile,
    step: &TimelineStep,
    clock: Clock,
) -> Vec<Event<'a>> {
    let mut events = Vec::new();
    for (place, phase) in step.phases.iter().enumerate() {
        let mut reached = Vec::new();
        let within = |start_us: f64| phase.start_us <= start_us && start_us < phase.end_us;
        for span in step.spans.iter().filter(|span| within(span.start_us)) {
            if reached.contains(&span.thread) {
                continue;
            }
            reached.push(span.thread);
            // Unique over steps, phases and threads of all passes.
            let id = ((pid * 1_000_000 + step.step) * 10_000 + place) * TRACKS + span.thread;
            let name = &pass.phases[phase.phase].direction;
            let end = |ph, tid, us| Event {
                cat: "start",
                ts: clock.slice(us, us).0,
                id: Some(id as u64),
                ..event(ph, pid, tid, name)
            };
            events.push(end('s', track(0), phase.start_us));
            events.push(Event { bp: Some('e'), ..end('f', track(span.thread + 1), span.start_us) });
        }
    }
    events
}

/// The executed operations of one of the row's pieces, with six decimals.
fn gflop(row: &Row) -> Option<f64> {
    let of_a_piece = row.executed_gflop / row.spans;
    (of_a_piece.is_finite() && of_a_piece > 0.0).then(|| (of_a_piece * 1e6).round() / 1e6)
}
