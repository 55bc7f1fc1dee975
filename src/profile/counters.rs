//! The processor's own counters, where the kernel gives them: instructions, cycles, and misses of the last
//! cache, of every thread of the pool.

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counts {
    /// Instructions.
    pub instructions: f64,
    /// Cycles.
    pub cycles: f64,
    /// Misses of the last cache.
    pub misses: f64,
}

impl Counts {
    /// Adds others.
    pub fn add(&mut self, other: Counts) {
        self.instructions += other.instructions;
        self.cycles += other.cycles;
        self.misses += other.misses;
    }

    /// The mean of so many.
    pub fn divided_by(&self, count: f64) -> Counts {
        Counts { instructions: self.instructions / count, cycles: self.cycles / count, misses: self.misses / count }
    }
}

#[cfg(target_os = "linux")]
pub use linux::CounterSet;
#[cfg(not(target_os = "linux"))]
pub use none::CounterSet;

#[cfg(target_os = "linux")]
mod linux {
    use super::Counts;
    use perf_event::events::{Event, Hardware};
    use perf_event::{Builder, Counter};
    use std::io::{Error, ErrorKind};

    /// The counters of every thread of a pool.
    pub struct CounterSet {
        threads: Vec<[Counter; 3]>,
        last: Counts,
    }

    impl CounterSet {
        /// Opens the counters of all threads of the current pool, and starts them.
        ///
        /// # Errors
        /// A sentence that says why there are none.
        pub fn open() -> Result<CounterSet, String> {
            CounterSet::of([Hardware::INSTRUCTIONS, Hardware::CPU_CYCLES, Hardware::CACHE_MISSES])
        }

        /// Opens counters of these events.
        pub(in crate::profile) fn of(events: [impl Event + Clone + Sync; 3]) -> Result<CounterSet, String> {
            // A thread opens its own, and whoever has them can read them.
            let opened = rayon::broadcast(|_| {
                let open = |event: usize| -> Result<Counter, Error> {
                    let mut counter = Builder::new(events[event].clone()).build()?;
                    counter.enable()?;
                    Ok(counter)
                };
                Ok([open(0)?, open(1)?, open(2)?])
            });
            let threads = opened.into_iter().collect::<Result<Vec<_>, Error>>().map_err(|error| reason(&error))?;
            let mut counters = CounterSet { threads, last: Counts::default() };
            counters.lap();
            Ok(counters)
        }

        /// Counts since the last lap, over all threads.
        pub fn lap(&mut self) -> Counts {
            let mut now = Counts::default();
            for [instructions, cycles, misses] in &mut self.threads {
                let read = |counter: &mut Counter| counter.read().unwrap_or(0) as f64;
                now.add(Counts { instructions: read(instructions), cycles: read(cycles), misses: read(misses) });
            }
            let Counts { instructions, cycles, misses } = std::mem::replace(&mut self.last, now);
            Counts {
                instructions: now.instructions - instructions,
                cycles: now.cycles - cycles,
                misses: now.misses - misses,
            }
        }
    }

    /// Why the kernel gives none.
    fn reason(error: &Error) -> String {
        match error.kind() {
            ErrorKind::PermissionDenied => "The kernel keeps the processor's counters to itself: \
                                            /proc/sys/kernel/perf_event_paranoid must be 2 or less."
                .into(),
            ErrorKind::NotFound => {
                "This machine shows no counters of its processor, as virtual machines mostly do not: \
                                    no instructions a cycle, and no bytes from memory."
                    .into()
            }
            _ => format!("The processor's counters cannot be read: {error}."),
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use perf_event::events::Software;

        #[test]
        fn counters_of_all_threads_count_or_say_why_not() {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
            // What the kernel itself counts is there without any help from the processor.
            match pool.install(|| CounterSet::of([Software::TASK_CLOCK; 3])) {
                Ok(mut counters) => {
                    pool.broadcast(|_| (0..1_000_000u64).for_each(|n| _ = std::hint::black_box(n)));
                    let first = counters.lap();
                    assert!(first.instructions > 0.0 && first.cycles > 0.0 && first.misses > 0.0, "{first:?}");
                }
                Err(reason) => println!("skipped: {reason}"),
            }
            if let Err(reason) = pool.install(CounterSet::open).map(|_| ()) {
                assert!(reason.ends_with('.'), "{reason}");
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod none {
    use super::Counts;

    /// No counters.
    pub struct CounterSet;

    impl CounterSet {
        /// Says why there are none.
        ///
        /// # Errors
        /// Always.
        pub fn open() -> Result<CounterSet, String> {
            Err("The processor's counters are read on Linux alone.".into())
        }

        /// Nothing.
        pub fn lap(&mut self) -> Counts {
            Counts::default()
        }
    }
}
