//! The threads that a command works with.

use crate::cli::machine;
use crate::cli::outcome::CommandResult;
use glassnet::Error;
use glassnet::error::counted;
use glassnet::kernels::simd::InstructionSet;
use rayon::ThreadPool;

/// The name by which a filter asks for this module's debug lines.
const LOG_TARGET: &str = "glassnet::cli";

/// Runs `work` in a thread pool of our own; by default it has a thread for each core.
pub fn in_pool(threads: Option<usize>, work: impl FnOnce() -> CommandResult + Send) -> CommandResult {
    let pool = thread_pool(threads)?;
    let instructions = InstructionSet::in_force().name();
    log::debug!(target: LOG_TARGET, "{}, instruction set {instructions}, {}", counted(pool.current_num_threads(), "thread"), machine::processor());
    pool.install(work)
}

/// A pool of so many threads, or of one for each core.
pub fn thread_pool(threads: Option<usize>) -> glassnet::Result<ThreadPool> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads.unwrap_or(0))
        .build()
        .map_err(|error| Error::setting("--threads", format!("the threads cannot be started: {error}")))
}
