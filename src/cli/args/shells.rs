//! The arguments of the commands that print the command line itself: `completions` and `man`.

use super::values::Named;
use clap::Args;
use clap_complete::Shell;
use std::path::PathBuf;

/// `glassnet completions`.
#[derive(Args, Debug)]
#[command(after_long_help = "Where the output goes:
  bash        ~/.local/share/bash-completion/completions/glassnet
  zsh         a file _glassnet in a folder of $fpath
  fish        ~/.config/fish/completions/glassnet.fish
  powershell  what it reads at start, such as $PROFILE; elvish the same, ~/.config/elvish/rc.elv

For a try in bash: source <(glassnet completions bash)")]
pub struct CompletionsArgs {
    /// The shell that is to complete commands, flags and values
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// The commands that have a page, for shells to complete.
const COMMANDS: [&str; 28] = [
    "reproduce",
    "train",
    "predict",
    "evaluate",
    "inspect",
    "lr-find",
    "sweep",
    "runs",
    "folds",
    "merge",
    "samples",
    "pack",
    "init",
    "export",
    "import",
    "summary",
    "phantom",
    "glyphs",
    "gradcheck",
    "explain",
    "lecture",
    "profile",
    "bench",
    "conv",
    "step",
    "ranks",
    "completions",
    "man",
];

/// `glassnet man`.
#[derive(Args, Debug)]
pub struct ManArgs {
    /// The command whose page is printed [default: glassnet itself]
    ///
    /// As in: glassnet man bench conv
    #[arg(value_name = "COMMAND", value_parser = Named::new(COMMANDS, |name| Ok(name.to_string())), hide_possible_values = true)]
    pub command: Vec<String>,
    /// Write the pages of all commands into this folder instead
    ///
    /// Such as ~/.local/share/man/man1, where man finds them.
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    pub out: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::Cli;
    use clap::{Command, CommandFactory};

    fn names(command: &Command) -> Vec<String> {
        let below = |command: &Command| [vec![command.get_name().to_string()], names(command)].concat();
        command.get_subcommands().flat_map(below).collect()
    }

    #[test]
    fn every_command_that_has_a_page_is_completed() {
        assert_eq!(names(&Cli::command()), COMMANDS);
    }
}
