//! `glassnet phantom`: the synthetic set as files.

use super::args::PhantomArgs;
use super::{CommandResult, Outcome, console, output};
use glassnet::data::phantom;

/// Draws the set and writes it.
pub fn run(args: &PhantomArgs) -> CommandResult {
    output::check_new_folder("--out", &args.out)?;
    let images = phantom::draw(args.seed, args.benign, args.malignant);
    phantom::write(&images, &args.out)?;
    console::print(&format!(
        "Drew {} benign and {} malignant synthetic images with seed {} into {}. Not for diagnosis.",
        args.benign,
        args.malignant,
        args.seed,
        args.out.display()
    ))?;
    Ok(Outcome::Done)
}
