//! Where the time of a training run goes: every millisecond of every thread, what it was for, and what could
//! be won.

pub mod model;
