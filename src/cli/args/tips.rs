//! What clap advises where an argument is not known, mended.

use super::Cli;
use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory, Error};
use std::ffi::OsStr;

/// The error with a tip that works. Of a short flag that is not known, clap says how to pass it as a value,
/// which no command takes; the long flags of that first letter are what was meant.
pub fn with_a_tip_that_works(mut error: Error) -> Error {
    let Some(ContextValue::String(unknown)) = error.get(ContextKind::InvalidArg) else { return error };
    let Some(letter) =
        unknown.strip_prefix('-').filter(|rest| !rest.starts_with('-')).and_then(|rest| rest.chars().next())
    else {
        return error;
    };
    error.remove(ContextKind::Suggested);
    let similar = long_flags(letter, std::env::args_os().skip(1));
    if !similar.is_empty() {
        error.insert(ContextKind::SuggestedArg, ContextValue::Strings(similar));
    }
    error
}

/// The long flags that begin with this letter, of the command that these arguments begin with.
fn long_flags(letter: char, arguments: impl Iterator<Item = impl AsRef<OsStr>>) -> Vec<String> {
    let mut command = &Cli::command();
    for argument in arguments {
        match command.find_subcommand(argument.as_ref()) {
            Some(subcommand) => command = subcommand,
            None => break,
        }
    }
    let longs =
        command.get_arguments().filter(|argument| !argument.is_hide_set()).filter_map(|argument| argument.get_long());
    longs.filter(|long| long.starts_with(letter)).map(|long| format!("--{long}")).collect()
}
