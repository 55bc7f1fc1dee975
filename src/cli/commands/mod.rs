//! The commands, a file or a folder each: it resolves its arguments, runs the library, and prints.

pub mod bench;
pub mod completions;
mod drawing;
pub mod evaluate;
pub mod explain;
pub mod export;
pub mod folds;
pub mod glyphs;
pub mod gradcheck;
pub mod import;
pub mod init;
pub mod inspect;
pub mod lecture;
pub mod lr_find;
pub mod man;
pub mod pack;
pub mod phantom;
pub mod predict;
pub mod profile;
pub mod reproduce;
pub mod runs;
pub mod samples;
pub mod summary;
pub mod sweep;
pub mod train;
