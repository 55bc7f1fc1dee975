//! `glassnet bench`: how fast the engine is on this machine, with the machine's own limits beside it.

mod conv;
mod step;

use crate::cli::args::bench::{BenchArgs, BenchCommand, ThreadCounts};
use crate::cli::machine;
use crate::cli::machine::pool::thread_pool;
use crate::cli::outcome::CommandResult;
use crate::cli::terminal::console;
use glassnet::bench::machine_peak::MachinePeak;
use glassnet::kernels::simd::InstructionSet;
use rayon::ThreadPool;
use serde_json::{Value, json};

/// Measures what is asked for.
pub fn run(args: &BenchArgs) -> CommandResult {
    if cfg!(debug_assertions) {
        console::warn(
            "this program was built without --release; its figures are not those of the engine as it is meant to be used",
        );
    }
    match &args.what {
        BenchCommand::Conv(args) => conv::run(args),
        BenchCommand::Step(args) => step::run(args),
    }
}

/// A pool for each number of threads that is asked for.
fn pools(threads: &ThreadCounts) -> glassnet::Result<Vec<ThreadPool>> {
    match threads.counts.as_slice() {
        [] => Ok(vec![thread_pool(None)?]),
        counts => counts.iter().map(|&count| thread_pool(Some(count))).collect(),
    }
}

/// What the machine can do at most with each pool's threads.
fn peaks(pools: &[ThreadPool]) -> Vec<MachinePeak> {
    pools.iter().map(|pool| pool.install(MachinePeak::measure)).collect()
}

/// What the figures are of: a line, and a further one for each further number of threads.
fn machine_lines(peaks: &[MachinePeak]) -> Vec<String> {
    let limits = |peak: &MachinePeak| {
        let threads = if peak.threads == 1 { "1 thread".to_string() } else { format!("{} threads", peak.threads) };
        format!("{threads}: at most {:.1} GFLOP/s in f32, {:.1} GB/s to memory", peak.gflops, peak.gb_per_s)
    };
    let machine = format!("{}, {}, ", machine::processor(), InstructionSet::in_force().name());
    let line = |(index, peak): (usize, &MachinePeak)| match index {
        0 => format!("{machine}{}", limits(peak)),
        _ => format!("{:width$}{}", "", limits(peak), width = machine.chars().count()),
    };
    peaks.iter().enumerate().map(line).collect()
}

/// The same for `--json`.
fn machine_json(peaks: &[MachinePeak]) -> Value {
    json!({
        "processor": machine::processor(),
        "instruction_set": InstructionSet::in_force().name(),
        "release_build": !cfg!(debug_assertions),
        "peaks": peaks,
    })
}
