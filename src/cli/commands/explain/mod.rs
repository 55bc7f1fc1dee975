//! `glassnet explain`: one training step, from the pixels to every weight.

mod pictures;
mod subject;
mod text;

use crate::cli::args::ExplainArgs;
use crate::cli::outcome::{CommandResult, Outcome};
use crate::cli::terminal::console::{self, Lines};
use crate::cli::terminal::output;
use glassnet::explain::{Bundle, BundleOptions, Focus, Weight};
use glassnet::report::explanation::{ExplanationPage, write_explanation_page};
use std::path::Path;
use subject::Subject;

/// The most bytes of tensors on a page: as base64 they are a third more, and the page stays below 8 MB.
const PAGE_BUDGET: usize = 5_000_000;

/// Takes the step and shows it.
pub fn run(args: &ExplainArgs) -> CommandResult {
    check_places(args)?;
    let mut subject = Subject::new(args)?;
    let weight = args.weight.as_deref().map(|text| Weight::parse(&subject.network, text)).transpose()?;
    let (snapshot, optimizer) = subject.step()?;
    let moment = subject.moment(&snapshot, optimizer)?;
    let focus = Focus::new(&moment, 0, weight)?;
    if let Some(path) = &args.snapshot {
        snapshot.save(path)?;
        wrote(path)?;
    }
    let drawn = match args.out.is_some() || args.png.is_some() {
        true => pictures::draw(&subject, &moment, focus.image)?,
        false => Vec::new(),
    };
    if let Some(folder) = &args.png {
        for picture in &drawn {
            let path = folder.join(&picture.file);
            glassnet::report::pictures::maps::write(&path, &picture.full)?;
            wrote(&path)?;
        }
    }
    if let Some(path) = &args.out {
        let options = BundleOptions { focus: focus.clone(), budget: PAGE_BUDGET, shares: true };
        let bundle = Bundle::new(&moment, &options);
        let facts = subject.facts(&moment, &focus);
        let pictures = drawn.iter().map(pictures::Drawn::on_page).collect::<glassnet::Result<Vec<_>>>()?;
        let page =
            ExplanationPage { moment: &moment, bundle: &bundle, focus: &focus, facts: &facts, pictures: &pictures };
        write_explanation_page(path, &page)?;
        wrote(path)?;
    }
    let mut lines = Lines::default();
    if args.json {
        lines.print_json(&text::json(&subject, &moment, &focus));
    } else {
        text::lines(&subject, &moment, &focus).iter().for_each(|line| lines.print(line));
    }
    lines.end()?;
    Ok(Outcome::Done)
}

/// Tries the places that are written to, before the work.
fn check_places(args: &ExplainArgs) -> glassnet::Result<()> {
    let inputs = || args.images.iter().chain([&args.model]).map(|path| path.display().to_string());
    for (flag, path) in [("--out", &args.out), ("--snapshot", &args.snapshot)] {
        if let Some(path) = path {
            output::check_file(flag, path)?;
            output::check_no_input(flag, path, inputs())?;
        }
    }
    match &args.png {
        Some(folder) => output::make_folder("--png", folder),
        None => Ok(()),
    }
}

fn wrote(path: &Path) -> std::io::Result<()> {
    console::progress(&format!("wrote {}", path.display()));
    Ok(())
}
