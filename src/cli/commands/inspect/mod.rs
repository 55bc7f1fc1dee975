//! `glassnet inspect`: what a data set holds, what is odd about it, and what to do about that.

mod duplicates;
mod few;
mod findings;
mod json;
mod report;
mod text;

use crate::cli::args::{InspectArgs, ReadingArgs};
use crate::cli::input::dataset::{Dataset, check_one, open};
use crate::cli::input::packed::reading_of;
use crate::cli::outcome::{CommandResult, Outcome};
use crate::cli::terminal::console;
use glassnet::data::pack::size_in_words;
use report::Report;

/// Lists, counts and compares; an unreadable file is part of the answer, not a failure of it.
pub fn run(args: &InspectArgs) -> CommandResult {
    check_one(&args.data, &args.more_data)?;
    let source = open(&args.data, &args.labels)?;
    let mut reading = ReadingArgs { upright: args.upright, ..ReadingArgs::default() };
    if let Some(pack) = source.packs().next() {
        (reading, _) = reading_of(pack, reading, pack.reading().bit_depth)?;
    }
    let dataset = match &args.validation_data {
        Some(further) => Dataset::of_two(source, further, further, &args.labels, None)?,
        None => Dataset::new(source, args.validation_split, None, 0)?,
    };
    for pack in dataset.source.packs() {
        let (pack, size) = (pack.path().display(), size_in_words(pack.size()));
        console::progress(&format!(
            "{pack} holds pictures of {size}, which are compared here; sizes and modes are those of their files."
        ));
    }
    let report = Report::new(&dataset, reading.upright.upright);
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
