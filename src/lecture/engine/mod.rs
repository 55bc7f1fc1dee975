//! The engine of a lecture: a thread of its own that trains, and the desk where its readers ask.
//!
//! A phase of the step that lies on the [`Desk`] is there at once, and so is the step behind it, which the
//! engine takes while the reader looks. For all else the engine is asked.

mod bundles;
mod commands;
mod desk;
mod view;

pub use bundles::Subject;
pub use desk::{Desk, Target};
pub use view::{Pace, View};

use crate::Result;
use crate::lecture::session::{Position, Session, TakenStep};
use commands::{Asked, Command};
use rayon::ThreadPool;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How long playing goes on for a page that asks nothing any more.
const CLOSED_AFTER: Duration = Duration::from_secs(5);

/// How often the engine looks whether anything is due, when nobody asks.
const IDLE_WAIT: Duration = Duration::from_millis(500);

/// How often a long way tells how far it still is.
const TELL_EVERY: Duration = Duration::from_millis(200);

/// A session at work.
pub struct Engine<'n> {
    session: Session<'n>,
    desk: Arc<Desk>,
    asked: Receiver<Asked>,
    pool: Arc<ThreadPool>,
    /// When playing goes on.
    due: Instant,
}

impl<'n> Engine<'n> {
    /// Takes the first step, and lays it on the desk.
    ///
    /// # Errors
    /// Where an image cannot be read.
    pub fn new(mut session: Session<'n>, subject: Subject, pool: Arc<ThreadPool>) -> Result<Engine<'n>> {
        let taken = pool.install(|| session.go(1, |_| Ok(())))?;
        let view = View::new(taken, session.curve().clone(), session.phases());
        let (desk, asked) = Desk::new(view, subject, Arc::clone(&pool));
        Ok(Engine { session, desk: Arc::new(desk), asked, pool, due: Instant::now() })
    }

    /// Returns the desk.
    pub fn desk(&self) -> Arc<Desk> {
        Arc::clone(&self.desk)
    }

    /// Works until nobody can ask any more, as `is_over` tells.
    pub fn run(mut self, is_over: impl Fn() -> bool) {
        while !is_over() {
            let wait = match self.has_work() {
                true => Duration::ZERO,
                false => self.until_due().min(IDLE_WAIT),
            };
            match self.asked.recv_timeout(wait) {
                Ok((command, told)) => {
                    let outcome = self.answer(command);
                    if let Some(told) = told {
                        // Whoever asked may be gone.
                        let _ = told.send(outcome);
                    }
                }
                Err(RecvTimeoutError::Timeout) => self.work(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Whether a step is to be taken that nobody has asked for yet.
    fn has_work(&self) -> bool {
        let view = self.desk.view();
        view.ahead.is_none() && view.problem.is_none()
    }

    fn until_due(&self) -> Duration {
        match self.desk.view().playing {
            Some(_) => self.due.saturating_duration_since(Instant::now()),
            None => IDLE_WAIT,
        }
    }

    fn answer(&mut self, command: Command) -> Result<()> {
        match command {
            Command::Go(position) => self.go(position),
            Command::Edit(edit) => self.change(|session| session.edit(edit)),
            Command::Undo => self.change(Session::undo),
            Command::Look => {
                self.due = Instant::now();
                Ok(())
            }
        }
    }

    fn go(&mut self, position: Position) -> Result<()> {
        let desk = Arc::clone(&self.desk);
        let mut told = Instant::now();
        let tell = |left| {
            if told.elapsed() >= TELL_EVERY {
                told = Instant::now();
                desk.update(|view| view.left = Some(left));
            }
            Ok(())
        };
        let outcome = self.pool.install(|| self.session.go(position.step, tell));
        let (curve, edits) = (self.session.curve().clone(), self.session.edits().to_vec());
        self.desk.update(|view| {
            view.left = None;
            if let Ok(taken) = &outcome {
                view.lay(Arc::clone(taken), curve, edits);
                view.position = position;
            }
        });
        outcome.map(|_| ())
    }

    /// Makes or undoes an edit at the reader's step.
    fn change(&mut self, change: impl FnOnce(&mut Session<'n>) -> Result<Arc<TakenStep>> + Send) -> Result<()> {
        let step = self.desk.view().position.step;
        let taken = self.pool.install(|| {
            self.session.go(step, |_| Ok(()))?;
            change(&mut self.session)
        })?;
        let (curve, edits) = (self.session.curve().clone(), self.session.edits().to_vec());
        self.desk.update(|view| view.lay(taken, curve, edits));
        Ok(())
    }

    /// What there is to do when nobody asks: the step ahead, and playing.
    fn work(&mut self) {
        if self.has_work() {
            self.look_ahead();
            return;
        }
        let Some(pace) = self.desk.view().playing else { return };
        if self.desk.is_left_for(CLOSED_AFTER) {
            self.desk.update(|view| view.playing = None);
        } else if Instant::now() >= self.due {
            self.due = Instant::now() + pace.interval();
            self.desk.play_on(pace);
        }
    }

    /// Takes the step behind the reader's, and packs it as the reader's was asked for.
    fn look_ahead(&mut self) {
        let step = self.desk.view().position.step;
        let ahead = self.pool.install(|| {
            self.session.go(step, |_| Ok(()))?;
            self.session.look_ahead()
        });
        let curve = self.session.curve().clone();
        self.desk.update_quietly(|view| match ahead {
            // The reader may have gone on meanwhile.
            Ok(ahead) if view.position.step + 1 == ahead.step => {
                view.curve = curve;
                view.ahead = Some(ahead);
            }
            Ok(_) => {}
            Err(error) => view.problem = Some(error.to_string()),
        });
        self.desk.pack_ahead();
    }
}
