//! What goes to the terminal: results on stdout, everything else on stderr.

use super::bar::aside;
use glassnet::Error;
pub use glassnet::error::shell_word;
use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether progress is not to be told.
static QUIET: AtomicBool = AtomicBool::new(false);

/// From now on progress is not told, or is.
pub fn set_quiet(quiet: bool) {
    QUIET.store(quiet, Ordering::Relaxed);
}

/// Whether progress is not to be told.
pub fn is_quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// Why a command ended early.
#[derive(Debug)]
pub enum Failure {
    /// The library says so.
    Work(Error),
    /// A run ended before its end, and this command goes on with it.
    Stopped { error: Error, go_on: String },
    /// Stdout cannot be written.
    Stdout(io::Error),
}

impl Failure {
    /// The end of a run of `command` in `folder`, before it was done.
    pub fn stopped(error: Error, command: &str, folder: &Path) -> Failure {
        let go_on = format!("glassnet {command} --resume {}", shell_word(&folder.display().to_string()));
        Failure::Stopped { error, go_on }
    }

    /// Whether the reader of our stdout went away.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Failure::Stdout(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Work(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Stdout(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Failure::Work(error) => error.fmt(formatter),
            Failure::Stopped { error, go_on } => write!(formatter, "{error}; go on with: {go_on}"),
            Failure::Stdout(error) => write!(formatter, "cannot write the results to stdout: {error}"),
        }
    }
}

/// A line of results.
pub fn print(line: &str) -> io::Result<()> {
    aside(|| {
        let mut stdout = io::stdout().lock();
        stdout.write_all(line.as_bytes())?;
        stdout.write_all(b"\n")?;
        stdout.flush()
    })
}

/// A line that says that a file was written, which is the result itself.
pub fn print_unless_quiet(line: &str) -> io::Result<()> {
    if is_quiet() { Ok(()) } else { print(line) }
}

/// Lines of results beside work that matters more than they do: when stdout takes no more, as when its reader went away, the
/// work goes on, and the reason is told at its end.
#[derive(Default)]
pub struct Lines {
    failure: Option<io::Error>,
}

impl Lines {
    /// Prints a line.
    pub fn print(&mut self, line: &str) {
        if self.failure.is_none() {
            self.failure = print(line).err();
        }
    }

    /// Whether a line could not be printed.
    pub fn have_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// `Err` where a line could not be printed.
    pub fn end(self) -> io::Result<()> {
        self.failure.map_or(Ok(()), Err)
    }
}

/// One JSON object, the whole of what a command prints with `--json`.
pub fn print_json(value: &serde_json::Value) -> io::Result<()> {
    print(&format!("{value:#}"))
}

/// A line of progress.
pub fn progress(line: &str) {
    if !is_quiet() {
        diagnostic(line);
    }
}

/// A line on stderr; nobody is told if that is closed.
pub fn diagnostic(line: &str) {
    aside(|| {
        let _ = writeln!(io::stderr(), "{line}");
    });
}

/// Something the user should know, that stops nothing.
pub fn warn(sentence: &str) {
    diagnostic(&format!("warning: {}", one_line(sentence)));
}

/// Why something could not be done.
pub fn error(sentence: &str) {
    diagnostic(&format!("error: {}", one_line(sentence)));
}

/// The text with its control characters escaped: names of files may hold line breaks, and codes that terminals obey.
pub fn one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let escaped = |char: char| if char.is_control() { char.escape_default().to_string() } else { char.to_string() };
    Cow::Owned(text.chars().map(escaped).collect())
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn a_name_with_a_line_break_or_a_terminal_code_stays_on_one_line() {
        assert_eq!(one_line("a\nb \u{1b}[2J 肝"), "a\\nb \\u{1b}[2J 肝");
        assert_eq!(one_line("plain"), "plain");
    }
}
