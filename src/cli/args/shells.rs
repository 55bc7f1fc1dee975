//! The arguments of the commands that print the command line itself: `completions` and `man`.

use clap::Args;
use clap_complete::Shell;
use std::path::PathBuf;

/// `glassnet completions`.
#[derive(Args, Debug)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// `glassnet man`.
#[derive(Args, Debug)]
pub struct ManArgs {
    /// The command whose page is printed, as in: glassnet man bench conv [default: glassnet itself]
    #[arg(value_name = "COMMAND")]
    pub command: Vec<String>,
    /// Write the pages of all commands into this folder instead, such as ~/.local/share/man/man1
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    pub out: Option<PathBuf>,
}
