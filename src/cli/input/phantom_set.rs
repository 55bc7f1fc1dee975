//! The phantom set, for commands that have data of their own.

use crate::cli::args::LabelsArgs;
use crate::cli::input::dataset::open;
use crate::cli::input::run_data::DRAWN_SET;
use crate::cli::terminal::console;
use glassnet::data::phantom;
use glassnet::data::source::Source;
use std::path::Path;

/// The folder of the shipped set, seen from the project's.
const SHIPPED_SET: &str = "data/liver-phantom";

/// The set as files where these are at hand, else the same set drawn in memory.
///
/// # Errors
/// Those of [`open`].
pub fn phantom_set() -> glassnet::Result<Source> {
    let shipped = Path::new(SHIPPED_SET);
    if shipped.is_dir() {
        console::progress(&format!("The synthetic phantom set in {SHIPPED_SET}."));
        return open(shipped, &LabelsArgs::default());
    }
    console::progress(&format!("The synthetic phantom set, drawn in memory: there is no {SHIPPED_SET} here."));
    let images = phantom::draw(phantom::DEFAULT_SEED, phantom::DEFAULT_BENIGN, phantom::DEFAULT_MALIGNANT);
    let files = images.iter().map(|image| (format!("{}/{}", image.class.name(), image.name), image.png())).collect();
    Source::from_memory(DRAWN_SET, files)
}
