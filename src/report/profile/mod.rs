//! The three views of a [profile](crate::profile::model::Profile), which all tell the same figures.
//!
//! | view | holds | for |
//! |---|---|---|
//! | [`text`] | the table of the terminal | a look |
//! | [`page`] | `profile.html`: roofline, tables and a timeline, on one page without a network | reading and showing |
//! | [`trace`] | `trace.json`, every piece of work of some steps | <https://ui.perfetto.dev> |
//!
//! What they say of a phase, a cause or a roof is in the same words.

pub mod page;
pub mod text;
pub mod trace;
mod words;
