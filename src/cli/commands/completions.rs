//! `glassnet completions`: what a shell needs to complete our commands and flags.

use crate::cli::args::{Cli, CompletionsArgs};
use crate::cli::outcome::{CommandResult, Outcome};
use crate::cli::terminal::console;
use clap::CommandFactory;
use clap_complete::{Shell, generate};

/// Prints the script.
pub fn run(args: &CompletionsArgs) -> CommandResult {
    console::print(script(args.shell).trim_end_matches('\n'))?;
    Ok(Outcome::Done)
}

/// The script of a shell. It is made in memory, as the generator takes any error in writing for a fault of
/// its own.
fn script(shell: Shell) -> String {
    let mut bytes = Vec::new();
    generate(shell, &mut Cli::command(), "glassnet", &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;

    /// Every command, and below it every flag that can be seen.
    fn look(command: &clap::Command, found: &mut impl FnMut(&str)) {
        found(command.get_name());
        for flag in command.get_arguments().filter_map(|argument| argument.get_long()) {
            found(flag);
        }
        for command in command.get_subcommands() {
            look(command, found);
        }
    }

    #[test]
    fn the_script_of_every_shell_knows_every_command_and_every_flag() {
        for shell in Shell::value_variants() {
            let script = script(*shell);
            let mut count = 0;
            look(&Cli::command(), &mut |name| {
                assert!(script.contains(name), "{shell} does not know {name}");
                count += 1;
            });
            assert!(count > 40, "{count} names");
        }
    }
}
