//! The job that this process is one rank of, where several share a training.
//!
//! All ranks do the same; the first one alone prints, and writes the run. A rank that cannot go on before the
//! first step tells the others, and all end with its sentence. Later the others wait in the middle of a step
//! and cannot be told: it says so itself, and ends the whole job.

use crate::cli::outcome::{Failure, told};
use crate::cli::terminal::{console, interrupt};
use glassnet::distributed::Ranks;
use glassnet::{Error, Result};
use launcher::Membership;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::available_parallelism;

mod launcher;

/// The ranks of the job.
static RANKS: OnceLock<Ranks> = OnceLock::new();

/// The membership in it, until the process leaves.
static MEMBERSHIP: Mutex<Option<Membership>> = Mutex::new(None);

/// A switch: steps are taken, and a rank that fails cannot tell the others.
static TAKES_STEPS: AtomicBool = AtomicBool::new(false);

/// All ranks of this process's job; where it is alone, one.
pub fn ranks() -> &'static Ranks {
    RANKS.get_or_init(Ranks::alone)
}

/// Returns whether this rank is the one that prints and writes.
pub fn is_first() -> bool {
    ranks().rank() == 0
}

/// Returns whether several processes share the work.
pub fn is_shared() -> bool {
    ranks().count() > 1
}

/// Joins the job as part of which this process was started, if it was; only the first rank is heard from then
/// on.
///
/// # Errors
/// Those of a launcher that this program, as it was built, cannot work with.
pub fn join() -> Result<()> {
    let (membership, ranks) = launcher::join()?;
    if ranks.rank() > 0 {
        console::silence();
    }
    if ranks.count() > 1 {
        interrupt::wait_for_agreement();
    }
    let _ = RANKS.set(ranks);
    *MEMBERSHIP.lock().unwrap_or_else(PoisonError::into_inner) = Some(membership);
    Ok(())
}

/// Leaves the job, which every rank does before it ends; all wait until the last one has come so far.
pub fn leave() {
    *MEMBERSHIP.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

/// The threads of a rank, where so many were asked for: by default those of the cores that it may use,
/// divided among the ranks that may use the same ones.
pub fn threads(given: Option<usize>) -> Option<usize> {
    let sharing = launcher::sharing();
    given.or_else(|| (sharing > 1).then(|| (available_parallelism().map_or(1, usize::from) / sharing).max(1)))
}

/// Brings together what each rank has to say before the first step.
///
/// # Errors
/// [`Error::Rank`] of one that cannot go on.
pub fn confer(words: Vec<u8>) -> Result<Vec<Vec<u8>>> {
    ranks().confer(Ok(words))
}

/// Waits until all ranks are about to take their first step. From then on one that fails ends the job.
///
/// # Errors
/// [`Error::Rank`] of one that cannot go on.
pub fn begin_steps() -> Result<()> {
    confer(Vec::new())?;
    TAKES_STEPS.store(true, Ordering::SeqCst);
    Ok(())
}

/// Refuses work that several processes cannot share, for this reason.
///
/// # Errors
/// [`Error::Setting`], where there are several.
pub fn check_alone(reason: &str) -> Result<()> {
    match ranks().count() {
        1 => Ok(()),
        count => Err(Error::setting("the job", format!("{count} processes were started as one, and {reason}"))),
    }
}

/// Refuses work that each of several processes would do by itself.
///
/// # Errors
/// [`Error::Setting`], where several were started that do not know of each other.
pub fn check_known() -> Result<()> {
    if is_shared() { Ok(()) } else { launcher::check_meant_to_be_alone() }
}

/// The exit code of a rank whose work has failed, which would be `code` if it were alone, after the failure
/// was told once. A failure that all ranks have is the first one's to tell.
pub fn fail(failure: &Failure, code: u8) -> ExitCode {
    if !is_shared() {
        console::error(&failure.to_string());
        return ExitCode::from(code);
    }
    match (TAKES_STEPS.load(Ordering::SeqCst), error_of(failure)) {
        // All ranks have agreed on the settings.
        (
            true,
            Some(
                Error::Interrupted
                | Error::NotFinite { .. }
                | Error::WeightsNotFinite { .. }
                | Error::Setting { .. }
                | Error::Layer { .. },
            ),
        ) => {
            console::error(&failure.to_string());
        }
        (true, _) => {
            console::error_of_any_rank(&format!("{}: {failure}", ranks().name(ranks().rank())));
            launcher::abort();
        }
        (false, Some(Error::Rank { .. })) => console::error(&failure.to_string()),
        (false, _) => match ranks().confer(Err(failure.to_string())) {
            Err(Error::Rank { rank, reason }) if rank != ranks().name(0) => {
                console::error(&told(&Error::Rank { rank, reason }));
            }
            // What the first rank found itself it tells as if it were alone.
            _ => console::error(&failure.to_string()),
        },
    }
    // The launcher tells of every code but 0, and once is enough.
    if is_first() { ExitCode::from(code) } else { ExitCode::SUCCESS }
}

/// The library's error in a failure.
fn error_of(failure: &Failure) -> Option<&Error> {
    match failure {
        Failure::Work(error) | Failure::Stopped { error, .. } => Some(error),
        Failure::Interrupted { .. } | Failure::Stdout(_) => None,
    }
}
