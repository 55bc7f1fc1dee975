//! The three views of a profile: the terminal's table, the page and the trace.

mod page;
mod sample;
mod text;
mod trace;
