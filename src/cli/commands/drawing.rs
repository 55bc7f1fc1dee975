//! What the commands that draw a synthetic set have in common: a bar, and what is told of a part.

use crate::cli::outcome::Failure;
use crate::cli::terminal::progress::Progress;
use crate::cli::terminal::{console, interrupt};
use glassnet::Error;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A set that is being drawn into a folder.
pub struct Drawing<'a> {
    out: &'a Path,
    all: usize,
    drawn: AtomicUsize,
    progress: Progress,
}

impl<'a> Drawing<'a> {
    /// The drawing of a set of `all` images begins; from here on an interrupt waits for the image at work.
    pub fn new(out: &'a Path, all: usize) -> Drawing<'a> {
        interrupt::finish_the_step_first();
        Drawing { out, all, drawn: AtomicUsize::new(0), progress: Progress::of_images("Drawing", all) }
    }

    /// Counts an image.
    ///
    /// # Errors
    /// [`Error::Interrupted`], where somebody wishes it.
    pub fn drawn(&self) -> glassnet::Result<()> {
        self.drawn.fetch_add(1, Ordering::Relaxed);
        self.progress.advance(1);
        interrupt::check()
    }

    /// Tells what there is of the set, where it ended early: a part looks like a set, and would be trained on
    /// as one.
    pub fn ended(self, outcome: glassnet::Result<()>) -> Result<(), Failure> {
        let Drawing { out, all, drawn, progress } = self;
        drop(progress);
        let out = out.display();
        let part = match drawn.into_inner() {
            drawn if drawn == all => format!("{out} holds all {all} images"),
            drawn => format!("{out} holds {drawn} of the {all} images; remove it, and draw the set anew"),
        };
        match outcome {
            Err(Error::Interrupted) => Err(Failure::Interrupted { sentence: format!("interrupted: {part}") }),
            Err(error @ Error::Io { .. }) => {
                console::warn(&part);
                Err(error.into())
            }
            outcome => Ok(outcome?),
        }
    }
}
