//! One process at a time works on a run.
//!
//! It holds an advisory lock, which the system takes back when the process ends, however it ends. Where a
//! folder can be locked, as on Unix, it is the run's folder itself: nothing is left behind, and those who
//! read the files in it, such as `evaluate`, do not meet the lock.

use crate::cli::job;
use glassnet::{Error, Result};
use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

/// The name by which a filter asks for this module's debug lines.
const LOG_TARGET: &str = "glassnet::cli::run_lock";

/// The right to work on a run, until it is dropped; empty where the file system knows no locks.
pub struct RunLock(#[expect(dead_code, reason = "it is held, and never looked at")] Option<File>);

impl RunLock {
    /// Locks the run in `folder`.
    ///
    /// # Errors
    /// [`Error::Data`], where another process has it.
    pub fn take(folder: &Path) -> Result<RunLock> {
        // The first rank of a job has it for all of them.
        if !job::is_first() {
            return Ok(RunLock(None));
        }
        let file = match lockable(folder) {
            Ok(file) => file,
            Err(error) => return Ok(not_locked(folder, &error)),
        };
        match file.try_lock() {
            Ok(()) => Ok(RunLock(Some(file))),
            Err(TryLockError::WouldBlock) => Err(Error::data(
                folder,
                "another glassnet is at work on this run; wait for its end, or stop it with Ctrl-C",
            )),
            Err(TryLockError::Error(error)) => Ok(not_locked(folder, &error)),
        }
    }

    /// Locks a folder of runs, for the moment in which what they have in common is written: another process
    /// that has it is waited for.
    pub fn wait_for(folder: &Path) -> RunLock {
        let locked = lockable(folder).and_then(|file| file.lock().map(|()| file));
        locked.map_or_else(|error| not_locked(folder, &error), |file| RunLock(Some(file)))
    }
}

/// No lock, where the file system knows none.
fn not_locked(folder: &Path, error: &io::Error) -> RunLock {
    log::debug!(target: LOG_TARGET, "{}: not locked against a second process: {error}", folder.display());
    RunLock(None)
}

/// Returns what is locked.
#[cfg(unix)]
fn lockable(folder: &Path) -> io::Result<File> {
    File::open(folder)
}

/// Elsewhere a folder cannot be opened as a file, and a locked file not be read: an empty one stands for the
/// run.
#[cfg(not(unix))]
fn lockable(folder: &Path) -> io::Result<File> {
    File::options().write(true).create(true).truncate(false).open(folder.join("lock"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_locked_until_the_lock_is_dropped_and_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let lock = RunLock::take(folder.path()).unwrap();
        let error = RunLock::take(folder.path()).err().unwrap().to_string();
        assert!(error.ends_with(": another glassnet is at work on this run; wait for its end, or stop it with Ctrl-C"));
        drop(lock);
        assert!(RunLock::take(folder.path()).is_ok());
        #[cfg(unix)]
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
