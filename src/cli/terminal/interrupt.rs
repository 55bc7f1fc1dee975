//! The wish that the program ends: Ctrl-C, SIGTERM of a scheduler or a container, SIGHUP of a terminal that
//! closes. It ends at once, or where there is something to save, after the step at work.

use crate::cli::terminal::{bar, console, output};
use glassnet::{Error, Result};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

/// A switch: someone looks at [`check`], so that a signal can wait for it.
static AWAITED: AtomicBool = AtomicBool::new(false);
/// The exit code of the signal that waits; 0 where there was none.
static WAITING: AtomicU8 = AtomicU8::new(0);

/// A switch: this process is one of several that have to stop after the same step.
static NEEDS_AGREEMENT: AtomicBool = AtomicBool::new(false);
/// A switch: they have agreed to.
static AGREED: AtomicBool = AtomicBool::new(false);

/// The exit code of SIGTERM.
const EXIT_TERMINATED: u8 = 143;

/// The exit code of Ctrl-C.
const EXIT_INTERRUPTED: u8 = 130;

/// Makes signals end the program with an exit code of their own: 130 for Ctrl-C, 143 for SIGTERM, 129 for
/// SIGHUP. Under nohup, which has SIGHUP ignored, it stays ignored.
pub fn install() {
    if let Err(error) = listen() {
        console::warn(&format!("Ctrl-C will not be answered with exit code {EXIT_INTERRUPTED}: {error}"));
    }
}

/// Answers a signal of this exit code.
fn answer(code: u8) {
    let waits = AWAITED.load(Ordering::SeqCst);
    // The second signal does not wait any more.
    if !waits || WAITING.compare_exchange(0, code, Ordering::SeqCst, Ordering::SeqCst).is_err() {
        bar::clear();
        output::remove_empty_folders();
        std::process::exit(code.into());
    }
}

#[cfg(unix)]
fn listen() -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let wanted = [SIGINT, SIGTERM].into_iter().chain((!hangup_is_ignored()).then_some(SIGHUP));
    let mut signals = signal_hook::iterator::Signals::new(wanted)?;
    let listen = move || signals.forever().for_each(|signal| answer(128 + signal as u8));
    std::thread::Builder::new().name("signals".into()).spawn(listen)?;
    Ok(())
}

#[cfg(not(unix))]
fn listen() -> std::result::Result<(), ctrlc::Error> {
    ctrlc::set_handler(|| answer(EXIT_INTERRUPTED))
}

/// Returns whether the program was started with SIGHUP ignored.
#[cfg(target_os = "linux")]
fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 != 0)
}

/// Returns whether the program was started with SIGHUP ignored. A shell that we start inherits that, and
/// sends the signal to itself.
#[cfg(all(unix, not(target_os = "linux")))]
fn hangup_is_ignored() -> bool {
    std::process::Command::new("sh").args(["-c", "kill -HUP $$"]).status().is_ok_and(|status| status.success())
}

/// Makes the first signal from now on wait for the next [`check`].
pub fn finish_the_step_first() {
    AWAITED.store(true, Ordering::SeqCst);
}

/// From now on a signal that waits ends nothing until all ranks of the job have [agreed](agree) on it.
pub fn wait_for_agreement() {
    NEEDS_AGREEMENT.store(true, Ordering::SeqCst);
}

/// Returns whether a signal waits.
pub fn is_wanted() -> bool {
    WAITING.load(Ordering::SeqCst) != 0
}

/// The ranks of the job have agreed to stop.
#[cfg(feature = "mpi")]
pub fn agree() {
    AGREED.store(true, Ordering::SeqCst);
}

/// [`Error::Interrupted`], if a signal waits, and all who have to agree on it have.
pub fn check() -> Result<()> {
    let ends = match NEEDS_AGREEMENT.load(Ordering::SeqCst) {
        true => AGREED.load(Ordering::SeqCst),
        false => is_wanted(),
    };
    if ends { Err(Error::Interrupted) } else { Ok(()) }
}

/// The exit code of a program that [`Error::Interrupted`] ends.
pub fn exit_code() -> u8 {
    match WAITING.load(Ordering::SeqCst) {
        // It came to another rank, from a scheduler.
        0 if AGREED.load(Ordering::SeqCst) => EXIT_TERMINATED,
        0 => EXIT_INTERRUPTED,
        code => code,
    }
}
