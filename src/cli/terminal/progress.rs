//! Long work shows how far it is: on a terminal a bar, with the rate and the time left; elsewhere a line a
//! minute.
//!
//! At most one [bar] is shown, and it goes away when its [`Progress`] is dropped, at the end or on an error.

use crate::cli::terminal::{bar, console};
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::fmt::Write;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The interval between two lines on work that is not on a terminal.
const LINE_EVERY: Duration = Duration::from_secs(60);

/// Work that is under way.
pub struct Progress {
    bar: ProgressBar,
    /// The time of the last line, where lines stand for the bar.
    told: Option<Mutex<Instant>>,
}

impl Progress {
    /// Nothing is shown.
    pub fn none() -> Progress {
        Progress { bar: ProgressBar::hidden(), told: None }
    }

    /// Something is done, such as `Checking`, to so many images.
    pub fn of_images(what: &'static str, images: usize) -> Progress {
        let progress = Progress::shown(images, "{prefix} {pos}/{len} images [{bar:30}]{images_pace}");
        progress.bar.set_prefix(what);
        let lines = progress.bar.is_hidden() && !console::is_quiet();
        Progress { told: lines.then(|| Mutex::new(Instant::now())), bar: progress.bar.clone() }
    }

    /// An epoch of so many steps. It has lines of its own at its end.
    pub fn of_epoch(steps: usize) -> Progress {
        Progress::shown(steps, "{pos}/{len} [{bar:30}]{steps_pace} {msg}")
    }

    /// So many coordinates are compared with differences.
    pub fn of_coordinates(count: usize) -> Progress {
        Progress::shown(count, "Comparing {pos}/{len} coordinates [{bar:30}]")
    }

    fn shown(total: usize, template: &str) -> Progress {
        if console::is_quiet() {
            return Progress::none();
        }
        // The rate and the time left, which nobody can know before the first is done.
        let pace = |unit: &'static str, left_of: &'static str| {
            move |state: &ProgressState, text: &mut dyn Write| {
                if state.pos() == 0 {
                    return;
                }
                let (rate, left) = (state.per_sec(), HumanDuration(state.eta()));
                let decimals = if rate < 10.0 { 1 } else { 0 };
                // Nobody is told if a string cannot grow.
                let _ = write!(text, " {rate:.decimals$} {unit}/s - {left:#} left{left_of}");
            }
        };
        let style = ProgressStyle::with_template(template).expect("the template is right");
        let style =
            style.with_key("images_pace", pace("images", "")).with_key("steps_pace", pace("steps", " in the epoch"));
        let target = ProgressDrawTarget::stderr();
        let style = style.progress_chars("=>.");
        let bar = ProgressBar::with_draw_target(Some(total as u64), target).with_style(style);
        if !bar.is_hidden() {
            bar::show(&bar);
        }
        Progress { bar, told: None }
    }

    /// So many more are done.
    pub fn advance(&self, count: usize) {
        self.bar.inc(count as u64);
        // Another thread that is just telling tells enough.
        let Some(Ok(mut told)) = self.told.as_ref().map(Mutex::try_lock) else { return };
        if told.elapsed() >= LINE_EVERY {
            *told = Instant::now();
            console::progress(&self.line());
        }
    }

    /// So many are done in all, and this is to be said beside it.
    pub fn set(&self, done: usize, message: String) {
        self.bar.set_message(message);
        self.bar.set_position(done as u64);
    }

    /// `Checking: 1200 of 5000 images done, 95 s left`
    fn line(&self) -> String {
        let (done, all) = (self.bar.position(), self.bar.length().unwrap_or(0));
        let left = self.bar.elapsed().as_secs_f64() * (all as f64 / done.max(1) as f64 - 1.0);
        format!("{}: {done} of {all} images done, {:.0} s left", self.bar.prefix(), left.max(0.0))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.bar.is_hidden() {
            return;
        }
        bar::forget();
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_how_far_the_work_is_and_how_long_it_will_take() {
        let bar = ProgressBar::hidden();
        bar.set_prefix("Checking");
        bar.set_length(400);
        bar.set_position(100);
        let progress = Progress { bar: bar.with_elapsed(Duration::from_secs(10)), told: None };
        assert_eq!(progress.line(), "Checking: 100 of 400 images done, 30 s left");
    }
}
