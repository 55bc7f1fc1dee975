//! `glassnet glyphs`: ten classes of drawn digits as files.

use crate::cli::args::GlyphsArgs;
use crate::cli::commands::drawing::Drawing;
use crate::cli::outcome::{CommandResult, Outcome};
use crate::cli::terminal::{console, output};
use glassnet::data::glyphs::{self, DIGITS};
use serde_json::json;

/// Draws the set and writes it.
pub fn run(args: &GlyphsArgs) -> CommandResult {
    output::check_new_folder("--out", &args.out)?;
    output::make_folder("--out", &args.out)?;
    let drawing = Drawing::new(&args.out, DIGITS * args.per_class);
    let outcome = glyphs::write(args.seed, args.per_class, &args.out, || drawing.drawn());
    drawing.ended(outcome)?;
    if args.json {
        console::print_json(&json!({
            "folder": args.out.display().to_string(),
            "seed": args.seed,
            "classes": DIGITS,
            "per_class": args.per_class,
            "note": "the images are synthetic",
        }))?;
        return Ok(Outcome::Done);
    }
    console::print_unless_quiet(&format!(
        "Drew {} synthetic images of each of {DIGITS} digits with seed {} into {}.",
        args.per_class,
        args.seed,
        args.out.display()
    ))?;
    Ok(Outcome::Done)
}
