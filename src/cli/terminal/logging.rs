//! Debug lines on stderr, for who asks for them with `GLASSNET_LOG` or, as other programs have it,
//! `RUST_LOG`.
//!
//! The library speaks through the `log` facade, which nobody hears unless [`install`] finds a filter.

use crate::cli::terminal::console;
use env_filter::{Builder, Filter};
use glassnet::{Error, Result};
use log::{LevelFilter, Log, Metadata, Record};
use std::time::Instant;

/// The variable that is ours, and the one that all programs share. The first wins.
const OURS: &str = "GLASSNET_LOG";
const SHARED: &str = "RUST_LOG";

/// Installs the logger, if a variable asks for it.
///
/// # Errors
/// [`Error::Setting`] of `GLASSNET_LOG`, where its value is no filter. `RUST_LOG` may be meant for others:
/// then it is a warning.
pub fn install() -> Result<()> {
    let value = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let filter = match (value(OURS), value(SHARED)) {
        (Some(text), _) => {
            let text = text.to_string_lossy();
            foreign(&text).map_or_else(|| parse(&text), Err).map_err(|reason| Error::setting(OURS, reason))?
        }
        (None, Some(text)) => match parse(&text.to_string_lossy()) {
            Ok(filter) => filter,
            Err(reason) => {
                console::warn(&format!("{SHARED} is passed over: {reason}"));
                return Ok(());
            }
        },
        (None, None) => return Ok(()),
    };
    let most = filter.filter();
    if log::set_boxed_logger(Box::new(Logger { filter, begun: Instant::now() })).is_ok() {
        log::set_max_level(most);
    }
    Ok(())
}

fn parse(text: &str) -> std::result::Result<Filter, String> {
    let mut builder = Builder::new();
    builder.try_parse(text).map_err(|_| format!("'{text}' is no filter; {EXAMPLES}"))?;
    Ok(builder.build())
}

/// An example of a filter.
const EXAMPLES: &str =
    "write a level (error, warn, info, debug, trace or off), or as in glassnet::plan=debug a module and a level";

/// Returns what is wrong with a filter of which a part speaks of modules that are none of ours, as a misspelt
/// level does.
fn foreign(text: &str) -> Option<String> {
    let directives = text.split('/').next().unwrap_or_default().split(',').map(str::trim);
    let known = |directive: &str| {
        let module = directive.split('=').next().unwrap_or_default();
        directive.is_empty()
            || directive.parse::<LevelFilter>().is_ok()
            || module.split("::").next() == Some("glassnet")
    };
    let directive = directives.into_iter().find(|directive| !known(directive))?;
    Some(format!("'{directive}' is neither a level nor a module of glassnet; {EXAMPLES}"))
}

struct Logger {
    filter: Filter,
    begun: Instant,
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata) -> bool {
        self.filter.enabled(metadata)
    }

    fn log(&self, record: &Record) {
        if self.filter.matches(record) {
            let level = record.level().as_str().to_ascii_lowercase();
            let text = record.args().to_string();
            let seconds = self.begun.elapsed().as_secs_f64();
            console::diagnostic(&format!(
                "[{seconds:9.3} s] {level} {}: {}",
                record.target(),
                console::one_line(&text)
            ));
        }
    }

    fn flush(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_level_is_no_module_of_ours() {
        for good in
            ["debug", "off", "DEBUG", "glassnet", "glassnet::plan=debug", "info,glassnet::data=trace", "debug/dense"]
        {
            assert_eq!(foreign(good), None, "{good}");
        }
        assert!(
            foreign("verbose").unwrap().starts_with("'verbose' is neither a level nor a module of glassnet; write ")
        );
        assert!(foreign("info,glasnet=debug").unwrap().starts_with("'glasnet=debug' is neither"));
        assert!(parse("glassnet=loud").is_err());
    }
}
