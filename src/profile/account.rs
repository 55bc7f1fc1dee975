//! The account of all thread time: every nanosecond of every thread in the recorded steps is either work in
//! some phase, or idle for some cause.
//!
//! The phases of a step follow each other without a gap, and the spans of a thread do not overlap. So the
//! step is cut at all their begins and ends. In each piece a thread either is in a span or is not; if not,
//! what the other threads do at that moment says why:
//!
//! | phase | others | cause |
//! |---|---|---|
//! | the batch is awaited | | [`Cause::Images`] |
//! | between the phases | | [`Cause::Between`] |
//! | any other | one is in a serial span | [`Cause::Serial`] |
//! | | one is in a piece of parallel work | [`Cause::Others`] |
//! | | none is in any | [`Cause::Handing`] |

use super::model::Cause;
use super::phases::{PhaseKind, Phases};
use super::profiler::RecordedStep;
use crate::spans::{Activity, Span, ThreadSpans};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// What a row of work is: a phase, an activity and its algorithm.
pub type Key = (usize, Activity, &'static str);

/// The account, in nanoseconds over all recorded steps.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// Threads × the recorded steps' time.
    pub total: u64,
    /// The time of the steps alone.
    pub wall: u64,
    /// For each phase its time, and the thread time of work in it.
    pub phases: Vec<[u64; 2]>,
    /// Thread time of work.
    pub work: BTreeMap<Key, u64>,
    /// Thread time without, by phase and the cause's number in [`Cause::ALL`].
    pub idle: BTreeMap<(usize, usize), u64>,
    /// For each kind of work its pieces.
    pub spans: BTreeMap<Key, u64>,
    /// The kinds of work that one thread does alone.
    pub serial: BTreeSet<Key>,
}

impl Account {
    /// Accounts for the recorded steps.
    pub fn of(phases: &Phases, steps: &[RecordedStep], threads: &[ThreadSpans]) -> Account {
        let mut account = Account { phases: vec![[0; 2]; phases.kinds().len()], ..Account::default() };
        let mut first = vec![0; threads.len()];
        for step in steps {
            account.add(phases, step, threads, &mut first);
        }
        account
    }

    /// Adds a step. `first` are the threads' first spans that may end in it.
    fn add(&mut self, phases: &Phases, step: &RecordedStep, threads: &[ThreadSpans], first: &mut [usize]) {
        let Some(&(_, end)) = step.phases.last() else { return };
        let nanoseconds = |at: Instant| at.saturating_duration_since(step.start).as_nanos() as u64;
        let mut cuts: Vec<Instant> = vec![step.start];
        cuts.extend(step.phases.iter().map(|&(_, end)| end));
        for (thread, first) in threads.iter().zip(first.iter_mut()) {
            *first += thread.spans[*first..].iter().take_while(|span| span.end <= step.start).count();
            for span in within(thread, *first, end) {
                cuts.extend([span.start, span.end].into_iter().filter(|&at| step.start < at && at < end));
                // A piece that began before, or outlasts the step, counts where it begins.
                if span.serial {
                    self.serial.insert(key(phases, current_phase(step, span.start), span));
                }
                if step.start <= span.start {
                    *self.spans.entry(key(phases, current_phase(step, span.start), span)).or_default() += 1;
                }
            }
        }
        cuts.sort_unstable();
        cuts.dedup();
        let mut at: Vec<usize> = first.to_vec();
        let mut phase = 0;
        for piece in cuts.windows(2) {
            let (begin, length) = (piece[0], nanoseconds(piece[1]) - nanoseconds(piece[0]));
            while step.phases[phase].1 <= begin {
                phase += 1;
            }
            let number = step.phases[phase].0;
            let at_work: Vec<Option<&Span>> = threads
                .iter()
                .zip(&mut at)
                .map(|(thread, at)| {
                    while thread.spans.get(*at).is_some_and(|span| span.end <= begin) {
                        *at += 1;
                    }
                    thread.spans.get(*at).filter(|span| span.start <= begin)
                })
                .collect();
            let cause = cause(phases.kinds()[number], &at_work);
            self.wall += length;
            self.phases[number][0] += length;
            for span in at_work {
                self.total += length;
                match span {
                    Some(span) => {
                        *self.work.entry(key(phases, number, span)).or_default() += length;
                        self.phases[number][1] += length;
                    }
                    None => *self.idle.entry((number, cause)).or_default() += length,
                }
            }
        }
    }
}

/// The spans of a thread from its `first` on that begin before `end`.
pub(super) fn within(thread: &ThreadSpans, first: usize, end: Instant) -> impl Iterator<Item = &Span> {
    thread.spans[first..].iter().take_while(move |span| span.start < end)
}

/// The row that a span belongs to. Pictures are decoded ahead of need, beside any phase, for the one that
/// awaits them.
pub(super) fn key(phases: &Phases, phase: usize, span: &Span) -> Key {
    let phase = match span.activity {
        Activity::Decoding => phases.index(PhaseKind::Images),
        _ => phase,
    };
    (phase, span.activity, span.algorithm)
}

/// The phase of a step in which a moment lies.
pub(super) fn current_phase(step: &RecordedStep, at: Instant) -> usize {
    let found = step.phases.iter().find(|&&(_, end)| at < end).or(step.phases.last());
    found.map_or(0, |&(phase, _)| phase)
}

/// The number of the cause why a thread is idle while these are at work.
fn cause(kind: PhaseKind, at_work: &[Option<&Span>]) -> usize {
    let mut others = at_work.iter().flatten();
    let cause = match kind {
        PhaseKind::Images => Cause::Images,
        PhaseKind::Between => Cause::Between,
        _ if others.clone().any(|span| span.serial) => Cause::Serial,
        _ if others.next().is_some() => Cause::Others,
        _ => Cause::Handing,
    };
    Cause::ALL.iter().position(|&other| other == cause).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Network;
    use crate::plan::{Plan, PlanOptions};
    use crate::spec::ModelSpec;
    use std::time::Duration;

    fn phases() -> Phases {
        let network = Network::new(&ModelSpec::documented().with_image_size(32)).unwrap();
        Phases::new(&Plan::new(&network, 2, PlanOptions { training: true, ..PlanOptions::default() }))
    }

    /// Spans of a thread, from begin to end in nanoseconds, serial or not.
    fn thread(origin: Instant, spans: &[(u64, u64, bool)]) -> ThreadSpans {
        let at = |ns| origin + Duration::from_nanos(ns);
        let span = |&(start, end, serial)| Span {
            activity: if serial { Activity::Loss } else { Activity::Convolution },
            algorithm: "",
            serial,
            start: at(start),
            end: at(end),
        };
        ThreadSpans { spans: spans.iter().map(span).collect(), dropped: 0 }
    }

    #[test]
    fn every_nanosecond_has_its_place() {
        let (phases, origin) = (phases(), Instant::now());
        let index = |kind| phases.index(kind);
        let at = |ns| origin + Duration::from_nanos(ns);
        let [images, forward, loss, between] =
            [PhaseKind::Images, PhaseKind::Forward(0), PhaseKind::Loss, PhaseKind::Between].map(index);
        let step = RecordedStep {
            start: at(100),
            phases: vec![(images, at(200)), (forward, at(500)), (loss, at(600)), (between, at(650))],
        };
        let threads = [
            thread(origin, &[(50, 120, false), (210, 400, false), (500, 580, true)]),
            thread(origin, &[(220, 480, false), (490, 495, false), (640, 700, false)]),
        ];
        let account = Account::of(&phases, &[step], &threads);
        assert_eq!((account.wall, account.total), (550, 1100));
        let work = |phase, activity| account.work.get(&(phase, activity, "")).copied().unwrap_or(0);
        assert_eq!(work(images, Activity::Convolution), 20);
        assert_eq!(work(forward, Activity::Convolution), 190 + 260 + 5);
        assert_eq!(work(loss, Activity::Loss), 80);
        assert_eq!(work(between, Activity::Convolution), 10);
        let idle = |phase, cause| {
            let cause = Cause::ALL.iter().position(|&other| other == cause).unwrap();
            account.idle.get(&(phase, cause)).copied().unwrap_or(0)
        };
        assert_eq!(idle(images, Cause::Images), 200 - 20);
        // Thread 1 while thread 0 works from 210 to 220, thread 0 from 400 to 480 and from 490 to 495.
        assert_eq!(idle(forward, Cause::Others), 10 + 80 + 5);
        // Both from 200 to 210, from 480 to 490 and from 495 to 500.
        assert_eq!(idle(forward, Cause::Handing), 2 * (10 + 10 + 5));
        assert_eq!((idle(loss, Cause::Serial), idle(loss, Cause::Handing)), (80, 40));
        assert_eq!(idle(between, Cause::Between), 100 - 10);
        let all: u64 = account.work.values().chain(account.idle.values()).sum();
        assert_eq!(all, account.total);
        assert_eq!(account.phases.iter().map(|[ms, _]| ms).sum::<u64>(), account.wall);
        // The span that began before the step is none of its pieces.
        assert_eq!(account.spans[&(forward, Activity::Convolution, "")], 3);
    }
}
