//! `glassnet bench`: how fast the engine is on this machine, with the machine's own limits beside it.

mod conv;
mod machine;
mod ranks;
mod step;

use crate::cli::args::bench::{BenchArgs, BenchCommand};
use crate::cli::outcome::CommandResult;
use crate::cli::terminal::console;

/// Measures what is asked for.
pub fn run(args: &BenchArgs) -> CommandResult {
    if cfg!(debug_assertions) {
        console::warn(
            "this program was built without --release; its figures are not those of the engine as it is meant to be used",
        );
    }
    match &args.what {
        BenchCommand::Conv(args) => conv::run(args),
        BenchCommand::Step(args) => step::run(args),
        BenchCommand::Ranks(args) => ranks::run(args),
    }
}
