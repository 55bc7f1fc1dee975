//! `glassnet phantom`: the synthetic set as files.

use crate::cli::args::PhantomArgs;
use crate::cli::commands::drawing::Drawing;
use crate::cli::outcome::{CommandResult, Outcome};
use crate::cli::terminal::{console, output};
use glassnet::data::phantom;
use serde_json::json;

/// Draws the set and writes it.
pub fn run(args: &PhantomArgs) -> CommandResult {
    output::check_new_folder("--out", &args.out)?;
    output::make_folder("--out", &args.out)?;
    let drawing = Drawing::new(&args.out, args.benign + args.malignant);
    let outcome = phantom::write(args.seed, args.benign, args.malignant, &args.out, || drawing.drawn());
    drawing.ended(outcome)?;
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
