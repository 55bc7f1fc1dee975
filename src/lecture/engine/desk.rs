//! The desk: what the server reads and asks, and the engine lays down.

use super::bundles::{Bundles, Subject};
use super::commands::{Asked, Command};
use super::view::{Pace, View};
use crate::lecture::session::{Edit, Position};
use crate::{Error, Result};
use rayon::ThreadPool;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex as Turns, oneshot, watch};

/// Where a reader wants to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A phase further.
    Phase,
    /// The same phase of the next batch.
    Batch,
    /// A phase back.
    BackPhase,
    /// The same phase of the batch before.
    BackBatch,
    /// This position.
    To(Position),
}

/// The desk.
pub struct Desk {
    view: Mutex<View>,
    revisions: watch::Sender<u64>,
    asked: Mutex<Sender<Asked>>,
    /// Movements are made one after the other.
    turns: Turns<()>,
    /// Requests at work, and when the last one ended.
    readers: AtomicUsize,
    last_seen: Mutex<Instant>,
    bundles: Bundles,
    pool: Arc<ThreadPool>,
}

/// A reader who is there, until it is dropped.
pub struct Reader<'a>(&'a Desk);

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    pub(super) fn new(view: View, subject: Subject, pool: Arc<ThreadPool>) -> (Desk, Receiver<Asked>) {
        let (asked, receiver) = channel();
        let desk = Desk {
            revisions: watch::Sender::new(view.revision),
            view: Mutex::new(view),
            asked: Mutex::new(asked),
            turns: Turns::new(()),
            readers: AtomicUsize::new(0),
            last_seen: Mutex::new(Instant::now()),
            bundles: Bundles::new(subject),
            pool,
        };
        (desk, receiver)
    }

    /// Returns what lies there.
    pub fn view(&self) -> View {
        locked(&self.view).clone()
    }

    /// Returns what is told of the training as a whole.
    pub fn subject(&self) -> &Subject {
        self.bundles.subject()
    }

    /// Waits until the revision is another than this one, or for so long.
    pub async fn changed(&self, revision: u64, patience: Duration) {
        let mut revisions = self.revisions.subscribe();
        let changed = async {
            // It ends with the desk, which outlives its readers.
            let _ = revisions.wait_for(|now| *now != revision).await;
        };
        let _ = tokio::time::timeout(patience, changed).await;
    }

    /// Notes that a reader is there.
    pub fn reader(&self) -> Reader<'_> {
        self.readers.fetch_add(1, Ordering::SeqCst);
        Reader(self)
    }

    /// Whether nobody has been there for so long.
    pub(super) fn is_left_for(&self, time: Duration) -> bool {
        self.readers.load(Ordering::SeqCst) == 0 && locked(&self.last_seen).elapsed() >= time
    }

    /// Goes somewhere. Playing stops.
    ///
    /// # Errors
    /// [`Error::Setting`] of a phase that there is not, and those of
    /// [`Session::go`](crate::lecture::session::Session::go).
    pub async fn go(&self, target: Target) -> Result<()> {
        let _turn = self.turns.lock().await;
        let position = {
            let view = locked(&self.view);
            let (at, phases) = (view.position, view.phases());
            match target {
                Target::Phase => at.next_phase(phases),
                Target::Batch => at.next_batch(),
                Target::BackPhase => at.previous_phase(phases),
                Target::BackBatch => at.previous_batch(),
                Target::To(position) if position.phase < phases.count() => position,
                Target::To(Position { phase, .. }) => {
                    let reason = format!("phases count from 0 to {}", phases.count() - 1);
                    return Err(Error::value("phase", phase as f64, reason));
                }
            }
        };
        let mut at_once = false;
        self.update(|view| {
            view.playing = None;
            at_once = view.go_at_once(position);
        });
        match at_once {
            true => {
                self.ask(Command::Look, None);
                Ok(())
            }
            false => self.asked(Command::Go(position)).await,
        }
    }

    /// Changes a weight or the learning rate at the reader's step. Playing stops.
    ///
    /// # Errors
    /// Those of [`Session::edit`](crate::lecture::session::Session::edit).
    pub async fn edit(&self, edit: Edit) -> Result<()> {
        self.change(Command::Edit(edit)).await
    }

    /// Undoes the edits of the reader's step. Playing stops.
    ///
    /// # Errors
    /// Where an image cannot be read.
    pub async fn undo(&self) -> Result<()> {
        self.change(Command::Undo).await
    }

    async fn change(&self, command: Command) -> Result<()> {
        let _turn = self.turns.lock().await;
        self.update(|view| view.playing = None);
        self.asked(command).await
    }

    /// Plays, or stops.
    pub async fn play(&self, pace: Option<Pace>) {
        let _turn = self.turns.lock().await;
        self.update(|view| view.playing = pace);
        self.ask(Command::Look, None);
    }

    /// Plays a phase or a batch, if that lies on the desk and nobody has stopped it.
    pub(super) fn play_on(&self, pace: Pace) {
        self.update(|view| {
            if view.playing == Some(pace) {
                let next = match pace {
                    Pace::Phase => view.position.next_phase(view.phases()),
                    Pace::Batch => view.position.next_batch(),
                };
                view.go_at_once(next);
            }
        });
    }

    /// Changes what lies there, and tells the readers.
    pub(super) fn update(&self, change: impl FnOnce(&mut View)) {
        let mut view = locked(&self.view);
        change(&mut view);
        view.revision += 1;
        self.revisions.send_replace(view.revision);
    }

    /// Changes what no reader sees.
    pub(super) fn update_quietly(&self, change: impl FnOnce(&mut View)) {
        change(&mut locked(&self.view));
    }

    async fn asked(&self, command: Command) -> Result<()> {
        let (told, outcome) = oneshot::channel();
        self.ask(command, Some(told));
        outcome.await.unwrap_or(Err(Error::Interrupted))
    }

    fn ask(&self, command: Command, told: Option<oneshot::Sender<Result<()>>>) {
        // An engine that is gone takes the answer with it.
        let _ = locked(&self.asked).send((command, told));
    }

    /// Returns the bundle of the step that lies there: of an image, with the shares of a weight. It computes,
    /// and is not for the thread of the server.
    ///
    /// # Errors
    /// [`Error::Setting`] of an image or a weight that there is not.
    pub fn bundle(&self, image: usize, weight: Option<&str>) -> Result<Arc<Vec<u8>>> {
        let taken = self.view().taken;
        self.pool.install(|| self.bundles.of(&taken, image, weight))
    }

    /// Returns the share that each image of the step that lies there has in the gradient of a weight. It
    /// computes, too.
    ///
    /// # Errors
    /// [`Error::Setting`] of a weight that there is not.
    pub fn shares(&self, weight: &str) -> Result<Vec<f64>> {
        let taken = self.view().taken;
        self.pool.install(|| self.bundles.shares(&taken, weight))
    }

    /// Packs the step ahead, as the last one was asked for.
    pub(super) fn pack_ahead(&self) {
        if let Some(ahead) = self.view().ahead {
            self.pool.install(|| self.bundles.pack(&ahead));
        }
    }

    /// Returns the page of the step that lies there, as `explain` writes it. It computes, too.
    ///
    /// # Errors
    /// [`Error::Setting`] of an image or a weight that there is not.
    pub fn page(&self, image: usize, weight: Option<&str>) -> Result<(u64, String)> {
        let taken = self.view().taken;
        let page = self.pool.install(|| self.bundles.page(&taken, image, weight))?;
        Ok((taken.step, page))
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        *locked(&self.0.last_seen) = Instant::now();
        self.0.readers.fetch_sub(1, Ordering::SeqCst);
    }
}
