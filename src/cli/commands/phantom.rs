//! `glassnet phantom`: the synthetic set as files.

use crate::cli::args::PhantomArgs;
use crate::cli::outcome::{CommandResult, Failure, Outcome};
use crate::cli::terminal::progress::Progress;
use crate::cli::terminal::{console, interrupt, output};
use glassnet::Error;
use glassnet::data::phantom;
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Draws the set and writes it.
pub fn run(args: &PhantomArgs) -> CommandResult {
    output::check_new_folder("--out", &args.out)?;
    output::make_folder("--out", &args.out)?;
    let (all, drawn) = (args.benign + args.malignant, AtomicUsize::new(0));
    interrupt::finish_the_step_first();
    let progress = Progress::of_images("Drawing", all);
    let written = || {
        drawn.fetch_add(1, Ordering::Relaxed);
        progress.advance(1);
        interrupt::check()
    };
    let outcome = phantom::write(args.seed, args.benign, args.malignant, &args.out, written);
    drop(progress);
    // A part looks like a set, and would be trained on as one.
    let part = || {
        let out = args.out.display();
        match drawn.load(Ordering::Relaxed) {
            drawn if drawn == all => format!("{out} holds all {all} images"),
            drawn => format!("{out} holds {drawn} of the {all} images; remove it, and draw the set anew"),
        }
    };
    match outcome {
        Err(Error::Interrupted) => {
            return Err(Failure::Interrupted { sentence: format!("interrupted: {}", part()) });
        }
        Err(error @ Error::Io { .. }) => {
            console::warn(&part());
            return Err(error.into());
        }
        outcome => outcome?,
    }
    if args.json {
        console::print_json(&json!({
            "folder": args.out.display().to_string(),
            "seed": args.seed,
            "benign": args.benign,
            "malignant": args.malignant,
            "note": "the images are synthetic; not for diagnosis",
        }))?;
        return Ok(Outcome::Done);
    }
    console::print_unless_quiet(&format!(
        "Drew {} benign and {} malignant synthetic images with seed {} into {}. Not for diagnosis.",
        args.benign,
        args.malignant,
        args.seed,
        args.out.display()
    ))?;
    Ok(Outcome::Done)
}
