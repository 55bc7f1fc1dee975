//! The machine that is measured: its threads and its limits.

use crate::cli::args::bench::ThreadCounts;
use crate::cli::machine;
use crate::cli::machine::pool::thread_pool;
use glassnet::bench::machine_peak::MachinePeak;
use glassnet::kernels::simd::InstructionSet;
use rayon::ThreadPool;
use serde_json::{Value, json};

/// A pool for each number of threads that is asked for.
pub fn pools(threads: &ThreadCounts) -> glassnet::Result<Vec<ThreadPool>> {
    match threads.counts.as_slice() {
        [] => Ok(vec![thread_pool(None)?]),
        counts => counts.iter().map(|&count| thread_pool(Some(count))).collect(),
    }
}

/// Returns what the machine can do at most with each pool's threads.
pub fn peaks(pools: &[ThreadPool]) -> Vec<MachinePeak> {
    pools.iter().map(|pool| pool.install(MachinePeak::measure)).collect()
}

/// Returns what the figures are of: a line, and a further one for each further number of threads.
pub fn machine_lines(peaks: &[MachinePeak]) -> Vec<String> {
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
pub fn machine_json(peaks: &[MachinePeak]) -> Value {
    json!({
        "processor": machine::processor(),
        "instruction_set": InstructionSet::in_force().name(),
        "release_build": !cfg!(debug_assertions),
        "peaks": peaks,
    })
}
