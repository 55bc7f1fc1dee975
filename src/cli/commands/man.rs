//! `glassnet man`: the manual as pages for `man`, made from the same source as `--help`.

use crate::cli::args::{Cli, ManArgs};
use crate::cli::outcome::{CommandResult, Failure, Outcome};
use crate::cli::terminal::{console, output};
use clap::{Command, CommandFactory};
use clap_mangen::Man;
use glassnet::files::write_whole;
use glassnet::{Error, Result};
use std::path::Path;

/// Prints a page, or writes all of them.
pub fn run(args: &ManArgs) -> CommandResult {
    match &args.out {
        None => {
            let page = page(&named(&args.command)?)?;
            console::print(String::from_utf8_lossy(&page).trim_end_matches('\n'))?;
        }
        Some(folder) => {
            let count = write_all(folder)?;
            console::print(&format!("Wrote {count} pages into {}", folder.display()))?;
        }
    }
    Ok(Outcome::Done)
}

/// Our command with the names of its subcommands' pages set.
fn glassnet() -> Command {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    command
}

/// The command of these words: `train`, or `bench conv`; none is glassnet itself.
fn named(words: &[String]) -> Result<Command> {
    let mut command = glassnet();
    for word in words {
        let Some(next) = command.find_subcommand(word) else {
            let names: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
            let reason = match names.is_empty() {
                true => format!("{} has no commands below it, and so no '{word}'", command.get_name()),
                false => format!("there is no command '{word}'; there are {}", names.join(", ")),
            };
            return Err(Error::setting("COMMAND", reason));
        };
        command = next.clone();
    }
    Ok(command)
}

/// A command's page, in roff.
fn page(command: &Command) -> std::result::Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let man = Man::new(command.clone()).source(format!("glassnet {}", env!("CARGO_PKG_VERSION")));
    man.manual("glassnet").render(&mut bytes)?;
    Ok(bytes)
}

/// Writes the page of every command; pages of an earlier version are replaced.
fn write_all(folder: &Path) -> std::result::Result<usize, Failure> {
    output::make_folder("--out", folder)?;
    let mut waiting = vec![glassnet()];
    let mut count = 0;
    while let Some(command) = waiting.pop() {
        let name = Man::new(command.clone()).get_filename();
        write_whole(&folder.join(name), &page(&command)?)?;
        waiting.extend(command.get_subcommands().cloned());
        count += 1;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(command: &Command) -> usize {
        let text = String::from_utf8(page(command).unwrap()).unwrap().replace("\\-", "-");
        for flag in command.get_arguments().filter_map(|argument| argument.get_long()) {
            assert!(text.contains(&format!("--{flag}")), "the page of {} has no --{flag}", command.get_name());
        }
        for below in command.get_subcommands() {
            assert!(text.contains(below.get_name()), "the page of {} has no {}", command.get_name(), below.get_name());
        }
        1 + command.get_subcommands().map(check).sum::<usize>()
    }

    #[test]
    fn every_command_has_a_page_that_names_its_flags_and_the_commands_below_it() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(check(&glassnet()), write_all(folder.path()).unwrap());
        assert!(folder.path().join("glassnet.1").is_file() && folder.path().join("glassnet-bench-conv.1").is_file());
    }

    #[test]
    fn a_page_is_asked_for_by_the_words_of_its_command() {
        let words = |text: &str| text.split_whitespace().map(str::to_string).collect::<Vec<String>>();
        assert_eq!(named(&[]).unwrap().get_name(), "glassnet");
        assert_eq!(named(&words("bench conv")).unwrap().get_name(), "conv");
        let error = named(&words("bench cnov")).unwrap_err().to_string();
        assert_eq!(error, "COMMAND: there is no command 'cnov'; there are conv, step, ranks");
        assert!(named(&words("train on")).unwrap_err().to_string().contains("train has no commands below it"));
    }
}
