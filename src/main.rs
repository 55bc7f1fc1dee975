//! The command line of glassnet: `glassnet <command>`.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
