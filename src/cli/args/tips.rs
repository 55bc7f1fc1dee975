//! The arguments of this process; and how a command line is refused: in clap's words, with tips that work,
//! and with what a terminal would obey escaped.

use super::Cli;
use crate::cli::job;
use crate::cli::terminal::console;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory, Error, Parser};
use std::ffi::OsString;
use std::sync::{PoisonError, RwLock};

/// The command line that stands in for that of the process.
static STAND_IN: RwLock<Option<Vec<OsString>>> = RwLock::new(None);

impl Cli {
    /// The arguments of this process. Where they are not right, this is said, and the process ends.
    pub fn of_process() -> Cli {
        Cli::try_parse().unwrap_or_else(|error| refuse(error))
    }

    /// The arguments of a command line that from now on stands in for that of the process: what it holds was
    /// given. So a command that runs another one many times runs it as it would run by itself.
    pub fn standing_in(line: Vec<OsString>) -> Cli {
        let cli = Cli::try_parse_from(&line).unwrap_or_else(|error| refuse(error));
        *STAND_IN.write().unwrap_or_else(PoisonError::into_inner) = Some(line);
        cli
    }
}

/// The command line, the program's name first.
pub fn command_line() -> Vec<OsString> {
    let stand_in = STAND_IN.read().unwrap_or_else(PoisonError::into_inner);
    stand_in.clone().unwrap_or_else(|| std::env::args_os().collect())
}

/// Tells whether the user has given this flag, so that it may be blamed.
pub fn is_given(flag: &str) -> bool {
    let is_it = |argument: OsString| argument.to_str().is_some_and(|text| text.split('=').next() == Some(flag));
    command_line().into_iter().take_while(|argument| argument != "--").any(is_it)
}

/// Says what is not right in the arguments, and ends the process.
pub fn refuse(error: Error) -> ! {
    job::leave();
    if !job::is_first() {
        std::process::exit(0);
    }
    let error = with_a_tip_that_works(error);
    let text = error.render().to_string();
    // Where nothing is to be escaped, clap prints it, in colours on a terminal.
    if error.use_stderr() && console::is_obeyed(&text) {
        console::diagnostic(text.trim_end_matches('\n'));
        std::process::exit(error.exit_code());
    }
    error.exit()
}

/// The error with a tip that works. Of a flag that is not known, clap says how to pass it as a value, which
/// is never meant: of a short one the long flags of that letter are, and a long one may be another command's.
fn with_a_tip_that_works(mut error: Error) -> Error {
    let Some(ContextValue::String(unknown)) = error.get(ContextKind::InvalidArg) else { return error };
    let unknown = unknown.clone();
    if error.kind() != ErrorKind::UnknownArgument || !unknown.starts_with('-') {
        return error;
    }
    error.remove(ContextKind::Suggested);
    let whole = Cli::command();
    let path = path(&whole, std::env::args_os().skip(1));
    let command = path.last().copied().unwrap_or(&whole);
    match unknown.strip_prefix("--") {
        None => {
            let similar = unknown.chars().nth(1).map_or(Vec::new(), |letter| long_flags(command, letter));
            if !similar.is_empty() {
                error.insert(ContextKind::SuggestedArg, ContextValue::Strings(similar));
            }
        }
        Some(flag) => {
            let flag = flag.split('=').next().unwrap_or(flag);
            let tip = instead(command.get_name(), flag).map(str::to_string).or_else(|| elsewhere(&whole, flag));
            if let Some(tip) = tip {
                error.remove(ContextKind::SuggestedArg);
                error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(tip)]));
            }
        }
    }
    error
}

/// The commands that these arguments begin with, each within the one before.
fn path(whole: &Command, arguments: impl Iterator<Item = OsString>) -> Vec<&Command> {
    let mut path = vec![whole];
    for argument in arguments {
        match path[path.len() - 1].find_subcommand(&argument) {
            Some(subcommand) => path.push(subcommand),
            None => break,
        }
    }
    path
}

/// The long flags of a command, but for the hidden ones.
fn flags(command: &Command) -> impl Iterator<Item = &str> {
    command.get_arguments().filter(|argument| !argument.is_hide_set()).filter_map(|argument| argument.get_long())
}

/// The long flags that begin with this letter.
fn long_flags(command: &Command, letter: char) -> Vec<String> {
    flags(command).filter(|long| long.starts_with(letter)).map(|long| format!("--{long}")).collect()
}

/// Returns what to use instead of a flag that the command lacks because its value is known from elsewhere.
fn instead(command: &str, flag: &str) -> Option<&'static str> {
    match (command, flag) {
        ("predict" | "evaluate" | "summary", "range" | "upright" | "resize" | "interpolation") => {
            Some("leave it out: the weights know how images are read")
        }
        ("predict", "image-size") | ("evaluate", "image-size") => {
            Some("leave it out: the weights know the size of their images")
        }
        ("predict", "validation-data") => {
            Some("give the images as they are; without any, a run's own validation data are taken")
        }
        ("evaluate", "validation-data") => Some("give it as DATA; without DATA, a run's own validation data are taken"),
        ("evaluate", "validation-split" | "folds") => {
            Some("leave it out: the run knows what validated; --subset validation judges that")
        }
        ("samples", "validation-data") => Some("give it as DATA: samples shows one set at a time"),
        ("inspect", "range") => Some(
            "leave it out: inspect tells the values that 16-bit images hold, and samples --range shows them stretched",
        ),
        _ => None,
    }
}

/// Lists the commands that have the flag.
fn elsewhere(whole: &Command, flag: &str) -> Option<String> {
    let has = |command: &&Command| flags(command).any(|long| long == flag);
    let names: Vec<&str> = whole.get_subcommands().filter(has).map(Command::get_name).collect();
    let (last, first) = names.split_last()?;
    let names = if first.is_empty() { last.to_string() } else { format!("{} and {last}", first.join(", ")) };
    Some(format!("'--{flag}' is a flag of {names}"))
}
