//! The one bar that may stand on the terminal: what is printed goes above it, and Ctrl-C takes it away.

use indicatif::ProgressBar;
use std::sync::{Mutex, MutexGuard};

static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

fn shown() -> MutexGuard<'static, Option<ProgressBar>> {
    SHOWN.lock().expect("no thread ends while it prints")
}

/// This bar stands on the terminal now.
pub fn show(bar: &ProgressBar) {
    *shown() = Some(bar.clone());
}

/// No bar stands there any more.
pub fn forget() {
    *shown() = None;
}

/// Prints while the bar, if there is one, is out of the way.
pub fn aside<T>(print: impl FnOnce() -> T) -> T {
    match shown().as_ref() {
        Some(bar) => bar.suspend(print),
        None => print(),
    }
}

/// Takes the bar away before the program ends at once. Where another thread is just printing it stays, as
/// that thread may have to wait for its reader.
pub fn clear() {
    if let Ok(shown) = SHOWN.try_lock()
        && let Some(bar) = shown.as_ref()
    {
        bar.finish_and_clear();
    }
}
