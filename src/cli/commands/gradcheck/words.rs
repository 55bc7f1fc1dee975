//! Words that both links are told in.

use crate::cli::args::GradcheckArgs;
use crate::cli::terminal::console;

/// The mark of a row.
pub fn mark(is_right: bool) -> &'static str {
    if is_right { "✔" } else { "✘" }
}

/// A number of three digits, as errors are told: `1.2e-7`.
pub fn error(value: f64) -> String {
    if value == 0.0 { "0".into() } else { format!("{value:.1e}") }
}

/// Says on stderr what takes its time.
pub fn tell(args: &GradcheckArgs, sentence: &str) {
    if !args.quiet.quiet {
        console::progress(sentence);
    }
}
