//! From a recording to what is told of it.

use super::account::{Account, Key, current_phase, key, within};
use super::cost::cost;
use super::figures::Work;
use super::model::{
    Cause, Counters, Distance, Idle, PassProfile, PhaseCounts, Roof, Roofs, Row, TimelinePhase, TimelineSpan,
    TimelineStep,
};
use super::phases::Phases;
use super::profiler::{RecordedStep, Recording};
use crate::bench::median;
use std::time::Instant;

/// The most steps that are kept span by span: as many as a trace should hold.
const TIMELINE_STEPS: usize = 20;

/// Bytes of a cache line, which a miss brings.
const LINE_BYTES: f64 = 64.0;

/// What a recording is told by.
pub struct Subject<'a> {
    /// `training step` or `inference`.
    pub name: &'a str,
    /// The phases of its steps.
    pub phases: &'a Phases,
    /// What its figures are reckoned from.
    pub work: Work<'a>,
    /// The machine's roofs.
    pub roofs: Roofs,
    /// Threads of the pool.
    pub threads: usize,
    /// Nanoseconds that a span costs.
    pub span_ns: f64,
}

/// Tells where the time of the recorded steps went.
pub fn assemble(subject: &Subject, recording: Recording) -> PassProfile {
    let Subject { name, phases, threads, .. } = *subject;
    let account = Account::of(phases, &recording.steps, &recording.threads);
    let steps = recording.steps.len().max(1) as f64;
    // Nanoseconds over all steps and threads, as milliseconds of a step.
    let per_step = |ns: u64| ns as f64 / 1e6 / steps;
    let per_thread = |ns: u64| per_step(ns) / threads as f64;

    let mut rows: Vec<(Key, Row)> =
        account.work.iter().map(|(&key, &ns)| (key, row(subject, &account, key, per_thread(ns), steps))).collect();
    rows.sort_by(|(_, a), (_, b)| b.to_win_ms.total_cmp(&a.to_win_ms));
    let mut idle: Vec<Idle> = account
        .idle
        .iter()
        .map(|(&(phase, cause), &ns)| Idle {
            phase,
            cause: Cause::ALL[cause],
            ms: per_thread(ns),
            share: share(ns, account.total),
        })
        .collect();
    idle.sort_by(|a, b| b.ms.total_cmp(&a.ms));

    let keys: Vec<Key> = rows.iter().map(|&(key, _)| key).collect();
    let rows: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
    let mut durations: Vec<f64> = recording.steps.iter().map(|step| milliseconds(step.start, end(step))).collect();
    durations.sort_by(f64::total_cmp);
    let step_ms = per_step(account.wall);
    PassProfile {
        name: name.to_string(),
        steps: recording.steps.len(),
        step_ms,
        fastest_ms: durations.first().copied().unwrap_or(f64::NAN),
        median_ms: median(&durations),
        phases: account
            .phases
            .iter()
            .enumerate()
            .map(|(phase, &[wall, work])| {
                let (ms, work) = (per_step(wall), per_thread(work));
                phases.told(phase, [ms, work, ms - work])
            })
            .collect(),
        distance: distance(step_ms, &rows, &idle),
        cost: cost(&recording.threads, &recording.durations, step_ms * threads as f64 * 1e6, subject.span_ns),
        counters: match &recording.counts {
            Ok(counts) => Counters::Counted(
                counts
                    .iter()
                    .enumerate()
                    .map(|(phase, counts)| PhaseCounts {
                        phase,
                        instructions: counts.instructions,
                        cycles: counts.cycles,
                        memory_bytes: LINE_BYTES * counts.misses,
                    })
                    .collect(),
            ),
            Err(reason) => Counters::Unavailable(reason.clone()),
        },
        timeline: timeline(phases, &recording, &keys),
        rows,
        idle,
    }
}

fn row(subject: &Subject, account: &Account, key: Key, ms: f64, steps: f64) -> Row {
    let (phase, activity, algorithm) = key;
    let kind = subject.phases.kinds()[phase];
    let work = &subject.work;
    let figures = work.figures(kind, key);
    let (roof, floor) = work.roof(figures.as_ref(), &subject.roofs);
    let floor_ms = floor * 1e3;
    let figures = figures.unwrap_or_default();
    let convolution = work.convolution(kind, activity);
    let descriptor = convolution.and_then(|(descriptor, _)| descriptor).map(|descriptor| descriptor.to_string());
    let replay = descriptor.as_ref().zip(convolution).map(|(descriptor, (_, pass))| {
        let (pass, threads) = (pass.name(), subject.threads);
        format!("glassnet bench conv {descriptor} --algorithm {algorithm} --pass {pass} --threads {threads}")
    });
    Row {
        phase,
        what: activity.name().to_string(),
        how: algorithm.to_string(),
        serial: account.serial.contains(&key),
        spans: account.spans.get(&key).copied().unwrap_or(0) as f64 / steps,
        ms,
        share: share(account.work[&key], account.total),
        direct_gflop: figures.direct / 1e9,
        executed_gflop: figures.executed / 1e9,
        megabytes: figures.bytes / 1e6,
        roof,
        floor_ms,
        to_win_ms: (ms - floor_ms).max(0.0),
        descriptor,
        replay,
        why: work.why(kind, activity),
    }
}

/// Takes the distance between the step and its roofs apart.
fn distance(step_ms: f64, rows: &[Row], idle: &[Idle]) -> Distance {
    let floor_ms: f64 = rows.iter().map(|row| row.floor_ms).sum();
    let (unroofed, roofed): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.roof == Roof::Nothing);
    let work_ms = roofed.iter().map(|row| row.ms - row.floor_ms).sum();
    let unroofed_ms = unroofed.iter().map(|row| row.ms).sum();
    let (unknown, known): (Vec<&Idle>, Vec<&Idle>) =
        idle.iter().partition(|idle| matches!(idle.cause, Cause::Handing | Cause::Between));
    let sum = |idle: &[&Idle]| idle.iter().map(|idle| idle.ms).sum::<f64>();
    let (idle_ms, unexplained_ms) = (sum(&known), sum(&unknown));
    let distance_ms = step_ms - floor_ms;
    let explained = 1.0 - unexplained_ms / distance_ms;
    Distance { floor_ms, distance_ms, work_ms, unroofed_ms, idle_ms, unexplained_ms, explained }
}

/// The recorded steps span by span; `keys` are the rows in order.
fn timeline(phases: &Phases, recording: &Recording, keys: &[Key]) -> Vec<TimelineStep> {
    let Some(origin) = recording.steps.first().map(|step| step.start) else { return Vec::new() };
    let since = |at: Instant| at.saturating_duration_since(origin).as_nanos() as f64 / 1e3;
    let told = |(number, step): (usize, &RecordedStep)| {
        let begins = std::iter::once(step.start).chain(step.phases.iter().map(|&(_, end)| end));
        let told = step.phases.iter().zip(begins).map(|(&(phase, end), start)| TimelinePhase {
            phase,
            start_us: since(start),
            end_us: since(end),
        });
        let (start_us, end_us) = (since(step.start), since(end(step)));
        let mut spans = Vec::new();
        for (thread, record) in recording.threads.iter().enumerate() {
            let first = record.spans.partition_point(|span| span.end <= step.start);
            for span in within(record, first, end(step)) {
                let key = key(phases, current_phase(step, span.start), span);
                // A piece that began before the step belongs to no row, if it is the only one of its kind.
                let Some(row) = keys.iter().position(|&other| other == key) else { continue };
                let (start_us, end_us) = (since(span.start).max(start_us), since(span.end).min(end_us));
                spans.push(TimelineSpan { thread, row, start_us, end_us });
            }
        }
        TimelineStep { step: number, start_us, end_us, phases: told.collect(), spans }
    };
    recording.steps.iter().take(TIMELINE_STEPS).enumerate().map(told).collect()
}

/// The end of a step.
fn end(step: &RecordedStep) -> Instant {
    step.phases.last().map_or(step.start, |&(_, end)| end)
}

fn milliseconds(start: Instant, end: Instant) -> f64 {
    end.saturating_duration_since(start).as_nanos() as f64 / 1e6
}

fn share(ns: u64, total: u64) -> f64 {
    ns as f64 / total.max(1) as f64
}
