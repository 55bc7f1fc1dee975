//! Ctrl-C: at once, or where there is something to save, after the step at work.

use super::EXIT_INTERRUPTED;
use super::{bar, console};
use glassnet::{Error, Result};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether someone looks at [`check`], so that an interrupt can wait for it.
static AWAITED: AtomicBool = AtomicBool::new(false);
/// Whether there was an interrupt that waits.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C ends the program with exit code 130.
pub fn install() {
    let outcome = ctrlc::set_handler(|| {
        // The second Ctrl-C does not wait any more.
        if !AWAITED.load(Ordering::SeqCst) || INTERRUPTED.swap(true, Ordering::SeqCst) {
            bar::clear();
            std::process::exit(EXIT_INTERRUPTED.into());
        }
    });
    if let Err(error) = outcome {
        console::warn(&format!("Ctrl-C will not be answered with exit code {EXIT_INTERRUPTED}: {error}"));
    }
}

/// From now on the first Ctrl-C waits for the next [`check`].
pub fn finish_the_step_first() {
    AWAITED.store(true, Ordering::SeqCst);
}

/// [`Error::Interrupted`], if Ctrl-C was pressed.
pub fn check() -> Result<()> {
    match INTERRUPTED.load(Ordering::SeqCst) {
        true => Err(Error::Interrupted),
        false => Ok(()),
    }
}
