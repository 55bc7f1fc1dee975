//! The program's voice and ear while it works: stdout and stderr, bars, the log, signals; and the places that
//! it writes to.

pub mod bar;
pub mod console;
pub mod interrupt;
pub mod logging;
pub mod output;
pub mod progress;
