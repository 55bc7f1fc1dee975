//! The lecture: a training that one can stand still in, go back in, and change.
//!
//! - [`session`]: the training itself, at any phase of any step; it knows nothing of pages
//! - [`engine`]: the thread that trains, and the desk where its readers ask
//! - [`stops`]: a prepared lecture, read from a file
//! - [`server`]: the page and its interface, on the loopback of this machine, for those with the link
//!
//! `glassnet lecture DATA` is these four.

pub mod engine;
mod page;
pub mod server;
pub mod session;
pub mod stops;
