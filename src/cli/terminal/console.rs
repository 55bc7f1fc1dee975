//! The terminal's two streams: results on stdout, everything else on stderr.

use crate::cli::terminal::bar::aside;
pub use glassnet::error::shell_word;
use regex::{Captures, Regex};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};

/// The switch that silences progress.
static QUIET: AtomicBool = AtomicBool::new(false);

/// From now on progress is not told, or is.
pub fn set_quiet(quiet: bool) {
    QUIET.store(quiet, Ordering::Relaxed);
}

/// Returns whether progress is not to be told.
pub fn is_quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// The switch that silences everything.
static SILENT: AtomicBool = AtomicBool::new(false);

/// From now on nothing is printed: another rank of the same job prints.
pub fn silence() {
    set_quiet(true);
    SILENT.store(true, Ordering::Relaxed);
}

/// The lines of a table of cells, each column as wide as its widest.
pub fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |cell: &String| cell.chars().count();
    let widest = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(width).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(widest).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_string()
    };
    rows.iter().map(line).collect()
}

/// A line of results, or several. What a terminal would obey in them is escaped.
pub fn print(line: &str) -> io::Result<()> {
    if SILENT.load(Ordering::Relaxed) {
        return Ok(());
    }
    let line = escaped(line, &OBEYED);
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

/// Lines of results beside work that matters more than they do: when stdout takes no more, as when its reader
/// went away, the work goes on, and the reason is told at its end.
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

    /// Prints one JSON object, the whole of what a command prints with `--json`.
    pub fn print_json(&mut self, value: &serde_json::Value) {
        self.print(&json_text(value));
    }

    /// Returns whether a line could not be printed.
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
    print(&json_text(value))
}

/// A value as JSON, in which characters that show nothing, or change how others show, are escaped. JSON's own
/// syntax has none.
pub fn json_text(value: &serde_json::Value) -> String {
    let text = format!("{value:#}");
    let escape = |found: &Captures| {
        let mut units = [0; 2];
        let units = found[0].chars().next().unwrap_or_default().encode_utf16(&mut units);
        units.iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>()
    };
    OBEYED.replace_all(&text, escape).into_owned()
}

/// A line of progress.
pub fn progress(line: &str) {
    if !is_quiet() {
        diagnostic(line);
    }
}

/// A line on stderr, or several; nobody is told if that is closed. What a terminal would obey in them is
/// escaped.
pub fn diagnostic(line: &str) {
    if !SILENT.load(Ordering::Relaxed) {
        diagnostic_of_any_rank(line);
    }
}

/// The same of a rank that is silent otherwise.
fn diagnostic_of_any_rank(line: &str) {
    let line = escaped(line, &OBEYED);
    aside(|| {
        let _ = writeln!(io::stderr(), "{line}");
    });
}

/// The warnings that were given, where each is given only once.
static GIVEN: Mutex<Option<BTreeSet<String>>> = Mutex::new(None);

/// From now on every warning is given once, as where the same work is done again and again.
pub fn warn_once() {
    GIVEN.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default();
}

/// Something the user should know, that stops nothing.
pub fn warn(sentence: &str) {
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    if given.as_mut().is_none_or(|given| given.insert(sentence.to_string())) {
        diagnostic(&format!("warning: {}", one_line(sentence)));
    }
}

/// Returns why something could not be done.
pub fn error(sentence: &str) {
    diagnostic(&format!("error: {}", one_line(sentence)));
}

/// An error that only this rank of a job can tell of.
pub fn error_of_any_rank(sentence: &str) {
    diagnostic_of_any_rank(&format!("error: {}", one_line(sentence)));
}

/// A warning that only this rank of a job can give.
#[cfg(feature = "mpi")]
pub fn warn_of_any_rank(sentence: &str) {
    diagnostic_of_any_rank(&format!("warning: {}", one_line(sentence)));
}

/// Characters that show nothing and may change how others show: control and format characters, such as
/// U+202E, which turns the text behind it around, and the separators of lines and paragraphs.
static UNSEEN: LazyLock<Regex> = LazyLock::new(|| regex(r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]"));

/// The same but for the line breaks and tabs of our own tables.
static OBEYED: LazyLock<Regex> = LazyLock::new(|| regex(r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}--[\n\t]]"));

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("it is a regular expression, as the tests show")
}

/// The text on one line, with what shows nothing or changes how others show escaped: names of files may hold
/// line breaks, and codes that terminals and browsers obey.
pub fn one_line(text: &str) -> Cow<'_, str> {
    escaped(text, &UNSEEN)
}

/// Returns whether a terminal would obey something in the text, our own line breaks and tabs aside.
pub fn is_obeyed(text: &str) -> bool {
    OBEYED.is_match(text)
}

fn escaped<'a>(text: &'a str, characters: &Regex) -> Cow<'a, str> {
    // Most text is ASCII that shows.
    match text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        true => Cow::Borrowed(text),
        false => characters.replace_all(text, |found: &Captures| found[0].escape_default().to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::{OBEYED, escaped, json_text, one_line};

    #[test]
    fn a_name_with_a_line_break_or_a_terminal_code_stays_on_one_line() {
        assert_eq!(one_line("a\nb \u{1b}[2J 肝"), "a\\nb \\u{1b}[2J 肝");
        assert_eq!(one_line("plain"), "plain");
    }

    #[test]
    fn characters_that_turn_text_around_or_show_nothing_are_escaped_in_text_and_in_json() {
        let name = "a\u{7f}\u{9b}2J\u{ad}\u{200b}\u{202e}gnp.b\u{2028}\u{e0041}é🙂";
        assert_eq!(one_line(name), r"a\u{7f}\u{9b}2J\u{ad}\u{200b}\u{202e}gnp.b\u{2028}\u{e0041}é🙂");
        let text = json_text(&serde_json::json!({"file": name, "two": "\n\t"}));
        let expected = "{\n  \"file\": \"a\\u007f\\u009b2J\\u00ad\\u200b\\u202egnp.b\\u2028\\udb40\\udc41é🙂\",\n  \"two\": \"\\n\\t\"\n}";
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap()["file"], name);
    }

    #[test]
    fn our_own_line_breaks_and_tabs_stay_where_a_terminal_code_does_not() {
        assert_eq!(escaped("a\tb\n─ \u{1b}[2J\r", &OBEYED), "a\tb\n─ \\u{1b}[2J\\r");
    }
}
