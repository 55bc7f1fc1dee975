//! `glassnet inspect`: what a data set holds, what is odd about it, and what to do about that.

mod duplicates;
mod few;
mod findings;
mod json;
mod report;
mod text;

use crate::cli::args::InspectArgs;
use crate::cli::input::dataset::{Dataset, check_one, open};
use crate::cli::outcome::{CommandResult, Outcome};
use crate::cli::terminal::console;
use report::Report;

/// Lists, counts and compares; an unreadable file is part of the answer, not a failure of it.
pub fn run(args: &InspectArgs) -> CommandResult {
    check_one(&args.data, &args.more_data)?;
    let source = open(&args.data)?;
    let dataset = match &args.validation_data {
        Some(further) => Dataset::of_two(source, further, further, None)?,
        None => Dataset::new(source, args.validation_split)?,
    };
    let report = Report::new(&dataset, args.upright.upright);
    for sentence in &report.mislabelled {
        console::warn(sentence);
    }
    let findings = findings::findings(&dataset, &report);
    if args.json {
        console::print_json(&json::object(args, &dataset, &report, &findings))?;
    } else {
        for line in text::lines(args, &dataset, &report, &findings) {
            console::print(&line)?;
        }
    }
    Ok(Outcome::Done)
}
